"""The part of a server that answers: index, gRPC and HTTP; there is one in every process."""

from __future__ import annotations

import gc
import logging
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gramdex.fmindex.format.mappings import guard_mappings
from gramdex.rpc.observing.logs import CallLog
from gramdex.rpc.observing.metrics import Metrics
from gramdex.rpc.observing.tracing import tracing
from gramdex.rpc.server.access import Access
from gramdex.rpc.server.certificates import Certificates
from gramdex.rpc.server.grpc_server import make_server
from gramdex.rpc.server.listening import listen, options_of, reserve
from gramdex.rpc.server.opening import open_served, warm
from gramdex.rpc.server.pool import CallPool
from gramdex.rpc.server.reflecting import reflect
from gramdex.rpc.server.reloading import Reloader, identity_of
from gramdex.rpc.server.service import Observer, Service
from gramdex.rpc.server.serving import Serving
from gramdex.rpc.server.settings import Settings

if TYPE_CHECKING:
    from gramdex.errors import IndexFileError
    from gramdex.fmindex.index import Index
    from gramdex.rpc.http.listening import HttpServer

_FAREWELL_SECONDS = 0.2
"""That clients have to go elsewhere."""
_LAST_SECONDS = 5.0
"""That gRPC gets to send what is left."""

_log = logging.getLogger(__name__)


def observers_of(settings: Settings) -> tuple[Observer, ...]:
    """Who is told of calls, besides metrics and log."""
    return tracing()


class Answering:
    """Opens what is served and answers until it is drained.

    Args:
        settings: of the server.
        tell: called with whether calls are welcome, whenever that changes.
    """

    def __init__(self, settings: Settings, tell: Callable[[bool], None]) -> None:
        self._settings, self._tell = settings, tell
        self._metrics = Metrics()
        self._call_log = CallLog(settings.log_calls)
        own: tuple[Observer, ...] = (self._metrics, self._call_log)
        self._certificates: Certificates | None = None
        if settings.tls_cert is not None and settings.tls_key is not None:
            self._certificates = Certificates(
                settings.tls_cert, settings.tls_key, settings.client_ca
            )
        self._serving = Serving(tell_damage=self._found_damaged)
        self._service = Service(
            self._serving,
            settings.limits,
            Access(dict(settings.tokens)),
            own + observers_of(settings),
            settings.serves_documents,
        )
        self._pool = CallPool(settings.pool_threads)
        self._watch()
        most = settings.pool_threads + settings.pool_queue
        self._server = make_server(self._service, self._pool, most, options_of(settings))
        if not settings.tokens and settings.client_ca is None:
            reflect(self._server)
        self._paths = (*settings.indexes, *settings.takedown)
        self._http: HttpServer | None = None
        self._grpc_socket: socket.socket | None = None
        self._http_socket: socket.socket | None = None
        self._reloader: Reloader | None = None
        self._draining = False
        self._opening_seconds = 0.0

    def _watch(self) -> None:
        """Have metrics look at what is told to no observer."""
        self._metrics.watch_pool(self._pool)
        self._metrics.watch_refusals(lambda: self._pool.refusals.count)
        self._metrics.watch_ready(self._is_ready)

    def bind(self, port: int, http_port: int | None) -> tuple[int, int | None]:
        """Take ports, and say which; connections are refused before ``start``.

        A connection that was taken and not answered would keep clients from asking elsewhere.

        Raises:
            UsageError: one is taken.
        """
        host, shared = self._settings.host, self._settings.processes > 1
        if http_port is not None:
            self._http_socket = reserve("--http-port", host, http_port, shared)
            http_port = self._http_socket.getsockname()[1]
        self._grpc_socket = reserve("--port", host, port, shared)
        return self._grpc_socket.getsockname()[1], http_port

    def start(self) -> None:
        """Open and ask the index, then accept calls.

        Raises:
            What opening an index raises.
            UsageError: a port was taken meanwhile.
        """
        identity = identity_of(self._paths)
        guard_mappings()
        self._serving.exchange(self._make())
        self._metrics.watch_serving(self._serving, self._opening_seconds)
        gc.collect()
        gc.freeze()  # what is there now stays, and need not be looked through again
        self._listen()
        self._server.start()
        if self._http_socket is not None:
            self._http = self._make_http(self._http_socket)
            self._http.start()
        self._reloader = Reloader(
            self._serving,
            self._paths,
            identity,
            self._make,
            self._settings.reload_seconds,
            self._reloaded,
            None if self._certificates is None else self._certificates.look,
        )
        self._tell(True)

    def _listen(self) -> None:
        """Have gRPC listen at the port that is kept for it."""
        assert self._grpc_socket is not None
        host, shared = self._settings.host, self._settings.processes > 1
        credentials = self._certificates and self._certificates.credentials()
        with self._grpc_socket as kept:
            port = kept.getsockname()[1]
            listen(self._server, "--port", host, port, credentials, shared)

    def reload(self) -> None:
        """Open the index anew, in the background."""
        if self._reloader is not None:
            self._reloader.look_now()

    def drain(self) -> bool:
        """Accept no more calls and wait for those that run; whether all have ended in time."""
        self._draining = True
        self._tell(False)
        if self._reloader is not None:
            self._reloader.close()
        end = time.monotonic() + self._settings.grace
        if self._http is not None:
            self._http.begin_drain(self._settings.grace)
        # New calls are told that this server goes away, so that none waits unread when it does.
        ended = self._pool.finish(self._settings.grace)
        time.sleep(min(_FAREWELL_SECONDS, max(0.0, end - time.monotonic())))
        left = max(0.0, end - time.monotonic())
        ended = self._server.stop(left).wait(left + _LAST_SECONDS) and ended
        if self._http is not None:
            ended = self._http.wait(max(0.0, end - time.monotonic())) and ended
        self._call_log.flush()
        self._metrics.close()
        return ended

    def _make(self) -> Index:
        started = time.monotonic()
        index = open_served(self._settings)
        warm(index)
        self._opening_seconds = time.monotonic() - started
        return index

    def _make_http(self, bound: socket.socket) -> HttpServer:
        from gramdex.rpc.http.app import LOOPBACK, make_app
        from gramdex.rpc.http.listening import HttpServer

        # Beyond the loopback whoever asks must show a token or a certificate, or anybody may.
        hosts = (*LOOPBACK, self._settings.host) if self._settings.is_loopback else None
        app = make_app(self._service, self._metrics.render, self._is_ready, hosts=hosts)
        tls = None if self._certificates is None else self._certificates.renewing_context()
        return HttpServer(app, [bound], tls=tls)

    def _is_ready(self) -> bool:
        return not (self._draining or self._serving.now is None or self._serving.is_damaged)

    def _found_damaged(self, error: IndexFileError) -> None:
        _log.critical("the index is damaged, send calls elsewhere and mend it: %s", error)
        self._tell(False)

    def _reloaded(self, error: Exception | None) -> None:
        self._metrics.reloaded(error is None, self._opening_seconds)
        if error is None and not self._draining:
            self._tell(True)
