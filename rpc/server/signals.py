"""Signals of the process: end, end at once, look for a new index."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

_END = (signal.SIGTERM, signal.SIGINT)
CUT_OFF = 1
"""Exit code where calls were cut off."""

_log = logging.getLogger(__name__)


class Signals:
    """Signals one by one; a second one that ends the process does so at once.

    Args:
        at_once: called before that.
    """

    def __init__(self, at_once: Callable[[], Any] | None = None) -> None:
        self._came: SimpleQueue[int] = SimpleQueue()
        self._ending, self._at_once = False, at_once
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        for number in (*_END, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self, seconds: float | None = None) -> bool | None:
        """The next: True to end, False to look for a new index, None when time has passed."""
        try:
            return self._came.get(timeout=seconds) in _END
        except Empty:
            return None

    def _handle(self, number: int, _: object) -> None:
        if number in _END and self._ending:
            if self._at_once is not None:
                self._at_once()
            os._exit(CUT_OFF)
        self._ending = self._ending or number in _END
        self._came.put(number)


def end_with(all_ended: bool) -> int:
    """The exit code of a server whose calls have all ended; the end of one that cut some off.

    Threads that are still at work would keep the process.
    """
    if not all_ended:
        _log.warning("calls were cut off: they did not end in time")
        sys.stdout.flush()
        os._exit(CUT_OFF)
    return 0
