"""Several servers of one index as one: another answers where one does not, or not in time."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
from google.protobuf.message import Message

from gramdex.errors import (
    DeadlineError,
    GramdexError,
    IndexFileError,
    ServiceError,
    UnavailableError,
    UsageError,
)
from gramdex.rpc import v1
from gramdex.rpc.client.hedging import Hedging
from gramdex.rpc.client.transport import Connection, Metadata, Patience
from gramdex.rpc.methods import METHODS, Method

_ALONE, _LONGEST = 0.5, 30.0
"""Seconds a server is left alone after it failed, doubled each time, and at most."""

_CONNECTING, _COMPARING = 5.0, 1.0
"""Seconds a server has, at most, to say what it serves: at first, and later while a call waits."""

_LOST = UnavailableError, IndexFileError
"""What a server says that another one of the index may not: its files are its own."""

_SAME = ("tokenizer_fingerprint", "vocabulary_size", "token_count", "document_count")
"""What servers of one index agree in."""


class Replica:
    """One of several servers.

    Attributes:
        connection: to it.
        known: it was seen to serve the index of the others.
        failures: calls it failed since it last answered.
        alone_until: by the monotonic clock; before that it is asked only where no other is left.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection, self.known = connection, False
        self.failures, self.alone_until = 0, 0.0

    def failed(self) -> None:
        """Leave it alone for a while."""
        pause = min(_ALONE * 2 ** min(self.failures, 16), _LONGEST)
        self.failures += 1
        self.alone_until = time.monotonic() + pause * random.uniform(0.75, 1)

    def answered(self) -> None:
        """Ask it as any other."""
        self.failures, self.alone_until = 0, 0.0


class Replicas:
    """Several servers of one index.

    A call goes to each in turn. Where it is UNAVAILABLE, or its files are damaged, the next is
    asked, and where an answer takes longer than usual a second server is asked beside it, see
    ``Hedging``: the first answer counts and the other call is cancelled. A server that fails, or
    lets a deadline pass, is left alone for a while and then asked again. Each is compared with the
    others before its first answer counts.

    Args:
        connections: to each.
        patience: where none answers.
    """

    def __init__(self, connections: Sequence[Connection], patience: Patience | None = None) -> None:
        self.replicas = [Replica(each) for each in connections]
        self._patience = patience or Patience()
        self.hedging = Hedging()
        self._turn = 0
        self._lock = threading.Lock()

    def unary(
        self, method: Method, request: Message, timeout: float, metadata: Metadata = ()
    ) -> Any:
        """See ``Transport``."""
        return self._patience.call(
            lambda deadline: _Race(self, method, request, deadline, metadata).run(), timeout
        )

    def stream(
        self,
        method: Method,
        requests: Sequence[Message],
        timeout: float,
        metadata: Metadata = (),
    ) -> Iterator[Any]:
        """See ``Transport``; another server is asked only before the first message came."""
        return self._patience.stream(
            lambda deadline: self._stream_once(method, requests, deadline, metadata), timeout
        )

    def pinned(self) -> Connection:
        """See ``Transport``."""
        replica = next(self.in_turn(time.monotonic() + _LONGEST), None)
        if replica is None:
            raise _none_left(self)
        return replica.connection

    def close(self) -> None:
        """See ``Transport``."""
        for replica in self.replicas:
            replica.connection.close()

    def in_turn(self, deadline: float) -> Iterator[Replica]:
        """Servers to ask, one after the other: those left alone come last, soonest first.

        Raises:
            UsageError: at the end, where one is no server of this index.
        """
        with self._lock:
            self._turn += 1
            turned = self.replicas[self._turn % len(self.replicas) :]
            turned += self.replicas[: self._turn % len(self.replicas)]
        now, refused = time.monotonic(), None
        for replica in sorted(turned, key=lambda each: max(each.alone_until - now, 0.0)):
            try:
                if not replica.known:
                    self._compare(replica, min(deadline, now + _COMPARING))
            except (ServiceError, IndexFileError):
                replica.failed()
            except UsageError as error:
                replica.failed()
                refused = error
            else:
                yield replica
        if refused is not None:
            raise refused

    def spare(self, asked: Sequence[Replica]) -> Replica | None:
        """A server that may be asked beside those that are, if there is one."""
        now = time.monotonic()
        free = (each for each in self.replicas if each.known and each.alone_until <= now)
        return next((each for each in free if each not in asked), None)

    def require_same(self, deadline: float) -> None:
        """Compare all servers that can be reached.

        Raises:
            UsageError: two of them serve different corpora.
            UnavailableError: none can be reached.
        """
        self._patience.call(self._compare_all, deadline - time.monotonic())

    def _compare_all(self, deadline: float) -> None:
        last: GramdexError | None = None
        for replica in self.replicas:
            try:
                self._compare(replica, min(deadline, time.monotonic() + _CONNECTING))
            except (*_LOST, DeadlineError) as error:
                replica.failed()
                last = error
        if last is not None and not any(replica.known for replica in self.replicas):
            raise last

    def _compare(self, replica: Replica, deadline: float) -> None:
        theirs = _info(replica, deadline)
        for other in self.replicas:
            if other is replica or not other.known:
                continue
            try:
                ours = _info(other, deadline)
            except (*_LOST, DeadlineError):
                continue
            for name in _SAME:
                if getattr(theirs, name) != getattr(ours, name):
                    raise UsageError(
                        str(replica.connection.address),
                        f"{name} {getattr(theirs, name)}",
                        f"{getattr(ours, name)}, that of {other.connection.address}",
                        "name servers of one index, or ask them one by one",
                    )
            break
        replica.known = True

    def _stream_once(
        self, method: Method, requests: Sequence[Message], deadline: float, metadata: Metadata
    ) -> Iterator[Any]:
        last: GramdexError | None = None
        for replica in self.in_turn(deadline):
            given = False
            try:
                for message in replica.connection.stream_once(method, requests, deadline, metadata):
                    given = True
                    yield message
            except (*_LOST, DeadlineError) as error:
                replica.failed()
                if given or isinstance(error, DeadlineError):
                    raise
                last = error
            else:
                replica.answered()
                return
        raise last or _none_left(self)

    def __repr__(self) -> str:
        return f"Replicas({' | '.join(str(r.connection.address) for r in self.replicas)})"


