"""Engines taking turns at one piece of work, and what their runs come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from gramdex.tools.bench.timing import spread

RATES = frozenset({"tokens_per_cpu_second"})
"""Figures of which more is better; of all others less is."""

Say = Callable[[str], Any]

Taken = TypeVar("Taken")
"""What one run of a task says it took."""


def silent(message: str) -> None:
    """Say nothing."""


def in_turns(
    tasks: Mapping[str, Callable[[], Taken]], runs: int, say: Say
) -> dict[str, list[Taken]]:
    """Do every task ``runs`` times, in turns whose order is reversed in every second run."""
    done: dict[str, list[Taken]] = {name: [] for name in tasks}
    for i in range(runs):
        names = list(tasks) if i % 2 == 0 else list(tasks)[::-1]
        for name in names:
            say(f"run {i + 1} of {runs}: {name}")
            done[name].append(tasks[name]())
    return done


def compare(done: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, Any]:
    """Each figure of each engine, and how many times better the first engine is than each other.

    Ratios are taken run by run: above 1 means less time or memory, or more done in the time.
    """
    (_, ours), *others = done.items()
    return {
        "engines": {name: _spreads(runs) for name, runs in done.items()},
        "ratios": {
            name: {figure: asdict(spread(_times_better(figure, ours, runs))) for figure in ours[0]}
            for name, runs in others
        },
        "runs": {name: [dict(run) for run in runs] for name, runs in done.items()},
    }


def times_better(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """How many times less than ``theirs`` our times are, run by run."""
    return asdict(spread([b / a for a, b in zip(ours, theirs, strict=True)]))


def _spreads(runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    return {figure: asdict(spread([run[figure] for run in runs])) for figure in runs[0]}


def _times_better(
    figure: str, ours: Sequence[Mapping[str, float]], theirs: Sequence[Mapping[str, float]]
) -> list[float]:
    pairs = [(a[figure], b[figure]) for a, b in zip(ours, theirs, strict=True)]
    return [a / b if figure in RATES else b / a for a, b in pairs]
