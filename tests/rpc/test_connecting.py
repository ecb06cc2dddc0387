"""Targets, certificates, tokens, deadlines; servers that go away; several servers of one index."""

from __future__ import annotations

import datetime
import ipaddress
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from commanding import Command, write_jsonl
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from remote import TOKEN, Server, build_small, plain, wait_until

import gramdex
from gramdex.errors import (
    AccessError,
    CancelledError,
    DeadlineError,
    OverloadedError,
    QueryError,
    RefusedError,
    ServiceError,
    UnavailableError,
    UsageError,
    WorkLimitError,
)
from gramdex.fmindex.queries.contamination.definitions import TokenNgrams
from gramdex.rpc import v1
from gramdex.rpc.client import hedging, replicas
from gramdex.rpc.client.hedging import Hedging
from gramdex.rpc.client.remote_index import RemoteIndex
from gramdex.rpc.client.replicas import Replicas
from gramdex.rpc.client.target import Address, is_server, read_target
from gramdex.rpc.client.transport import Connection, Patience
from gramdex.rpc.limits import Limits
from gramdex.rpc.methods import METHODS


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> gramdex.Index:
    return gramdex.open(build_small(tmp_path_factory.mktemp("small")))


@pytest.fixture
def server(index: gramdex.Index) -> Iterator[Server]:
    with Server(index) as server:
        yield server


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRAMDEX_TOKEN", "GRAMDEX_CA"):
        monkeypatch.delenv(name, raising=False)


# --- targets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("localhost:1", [("localhost:1", False)]),
        ("127.0.0.9:65535", [("127.0.0.9:65535", False)]),
        ("[::1]:80", [("[::1]:80", False)]),
        ("example.org:80", [("example.org:80", True)]),
        ("10.0.0.1:80", [("10.0.0.1:80", True)]),
        ("[2001:db8::1]:80", [("[2001:db8::1]:80", True)]),
        ("grpc://example.org:80", [("example.org:80", False)]),
        ("grpcs://localhost:80", [("localhost:80", True)]),
        ("grpc://a:1|b:2", [("a:1", False), ("b:2", False)]),
        ("grpcs://localhost:1| localhost:2", [("localhost:1", True), ("localhost:2", True)]),
        ("a:1|localhost:2", [("a:1", True), ("localhost:2", False)]),
        ("grpcs://a:1|grpc://b:2|c:3", [("a:1", True), ("b:2", False), ("c:3", True)]),
    ],
)
def test_targets(target: str, expected: list[tuple[str, bool]]) -> None:
    assert read_target(target, False) == tuple(Address(*each) for each in expected)


def test_certificates_ask_for_tls_where_nothing_else_does() -> None:
    assert read_target("localhost:1", True) == (Address("localhost:1", True),)
    assert read_target("grpc://localhost:1", True) == (Address("localhost:1", False),)


@pytest.mark.parametrize(
    "target",
    [
        *("", "localhost", ":1", "localhost:", "localhost:0", "localhost:65536", "localhost:x"),
        *("http://localhost:1", "grpc:/localhost:1", "grpc://", "://a:1", "a:1|", "a:1|a:1"),
        *("a b:1", "user@a:1", "a:1/path", "::1:80", "grpc://a:1|http://b:2", 5, None),
    ],
)
def test_what_is_no_target(target: Any) -> None:
    with pytest.raises(UsageError, match="target"):
        gramdex.connect(target)


def test_targets_are_told_from_folders() -> None:
    assert is_server("grpc://a:1")
    assert is_server("grpcs://a:1")
    assert not any(map(is_server, ("a:1", "grpc", "corpus.gdx", Path("grpc://a:1"))))


