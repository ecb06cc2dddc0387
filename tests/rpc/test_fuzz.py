"""Every field of every request with values that are none: an error with the field's name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import grpc
import numpy as np
import pytest
from asking import as_query, ask, call, loopback
from building import build_ids
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import build_text

import gramdex
from gramdex.errors import GramdexError, UsageError
from gramdex.rpc import v1
from gramdex.rpc.limits import Limits
from gramdex.rpc.messages.arrays import write_int64
from gramdex.rpc.methods import METHODS
from gramdex.rpc.server.service import Service
from gramdex.rpc.server.serving import Serving
from gramdex.rpc.status import status_of

LIMITS = Limits(
    query_tokens=100, query_bytes=400, text_tokens=100, text_bytes=400, batch=4, batch_tokens=600,
    clauses=3, phrases=4, documents=5, nodes=20, examples=3, example_bytes=4000,
)  # fmt: skip
TEXTS = [
    "the cat sat on the mat",
    "a cat and a hat",
    "the tale of the cat",
    "\1\2\3\1\2",
]
MARK = "MARKMARK"
WITH_FIELDS = [name for name in METHODS if METHODS[name].request.DESCRIPTOR.fields]
THREE = v1.Tokens(ids=b"\1\2\3", width=2)


@pytest.fixture(scope="module", params=["bytes", "ids"])
def service(request: Any, tmp_path_factory: Any) -> Service:
    folder = tmp_path_factory.mktemp("index")
    if request.param == "bytes":
        path = build_text(folder, TEXTS, "bytes")
    else:
        path = build_ids(folder, [[1, 2, 3, 1, 2], [4, 5, 1, 2, 3]], 10)
    return Service(Serving(gramdex.open(path)), LIMITS)


def valid(name: str) -> Any:
    """A request that every index answers, but for methods that need a text."""
    query, example = as_query([1, 2]), v1.Example(name="one", question=["the cat sat"])
    token = v1.TokenChoice(id=3)
    clause = v1.Clause(phrases=[query, as_query([3])])
    tokens = v1.TokenBatch(tokens=query.tokens, lengths=b"\1\0\0\0\1\0\0\0")
    fields: dict[str, dict[str, Any]] = {
        "GetInfo": {},
        "GetTokenizer": {},
        "Encode": {"text": "cat"},
        "Decode": {"tokens": query.tokens},
        "CountBatch": {"tokens": tokens},
        "Locate": {"interval": v1.Interval(shard=0, low=0, high=2)},
        "Prob": {"context": query, "token": token},
        "Ntd": {"context": query, "limit": 3},
        "InfgramProb": {"context": query, "token": token},
        "InfgramNtd": {"context": query, "limit": 3},
        "InfgramScores": {"text": query},
        "Match": {"text": query},
        "Draft": {"context": query, "max_nodes": 4, "max_depth": 3, "min_score": 0.1},
        "Documents": {"query": query, "max_documents": 2, "context": 3, "skip": 1},
        "GetDocument": {"number": 1},
        "GetDocumentAt": {"shard": 0, "position": 1, "context": 2},
        "Search": {
            "clauses": [clause], "max_documents": 2, "window": 5, "seed": 1, "context": 3,
            "skip": 0,
        },
        "Attribute": {
            "text": query, "min_length": 1, "max_count": 100, "keep": 0.5, "words": False,
            "max_documents": 2, "context": 3, "seed": 2,
        },
        "Contamination": {
            "options": v1.ContaminationOptions(
                definitions=[v1.Definition(name="windows", parameters_json='{"characters": 5}')],
                most_count=5,
            ),
            "examples": [example],
        },
    }  # fmt: skip
    cnf = v1.Cnf(clauses=[clause], window=5)
    fields |= {
        "DocumentsFound": {"query": query, "most": 3},
        "ClauseCounts": {"cnf": cnf},
        "SearchPart": {"cnf": cnf, "anchor": 0, "seed": 1, "confidence": 0.9, "most": 3},
        "SearchPlaces": {"cnf": cnf, "anchor": 0, "seed": 1, "ordinals": table()},
        "SearchDocuments": {"cnf": cnf, "places": table(0, 1), "length": 2, "context": 3},
        "Located": {"queries": tokens},
        "Occurrences": {"queries": tokens, "which": table(0), "numbers": table(0)},
        "WordCounts": {"places": table(0, 1, 1), "text": query.tokens},
        "DocumentsAround": {"queries": tokens, "places": table(0, 0, 1), "context": 2},
    }
    single = name.removesuffix("Batch")
    if name != single and name != "CountBatch":
        return METHODS[name].request(requests=[valid(single)] * 2)
    return METHODS[name].request(**fields.get(name, {"query": query}))


def table(*numbers: int) -> v1.Int64Array:
    return write_int64(np.array(numbers, np.int64))


def leaves(message: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every field that is set, with its path, descriptor and the message that holds it."""
    for field, value in message.ListFields():
        name = f"{path}{field.name}"
        yield name, field, message
        if field.type == field.TYPE_MESSAGE:
            for part in value if isinstance(value, (list, tuple)) or _repeated(value) else [value]:
                yield from leaves(part, f"{name}.")


