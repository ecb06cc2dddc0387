"""HTTP servers in this process, and asking them, for tests."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gramdex.rpc.http.app import make_app
from gramdex.rpc.http.listening import HttpServer
from gramdex.rpc.server.listening import reserve
from gramdex.rpc.server.service import Service


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        assert self.headers["content-type"] == "application/x-ndjson"
        assert self.body.endswith(b"\n")
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        error = self.json["error"]
        assert error["status"] == self.status
        assert list(error) == ["kind", "thing", "found", "expected", "remedy", "status"]
        return error


@dataclass(frozen=True)
class Site:
    """A server on the loopback."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, verb: str, path: str, body: bytes | None = None, host: str = "", **headers: str
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            chunked = "transfer-encoding" in named
            named |= {"host": host} if host else {}
            connection.request(verb, path, body, named, encode_chunked=chunked)
            reply = connection.getresponse()
            pairs = {name.lower(): value for name, value in reply.getheaders()}
            return Reply(reply.status, pairs, reply.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, **headers)

    def post(self, method: str, value: Any, **headers: str) -> Reply:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask(
            "POST", f"/v1/{method}", body, **({"content_type": "application/json"} | headers)
        )


@contextmanager
def serving(service: Service, wrap: Any = None, **options: Any) -> Iterator[Site]:
    """A server of a service; ``wrap`` may stand between it and the application."""
    app = make_app(service, **options)
    server = HttpServer(wrap(app) if wrap else app, [reserve("--http-port", "127.0.0.1", 0)])
    server.start()
    try:
        yield Site(server.ports[0])
    finally:
        server.stop(5)