class _Race:
    """One call of one method, to one server and perhaps a second."""

    def __init__(
        self, owner: Replicas, method: Method, request: Message, deadline: float, metadata: Metadata
    ) -> None:
        self._owner, self._method, self._request = owner, method, request
        self._deadline, self._metadata = deadline, metadata
        self._ended: queue.SimpleQueue[tuple[Replica, float, Any]] = queue.SimpleQueue()
        self._asked: list[Replica] = []
        self._running: list[Any] = []

    def run(self) -> Any:
        """The first good answer; else the last error, when nothing is under way any more."""
        try:
            return self._run()
        finally:
            for future in self._running:
                future.cancel()

    def _run(self) -> Any:
        delay: float | None = self._owner.hedging.began(self._method.name)
        replicas = self._owner.in_turn(self._deadline)
        last: GramdexError | None = None
        while True:
            if not self._running:
                if last is not None and not isinstance(last, _LOST):
                    raise last
                replica = next((each for each in replicas if each not in self._asked), None)
                if replica is None:
                    raise last or _none_left(self._owner)
                self._begin(replica)
            try:
                ended = self._ended.get(timeout=delay)
            except queue.Empty:
                delay = None
                spare = self._owner.spare(self._asked)
                if spare is not None and self._owner.hedging.may():
                    self._begin(spare)
                continue
            try:
                return self._answer(*ended)
            except UsageError:  # every server would say so
                raise
            except GramdexError as error:
                last = error

    def _begin(self, replica: Replica) -> None:
        started = time.monotonic()
        future = replica.connection.begin(
            self._method, self._request, self._deadline, self._metadata
        )
        self._asked.append(replica)
        self._running.append(future)
        future.add_done_callback(lambda done: self._ended.put((replica, started, done)))

    def _answer(self, replica: Replica, started: float, future: Any) -> Any:
        """Of a call that has ended; raises what it failed with."""
        self._running.remove(future)
        try:
            answer = future.result()
        except grpc.RpcError as failed:
            error = replica.connection.explain(failed)
            if isinstance(error, (*_LOST, DeadlineError)):
                replica.failed()
            raise error from failed
        replica.answered()
        self._owner.hedging.ended(self._method.name, time.monotonic() - started)
        return answer


def _info(replica: Replica, deadline: float) -> v1.GetInfoResponse:
    """Of one server, asked once."""
    return replica.connection.unary_once(METHODS["GetInfo"], v1.GetInfoRequest(), deadline)


def _none_left(replicas: Replicas) -> UnavailableError:
    return UnavailableError(repr(replicas), "none of its servers can be reached", "one of them")
