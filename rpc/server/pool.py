"""The threads that calls are answered in, and what becomes of calls that find none free.

gRPC refuses calls above a number of places. That bounds memory, not waiting: places enough for
short calls are too many for long ones. So a call that has waited for a thread too long, measured by
what calls take now, is refused when its turn comes, which costs little, and those behind it are
quick again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gramdex.errors import OverloadedError
from gramdex.rpc.server.refusals import Refusals

_PATIENCE = 3.0
"""A call waits so many times as long as calls take, at most; but not less than the first of the
next two, which is what a busy machine takes to give a thread its turn."""
_LEAST_SECONDS, _MOST_SECONDS = 0.012, 2.0
_FEW = 4
"""So many calls a thread, at work and waiting, are no overload, however long they wait."""
_WEIGHT = 1 / 16
"""Of the latest call in the average."""


class CallPool(ThreadPoolExecutor):
    """Threads that know how long the call they answer has waited.

    Args:
        threads: how many.

    Attributes:
        taken: calls at work and waiting.
        refusals: counts the calls that gRPC turned away because no place was free.
        is_closing: calls that come now are to be sent elsewhere.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(threads, thread_name_prefix="call")
        self._few = _FEW * threads
        self._call = threading.local()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self.taken, self.refusals = 0, Refusals()
        self.is_closing = False
        self._average = 0.0  # of seconds; threads may lose one another's update, which is no harm

    @property
    def patience(self) -> float:
        """Seconds that a call waits at most."""
        return min(max(_PATIENCE * self._average, _LEAST_SECONDS), _MOST_SECONDS)

    def submit(self, work: Callable, /, *arguments: Any, **options: Any) -> Future:
        """As every executor does."""
        self.refusals.given()
        with self._lock:
            self.taken += 1
        return super().submit(self._run, time.monotonic(), work, arguments, options)

    def _run(self, came: float, work: Callable, arguments: Any, options: Any) -> Any:
        began = time.monotonic()
        self._call.waited, self._call.refused = began - came, False
        try:
            return work(*arguments, **options)
        finally:
            with self._lock:
                self.taken -= 1
                if not self.taken:
                    self._idle.notify_all()
            if not self._call.refused:
                self._average += _WEIGHT * (time.monotonic() - began - self._average)

    def finish(self, seconds: float) -> bool:
        """Close to new calls; whether those that had come have ended within so many seconds."""
        with self._lock:
            self.is_closing = True
            return self._idle.wait_for(lambda: not self.taken, seconds)

    def require_patience(self) -> None:
        """Refuse the call of this thread if it has waited too long; OverloadedError."""
        waited, patience = self._call.waited, self.patience
        if waited > patience and self.taken > self._few:
            self._call.refused = True
            found = f"{1e3 * waited:.0f} ms in the queue"
            raise OverloadedError("the call", found, f"at most {1e3 * patience:.0f} ms")
