"""Large batches as several calls: as many queries each as the server takes, some at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from gramdex.errors import LimitError, ServiceError, UnavailableError, UsageError
from gramdex.rpc.client.asking import Asking

PARTS_AT_A_TIME = 4
"""Calls of one batch under way together: the server works at some while others travel."""

_ATTEMPTS = 3
_NUMBER = re.compile(r"(requests|queries)\[(\d+)\]")


def cut(sizes: np.ndarray, most: int, most_size: int) -> list[slice]:
    """Parts of at most so many queries and of so much size together; one query is never cut."""
    ends = np.cumsum(sizes)
    borders = [0]
    while borders[-1] < sizes.size:
        start = borders[-1]
        before = int(ends[start - 1]) if start else 0
        fitting = int(np.searchsorted(ends, before + most_size, "right"))
        borders.append(max(start + 1, min(fitting, start + most)))
    return [slice(*border) for border in pairwise(borders)]


def parts_of(index: Asking, sizes: np.ndarray, most: int) -> list[slice]:
    """Parts that the server takes, of at most so many queries."""
    room = index._limit("request_bytes", 4 << 20) // 8  # an id, and a length, take 4 bytes each
    most = max(min(index._limit("batch", most), most, room), 1)
    return cut(sizes, most, min(index._limit("batch_tokens", 1 << 20), room))


def ask_parts(
    index: Asking, parts: Sequence[slice], ask: Callable[[Asking, slice], Any]
) -> list[Any]:
    """Answers of all parts, in order, from one state of the corpus.

    Where another index was loaded between two parts, all are asked again, of one server.

    Raises:
        ServiceError: the index changes as fast as it is asked.
    """
    for attempt in range(_ATTEMPTS):
        asked = index if not attempt else index._view(_transport=index._transport.pinned())
        coverages = index._coverages
        if coverages is not None:
            asked = asked._view(_coverages=[])
        try:
            answers = [answer for part in _side_by_side(asked, parts, ask) for answer in part]
        except UnavailableError:
            if not 0 < attempt < _ATTEMPTS - 1:
                raise
            continue  # that one server went away
        if len({answer.generation for answer in answers}) <= 1:
            if answers:
                index._known.note(answers[0].generation)
            if coverages is not None:
                coverages += asked._coverages or []
            return answers
    found = "another index in every attempt"
    raise ServiceError("the batch", found, "one index that answers all of it", "ask again")


def _side_by_side(
    index: Asking, parts: Sequence[slice], ask: Callable[[Asking, slice], Any]
) -> Iterator[list[Any]]:
    if len(parts) < 2:
        yield from (_halved(index, part, ask) for part in parts)
        return
    pool = ThreadPoolExecutor(PARTS_AT_A_TIME, "gramdex-batch")
    waiting: list[Future] = []
    try:
        for part in parts:
            waiting.append(pool.submit(_halved, index, part, ask))
            if len(waiting) > 2 * PARTS_AT_A_TIME:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # after an error nobody waits for the rest


def _halved(index: Asking, part: slice, ask: Callable[[Asking, slice], Any]) -> list[Any]:
    """Answers of a part; of its halves where the server finds it too much."""
    try:
        return [ask(index, part)]
    except LimitError as error:
        middle = (part.start + part.stop) // 2
        if middle == part.start:
            raise _renumbered(error, part.start) from error
    except UsageError as error:
        raise _renumbered(error, part.start) from error
    halves = slice(part.start, middle), slice(middle, part.stop)
    return [answer for half in halves for answer in _halved(index, half, ask)]


def _renumbered(error: UsageError, start: int) -> UsageError:
    """An error about a query by its number in the whole batch."""
    thing = _NUMBER.sub(lambda m: f"{m[1]}[{int(m[2]) + start}]", error.thing, count=1)
    return type(error)(thing, error.found, error.expected, error.remedy)
