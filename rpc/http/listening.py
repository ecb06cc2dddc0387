"""An HTTP server beside others in one process: uvicorn on a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gramdex.errors import UnavailableError
from gramdex.rpc.http.app import App

_HEAD_BYTES = 1 << 16
_STUCK_SECONDS = 30
_START_SECONDS = 30
_PAUSE = 0.005


class _Protocol(H11Protocol):
    """Closes connections on which no whole request comes, or whose answer is not taken.

    uvicorn begins to count when a request has been answered, and leaves off at the next byte.
    """

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._idle_at: Any = None
        self._look_again()
        if len(self.connections) > 2 * (self.limit_concurrency or sys.maxsize):
            transport.abort()  # before the process has no descriptors left for others

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def _look_again(self) -> None:
        self._timer = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _look(self) -> None:
        busy = self.cycle is not None and not self.cycle.response_complete
        stuck = self.transport.is_closing()  # what was written before is not taken
        if stuck or (not busy and self.cycle is self._idle_at):
            self.transport.abort()
            return
        self._idle_at = self if busy else self.cycle
        self._look_again()


class HttpServer:
    """Serves an application until it is stopped.

    Args:
        app: of ``make_app``.
        sockets: bound, not yet listening.
        connections: open at a time; whoever comes then is told 503, and cut off where there are
            twice as many.
        tls: certificate and key, None for plain HTTP.
        idle_seconds: after which a connection without a request is closed.
    """

    def __init__(
        self,
        app: App,
        sockets: Sequence[socket.socket],
        connections: int = 1_000,
        tls: ssl.SSLContext | None = None,
        idle_seconds: int = 30,
    ) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=connections,
            timeout_keep_alive=idle_seconds,
            h11_max_incomplete_event_size=_HEAD_BYTES,
        )
        config.load()
        config.ssl = tls
        self._server: Any = uvicorn.Server(config)
        self._sockets = list(sockets)
        for each in self._sockets:
            _set_options(each)
        self._thread = threading.Thread(target=self._run, name="gramdex-http", daemon=True)

    @property
    def ports(self) -> list[int]:
        """Where it listens."""
        return [each.getsockname()[1] for each in self._sockets]

    def start(self) -> None:
        """Begin to answer.

        Raises:
            UnavailableError: it does not come up.
        """
        self._thread.start()
        end = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise UnavailableError("the HTTP server", "it did not start", "a free socket")
            time.sleep(_PAUSE)

    def begin_drain(self, grace: float) -> None:
        """Take no more connections; calls that go on have so many seconds."""
        self._server.config.timeout_graceful_shutdown = grace
        self._server.should_exit = True

    def wait(self, seconds: float) -> bool:
        """Whether it has ended in so many seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self, grace: float) -> None:
        """Take no more calls, and wait so many seconds for those that go on."""
        self.begin_drain(grace)
        self.wait(grace + _START_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=self._sockets))


def _set_options(listening: socket.socket) -> None:
    """Have every connection give up what is not taken for half a minute."""
    # Without it a body waits 40 ms for its head to be acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1_000 * _STUCK_SECONDS)
