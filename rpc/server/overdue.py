"""Ending calls whose other side does not go on.

A thread that writes to a client which does not read, or reads from one which does not write, waits
inside gRPC, where no check for the time is reached; and an answer that is not read stays in memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LOOK_SECONDS = 0.5


class Overdue:
    """Cancels what has not ended in its time.

    One thread looks over all of them now and then; it is started with the first.

    Args:
        seconds: that each may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._watched: dict[object, tuple[float, Callable[[], object]]] = {}
        self._thread: threading.Thread | None = None

    def watch(self, cancel: Callable[[], object]) -> Callable[[], None]:
        """Call ``cancel()`` unless what is returned is called in time."""
        key = object()
        with self._lock:
            self._watched[key] = time.monotonic() + self._seconds, cancel
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="overdue", daemon=True)
                self._thread.start()

        def release() -> None:
            with self._lock:
                self._watched.pop(key, None)

        return release

    @contextmanager
    def watching(self, cancel: Callable[[], object]) -> Iterator[None]:
        """Call ``cancel()`` if the block has not ended in time."""
        release = self.watch(cancel)
        try:
            yield
        finally:
            release()

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            with self._lock:
                late = [key for key, (end, _) in self._watched.items() if now > end]
                ended = [self._watched.pop(key)[1] for key in late]
            for cancel in ended:
                cancel()
