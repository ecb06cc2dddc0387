"""Pages of an index that queries touch, and what queries take that find them on disk.

Runs in a process of its own, the only one that has the index mapped. Before a measurement the
pages are taken out of its map and the system is made to forget them. Four things are asked:

- opening the index;
- every query from disk: how many pages the system read for it, with reading ahead as the engine
  left it, and how many it touched, which is what is in memory then without reading ahead;
- the first queries one after the other, as after a start;
- queries of an index larger than memory: whenever more than a share of it is in memory, all of it
  is forgotten, outside the clock; with reading ahead and without.
"""

from __future__ import annotations

import json
import mmap
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import gramdex
from gramdex.errors import GramdexError
from gramdex.fmindex.index import Index
from gramdex.fmindex.results import Interval
from gramdex.tools.bench import page_cache
from gramdex.tools.bench.measured import in_child
from gramdex.tools.bench.peers.ours import text_reader

EACH = 50
"""Queries asked from disk one by one; of them the percentiles of pages are."""
FIRST = 100
"""Queries after a start."""
LIMIT = 4
"""No more than one part in so many of the index stays in memory."""
_TRIES, _PAUSE = 5, 0.1


def measure_pages(folder: Path, asked: Mapping[str, Any], work: Path) -> dict[str, Any]:
    """Pages and time of each kind of query, by its name.

    Args:
        folder: of the index, which no process has open.
        asked: name to the question and the arguments of each query, JSON-able.
        work: for a file.

    Raises:
        GramdexError: the system does not forget pages, or does not tell.
    """
    if why := page_cache.make_cold(folder):
        raise GramdexError("pages of the index", why, "files on a disk, on Linux")
    path = work / "asked.json"
    path.write_text(json.dumps(asked))
    job = {"work": "pages", "engine": "gramdex", "folder": str(folder), "asked": str(path)}
    return in_child(job)


def measure_here(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The same in this process."""
    gramdex.warmup()
    begin = time.perf_counter_ns()
    index = gramdex.open(folder)
    opened = {"ms": (time.perf_counter_ns() - begin) / 1e6}
    opened["pages"] = page_cache.resident_pages(folder)[0]
    kinds = {name: _prepare(index, *what) for name, what in asked.items()}
    pages = _Pages(folder)
    told: dict[str, Any] = {name: {"queries": len(kind[1])} for name, kind in kinds.items()}
    for name, (ask, queries) in kinds.items():
        for query in queries:
            ask(*query)
        told[name] |= _first_queries(pages, ask, queries)
        told[name] |= _each(pages, ask, queries, "read")
        told[name] |= _limited(pages, ask, queries, "read")
    pages.read_no_more_than_touched()
    for name, (ask, queries) in kinds.items():
        told[name] |= _each(pages, ask, queries, "touched")
        told[name] |= _limited(pages, ask, queries, "touched")
    all_pages = {"index_pages": pages.total, "limit_pages": pages.limit}
    return {**all_pages, "opened": opened, "kinds": told}


class _Pages:
    """Pages of the files of an index that this process has mapped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.total = page_cache.resident_pages(folder)[1]
        self.limit = max(self.total // LIMIT, 1)

    def resident(self) -> int:
        """How many are in memory."""
        return page_cache.resident_pages(self.folder)[0]

    def forget(self) -> None:
        """Leave none in memory.

        Raises:
            GramdexError: some stayed.
        """
        for _ in range(_TRIES):  # what is being read just now stays
            page_cache.advise_mapped(self.folder, mmap.MADV_DONTNEED)
            if not (why := page_cache.drop_pages(self.folder)):
                return
            time.sleep(_PAUSE)
        raise GramdexError("pages of the index", why, "none", "measure again")

    def read_no_more_than_touched(self) -> None:
        """Have the system read no page ahead."""
        page_cache.advise_mapped(self.folder, mmap.MADV_RANDOM)


Ask = Callable[..., Any]


def _prepare(index: Index, question: str, queries: list[list]) -> tuple[Ask, list[tuple]]:
    """What is called, and its arguments, made before anything is measured."""
    if question == "locate":
        return index.locate, [(_first(index, pattern),) for (pattern,) in queries]
    if question == "count_batch":
        return index.count_batch, [(np.array(patterns),) for (patterns,) in queries]
    ask = text_reader(index) if question == "extract" else getattr(index, question)
    return ask, [tuple(query) for query in queries]


def _first(index: Index, pattern: list[int]) -> Interval:
    """The first rank of the pattern."""
    found = next(interval for interval in index.find(pattern) if interval.count)
    return Interval(found.shard, found.low, found.low + 1)


def _timed(ask: Ask, query: tuple) -> float:
    """Milliseconds."""
    begin = time.perf_counter_ns()
    ask(*query)
    return (time.perf_counter_ns() - begin) / 1e6


def _each(pages: _Pages, ask: Ask, queries: Sequence[tuple], name: str) -> dict[str, Any]:
    """Every query from disk."""
    taken, touched = [], []
    for query in queries[:EACH]:
        pages.forget()
        taken.append(_timed(ask, query))
        touched.append(pages.resident())
    return {f"pages_{name}": _quantiles(touched), f"ms_{name}": _quantiles(taken)}


def _first_queries(pages: _Pages, ask: Ask, queries: Sequence[tuple]) -> dict[str, Any]:
    """The first queries after a start."""
    pages.forget()
    taken = [_timed(ask, query) for query in queries[:FIRST]]
    of = {"queries": len(taken), "ms": float(np.mean(taken)), "pages": pages.resident()}
    return {"first": of}


def _limited(pages: _Pages, ask: Ask, queries: Sequence[tuple], name: str) -> dict[str, Any]:
    """All queries, with a share of the index in memory at most."""
    pages.forget()
    taken, evictions = [], 0
    for query in queries:
        taken.append(_timed(ask, query))
        if pages.resident() > pages.limit:
            pages.forget()
            evictions += 1
    return {f"limited_{name}": {"ms": float(np.mean(taken)), "evictions": evictions}}


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    return {"p50": float(np.median(values)), "worst": float(max(values))}
