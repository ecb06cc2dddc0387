"""The service over gRPC: handlers for every method, on a pool of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from gramdex.errors import GramdexError, OverloadedError, UnavailableError
from gramdex.rpc.methods import INDEX, METHODS, PART, Method
from gramdex.rpc.server.overdue import Overdue
from gramdex.rpc.server.pool import CallPool
from gramdex.rpc.server.service import Service
from gramdex.rpc.status import error_metadata, status_of

_GRACE_SECONDS = 1.0
"""That a stream gets beyond the limit, so that its own check for the time comes first."""
_LARGE = 1 << 16
"""Bytes of an answer that connections do not take at once."""


class GrpcCaller:
    """Who asks over gRPC."""

    __slots__ = ("_context",)

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context

    def metadata(self) -> Iterable[tuple[str, str | bytes]]:
        """Names and values."""
        return self._context.invocation_metadata()

    def is_waiting(self) -> bool:
        """Whether the call has been given up."""
        return self._context.is_active()

    def seconds_left(self) -> float | None:
        """Until the client's deadline."""
        return self._context.time_remaining()


def make_server(
    service: Service,
    pool: ThreadPoolExecutor,
    most: int,
    options: dict[str, Any],
) -> grpc.Server:
    """A server that answers; where it listens is for the caller to say.

    Args:
        service: that answers.
        pool: as many calls are at work at a time as it has threads; a ``CallPool`` refuses those
            that have waited too long.
        most: calls at work and waiting; more are refused at once.
        options: of gRPC.
    """
    return grpc.server(
        pool,
        handlers=tuple(_Handlers(name, service, pool) for name in (INDEX, PART)),
        options=tuple(options.items()),
        maximum_concurrent_rpcs=most,
    )


class _Handlers(grpc.ServiceRpcHandler):
    """Without serializers: the service reads and writes bytes, and so names what it cannot read."""

    def __init__(self, name: str, service: Service, pool: ThreadPoolExecutor) -> None:
        self._name, self._service = name, service
        self._pool = pool if isinstance(pool, CallPool) else None
        self._overdue = Overdue(service.limits.seconds + _GRACE_SECONDS)
        methods = [method for method in METHODS.values() if method.service == name]
        self._made = {method.path: self._of(method) for method in methods}
        refusals = ThreadPoolExecutor(1, thread_name_prefix="refusing")
        self._refused = {method.path: _refusing(method, refusals) for method in methods}

    def service_name(self) -> str:
        """As in the proto."""
        return self._name

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler of a method; asked for every call, those too that find no place."""
        if self._pool is not None:
            if self._pool.is_closing:
                return self._refused.get(details.method)
            if details.method in self._made:
                self._pool.refusals.asked()
        return self._made.get(details.method)

    def _admit(self, method: Method) -> None:
        try:
            if self._pool is not None:
                self._pool.require_patience()
        except OverloadedError as error:
            self._service.tell_refused(method, error)
            raise

    def _of(self, method: Method) -> grpc.RpcMethodHandler:
        def one(data: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                self._admit(method)
                answer = self._service.unary(method, data, GrpcCaller(context))
                return self._watched(answer, context)
            except Exception as error:
                return _abort(context, error)

        def stream(data: Iterable[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            return self._stream(method, data, context)

        def stream_of_one(data: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            return self._stream(method, (data,), context)

        if method.client_streaming:
            return _made_of(method, stream)
        return _made_of(method, stream_of_one if method.server_streaming else one)

    def _watched(self, answer: bytes, context: grpc.ServicerContext) -> bytes:
        """An answer; a large one that is not read in time is thrown away."""
        if len(answer) > _LARGE:
            release = self._overdue.watch(context.cancel)
            if not context.add_callback(release):  # it has ended already
                release()
        return answer

    def _stream(
        self, method: Method, data: Iterable[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        try:
            self._admit(method)
            with self._overdue.watching(context.cancel):
                yield from self._service.streaming(method, data, GrpcCaller(context))
        except Exception as error:
            _abort(context, error)


def _made_of(method: Method, behaviour: Callable) -> grpc.RpcMethodHandler:
    if method.client_streaming:
        return grpc.stream_stream_rpc_method_handler(behaviour)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(behaviour)
    return grpc.unary_unary_rpc_method_handler(behaviour)


def _refusing(method: Method, pool: ThreadPoolExecutor) -> grpc.RpcMethodHandler:
    """Sends calls elsewhere, on threads that those which still run do not need."""

    def refuse(data: Any, context: grpc.ServicerContext) -> Any:
        return _abort(context, UnavailableError("this server", "it is going away"))

    refuse.experimental_thread_pool = pool  # type: ignore[attr-defined]
    return _made_of(method, refuse)


def _abort(context: grpc.ServicerContext, error: Exception) -> Any:
    """End the call with the status of an error; an unexpected one is told without its words."""
    if isinstance(error, GramdexError):
        context.set_trailing_metadata(error_metadata(error))
        context.abort(status_of(error), str(error))
    context.abort(status_of(error), f"{type(error).__name__}; the server's log says more")
