"""Real servers on loopback, and answers of a local and a remote index side by side."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np

import gramdex
from gramdex.errors import GramdexError
from gramdex.rpc.limits import Limits
from gramdex.rpc.methods import Method
from gramdex.rpc.server.access import Access
from gramdex.rpc.server.grpc_server import make_server
from gramdex.rpc.server.service import Service
from gramdex.rpc.server.serving import Serving

TOKEN = "a token of some length"


class Behaving(Service):
    """A service that does something before each answer; counts the calls it got."""

    def __init__(self, index: gramdex.Index | None, **settings: Any) -> None:
        super().__init__(Serving(index), **settings)
        self.before: Callable[[str], None] = lambda method: None
        self.calls: list[str] = []

    def unary(self, method: Method, data: bytes, caller: Any) -> bytes:
        self.calls.append(method.name)
        self.before(method.name)
        return super().unary(method, data, caller)

    def streaming(self, method: Method, data: Any, caller: Any) -> Any:
        self.calls.append(method.name)
        self.before(method.name)
        return super().streaming(method, data, caller)


class Server:
    """A server of an index; a context manager."""

    def __init__(
        self,
        index: gramdex.Index | None,
        port: int = 0,
        credentials: grpc.ServerCredentials | None = None,
        limits: Limits | None = None,
        tokens: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        access = Access(tokens)
        self.service = Behaving(index, limits=limits or Limits(), access=access, **settings)
        self._pool = ThreadPoolExecutor(8)
        self._server = make_server(self.service, self._pool, 68, {"grpc.so_reuseport": 0})
        place = f"127.0.0.1:{port}"
        if credentials is None:
            self.port = self._server.add_insecure_port(place)
        else:
            self.port = self._server.add_secure_port(place, credentials)
        assert self.port
        self._server.start()

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.stop(None).wait()
        self._pool.shutdown()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def outcome(ask: Callable[[], Any]) -> Any:
    """What is answered, in a form that compares; of an error its class."""
    try:
        return plain(ask())
    except GramdexError as error:
        return type(error).__name__


def plain(value: Any) -> Any:
    """Every field of a result with its type, arrays with their dtype."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, [plain(each) for each in value.tolist()]
    if dataclasses.is_dataclass(value):
        fields = {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return type(value).__name__, fields
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(each) for each in value]
    if isinstance(value, float):
        return "float", repr(value)
    return type(value).__name__, value


def wait_until(holds: Callable[[], bool]) -> None:
    """Until something that is about to happen has happened."""
    for _ in range(1_000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def build_small(folder: Path, name: str = "small", text: str = "the cat sat on the mat") -> Path:
    """An index of bytes of one short document and another."""
    source = folder / f"{name}.txt"
    source.write_text(f"{text}\na dog and the cat\n")
    gramdex.build(source, folder / name)
    return folder / name
