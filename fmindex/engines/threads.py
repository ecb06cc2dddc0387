"""Threads that share the work of one large query.

Kernels release the GIL, so threads of one process run them side by side on one mapping of the
index. A pool has a fixed number of threads, whoever asks and however often: callers that come
together share it, so the cores are not oversubscribed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

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
    if threads < 2:
        yield work
        return
    with ThreadPoolExecutor(1, thread_name_prefix="gramdex") as pool:
        yield pool.submit(work).result


class Threads:
    """A number of threads, the calling one included.

    Args:
        number: 1 for no others.
    """

    def __init__(self, number: int = 1) -> None:
        self.number = number
        self._pool = (
            ThreadPoolExecutor(number - 1, thread_name_prefix="gramdex") if number > 1 else None
        )

    def over(self, size: int, least: int, work: Callable[[int, int], Any]) -> None:
        """Call ``work(start, end)`` for parts that make up range(size), at the same time.

        Args:
            size: of the whole.
            least: a part is no smaller, unless the whole is.
            work: writes its results where no other part does.

        Raises:
            Whatever a part raises, once all have ended.
        """
        parts = max(1, min(self.number, size // least))
        if self._pool is None or parts == 1:
            work(0, size)
            return
        bounds = [size * part // parts for part in range(parts + 1)]
        others = [self._pool.submit(work, *bounds[i : i + 2]) for i in range(1, parts)]
        try:
            work(bounds[0], bounds[1])
        finally:
            wait(others)
        for other in others:
            other.result()
