"""Stopwatches that every benchmark shares: calls, child processes, one core, percentiles.

A call is timed from just before to just after it, with nothing subtracted, on a warm page cache.
Of a query timed several times the median counts: what the interpreter's garbage collector or
another process happened to do meanwhile is in one repetition, not in most of them.
"""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import GramdexError

LEAST_ANSWERS = 3
"""Queries answered however slow they are."""

_PAGES = 1 << 22


@dataclass(frozen=True, slots=True)
class Percentiles:
    """What some queries took, in microseconds.

    Attributes:
        p50, p90, p99: by linear interpolation between the nearest two; p90 is None for fewer
            than 10 queries, p99 for fewer than 100.
        worst: the greatest.
        mean: of all.
        count: how many there were.
        rounds: p50, p99 and worst of each round by itself, which tell how they vary.
    """

    p50: float
    p90: float | None
    p99: float | None
    worst: float
    mean: float
    count: int
    rounds: dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure measured in several runs."""

    median: float
    low: float
    high: float
    runs: int


@dataclass(slots=True)
class ChildUsage:
    """What children that ended took together, interpreter start included; filled on leaving."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What one piece of work took, from call to return.

    Attributes:
        wall_seconds: by the clock.
        cpu_seconds: user and system time, of the process and of its children that ended.
        peak_rss_bytes: of the largest single process.
    """

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss_bytes: int = 0


def percentiles(microseconds: Sequence[Any] | np.ndarray) -> Percentiles:
    """Percentiles of at least one query.

    Args:
        microseconds: of each query; or [rounds, queries], where a query's median counts.
    """
    rounds = np.atleast_2d(np.asarray(microseconds, np.float64))
    values = np.median(rounds, axis=0)
    p50, p90, p99 = np.percentile(values, (50, 90, 99)).tolist()
    names = {"p50": 50, "p99": 99, "worst": 100}
    return Percentiles(
        p50,
        p90 if values.size >= 10 else None,
        p99 if values.size >= 100 else None,
        float(values.max()),
        float(values.mean()),
        values.size,
        {name: np.percentile(rounds, at, axis=1).tolist() for name, at in names.items()},
    )


def spread(values: Sequence[float]) -> Spread:
    """Median, least and greatest of at least one measurement."""
    return Spread(float(np.median(values)), min(values), max(values), len(values))


def answers(call: Callable[..., Any], queries: Sequence[tuple], seconds: float) -> list[Any]:
    """Answers to the queries in order, to as many as fit the time; this is the warm-up too."""
    answered: list[Any] = []
    stop = time.perf_counter() + seconds
    for query in queries:
        if len(answered) >= LEAST_ANSWERS and time.perf_counter() > stop:
            break
        answered.append(call(*query))
    return answered


def time_calls(call: Callable[..., Any], queries: Sequence[tuple], rounds: int) -> np.ndarray:
    """Microseconds of ``call(*query)``, float64[rounds, queries].

    Every round goes through all queries, so a query finds in the processor's caches what
    the others left it.
    """
    taken = np.empty((rounds, len(queries)), np.int64)
    clock = time.perf_counter_ns
    gc.collect()
    for row in taken:
        for i, query in enumerate(queries):
            begin = clock()
            call(*query)
            row[i] = clock() - begin
    return taken / 1000


@contextmanager
def one_core() -> Iterator[int | None]:
    """Keep this thread, and threads and children it starts, on one core; its number.

    None where the system has no such call (macOS).
    """
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    before = os.sched_getaffinity(0)
    core = max(before)  # the lowest cores serve most interrupts
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def children_usage() -> Iterator[ChildUsage]:
    """Wall time of the block, and processor time of all children that end in it."""
    usage = ChildUsage()
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    yield usage
    usage.wall_seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    usage.cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def measured() -> Iterator[list[Usage]]:
    """Usage of the block, in the list once it is left; the list is empty until then."""
    usage: list[Usage] = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall, cpu = time.perf_counter(), time.process_time()
    yield usage
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    unit = 1 if sys.platform == "darwin" else 1024
    usage.append(Usage(wall, cpu, max(peak_memory(), unit * after.ru_maxrss)))


def run_python(*arguments: str, cache: Path | None = None, threads: int | None = None) -> str:
    """Run a fresh interpreter of this environment; what it printed.

    Args:
        arguments: of the interpreter.
        cache: where it keeps compiled kernels; None for the usual place.
        threads: of OpenMP; None for what the environment says.

    Raises:
        GramdexError: it failed; the error carries the last line it printed.
    """
    environment = dict(os.environ)
    # An installed package has its bytecode written; let a checkout have it too.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if cache is not None:
        environment["GRAMDEX_CACHE_DIR"] = str(cache)
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"
        raise GramdexError("a measured process", said.splitlines()[-1], "exit code 0")
    return done.stdout


def peak_memory() -> int:
    """Most bytes this process has had resident.

    Linux counts in ``ru_maxrss`` what the process had before ``exec``, that is the size of the
    one that started it; VmHWM begins at ``exec``.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(li for li in status.read_text().splitlines() if li.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def warm_pages(folder: Path) -> None:
    """Read every file below the folder, so that the page cache holds them."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(_PAGES):
                    pass


def file_sizes(folder: Path) -> dict[str, int]:
    """Bytes below the folder by file name, shards added up."""
    sizes: dict[str, int] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            sizes[path.name] = sizes.get(path.name, 0) + path.stat().st_size
    return sizes
