"""What a server does, as numbers that Prometheus reads.

Whatever a call counts is counted while it ends, on its own thread. What can be looked up at any
time - the queue, the index - is looked up when somebody reads.

Several processes share their numbers through files: ``PROMETHEUS_MULTIPROC_DIR`` names an empty
folder for them, as ``make_shared_folder`` makes it, and has to be set before ``prometheus_client``
is imported. Then any of the processes tells the sums of all; what is looked up is a second old at
most for the others.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prometheus_client as prometheus
from prometheus_client import values
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

import gramdex
from gramdex.errors import IndexFileError, ServiceError, UsageError
from gramdex.rpc.methods import METHODS
from gramdex.rpc.observing.exposition import Processes, without_creation_times
from gramdex.rpc.status import status_of

if TYPE_CHECKING:
    from gramdex.rpc.server.service import Caller, Told
    from gramdex.rpc.server.serving import Served, Serving

try:  # faults of a thread are told by Linux alone
    from resource import RUSAGE_THREAD, getrusage
except ImportError:
    getrusage = None  # type: ignore[assignment]

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = tuple(
    float(f"{step}e{exponent}")
    for exponent in range(-5, 2)
    for step in (1, 1.5, 2, 3, 5, 7.5)
    if float(f"{step}e{exponent}") <= 30
)
"""Seconds, six to a decade: from 10 µs, less than any call takes, to 30 s, the usual limit."""
REFRESH = 1.0
"""Seconds between looking up what other processes are to see."""
_GENERATION_BITS = 48
"""Of a generation, as many as a number of Prometheus holds exactly."""


class _Begun:
    """A call under way: on which thread, and the faults of that thread until now."""

    __slots__ = ("faults", "thread")

    def __init__(self, thread: int, faults: Any) -> None:
        self.thread, self.faults = thread, faults


class _Method:
    """What is counted of one method, looked up once."""

    def __init__(self, metrics: Metrics, name: str) -> None:
        self.seconds = metrics.seconds.labels(name)
        self.request_bytes = metrics.request_bytes.labels(name)
        self.response_bytes = metrics.response_bytes.labels(name)
        self.minor = metrics.faults.labels(name, "minor")
        self.major = metrics.faults.labels(name, "major")
        self._calls, self._name = metrics.calls, name
        self.calls: dict[str, prometheus.Counter] = {}

    def ended(self, code: str) -> prometheus.Counter:
        """The counter of a status."""
        counter = self.calls.get(code)
        if counter is None:
            counter = self.calls[code] = self._calls.labels(self._name, code)
        return counter


class Metrics:
    """An observer of calls that keeps a registry of its own; one for each process.

    Raises:
        UsageError: a folder for several processes is named that is none, or was named after
            ``prometheus_client`` had been imported.
    """

    def __init__(self) -> None:
        self._folder = _shared_folder()
        self._registry = prometheus.CollectorRegistry()
        self._lock = threading.Lock()
        self._under_way: set[_Begun] = set()
        self._pools: list[ThreadPoolExecutor] = []
        self._refusals: list[tuple[Callable[[], int], list[int]]] = []
        self._serving: Serving | None = None
        self._seen: int | None = None  # a generation; an index is to be let go when it is exchanged
        self._is_ready: Callable[[], bool] = lambda: self._seen is not None
        self._count_calls()
        self._look_up()
        self._build.labels(gramdex.__version__).set(1)
        self._methods: dict[str, _Method] = {}
        self._closed = threading.Event()
        if self._folder is not None:
            threading.Thread(target=self._keep_fresh, name="metrics", daemon=True).start()

    def _count_calls(self) -> None:
        """Make what calls count."""
        self.calls = self._counter("calls", "Calls that have ended.", "method", "code")
        self.seconds = prometheus.Histogram(
            "gramdex_call_duration_seconds",
            "From the first byte of a call read to the last of its answer made, failed calls too; "
            "of a streaming call with the time the client took to read.",
            ["method"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self.request_bytes = self._counter("request_bytes", "Bytes of requests.", "method")
        self.response_bytes = self._counter("response_bytes", "Bytes of answers.", "method")
        self.faults = self._counter(
            "page_faults",
            "Page faults of the threads of calls; major ones waited for the disk. Those of threads "
            "that helped with large batches are not among them, nor those of calls that went from "
            "thread to thread, nor any where the system is not Linux.",
            "method",
            "kind",
        )
        self._refused = self._counter(
            "refused_calls", "Calls turned away before they began, because there were too many."
        )
        self._reloads = self._counter("reloads", "Indexes exchanged for another.", "result")
        for result in ("ok", "failed"):
            self._reloads.labels(result)
        for name in METHODS:
            self.calls.labels(name, "OK")

    def _look_up(self) -> None:
        """Make what is looked up."""
        gauge, each = self._gauge, "livesum"
        self._in_flight = gauge("calls_in_flight", "Calls being answered.", each)
        self._queued = gauge("queued_calls", "Calls that wait for a thread.", each)
        self._threads = gauge("pool_threads", "Calls that can be answered at a time.", each)
        self._ready = gauge("ready", "Processes that are ready to answer.", each)
        self._damaged = gauge("index_damaged", "1 where files were found damaged.", "livemax")
        newest = "livemostrecent"
        self._tokens = gauge("index_tokens", "Tokens of the index that is served.", newest)
        self._documents = gauge("index_documents", "Documents of it.", newest)
        self._shards = gauge("index_shards", "Shards of it.", newest)
        self._generation = gauge(
            "index_generation",
            f"The lower {_GENERATION_BITS} bits of its generation; another index has another.",
            newest,
        )
        self._since = gauge(
            "index_served_since_timestamp_seconds", "When it began to be served.", newest
        )
        self._opening = gauge("index_open_seconds", "How long opening it took.", newest)
        self._build = gauge("build_info", "Always 1.", "livemax", "version")

    def _counter(self, name: str, about: str, *labels: str) -> prometheus.Counter:
        return prometheus.Counter(f"gramdex_{name}", about, labels, registry=self._registry)

    def _gauge(self, name: str, about: str, mode: Any, *labels: str) -> prometheus.Gauge:
        return prometheus.Gauge(
            f"gramdex_{name}", about, labels, registry=self._registry, multiprocess_mode=mode
        )

    def began(self, method: str, caller: Caller | None) -> _Begun:
        """A call has come."""
        faults = getrusage(RUSAGE_THREAD) if getrusage is not None else None
        begun = _Begun(threading.get_ident(), faults)
        self._under_way.add(begun)
        return begun

    def ended(self, told: Told, began: _Begun) -> None:
        """It has ended."""
        self._under_way.discard(began)
        method = self._methods.get(told.method)
        if method is None:  # not before it is called: a histogram is forty lines to read
            method = self._methods[told.method] = _Method(self, told.method)
        code = "OK" if told.error is None else status_of(told.error).name
        method.ended(code).inc()
        method.seconds.observe(told.seconds)
        if told.request_bytes:
            method.request_bytes.inc(told.request_bytes)
        if told.response_bytes:
            method.response_bytes.inc(told.response_bytes)
        if began.faults is not None and began.thread == threading.get_ident():
            now = getrusage(RUSAGE_THREAD)
            if now.ru_minflt != began.faults.ru_minflt:
                method.minor.inc(now.ru_minflt - began.faults.ru_minflt)
            if now.ru_majflt != began.faults.ru_majflt:
                method.major.inc(now.ru_majflt - began.faults.ru_majflt)

    def watch_pool(self, pool: ThreadPoolExecutor) -> None:
        """Tell how many threads a pool has, and how many calls wait for one; several add up."""
        with self._lock:
            self._pools.append(pool)

    def watch_refusals(self, count: Callable[[], int]) -> None:
        """Tell what a gRPC server turns away, by what counts it; several add up."""
        with self._lock:
            self._refusals.append((count, [0]))

    def watch_serving(self, serving: Serving, seconds: float | None = None) -> None:
        """Tell what is served.

        Args:
            serving: of the service.
            seconds: that opening the index took, where it is open.
        """
        self._serving = serving
        if seconds is not None:
            self._opening.set(seconds)
        self._refresh()

    def watch_ready(self, is_ready: Callable[[], bool]) -> None:
        """Tell whether this process is ready; without it, it is when there is an index."""
        self._is_ready = is_ready

    def refused(self) -> None:
        """A call was turned away before it began."""
        self._refused.inc()

    def reloaded(self, ok: bool, seconds: float | None = None) -> None:
        """The index was exchanged for another, or that failed.

        Args:
            ok: it was.
            seconds: that opening the new one took.
        """
        self._reloads.labels("ok" if ok else "failed").inc()
        if ok and seconds is not None:
            self._opening.set(seconds)
        self._refresh()

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The numbers, and the type of their format.

        Args:
            accept: the header of that name, by which OpenMetrics is given to who asks for it.
        """
        self._refresh()
        encode, content_type = choose_encoder(accept)
        registry = prometheus.CollectorRegistry()
        if self._folder is None:
            registry.register(without_creation_times(self._registry))
            prometheus.ProcessCollector(registry=registry)
        else:
            MultiProcessCollector(registry, str(self._folder))
            registry.register(Processes(self._folder))
        return encode(registry), content_type

    def close(self) -> None:
        """Look nothing up any more."""
        self._closed.set()

    def _keep_fresh(self) -> None:
        while not self._closed.wait(REFRESH):
            self._refresh()

    def _refresh(self) -> None:
        """Look everything up."""
        with self._lock:
            self._in_flight.set(len(self._under_way))
            self._queued.set(sum(pool._work_queue.qsize() for pool in self._pools))
            self._threads.set(sum(pool._max_workers for pool in self._pools))
            for count, told in self._refusals:
                refused = max(count(), told[0])
                self._refused.inc(refused - told[0])
                told[0] = refused
            self._look_at(None if self._serving is None else self._serving.now)
            self._ready.set(self._is_ready())

    def _look_at(self, served: Served | None) -> None:
        """An index of other servers may not be there to be asked: it is next time."""
        if served is None:
            return
        with suppress(ServiceError):
            if served.generation != self._seen:
                self._look_into(served)
        try:
            served.require_undamaged()
            self._damaged.set(0)
        except IndexFileError:
            self._damaged.set(1)

    def _look_into(self, served: Served) -> None:
        index = served.index
        self._tokens.set(index.token_count)
        self._documents.set(index.document_count)
        self._shards.set(len(index.shards))
        self._generation.set(served.generation & ((1 << _GENERATION_BITS) - 1))
        self._since.set(time.time())
        self._seen = served.generation


def make_shared_folder() -> Path:
    """A folder for several processes, in memory where there is room for files in memory.

    A call writes to half a dozen places in it, which takes twice the time on a disk. It is for who
    asks for it to remove, when the last process has ended.
    """
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="gramdex-metrics-", dir=place))


def forget_process(pid: int) -> None:
    """Leave out what a process that has ended had under way; what it has counted stays.

    To be called by whoever started the process, with the environment it was started with.
    """
    with suppress(FileNotFoundError):
        mark_process_dead(pid)


def _shared_folder() -> Path | None:
    """The folder that processes share, if they are several."""
    shares = getattr(values.ValueClass, "_multiprocess", False)
    folder = os.environ.get(FOLDER, "")
    if not shares and not folder:
        return None
    if not Path(folder).is_dir():
        raise UsageError(FOLDER, repr(folder), "an empty folder")
    if not shares:
        remedy = "set it before the process starts"
        raise UsageError(FOLDER, "set after prometheus_client was imported", remedy=remedy)
    return Path(folder)
