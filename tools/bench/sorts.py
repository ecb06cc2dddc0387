"""Suffix sorting alone, side by side: the same symbols, one core each, in turns, all compared."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from gramdex.errors import GramdexError
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.measured import WARM_UP, in_child
from gramdex.tools.bench.peers.interface import Engine
from gramdex.tools.bench.peers.registry import GRAMDEX, describe_peers, taking_part
from gramdex.tools.bench.turns import Say, compare, in_turns, silent

_NOTES = (
    "Each sort is a process on one core, its text in memory; the clock runs from the call of the "
    f"sorter to its return. Code is loaded by sorting the first {WARM_UP:,} tokens before.",
    "Memory: of the whole process, text included; above empty: less what the same process takes "
    "that sorts only those first tokens, and no less than the text. Per token is above empty.",
)
_EQUAL = "All suffix arrays were equal."


class _Sorts:
    """Sorts of one text by any engine."""

    def __init__(self, corpus: Corpus, work: Path) -> None:
        text = corpus.symbols()
        self.size, self.dtype = text.size, text.dtype.str
        self.distinct = int(np.count_nonzero(np.bincount(text)))
        self.text, self.output, self.cache = work / "text", work / "sorted", work / "kernels"
        text.tofile(self.text)
        self.empty: dict[str, float] = {}
        self.digests: dict[str, str] = {}

    def warm_up(self, engine: Engine) -> float:
        """Note what a process takes without the text; seconds in which its code was loaded."""
        said = self._child(engine, None)
        self.empty[engine.name] = said["peak_rss_bytes"]
        return said["load_seconds"]

    def run(self, engine: Engine) -> Mapping[str, float]:
        """Sort; what it took."""
        said = self._child(engine, self.output)
        self.digests[engine.name] = _digest(self.output)
        self.output.unlink()
        peak = said["peak_rss_bytes"]
        # Loading code takes memory for a moment, which can hide what a small text takes.
        above = max(peak - self.empty[engine.name], self.text.stat().st_size)
        return {
            "wall_seconds": said["wall_seconds"],
            "cpu_seconds": said["cpu_seconds"],
            "tokens_per_cpu_second": self.size / max(said["cpu_seconds"], 1e-9),
            "peak_rss_bytes": peak,
            "peak_above_empty_bytes": above,
            "peak_bytes_per_token": above / self.size,
        }

    def check(self) -> None:
        """All sorters found the same suffix array.

        Raises:
            GramdexError: they did not.
        """
        for name, digest in self.digests.items():
            if digest != self.digests[GRAMDEX.name]:
                raise GramdexError(
                    f"the suffix array of {name}",
                    f"xxh3 {digest}",
                    f"gramdex's, {self.digests[GRAMDEX.name]}",
                    "do not trust figures of this build",
                )

    def _child(self, engine: Engine, output: Path | None) -> dict[str, Any]:
        job = {"work": "sort", "engine": engine.name, "text": str(self.text), "dtype": self.dtype}
        return in_child(job | {"output": output and str(output)}, self.cache, threads=1)


def run_sorts(
    corpus: Corpus, peers: Sequence[Engine], runs: int, say: Say = silent
) -> dict[str, Any]:
    """Sort ``runs`` times with each sorter; what `gramdex bench sort --json` prints.

    Raises:
        GramdexError: two sorters disagree.
    """
    engines = [GRAMDEX, *taking_part(peers, "sort", corpus)]
    with tempfile.TemporaryDirectory(prefix="gramdex-bench-") as folder, timing.one_core() as core:
        sorts = _Sorts(corpus, Path(folder))
        say("sort: gramdex with an empty kernel cache")
        compiling = sorts.warm_up(GRAMDEX)
        loading = {engine.name: sorts.warm_up(engine) for engine in engines}
        done = in_turns(
            {engine.name: partial(sorts.run, engine) for engine in engines},
            runs,
            lambda message: say(f"sort, {message}"),
        )
        sorts.check()
    return {
        "bench": "sort",
        **machine.describe(corpus),
        "settings": {
            "runs": runs,
            "core": core,
            "symbols": sorts.dtype,
            "tokens": sorts.size,
            "distinct": sorts.distinct,
        },
        "peers": describe_peers(peers, "sort", corpus),
        **compare(done),
        "kernels": {"compile_seconds": compiling, "load_seconds": loading[GRAMDEX.name]},
        "notes": _notes(engines),
    }


def _notes(engines: Sequence[Engine]) -> list[str]:
    equal = [_EQUAL] if len(engines) > 1 else []
    return [*_NOTES, *equal, *(e.notes["sort"] for e in engines if "sort" in e.notes)]


def _digest(path: Path) -> str:
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()
