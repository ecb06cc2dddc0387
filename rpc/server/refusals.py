"""Counting the calls that gRPC turns away because there are too many.

They reach no handler. But gRPC asks for the handler of each call, and either gives the call to its
pool or turns it away before it asks for the next, all on one thread: so a call that was asked for
and not given to the pool by then has been turned away.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import grpc

_SETTLED = 1.0
"""Seconds after which a call is not given to the pool any more; it takes microseconds."""


class Refusals:
    """Of one gRPC server, which is made from ``handler`` and ``pool``."""

    def __init__(self) -> None:
        self._state: tuple[int, float | None] = 0, None  # and when a call came; set as one

    @property
    def count(self) -> int:
        """Calls turned away; the last of them is counted a second late, unless more calls come."""
        count, asked = self._state
        return count + (asked is not None and time.monotonic() - asked > _SETTLED)

    def handler(self, handler: grpc.GenericRpcHandler) -> grpc.GenericRpcHandler:
        """A handler that is asked for every call."""
        return _Handler(self, handler)

    def pool(self, pool: Executor) -> Executor:
        """The pool that calls are given to."""
        return _Pool(self, pool)

    def asked(self) -> None:
        """A call has come."""
        count, asked = self._state
        self._state = count + (asked is not None), time.monotonic()

    def given(self) -> None:
        """It goes to the pool."""
        self._state = self._state[0], None


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, refusals: Refusals, handler: grpc.GenericRpcHandler) -> None:
        self._refusals, self._handler = refusals, handler

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        found = self._handler.service(details)
        if found is not None:
            self._refusals.asked()
        return found


class _Pool(Executor):
    def __init__(self, refusals: Refusals, pool: Executor) -> None:
        self._refusals, self._pool = refusals, pool

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        self._refusals.given()
        return self._pool.submit(work, *given, **named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)
