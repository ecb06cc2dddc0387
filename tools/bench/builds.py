"""Building, side by side: the same tokens, one core each, in turns, in processes of their own.

gramdex reads raw ids from a file, translates, sorts, checksums and syncs an index to disk.
infini-gram finds its own token and offset files written, sorts, and leaves syncing to the
system. What it is spared here is not subtracted from anything.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import GramdexError
from gramdex.fmindex.format.manifest import read_index_manifest
from gramdex.indexer.options import MAXIMUM_SHARD_TOKENS
from gramdex.tools.bench import infini_gram, machine, timing
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.engines import peer_memory, refuse_wide
from gramdex.tools.bench.queries import describe_data

Say = Callable[[str], Any]


@dataclass(frozen=True)
class BuildRun:
    """One build of one engine.

    Attributes:
        wall_seconds, cpu_seconds: from call to return, in the building process and its children.
        process_wall_seconds, process_cpu_seconds: the same with interpreter start and imports.
        peak_rss_bytes: of the largest process.
        tokens_per_cpu_second: separators not counted.
        peak_bytes_per_token: peak_rss_bytes by the same tokens.
    """

    wall_seconds: float
    cpu_seconds: float
    process_wall_seconds: float
    process_cpu_seconds: float
    peak_rss_bytes: float
    tokens_per_cpu_second: float
    peak_bytes_per_token: float


class _Builds:
    """The builds of one corpus by both engines."""

    def __init__(self, corpus: Corpus, work: Path) -> None:
        self.corpus, self.work = corpus, work
        self.output, self.peer, self.cache = work / "gramdex", work / "peer", work / "kernels"
        read = corpus.write_raw(work / "tokens.raw")
        self.tokenizer = self._tokenizer_file()
        size = int(corpus.ids.size + corpus.lengths.size)
        self.arguments = {
            "input": str(work / "tokens.raw"),
            "output": str(self.output),
            "tokenizer": self.tokenizer,
            "read": asdict(read),
            "shard_tokens": min(max(size, 2), MAXIMUM_SHARD_TOKENS),
            "vocabulary_size": corpus.vocabulary_size if self.tokenizer is None else None,
        }
        self.planned = 0

    def gramdex(self) -> BuildRun:
        """Build with gramdex."""
        shutil.rmtree(self.output, ignore_errors=True)
        os.sync()
        with timing.children_usage() as usage:
            printed = timing.run_python(
                "-m",
                "gramdex.tools.bench.build_child",
                json.dumps(self.arguments),
                cache=self.cache,
            )
        told = json.loads(printed)
        self.planned = told.pop("planned_bytes")
        return self._run(usage, **told)

    def infini_gram(self) -> BuildRun:
        """Build with infini-gram, its token files written before."""
        width = self.corpus.width
        if not self.peer.exists():
            infini_gram.write_tokens(self.corpus.ids, self.peer, width, self.corpus.lengths)
        (self.peer / "table.0").unlink(missing_ok=True)
        os.sync()
        with timing.children_usage() as usage:
            built = infini_gram.build(self.peer, width, memory_gib=peer_memory(self.corpus))
        return self._run(usage, **asdict(built))

    def check(self) -> None:
        """Both hold the same number of tokens and documents.

        Raises:
            GramdexError: they do not.
        """
        manifest = read_index_manifest(self.output)
        found = manifest.token_count, manifest.document_count
        expected = int(self.corpus.ids.size), int(self.corpus.lengths.size)
        if found != expected:
            raise GramdexError("the index built", f"{found} tokens, documents", f"{expected}")

    def _run(
        self,
        usage: timing.ChildUsage,
        wall_seconds: float,
        cpu_seconds: float,
        peak_rss_bytes: float,
    ) -> BuildRun:
        tokens = self.corpus.ids.size
        return BuildRun(
            wall_seconds,
            cpu_seconds,
            usage.wall_seconds,
            usage.cpu_seconds,
            peak_rss_bytes,
            tokens / cpu_seconds,
            peak_rss_bytes / tokens,
        )

    def _tokenizer_file(self) -> str | None:
        """A file that names the corpus's tokenizer to another process."""
        tokenizer = self.corpus.tokenizer
        if tokenizer is None or not tokenizer.files:
            return None if tokenizer is None else tokenizer.kind
        [(name, content)] = tokenizer.files.items()
        (self.work / name).write_bytes(content)
        encoding = tokenizer.options.get("encoding")
        return f"tiktoken:{encoding}:{self.work / name}" if encoding else str(self.work / name)


