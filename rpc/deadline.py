"""The deadline of a call while it is answered, for the calls that its answer takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_END: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def ending(end: float) -> Iterator[None]:
    """What is asked of servers in the block, in this context, is worth nothing after ``end``.

    Args:
        end: by the monotonic clock.
    """
    token = _END.set(end)
    try:
        yield
    finally:
        _END.reset(token)


def seconds_of(timeout: float) -> float:
    """Seconds that a call to a server may take: ``timeout``, or what is left if that is less."""
    end = _END.get()
    return timeout if end is None else max(0.0, min(timeout, end - time.monotonic()))
