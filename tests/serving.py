"""Servers of small indexes, in this process and in others, and asking them; for tests."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from commanding import child, plain_environment

import gramdex
from gramdex.indexer.readers import ReadOptions
from gramdex.rpc import v1
from gramdex.rpc.methods import METHODS
from gramdex.rpc.server.answering import Answering
from gramdex.rpc.server.settings import Settings

WAIT = 60.0
"""Seconds that anything may take on a machine that is busy with other things."""


def build_texts(folder: Path, documents: list[str]) -> Path:
    """Index of bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = folder / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"text": each}) + "\n" for each in documents))
    gramdex.build(corpus, folder / "index", read=ReadOptions())
    return folder / "index"


def count_request(text: str) -> v1.CountRequest:
    return v1.CountRequest(query=v1.Query(text=text))


def slow_request() -> v1.CountBatchRequest:
    """Some milliseconds of work."""
    return v1.CountBatchRequest(queries=[v1.Query(text="cat")] * 2_000)


class Asker:
    """Asks a server over a channel of its own."""

    def __init__(self, port: int, credentials: Any = None, token: str = "", host: str = "") -> None:
        options = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))
        target = f"{host or '127.0.0.1'}:{port}"
        self.channel = (
            grpc.insecure_channel(target, options)
            if credentials is None
            else grpc.secure_channel(target, credentials, options)
        )
        self._metadata = [("authorization", f"Bearer {token}")] if token else None

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def __call__(self, name: str, request: Any, seconds: float = WAIT) -> Any:
        return self.begin(name, request, seconds).result()

    def begin(self, name: str, request: Any, seconds: float = WAIT) -> Any:
        """A call that is not waited for."""
        method = METHODS[name]
        form = (method.path, method.request.SerializeToString, method.response.FromString)
        options = {"timeout": seconds, "metadata": self._metadata, "wait_for_ready": False}
        if method.server_streaming:
            return self.channel.unary_stream(*form)(request, **options)
        return self.channel.unary_unary(*form).future(request, **options)

    def count(self, text: str) -> int:
        return self("Count", count_request(text)).count


def status_of(call: Callable[[], Any]) -> str:
    """Name of the status a call ends with."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


class Told:
    """Collects what an answering part tells."""

    def __init__(self) -> None:
        self.said: list[bool] = []

    def __call__(self, ready: bool) -> None:
        self.said.append(ready)


@contextmanager
def answering(*indexes: Path, **options: Any) -> Iterator[tuple[Answering, int, Told]]:
    """The answering part of a server in this process."""
    told = Told()
    settings = Settings(tuple(map(str, indexes)), port=0, **({"grace": 5.0} | options))
    part = Answering(settings, told)
    port, _ = part.bind(0, settings.http_port)
    part.start()
    try:
        yield part, port, told
    finally:
        part.drain()


class Server:
    """A server in a process of its own."""

    def __init__(self, *arguments: Any, **environment: str) -> None:
        settings = {"env": plain_environment(**environment)}
        port = () if "--port" in arguments else ("--port", "0")
        self.process = child("serve", *arguments, *port, "--json", **settings)
        self.ready = json.loads(read_line(self.process))
        self.port, self.health = self.ready["port"], f"127.0.0.1:{self.ready['health_port']}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal, wait; exit code and stderr."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=WAIT)
        return self.process.returncode, said.decode()


def read_line(process: subprocess.Popen[bytes]) -> str:
    """The first line of stdout; fails with stderr where none comes."""
    assert process.stdout is not None
    line, end = b"", time.monotonic() + WAIT
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
        part = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not part:
            process.kill()
            raise AssertionError(process.communicate()[1].decode())
        line += part
    return line.decode()


def wait_until(true: Callable[[], Any]) -> None:
    """Until it is so; fails where it never is."""
    end = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
