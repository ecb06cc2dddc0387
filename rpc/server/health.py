"""Whether the server is ready, for those who send it calls: ``grpc.health.v1`` on its own port.

Its own small server has its own threads, so it answers while all others are at work, and asks for
no token: it tells nothing but whether calls are welcome.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from gramdex.errors import UnavailableError
from gramdex.rpc.methods import INDEX
from gramdex.rpc.server.listening import listen

_THREADS = 2
_OPTIONS = {"grpc.so_reuseport": 0, "grpc.server_handshake_timeout_ms": 10_000}
_STATUS = health_pb2.HealthCheckResponse


class Health:
    """Answers whether this server is ready; not until it is told so.

    Args:
        host, port: where; 0 for a free port.

    Raises:
        UsageError: the port is taken.
    """

    def __init__(self, host: str, port: int) -> None:
        self._servicer = health.HealthServicer()
        self._lock = threading.Lock()
        self._ready = self._ended = False
        self._tell()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="health")
        self._server = grpc.server(self._pool, options=tuple(_OPTIONS.items()))
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, self._server)
        self.port = listen(self._server, "--health-port", host, port, None, shared=False)
        self._server.start()

    @property
    def is_ready(self) -> bool:
        """What is answered now."""
        return self._ready and not self._ended

    def set(self, ready: bool) -> None:
        """Answer this from now on."""
        with self._lock:
            self._ready = ready
            self._tell()

    def end(self) -> None:
        """Not ready, and never again."""
        with self._lock:
            self._ended = True
            self._tell()

    def close(self) -> None:
        """Stop answering."""
        self._server.stop(None).wait()
        self._pool.shutdown()

    def _tell(self) -> None:
        status = _STATUS.SERVING if self.is_ready else _STATUS.NOT_SERVING
        for name in ("", INDEX):
            self._servicer.set(name, status)


def ask_health(target: str, seconds: float) -> bool:
    """Whether a server says that it is ready.

    Args:
        target: host and port of its health service.
        seconds: to wait for the answer.

    Raises:
        UnavailableError: it does not answer.
    """
    options = (("grpc.enable_http_proxy", 0),)
    with grpc.insecure_channel(target, options) as channel:
        try:
            stub = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest(service=INDEX)
            return stub.Check(request, timeout=seconds).status == _STATUS.SERVING
        except grpc.RpcError as error:
            raise UnavailableError(target, f"{error.code().name}: {error.details()}") from error
