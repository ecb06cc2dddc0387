"""Traces: a span for each call, inside the client's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from observing import serve_index, small_index, watched

import gramdex
from gramdex.rpc import v1
from gramdex.rpc.methods import METHODS
from gramdex.rpc.observing.tracing import Tracing

ROOT = Path(__file__).parents[2]
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TEXT = "xylophoneKestrel"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> gramdex.Index:
    return small_index(tmp_path_factory.mktemp("index"))


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Where spans go; the provider of a process can be set once, so it is put in its place."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


def test_a_span_for_each_call(index: gramdex.Index, spans: Any) -> None:
    request = v1.CountRequest(query=v1.Query(text=TEXT)).SerializeToString()
    with watched(serve_index(index, Tracing())) as server:
        stub = server.channel.unary_unary(METHODS["Count"].path)
        stub(request, metadata=[("traceparent", PARENT)])
        with pytest.raises(grpc.RpcError):
            stub(b"\x0a\xff" + TEXT.encode())
        server.call("Documents", v1.DocumentsRequest(query=v1.Query(text=TEXT)))
    good, bad, documents = spans.get_finished_spans()
    assert (good.name, good.kind.name) == ("gramdex.v1.IndexService/Count", "SERVER")
    assert f"{good.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{good.parent.span_id:016x}" == PARENT.split("-")[2]
    assert (good.attributes["rpc.system"], good.attributes["rpc.method"]) == ("grpc", "Count")
    assert good.attributes["rpc.service"] == "gramdex.v1.IndexService"
    assert good.attributes["rpc.grpc.status_code"] == 0
    assert good.attributes["gramdex.request_bytes"] == len(request)
    assert (bad.parent, bad.attributes["rpc.grpc.status_code"]) == (None, 3)
    assert (bad.attributes["error.type"], bad.status.status_code.name) == ("QueryError", "UNSET")
    assert documents.attributes["rpc.method"] == "Documents"
    assert TEXT not in "".join(span.to_json() for span in (good, bad, documents))


def test_a_fault_of_the_server_is_an_error(index: gramdex.Index, spans: Any) -> None:
    service = serve_index(index, Tracing())
    service.serving._served = None
    with watched(service) as server, pytest.raises(grpc.RpcError):
        server.count("ana")
    (span,) = spans.get_finished_spans()
    assert span.status.status_code.name == "ERROR"
    assert span.attributes["rpc.grpc.status_code"] == 14


def test_without_opentelemetry_there_is_none() -> None:
    """Whether it is installed or not: an entry of None is a module that cannot be imported."""
    script = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from gramdex.rpc.observing.tracing import tracing; print(tracing())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "()\n"
