"""Queries as people write them: text, lists of ids, and files with one query a line."""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from gramdex.errors import QueryError, UsageError

TypedQuery: TypeAlias = "str | list[int]"
"""Text, or ids."""

FORMS = ("text", "ids", "json")
_JSON_SUFFIXES = (".jsonl", ".ndjson")
_JSON_LINE = 'a JSON string, an array of ids, or an object with "text" or "ids"'


def parse_ids(text: str, thing: str = "query") -> list[int]:
    """Read ids separated by commas, spaces or both; brackets around them do not matter.

    Raises:
        QueryError: something is no whole number.
    """
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1].strip()
    words = re.split(r"\s*,\s*|\s+", inner) if inner else []
    for word in words:
        if not (word.isascii() and word.isdigit()):
            raise QueryError(thing, f"{word!r} among ids", "token ids, such as 12,5,9")
    return [int(word) for word in words]


def parse_query(text: str, as_ids: bool) -> TypedQuery:
    """Read one argument."""
    return parse_ids(text) if as_ids else text


def parse_token(text: str, as_ids: bool) -> int | str:
    """Read an argument that is one token.

    Raises:
        QueryError: not exactly one id.
    """
    if not as_ids:
        return text
    ids = parse_ids(text, "token")
    if len(ids) != 1:
        raise QueryError("token", f"{len(ids)} ids", "one id")
    return ids[0]


def form_of(source: str, form: str | None, as_ids: bool) -> str:
    """How the lines of a file of queries are read.

    Stated by ``form``; else JSON in files named ``.jsonl`` or ``.ndjson``, ids with ``as_ids``,
    and text otherwise.

    Raises:
        UsageError: an unknown form.
    """
    if form is None:
        return "json" if source.endswith(_JSON_SUFFIXES) else "ids" if as_ids else "text"
    if form not in FORMS:
        raise UsageError("--queries-format", repr(form), f"one of {', '.join(FORMS)}")
    return form


def name_of(source: str) -> str:
    """How messages name a file of queries."""
    return "stdin" if source == "-" else source


def read_queries(source: str, form: str) -> Iterator[tuple[int, TypedQuery]]:
    """Read one query a line, with line numbers, as they come.

    Args:
        source: path of a file, or ``-`` for standard input.
        form: one of ``FORMS``.

    Raises:
        UsageError: the file cannot be read.
        QueryError: a bad line, named as file:line.
    """
    with _opened(source) as stream:
        for number, line in enumerate(stream, 1):
            yield number, _parse_line(line, form, f"{name_of(source)}:{number}")


@contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        if sys.stdin is None:
            raise UsageError("standard input", "closed", "queries, one a line")
        yield sys.stdin.buffer
        return
    try:
        stream = Path(source).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UsageError(source, error.strerror or str(error), "a file of queries") from error
    with stream:
        yield stream


def _parse_line(line: bytes, form: str, place: str) -> TypedQuery:
    try:
        text = (
            line.removeprefix(codecs.BOM_UTF8).decode("utf-8").removesuffix("\n").removesuffix("\r")
        )
    except UnicodeDecodeError as error:
        byte = f"byte 0x{line[error.start]:02x} at byte {error.start} of the line"
        raise QueryError(place, byte, "UTF-8") from None
    if not text:
        raise QueryError(place, "an empty line", "a query on every line", "remove it")
    if form == "text":
        return text
    return parse_ids(text, place) if form == "ids" else _parse_json(text, place)


def _parse_json(text: str, place: str) -> TypedQuery:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise QueryError(place, f"no JSON ({error})", _JSON_LINE) from None
    if isinstance(value, dict):
        named = [value[key] for key in ("text", "ids") if key in value]
        if len(named) != 1:
            raise QueryError(place, f"an object with {', '.join(value) or 'nothing'}", _JSON_LINE)
        value = named[0]
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(type(each) is int for each in value):
        return value
    raise QueryError(place, f"JSON that is no query: {text[:40]}", _JSON_LINE)
