"""Messages of the service that their fields allow, for hypothesis."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gramdex.rpc import v1
from gramdex.rpc.http.json_writing import is_map, is_repeated
from gramdex.rpc.messages.arrays import (
    write_float64,
    write_int64,
    write_token_batch,
    write_tokens,
)

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
