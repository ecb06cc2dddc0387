"""``gramdex top``: rates and latencies of real calls, and a server that goes away."""

from __future__ import annotations

import io
import json
import math
import os
import pty
import signal
import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from commanding import Command, child, finish, plain_environment
from hypothesis import given
from hypothesis import strategies as st
from observing import metrics_server, serve_index, small_index, watched
from rich.console import Console

import gramdex
from gramdex.errors import AccessError, ServiceError, UnavailableError, UsageError
from gramdex.rpc.methods import METHODS
from gramdex.rpc.observing.metrics import Metrics
from gramdex.rpc.observing.reading import Reading, Traffic, compare, quantile, read_metrics
from gramdex.rpc.server.service import Told
from gramdex.tools.scraping import Scraper, address_of
from gramdex.tools.top_view import Screen

ROOT = Path(__file__).parents[2]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    for name in ("NO_COLOR", "FORCE_COLOR", "GRAMDEX_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return Command(monkeypatch, capsys)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> gramdex.Index:
    return small_index(tmp_path_factory.mktemp("index"))


def tell(metrics: Metrics, method: str, seconds: float, **known: Any) -> None:
    metrics.ended(Told(method, seconds, **known), metrics.began(method, None))


def look(metrics: Metrics, moment: float) -> Reading:
    reading = read_metrics(metrics.render()[0].decode())
    return Reading(moment, reading.time, reading.samples)


# ---------------------------------------------------------------- numbers


def test_rates_are_of_the_time_between() -> None:
    metrics = Metrics()
    for _ in range(50):
        tell(metrics, "Count", 9.0)
    before = look(metrics, 100.0)
    for _ in range(98):
        tell(metrics, "Count", 0.00018, request_bytes=10, response_bytes=30)
    for _ in range(2):
        tell(metrics, "Count", 0.018, error=UnavailableError("this server", "not open"))
    tell(metrics, "Find", 99.0)
    metrics.refused()
    traffic = compare(before, look(metrics, 104.0))
    count, find = traffic.methods
    assert (traffic.seconds, traffic.calls, traffic.refused) == (4.0, 101 / 4, 0.25)
    assert traffic.failures == {"UNAVAILABLE": 0.5}
    assert (count.name, count.calls, count.failed) == ("Count", 25.0, 0.5)
    assert (count.request_bytes, count.response_bytes) == (245.0, 735.0)
    assert count.p50 is not None
    assert 0.00015 < count.p50 <= 0.0002
    assert count.p99 is not None
    assert 0.015 < count.p99 <= 0.02
    assert (find.name, find.calls, find.p99) == ("Find", 0.25, math.inf)
    quiet = compare(look(metrics, 104.0), look(metrics, 106.0))
    assert [(each.calls, each.p50, each.p99) for each in quiet.methods] == [(0, None, None)] * 2


def test_a_server_that_was_started_anew_is_no_negative_rate() -> None:
    old, new = Metrics(), Metrics()
    for _ in range(100):
        tell(old, "Count", 0.001)
    for _ in range(6):
        tell(new, "Count", 0.001)
    traffic = compare(look(old, 10.0), look(new, 12.0))
    assert (traffic.restarted, traffic.calls) == (True, 3.0)
    assert traffic.methods[0].p50 is not None
    assert not compare(look(new, 12.0), look(new, 13.0)).restarted


@given(
    st.lists(st.floats(0, 20), min_size=1, max_size=60),
    st.lists(st.floats(0.1, 15), min_size=1, max_size=8, unique=True),
    st.floats(0.01, 1),
)
def test_a_quantile_lies_in_the_bucket_of_the_true_one(
    values: list[float], bounds: list[float], share: float
) -> None:
    bounds = [*sorted(bounds), math.inf]
    buckets = [(bound, float(sum(each <= bound for each in values))) for bound in bounds]
    rank = max(math.ceil(share * len(values) - 1e-9), 1)
    true = sorted(values)[rank - 1]
    high = next(bound for bound in bounds if true <= bound)
    low = max([bound for bound in bounds if bound < high], default=0.0)
    found = quantile(buckets, share)
    assert found is not None
    assert found == high == math.inf or low <= found <= high


def test_a_quantile_of_nothing_is_none() -> None:
    assert quantile([], 0.5) is None
    assert quantile([(1.0, 0.0), (math.inf, 0.0)], 0.5) is None


@pytest.mark.parametrize("content", ["", "<html>", "a{b=", "up 1\n", "x\ny\n", '{"error": 1}'])
def test_what_is_no_metrics_of_gramdex(content: str) -> None:
    with pytest.raises(ServiceError, match="none of gramdex"):
        read_metrics(content)


# ---------------------------------------------------------------- asking


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("localhost:9", "http://localhost:9/metrics"),
        ("http://[::1]:9", "http://[::1]:9/metrics"),
        ("https://host:9/", "https://host:9/metrics"),
        ("http://host:9/else/metrics", "http://host:9/else/metrics"),
    ],
)
def test_addresses(target: str, address: str) -> None:
    assert address_of(target) == address


