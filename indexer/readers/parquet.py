"""Parquet: one document per row, its text in one column; needs pyarrow.

Values of other columns become JSON: dates and times in ISO 8601, bytes in base64, decimals and
floats that are not finite as strings.
"""

from __future__ import annotations

import base64
import datetime
import math
from collections.abc import Iterator
from typing import Any

from gramdex.errors import InputError, RecordError, UsageError
from gramdex.indexer.readers.interface import InputFile, Reader, ReadOptions
from gramdex.indexer.readers.opening import failures, open_source
from gramdex.indexer.records import BadRecord, Record

BATCH_ROWS = 16
"""Rows decoded at a time."""

PAGE_BUFFER = 1 << 20
"""Bytes of a column chunk held before decoding."""


def read(file: InputFile, options: ReadOptions) -> Iterator[Record | BadRecord]:
    """Yield one document per row, with metadata ``path``, ``document`` and the kept ``fields``.

    Raises:
        InputError: the file cannot be read on, or does not have the columns.
        UsageError: pyarrow is not installed.
    """
    _check_installed(file, options)
    import pyarrow.parquet as pq

    with open_source(file.url, options.on_bytes) as source:
        with failures(file.url):
            if not source.read(1):
                return
            parquet = pq.ParquetFile(source, buffer_size=PAGE_BUFFER, pre_buffer=False)
        columns = _columns(parquet.schema_arrow, file.url, options)
        with failures(file.url):
            batches = parquet.iter_batches(BATCH_ROWS, columns=columns, use_threads=False)
        number = 0
        while True:
            with failures(file.url):
                batch = next(batches, None)
            if batch is None:
                return
            yield from _rows(batch, number, file.url, options.text_field)
            number += batch.num_rows


def rows(file: InputFile) -> Iterator[dict[str, Any]]:
    """Yield every row with all its columns, as what JSON can hold.

    Raises:
        InputError: the file cannot be read.
        UsageError: pyarrow is not installed.
    """
    _check_installed(file, ReadOptions())
    import pyarrow.parquet as pq

    with open_source(file.url, None) as source, failures(file.url):
        for batch in pq.ParquetFile(source).iter_batches(BATCH_ROWS):
            yield from map(_jsonable, batch.to_pylist())


def _check_installed(file: InputFile, options: ReadOptions) -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        remedy = "install it with pip install 'gramdex[parquet]'"
        raise UsageError(file.url, "pyarrow is missing", "pyarrow, to read it", remedy) from None


def _columns(schema: Any, url: str, options: ReadOptions) -> list[str]:
    """Check the columns and list those to read, the text first."""
    wanted = schema.names if options.metadata_fields is None else options.metadata_fields
    columns = list(dict.fromkeys((options.text_field, *wanted)))
    for name in columns:
        if name not in schema.names:
            found = "columns " + (", ".join(map(repr, schema.names)) or "none")
            raise InputError(url, found, f"a column {name!r}", "name the columns it has")
        if schema.names.count(name) > 1:
            raise InputError(url, f"several columns {name!r}", "one", "rename them")
    kind = schema.field(options.text_field).type
    if not _is_string(kind):
        found = f"column {options.text_field!r} of type {kind}"
        raise InputError(url, found, "a column of strings", "name the text column")
    return columns


def _is_string(kind: Any) -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    view = getattr(types, "is_string_view", lambda _: False)
    return types.is_string(kind) or types.is_large_string(kind) or view(kind)


def _rows(batch: Any, first: int, url: str, text_field: str) -> Iterator[Record | BadRecord]:
    names = batch.schema.names
    text_column = names.index(text_field)
    for row in range(batch.num_rows):
        place = f"{url}: document {first + row}"
        try:
            values = [_value(batch.column(k)[row], place, name) for k, name in enumerate(names)]
            text = values.pop(text_column)
            if text is None:
                found = f"null in column {text_field!r}"
                raise RecordError(place, found, "text", "fill or remove the row")
        except RecordError as error:
            yield BadRecord(error)
            continue
        metadata: dict[str, Any] = {"path": url, "document": first + row}
        if values:
            fields = [name for name in names if name != text_field]
            metadata["fields"] = dict(zip(fields, values, strict=True))
        yield Record(text, metadata, place)


def _value(scalar: Any, place: str, column: str) -> Any:
    """Convert a value to what JSON can hold.

    Raises:
        RecordError: it has no such form, as a string that is not UTF-8.
    """
    try:
        return _jsonable(scalar.as_py())
    except UnicodeDecodeError as error:
        found = f"column {column!r} is not UTF-8 at byte offset {error.start}"
        raise RecordError(place, found, "UTF-8", "repair or remove the row") from None
    except (ValueError, OverflowError, ArithmeticError) as error:
        # Times finer or further than datetime's: Arrow writes them as strings itself.
        return _as_string(scalar, place, column, error)


def _as_string(scalar: Any, place: str, column: str, error: Exception) -> str:
    try:
        return str(scalar.cast("string").as_py())
    except (ValueError, NotImplementedError, TypeError):
        found = f"column {column!r} holds what cannot be kept as JSON: {error}"
        remedy = "convert the column, or leave it out of the metadata"
        raise RecordError(place, found, "a plain value", remedy) from None


def _jsonable(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _NOT_FINITE[str(value)]
    if isinstance(value, dict):
        return {str(name): _jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime.date | datetime.time):  # a datetime is a date
        return value.isoformat()
    return str(value)


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}

READER = Reader("parquet", (".parquet",), read, compressible=False, check=_check_installed)
