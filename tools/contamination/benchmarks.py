"""Benchmarks as files: JSONL, Parquet and CSV, each record an example."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gramdex.errors import InputError, RecordError, UsageError
from gramdex.fmindex.queries.contamination.results import Example
from gramdex.indexer.readers.interface import InputFile, ReadOptions
from gramdex.indexer.readers.jsonl import MAX_LINE, decode_object
from gramdex.indexer.readers.opening import lines, open_stream, split_compression
from gramdex.tools.contamination.fields import FieldMap, choose_map

_FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
}


@dataclass(frozen=True)
class Benchmark:
    """A benchmark that was read.

    Attributes:
        name: for reports and names of files.
        path: where it lies.
        fields: the map it was read with.
        examples: in order.
        skipped: bad records that were left out.
        first_skipped: what was wrong with the first of them.
    """

    name: str
    path: str
    fields: FieldMap
    examples: list[Example]
    skipped: int = 0
    first_skipped: str = ""

    def __repr__(self) -> str:
        return f"Benchmark({self.name}, {len(self.examples)} examples)"


def read_benchmark(given: str, maps: dict[str, FieldMap], skip_bad: bool = False) -> Benchmark:
    """Read ``FILE``, or ``NAME=FILE`` with the field map of that name.

    Args:
        given: what a person typed.
        maps: field maps there are.
        skip_bad: count bad records and leave them out.

    Raises:
        UsageError: no such map or format, or no map fits.
        InputError: the file cannot be read or holds no example.
        RecordError: a record is bad.
    """
    path, fields = _named(given, maps)
    records = _records(path, fields)
    examples: list[Example] = []
    skipped, first = 0, ""
    for number, (place, record) in enumerate(records):
        try:
            if isinstance(record, RecordError):
                raise record
            fields = fields or choose_map(record, maps, place)
            examples.append(fields.example(record, place, number))
        except RecordError as error:
            if not skip_bad:
                remedy = f"{error.remedy}; or leave out and count what is bad with --on-error skip"
                raise RecordError(error.thing, error.found, error.expected, remedy) from None
            skipped, first = skipped + 1, first or str(error)
    if not examples or fields is None:
        bad = f", {skipped} bad records, first {first}" if skipped else ""
        raise InputError(path, f"no usable example{bad}", "at least one")
    return Benchmark(_short(path), path, fields, examples, skipped, first)


def _named(given: str, maps: dict[str, FieldMap]) -> tuple[str, FieldMap | None]:
    name, sign, path = given.partition("=")
    if not sign or Path(given).exists():
        return given, None
    if name not in maps:
        raise UsageError(given, f"benchmark {name!r}", f"one of {', '.join(maps)}")
    return path, maps[name]


def _short(path: str) -> str:
    """Name of a file without its suffixes."""
    name, _ = split_compression(Path(path).name)
    return Path(name).stem or name


def _records(path: str, fields: FieldMap | None) -> Iterator[tuple[str, Any]]:
    """Place and content of each record, or the error it is."""
    name, compression = split_compression(path)
    kind = _FORMATS.get(Path(name).suffix)
    if kind is None or (kind == "parquet" and compression):
        raise UsageError(path, "a format that is not known", ", ".join(_FORMATS), "rename it")
    file = InputFile(path, kind, compression)
    if kind == "parquet":
        return _parquet(file)
    if kind == "jsonl":
        return _jsonl(file)
    return _csv(file, "\t" if kind == "tsv" else ",", fields.columns if fields else ())


def _jsonl(file: InputFile) -> Iterator[tuple[str, Any]]:
    with open_stream(file, ReadOptions()) as stream:
        for number, line in lines(stream, MAX_LINE):
            place = f"{file.url}:{number}"
            if line is not None and not line.strip():
                continue
            try:
                yield place, decode_object(line, place)
            except RecordError as error:
                yield place, error


def _parquet(file: InputFile) -> Iterator[tuple[str, Any]]:
    from gramdex.indexer.readers import parquet

    for number, row in enumerate(parquet.rows(file)):
        yield f"{file.url}: document {number}", row


@contextmanager
def _wide_fields() -> Iterator[None]:
    """Let a field of a CSV file be as long as a line of JSON."""
    before = csv.field_size_limit(min(MAX_LINE, sys.maxsize))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _csv(file: InputFile, delimiter: str, columns: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    with open_stream(file, ReadOptions()) as stream, _wide_fields():
        text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        rows = csv.reader(text, delimiter=delimiter, strict=True)
        names = list(columns)
        try:
            for row in rows:
                place = f"{file.url}:{rows.line_num}"
                if not names:
                    names = row
                elif len(row) != len(names) and row:
                    yield place, RecordError(place, f"{len(row)} fields", f"{len(names)}")
                elif row:
                    yield place, dict(zip(names, row, strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(f"{file.url}:{rows.line_num}", str(error), "CSV in UTF-8") from None
