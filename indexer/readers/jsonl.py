"""JSON lines: one object per line, its text in one field.

Lines of white space only are no records and are passed over; they still count as lines. A byte
order mark at the start is accepted, and so are ``NaN`` and ``Infinity``, which metadata keeps as
strings, as it does numbers too large for a float. Of duplicate keys the last counts.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from typing import Any

from gramdex.errors import RecordError
from gramdex.indexer.readers.interface import InputFile, Reader, ReadOptions
from gramdex.indexer.readers.opening import lines, open_stream
from gramdex.indexer.records import BadRecord, Record

MAX_LINE = 64 << 20
"""Bytes of the longest line that is read."""

NAMES_SHOWN = 20
"""Field names an error lists at most."""


def read(file: InputFile, options: ReadOptions) -> Iterator[Record | BadRecord]:
    """Yield one document per line, with metadata ``path``, ``line`` and the kept ``fields``.

    Raises:
        InputError: the file cannot be read on.
    """
    with open_stream(file, options) as stream:
        for number, line in lines(stream, MAX_LINE):
            place = f"{file.url}:{number}"
            if line is not None and number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)  # noqa: PLW2901
            if line is not None and not line.strip():
                continue
            try:
                text, fields = parse_line(line, place, options)
            except RecordError as error:
                yield BadRecord(error)
                continue
            metadata: dict[str, Any] = {"path": file.url, "line": number}
            if fields:
                metadata["fields"] = fields
            yield Record(text, metadata, place)


def parse_line(line: bytes | None, place: str, options: ReadOptions) -> tuple[str, dict[str, Any]]:
    """Text and kept fields of one line.

    Raises:
        RecordError: it is no document.
    """
    values = decode_object(line, place)
    text = _text(values, place, options.text_field)
    if options.metadata_fields is None:
        fields = {name: values[name] for name in values if name != options.text_field}
    else:
        fields = {name: values[name] for name in options.metadata_fields if name in values}
    # Decoded UTF-8 holds no surrogate, so one can only come from an escape.
    assert line is not None  # or it would have been refused
    if b"\\ud" in line or b"\\uD" in line:
        _check_unicode(text, place, f"field {options.text_field!r}")
        _check_unicode(json.dumps(fields, ensure_ascii=False), place, "a metadata field")
    return text, fields


def decode_object(line: bytes | None, place: str) -> dict[str, Any]:
    """The JSON object of one line; None stands for a line that was too long to be held.

    Raises:
        RecordError: it is no object.
    """
    if line is None:
        remedy = "split the document, or give it as a text file, which is read in pieces"
        found = f"a line of more than {MAX_LINE} bytes"
        raise RecordError(place, found, "shorter lines, for the memory they take", remedy)
    remedy = "repair or remove the line"
    try:
        values = _DECODER.decode(line.rstrip(b"\r\n").decode("utf-8"))
    except UnicodeDecodeError as error:
        found = f"byte 0x{line[error.start]:02x} at byte {error.start + 1} of the line"
        raise RecordError(place, found, "UTF-8", remedy) from None
    except json.JSONDecodeError as error:
        found = f"malformed JSON at column {error.colno}: {error.msg}"
        raise RecordError(place, found, "one JSON object", remedy) from None
    except RecursionError:
        found = "JSON that is nested too deeply"
        raise RecordError(place, found, "one JSON object", remedy) from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise RecordError(place, f"unusable JSON: {error}", "one JSON object", remedy) from None
    if not isinstance(values, dict):
        raise RecordError(place, f"JSON {_kind(values)}", "one JSON object per line", remedy)
    return values


def _text(values: dict[str, Any], place: str, field: str) -> str:
    if field not in values:
        names = ", ".join(map(repr, list(values)[:NAMES_SHOWN])) or "none"
        more = ", …" if len(values) > NAMES_SHOWN else ""
        raise RecordError(
            place, f"fields {names}{more}", f"a field {field!r}", "name the text field"
        )
    text = values[field]
    if not isinstance(text, str):
        expected = f"a string in field {field!r}"
        raise RecordError(place, _kind(text), expected, "repair the line or name another field")
    return text


def _check_unicode(text: str, place: str, where: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"lone surrogate U+{ord(text[error.start]):04X} in {where}"
        expected = "text that UTF-8 can encode"
        raise RecordError(place, found, expected, "repair or remove the line") from None


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    names: dict[type, str] = {dict: "an object", list: "an array", str: "a string"}
    return names.get(type(value), "a number")


def _finite(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=str)

READER = Reader("jsonl", (".jsonl", ".ndjson", ".json"), read)
