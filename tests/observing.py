"""Servers that are watched, and reading what they tell, for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
from commanding import write_jsonl
from prometheus_client.parser import text_string_to_metric_families

import gramdex
from gramdex.rpc import v1
from gramdex.rpc.methods import METHODS
from gramdex.rpc.observing.metrics import Metrics
from gramdex.rpc.server.grpc_server import make_server
from gramdex.rpc.server.pool import CallPool
from gramdex.rpc.server.service import Service
from gramdex.rpc.server.serving import Serving


@dataclass
class Watched:
    """A gRPC server on loopback."""

    service: Service
    channel: grpc.Channel
    pool: CallPool

    def call(self, name: str, request: Any = b"", timeout: float | None = 30) -> list[bytes]:
        """Every message of an answer; bytes go as they are."""
        method = METHODS[name]
        data = request if isinstance(request, bytes) else request.SerializeToString()
        if method.client_streaming:
            return list(self.channel.stream_stream(method.path)(iter([data]), timeout=timeout))
        if method.server_streaming:
            return list(self.channel.unary_stream(method.path)(data, timeout=timeout))
        return [self.channel.unary_unary(method.path)(data, timeout=timeout)]

    def count(self, text: str, **options: Any) -> int:
        """Occurrences of a text."""
        (answer,) = self.call("Count", v1.CountRequest(query=v1.Query(text=text)), **options)
        return v1.CountResponse.FromString(answer).count


@contextmanager
def watched(service: Service, threads: int = 4, most: int = 68) -> Iterator[Watched]:
    """Serve, and end everything."""
    with CallPool(threads) as pool:
        server = make_server(service, pool, most, {"grpc.so_reuseport": 0})
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Watched(service, channel, pool)
        server.stop(0).wait()


def small_index(folder: Path, texts: tuple[str, ...] = ("banana", "bandana")) -> gramdex.Index:
    """An index of bytes."""
    gramdex.build(write_jsonl(folder / "corpus.jsonl", list(texts)), folder / "index")
    return gramdex.open(folder / "index")


def serve_index(index: gramdex.Index, *observers: Any, **options: Any) -> Service:
    """A service of an index."""
    return Service(Serving(index), observers=observers, **options)


Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(content: bytes) -> Samples:
    """Every sample by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """One of them; 0 where there is none."""
    return samples.get((name, frozenset(labels.items())), 0.0)


@contextmanager
def metrics_server(metrics: Metrics, token: str = "", port: int = 0) -> Iterator[str]:
    """Metrics over HTTP, to those who have the token; the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = not token or self.headers["Authorization"] == f"Bearer {token}"
            content, kind = metrics.render(self.headers.get("Accept", ""))
            self.send_response((200 if known else 401) if self.path == "/metrics" else 404)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content if known else b"")

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