@pytest.mark.parametrize(
    "target", ["", "ftp://host", "http://", "http://host:x", "http://h:99999", "a b", "h:1\r\nX: y"]
)
def test_what_is_no_address(target: str) -> None:
    with pytest.raises(UsageError, match="TARGET"):
        address_of(target)


def test_a_token_is_asked_for(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with metrics_server(Metrics(), "secret of sixteen") as address:
        with pytest.raises(AccessError):
            Scraper(address).read()
        refused = command("top", address, "--once", "--json")
        assert refused.code == 1
        assert refused.json_error["remedy"] == "set GRAMDEX_TOKEN"
        monkeypatch.setenv("GRAMDEX_TOKEN", "secret of sixteen")
        assert command("top", address, "--once", "--seconds", 0.1, "--json").code == 0
        with pytest.raises(ServiceError, match="404"):
            Scraper(address + "/elsewhere").read()


def test_a_token_is_not_carried_elsewhere() -> None:
    seen: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/other")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Redirecting) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(ServiceError, match="302"):
            Scraper(f"http://127.0.0.1:{server.server_port}", "token").read()
        thread.join()
    assert seen == ["/metrics"]


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_nobody_there_is_an_error(command: Command) -> None:
    ended = command("top", f"127.0.0.1:{unused_port()}", "--json")
    assert ended.code == 1
    assert ended.json_error["error"] == "UnavailableError"
    assert command("top", "ftp://x").code == 2


# ---------------------------------------------------------------- looking


def test_once_tells_what_a_server_does(index: gramdex.Index, command: Command) -> None:
    metrics = Metrics()
    with watched(serve_index(index, metrics)) as server, metrics_server(metrics) as address:
        metrics.watch_serving(server.service.serving)
        metrics.watch_pool(server.pool)
        assert server.count("ana") == 3
        told = command("top", address, "--once", "--seconds", 0.1, "--json").json
        shown = command("top", address, "--once", "--seconds", 0.1)
    assert (told["tokens"], told["documents"], told["shards"]) == (index.token_count, 2, 1)
    assert told["generation"] == index.generation % (1 << 48)
    assert (told["threads"], told["ready"], told["version"]) == (4, 1, gramdex.__version__)
    assert [each["name"] for each in told["methods"]] == ["Count"]
    assert f"generation {told['generation']:012x}" in shown.out
    assert "\x1b" not in shown.out


TRAFFIC = Traffic(
    version="1", seconds=2.0, restarted=False, calls=12_345.0, refused=3.0, in_flight=4, queued=2,
    threads=16, ready=1, tokens=1_234_567_890, documents=3_456_789, shards=2, generation=0xABC,
    damaged=False, served_seconds=3_725.0, reloads=1, failed_reloads=1, memory=1_234_567_890,
    cpu=1.5, failures={"INVALID_ARGUMENT": 5.0, "DEADLINE_EXCEEDED": 0.25},
)  # fmt: skip


def show(screen: Screen, width: int) -> list[str]:
    written = io.StringIO()
    Console(file=written, width=width, height=24, force_terminal=False).print(screen)
    return written.getvalue().splitlines()


@pytest.mark.parametrize("width", [24, 40, 50, 80, 120])
def test_it_fits(width: int) -> None:
    metrics = Metrics()
    before = look(metrics, 0.0)
    for method in ("InfgramScoresBatch", "Count", "Contamination"):
        tell(metrics, method, 0.0123, request_bytes=123_456, response_bytes=9_999_999)
    tell(metrics, "Count", 12.3, error=UnavailableError("this server", "not open"))
    methods = compare(before, look(metrics, 1.0)).methods
    screen = Screen("http://a-rather-long-name.example.org:12345", 2.0)
    screen.traffic = Traffic(**{**vars(TRAFFIC), "methods": methods})
    screen.trouble = "connection refused"
    lines = show(screen, width)
    assert max(map(len, lines)) <= width
    said = " ".join(" ".join(lines).split())
    parts = ["calls 12k/s", "refused 3/s", "waiting 2", "1.2G tokens", "DEADLINE_EXCEEDED 0.25/s"]
    if width >= 40:
        parts += ["InfgramScoresBatch", "12.5ms", "p99", "not reached: connection refused"]
    if width >= 80:
        parts += ["failed/s", "123 kB", "faults"]
    for part in parts:
        assert part in said


def test_methods_there_is_no_room_for_are_counted() -> None:
    metrics = Metrics()
    before = look(metrics, 0.0)
    for method in METHODS:
        tell(metrics, method, 0.001)
    screen = Screen("host:1", 2.0)
    methods = compare(before, look(metrics, 1.0)).methods
    screen.traffic = Traffic(**{**vars(TRAFFIC), "methods": methods})
    assert all(name in "\n".join(show(screen, 80)) for name in METHODS)
    screen.fits = True
    lines = show(screen, 80)
    assert len(lines) < 25
    shown = [name for name in METHODS if any(line.startswith(f"{name} ") for line in lines)]
    assert lines[-1] == f"and {len(METHODS) - len(shown)} more"


def test_it_says_what_is_wrong() -> None:
    screen = Screen("host:1", 2.0)
    assert "looking for the first time" in show(screen, 80)[1]
    for change, said in [
        ({"damaged": True}, "index damaged"),
        ({"ready": 0}, "not ready"),
        ({"restarted": True}, "started anew"),
    ]:
        screen.traffic = Traffic(**{**vars(TRAFFIC), **change})
        assert said in "\n".join(show(screen, 80))


def test_a_server_that_goes_away_is_said_and_comes_back() -> None:
    """Of a process whose output is no terminal: a line each look, until Ctrl-C."""
    metrics, port = Metrics(), 0
    with metrics_server(metrics) as address:
        port = int(address.rpartition(":")[2])
        process = child(
            "top", address, "--seconds", "0.1", "--json", env=plain_environment(), cwd=ROOT
        )
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"] == 0
    assert "trouble" in wait_for(process, "trouble")
    with metrics_server(metrics, port=port):
        assert "calls" in wait_for(process, "calls")
        process.send_signal(signal.SIGINT)
        ended = finish(process)
    assert (ended.code, ended.err) == (0, "")


def wait_for(process: Any, name: str) -> dict[str, Any]:
    while name not in (record := json.loads(process.stdout.readline())):
        pass
    return record


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_on_a_terminal_it_moves_and_ends_with_control_c() -> None:
    metrics = Metrics()
    tell(metrics, "Count", 0.001)
    main, side = pty.openpty()
    with metrics_server(metrics) as address:
        environment = plain_environment(TERM="xterm", COLUMNS="40", LINES="20")
        process = child("top", address, "--seconds", "0.1", stdout=side, env=environment, cwd=ROOT)
        os.close(side)
        seen = b""
        end = time.monotonic() + 60
        while seen.count(b"calls/s") < 3 and time.monotonic() < end:
            seen += os.read(main, 4096)
        process.send_signal(signal.SIGINT)
        while True:
            try:
                more = os.read(main, 4096)
            except OSError:  # nobody holds the other side any more
                break
            if not more:
                break
            seen += more
        ended = finish(process)
    os.close(main)
    assert (ended.code, ended.err) == (0, "")
    assert seen.count(b"calls/s") >= 3
    assert b"\x1b[?1049h" in seen
    assert b"\x1b[?1049l" in seen
