"""Messages from JSON, by their descriptors.

Names are those of the proto. An object has every field but those that are absent; what is null in a
request is absent. Some forms are plainer than those protobuf gives JSON:

=====================  ==========================================================================
Query                  a string, or an array of token ids
TokenChoice            a string, or a token id
Tokens, Int64Array     an array of numbers
TokenBatch             an array of arrays of token ids
Float64Array, double   numbers; NaN is null, the infinite are "Infinity" and "-Infinity"
int64, uint64          a number, and beyond 2^53 - 1, where JSON readers round, a string
fixed64                a string
bytes                  a string of base64
a field ..._json       what is in it, as JSON
=====================  ==========================================================================
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gramdex.errors import QueryError
from gramdex.rpc import v1
from gramdex.rpc.http.json_writing import SAFE, is_map, is_repeated
from gramdex.rpc.messages.arrays import (
    write_float64,
    write_int64,
    write_token_batch,
    write_tokens,
)

BODY = "body"
"""The thing of errors about a request as a whole; no message has such a field."""

_MOST_ID = (1 << 32) - 1
_MOST_DEPTH = 32
_SHOWN = 40
_DIGITS = re.compile(r"-?[0-9]{1,20}")
_RANGES = {
    FieldDescriptor.TYPE_INT64: (-1 << 63, (1 << 63) - 1),
    FieldDescriptor.TYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.TYPE_FIXED64: (0, (1 << 64) - 1),
    FieldDescriptor.TYPE_UINT32: (0, (1 << 32) - 1),
}


def parse_json(data: bytes, path: str = BODY) -> Any:
    """The value that bytes are JSON of.

    Raises:
        QueryError: they are no JSON in UTF-8, an object has a name twice, a number is none that
            JSON knows, it is nested too deep to be read.
    """
    pairs, constant = partial(_object, path), partial(_refuse_constant, path)
    try:
        return json.loads(data.decode(), object_pairs_hook=pairs, parse_constant=constant)
    except UnicodeDecodeError as error:
        found = f"no UTF-8 from byte {error.start} on"
    except json.JSONDecodeError as error:
        found = f"no JSON at line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        found = "nested too deep"
    except QueryError:
        raise
    except ValueError:
        found = "a number of thousands of digits"
    raise QueryError(path, found, "JSON in UTF-8")


def _object(path: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        for twice, _ in pairs:
            if twice in seen:
                break
            seen.add(twice)
        raise QueryError(path, f"{_said(twice)} twice in one object", "each name once")
    return values


def _refuse_constant(path: str, name: str) -> Any:
    raise QueryError(path, name, "numbers that JSON knows")


def read_message(kind: type[Message], value: Any, path: str = BODY) -> Message:
    """A message from a value of JSON.

    Raises:
        QueryError: a field is unknown, or not of its kind; names it as ``clauses[0].phrases[1]``.
    """
    message = kind()
    _fill(message, value, path)
    return message


def _fill(message: Any, value: Any, path: str) -> None:
    fill = _FILL.get(message.DESCRIPTOR.name)
    if fill is not None:
        fill(message, value, path)
        return
    if not isinstance(value, dict):
        raise QueryError(path, _said(value), "an object")
    message.SetInParent()
    fields = message.DESCRIPTOR.fields_by_name
    for name, each in value.items():
        if name not in fields:
            expected = f"one of {', '.join(fields)}" if fields else "none"
            raise QueryError(path, f"an unknown field {_said(name)}", expected)
        if each is not None:
            _set(message, fields[name], each, name if path == BODY else f"{path}.{name}")


def _set(message: Any, field: Any, value: Any, path: str) -> None:
    if is_map(field):
        _set_map(getattr(message, field.name), field, value, path)
    elif is_repeated(field):
        if not isinstance(value, list):
            raise QueryError(path, _said(value), "an array")
        target = getattr(message, field.name)
        for number, each in enumerate(value):
            place = f"{path}[{number}]"
            if field.message_type:
                _fill(target.add(), each, place)
            else:
                target.append(_scalar(field, each, place))
    elif field.message_type:
        _fill(getattr(message, field.name), value, path)
    elif field.name.endswith("_json"):
        setattr(message, field.name, _embed(value, path))
    else:
        setattr(message, field.name, _scalar(field, value, path))


def _set_map(target: Any, field: Any, value: Any, path: str) -> None:
    """Maps of the proto lead from strings to scalars."""
    if not isinstance(value, dict):
        raise QueryError(path, _said(value), "an object")
    kind = field.message_type.fields_by_name["value"]
    for name, each in value.items():
        place = f"{path}.{_said(name)}"
        key = _text(path, name)
        if field.name.endswith("_json"):
            target[key] = _embed(each, place)
        else:
            target[key] = _scalar(kind, each, place)


def _embed(value: Any, path: str) -> str:
    """JSON inside of a message; not deeper than whoever reads it there can go."""
    if _is_deeper(value, _MOST_DEPTH):
        raise QueryError(path, "nested too deep", f"at most {_MOST_DEPTH} levels")
    return json.dumps(value)


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, (list, dict)):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return not levels or any(_is_deeper(each, levels - 1) for each in inner)


def _scalar(field: Any, value: Any, path: str) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        if not isinstance(value, str):
            raise QueryError(path, _said(value), "a string")
        return _text(path, value)
    if field.type == FieldDescriptor.TYPE_BOOL:
        if not isinstance(value, bool):
            raise QueryError(path, _said(value), "true or false")
        return value
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return _float(value, path)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes(value, path)
    return _whole(value, path, *_RANGES[field.type])


def _text(path: str, text: str) -> str:
    """A string that UTF-8 can hold; QueryError where half a surrogate pair stands alone."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = f"a lone surrogate at character {error.start}"
        raise QueryError(path, found, "text that UTF-8 can hold") from error
    return text


