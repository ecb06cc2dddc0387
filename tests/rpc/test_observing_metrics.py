"""Metrics: the numbers of a real server are those of the calls that were made."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc
import pytest
from observing import metrics_server, read, serve_index, small_index, value, watched

import gramdex
from gramdex.errors import CorruptIndexError, UnavailableError
from gramdex.rpc import v1
from gramdex.rpc.methods import METHODS
from gramdex.rpc.observing import metrics as metrics_module
from gramdex.rpc.observing.metrics import BUCKETS, Metrics, make_shared_folder
from gramdex.rpc.server.access import Access
from gramdex.rpc.server.service import Service, Told
from gramdex.rpc.server.serving import Served, Serving

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> gramdex.Index:
    return small_index(tmp_path_factory.mktemp("index"))


def scrape(metrics: Metrics) -> dict[Any, float]:
    return read(metrics.render()[0])


def test_numbers_are_those_of_the_calls_made(index: gramdex.Index) -> None:
    metrics = Metrics()
    with watched(serve_index(index, metrics)) as server:
        metrics.watch_serving(server.service.serving)
        request = v1.CountRequest(query=v1.Query(text="ana"))
        sent = received = 0
        for _ in range(5):
            (answer,) = server.call("Count", request)
            assert v1.CountResponse.FromString(answer).count == 3
            sent, received = sent + request.ByteSize(), received + len(answer)
        with pytest.raises(grpc.RpcError):
            server.call("Count")
        found = server.call("Documents", v1.DocumentsRequest(query=v1.Query(text="an")))
    samples = scrape(metrics)
    assert value(samples, "gramdex_calls_total", method="Count", code="OK") == 5
    assert value(samples, "gramdex_calls_total", method="Count", code="INVALID_ARGUMENT") == 1
    assert value(samples, "gramdex_calls_total", method="Documents", code="OK") == 1
    assert value(samples, "gramdex_request_bytes_total", method="Count") == sent
    assert value(samples, "gramdex_response_bytes_total", method="Count") == received
    assert value(samples, "gramdex_response_bytes_total", method="Documents") == sum(
        map(len, found)
    )
    assert value(samples, "gramdex_call_duration_seconds_count", method="Count") == 6
    assert value(samples, "gramdex_call_duration_seconds_bucket", method="Count", le="+Inf") == 6
    assert 0 < value(samples, "gramdex_call_duration_seconds_sum", method="Count") < 30
    assert value(samples, "gramdex_calls_in_flight") == 0
    assert value(samples, "gramdex_index_tokens") == index.token_count
    assert value(samples, "gramdex_index_documents") == 2
    assert value(samples, "gramdex_index_shards") == 1
    assert value(samples, "gramdex_index_generation") == index.generation % (1 << 48)
    assert value(samples, "gramdex_ready") == 1
    assert value(samples, "gramdex_index_damaged") == 0
    assert value(samples, "gramdex_build_info", version=gramdex.__version__) == 1
    assert value(samples, "process_resident_memory_bytes") > 1e6 or sys.platform != "linux"


def test_every_method_is_there_before_it_is_called() -> None:
    samples = scrape(Metrics())
    for name in METHODS:
        assert ("gramdex_calls_total", frozenset({("method", name), ("code", "OK")})) in samples
    assert not [name for name, _ in samples if name.endswith("_created")]


def test_counts_are_exact_under_many_threads() -> None:
    metrics, threads, calls = Metrics(), 16, 400
    codes = [None, UnavailableError("this server", "its index is not open yet")]

    def work(number: int) -> None:
        for turn in range(calls):
            begun = metrics.began("Count", None)
            told = Told("Count", 0.001, number, turn, error=codes[turn % 2])
            metrics.ended(told, begun)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    samples = scrape(metrics)
    half = threads * calls // 2
    assert value(samples, "gramdex_calls_total", method="Count", code="OK") == half
    assert value(samples, "gramdex_calls_total", method="Count", code="UNAVAILABLE") == half
    assert value(samples, "gramdex_call_duration_seconds_count", method="Count") == 2 * half
    assert value(samples, "gramdex_call_duration_seconds_bucket", method="Count", le="0.00075") == 0
    told_bytes = calls * threads * (threads - 1) // 2
    assert value(samples, "gramdex_request_bytes_total", method="Count") == told_bytes
    assert value(samples, "gramdex_calls_in_flight") == 0


def test_counts_are_exact_over_grpc_while_they_are_read(index: gramdex.Index) -> None:
    metrics, threads, calls = Metrics(), 8, 60
    seen, name = [0.0], "gramdex_calls_total"
    with watched(serve_index(index, metrics), 6, 1000) as server:

        def work(number: int) -> None:
            for turn in range(calls):
                if turn % 3:
                    assert server.count("ana") == 3
                else:
                    server.call("Documents", v1.DocumentsRequest(query=v1.Query(text="an")))

        with ThreadPoolExecutor(threads) as clients:
            done = [clients.submit(work, number) for number in range(threads)]
            while not all(each.done() for each in done):
                samples = scrape(metrics)
                seen.append(value(samples, name, method="Count", code="OK"))
                assert 0 <= value(samples, "gramdex_calls_in_flight") <= 6
            assert not [each.exception() for each in done if each.exception()]
    samples = scrape(metrics)
    assert seen == sorted(seen)
    counts, documents = threads * calls * 2 // 3, threads * calls // 3
    assert value(samples, name, method="Count", code="OK") == counts
    assert value(samples, name, method="Documents", code="OK") == documents
    for method, ended in (("Count", counts), ("Documents", documents)):
        assert value(samples, "gramdex_call_duration_seconds_count", method=method) == ended
    assert value(samples, "gramdex_calls_in_flight") == 0


def test_buckets_span_what_is_promised() -> None:
    assert (BUCKETS[0], BUCKETS[-1]) == (1e-5, 30)
    assert all(1 < high / low <= 5 / 3 + 1e-9 for low, high in pairwise(BUCKETS))


def test_who_is_not_let_in_is_counted(index: gramdex.Index) -> None:
    metrics = Metrics()
    service = serve_index(index, metrics, access=Access({"ann": "0123456789abcdef"}))
    with watched(service) as server, pytest.raises(grpc.RpcError):
        server.count("ana")
    samples = scrape(metrics)
    assert value(samples, "gramdex_calls_total", method="Count", code="UNAUTHENTICATED") == 1


class Held:
    """An index whose answers wait."""

    def __init__(self, index: gramdex.Index) -> None:
        self.index, self.go, self.came = index, threading.Event(), threading.Semaphore(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.index, name)

    def count(self, query: Any) -> int:
        self.came.release()
        assert self.go.wait(60)
        return self.index.count(query)


def until(condition: Any) -> None:
    """Wait for what must come."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_calls_under_way_waiting_and_refused(index: gramdex.Index) -> None:
    metrics, held = Metrics(), Held(index)
    with watched(Service(Serving(held), observers=(metrics,)), 2, 5) as server:  # type: ignore[arg-type]
        metrics.watch_pool(server.pool)
        metrics.watch_refusals(lambda: server.pool.refusals.count)
        stub = server.channel.unary_unary(METHODS["Count"].path)
        data = v1.CountRequest(query=v1.Query(text="ana")).SerializeToString()
        calls = [stub.future(data) for _ in range(5)]
        held.came.acquire(timeout=60)
        held.came.acquire(timeout=60)
        until(lambda: server.pool._work_queue.qsize() == 3)
        samples = scrape(metrics)
        assert value(samples, "gramdex_pool_threads") == 2
        assert value(samples, "gramdex_calls_in_flight") == 2
        assert value(samples, "gramdex_queued_calls") == 3
        assert value(samples, "gramdex_refused_calls_total") == 0
        for _ in range(7):
            with pytest.raises(grpc.RpcError) as refusal:
                stub(data)
            assert refusal.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        until(lambda: value(scrape(metrics), "gramdex_refused_calls_total") == 7)
        held.go.set()
        assert len([call.result(60) for call in calls]) == 5
        assert server.count("ana") == 3
    samples = scrape(metrics)
    assert value(samples, "gramdex_calls_in_flight") == 0
    assert value(samples, "gramdex_refused_calls_total") == 7
    assert value(samples, "gramdex_calls_total", method="Count", code="OK") == 6


