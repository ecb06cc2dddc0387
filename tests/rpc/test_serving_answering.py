"""The answering part of a server: what is let in, drained, ended; in this process."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
from serving import Asker, answering, build_texts, count_request, status_of, wait_until

from gramdex.errors import CorruptIndexError, OverloadedError
from gramdex.rpc import v1
from gramdex.rpc.limits import Limits
from gramdex.rpc.server import answering as answering_module
from gramdex.rpc.server.answering import Answering
from gramdex.rpc.server.listening import allow_connections, options_of
from gramdex.rpc.server.overdue import Overdue
from gramdex.rpc.server.pool import CallPool
from gramdex.rpc.server.settings import Settings

LONG = "the cat sat on the mat. " * 5_000
TOKEN = "a token that is long enough"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty long documents."""
    return build_texts(tmp_path_factory.mktemp("long"), [LONG] * 40)


class Gate:
    """An observer that holds calls of a method until it is opened."""

    def __init__(self, method: str = "Count") -> None:
        self.method, self.open, self.inside = method, threading.Event(), 0
        self.ended_with: list[str] = []

    def began(self, method: str, caller: Any) -> None:
        if method == self.method and not self.open.is_set():
            self.inside += 1
            assert self.open.wait(60)

    def ended(self, told: Any, began: None) -> None:
        self.ended_with.append(type(told.error).__name__)


def test_no_connection_is_taken_before_calls_are_answered(index: Path) -> None:
    part = Answering(Settings((str(index),), port=0, grace=0.0), lambda ready: None)
    port, _ = part.bind(0, None)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    part.start()
    with Asker(port) as ask:
        assert ask.count("cat") == 40 * 5_000
    part.drain()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(answering_module, "observers_of", lambda settings: (gate,))
    return gate


def test_draining_finishes_what_runs_and_takes_nothing_new(index: Path, gate: Gate) -> None:
    with answering(index, threads=2) as (part, port, told), Asker(port) as ask:
        running = [ask.begin("Count", count_request("cat")) for _ in range(3)]
        wait_until(lambda: gate.inside == 2 and part._pool.taken == 3)
        ended: list[bool] = []
        draining = threading.Thread(target=lambda: ended.append(part.drain()))
        draining.start()
        wait_until(lambda: told.said == [True, False])
        with Asker(port) as other:
            wait_until(lambda: status_of(lambda: other.count("cat")) == "UNAVAILABLE")
        gate.open.set()
        assert [each.result().count for each in running] == [40 * 5_000] * 3
        draining.join(60)
        assert ended == [True]


def test_what_does_not_end_in_time_is_cut_off_and_said(index: Path, gate: Gate) -> None:
    with answering(index, grace=0.2) as (part, port, _), Asker(port) as ask:
        running = ask.begin("Count", count_request("cat"))
        wait_until(lambda: gate.inside == 1)
        assert part.drain() is False
        assert status_of(running.result) in ("CANCELLED", "UNAVAILABLE")
        gate.open.set()


def test_calls_that_find_no_place_are_refused_at_once(index: Path, gate: Gate) -> None:
    with answering(index, threads=1, queue=1) as (part, port, _), Asker(port) as ask:
        running = ask.begin("Count", count_request("cat"))
        wait_until(lambda: gate.inside == 1)
        waiting = ask.begin("Count", count_request("mat"))
        wait_until(lambda: part._pool.taken == 2)
        assert status_of(lambda: ask.count("sat")) == "RESOURCE_EXHAUSTED"
        wait_until(lambda: part._pool.refusals.count == 1)
        gate.open.set()
        assert running.result().count == waiting.result().count == 40 * 5_000
        wait_until(lambda: part._pool.taken == 0)
        assert ask.count("sat") == 40 * 5_000


def test_calls_that_waited_too_long_are_refused_when_their_turn_comes(
    index: Path, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CallPool, "patience", 0.01)
    with answering(index, threads=1, queue=16) as (part, port, _), Asker(port) as ask:
        begun = [ask.begin("Count", count_request("cat"))]
        wait_until(lambda: gate.inside == 1)
        begun += [ask.begin("Count", count_request("cat")) for _ in range(8)]
        wait_until(lambda: part._pool.taken == 9)
        threading.Event().wait(0.05)
        gate.open.set()
        ended = [status_of(each.result) for each in begun]
        assert sorted(ended) == ["OK"] * 5 + ["RESOURCE_EXHAUSTED"] * 4  # the last four are few
        wait_until(lambda: len(gate.ended_with) == 9)
        assert gate.ended_with.count("OverloadedError") == 4


def test_patience_follows_what_calls_take() -> None:
    pool = CallPool(1)
    least = pool.patience
    pool.submit(lambda: threading.Event().wait(0.4)).result()
    wait_until(lambda: pool.taken == 0)
    assert pool.patience > 2 * least
    pool.submit(pool.require_patience).result()
    wait_until(lambda: pool.submit(int).result() == 0 and pool.patience == least)
    pool._few = 0
    pool._average = -1.0
    pool.submit(threading.Event().wait, 0.1)
    with pytest.raises(OverloadedError, match="in the queue"):
        pool.submit(pool.require_patience).result()
    pool.shutdown()


