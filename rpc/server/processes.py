"""Processes that share the port and the pages of the index, and the one that looks after them.

Each has its own interpreter, so Python runs in as many as there are; the system hands each new
connection to one of them. The supervisor answers no calls: it starts again what died, forwards
signals, and knows whether the whole is ready.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from gramdex.errors import GramdexError, WorkerDiedError
from gramdex.rpc.observing.logs import set_up_logs
from gramdex.rpc.observing.metrics import FOLDER, forget_process, make_shared_folder
from gramdex.rpc.server.answering import Answering
from gramdex.rpc.server.listening import allow_connections, reserve_shared
from gramdex.rpc.server.settings import Settings
from gramdex.rpc.server.signals import Signals, end_with

_LOOK_SECONDS = 0.05
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_STEADY_SECONDS = 60.0
"""After a process that lived so long pauses begin at the first again."""
_END_SECONDS = 5.0
"""That a process gets beyond the grace to end."""

_log = logging.getLogger(__name__)
_spawn = multiprocessing.get_context("spawn")  # gRPC and numba have threads: no forking


class _Worker:
    """One place for a process, and the process in it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: SpawnProcess | None = None
        self.pipe: Connection | None = None
        self.welcome: bool | None = None  # None: it is starting
        self.pause, self.begun, self.due = _FIRST_PAUSE, 0.0, 0.0

    def start(self, settings: Settings, ports: tuple[int, int | None]) -> None:
        """Put a new process into the place."""
        self.pipe, theirs = _spawn.Pipe()
        name = f"gramdex-serve-{self.number}"
        self.process = _spawn.Process(target=_work, args=(settings, ports, theirs), name=name)
        self.process.start()
        theirs.close()
        self.welcome, self.begun = None, time.monotonic()

    def messages(self) -> list[Any]:
        """What the process has said."""
        said = []
        with suppress(EOFError, OSError):
            while self.pipe is not None and self.pipe.poll():
                said.append(self.pipe.recv())
        return said

    def bury(self) -> str:
        """Empty the place; why the process ended."""
        assert self.process is not None
        assert self.pipe is not None
        code = self.process.exitcode or 0
        self.process.join()
        self.pipe.close()
        self.process, self.pipe, self.welcome = None, None, None
        if time.monotonic() - self.begun > _STEADY_SECONDS:
            self.pause = _FIRST_PAUSE
        self.due = time.monotonic() + self.pause
        self.pause = min(2 * self.pause, _LONGEST_PAUSE)
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def send(self, number: int) -> None:
        """Send the process a signal."""
        if self.process is not None and self.process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)


class Supervisor:
    """Looks after the processes of a server.

    Args:
        settings: of the server.

    Raises:
        UsageError: a port is taken.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept = [reserve_shared("--port", settings.host, settings.port)]
        self.port: int = self._kept[0].getsockname()[1]
        self.http_port: int | None = None
        if settings.http_port is not None:
            self._kept.append(reserve_shared("--http-port", settings.host, settings.http_port))
            self.http_port = self._kept[1].getsockname()[1]
        # Read by the library of the processes that are started from now on.
        self._folder = make_shared_folder()
        os.environ[FOLDER] = str(self._folder)
        self._workers = [_Worker(number) for number in range(settings.processes)]
        self._tell: Callable[[bool], None] = lambda ready: None
        self.is_ready = False

    def start(self, tell: Callable[[bool], None]) -> None:
        """Start all; they are ready when ``look`` has seen it.

        Args:
            tell: called with whether calls are welcome.
        """
        self._tell = tell
        for worker in self._workers:
            worker.start(self._settings, (self.port, self.http_port))

    def look(self) -> float:
        """See what has happened to the processes; seconds until it should be called again.

        Raises:
            WorkerDiedError: one ended before all were ready the first time.
            What opening an index raises, the same.
        """
        for worker in self._workers:
            for said in worker.messages():
                if isinstance(said, bool):
                    worker.welcome = said
                elif not self.is_ready:
                    raise said
                else:
                    _log.error("process %d cannot start: %s", worker.number, said)
            if worker.process is None:
                if time.monotonic() >= worker.due:
                    worker.start(self._settings, (self.port, self.http_port))
            elif not worker.process.is_alive():
                self._died(worker)
        self.is_ready = self.is_ready or all(each.welcome for each in self._workers)
        known = [each.welcome for each in self._workers if each.welcome is not None]
        self._tell(self.is_ready and bool(known) and all(known))
        return _LOOK_SECONDS

    def reload(self) -> None:
        """Have all look for a new index."""
        for worker in self._workers:
            if worker.welcome is not None:  # before that the signal would end it
                worker.send(signal.SIGHUP)

    def drain(self) -> bool:
        """Have all finish their calls and end; whether they did in time."""
        end = time.monotonic() + self._settings.grace + _END_SECONDS
        for worker in self._workers:
            worker.send(signal.SIGTERM)
        codes = []
        for worker in self._workers:
            if worker.process is not None:
                worker.process.join(max(0.0, end - time.monotonic()))
                was_asked = worker.process.exitcode == -signal.SIGTERM and worker.welcome is None
                codes.append(0 if was_asked else worker.process.exitcode)
        self.close()  # those that have not
        return not any(code != 0 for code in codes)

    def kill(self) -> None:
        """End all at once, if they have not ended."""
        for worker in self._workers:
            if worker.process is not None:
                worker.process.kill()

    def close(self) -> None:
        """End all, and remove what they shared."""
        self.kill()
        os.environ.pop(FOLDER, None)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _died(self, worker: _Worker) -> None:
        assert worker.process is not None
        pid = worker.process.pid
        why = worker.bury()
        forget_process(pid or 0)
        if not self.is_ready:
            place = f"process {worker.number} of the server"
            raise WorkerDiedError(place, f"{why} while it started", "a process that answers")
        pause = worker.due - time.monotonic()
        said = "process %d (%s) died: %s; started again in %.1f s"
        _log.error(said, worker.number, pid, why, pause)


def _work(settings: Settings, ports: tuple[int, int | None], pipe: Connection) -> None:
    """What a process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; one forwards it
    set_up_logs(settings.log_format)
    allow_connections()
    lock, started = threading.Lock(), False

    def tell(message: object) -> None:
        with suppress(OSError), lock:
            pipe.send(message)

    try:
        answering = Answering(settings, lambda ready: tell(ready) if started else None)
        answering.bind(*ports)
        answering.start()
    except GramdexError as error:
        tell(error)
        sys.exit(error.exit_code)
    with Signals() as signals:
        started = True
        tell(True)
        threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
        while not signals.wait():
            answering.reload()
        sys.exit(end_with(answering.drain()))


def _end_with(pipe: Connection) -> None:
    """End this process when the supervisor is gone."""
    with suppress(EOFError, OSError):
        pipe.recv()
    os.kill(os.getpid(), signal.SIGTERM)