def test_a_reload_shows(index: gramdex.Index, tmp_path: Path) -> None:
    metrics, serving = Metrics(), Serving()
    metrics.watch_serving(serving)
    assert value(scrape(metrics), "gramdex_ready") == 0
    serving.exchange(index)
    metrics.reloaded(True, 1.5)
    before = scrape(metrics)
    other = small_index(tmp_path, ("other", "documents", "here"))
    serving.exchange(other)
    metrics.reloaded(True, 0.5)
    metrics.reloaded(False)
    after = scrape(metrics)
    assert (value(before, "gramdex_ready"), value(before, "gramdex_index_open_seconds")) == (1, 1.5)
    assert value(after, "gramdex_index_open_seconds") == 0.5
    assert value(after, "gramdex_index_documents") == 3
    assert value(after, "gramdex_reloads_total", result="ok") == 2
    assert value(after, "gramdex_reloads_total", result="failed") == 1
    since = "gramdex_index_served_since_timestamp_seconds"
    assert value(after, since) >= value(before, since) > 1e9
    generation = "gramdex_index_generation"
    assert value(after, generation) != value(before, generation)
    metrics.watch_ready(lambda: False)
    assert value(scrape(metrics), "gramdex_ready") == 0


def test_an_index_that_was_exchanged_is_let_go(index: gramdex.Index, tmp_path: Path) -> None:
    """Its files stay mapped as long as anything holds it."""
    other = small_index(tmp_path)
    gone, serving, metrics = weakref.ref(other), Serving(other), Metrics()
    metrics.watch_serving(serving)
    metrics.render()
    del other
    serving.exchange(index)
    gc.collect()
    assert gone() is None