@pytest.mark.parametrize("method", ["Documents", "Contamination"])
def test_a_client_that_does_not_go_on_gives_its_thread_back(index: Path, method: str) -> None:
    limits = Limits(seconds=1)
    with answering(index, threads=1, limits=limits) as (part, port, _), Asker(port) as ask:
        if method == "Documents":  # more than fits between the two
            request = v1.DocumentsRequest(query=v1.Query(text="cat"), max_documents=40)
            held = ask.begin("Documents", request)
        else:  # no message ever comes
            path = "/gramdex.v1.IndexService/Contamination"
            held = ask.channel.stream_stream(path)(iter(threading.Event().wait, True))
        wait_until(lambda: part._pool.taken == 1)
        assert ask.count("cat") == 40 * 5_000
        wait_until(lambda: part._pool.taken == 0)
        held.cancel()


def test_overdue_ends_only_what_is_late() -> None:
    overdue, late, early = Overdue(0.01), threading.Event(), threading.Event()
    with overdue.watching(early.set):
        pass
    with overdue.watching(late.set):
        assert late.wait(60)
    assert not early.is_set()
    overdue.watch(early.set)()
    late.clear()
    release = overdue.watch(late.set)
    assert late.wait(60)
    release()
    assert not early.is_set()


def test_large_answers_that_are_read_are_let_go(index: Path) -> None:
    with answering(index) as (_, port, _told), Asker(port) as ask:
        request = v1.CountBatchRequest(queries=[v1.Query(text="cat")] * 20_000)
        assert len(ask("CountBatch", request).counts.values) == 160_000


def test_connections_that_say_nothing_do_not_keep_others_out(index: Path) -> None:
    allow_connections()
    with answering(index) as (_, port, _told):
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
        for number, each in enumerate(silent):
            if number % 2:
                each.sendall(b"PRI * HTTP/2.0\r\n\r\nSM"[: number % 23])
        with Asker(port) as ask:
            assert ask.count("cat") == 40 * 5_000
        for each in silent:
            each.close()


def test_connections_that_are_half_open_are_given_up(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def soon(settings: Settings) -> dict[str, Any]:
        names = ("keepalive_time_ms", "keepalive_timeout_ms", "ping_timeout_ms")
        options = options_of(settings)
        return {k: 200 if k.endswith(names) else v for k, v in options.items()}

    monkeypatch.setattr(answering_module, "options_of", soon)
    with answering(index) as (_, port, _told), Asker(port) as ask:
        half = socket.create_connection(("127.0.0.1", port), timeout=60)
        preface, settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\4\0\0\0\0\0"
        half.sendall(preface + settings)
        while half.recv(4096):  # whatever is sent to it is not answered
            pass
        assert ask.count("cat") == 40 * 5_000
        half.close()


def test_tokens_are_asked_for(index: Path) -> None:
    with answering(index, tokens={"somebody": TOKEN}) as (_, port, _told):
        with Asker(port, token=TOKEN) as ask:
            assert ask.count("mat") == 40 * 5_000
        for token in ("", "another that is long enough"):
            with Asker(port, token=token) as ask:
                assert status_of(lambda: ask.count("mat")) == "UNAUTHENTICATED"


def test_methods_are_told_where_nobody_is_asked_who_they_are(index: Path) -> None:
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    def names(port: int) -> list[str]:
        with Asker(port) as ask:
            stub = reflection_pb2_grpc.ServerReflectionStub(ask.channel)
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            (answer,) = stub.ServerReflectionInfo(iter([request]))
            return [each.name for each in answer.list_services_response.service]

    with answering(index) as (_, port, _told):
        assert "gramdex.v1.IndexService" in names(port)
    protected = answering(index, tokens={"somebody": TOKEN})
    with protected as (_, port, _told), pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
        names(port)


def test_requests_above_the_limit_are_refused_by_its_name(index: Path) -> None:
    limits = Limits(request_bytes=1_000)
    with answering(index, limits=limits) as (_, port, _told), Asker(port) as ask:
        with pytest.raises(grpc.RpcError, match="request_bytes") as raised:
            ask.count("x" * 2_000)
        assert raised.value.code().name == "INVALID_ARGUMENT"
        assert status_of(lambda: ask.count("x" * (4 << 20))) == "RESOURCE_EXHAUSTED"
        assert ask.count("mat") == 40 * 5_000


def test_damage_is_told_until_another_index_is_served(index: Path) -> None:
    def refuse() -> None:
        raise CorruptIndexError("tokens.gdx", "nothing", "bytes")

    with answering(index) as (part, port, told), Asker(port) as ask:
        now = part._serving.now
        assert now is not None
        now.index.require_undamaged = refuse  # type: ignore[method-assign]
        assert [status_of(lambda: ask.count("cat")) for _ in range(2)] == ["DATA_LOSS"] * 2
        assert told.said == [True, False]
        assert not part._is_ready()
        part.reload()
        wait_until(lambda: told.said == [True, False, True])
        assert part._is_ready()
        assert ask.count("cat") == 40 * 5_000
