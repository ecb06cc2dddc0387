"""The first queries after a start from disk: no page of the index is in memory.

Before each measurement the system is made to forget the pages of the index, and asked whether it
did. Then a fresh process, its code loaded, opens the index and asks; and asks the same again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import GramdexError
from gramdex.tools.bench import page_cache, timing
from gramdex.tools.bench.builds import Builds
from gramdex.tools.bench.corpus import draw_patterns
from gramdex.tools.bench.measured import in_child
from gramdex.tools.bench.peers.interface import Engine
from gramdex.tools.bench.peers.registry import GRAMDEX
from gramdex.tools.bench.turns import Say, silent, times_better

QUERIES = 100
ASKED = {
    "count": ("count, 5 tokens", 5),
    "infgram_ntd": ("∞-gram distribution, 63 tokens of context", 63),
}
"""Questions, what they are called, and the tokens of each query."""

_NOTES = (
    f"Each run is a fresh process with its code loaded, whose index is on disk: the first "
    f"{QUERIES} queries, each another place of the corpus, in ms. Warm: the same again. A small "
    "index is in memory after few of them. The disk may keep pages of its own.",
    "infini-gram: exact, without prefetching. As delivered: sampled, with prefetching, which is "
    "made for this.",
)


def run_cold(builds: Builds, runs: int, seed: int = 0, say: Say = silent) -> dict[str, Any]:
    """Time first queries; what the part ``cold`` of `gramdex bench all --json` is.

    Raises:
        GramdexError: two engines count differently, or an index came back into memory.
    """
    engines = builds.engines("cold")
    folders = {engine.name: builds.folder(engine, say) for engine in engines}
    failed = {name: page_cache.make_cold(folder) for name, folder in folders.items()}
    failed = {name: why for name, why in failed.items() if why}
    result = {
        "bench": "cold",
        **builds.describe("cold"),
        "settings": {"runs": runs, "queries": QUERIES, "page_cache": "cold"},
        "could_not_be_made_cold": failed,
        "rows": [],
        "notes": list(_NOTES),
    }
    if failed:
        return result
    with timing.one_core():
        for question, (label, length) in ASKED.items():
            queries = draw_patterns(builds.corpus, length, QUERIES, seed).tolist()
            say(f"cold: {label}")
            measure = _Measure(builds.corpus.width, question, queries, runs)
            result["rows"].append({"label": label, "ways": measure.all(engines, folders)})
    return result


class _Measure:
    """One question to all engines."""

    def __init__(self, width: int, question: str, queries: list[list[int]], runs: int) -> None:
        self.width, self.question, self.queries, self.runs = width, question, queries, runs

    def all(self, engines: Sequence[Engine], folders: dict[str, Path]) -> list[dict[str, Any]]:
        """Figures of every way of asking every engine, with ratios to gramdex's."""
        told = {
            way: [self._once(engine, folders[engine.name], way) for _ in range(self.runs)]
            for engine in engines
            for way in engine.cold_ways
        }
        ours = told[GRAMDEX.name]
        for way, runs in told.items():
            for run in runs:
                self._compare(way, ours[0]["answers"], run["answers"])
        return [self._row(way, ours, runs) for way, runs in told.items()]

    def _once(self, engine: Engine, folder: Path, way: str) -> dict[str, Any]:
        if why := page_cache.make_cold(folder):
            raise GramdexError(
                f"{engine.name}'s index on disk",
                why,
                "no page of it in memory",
                "end what else reads the disk and measure again, or leave cold out of --parts",
            )
        return in_child(
            {
                "work": "cold",
                "engine": engine.name,
                "folder": str(folder),
                "width": self.width,
                "way": way,
                "question": self.question,
                "queries": self.queries,
            }
        )

    def _compare(self, way: str, ours: Sequence[int], theirs: Sequence[int]) -> None:
        """Be sure that two runs counted the same.

        Raises:
            GramdexError: they did not.
        """
        for query, own, other in zip(self.queries, ours, theirs, strict=True):
            if own != other:
                raise GramdexError(
                    f"{self.question} from disk of {query}",
                    f"{GRAMDEX.name} counts {own:,}, {way} {other:,}",
                    "the same count",
                    "do not trust these figures; report the query, or leave the engine out with "
                    "--peers",
                )

    @staticmethod
    def _row(way: str, ours: list[dict[str, Any]], runs: list[dict[str, Any]]) -> dict[str, Any]:
        """Milliseconds: opening, the first query, the mean and the slowest of all."""
        figures = {name: [take(run) for run in runs] for name, take in _FIGURES.items()}
        own = {name: [take(run) for run in ours] for name, take in _FIGURES.items()}
        return {
            "way": way,
            "figures": {name: asdict(timing.spread(v)) for name, v in figures.items()},
            "ratios": {name: times_better(own[name], v) for name, v in figures.items()},
        }


_FIGURES = {
    "open": lambda run: 1000 * run["open_seconds"],
    "first": lambda run: run["cold"][0] / 1000,
    "mean": lambda run: float(np.mean(run["cold"])) / 1000,
    "worst": lambda run: max(run["cold"]) / 1000,
    "warm_mean": lambda run: float(np.mean(run["warm"])) / 1000,
}
