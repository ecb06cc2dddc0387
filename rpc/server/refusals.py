"""Counting the calls that gRPC turns away because there are too many.

They reach no handler. But gRPC asks for the handler of each call, and either gives the call to its
pool or turns it away before it asks for the next, all on one thread: so a call that was asked for
and not given to the pool by then has been turned away.
"""

from __future__ import annotations

import time

_SETTLED = 1.0
"""Seconds after which a call is not given to the pool any more; it takes microseconds."""


class Refusals:
    """Of one gRPC server, which tells it of each call it looks up and gives to its pool."""

    def __init__(self) -> None:
        self._state: tuple[int, float | None] = 0, None  # and when a call came; set as one

    @property
    def count(self) -> int:
        """Calls turned away; the last of them is counted a second late, unless more calls come."""
        count, asked = self._state
        return count + (asked is not None and time.monotonic() - asked > _SETTLED)

    def asked(self) -> None:
        """A call has come."""
        count, asked = self._state
        self._state = count + (asked is not None), time.monotonic()

    def given(self) -> None:
        """It goes to the pool."""
        self._state = self._state[0], None
