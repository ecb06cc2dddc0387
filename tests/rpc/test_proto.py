"""The compiled proto is the proto, every method has an answer, and names are as buf wants them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from gramdex.rpc import v1
from gramdex.rpc.methods import METHODS
from gramdex.rpc.server.answers import ANSWERS

RPC = Path(__file__).parent.parent.parent / "rpc"


def test_compiled_files_are_those_of_the_proto() -> None:
    pytest.importorskip("grpc_tools")
    spec = importlib.util.spec_from_file_location("generate", RPC / "proto" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    compiled = generate.compile_proto()
    assert set(compiled) == {"gramdex.binpb", "__init__.pyi"}
    for name, content in compiled.items():
        assert (RPC / "v1" / name).read_bytes() == content


def test_every_method_has_an_answer_and_messages_of_its_own() -> None:
    assert ANSWERS.keys() == METHODS.keys()
    for name, method in METHODS.items():
        assert method.request.DESCRIPTOR.name == f"{name}Request"
        assert method.response.DESCRIPTOR.name == f"{name}Response"
        assert method.path == f"/{method.service}/{name}"
        assert method.service in ("gramdex.v1.IndexService", "gramdex.v1.PartService")


def test_every_answer_carries_its_generation() -> None:
    for method in METHODS.values():
        field = method.response.DESCRIPTOR.fields_by_name["generation"]
        assert field.type == field.TYPE_FIXED64


def test_names_are_as_buf_wants_them() -> None:
    assert v1.DESCRIPTOR.package == "gramdex.v1"
    assert v1.DESCRIPTOR.name == "gramdex/v1/gramdex.proto"
    for message in v1.DESCRIPTOR.message_types_by_name.values():
        assert re.fullmatch(r"([A-Z][a-z0-9]*)+", message.name)
        for field in message.fields:
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*", field.name), field.full_name
    for service in v1.DESCRIPTOR.services_by_name.values():
        assert service.name.endswith("Service")


def test_every_method_and_field_has_a_place_in_the_stubs() -> None:
    stubs = (RPC / "v1" / "__init__.pyi").read_text()
    for message in v1.DESCRIPTOR.message_types_by_name.values():
        assert f"class {message.name}(_message.Message)" in stubs
        assert getattr(v1, message.name).DESCRIPTOR is message
