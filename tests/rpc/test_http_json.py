"""Messages as JSON: there and back, and whatever else may come."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gramdex.errors import QueryError
from gramdex.rpc import v1
from gramdex.rpc.http.json_reading import parse_json, read_message
from gramdex.rpc.http.json_writing import is_map, is_repeated, write_json
from gramdex.rpc.messages.arrays import (
    write_float64,
    write_int64,
    write_token_batch,
    write_tokens,
)
from gramdex.rpc.methods import METHODS

# Most batches are lists of what is here.
ONCE = [method for name, method in METHODS.items() if name.removesuffix("Batch") in ("Count", name)]
KINDS = {each.response for each in ONCE} | {each.request for each in ONCE}
QUICK = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)

ids = st.lists(st.integers(0, (1 << 32) - 1), max_size=6)
texts = st.text(max_size=8)
int64 = st.integers(-1 << 63, (1 << 63) - 1)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
SCALARS: dict[int, st.SearchStrategy] = {
    FieldDescriptor.TYPE_STRING: texts,
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=6),
    FieldDescriptor.TYPE_INT64: int64,
    FieldDescriptor.TYPE_UINT64: st.integers(0, (1 << 64) - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, (1 << 64) - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, (1 << 32) - 1),
}


def tokens(of: list[int]) -> v1.Tokens:
    return write_tokens(np.array(of, np.int64))


ARRAYS: dict[str, st.SearchStrategy] = {
    "Tokens": ids.map(tokens),
    "TokenBatch": st.lists(ids.map(lambda row: np.array(row, np.int64)), max_size=3).map(
        write_token_batch
    ),
    "Int64Array": st.lists(int64, max_size=6).map(lambda row: write_int64(np.array(row, np.int64))),
    "Float64Array": st.lists(st.floats(), max_size=6).map(
        lambda row: write_float64(np.where(np.isnan(row), np.nan, np.array(row)))
    ),
    "Query": texts.map(lambda text: v1.Query(text=text))
    | ids.map(lambda of: v1.Query(tokens=tokens(of))),
    "TokenChoice": texts.map(lambda text: v1.TokenChoice(text=text))
    | st.integers(0, (1 << 32) - 1).map(lambda number: v1.TokenChoice(id=number)),
}


@st.composite
def messages(draw: Any, name: str) -> Any:
    """Messages of a kind that its fields allow."""
    if name in ARRAYS:
        return draw(ARRAYS[name])
    message = getattr(v1, name)()
    for field in message.DESCRIPTOR.fields:
        if draw(st.integers(0, 3)):
            put(draw, message, field)
    return message


def put(draw: Any, message: Any, field: Any) -> None:
    target = getattr(message, field.name)
    inner = field.message_type
    kind = inner.fields_by_name["value"] if is_map(field) else field
    one = messages(inner.name) if inner and kind is field else SCALARS[kind.type]
    if field.name.endswith("_json"):
        one = st.dictionaries(texts, values, max_size=2).map(json.dumps)
    if is_map(field):
        target.update(draw(st.dictionaries(texts, one, max_size=2)))
    elif is_repeated(field):
        target.extend(draw(st.lists(one, max_size=2)))
    elif inner:
        target.CopyFrom(draw(messages(inner.name)))
        target.SetInParent()
    else:
        setattr(message, field.name, draw(one))


@pytest.mark.parametrize("kind", sorted(KINDS, key=lambda each: each.DESCRIPTOR.name))
def test_there_and_back(kind: Any) -> None:
    @given(messages(kind.DESCRIPTOR.name))
    @settings(QUICK, max_examples=15)
    def check(message: Any) -> None:
        said = write_json(message)
        assert b"\n" not in said
        json.loads(said, parse_constant=pytest.fail)
        assert read_message(kind, parse_json(said)) == message

    check()


def test_forms() -> None:
    document = v1.Document(
        number=1 << 53, ids=tokens([1, 2]), metadata_json='{"a": NaN, "b": "\\ud800é"}'
    )
    said = write_json(document)
    assert json.loads(said)["metadata_json"] == {"a": None, "b": "\ud800é"}
    assert json.loads(said)["number"] == str(1 << 53)
    assert b'"ids":[1,2]' in said
    assert "text" not in json.loads(said)
    scores = v1.InfgramScoresResponse(probs=write_float64(np.array([0.5, np.nan, 1e-9])))
    assert json.loads(write_json(scores))["probs"] == [0.5, None, 1e-9]
    assert "suffix_lengths" not in json.loads(write_json(scores))
    assert write_json(v1.GetInfoRequest()) == b"{}"
    assert write_json(v1.CountResponse(generation=7)) == b'{"count":0,"generation":"7"}'
    many = np.arange(100_000)
    said = write_json(v1.MatchResponse(lengths=write_int64(many)))
    assert json.loads(said)["lengths"] == many.tolist()


def test_no_field_has_a_name_that_stands_for_the_whole() -> None:
    for each in METHODS.values():
        assert "body" not in each.request.DESCRIPTOR.fields_by_name


@given(st.binary(max_size=60) | st.text("[]{}\":,0123456789.eE-+ntf\\u'aN", max_size=60))
@QUICK
def test_any_bytes_are_read_or_refused(data: bytes | str) -> None:
    try:
        parse_json(data if isinstance(data, bytes) else data.encode())
    except QueryError as refused:
        said = refused
        assert said.thing == "body"


@pytest.mark.parametrize("name", METHODS)
def test_any_value_is_read_or_refused(name: str) -> None:
    kind = METHODS[name].request
    fields = [field.name for field in kind.DESCRIPTOR.fields]
    anything = values | st.sampled_from([10**400, -0.0, 1e300, "\ud800", "x" * 10_000, "99"])
    some = st.dictionaries(st.sampled_from(fields) if fields else texts, anything, max_size=3)

    @given(some | anything)
    @settings(QUICK, max_examples=30)
    def check(value: Any) -> None:
        try:
            message = read_message(kind, value)
        except QueryError as refused:
            said = str(refused)
            assert len(said) < 1_000
        else:
            assert kind.FromString(message.SerializeToString()) == message

    check()
