"""Messages as JSON, by their descriptors; the forms are those of ``json_reading``."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import read_float64, read_int64, read_token_batch, read_tokens

SAFE = (1 << 53) - 1
"""Whole numbers up to here are numbers to everyone who reads JSON."""

_SLICE = 1 << 13
_WHOLE = (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_UINT32)


def write_json(message: Message) -> bytes:
    """A message as JSON on one line, in UTF-8.

    Long arrays are written slice by slice, so that neither they nor the interpreter's lock are
    held as one list of Python numbers.
    """
    return "".join(_pieces(message)).encode()


def dump(value: Any) -> str:
    """A value as JSON; in ASCII where it holds what UTF-8 cannot."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


def _pieces(message: Any) -> Iterator[str]:
    write = _WRITE.get(message.DESCRIPTOR.name)
    if write is not None:
        yield from write(message)
        return
    mark = "{"
    for field in message.DESCRIPTOR.fields:
        if not field.has_presence or message.HasField(field.name):
            yield f'{mark}"{field.name}":'
            yield from _field(field, getattr(message, field.name))
            mark = ","
    yield "{}" if mark == "{" else "}"


def _field(field: Any, value: Any) -> Iterator[str]:
    embedded = field.name.endswith("_json")
    if is_map(field):
        kind = field.message_type.fields_by_name["value"]
        names = sorted(value)
        yield from _between("{}", ([f"{dump(n)}:", *_one(kind, value[n], embedded)] for n in names))
    elif is_repeated(field):
        yield from _between("[]", (_one(field, each, embedded) for each in value))
    else:
        yield from _one(field, value, embedded)


def _between(brackets: str, items: Any) -> Iterator[str]:
    yield brackets[0]
    for number, item in enumerate(items):
        if number:
            yield ","
        yield from item
    yield brackets[1]


def _one(field: Any, value: Any, embedded: bool) -> Iterator[str]:
    if field.message_type:
        yield from _pieces(value)
    elif embedded:
        yield dump(json.loads(value or "null", parse_constant=_constant))
    elif field.type == FieldDescriptor.TYPE_DOUBLE:
        yield _number(value)
    elif field.type == FieldDescriptor.TYPE_BYTES:
        yield dump(base64.b64encode(value).decode())
    elif field.type == FieldDescriptor.TYPE_FIXED64:
        yield f'"{value}"'
    elif field.type in _WHOLE:
        yield _integer(value)
    else:
        yield dump(value)


def _constant(name: str) -> str | None:
    return None if name == "NaN" else name


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "null" if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'


def _integer(value: int) -> str:
    return str(value) if -SAFE <= value <= SAFE else f'"{value}"'


def _array(values: np.ndarray, write: Callable[[Any], str]) -> Iterator[str]:
    starts = range(0, values.size, _SLICE)
    parts = ([",".join(map(write, values[at : at + _SLICE].tolist()))] for at in starts)
    return _between("[]", parts)


def _form(message: Any) -> Iterator[str]:
    """A query or a token, in the form it has; null where it has none."""
    form = message.WhichOneof("form")
    if form == "tokens":
        return _pieces(message.tokens)
    return iter((dump(getattr(message, form) if form else None),))


_WRITE: dict[str, Callable[[Any], Iterator[str]]] = {
    v1.Tokens.DESCRIPTOR.name: lambda m: _array(read_tokens("ids", m), str),
    v1.TokenBatch.DESCRIPTOR.name: lambda m: _between(
        "[]", (_array(row, str) for row in read_token_batch("tokens", m))
    ),
    v1.Int64Array.DESCRIPTOR.name: lambda m: _array(read_int64("values", m), _integer),
    v1.Float64Array.DESCRIPTOR.name: lambda m: _array(read_float64("values", m), _number),
    v1.Query.DESCRIPTOR.name: _form,
    v1.TokenChoice.DESCRIPTOR.name: _form,
}


def is_map(field: Any) -> bool:
    """Whether a field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def is_repeated(field: Any) -> bool:
    """Whether a field holds any number of values; so does a map."""
    plain = getattr(field, "is_repeated", None)
    return field.label == FieldDescriptor.LABEL_REPEATED if plain is None else plain
