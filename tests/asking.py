"""Asking a service without a network, and servers on loopback with one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np

from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import write_tokens
from gramdex.rpc.methods import METHODS
from gramdex.rpc.server.grpc_server import make_server
from gramdex.rpc.server.service import Service


class Patient:
    """A caller without a token who waits for ever."""

    def metadata(self) -> list[tuple[str, str | bytes]]:
        return []

    def is_waiting(self) -> bool:
        return True

    def seconds_left(self) -> None:
        return None


def ask(service: Service, name: str, request: Any = None, **fields: Any) -> Any:
    """The answer of a method, a list of them where it streams."""
    method = METHODS[name]
    messages = request if isinstance(request, list) else [request or method.request(**fields)]
    data = [each if isinstance(each, bytes) else each.SerializeToString() for each in messages]
    if method.server_streaming:
        answers = service.streaming(method, iter(data), Patient())
        return [method.response.FromString(each) for each in answers]
    return method.response.FromString(service.unary(method, data[0], Patient()))


def as_query(query: Any) -> v1.Query:
    """Ids or a string, as any client would send them."""
    if isinstance(query, str):
        return v1.Query(text=query)
    return v1.Query(tokens=write_tokens(np.asarray(query, np.int64)))


@contextmanager
def loopback(service: Service, threads: int = 4, most: int = 68) -> Iterator[str]:
    """A plain server; its target."""
    with ThreadPoolExecutor(threads) as pool:
        server = make_server(service, pool, most, {"grpc.so_reuseport": 0})
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None).wait()


def call(channel: grpc.Channel, name: str, request: Any, **options: Any) -> Any:
    """The answer of a unary method over a channel."""
    method = METHODS[name]
    data = request if isinstance(request, bytes) else request.SerializeToString()
    return method.response.FromString(channel.unary_unary(method.path)(data, **options))