def test_an_index_that_cannot_be_asked_is_looked_at_again(index: gramdex.Index) -> None:
    class Away:
        generation, shards, document_count = index.generation, index.shards, 2

        @property
        def token_count(self) -> int:
            raise UnavailableError("shard", "it does not answer")

        def require_undamaged(self) -> None:
            pass

    metrics, serving = Metrics(), Serving(Away())  # type: ignore[arg-type]
    metrics.watch_serving(serving)
    assert value(scrape(metrics), "gramdex_index_tokens") == 0
    serving.exchange(index)
    assert value(scrape(metrics), "gramdex_index_tokens") == index.token_count


def test_damage_shows(index: gramdex.Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(served: Served) -> None:
        raise CorruptIndexError("tokens.gdx", "cut off", "all of it")

    metrics = Metrics()
    metrics.watch_serving(Serving(index))
    monkeypatch.setattr(Served, "require_undamaged", damaged)
    assert value(scrape(metrics), "gramdex_index_damaged") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="faults of threads are told by Linux alone")
def test_page_faults_are_those_of_the_call() -> None:
    import mmap

    metrics, pages = Metrics(), 500
    begun = metrics.began("Match", None)
    with mmap.mmap(-1, pages * mmap.PAGESIZE) as memory:
        if hasattr(memory, "madvise"):
            memory.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(pages):
            memory[page * mmap.PAGESIZE] = 1
    metrics.ended(Told("Match", 0.001), begun)
    samples = scrape(metrics)
    faults = value(samples, "gramdex_page_faults_total", method="Match", kind="minor")
    assert pages <= faults < 3 * pages
    elsewhere = Metrics()
    thread = threading.Thread(target=lambda: begun_there.append(elsewhere.began("Match", None)))
    begun_there: list[Any] = []
    thread.start()
    thread.join()
    elsewhere.ended(Told("Match", 0.001), begun_there[0])
    samples = scrape(elsewhere)
    assert value(samples, "gramdex_page_faults_total", method="Match", kind="minor") == 0


