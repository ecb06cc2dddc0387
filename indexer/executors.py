"""Where shards are sorted: in this process, or in worker processes."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol, TypeAlias

from gramdex.errors import WorkerDiedError
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.fmindex.format.manifest import ShardManifest
from gramdex.indexer.finishing import ShardJob, finish_shard

Finish: TypeAlias = Callable[..., ShardManifest]

_PR_SET_PDEATHSIG = 1


class Executor(Protocol):
    """Sorts shards, some at a time."""

    def submit(self, job: ShardJob) -> Iterator[tuple[ShardJob, ShardManifest]]:
        """Start a job, waiting for a place if all are taken; yields jobs that have finished."""
        ...

    def drain(self) -> Iterator[tuple[ShardJob, ShardManifest]]:
        """Wait for all jobs; yields them as they finish."""
        ...

    def close(self) -> None:
        """Stop; jobs that have not finished are given up."""
        ...


class SerialExecutor:
    """Works in this process, one shard after the other.

    Args:
        finish: makes a shard of a job, with so many threads.
    """

    def __init__(self, finish: Finish | None = None) -> None:
        self._finish = finish or finish_shard

    def submit(self, job: ShardJob) -> Iterator[tuple[ShardJob, ShardManifest]]:
        """Sort now."""
        yield job, self._finish(job, usable_cores())

    def drain(self) -> Iterator[tuple[ShardJob, ShardManifest]]:
        """Nothing is left to wait for."""
        yield from ()

    def close(self) -> None:
        """Nothing to stop."""


class ProcessExecutor:
    """Sorts in spawned worker processes.

    One more job than there are workers may wait, so that no worker idles while the next shard is
    being written. Each worker has an equal part of the cores.

    Args:
        workers: number of processes.
        finish: makes a shard of a job, with so many threads; a function of a module.
    """

    def __init__(self, workers: int, finish: Finish | None = None) -> None:
        self._finish = finish or finish_shard
        self._places = workers + 1
        self._threads = max(1, usable_cores() // workers)
        self._pool = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(os.getpid(), self._threads),
        )
        self._running: dict[Future[ShardManifest], ShardJob] = {}

    def submit(self, job: ShardJob) -> Iterator[tuple[ShardJob, ShardManifest]]:
        """Queue a job; waits while all places are taken."""
        while len(self._running) >= self._places:
            yield from self._wait()
        try:
            self._running[self._pool.submit(self._finish, job, self._threads)] = job
        except BrokenProcessPool as error:
            raise self._died() from error

    def drain(self) -> Iterator[tuple[ShardJob, ShardManifest]]:
        """Wait for every queued job."""
        while self._running:
            yield from self._wait()

    def close(self) -> None:
        """Kill the workers; a shard they had not finished is made again by a rerun."""
        processes = list((getattr(self._pool, "_processes", None) or {}).values())
        self._pool.shutdown(wait=not self._running, cancel_futures=True)
        for process in processes:
            with contextlib.suppress(OSError, ValueError):
                process.kill()
                process.join()

    def _wait(self) -> Iterator[tuple[ShardJob, ShardManifest]]:
        for future in wait(self._running, return_when=FIRST_COMPLETED).done:
            job = self._running.pop(future)
            try:
                yield job, future.result()
            except BrokenProcessPool as error:
                raise self._died() from error

    def _died(self) -> WorkerDiedError:
        return WorkerDiedError(
            "worker process",
            "ended while sorting a shard",
            "a finished shard",
            "run the same command again, finished shards are kept; if the system killed it for "
            "want of memory, lower --memory, --workers or --shard-tokens first",
        )


def make_executor(workers: int, finish: Finish | None = None) -> Executor:
    """Workers that finish the shards of a build, or what else is to be made of a job.

    One worker is this process itself.
    """
    return SerialExecutor(finish) if workers == 1 else ProcessExecutor(workers, finish)


def _start_worker(parent: int, threads: int) -> None:
    """Leave Ctrl-C to the parent, end with it even if it is killed, and share the cores."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        prctl: Callable[..., Any] = ctypes.CDLL(None).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
