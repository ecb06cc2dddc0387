"""What every method of a remote index does: ask, and keep what the answer says beside itself."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from google.protobuf.message import Message

from gramdex.errors import QueryError
from gramdex.fmindex.queries.patterns import as_number
from gramdex.fmindex.tokenizers import Tokenizer
from gramdex.rpc import v1
from gramdex.rpc.client.transport import Metadata, Transport
from gramdex.rpc.coverage import Coverage, read_coverage
from gramdex.rpc.deadline import seconds_of
from gramdex.rpc.methods import METHODS

Asked = TypeVar("Asked", bound="Asking")

_MOST = (1 << 63) - 1


@dataclass(slots=True)
class Known:
    """What is known of what is served; shared by all views of one connection.

    Attributes:
        newest: generation of the newest answer.
        mine: of the newest answer to the thread that asks, as ``generation``.
        found: generation of the newest intervals; 0 for none.
        info: of the server, when it was asked last.
        tokenizers: restored, by fingerprint.
        lock: held while one of these is fetched.
    """

    newest: int = 0
    found: int = 0
    info: v1.GetInfoResponse | None = None
    tokenizers: dict[str, Tokenizer] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    mine: threading.local = field(default_factory=threading.local)

    @property
    def generation(self) -> int:
        """Of the newest answer to this thread; where it has none yet, of the newest at all."""
        return getattr(self.mine, "generation", self.newest)

    def note(self, generation: int) -> None:
        """An answer to this thread came from that generation."""
        self.newest = self.mine.generation = generation


class Asking:
    """Something that is asked over a transport.

    Args:
        transport: to the server, or the servers.
        target: how a person named it.
        timeout: seconds of every call.
    """

    def __init__(self, transport: Transport, target: str, timeout: float) -> None:
        self._transport, self._target, self._timeout = transport, target, timeout
        self._known = Known()
        self._metadata: Metadata = ()
        self._coverages: list[Coverage] | None = None

    def _view(self: Asked, **changed: Any) -> Asked:
        """The same, asked otherwise."""
        view = copy.copy(self)
        view.__dict__.update(changed)
        return view

    def _ask(self, name: str, request: Message) -> Any:
        """The answer of a method; raises a GramdexError."""
        return self._keep(
            self._transport.unary(METHODS[name], request, self._seconds, self._metadata)
        )

    def _stream(self, name: str, *requests: Message) -> Iterator[Any]:
        """The messages of an answer."""
        method = METHODS[name]
        for message in self._transport.stream(method, requests, self._seconds, self._metadata):
            yield self._keep(message)

    @property
    def _seconds(self) -> float:
        """That a call may take: its own, or what is left of the call that it is made for."""
        return seconds_of(self._timeout)

    def _keep(self, answer: Any) -> Any:
        self._known.note(answer.generation)
        if self._coverages is not None and "coverage" in answer.DESCRIPTOR.fields_by_name:
            if answer.HasField("coverage"):
                self._coverages.append(read_coverage(answer.coverage))
            else:
                total = self._info.token_count
                self._coverages.append(Coverage(total, total))
        return answer

    @property
    def _info(self) -> v1.GetInfoResponse:
        """What the server says of itself; asked again when another index is served."""
        known = self._known
        with known.lock:
            if known.info is None or known.info.generation != known.newest:
                request, method = v1.GetInfoRequest(), METHODS["GetInfo"]
                known.info = self._transport.unary(method, request, self._seconds, self._metadata)
                known.note(known.info.generation)
            return known.info

    def _limit(self, name: str, default: int) -> int:
        """A limit of the server, or what stands for it where the server has none of the name."""
        return self._info.limits.get(name, default)


def whole(name: str, value: Any, least: int = 0, none: bool = True) -> int | None:
    """An option that is a number, or None where that may be, as it is sent.

    A number that no field holds is sent as the largest: nothing in a corpus is as many.

    Raises:
        QueryError: it is no whole number, or below ``least``.
    """
    return None if value is None and none else min(as_number(name, value, least), _MOST)


def exact(name: str, value: Any) -> int:
    """A number that is sent as it is; QueryError where that cannot be."""
    number = as_number(name, value)
    if number > _MOST:
        raise QueryError(name, repr(value), f"a whole number up to {_MOST}")
    return number