def test_openmetrics_for_who_asks(index: gramdex.Index) -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    metrics = Metrics()
    metrics.ended(Told("Count", 0.001), metrics.began("Count", None))
    content, kind = metrics.render("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert kind.startswith("application/openmetrics-text")
    names = {family.name for family in text_string_to_metric_families(content.decode())}
    assert "gramdex_calls" in names
    assert metrics.render()[1].startswith("text/plain")


# ---------------------------------------------------------------- several processes

WORKER = """
import sys
from gramdex.rpc.observing.metrics import Metrics
from gramdex.rpc.server.service import Told
metrics = Metrics()
metrics.watch_ready(lambda: True)
for _ in range(int(sys.argv[1])):
    metrics.ended(Told("Count", 0.001, 10, 20), metrics.began("Count", None))
begun = metrics.began("Find", None)
metrics.refused()
metrics.render()
print("ready", flush=True)
for line in sys.stdin:
    sys.stdout.write(metrics.render()[0].decode())
    print("# end", flush=True)
"""


def start_worker(folder: Path, calls: int) -> subprocess.Popen[str]:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(calls)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {metrics_module.FOLDER: str(folder)},
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    return worker


def ask(worker: subprocess.Popen[str]) -> dict[Any, float]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("?\n")
    worker.stdin.flush()
    return read("".join(iter(worker.stdout.readline, "# end\n")).encode())


def end(worker: subprocess.Popen[str]) -> None:
    worker.kill()
    worker.communicate()


def test_any_of_several_processes_tells_the_sum() -> None:
    folder = make_shared_folder()
    one, two = (start_worker(folder, calls) for calls in (3, 5))
    try:
        for worker in (one, two):
            samples = ask(worker)
            assert value(samples, "gramdex_calls_total", method="Count", code="OK") == 8
            assert value(samples, "gramdex_request_bytes_total", method="Count") == 80
            assert value(samples, "gramdex_call_duration_seconds_count", method="Count") == 8
            assert value(samples, "gramdex_calls_in_flight") == 2
            assert value(samples, "gramdex_refused_calls_total") == 2
            assert value(samples, "gramdex_ready") == 2
            pids = {
                dict(labels)["pid"]
                for name, labels in samples
                if name == "process_cpu_seconds_total"
            }
            assert pids == {str(one.pid), str(two.pid)} or sys.platform != "linux"
        end(two)
        forget = "import sys; from gramdex.rpc.observing.metrics import forget_process; "
        subprocess.run(
            [sys.executable, "-c", forget + "forget_process(int(sys.argv[1]))", str(two.pid)],
            env=os.environ | {metrics_module.FOLDER: str(folder)},
            cwd=ROOT,
            check=True,
        )
        samples = ask(one)
        assert value(samples, "gramdex_calls_total", method="Count", code="OK") == 8
        assert value(samples, "gramdex_calls_in_flight") == 1
        assert value(samples, "gramdex_ready") == 1
    finally:
        end(one)
        end(two)
        shutil.rmtree(folder)


def test_a_folder_that_comes_too_late_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(metrics_module.FOLDER, str(tmp_path))
    with pytest.raises(gramdex.errors.UsageError, match="after prometheus_client was imported"):
        Metrics()
    monkeypatch.setenv(metrics_module.FOLDER, str(tmp_path / "none"))
    with pytest.raises(gramdex.errors.UsageError, match="an empty folder"):
        Metrics()


# ---------------------------------------------------------------- Prometheus itself


def program(name: str) -> str:
    found = shutil.which(os.environ.get(f"GRAMDEX_{name.upper()}", name))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def test_promtool_finds_no_fault(index: gramdex.Index) -> None:
    metrics = Metrics()
    metrics.watch_serving(Serving(index))
    metrics.ended(Told("Count", 0.001, 1, 1), metrics.began("Count", None))
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=metrics.render()[0],
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr.decode(), checked.stdout.decode()) == (0, "", "")


def query(port: int, expression: str) -> list[float]:
    address = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode(
        {"query": expression}
    )
    with urllib.request.urlopen(address, timeout=10) as answer:
        return [float(each["value"][1]) for each in json.load(answer)["data"]["result"]]


def test_prometheus_reads_them(index: gramdex.Index, tmp_path: Path) -> None:
    prometheus = program("prometheus")
    metrics = Metrics()
    with watched(serve_index(index, metrics)) as server, metrics_server(metrics) as address:
        metrics.watch_serving(server.service.serving)
        for _ in range(11):
            assert server.count("ana") == 3
        target = address.removeprefix("http://")
        (tmp_path / "prometheus.yml").write_text(
            "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
            "scrape_configs:\n- job_name: gramdex\n"
            f"  static_configs: [{{targets: ['{target}']}}]\n"
            f"rule_files: ['{ROOT / 'tools' / 'dashboards' / 'alerts.yml'}']\n"
        )
        process, port = start_prometheus(prometheus, tmp_path)
        try:
            asked = 'gramdex_calls_total{method="Count", code="OK"}'
            until(lambda: query(port, asked) == [11])
            name = "gramdex_call_duration_seconds_bucket"
            quantile = f'histogram_quantile(0.5, sum by (le) ({name}{{method="Count"}}))'
            assert 0 < query(port, quantile)[0] < 30
            assert query(port, "gramdex_index_tokens") == [index.token_count]
            assert query(port, "up") == [1]
            for expression in expressions():
                query(port, expression)  # what it cannot read it refuses
        finally:
            process.kill()
            process.wait()


def expressions() -> list[str]:
    """What the dashboard asks, for everything."""
    dashboard = (ROOT / "tools" / "dashboards" / "gramdex.json").read_text()
    asked = [
        target["expr"]
        for panel in json.loads(dashboard)["panels"]
        for target in panel.get("targets", ())
    ]
    chosen = [("$__rate_interval", "1m"), ("$job", ".*"), ("$instance", ".*"), ("$method", ".*")]
    for variable, everything in chosen:
        asked = [each.replace(variable, everything) for each in asked]
    return asked


def start_prometheus(prometheus: str, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """On a free port, which it may lose to somebody else before it is taken: try again."""
    import socket

    for _ in range(5):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        process = subprocess.Popen(
            [
                prometheus,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None:
            try:
                query(port, "up")
                return process, port
            except OSError:
                time.sleep(0.05)
    raise AssertionError("prometheus does not start")