def run_builds(
    corpus: Corpus, runs: int, use_peer: bool, say: Say = lambda message: None
) -> dict[str, Any]:
    """Build ``runs`` times with each engine, in turns; what `gramdex bench build --json` prints."""
    use_peer = use_peer and not refuse_wide(corpus)
    with tempfile.TemporaryDirectory(prefix="gramdex-bench-") as folder, timing.one_core() as core:
        builds = _Builds(corpus, Path(folder))
        say("gramdex with an empty kernel cache")
        cold = builds.gramdex()
        ours, theirs = _in_turns(builds, runs, use_peer, say)
        builds.check()
        sizes = _bytes_per_token(builds, use_peer)
    return {
        "bench": "build",
        "machine": machine.describe_machine(),
        "versions": machine.describe_versions(),
        "data": describe_data(corpus),
        "settings": {"runs": runs, "workers": 1, "core": core, "page_cache": "warm"},
        "peer": "infini-gram, same run" if use_peer else _no_peer(corpus),
        "planned_bytes": builds.planned,
        "gramdex": _summary(ours),
        "infini_gram": _summary(theirs) if theirs else None,
        "ratios": _ratios(ours, theirs) if theirs else None,
        "gramdex_cold_kernels": asdict(cold),
        "runs": {"gramdex": [*map(asdict, ours)], "infini_gram": [*map(asdict, theirs)]},
        "bytes_per_token": sizes,
    }


def _in_turns(
    builds: _Builds, runs: int, use_peer: bool, say: Say
) -> tuple[list[BuildRun], list[BuildRun]]:
    """Build with each engine, the other one first in every second run."""
    ours: list[BuildRun] = []
    theirs: list[BuildRun] = []
    for i in range(runs):
        turns = [(builds.gramdex, ours)]
        if use_peer:
            turns.append((builds.infini_gram, theirs))
        for build, done in turns if i % 2 == 0 else turns[::-1]:
            say(f"run {i + 1} of {runs}: {build.__name__}")
            done.append(build())
    return ours, theirs


def _no_peer(corpus: Corpus) -> str:
    return "cannot build 32-bit tokens" if refuse_wide(corpus) else "left out"


def _summary(runs: list[BuildRun]) -> dict[str, Any]:
    """Median, least and greatest of each figure."""
    names = asdict(runs[0])
    return {name: asdict(timing.spread([getattr(r, name) for r in runs])) for name in names}


def _ratios(ours: list[BuildRun], theirs: list[BuildRun]) -> dict[str, Any]:
    """Peer / gramdex, pair by pair; the median of the pairs' ratios, and their spread."""
    names = asdict(ours[0])
    return {
        name: asdict(
            timing.spread(
                [getattr(b, name) / getattr(a, name) for a, b in zip(ours, theirs, strict=True)]
            )
        )
        for name in names
    }


def _bytes_per_token(builds: _Builds, use_peer: bool) -> dict[str, dict[str, float]]:
    tokens = np.float64(builds.corpus.ids.size)
    folders = {"gramdex": builds.output} | ({"infini_gram": builds.peer} if use_peer else {})
    return {
        name: {file: float(size / tokens) for file, size in timing.file_sizes(folder).items()}
        for name, folder in folders.items()
    }
