"""Page, JSON gateway and metrics over HTTP: the app of ``rpc/http/`` in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn

from gramdex.errors import UnavailableError
from gramdex.rpc.server.certificates import Certificates
from gramdex.rpc.server.service import Service
from gramdex.rpc.server.settings import Settings

_START_SECONDS = 10
_HEADER_BYTES = 64 << 10
_CONNECTIONS = 1_000


def make_http_app(
    service: Service, metrics: Callable[[], tuple[bytes, str]] | None, is_ready: Callable[[], bool]
) -> Any:
    """The ASGI app that answers."""
    from gramdex.rpc.http.app import make_app

    return make_app(service, metrics=metrics, is_ready=is_ready)


class HttpServer:
    """Runs an app.

    Args:
        app: ASGI.
        listening: socket that is bound; closed at the end.
        settings: of the server.
        certificates: those of gRPC, or None.
    """

    def __init__(
        self,
        app: Any,
        listening: socket.socket,
        settings: Settings,
        certificates: Certificates | None,
    ) -> None:
        self._socket = listening
        self.port: int = listening.getsockname()[1]
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # who asks is who connects, whatever a header says
            h11_max_incomplete_event_size=_HEADER_BYTES,
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=max(1, round(settings.grace)),
        )
        config.load()
        if certificates is not None:
            config.ssl = certificates.renewing_context()
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Listen.

        Raises:
            UnavailableError: it did not begin to.
        """
        self._thread.start()
        waited = threading.Event()
        for _ in range(100 * _START_SECONDS):
            if self._server.started:
                return
            waited.wait(0.01)
        raise UnavailableError("--http-port", f"{self.port} does not answer", "a page")

    def begin_drain(self) -> None:
        """Accept no more connections; requests that run go on."""
        self._server.should_exit = True

    def wait(self, seconds: float) -> bool:
        """Whether all requests have ended in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._server.run([self._socket])
