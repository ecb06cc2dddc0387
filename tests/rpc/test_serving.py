"""``gramdex serve`` as processes: from the ready line to the exit code."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from commanding import Command, child, finish
from serving import (
    WAIT,
    Asker,
    Server,
    build_texts,
    count_request,
    slow_request,
    status_of,
    wait_until,
)

from gramdex.rpc.server.health import ask_health

TEXTS = ["a cat and a cat", "the dog"]


ONE = ("--threads", "1", "--queue", "1")
"""Options of a server that has one thread and one place before it."""


def hold(ask: Asker, token: str = "") -> Any:
    """Take the only thread of a server with a call that does not end."""
    method = ask.channel.stream_stream("/gramdex.v1.IndexService/Contamination")
    metadata = [("authorization", f"Bearer {token}")] if token else None
    held = method(iter(threading.Event().wait, True), metadata=metadata)

    def status() -> str:
        """Refused when one whose time is over waits behind the call that does not end."""
        return status_of(lambda: ask("Count", count_request("cat"), 0.2))

    wait_until(lambda: status() == "RESOURCE_EXHAUSTED")
    return held


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_texts(tmp_path_factory.mktemp("served"), TEXTS)


@pytest.fixture(scope="module")
def server(index: Path) -> Iterator[Server]:
    """One that most tests share."""
    with Server(index, "--health-port", "0", "--reload-seconds", "0.1") as server:
        yield server


class Load:
    """Threads that ask until they are ended, and keep how calls ended."""

    def __init__(self, port: int, threads: int, retry: bool = False) -> None:
        self.ended, self._done = [], threading.Event()
        self._port, self._retry = port, retry
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]
        for each in self._threads:
            each.start()

    def end(self) -> set[str]:
        """How calls ended, "wrong" among it."""
        self._done.set()
        for each in self._threads:
            each.join(WAIT)
        return set(self.ended)

    def _ask(self) -> None:
        with Asker(self._port) as ask:
            while not self._done.is_set():
                try:
                    right = ask.count("cat") == 2
                    counts = ask("CountBatch", slow_request()).counts.values
                    right = right and counts == (2).to_bytes(8, "little") * 2_000
                    self.ended.append("right" if right else "wrong")
                except grpc.RpcError as error:
                    self.ended.append(error.code().name)
                    if not self._retry:
                        return
                    time.sleep(0.01)


def test_the_ready_line_and_the_health_of_a_server(server: Server, command: Command) -> None:
    assert set(server.ready) == {
        "ready", "host", "port", "health_port", "http_port", "pid", "processes",
    }  # fmt: skip
    assert (server.ready["pid"], server.ready["http_port"]) == (server.process.pid, None)
    outcome = command("health", server.health, "--json")
    assert (outcome.code, outcome.json["ready"]) == (0, True)
    with Asker(server.port) as ask:
        assert ask.count("cat") == 2
    outcome = command("health", "127.0.0.1:1", "--seconds", "10")
    assert outcome.code == 1
    assert "UNAVAILABLE" in outcome.err


def test_a_port_that_is_taken(server: Server, index: Path, command: Command) -> None:
    for more in ([], ["--processes", "2"]):
        outcome = command("serve", index, "--port", server.port, "--health-port", 0, *more)
        assert (outcome.code, outcome.out) == (2, "")
        assert f"127.0.0.1:{server.port}: Address already in use" in outcome.err
    taken = server.health.partition(":")[2]
    outcome = command("serve", index, "--port", 0, "--health-port", taken)
    assert outcome.code == 2
    assert "--health-port" in outcome.err
    outcome = command("serve", index, "--port", 0, "--http-port", server.port)
    assert outcome.code == 2
    assert "--http-port" in outcome.err
    with Asker(server.port) as ask:
        assert ask.count("cat") == 2


def test_what_cannot_be_served(index: Path, tmp_path: Path, command: Command) -> None:
    outcome = command("serve", tmp_path / "nowhere", "--port", 0, "--json")
    assert (outcome.code, outcome.json_error["error"]) == (4, "IncompleteIndexError")
    outcome = command("serve", index, "--host", "0.0.0.0")
    assert outcome.code == 2
    assert "--insecure" in outcome.err
    outcome = command("serve", index, "--limit", "documents=0")
    assert outcome.code == 2
    outcome = command("serve", index, "--host", "192.0.2.1", "--insecure", "--port", 0)
    assert outcome.code == 2
    assert "Cannot assign" in outcome.err
    outcome = command("serve")
    assert outcome.code == 2


def test_a_process_that_cannot_open_the_index_ends_all(tmp_path: Path) -> None:
    outcome = finish(child("serve", tmp_path / "no", "--port", 0, "--processes", 2, "--json"))
    assert (outcome.code, outcome.json_error["error"]) == (4, "IncompleteIndexError")


def test_a_signal_forces_a_look_and_another_ends_it_without_losing_a_call(server: Server) -> None:
    load = Load(server.port, 3)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: load.ended.count("right") > 20)
    code, said = server.end()
    assert code == 0, said
    assert "now serving" in said
    assert "ending" in said
    assert load.end() <= {"right", "UNAVAILABLE"}
    assert load.ended.count("UNAVAILABLE") == 3
    with pytest.raises(Exception, match="UNAVAILABLE"):
        ask_health(server.health, 10)


def test_ctrl_c_twice_ends_it_at_once(index: Path) -> None:
    with Server(index, "--health-port", "0", *ONE) as server, Asker(server.port) as ask:
        held = hold(ask)
        assert ask_health(server.health, WAIT)
        server.process.send_signal(signal.SIGINT)
        wait_until(lambda: not ask_health(server.health, WAIT))  # draining, as the call goes on
        assert server.process.poll() is None
        code, _ = server.end(signal.SIGINT)
        assert code == 1
        with pytest.raises(grpc.RpcError, match="UNAVAILABLE"):
            next(held)


def test_tokens_are_warned_of_and_what_does_not_end_is_cut_off(index: Path, tmp_path: Path) -> None:
    token, tokens = "0123456789abcdef", tmp_path / "tokens"
    tokens.write_text(f"somebody:{token}\n")
    tokens.chmod(0o644)
    options = ("--health-port", "0", "--tokens", tokens, "--grace", "0.3", *ONE)
    with Server(index, *options) as server:
        with Asker(server.port) as ask, pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
            ask.count("cat")
        with Asker(server.port, token=token) as ask:
            assert ask.count("cat") == 2
            held = hold(ask, token)
            code, said = server.end(signal.SIGINT)
            with pytest.raises(grpc.RpcError, match=r"CANCELLED|UNAVAILABLE"):
                next(held)
    assert code == 1
    assert "can be read by other users" in said
    assert "were cut off" in said
    assert token not in said


def workers_of(pid: int) -> set[int]:
    """Processes of a server that answer."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = {int(each): Path(f"/proc/{each}/cmdline").read_bytes() for each in children}
    return {each for each, line in lines.items() if b"spawn_main" in line}


def test_processes_share_a_port_and_one_that_is_killed_is_started_again(index: Path) -> None:
    options = ("--health-port", "0", "--processes", "2", "--threads", "4")
    with Server(index, *options) as server:
        first = workers_of(server.process.pid)
        assert len(first) == 2
        load = Load(server.port, 4, retry=True)
        wait_until(lambda: load.ended.count("right") > 20)
        os.kill(min(first), signal.SIGKILL)
        wait_until(lambda: len(workers_of(server.process.pid) - first) == 1)
        assert ask_health(server.health, WAIT)
        seen = len(load.ended)
        wait_until(lambda: load.ended[seen:].count("right") > 20)
        assert load.end() <= {"right", "UNAVAILABLE"}
        assert ask_health(server.health, WAIT)
        with Asker(server.port) as ask:
            assert ask("Count", count_request("dog")).count == 1
        code, said = server.end(signal.SIGINT)
        assert code == 0, said
        assert "ended by SIGKILL" in said


def test_processes_end_with_the_one_that_looks_after_them(index: Path) -> None:
    with Server(index, "--health-port", "0", "--processes", "2") as server:
        workers = workers_of(server.process.pid)
        server.process.kill()
        wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in workers))
