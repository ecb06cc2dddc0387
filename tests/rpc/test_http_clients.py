"""Clients that are slow, vanish, come all at once, or set deadlines."""

from __future__ import annotations

import datetime
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from http_serving import Site, serving

import gramdex
from gramdex.errors import CancelledError, DeadlineError, UsageError
from gramdex.fmindex.engines.stopping import stop_here
from gramdex.rpc.http.app import make_app
from gramdex.rpc.http.listening import HttpServer
from gramdex.rpc.limits import Limits
from gramdex.rpc.server.listening import reserve
from gramdex.rpc.server.service import Service
from gramdex.rpc.server.serving import Serving

GOLDEN = Path(__file__).parent.parent / "golden" / "v3-bpe"


class Told:
    """An observer that keeps how calls ended."""

    def __init__(self) -> None:
        self.errors: list[BaseException | None] = []

    def began(self, method: str, caller: Any) -> None:
        pass

    def ended(self, told: Any, began: None) -> None:
        self.errors.append(told.error)


class Gate:
    """Work that goes on, in steps at which it can be stopped, until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, query: Any) -> int:
        self.entered.release()
        while not self.open.is_set():
            stop_here()
            time.sleep(0.002)
        return 7


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def gated(**limits: int) -> tuple[Service, Gate, Told]:
    gate, told = Gate(), Told()
    index = gramdex.open(GOLDEN)
    index.count = gate  # type: ignore[method-assign,assignment]
    return Service(Serving(index), Limits(**limits), observers=(told,)), gate, told


def raw(site: Site, head: str, body: bytes, length: int | None = None) -> socket.socket:
    """A connection on which a request was sent; or, where more is stated, a part of it."""
    length = len(body) if length is None else length
    connection = socket.create_connection(("127.0.0.1", site.port), timeout=30)
    lines = f"{head} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{lines}Content-Length: {length}\r\n\r\n".encode() + body)
    return connection


def test_a_call_nobody_waits_for_stops() -> None:
    service, gate, told = gated()
    with serving(service, workers=1) as site:
        connection = raw(site, "POST /v1/Count", b'{"query": "a"}')
        gate.entered.acquire()
        connection.close()
        until(lambda: bool(told.errors))
        assert isinstance(told.errors[0], CancelledError)
        gate.open.set()
        assert site.post("Count", {"query": "a"}).json["count"] == 7


def test_a_deadline_is_kept() -> None:
    service, gate, told = gated()
    with serving(service, workers=1) as site:
        reply = site.post("Count", {"query": "a"}, x_timeout_seconds="0.05")
        assert (reply.status, reply.error["kind"]) == (504, "DeadlineError")
        assert isinstance(told.errors[0], DeadlineError)
        gate.open.set()
        assert site.post("Count", {"query": "a"}, x_timeout_seconds="30").status == 200
        for wrong in ("soon", "0", "-1", "nan", "inf", ""):
            reply = site.post("Count", {"query": "a"}, x_timeout_seconds=wrong)
            assert (reply.status, reply.error["thing"]) == (400, "x-timeout-seconds")


def test_more_than_can_wait_are_refused_at_once() -> None:
    service, gate, _ = gated()
    with serving(service, workers=2, waiting=3) as site, ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(site.post, "Count", {"query": "a"}) for _ in range(8)]
        refused = [each.result() for each in islice(as_completed(calls, timeout=60), 3)]
        assert [(reply.status, reply.error["kind"]) for reply in refused] == [
            (429, "OverloadedError")
        ] * 3
        assert site.get("/healthz").status == 200
        gate.open.set()
        done = [each.result() for each in calls]
    assert sorted(reply.status for reply in done) == [200] * 5 + [429] * 3


def test_a_body_that_does_not_come() -> None:
    with serving(Service(Serving(gramdex.open(GOLDEN)), Limits(seconds=1))) as site:
        connection = raw(site, "POST /v1/Count", b"{", length=100)
        reply = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert reply.startswith(b"HTTP/1.1 408")
        assert b"DeadlineError" in reply


def test_bodies_that_are_held_are_bounded() -> None:
    with serving(Service(Serving(gramdex.open(GOLDEN)), Limits(request_bytes=1_000))) as site:
        held = []
        for _ in range(8):
            connection = socket.create_connection(("127.0.0.1", site.port), timeout=30)
            head = (
                "POST /v1/Count HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            )
            connection.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + b" " * 999)
            held.append(connection)
        until(lambda: site.post("Count", b'{"query": "the"} ' + b" " * 200).status == 429)
        for connection in held:
            connection.close()
        until(lambda: site.post("Count", {"query": "the"}).status == 200)


def test_a_slow_reader_holds_no_thread(tmp_path: Path) -> None:
    np.save(tmp_path / "ids.npy", np.tile(np.array([3] * 7 + [5], np.uint16), 150_000))
    gramdex.build(tmp_path / "ids.npy", tmp_path / "index", tokenizer=None)
    told = Told()
    index = gramdex.open(tmp_path / "index")
    service = Service(Serving(index), Limits(seconds=2), observers=(told,))
    with serving(service, workers=1) as site:
        interval = index.find([3])[0]
        request = {"interval": {"shard": 0, "low": interval.low, "high": interval.high}}
        slow = raw(site, "POST /v1/Locate", json.dumps(request).encode())
        assert slow.recv(16).startswith(b"HTTP/1.1 200")
        assert site.post("Count", {"query": [5]}).json["count"] == 150_000
        until(lambda: len(told.errors) == 2)
        assert told.errors[0] is None
        assert isinstance(told.errors[1], (CancelledError, DeadlineError))
        slow.close()
        lines = site.post("Locate", request).lines
        positions = [each for line in lines for each in line["positions"]]
        assert positions == index.locate(interval).tolist()


def test_a_stream_nobody_reads_to_its_end_is_let_go() -> None:
    told = Told()
    service = Service(Serving(gramdex.open(GOLDEN)), observers=(told,))
    with serving(service, workers=1) as site:
        for _ in range(20):
            raw(site, "POST /v1/GetTokenizer", b"{}").close()
        until(lambda: site.post("Search", {"query": "cat"}).status == 200)
        until(lambda: len(told.errors) >= 1)


def test_connections_without_a_request_are_closed() -> None:
    app = make_app(Service(Serving(gramdex.open(GOLDEN))))
    server = HttpServer(app, [reserve("--http-port", "127.0.0.1", 0)], idle_seconds=1)
    server.start()
    try:
        address = ("127.0.0.1", server.ports[0])
        kept = http.client.HTTPConnection(*address, timeout=30)
        idle = [socket.create_connection(address, timeout=30) for _ in range(100)]
        for connection in idle[50:]:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        kept.request("GET", "/healthz")
        assert kept.getresponse().read() == b"alive\n"
        assert kept.sock is not None
        kept.sock.sendall(b"GET /heal")
        for connection in (*idle, kept.sock):
            with suppress(ConnectionResetError):
                assert connection.recv(1_000) == b""
    finally:
        server.stop(5)


def test_more_connections_than_there_may_be() -> None:
    app = make_app(Service(Serving(gramdex.open(GOLDEN))))
    server = HttpServer(app, [reserve("--http-port", "127.0.0.1", 0)], connections=5)
    server.start()
    try:
        address = ("127.0.0.1", server.ports[0])
        idle = [socket.create_connection(address, timeout=30) for _ in range(5)]
        assert Site(server.ports[0]).get("/healthz").status == 503
        idle += [socket.create_connection(address, timeout=30) for _ in range(10)]
        with suppress(ConnectionResetError):
            assert idle[-1].recv(100) == b""
        for connection in idle:
            connection.close()
        until(lambda: Site(server.ports[0]).get("/healthz").status == 200)
    finally:
        server.stop(5)


def test_processes_may_share_a_port() -> None:
    first = reserve("--http-port", "127.0.0.1", 0, shared=True)
    first.listen()
    port = first.getsockname()[1]
    with reserve("--http-port", "127.0.0.1", port, shared=True) as second:
        second.listen()
    with pytest.raises(UsageError, match="in use"):
        reserve("--http-port", "127.0.0.1", port)
    first.close()


@pytest.mark.parametrize("ends", [True, False], ids=["in time", "too late"])
def test_stopping_waits_for_calls_for_a_while(ends: bool) -> None:
    service, gate, told = gated()
    server = HttpServer(make_app(service, workers=1), [reserve("--http-port", "127.0.0.1", 0)])
    server.start()
    site = Site(server.ports[0])
    with ThreadPoolExecutor(2) as pool:
        reply = pool.submit(site.post, "Count", {"query": "a"})
        gate.entered.acquire()
        stopping = pool.submit(server.stop, 30 if ends else 0.1)
        until(lambda: not is_reachable(site))
        if ends:
            gate.open.set()
            assert reply.result().json["count"] == 7
        stopping.result()
    until(lambda: bool(told.errors))
    assert isinstance(told.errors[0], type(None) if ends else CancelledError)


def is_reachable(site: Site) -> bool:
    try:
        socket.create_connection(("127.0.0.1", site.port), timeout=30).close()
    except OSError:
        return False
    return True


def test_tls(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(key.private_bytes(encoding, form, plain))
    (tmp_path / "own.pem").write_bytes(certificate.public_bytes(encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem", tmp_path / "key.pem")
    app = make_app(Service(Serving(gramdex.open(GOLDEN))))
    server = HttpServer(app, [reserve("--http-port", "127.0.0.1", 0)], tls=context)
    server.start()
    try:
        trust = ssl.create_default_context(cafile=str(tmp_path / "own.pem"))
        ask = http.client.HTTPSConnection("localhost", server.ports[0], timeout=30, context=trust)
        ask.request("POST", "/v1/Count", '{"query": "cat"}', {"content-type": "application/json"})
        assert json.loads(ask.getresponse().read())["count"] == 3
        ask.close()
        with pytest.raises((OSError, http.client.HTTPException)):
            Site(server.ports[0]).get("/healthz")
    finally:
        server.stop(5)


@pytest.mark.parametrize("head", ["GET / ", "\x00\xff" * 50, "GET /" + "a" * 100_000])
def test_what_is_no_request(head: str) -> None:
    with serving(Service(Serving(gramdex.open(GOLDEN)))) as site:
        connection = socket.create_connection(("127.0.0.1", site.port), timeout=30)
        connection.sendall(head.encode("latin-1") + b"\r\n\r\n")
        assert connection.recv(65_536)[:12] in (b"HTTP/1.1 400", b"")
        connection.close()
        assert site.get("/healthz").status == 200
