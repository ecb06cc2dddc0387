"""What more cores are worth: the same work by one worker or thread, and by one for every core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, TypeAlias

import gramdex
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.builds import Builds
from gramdex.tools.bench.corpus import draw_patterns
from gramdex.tools.bench.peers.ours import GramdexBuilder
from gramdex.tools.bench.peers.registry import GRAMDEX
from gramdex.tools.bench.turns import Say, compare, in_turns, silent

SHARDS = 4
PATTERNS = 100_000
LENGTH = 5
TEXTS = 20_000

Task: TypeAlias = Callable[[], Mapping[str, float]]


def run_threads(builds: Builds, runs: int, say: Say = silent) -> dict[str, Any]:
    """Do each piece of work both ways; what `gramdex bench threads --json` prints."""
    cores = max(2, int(machine.describe_machine()["cores"]))
    rows = []
    for label, task in _WORK.items():
        tasks = {f"{n} at a time": task(builds, n) for n in (cores, 1)}
        done = in_turns(tasks, runs, partial(_tell, say, label))
        rows.append({"label": label, **compare(done)})
    return {
        "bench": "threads",
        **machine.describe(builds.corpus),
        "settings": {"runs": runs, "at_a_time": [1, cores], "page_cache": "warm"},
        "rows": rows,
        "notes": ["Ratio: time of one at a time by time of as many as there are cores."],
    }


def _tell(say: Say, label: str, message: str) -> None:
    say(f"{label}, {message}")


def _build(builds: Builds, workers: int) -> Task:
    """A build of several shards, each sorted by one of the workers; kernels compiled before."""
    builder = GramdexBuilder(builds.corpus, builds.work, SHARDS, workers)
    builder.run(builds.cache)
    return lambda: asdict(builder.run(builds.cache))


def _queries(method: str) -> Callable[[Builds, int], Task]:
    """One large batch of counts, or one long text; the index open, kernels loaded."""

    def prepared(builds: Builds, threads: int) -> Task:
        folder = builds.folder(GRAMDEX)
        timing.warm_pages(folder)
        asked = draw_patterns(builds.corpus, LENGTH, PATTERNS, 0)
        ask = getattr(gramdex.open(folder, threads=threads), method)
        query = asked if method == "count_batch" else asked[:TEXTS].ravel()
        ask(query)

        def timed() -> Mapping[str, float]:
            with timing.measured() as usage:
                ask(query)
            return asdict(usage[0])

        return timed

    return prepared


_WORK: dict[str, Callable[[Builds, int], Task]] = {
    f"build of {SHARDS} shards": _build,
    f"count_batch of {PATTERNS:,}": _queries("count_batch"),
    f"match of {LENGTH * TEXTS:,} tokens": _queries("match"),
    f"infgram_scores of {LENGTH * TEXTS:,} tokens": _queries("infgram_scores"),
}
"""A further row is one more line."""
