"""Why bytes are no message: the field at which reading them fails."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from gramdex.errors import QueryError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def explain(kind: type[Message], data: bytes, error: Exception) -> QueryError:
    """The error of bytes that are no message of a kind."""
    found = _fault(kind.DESCRIPTOR, data, "")
    if found is None:
        found = kind.DESCRIPTOR.name, f"bytes that are no message: {error}", "its fields"
    return QueryError(*found)


def _fault(descriptor: Any, data: bytes, path: str) -> tuple[str, str, str] | None:
    """Field, what is wrong and what was expected; None where nothing is."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        field = descriptor.fields_by_number.get(key >> 3)
        name = path + (field.name if field else f"field {key >> 3}")
        size, at = _size(data, at, key & 7)
        if size is None or at + size > len(data):
            return name, "bytes that end inside it, or are no field", "a whole field"
        content, at = data[at : at + size], at + size
        if field is None or key & 7 != _BYTES:
            continue
        fault = _fault_inside(field, content, name)
        if fault is not None:
            return fault
    return None


def _fault_inside(field: Any, content: bytes, name: str) -> tuple[str, str, str] | None:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _fault(field.message_type, content, f"{name}.")
    if field.type == FieldDescriptor.TYPE_STRING:
        try:
            content.decode()
        except UnicodeDecodeError as error:
            return name, f"no UTF-8 from byte {error.start} on", "text in UTF-8"
    return None


def _size(data: bytes, at: int, wire: int) -> tuple[int | None, int]:
    """Bytes of a value and where it begins; None where there is no such value."""
    if wire == _BYTES:
        return _varint(data, at)
    if wire == _VARINT:
        return _varint(data, at)[1] - at, at
    return {_FIXED64: 8, _FIXED32: 4}.get(wire), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends; behind the end of the bytes where it does not."""
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80 or shift > 63:
            return value, at
    return value, len(data) + 1