def _repeated(value: Any) -> bool:
    return hasattr(value, "append") or hasattr(value, "add")


def bad_values(field: Any, value: Any) -> list[Any]:
    """Values a field must survive."""
    kinds = {
        field.TYPE_UINT32: [0, 1, 7, 2**32 - 1],
        field.TYPE_UINT64: [0, 1 << 31, 1 << 40, 2**63, 2**64 - 1],
        field.TYPE_INT64: [0, -1, 1 << 40, -(2**63), 2**63 - 1],
        field.TYPE_DOUBLE: [0.0, -1.0, math.nan, math.inf, -math.inf, 1e308],
        field.TYPE_BYTES: [b"", b"\xff", b"\xff" * 3, b"\xff" * 4, b"\0" * 100_000],
        field.TYPE_STRING: ["", "\0", "x" * 10_000, "\U0001f600" * 300, "{", "[]", '"a"', MARK],
        field.TYPE_BOOL: [True, False],
    }
    return kinds.get(field.type, [])


def mutants(name: str) -> Iterator[tuple[str, bytes]]:
    """Requests with one field changed, by the path of the field."""
    for number in range(len(list(leaves(valid(name))))):
        request = valid(name)
        path, field, holder = list(leaves(request))[number]
        value = getattr(holder, field.name)
        cleared = METHODS[name].request.FromString(request.SerializeToString())
        _, _, other = list(leaves(cleared))[number]
        other.ClearField(field.name)
        yield path, cleared.SerializeToString()
        if _repeated(value):
            if field.type == field.TYPE_MESSAGE:
                value.extend([value[0]] * 200)
                yield path, request.SerializeToString()
            continue
        for bad in bad_values(field, value):
            setattr(holder, field.name, bad)
            data = request.SerializeToString()
            yield path, data
            if bad == MARK:
                yield path, data.replace(MARK.encode(), b"\xff\xfe\x80abcd\xc3")


def require_told(name: str, path: str, error: GramdexError) -> None:
    """The error is the asker's, and of a field of the request."""
    assert isinstance(error, UsageError), (name, path, error)
    fields = METHODS[name].request.DESCRIPTOR.fields_by_name
    if fields:
        assert any(error.thing.startswith(field) for field in fields), (name, path, error)


