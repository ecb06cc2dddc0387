"""A process of its own for each measurement: told what to do as JSON, it says what that took.

The parent calls `in_child`; the child is this module run as a program.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gramdex.tools.bench import timing

if TYPE_CHECKING:
    from gramdex.tools.bench.peers.interface import Engine

WARM_UP = 1 << 16
"""Tokens that are sorted, or built from, before the clock starts, so that all code is loaded."""


def in_child(
    job: Mapping[str, Any], cache: Path | None = None, threads: int | None = None
) -> dict[str, Any]:
    """Do a job, which names its ``work`` and ``engine``, in a fresh process; what it says.

    Args:
        job: keyword arguments of the function of this module that is called like the work.
        cache: where kernels are kept.
        threads: of OpenMP.

    Raises:
        GramdexError: it failed.
    """
    from gramdex.tools.bench.peers.registry import find_engine

    find_engine(job["engine"]).prepare()
    name = "gramdex.tools.bench.measured"
    said = timing.run_python("-m", name, json.dumps(job), cache=cache, threads=threads)
    return json.loads(said.splitlines()[-1])


def _sort(engine: Engine, text: str, dtype: str, output: str | None) -> dict[str, Any]:
    """Sort the start of a text to load the code, then, where there is an output, all of it."""
    started = time.perf_counter()
    first = engine.sorting(np.fromfile(text, dtype, WARM_UP))
    first.run()
    first.positions()
    said: dict[str, Any] = {"load_seconds": time.perf_counter() - started}
    del first
    if output is None:
        return said | {"peak_rss_bytes": timing.peak_memory()}
    sorting = engine.sorting(np.fromfile(text, dtype))
    with timing.measured() as usage:
        sorting.run()
    sorting.positions().astype(np.uint32, copy=False).tofile(output)
    return said | asdict(usage[0])


def _build(engine: Engine, **arguments: Any) -> dict[str, Any]:
    """Load the code, then build an index."""
    engine.load_build(arguments)
    with timing.measured() as usage:
        said = engine.build_here(arguments)
    return {**asdict(usage[0]), **said}


def _cold(
    engine: Engine, folder: str, width: int, way: str, question: str, queries: list[list[int]]
) -> dict[str, Any]:
    """Open an index whose pages are on disk, and ask each query twice: from disk, then warm."""
    opening = engine.open_cold(Path(folder), width, way)
    started = time.perf_counter()
    ask = opening()[question]
    opened = time.perf_counter() - started
    answers: list[int] = []
    calls = [(query,) for query in queries]
    cold = timing.time_calls(lambda ids: answers.append(ask(ids)), calls, 1)[0]
    warm = timing.time_calls(ask, calls, 1)[0]
    return {
        "open_seconds": opened,
        "cold": cold.tolist(),
        "warm": warm.tolist(),
        "answers": answers,
    }


def _pages(engine: Engine, folder: str, asked: str) -> dict[str, Any]:
    """Ask an index whose pages are on disk, and count those that come into memory."""
    from gramdex.tools.bench.page_touches import measure_here

    return measure_here(Path(folder), json.loads(Path(asked).read_text()))


def main(job: dict[str, Any]) -> None:
    """Do a job and print what it took."""
    from gramdex.tools.bench.peers.registry import find_engine

    engine = find_engine(job.pop("engine"))
    print(json.dumps(_WORKS[job.pop("work")](engine, **job)))


_WORKS: dict[str, Callable[..., Any]] = {
    "sort": _sort,
    "build": _build,
    "cold": _cold,
    "pages": _pages,
}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
