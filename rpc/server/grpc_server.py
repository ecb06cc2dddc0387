"""The service over gRPC: handlers for every method, on a pool of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import grpc

from gramdex.errors import GramdexError
from gramdex.rpc.methods import INDEX, METHODS, PART, Method
from gramdex.rpc.server.refusals import Refusals
from gramdex.rpc.server.service import Service
from gramdex.rpc.status import error_metadata, status_of


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
    refusals: Refusals | None = None,
) -> grpc.Server:
    """A server that answers; where it listens is for the caller to say.

    Args:
        service: that answers.
        pool: as many calls are at work at a time as it has threads.
        most: calls at work and waiting; more are refused at once.
        options: of gRPC.
        refusals: that count those refused; a new one, or None.
    """
    refusals = refusals or Refusals()
    handlers = (refusals.handler(_handlers(service, name)) for name in (INDEX, PART))
    return grpc.server(
        refusals.pool(pool),
        handlers=tuple(handlers),
        options=tuple(options.items()),
        maximum_concurrent_rpcs=most,
    )


def _handlers(service: Service, name: str) -> grpc.GenericRpcHandler:
    methods = (method for method in METHODS.values() if method.service == name)
    handlers = {method.name: _handler(service, method) for method in methods}
    return grpc.method_handlers_generic_handler(name, handlers)


def _handler(service: Service, method: Method) -> grpc.RpcMethodHandler:
    """Without serializers: the service reads and writes bytes, and so names what it cannot read."""
    if method.client_streaming:
        return grpc.stream_stream_rpc_method_handler(partial(_stream, service.streaming, method))
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(partial(_stream_of_one, service, method))
    return grpc.unary_unary_rpc_method_handler(partial(_one, service, method))


def _one(service: Service, method: Method, data: bytes, context: grpc.ServicerContext) -> bytes:
    try:
        return service.unary(method, data, GrpcCaller(context))
    except Exception as error:
        return _abort(context, error)


def _stream_of_one(
    service: Service, method: Method, data: bytes, context: grpc.ServicerContext
) -> Iterator[bytes]:
    return _stream(service.streaming, method, (data,), context)


def _stream(
    answer: Callable, method: Method, data: Iterable[bytes], context: grpc.ServicerContext
) -> Iterator[bytes]:
    try:
        yield from answer(method, data, GrpcCaller(context))
    except Exception as error:
        _abort(context, error)


def _abort(context: grpc.ServicerContext, error: Exception) -> Any:
    """End the call with the status of an error; an unexpected one is told without its words."""
    if isinstance(error, GramdexError):
        context.set_trailing_metadata(error_metadata(error))
        context.abort(status_of(error), str(error))
    context.abort(status_of(error), f"{type(error).__name__}; the server's log says more")