def _whole(value: Any, path: str, least: int, most: int) -> int:
    number = value
    if isinstance(value, float) and value.is_integer() and abs(value) <= SAFE:
        number = int(value)
    if isinstance(value, str) and most > _MOST_ID and _DIGITS.fullmatch(value):
        number = int(value)
    if type(number) is not int or not least <= number <= most:
        raise QueryError(path, _said(value), f"a whole number from {least} to {most}")
    return number


def _float(value: Any, path: str) -> float:
    number = math.nan
    if value in ("Infinity", "-Infinity") or type(value) in (int, float):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    if math.isnan(number) or (math.isinf(number) and not isinstance(value, str)):
        raise QueryError(path, _said(value), "a number in double precision")
    return number


def _bytes(value: Any, path: str) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except ValueError:
        pass
    raise QueryError(path, _said(value), "a string of base64")


def _ids(value: Any, path: str) -> np.ndarray:
    """int64 token ids that can be sent."""
    if not isinstance(value, list):
        raise QueryError(path, _said(value), "an array of token ids")
    for number, each in enumerate(value):
        if type(each) is not int or not 0 <= each <= _MOST_ID:
            expected = f"a token id, a whole number from 0 to {_MOST_ID}"
            raise QueryError(f"{path}[{number}]", _said(each), expected)
    return np.fromiter(value, np.int64, len(value))


def _fill_tokens(message: Any, value: Any, path: str) -> None:
    message.CopyFrom(write_tokens(_ids(value, path)))


def _fill_batch(message: Any, value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise QueryError(path, _said(value), "an array of arrays of token ids")
    rows = [_ids(each, f"{path}[{number}]") for number, each in enumerate(value)]
    message.CopyFrom(write_token_batch(rows))


def _fill_query(message: Any, value: Any, path: str) -> None:
    if isinstance(value, str):
        message.text = _text(path, value)
    elif isinstance(value, list):
        _fill_tokens(message.tokens, value, path)
    else:
        raise QueryError(path, _said(value), "a string or an array of token ids")


def _fill_choice(message: Any, value: Any, path: str) -> None:
    if isinstance(value, str):
        message.text = _text(path, value)
    elif type(value) is int and 0 <= value <= _MOST_ID:
        message.id = value
    else:
        raise QueryError(path, _said(value), "a string or a token id")


def _fill_int64(message: Any, value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise QueryError(path, _said(value), "an array of whole numbers")
    limits = _RANGES[FieldDescriptor.TYPE_INT64]
    numbers = [_whole(each, f"{path}[{place}]", *limits) for place, each in enumerate(value)]
    message.CopyFrom(write_int64(np.array(numbers, np.int64)))


def _fill_float64(message: Any, value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise QueryError(path, _said(value), "an array of numbers")
    numbers = [
        math.nan if each is None else _float(each, f"{path}[{place}]")
        for place, each in enumerate(value)
    ]
    message.CopyFrom(write_float64(np.array(numbers, np.float64)))


_FILL: dict[str, Callable[[Any, Any, str], None]] = {
    v1.Tokens.DESCRIPTOR.name: _fill_tokens,
    v1.TokenBatch.DESCRIPTOR.name: _fill_batch,
    v1.Query.DESCRIPTOR.name: _fill_query,
    v1.TokenChoice.DESCRIPTOR.name: _fill_choice,
    v1.Int64Array.DESCRIPTOR.name: _fill_int64,
    v1.Float64Array.DESCRIPTOR.name: _fill_float64,
}


def _said(value: Any) -> str:
    """A value in a few words; of what is long, its beginning."""
    if isinstance(value, bool):
        return "a boolean"
    if value is None:
        return "null"
    if isinstance(value, (list, dict)):
        return "an array" if isinstance(value, list) else "an object"
    text = json.dumps(value[:_SHOWN] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
