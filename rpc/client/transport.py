"""Calls to one server: over several connections, with a deadline, again where it went away.

Channels of gRPC do not survive a fork: connect in each process. A call in another process than
the one that connected is refused.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from gramdex.errors import CancelledError, GramdexError, UnavailableError, UsageError
from gramdex.rpc.client.target import Address
from gramdex.rpc.methods import Method
from gramdex.rpc.status import read_error

Answer = TypeVar("Answer")
Metadata = tuple[tuple[str, str], ...]

_OPTIONS: dict[str, Any] = {
    # Servers have limits with names; here nothing is cut off before.
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    # One channel is one connection: without it, channels with equal options share one.
    "grpc.use_local_subchannel_pool": 1,
    # A connection that died without a word is noticed while a call waits for it. Not more often:
    # servers take frequent pings for an attack.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.min_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 1_000,
    # Calls are made again here, where it is known which may be.
    "grpc.enable_retries": 0,
}


class Transport(Protocol):
    """How methods are called."""

    def unary(
        self, method: Method, request: Message, timeout: float, metadata: Metadata = ()
    ) -> Any:
        """The answer of a method with one message each way; raises a GramdexError."""
        ...

    def stream(
        self,
        method: Method,
        requests: Sequence[Message],
        timeout: float,
        metadata: Metadata = (),
    ) -> Iterator[Any]:
        """The messages of a method that answers with several; raises a GramdexError."""
        ...

    def pinned(self) -> Transport:
        """The same, but every call goes to one server."""
        ...

    def close(self) -> None:
        """Give up the connections; calls under way end with CancelledError."""
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is made to a server that is not there; queries change nothing.

    Attributes:
        attempts: in all, 1 and up.
        first, longest: seconds before the second attempt, doubled from then on, and at most.
    """

    attempts: int = 6
    first: float = 0.05
    longest: float = 1.0

    def pauses(self) -> Iterator[float | None]:
        """Seconds after each attempt, up to half of them left out at random; None: no more."""
        for number in range(self.attempts - 1):
            yield random.uniform(0.5, 1) * min(self.first * 2**number, self.longest)
        yield None

    def call(self, attempt: Callable[[float], Answer], timeout: float) -> Answer:
        """What an attempt gives that is told its deadline, by the monotonic clock."""
        deadline = time.monotonic() + timeout
        for pause in self.pauses():
            try:
                return attempt(deadline)
            except UnavailableError:
                if not wait(pause, deadline):
                    raise
        raise AssertionError("the last pause is None")

    def stream(
        self, attempt: Callable[[float], Iterator[Answer]], timeout: float
    ) -> Iterator[Answer]:
        """As ``call``; never again once a message was given out."""
        deadline = time.monotonic() + timeout
        for pause in self.pauses():
            given = False
            try:
                for message in attempt(deadline):
                    given = True
                    yield message
            except UnavailableError:
                if given or not wait(pause, deadline):
                    raise
            else:
                return


def wait(pause: float | None, deadline: float) -> bool:
    """Wait for a pause; False where there is none, or the deadline comes before its end."""
    if pause is None or time.monotonic() + pause >= deadline:
        return False
    time.sleep(pause)
    return True


