"""Messages as JSON: there and back, and whatever else may come."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_messages import QUICK, messages, texts, tokens, values

from gramdex.errors import QueryError
from gramdex.rpc import v1
from gramdex.rpc.http.json_reading import parse_json, read_message
from gramdex.rpc.http.json_writing import write_json
from gramdex.rpc.messages.arrays import (
    write_float64,
    write_int64,
)
from gramdex.rpc.methods import METHODS

# Most batches are lists of what is here.
ONCE = [method for name, method in METHODS.items() if name.removesuffix("Batch") in ("Count", name)]
KINDS = {each.response for each in ONCE} | {each.request for each in ONCE}


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


def test_a_name_that_comes_twice_among_many() -> None:
    names = [f'"{number}":0' for number in range(200_000)]
    with pytest.raises(QueryError, match='"199999" twice in one object'):
        parse_json(f"{{{','.join([*names, names[-1]])}}}".encode())


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
