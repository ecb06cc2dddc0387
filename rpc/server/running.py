"""A server from start to end."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from gramdex.rpc.observing.logs import set_up_logs
from gramdex.rpc.server.answering import Answering
from gramdex.rpc.server.health import Health
from gramdex.rpc.server.listening import allow_connections
from gramdex.rpc.server.processes import Supervisor
from gramdex.rpc.server.settings import Settings
from gramdex.rpc.server.signals import Signals, end_with

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Started:
    """A server that answers.

    Attributes:
        host, port: of gRPC.
        health_port: of the health service.
        http_port: of page, JSON and metrics; None for none.
        pid: of the process that takes signals.
        processes: that answer.
    """

    host: str
    port: int
    health_port: int
    http_port: int | None
    pid: int
    processes: int


def serve(settings: Settings, announce: Callable[[Started], None]) -> int:
    """Serve until a signal ends it.

    Args:
        settings: how.
        announce: called when calls are welcome.

    Returns:
        The exit code, 0; where calls were cut off, the process ends here, with 1.

    Raises:
        UsageError: a port is taken, or certificates are no good.
        WorkerDiedError: a process ended while it started.
        What opening an index raises.
    """
    set_up_logs(settings.log_format)
    allow_connections()
    run = _serve_by_many if settings.processes > 1 else _serve_alone
    return run(settings, announce)


def _serve_alone(settings: Settings, announce: Callable[[Started], None]) -> int:
    health: Health | None = None

    def tell(ready: bool) -> None:
        if health is not None:
            health.set(ready)

    answering = Answering(settings, tell)
    port, http_port = answering.bind(settings.port, settings.http_port)
    health = Health(settings.host, settings.health_address_port)
    try:
        answering.start()  # a signal ends the process here: nothing is to be lost yet
        with Signals() as signals:
            announce(_started(settings, port, health.port, http_port))
            while not signals.wait():
                answering.reload()
            _log.info("ending; running calls have %g s", settings.grace)
            health.end()
            return end_with(answering.drain())
    finally:
        health.close()


def _serve_by_many(settings: Settings, announce: Callable[[Started], None]) -> int:
    with (
        closing(Supervisor(settings)) as supervisor,
        closing(Health(settings.host, settings.health_address_port)) as health,
        Signals(supervisor.close) as signals,
    ):
        supervisor.start(health.set)
        announced = False
        while True:
            came = signals.wait(supervisor.look())
            if came:
                break
            if came is False:
                supervisor.reload()
            if supervisor.is_ready and not announced:
                ports = supervisor.port, health.port, supervisor.http_port
                announce(_started(settings, *ports))
                announced = True
        _log.info("ending; running calls have %g s", settings.grace)
        health.end()
        return end_with(supervisor.drain())


def _started(settings: Settings, port: int, health_port: int, http_port: int | None) -> Started:
    return Started(settings.host, port, health_port, http_port, os.getpid(), settings.processes)