@dataclass(slots=True, eq=False)
class Line:
    """One connection.

    Attributes:
        channel: of gRPC.
        calls: by method, what makes a call.
        busy: calls under way.
    """

    channel: grpc.Channel
    calls: dict[str, Any] = field(default_factory=dict)
    busy: int = 0

    def call(self, method: Method) -> Any:
        """What makes a call of a method."""
        made = self.calls.get(method.name)
        if made is None:
            ways = {False: "unary", True: "stream"}
            shape = f"{ways[method.client_streaming]}_{ways[method.server_streaming]}"
            made = self.calls[method.name] = getattr(self.channel, shape)(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
        return made


class Connection:
    """One server.

    A call takes the connection with the fewest under way; another is opened where all have some.

    Args:
        address: of the server.
        credentials: of TLS; None for a connection that is not encrypted.
        token: that every call carries; "" for none.
        lines: connections, at most.
        patience: with a server that is not there.
    """

    def __init__(
        self,
        address: Address,
        credentials: grpc.ChannelCredentials | None = None,
        token: str = "",
        lines: int = 4,
        patience: Patience | None = None,
    ) -> None:
        self.address = address
        self._credentials = credentials
        self._metadata: Metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._most, self._patience = lines, patience or Patience()
        self._lines: list[Line] = []
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._closed = False

    def unary(
        self, method: Method, request: Message, timeout: float, metadata: Metadata = ()
    ) -> Any:
        """See ``Transport``."""
        return self._patience.call(
            lambda deadline: self.unary_once(method, request, deadline, metadata), timeout
        )

    def stream(
        self,
        method: Method,
        requests: Sequence[Message],
        timeout: float,
        metadata: Metadata = (),
    ) -> Iterator[Any]:
        """See ``Transport``."""
        return self._patience.stream(
            lambda deadline: self.stream_once(method, requests, deadline, metadata), timeout
        )

    def unary_once(
        self, method: Method, request: Message, deadline: float, metadata: Metadata = ()
    ) -> Any:
        """One attempt of ``unary``, by the monotonic clock."""
        line = self._lend()
        try:
            return line.call(method)(
                request, timeout=deadline - time.monotonic(), metadata=self._metadata + metadata
            )
        except grpc.RpcError as error:
            raise self.explain(error) from error
        except ValueError as error:
            raise self._gone(error) from error
        finally:
            self._release(line)

    def begin(
        self, method: Method, request: Message, deadline: float, metadata: Metadata = ()
    ) -> Any:
        """One attempt of ``unary`` that is not waited for: a future of gRPC."""
        line = self._lend()
        try:
            future = line.call(method).future(
                request, timeout=deadline - time.monotonic(), metadata=self._metadata + metadata
            )
        except ValueError as error:
            self._release(line)
            raise self._gone(error) from error
        future.add_done_callback(lambda _: self._release(line))
        return future

    def stream_once(
        self, method: Method, requests: Sequence[Message], deadline: float, metadata: Metadata = ()
    ) -> Iterator[Any]:
        """One attempt of ``stream``."""
        line = self._lend()
        answers = None
        try:
            given = iter(requests) if method.client_streaming else requests[0]
            answers = line.call(method)(
                given, timeout=deadline - time.monotonic(), metadata=self._metadata + metadata
            )
            yield from answers
        except grpc.RpcError as error:
            raise self.explain(error) from error
        except ValueError as error:
            raise self._gone(error) from error
        finally:
            if answers is not None:
                answers.cancel()  # where nobody takes the rest
            self._release(line)

    def explain(self, error: grpc.RpcError) -> GramdexError:
        """What a failed call means."""
        if self._closed and error.code() is grpc.StatusCode.CANCELLED:  # here, and not there
            return CancelledError(str(self.address), "closed while it was asked")
        trailing = error.trailing_metadata() or ()
        return read_error(str(self.address), error.code(), error.details() or "", trailing)

    def require_same(self, deadline: float) -> None:
        """Nothing: there is only one."""

    def pinned(self) -> Connection:
        """See ``Transport``."""
        return self

    def close(self) -> None:
        """See ``Transport``."""
        with self._lock:
            self._closed = True
            lines, self._lines = self._lines, []
        if os.getpid() == self._process:
            for line in lines:
                with suppress(grpc.RpcError):
                    line.channel.close()

    def _lend(self) -> Line:
        if os.getpid() != self._process:
            found = "used in a process that was forked from the one that made it"
            remedy = "call gramdex.connect in every process"
            raise UsageError(str(self.address), found, "a connection of this process", remedy)
        with self._lock:
            if self._closed:
                raise self._gone()
            line = min(self._lines, key=lambda each: each.busy, default=None)
            if line is None or (line.busy and len(self._lines) < self._most):
                line = Line(self._open())
                self._lines.append(line)
            line.busy += 1
            return line

    def _gone(self, error: ValueError | None = None) -> Exception:
        """Of a connection that was given up, perhaps as a call began: gRPC says ValueError."""
        if error is not None and not self._closed:
            return error
        return UsageError(str(self.address), "closed", "an open connection", "connect again")

    def _release(self, line: Line) -> None:
        with self._lock:
            line.busy -= 1

    def _open(self) -> grpc.Channel:
        # A proxy of the environment is for what leaves the machine.
        options = _OPTIONS | {"grpc.enable_http_proxy": int(not self.address.loopback)}
        if self._credentials is None:
            return grpc.insecure_channel(self.address.name, tuple(options.items()))
        return grpc.secure_channel(self.address.name, self._credentials, tuple(options.items()))

    def __repr__(self) -> str:
        return f"Connection({self.address})"
