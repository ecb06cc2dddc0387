"""Building, side by side: the same tokens, one core each, in turns, in processes of their own.

gramdex reads raw ids from a file, translates, sorts, checksums and syncs an index to disk; its
peers find files written as they want them. What they are spared is not subtracted from anything.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.peers.interface import Builder, Engine
from gramdex.tools.bench.peers.ours import GramdexBuilder
from gramdex.tools.bench.peers.registry import GRAMDEX, describe_peers, taking_part
from gramdex.tools.bench.turns import Say, compare, in_turns, silent


class Builds:
    """Indexes of one corpus by gramdex and its peers, below one folder, built when needed.

    Attributes:
        corpus: that is indexed.
        peers: that were asked for.
        work, cache: the folder, and where builds keep their kernels in it.
        planned: bytes of memory that gramdex's last build stated before it began.
    """

    def __init__(
        self, corpus: Corpus, peers: Sequence[Engine], work: Path, cache: Path | None = None
    ) -> None:
        self.corpus, self.peers = corpus, peers
        self.planned = 0
        self.work, self.cache = work, cache or work / "kernels"
        self._builders: dict[str, Builder] = {}
        self._folders: dict[str, Path] = {}

    def engines(self, kind: str) -> list[Engine]:
        """Those that do a kind of work on this corpus, gramdex first."""
        return [GRAMDEX, *taking_part(self.peers, kind, self.corpus)]

    def describe(self, kind: str) -> dict[str, Any]:
        """What every result of a benchmark of this corpus says first."""
        return {
            **machine.describe(self.corpus),
            "peers": describe_peers(self.peers, kind, self.corpus),
        }

    def adopt(self, engine: Engine, folder: Path) -> None:
        """Take an index that is there for one built here."""
        self._folders[engine.name] = folder

    def folder(self, engine: Engine, say: Say = silent) -> Path:
        """Of the index of an engine; built now unless it was before."""
        if engine.name not in self._folders:
            say(f"building {engine.name}'s index")
            self.run(engine)
        return self._folders[engine.name]

    def run(self, engine: Engine) -> Mapping[str, float]:
        """Build anew; what it took."""
        if engine.name not in self._builders:
            self._builders[engine.name] = engine.builder(self.corpus, self.work)
        builder = self._builders[engine.name]
        os.sync()
        with timing.children_usage() as process:
            usage = builder.run(self.cache)
        self._folders[engine.name] = builder.folder
        if isinstance(builder, GramdexBuilder):
            self.planned = builder.planned
        tokens = self.corpus.ids.size
        return {
            **asdict(usage),
            "process_wall_seconds": process.wall_seconds,
            "process_cpu_seconds": process.cpu_seconds,
            "tokens_per_cpu_second": tokens / usage.cpu_seconds,
            "peak_bytes_per_token": usage.peak_rss_bytes / tokens,
        }

    def bytes_per_token(self) -> dict[str, dict[str, float]]:
        """Of every file of every index there is."""
        tokens = int(self.corpus.ids.size)
        return {
            name: {file: size / tokens for file, size in timing.file_sizes(folder).items()}
            for name, folder in self._folders.items()
        }


@contextmanager
def temporary_builds(
    corpus: Corpus, peers: Sequence[Engine], cache: Path | None = None
) -> Iterator[Builds]:
    """Builds in a folder that goes, with kernels kept in it too unless a place is named."""
    with tempfile.TemporaryDirectory(prefix="gramdex-bench-") as folder:
        yield Builds(corpus, peers, Path(folder), cache)


def time_builds(builds: Builds, runs: int, say: Say = silent) -> dict[str, Any]:
    """Build ``runs`` times with each engine, in turns, and `compare`."""
    tasks = {engine.name: partial(builds.run, engine) for engine in builds.engines("build")}
    return compare(in_turns(tasks, runs, lambda message: say(f"build, {message}")))


def run_builds(builds: Builds, runs: int, say: Say = silent) -> dict[str, Any]:
    """Build with an empty kernel cache, then in turns; what `gramdex bench build --json` prints."""
    engines = builds.engines("build")
    with timing.one_core() as core:
        say("build: gramdex with an empty kernel cache")
        cold = builds.run(GRAMDEX)
        compared = time_builds(builds, runs, say)
    return {
        "bench": "build",
        **builds.describe("build"),
        "settings": {"runs": runs, "workers": 1, "core": core, "page_cache": "warm"},
        **compared,
        "planned_bytes": builds.planned,
        "cold_kernels": dict(cold),
        "bytes_per_token": builds.bytes_per_token(),
        "notes": [engine.notes["build"] for engine in engines if "build" in engine.notes],
    }
