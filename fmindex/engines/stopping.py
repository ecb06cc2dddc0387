"""Stopping work whose answer nobody waits for any more, and bounding what one call may cost.

Both belong to the calling thread: whoever calls says with ``stoppable`` what is asked between
chunks of work, and with ``bounded`` how much of it there may be; ``Threads`` hands both on to the
threads that help. Nothing stops or is bounded unless it was said.

A chunk is milliseconds of work. What is stopped leaves nothing behind: results are written where
only the call that failed sees them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from gramdex.errors import WorkLimitError

Item = TypeVar("Item")

CHUNK_TOKENS = 1 << 12
"""Of a text that is matched, which may take microseconds each; else several times as many."""
CHUNK_PATTERNS = 1 << 12
CHUNK_STRINGS = 1 << 6
CHUNK_RANKS = 1 << 12
"""That an FM-index locates."""
CHUNK_ENTRIES = 1 << 20
"""Entries of arrays that are copied or sorted."""


class _Work:
    """What is left of the work a call may cause."""

    def __init__(self, positions: int | None, tokens: int | None) -> None:
        self.limits = {"positions located": positions, "tokens extracted": tokens}
        self.left = dict(self.limits)

    def spend(self, what: str, amount: int) -> None:
        left = self.left[what]
        if left is None:
            return
        if amount > left:
            limit = self.limits[what]
            raise WorkLimitError(
                f"limit of {what}",
                f"more than {limit:,} for one call",
                f"at most {limit:,}",
                "ask for fewer documents, less context or something rarer",
            )
        self.left[what] = left - amount


class _Caller(threading.local):
    """What the calling thread has said."""

    check: Callable[[], Any] | None = None
    work: _Work | None = None


_caller = _Caller()


@contextmanager
def stoppable(check: Callable[[], Any]) -> Iterator[None]:
    """Have ``check()`` called between chunks of the work of the block, which stops if it raises.

    Inside another such block the inner check alone is called. Where threads share the work it is
    called in each of them, so it should raise again once it has raised.
    """
    before, _caller.check = _caller.check, check
    try:
        yield
    finally:
        _caller.check = before


@contextmanager
def bounded(positions: int | None = None, tokens: int | None = None) -> Iterator[None]:
    """Bound what the queries of the block, together, look up in the text; None for no bound.

    Args:
        positions: occurrences that are located.
        tokens: of documents that are read.

    Raises:
        WorkLimitError: more would be needed; it is raised before that is begun.
    """
    before, _caller.work = _caller.work, _Work(positions, tokens)
    try:
        yield
    finally:
        _caller.work = before


def stop_here() -> None:
    """A place between two chunks of work; about 30 ns where nothing is to be asked."""
    check = _caller.check
    if check is not None:
        check()


def may_stop() -> bool:
    """Whether a check was installed: where there is none, chunks would be for nothing."""
    return _caller.check is not None


def spend_positions(amount: int) -> None:
    """So many positions are about to be located: stop here, or raise WorkLimitError."""
    stop_here()
    if _caller.work is not None:
        _caller.work.spend("positions located", amount)


def spend_tokens(amount: int) -> None:
    """So many tokens are about to be extracted: stop here, or raise WorkLimitError."""
    stop_here()
    if _caller.work is not None:
        _caller.work.spend("tokens extracted", amount)


def carried(work: Callable[[int, int], Any]) -> Callable[[int, int], Any]:
    """``work`` as another thread has to do it: under what the calling one has said."""
    check, bound = _caller.check, _caller.work
    if check is None and bound is None:
        return work

    def carry(start: int, end: int) -> Any:
        before = _caller.check, _caller.work
        _caller.check, _caller.work = check, bound
        try:
            return work(start, end)
        finally:
            _caller.check, _caller.work = before

    return carry


def chunks(start: int, end: int, most: int, backwards: bool = False) -> Iterable[tuple[int, int]]:
    """The range in parts of at most ``most``, with a place to stop before each; one if empty."""
    if end - start <= most:
        stop_here()
        return ((start, end),)
    parts = range(start, end, most)
    every = ((low, min(low + most, end)) for low in (reversed(parts) if backwards else parts))
    return in_turns(every, 1)


def pattern_chunks(offsets: np.ndarray, start: int, end: int) -> Iterable[tuple[int, int]]:
    """Patterns [start, end) in parts of not too many, nor of too many tokens unless it is one."""
    if end - start <= CHUNK_PATTERNS and offsets[end] - offsets[start] <= 16 * CHUNK_TOKENS:
        stop_here()
        return ((start, end),)
    return in_turns(_pattern_parts(offsets, start, end), 1)


def _pattern_parts(offsets: np.ndarray, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        high = min(start + CHUNK_PATTERNS, end)
        most = offsets[start] + 16 * CHUNK_TOKENS
        if offsets[high] > most:
            fitting = int(np.searchsorted(offsets[start : high + 1], most, side="right")) - 1
            high = start + max(fitting, 1)
        yield start, high
        start = high


def in_turns(items: Iterable[Item], every: int = 1 << 10) -> Iterator[Item]:
    """The items, with a place to stop before each ``every``-th."""
    for number, item in enumerate(items):
        if not number % every:
            stop_here()
        yield item
