"""Letting tools ask which methods there are, without taking threads from those who call them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from gramdex.rpc.methods import INDEX, PART
from gramdex.rpc.server.overdue import Overdue

_SECONDS = 10


class _Reflection(reflection.ReflectionServicer):
    def __init__(self) -> None:
        super().__init__((INDEX, PART, reflection.SERVICE_NAME))
        self._overdue = Overdue(_SECONDS)

    def ServerReflectionInfo(
        self, requests: Iterable[Any], context: grpc.ServicerContext
    ) -> Iterator[Any]:
        """Answers until the client ends the stream, or its time is over."""
        with self._overdue.watching(context.cancel):
            yield from super().ServerReflectionInfo(requests, context)


def reflect(server: grpc.Server) -> None:
    """Answer what there is to call."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="reflection")
    _Reflection.ServerReflectionInfo.experimental_thread_pool = pool  # type: ignore[attr-defined]
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(_Reflection(), server)
