"""The way of a call from its bytes to the bytes of its answer, whichever server it came in by.

Who asks is checked, the request read, the answer made while deadline and client are watched, the
index checked for damage that showed meanwhile, and everything told to the observer.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from google.protobuf.message import DecodeError, Message

from gramdex.errors import (
    CancelledError,
    DeadlineError,
    GramdexError,
    LimitError,
    UsageError,
)
from gramdex.fmindex.engines.stopping import bounded, stoppable
from gramdex.rpc.coverage import PARTIAL, write_coverage
from gramdex.rpc.deadline import ending
from gramdex.rpc.limits import Limits
from gramdex.rpc.messages.malformed import explain
from gramdex.rpc.methods import Method
from gramdex.rpc.router.coverage import Leave, partial_answers
from gramdex.rpc.server.access import Access
from gramdex.rpc.server.answers import ANSWERS
from gramdex.rpc.server.call import Call
from gramdex.rpc.server.serving import Served, Serving

_BODY = "body"
"""What errors are about that are about a request as a whole."""


class Caller(Protocol):
    """Who asks, however the call came in."""

    def metadata(self) -> Iterable[tuple[str, str | bytes]]:
        """Names in lower case, and values."""
        ...

    def is_waiting(self) -> bool:
        """Whether anybody still wants the answer."""
        ...

    def seconds_left(self) -> float | None:
        """Until the deadline; None where there is none."""
        ...


@dataclass(slots=True)
class Told:
    """What is known of a call when it has ended.

    Attributes:
        method: its name.
        seconds: from the first byte read to the last made.
        request_bytes, response_bytes: of all messages.
        request_hash: of the bytes of the first message; the request itself is told nowhere.
        error: that it ended with.
        user: name of the token it came with.
    """

    method: str
    seconds: float = 0.0
    request_bytes: int = 0
    response_bytes: int = 0
    request: bytes = b""
    error: BaseException | None = None
    user: str = ""

    @property
    def request_hash(self) -> str:
        """A short hash by which equal requests are known, and no more."""
        return hashlib.blake2b(self.request, digest_size=8).hexdigest()


class Observer(Protocol):
    """Who is told of calls."""

    def began(self, method: str, caller: Caller | None) -> Any:
        """A call has come; what is returned is handed back at its end."""
        ...

    def ended(self, told: Told, began: Any) -> None:
        """It has ended."""
        ...


@dataclass
class Service:
    """What answers.

    Attributes:
        serving: the index that is served now.
        limits: of each call.
        access: who may ask.
        observers: that are told of every call.
        serves_documents: texts of the corpus may be given out.
    """

    serving: Serving
    limits: Limits = field(default_factory=Limits)
    access: Access = field(default_factory=Access)
    observers: tuple[Observer, ...] = ()
    serves_documents: bool = True

    def unary(self, method: Method, data: bytes | Callable[[], bytes], caller: Caller) -> bytes:
        """The answer of a method with one message each way; raises a GramdexError.

        What only becomes a message, ``data()``, is asked for when the caller has been let in.
        """
        with _Telling(self.observers, method, caller) as told:
            told.user = self.access.check(caller.metadata())
            data = data() if callable(data) else data
            told.request, told.request_bytes = data, len(data)
            stop = Waiting(caller, self.limits.seconds)
            request = _parse(method, data, self.limits)
            with self.serving.lease() as served:
                call = Call(served.index, self.limits, self.serves_documents, stop)
                leave = leave_of(served, caller)
                with self._work(served, stop, leave):
                    message = ANSWERS[method.name](call, request)
                message.generation = served.generation
                return self._pack(message, served, leave, told)

    def streaming(self, method: Method, data: Iterable[bytes], caller: Caller) -> Iterator[bytes]:
        """The answers of a method that streams, one way or both; raises a GramdexError."""
        with _Telling(self.observers, method, caller) as told:
            told.user = self.access.check(caller.metadata())
            stop = Waiting(caller, self.limits.seconds)
            requests = _read(method, data, told, stop, self.limits)
            request = requests if method.client_streaming else next(requests)
            with self.serving.lease() as served:
                call = Call(served.index, self.limits, self.serves_documents, stop)
                leave = leave_of(served, caller)
                answers: Iterator[Any] | None = None
                generation: int | None = None  # a router's is known to the thread it answered
                while True:
                    with self._work(served, stop, leave):  # not while others take what was made
                        stop()
                        # Not every answer waits for the first message to be asked for.
                        answers = answers or iter(ANSWERS[method.name](call, request))
                        message = next(answers, None)
                    if message is None:
                        return
                    message.generation = generation = generation or served.generation
                    yield self._pack(message, served, leave, told)

    def tell_refused(self, method: Method, error: GramdexError) -> None:
        """Tell the observers of a call that was not let in."""
        with suppress(type(error)), _Telling(self.observers, method):
            raise error

    @contextmanager
    def _work(self, served: Served, stop: Waiting, leave: Leave | None) -> Iterator[None]:
        """What is done may be stopped, is bounded, and may leave out members of a router.

        Members are told how much of its time is left. Where files were damaged meanwhile, that is
        told and not whatever error came of it.
        """
        try:
            with stoppable(stop), bounded(self.limits.located, self.limits.extracted):
                if not served.is_routed:
                    yield
                else:
                    allowed = nullcontext() if leave is None else partial_answers(leave)
                    with ending(stop.end), allowed:
                        yield
        except BaseException:
            served.require_undamaged()
            raise

    def _pack(self, message: Any, served: Served, leave: Leave | None, told: Told) -> bytes:
        """The bytes of an answer, if nothing they come from was damaged."""
        if leave is not None and "coverage" in message.DESCRIPTOR.fields_by_name:
            message.coverage.CopyFrom(write_coverage(leave.coverage))
        part = message.SerializeToString()
        told.response_bytes += len(part)
        self.limits.check("response_bytes", "the answer", told.response_bytes)
        served.require_undamaged()
        return part


def leave_of(served: Served, caller: Caller) -> Leave | None:
    """What notes members that are left out, where there are members and the caller allows it."""
    return Leave() if served.is_routed and PARTIAL in caller.metadata() else None


class _Telling:
    """Tells observers when a call begins and ends, and its error as it is told."""

    __slots__ = ("_began", "_method", "_observers", "_start", "told")

    def __init__(
        self, observers: Sequence[Observer], method: Method, caller: Caller | None = None
    ) -> None:
        self._observers, self._method = observers, method
        self.told = Told(method.name)
        self._began = [each.began(method.name, caller) for each in observers]
        self._start = time.perf_counter()

    def __enter__(self) -> Told:
        return self.told

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        told = self.told
        told.seconds = time.perf_counter() - self._start
        if error is not None:
            told.error = error = _as_told(self._method, error)
        for observer, began in zip(self._observers, self._began, strict=True):
            observer.ended(told, began)
        if error is not None and kind is not GeneratorExit:
            raise error


def _parse(method: Method, data: bytes, limits: Limits) -> Message:
    limits.check("request_bytes", "the request", len(data))
    try:
        return method.request.FromString(data)
    except DecodeError as error:
        raise explain(method.request, data, error) from error


def _read(
    method: Method, data: Iterable[bytes], told: Told, stop: Callable[[], None], limits: Limits
) -> Iterator[Message]:
    for part in data:
        stop()
        told.request = told.request or part
        told.request_bytes += len(part)
        yield _parse(method, part, limits)


class Waiting:
    """Raises, when it is called, if an answer is not waited for any more or has taken its time.

    Args:
        caller: who waits.
        seconds: that an answer may take, however long the caller waits.

    Attributes:
        end: of the answer's time, by the monotonic clock.
    """

    __slots__ = ("_caller", "_left", "_seconds", "end")

    def __init__(self, caller: Caller, seconds: int) -> None:
        self._caller, self._seconds, self._left = caller, seconds, caller.seconds_left()
        self.end = time.monotonic() + min(seconds, seconds if self._left is None else self._left)

    def __call__(self) -> None:
        """Raises CancelledError or DeadlineError."""
        if not self._caller.is_waiting():
            raise CancelledError("the call", "nobody waits for its answer")
        if time.monotonic() <= self.end:
            return
        if self._left is not None and self._left < self._seconds:
            expected = f"an answer in {self._left:.3g} s"
            raise DeadlineError("the call", "its deadline has passed", expected)
        expected = f"at most {self._seconds}, the limit seconds"
        raise DeadlineError("the call", f"{self._seconds} seconds and no answer", expected)


def _as_told(method: Method, error: BaseException) -> BaseException:
    """An error as it is told: of a field of the request, if that is wrong."""
    if isinstance(error, GeneratorExit):
        return CancelledError("the call", "nobody waits for its answer")
    if isinstance(error, UsageError) and not isinstance(error, LimitError):
        name = error.thing.partition(".")[0].partition("[")[0].partition(":")[0]
        if name != _BODY and name not in method.request.DESCRIPTOR.fields_by_name:
            thing = f"{method.subject}: {error.thing}"
            return type(error)(thing, error.found, error.expected, error.remedy)
    return error
