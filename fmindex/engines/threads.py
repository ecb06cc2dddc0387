"""Threads that share the work of one large query.

Kernels release the GIL, so threads of one process run them side by side on one mapping of the
index. The helpers of a pool are a fixed number, whoever asks and however often: callers that come
together share them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any, TypeVar

from gramdex.fmindex.engines.stopping import carried

Result = TypeVar("Result")


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def beside(work: Callable[[], Result], threads: int) -> Iterator[Callable[[], Result]]:
    """Do ``work`` in a second thread, if there may be one, while the block runs.

    Gives what waits for its result and returns it; with one thread, that does the work. A block
    that fails waits for the work to end.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="gramdex") as pool:
        made = work
        if threads > 1:
            with suppress(RuntimeError):  # no thread can be had
                made = pool.submit(work).result
        yield made


class Threads:
    """A number of threads, the calling one included.

    Where no other thread can be had, as while the interpreter ends, the calling one does all the
    work. A forked child has none of its parent's threads, and starts its own.

    Args:
        number: 1 for no others.
    """

    def __init__(self, number: int = 1) -> None:
        self.number = number
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def over(self, size: int, least: int, work: Callable[[int, int], Any]) -> None:
        """Call ``work(start, end)`` for parts that make up range(size), at the same time.

        Args:
            size: of the whole.
            least: a part is no smaller, unless the whole is.
            work: writes its results where no other part does.

        Raises:
            Whatever a part raises, once all have ended.
        """
        parts = min(self.number, size // least)
        if parts < 2:
            work(0, size)
            return
        bounds = [size * part // parts for part in range(parts + 1)]
        own = list(pairwise(bounds))
        others: list[Future] = []
        theirs = carried(work)
        with suppress(RuntimeError):  # of ``submit``
            while len(own) > 1:
                others.append(self._others().submit(theirs, *own[-1]))
                own.pop()
        try:
            for start, end in own:
                work(start, end)
        finally:
            wait(others)
        for other in others:
            other.result()

    def _others(self) -> ThreadPoolExecutor:
        if self._pool is None or self._process != os.getpid():
            self._pool = ThreadPoolExecutor(self.number - 1, thread_name_prefix="gramdex")
            self._process = os.getpid()
        return self._pool