@pytest.mark.parametrize(
    "options",
    [
        *({"timeout": 0}, {"timeout": -1}, {"timeout": float("nan")}, {"timeout": float("inf")}),
        *({"timeout": "1"}, {"timeout": True}, {"channels": 0}, {"channels": 1.5}),
        *({"token": "two\nlines"}, {"token": "é"}, {"token": b"x"}),
        *({"attempts": 0}, {"channels": True}, {"ca": "/nowhere"}, {"ca": 5}),
    ],
)
def test_options_without_meaning(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        gramdex.connect("localhost:1", **options)


def test_a_token_is_not_shown() -> None:
    with pytest.raises(UsageError) as raised:
        gramdex.connect("localhost:1", token="secret\n")
    assert "secret" not in str(raised.value)


def test_certificates_beside_a_plain_server(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    with pytest.raises(UsageError, match="ca: a file of TLS"):
        gramdex.connect("grpc://localhost:1", ca=tmp_path / "x")
    with pytest.raises(UsageError, match="key: alone"):
        gramdex.connect("localhost:1", key=tmp_path / "x")


def test_without_grpc_it_says_how_to_get_it() -> None:
    script = (
        "import sys; sys.modules['grpc'] = None\n"
        "import gramdex\n"
        "try: gramdex.connect('localhost:1')\n"
        "except gramdex.errors.UsageError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert "pip install 'gramdex[client]'" in done.stdout, done.stderr


# --- tokens and certificates ------------------------------------------------------------------


def test_tokens(index: gramdex.Index, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(index, tokens={"me": TOKEN}) as server:
        with gramdex.connect(server.name, token=TOKEN) as remote:
            assert remote.count("the") == 3
            assert remote.document(0).number == 0
        for token, found in ((None, "no token"), ("", "no token"), ("another", "does not know")):
            with pytest.raises(AccessError, match=found):
                gramdex.connect(server.name, token=token)
        monkeypatch.setenv("GRAMDEX_TOKEN", f"{TOKEN}\n")
        with gramdex.connect(server.name) as remote:
            assert remote.count("the") == 3
        with pytest.raises(AccessError):
            gramdex.connect(server.name, token="another")


@dataclass(frozen=True)
class Certificate:
    """Of an authority, a server or a client; the files are PEM."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    folder: Path

    @property
    def cert_file(self) -> Path:
        return self.folder / "cert.pem"

    @property
    def key_file(self) -> Path:
        return self.folder / "key.pem"


def _certificate(folder: Path, name: str, issuer: Certificate | None) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = key if issuer is None else issuer.key
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(signer, hashes.SHA256())
    )
    made = Certificate(certificate, key, folder / name)
    made.folder.mkdir()
    pem = serialization.Encoding.PEM
    made.cert_file.write_bytes(certificate.public_bytes(pem))
    form = serialization.PrivateFormat.PKCS8
    made.key_file.write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return made


@dataclass(frozen=True)
class Authority:
    own: Certificate
    server: Certificate
    client: Certificate

    def credentials(self, client_too: bool) -> grpc.ServerCredentials:
        pair = self.server.key_file.read_bytes(), self.server.cert_file.read_bytes()
        root = self.own.cert_file.read_bytes() if client_too else None
        return grpc.ssl_server_credentials([pair], root, client_too)


def _authority(folder: Path) -> Authority:
    folder.mkdir(exist_ok=True)
    own = _certificate(folder, "authority", None)
    return Authority(own, _certificate(folder, "server", own), _certificate(folder, "client", own))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return _authority(tmp_path_factory.mktemp("certificates"))


def test_tls(
    index: gramdex.Index, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(index, credentials=authority.credentials(False), tokens={"a": TOKEN}) as server:
        ca = authority.own.cert_file
        for target in (server.name, f"grpcs://{server.name}", f"localhost:{server.port}"):
            with gramdex.connect(target, ca=ca, token=TOKEN) as remote:
                assert remote.count("the") == 3
        with pytest.raises(AccessError):
            gramdex.connect(server.name, ca=ca)
        other = _authority(tmp_path / "other").own.cert_file
        for options in ({"ca": other}, {}):
            with pytest.raises(UnavailableError):
                gramdex.connect(f"grpcs://{server.name}", token=TOKEN, attempts=1, **options)
        with pytest.raises(UnavailableError):
            gramdex.connect(server.name, token=TOKEN, attempts=1)
        monkeypatch.setenv("GRAMDEX_CA", str(ca))
        with gramdex.connect(f"grpcs://{server.name}", token=TOKEN) as remote:
            assert remote.count("the") == 3


def test_both_show_certificates(index: gramdex.Index, authority: Authority, tmp_path: Path) -> None:
    with Server(index, credentials=authority.credentials(True)) as server:
        ca, client = authority.own.cert_file, authority.client
        files = {"cert": client.cert_file, "key": client.key_file}
        with gramdex.connect(server.name, ca=ca, **files) as remote:
            assert remote.count("the") == 3
        stranger = _authority(tmp_path / "other").client
        wrong = {"cert": stranger.cert_file, "key": stranger.key_file}
        for options in ({}, wrong):
            with pytest.raises(UnavailableError):
                gramdex.connect(server.name, ca=ca, attempts=1, **options)


# --- a server that is not there ---------------------------------------------------------------


def test_a_server_that_comes_back(index: gramdex.Index) -> None:
    """On the same port: a call waits for it, and the connections are as good as before."""
    server = Server(index)
    port = server.port
    with gramdex.connect(server.name, attempts=12) as remote:
        assert remote.count("the") == 3
        server.stop()
        back: list[Server] = []
        thread = threading.Timer(0.3, lambda: back.append(Server(index, port)))
        thread.start()
        assert remote.count("cat") == 2
        thread.join()
        assert [document.number for document in remote.documents("dog")] == [0]
        back[0].stop()
        with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}"):
            remote.with_timeout(0.5).count("the")
        with pytest.raises(UnavailableError):
            remote.with_timeout(0.5).documents("the")
        with pytest.raises(UnavailableError):
            remote.with_timeout(0.5).count_batch([[1]])


def test_only_unavailable_is_tried_again(server: Server) -> None:
    with gramdex.connect(server.name) as remote:
        service, failures = server.service, [2]

        def fail(error: Exception) -> Callable[[str], None]:
            def before(method: str) -> None:
                failures[0] -= 1
                if failures[0] >= 0:
                    raise error

            return before

        unavailable = UnavailableError("this server", "it goes away")
        for ask in (lambda: remote.count("the"), lambda: len(remote.find([116]))):
            service.before, failures[0] = fail(unavailable), 2
            assert ask() in (3, 1)
            assert failures[0] == -1
        service.before, failures[0] = fail(unavailable), 100
        with pytest.raises(UnavailableError, match="it goes away"):
            remote.count("the")
        assert failures[0] == 100 - 6
        for error in (
            *(OverloadedError("x", "busy"), QueryError("x", "wrong"), AccessError("x", "who")),
            *(ServiceError("x", "odd"), DeadlineError("x", "late"), ZeroDivisionError()),
        ):
            service.before, failures[0] = fail(error), 100
            for ask in (lambda: remote.count("the"), lambda: remote.documents("the")):
                before = failures[0]
                kind = type(error) if not isinstance(error, ZeroDivisionError) else ServiceError
                with pytest.raises(kind):
                    ask()
                assert failures[0] == before - 1


def test_no_second_attempt_after_a_part_was_given_out() -> None:
    attempts: list[int] = []

    def attempt(deadline: float) -> Iterator[int]:
        attempts.append(1)
        yield 1
        raise UnavailableError("x", "gone")

    taken = Patience(5, 0.001).stream(attempt, 5)
    assert next(taken) == 1
    with pytest.raises(UnavailableError):
        next(taken)
    assert len(attempts) == 1


def test_attempts_end_with_the_deadline() -> None:
    attempts: list[float] = []

    def attempt(deadline: float) -> None:
        attempts.append(deadline - time.monotonic())
        raise UnavailableError("x", "gone")

    with pytest.raises(UnavailableError):
        Patience(100, 0.02, 0.02).call(attempt, 0.2)
    assert 2 <= len(attempts) < 30
    assert attempts == sorted(attempts, reverse=True)
    assert all(0 < left <= 0.2 for left in attempts)
    with pytest.raises(UnavailableError):
        Patience(3, 0.001).call(attempt, 60)


def test_pauses_grow_and_vary() -> None:
    pauses = list(Patience(8, 0.1, 1.0).pauses())
    assert pauses[-1] is None
    for number, pause in enumerate(pauses[:-1]):
        most = min(0.1 * 2**number, 1.0)
        assert pause is not None
        assert most / 2 <= pause <= most
    assert list(Patience(1).pauses()) == [None]


def test_deadlines(server: Server) -> None:
    with gramdex.connect(server.name) as remote:
        released = threading.Event()
        server.service.before = lambda method: released.wait(20) and None
        hasty = remote.with_timeout(0.1)
        for ask in (
            lambda: hasty.count("the"),
            lambda: hasty.documents("the"),
            lambda: hasty.count_batch([[1]] * 40_000),
            lambda: hasty.contamination(["the cat"]),
        ):
            with pytest.raises(DeadlineError):
                ask()
        released.set()
        assert remote.count("the") == 3
        assert hasty.generation == remote.generation


def test_a_closed_index_is_an_error(server: Server) -> None:
    remote = gramdex.connect(server.name)
    view = remote.with_timeout(3)
    with remote:
        assert view.count("the") == 3
    for ask in (lambda: remote.count("the"), lambda: view.documents("the")):
        with pytest.raises(UsageError, match="closed"):
            ask()
    remote.close()


def test_closing_ends_calls_under_way(server: Server) -> None:
    remote = gramdex.connect(server.name)
    released, raised = threading.Event(), []
    server.service.before = lambda method: released.wait(20) and None

    def ask() -> None:
        try:
            remote.count("the")
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    calls = len(server.service.calls)
    thread.start()
    wait_until(lambda: len(server.service.calls) > calls)
    remote.close()
    thread.join(20)
    released.set()
    assert [type(each) for each in raised] == [CancelledError]


def test_a_forked_process_is_told_to_connect_again(server: Server) -> None:
    with gramdex.connect(server.name) as remote:
        connection = remote._transport
        assert isinstance(connection, Connection)
        connection._process = os.getpid() + 1  # as in a child
        with pytest.raises(UsageError, match="forked"):
            remote.count("the")
        connection._process = os.getpid()
        assert remote.count("the") == 3


def test_connections_are_opened_as_they_are_needed(server: Server) -> None:
    with gramdex.connect(server.name, channels=3) as remote:
        connection = remote._transport
        assert isinstance(connection, Connection)
        for _ in range(5):
            remote.count("the")
        assert len(connection._lines) == 1
        released = threading.Event()
        server.service.before = lambda method: released.wait(20) and None
        threads = [threading.Thread(target=remote.count, args=("the",)) for _ in range(5)]
        calls = len(server.service.calls)
        for thread in threads:
            thread.start()
        wait_until(lambda: len(server.service.calls) >= calls + 5)
        assert sorted(line.busy for line in connection._lines) == [1, 2, 2]
        released.set()
        for thread in threads:
            thread.join()
        assert [line.busy for line in connection._lines] == [0, 0, 0]


def test_answers_of_any_size_arrive(tmp_path: Path) -> None:
    """gRPC itself would refuse more than 4 MiB."""
    source = tmp_path / "long.txt"
    source.write_text("abcdefgh" * 700_000)
    gramdex.build(source, tmp_path / "index")
    with Server(gramdex.open(tmp_path / "index")) as server, gramdex.connect(server.name) as remote:
        document = remote.document(0)
        assert document.text == "abcdefgh" * 700_000
        (interval,) = remote.find([ord("a")])
        assert np.array_equal(remote.locate(interval), np.arange(700_000) * 8)


def test_work_of_documents_is_bounded(index: gramdex.Index) -> None:
    limits = Limits(extracted=20)
    with Server(index, limits=limits) as server, gramdex.connect(server.name) as remote:
        assert len(remote.documents("the", 1, context=0)) == 1
        for ask in (
            lambda: remote.documents("the", 10),
            lambda: remote.search("the", 10),
            lambda: remote.part.search_documents("the", np.array([[0, 0], [0, 1]]), 20, 20),
        ):
            with pytest.raises(WorkLimitError):
                ask()


def test_a_server_that_gives_no_documents_out(index: gramdex.Index) -> None:
    with (
        Server(index, serves_documents=False) as server,
        gramdex.connect(server.name) as remote,
    ):
        for ask in (
            lambda: remote.documents("the"),
            lambda: remote.document(0),
            lambda: remote.document_at(0, 0),
            lambda: remote.shards[0].read_metadata(0),
        ):
            with pytest.raises(RefusedError):
                ask()
        found, expected = remote.search("the AND cat"), index.search("the AND cat", 0)
        assert plain(found) == plain(expected)
        assert not remote.info.serves_documents
        given = remote.contamination(["the cat sat on the mat"], [TokenNgrams(n=3)])
        judged = given.judged[0].evidence
        assert judged is not None
        assert (judged.metadata, judged.context) == ({}, judged.window)
        assert [each.metadata for each in given.offenders] == [{}] * len(given.offenders) != []


# --- several servers of one index -------------------------------------------------------------


@pytest.fixture
def two(index: gramdex.Index) -> Iterator[tuple[Server, Server, RemoteIndex]]:
    with (
        Server(index) as first,
        Server(index) as second,
        gramdex.connect(f"{first.name}|{second.name}") as remote,
    ):
        yield first, second, remote


def _warm(remote: Any, calls: int = 64) -> None:
    """So many calls that it is known how long they take, and second ones are saved up."""
    for _ in range(calls):
        remote.count("the")


def test_calls_go_to_every_server(two: Any) -> None:
    first, second, remote = two
    for _ in range(20):
        assert remote.count("the") == 3
    for server in (first, second):
        assert server.service.calls.count("Count") >= 8
    assert remote.count_batch([[116]] * 40_000).tolist() == [remote.count([116])] * 40_000
    assert [each.number for each in remote.documents("dog")] == [0]
    assert remote.shards[0].read_metadata(0)


def test_another_server_answers_for_one_that_is_gone(index: gramdex.Index) -> None:
    first, second = Server(index), Server(index)
    port = first.port
    with gramdex.connect(f"{first.name}|{second.name}") as remote:
        _warm(remote, 4)
        first.stop()
        for _ in range(10):
            assert remote.count("the") == 3
            assert remote.documents("dog", 1)[0].number == 0
        both = remote._transport
        assert isinstance(both, Replicas)
        gone = both.replicas[0]
        assert gone.failures >= 1
        assert gone.alone_until > 0
        first = Server(index, port)
        gone.alone_until = 0.0  # its time alone is over

        def answered() -> bool:
            remote.count("the")
            return gone.failures == 0

        wait_until(answered)
        assert first.service.calls.count("Count") >= 1
        second.stop()
        assert remote.count("the") == 3
        first.stop()
        with pytest.raises(UnavailableError):
            remote.with_timeout(1).count("the")


@pytest.fixture
def long_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that failed is not asked again while a test runs."""
    monkeypatch.setattr(replicas, "_ALONE", 1_000.0)
    monkeypatch.setattr(replicas, "_LONGEST", 1_000.0)


def test_a_failing_server_is_left_alone(two: Any, long_alone: None) -> None:
    first, second, remote = two

    def fail(method: str) -> None:
        raise UnavailableError("this server", "it goes away")

    first.service.before = fail
    calls = len(first.service.calls)
    for _ in range(50):
        assert remote.count("the") == 3
    assert len(first.service.calls) - calls == 1
    assert second.service.calls.count("Count") == 50


def test_a_slow_server_is_raced(two: Any) -> None:
    """The first good answer counts, and the other call is cancelled."""
    first, _, remote = two
    _warm(remote)
    waited, released = threading.Event(), threading.Event()

    def wait(method: str) -> None:
        waited.set()
        assert released.wait(20), "the call waited for the slow server"

    first.service.before = wait
    for _ in range(2):  # one of two goes to the slow one first
        assert remote.count("cat") == 2
    assert waited.is_set()
    assert not released.is_set()
    released.set()


def test_second_calls_are_few(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every call is slow, no more than what was saved and one in twenty are made twice."""
    first, second, remote = two
    monkeypatch.setattr(hedging, "_UNKNOWN", 0.0005)
    for server in (first, second):
        server.service.before = lambda method: time.sleep(0.002)
    remote._transport.hedging._saved = 0.0
    before = sum(len(server.service.calls) for server in (first, second))
    for _ in range(100):
        remote.ntd([116])
    made = sum(len(server.service.calls) for server in (first, second)) - before
    assert 100 < made <= 106


def test_hedging_waits_for_most_answers() -> None:
    known = Hedging()
    assert known.began("Count") == 0.1
    for number in range(100):
        known.ended("Count", 0.001 * number)
    assert 0.085 <= known.began("Count") <= 0.1
    for _ in range(300):
        known.ended("Ntd", 1e-6)
    assert known.began("Ntd") == 0.005
    assert known.began("Match") == 0.1
    saved = sum(known.may() for _ in range(100))
    assert saved == 1
    for _ in range(10_000):
        known.began("Count")
    assert sum(known.may() for _ in range(100)) == 10


def test_errors_of_the_query_are_final(two: Any) -> None:
    first, second, remote = two
    before = [len(server.service.calls) for server in (first, second)]
    with pytest.raises(QueryError, match="token id 999"):
        remote.count([999])
    after = [len(server.service.calls) for server in (first, second)]
    assert sum(after) - sum(before) == 1


def test_a_busy_server_beside_a_slow_one(two: Any) -> None:
    """An error that another server may not have waits for the other answer."""
    first, second, remote = two
    _warm(remote)

    def busy(method: str) -> None:
        raise OverloadedError("this server", "has too much to do")

    first.service.before = lambda method: time.sleep(0.3)
    second.service.before = busy
    seen = set()
    for _ in range(4):
        try:
            seen.add(remote.count("the"))
        except OverloadedError:
            seen.add("busy")
    assert 3 in seen
    assert seen <= {3, "busy"}


def test_a_server_that_lets_deadlines_pass_is_left_alone(two: Any, long_alone: None) -> None:
    first, _, remote = two
    released = threading.Event()
    first.service.before = lambda method: released.wait(20) and None
    remote._transport.hedging._saved = -1e9  # no second calls
    failed = 0
    for _ in range(10):
        try:
            assert remote.with_timeout(0.5).count("the") == 3
        except DeadlineError:
            failed += 1
    released.set()
    assert failed == 1


def test_servers_of_different_indexes_are_refused(index: gramdex.Index, tmp_path: Path) -> None:
    other = gramdex.open(build_small(tmp_path, text="something else"))
    with (
        Server(index) as first,
        Server(other) as second,
        pytest.raises(UsageError, match="token_count"),
    ):
        gramdex.connect(f"{first.name}|{second.name}")


def test_a_server_that_was_away_is_compared_when_it_comes(
    index: gramdex.Index, tmp_path: Path
) -> None:
    other = gramdex.open(build_small(tmp_path, text="something else"))
    with Server(index) as first:
        late = Server(index)
        port = late.port
        late.stop()
        with gramdex.connect(f"{first.name}|127.0.0.1:{port}") as remote:
            both = remote._transport
            assert [each.known for each in both.replicas] == [True, False]
            with Server(other, port) as wrong:
                for _ in range(20):
                    both.replicas[1].alone_until = 0.0
                    assert remote.count("the") == 3
                assert set(wrong.service.calls) <= {"GetInfo"}
                assert not both.replicas[1].known
            with Server(index, port) as right:

                def asked() -> bool:
                    both.replicas[1].alone_until = 0.0
                    assert remote.count("the") == 3
                    return "Count" in right.service.calls

                wait_until(asked)


def test_one_server_of_several_is_enough_to_connect(server: Server) -> None:
    away = Server(None)
    away.stop()
    with gramdex.connect(f"{away.name}|{server.name}") as remote:
        assert remote.count("the") == 3
    with pytest.raises(UnavailableError):
        gramdex.connect(f"grpc://{away.name}|localhost:1", attempts=1)


def test_generations_of_replicas_are_told(two: Any, tmp_path: Path) -> None:
    """A batch is of one of them, whichever."""
    first, second, remote = two
    text = "the cat sat on the mat"
    other = gramdex.open(build_small(tmp_path, "other", text))
    second.service.serving.exchange(other)
    seen = {(remote.count("the"), remote.generation)[1] for _ in range(10)}
    assert seen == {first.service.serving.now.generation, other.generation}
    local = first.service.serving.now.index
    batch = [[116]] * 60_000
    counts = remote.count_batch(batch)
    assert set(counts.tolist()) == {local.count([116])}


def test_an_index_that_is_not_open_yet(index: gramdex.Index) -> None:
    with Server(None) as server:
        with pytest.raises(UnavailableError, match="not open yet"):
            gramdex.connect(server.name, attempts=2)
        threading.Timer(0.2, lambda: server.service.serving.exchange(index)).start()
        with gramdex.connect(server.name) as remote:
            assert plain(remote.ntd([116])) == plain(index.ntd([116]))


def test_a_transport_is_used_by_many_threads(two: Any) -> None:
    _, _, remote = two
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(remote.count("the") for _ in range(50)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [3] * 400


def test_servers_that_come_and_go_under_load(two: Any) -> None:
    """Whatever they do, answers are right, and no call is left behind."""
    first, second, remote = two
    for number, server in enumerate((first, second)):
        chance = random.Random(number)

        def misbehave(method: str, chance: random.Random = chance) -> None:
            time.sleep(chance.choice([0, 0, 0, 0.008]))
            if method != "GetInfo" and chance.random() < 0.1:
                raise UnavailableError("this server", "it goes away")

        server.service.before = misbehave
    expected = {"the": 3, "cat": 2, "dog": 1, "no": 0}
    wrong: list[Any] = []

    def ask(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(60):
            word = chance.choice(list(expected))
            answer = remote.count(word)
            if answer != expected[word] or len(remote.find(word).starts) != answer:
                wrong.append((word, answer))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    for replica in remote._transport.replicas:
        lines = replica.connection._lines
        wait_until(lambda lines=lines: all(line.busy == 0 for line in lines))


def test_what_is_sent_twice_is_the_same(server: Server) -> None:
    """A transport can be asked by itself; a request is not changed by asking."""
    connection = Connection(Address(server.name, False))
    request = v1.CountRequest(query=v1.Query(text="the"))
    answers = [connection.unary(METHODS["Count"], request, 5).count for _ in range(2)]
    connection.close()
    assert answers == [3, 3]


# --- the command line -------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


COMMANDS: list[list[str]] = [
    *(["count", "INDEX", "the", "cat"], ["prob", "INDEX", "the ca", "t"], ["ntd", "INDEX", "the"]),
    *(["infgram", "INDEX", "a cat sa"], ["infgram", "INDEX", "a cat sa", "t"]),
    *(["infgram", "INDEX", "a cat sa", "--scores"], ["search", "INDEX", "the AND cat"]),
    *(["documents", "INDEX", "the"], ["documents", "INDEX", "--number", "0"]),
    *(["match", "INDEX", "the cat sat on a mat"], ["attribute", "INDEX", "the cat sat on a mat"]),
    *(["count", "INDEX", "--ids", "999"], ["documents", "INDEX", "--number", "99"]),
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:3]))
def test_commands_take_a_server(
    words: list[str], command: Command, index: gramdex.Index, server: Server
) -> None:
    places = str(index.folders[0]), f"grpc://{server.name}"
    for more in ([], ["--json"]):
        local, remote = (
            command(*[place if word == "INDEX" else word for word in words], *more)
            for place in places
        )
        assert (remote.code, remote.out) == (local.code, local.out)
        assert bool(remote.err) == bool(local.err)


def test_commands_that_need_files(
    command: Command, index: gramdex.Index, server: Server, tmp_path: Path
) -> None:
    target, folder = f"grpc://{server.name}", str(index.folders[0])
    out = str(tmp_path / "out")
    (tmp_path / "b.jsonl").write_text('{"text": "the cat"}\n')
    for words in (
        ["verify", target],
        ["convert", target, "-o", out, "--engine", "fm"],
        ["count", folder, "the", "--also", target],
        ["count", target, "the", "--also", folder],
        ["count", folder, "the", "--takedown", target],
        ["contamination", target, str(tmp_path / "b.jsonl"), "-o", out, "--normalize", "all"],
    ):
        done = command(*words, "--json")
        assert done.code == 2, words
        assert target in done.json_error["found"] or "server" in done.json_error["found"]


def test_info_says_what_the_server_says(
    command: Command, index: gramdex.Index, server: Server
) -> None:
    record = command("info", f"grpc://{server.name}", "--json").json
    assert record["token_count"] == index.token_count
    assert record["tokenizer"]["fingerprint"] == index.tokenizer.fingerprint
    assert record["limits"]["documents"] == 1_000
    assert record["shards"][0]["engine"] == "sa"
    assert f"{index.token_count:,}" in command("info", f"grpc://{server.name}").out


def test_commands_give_token_and_certificates(
    command: Command, index: gramdex.Index, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(index, credentials=authority.credentials(False), tokens={"a": TOKEN}) as server:
        monkeypatch.setenv("GRAMDEX_CA", str(authority.own.cert_file))
        refused = command("count", f"grpcs://{server.name}", "the", "--json")
        assert (refused.code, refused.json_error["error"]) == (1, "AccessError")
        monkeypatch.setenv("GRAMDEX_TOKEN", TOKEN)
        assert command("count", f"grpcs://{server.name}", "the", "--json").json["count"] == 3


def test_contamination_against_a_server(command: Command, tmp_path: Path) -> None:
    text = "a benchmark whose question stands in the corpus word for word, all of it, as it is"
    folder = build_small(tmp_path, text=text)
    benchmark = write_jsonl(tmp_path / "b.jsonl", [text, "nothing of this one is anywhere"])
    found = []
    with Server(gramdex.open(folder)) as server:
        for number, place in enumerate((str(folder), f"grpc://{server.name}")):
            out = tmp_path / str(number)
            done = command("contamination", place, f"{benchmark}", "-o", out, "--json")
            assert done.code == 0, done.err
            (checked,) = done.json["checked"]
            assert checked["totals"]["both"]["windows"]["dirty"] == 1
            found.append({k: checked[k] for k in ("totals", "definitions", "documents_to_drop")})
            assert text in (out / "report.html").read_text()
    assert found[0] == found[1]


def test_an_attributed_page_names_the_server(
    command: Command, server: Server, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    target = f"grpc://{server.name}"
    done = command("attribute", target, "the cat sat on the mat", "--html", page, "--all")
    assert done.code == 0, done.err
    assert target in page.read_text()
