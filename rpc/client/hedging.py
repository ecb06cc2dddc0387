"""When a second server is asked for the same: after most answers would have come, and seldom."""

from __future__ import annotations

import threading
from collections import deque

_RECENT, _ENOUGH, _EVERY = 256, 32, 16
_UNKNOWN, _LEAST = 0.1, 0.005
_SHARE, _SAVED = 0.05, 10.0


class Hedging:
    """How long each method is waited for, and how many second calls there may be.

    A second call is made after the time that 95% of the recent calls of the method took, and 5 ms
    at least; after 100 ms where too few are known. Of a hundred calls five may have a second one;
    what is not used is saved up to ten.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recent: dict[str, deque[float]] = {}
        self._delays: dict[str, float] = {}
        self._seen: dict[str, int] = {}
        self._saved = 1.0

    def began(self, method: str) -> float:
        """A call begins; seconds to wait before a second one."""
        with self._lock:
            self._saved = min(self._saved + _SHARE, _SAVED)
            return self._delays.get(method, _UNKNOWN)

    def may(self) -> bool:
        """Whether a second call may be made now; if so, it is taken from what was saved."""
        with self._lock:
            if self._saved < 1:
                return False
            self._saved -= 1
            return True

    def ended(self, method: str, seconds: float) -> None:
        """A call was answered."""
        with self._lock:
            recent = self._recent.setdefault(method, deque(maxlen=_RECENT))
            recent.append(seconds)
            seen = self._seen[method] = self._seen.get(method, 0) + 1
            if seen >= _ENOUGH and seen % _EVERY == 0:
                in_order = sorted(recent)
                self._delays[method] = max(in_order[len(in_order) * 95 // 100], _LEAST)