@pytest.mark.parametrize("name", WITH_FIELDS)
def test_every_field_with_every_bad_value(service: Service, name: str) -> None:
    expected = ask(service, "Count", query=as_query([1, 2])).count
    asked = answered = 0
    for path, data in mutants(name):
        asked += 1
        try:
            ask(service, name, [data])
            answered += 1
        except GramdexError as error:
            require_told(name, path, error)
    assert asked > 3
    assert answered < asked
    assert ask(service, "Count", query=as_query([1, 2])).count == expected


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_request_that_is_valid_is_answered(service: Service, name: str) -> None:
    of_ids = service.serving.now.index.tokenizer.kind == "none"  # type: ignore[union-attr]
    if of_ids and name in ("Encode", "Decode", "Contamination"):
        with pytest.raises(UsageError):
            ask(service, name, valid(name))
    else:
        assert ask(service, name, valid(name)) is not None


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(METHODS)), st.binary(max_size=60), st.integers(0, 40))
def test_bytes_that_are_no_message(service: Service, name: str, noise: bytes, cut: int) -> None:
    data = valid(name).SerializeToString()
    for some in (noise, data[:cut] + noise, data + noise):
        with suppress(UsageError):  # and nothing else
            ask(service, name, [some])


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("Count", {}, "query: nothing"),
        ("Count", {"query": v1.Query()}, "query: nothing"),
        ("Count", {"query": v1.Query(tokens=v1.Tokens(ids=b"\1", width=3))}, ".width"),
        ("Count", {"query": v1.Query(tokens=THREE)}, "query.tokens.ids"),
        ("Count", {"query": as_query([200_000])}, "query: token id 200000"),
        ("Count", {"query": as_query([1] * 101)}, "query.tokens: 101"),
        ("Prob", {"context": as_query([1])}, "token: nothing"),
        ("Prob", {"context": as_query([1]), "token": v1.TokenChoice(id=999)}, "token"),
        ("Ntd", {"context": as_query([1]), "limit": 0}, "limit: 0"),
        ("Documents", {"query": as_query([1]), "max_documents": 6}, "max_documents: 6"),
        ("Documents", {"query": as_query([1]), "skip": 2**63}, "skip"),
        ("Documents", {"query": as_query([])}, "query: no tokens"),
        ("GetDocument", {"number": 99}, "number: document 99"),
        ("Locate", {}, "interval"),
        ("Search", {"query": "a AND ("}, "query"),
        ("Search", {"query": "a", "clauses": [v1.Clause()]}, "query: both"),
        ("Draft", {"context": as_query([1]), "min_score": math.nan}, "min_score: nan"),
        ("Attribute", {"text": as_query([1]), "keep": math.nan}, "keep: nan"),
        ("Attribute", {"text": as_query([1]), "keep": 1.5}, "keep: 1.5"),
        ("CountBatch", {"queries": [as_query([1])] * 5}, "queries: 5"),
        ("CountBatch", {"queries": [as_query([1]), v1.Query()]}, "queries[1]"),
        ("NtdBatch", {"requests": [v1.NtdRequest()]}, "requests[0].context"),
    ],
)  # fmt: skip
def test_what_is_said(service: Service, name: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask(service, name, **fields)
    assert said in str(caught.value)


def _error_of(channel: grpc.Channel, data: bytes) -> Any:
    try:
        call(channel, "Count", data)
    except grpc.RpcError as error:
        return error
    return None


def test_the_same_over_the_network(service: Service) -> None:
    with loopback(service) as target, grpc.insecure_channel(target) as channel:
        right = call(channel, "Count", v1.CountRequest(query=as_query([1, 2]))).count
        for path, data in mutants("Count"):
            if (error := _error_of(channel, data)) is not None:
                assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, (path, error)
                assert error.details().startswith("query"), (path, error)
        assert call(channel, "Count", v1.CountRequest(query=as_query([1, 2]))).count == right


def test_an_unknown_method_is_refused(service: Service) -> None:
    with loopback(service) as target, grpc.insecure_channel(target) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/gramdex.v1.IndexService/Nothing")(b"")
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_statuses_of_what_is_wrong_in_a_request(service: Service) -> None:
    with pytest.raises(UsageError) as caught:
        ask(service, "Count")
    assert status_of(caught.value) == grpc.StatusCode.INVALID_ARGUMENT
