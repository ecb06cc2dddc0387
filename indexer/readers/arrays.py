"""Token ids: NumPy's ``.npy``, and raw binary of a stated dtype.

How an array becomes documents:

====================  ===========================================================
no separator, 1-D     one document
no separator, 2-D     one per row
a separator           it ends each document; the last need not be ended. Two in a
                      row enclose an empty document. A 2-D array is read row after
                      row, and a document may run on into the next row.
====================  ===========================================================

Ids come as native-endian integer arrays of the width they are stored in. Unlike an id, the
separator may be negative.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import numpy as np

from gramdex.errors import InputError, RecordError, UsageError
from gramdex.indexer.readers.interface import InputFile, Reader, ReadOptions, raw_dtype
from gramdex.indexer.readers.opening import failures, open_stream
from gramdex.indexer.records import BadRecord, Record

PIECE = 1 << 20
"""Ids read at a time, and the most in one piece of a document."""

Part = tuple[int, np.ndarray, bool]
"""Position of its first id in the file, at most `PIECE` ids, whether they end a document."""


def read_npy(file: InputFile, options: ReadOptions) -> Iterator[Record | BadRecord]:
    """Yield the documents of a ``.npy`` file, with metadata ``path`` and ``document``.

    Raises:
        InputError: the file cannot be read on, or is no 1-D or C-ordered 2-D integer array.
    """
    with open_stream(file, options) as stream:
        if not stream.peek(1):
            return
        shape, dtype = _header(stream, file.url)
        chunks = _chunks(stream, dtype, file.url, math.prod(shape))
        if options.separator_id is not None:
            parts = _split(chunks, _separator(options.separator_id, dtype, file.url))
        elif len(shape) == 2:
            parts = _split_rows(chunks, *shape, dtype)
        else:
            parts = _split(chunks, None)
        yield from _documents(parts, file.url)


def read_raw(file: InputFile, options: ReadOptions) -> Iterator[Record | BadRecord]:
    """Yield the documents of a raw file, with metadata ``path`` and ``document``.

    Raises:
        InputError: the file cannot be read on, or holds no whole number of ids.
        UsageError: the options name no dtype.
    """
    dtype = _stated_dtype(file, options)
    if file.compression is None and file.size is not None and file.size % dtype.itemsize:
        raise _ragged(file.url, file.size, dtype)
    separator = options.separator_id
    if separator is not None:
        separator = _separator(separator, dtype, file.url)
    with open_stream(file, options) as stream:
        parts = _split(_chunks(stream, dtype, file.url, None), separator)
        yield from _documents(parts, file.url)


def _check_dtype(file: InputFile, options: ReadOptions) -> None:
    _stated_dtype(file, options)


def _stated_dtype(file: InputFile, options: ReadOptions) -> np.dtype:
    if options.dtype is None:
        expected = "the dtype of a raw file"
        raise UsageError(file.url, "no dtype", expected, "pass one, such as --dtype uint16")
    return raw_dtype(options.dtype)


def _header(stream: io.BufferedReader, url: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype, with the stream left at the first id."""
    with failures(url):
        version = np.lib.format.read_magic(stream)
        if version not in {(1, 0), (2, 0), (3, 0)}:
            raise InputError(url, f".npy version {version}", "1.0, 2.0 or 3.0", "save it again")
        # Version 3 is version 2 in another encoding, which differs only in names of fields.
        first = version == (1, 0)
        parse = (
            np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = parse(stream)
    if dtype.kind not in "iu":
        raise InputError(url, f"dtype {dtype}", "an integer dtype", "save token ids as integers")
    if len(shape) not in {1, 2}:
        raise InputError(url, f"shape {shape}", "a 1-D or 2-D array", "reshape it")
    if fortran and len(shape) == 2:
        found, remedy = "a 2-D array in Fortran order", "save it with numpy.ascontiguousarray"
        raise InputError(url, found, "C order", remedy)
    return shape, dtype


def _separator(separator: int, dtype: np.dtype, url: str) -> int:
    limits = np.iinfo(dtype)
    if not limits.min <= separator <= limits.max:
        found = f"dtype {dtype.name}, which cannot hold separator {separator}"
        raise InputError(url, found, "a separator that can occur", "check dtype and separator")
    return separator


def _chunks(
    stream: io.BufferedReader, dtype: np.dtype, url: str, count: int | None
) -> Iterator[np.ndarray]:
    """All ids, at most `PIECE` at a time; exactly `count` where it is stated."""
    total = 0
    while data := stream.read(PIECE * dtype.itemsize):
        total += len(data)
        if count is not None and total > count * dtype.itemsize:
            raise InputError(url, f"bytes after the {count} ids of its header", "one array")
        if len(data) % dtype.itemsize and count is None:
            raise _ragged(url, total, dtype)
        chunk = np.frombuffer(data, dtype, len(data) // dtype.itemsize)
        yield chunk.astype(dtype.newbyteorder("="), copy=False)
    if count is not None and total < count * dtype.itemsize:
        found = f"{total // dtype.itemsize} ids of the {count} of its header"
        raise InputError(url, found, "a complete file", "copy or write it again")


def _ragged(url: str, size: int, dtype: np.dtype) -> InputError:
    expected = f"a multiple of the {dtype.itemsize} bytes of {dtype.name}"
    return InputError(url, f"{size} bytes", expected, "check the dtype, or copy the file again")


def _split(chunks: Iterator[np.ndarray], separator: int | None) -> Iterator[Part]:
    """Parts of documents that `separator` ends, or of one document."""
    base, opened = 0, False
    for chunk in chunks:
        start = 0
        ends = [] if separator is None else np.flatnonzero(chunk == separator).tolist()
        for end in ends:
            yield base + start, chunk[start:end], True
            start = end + 1
        opened = start < chunk.size
        if start < chunk.size:
            yield base + start, chunk[start:], False
        base += chunk.size
    if opened:
        yield base, chunk[:0], True


def _split_rows(
    chunks: Iterator[np.ndarray], rows: int, columns: int, dtype: np.dtype
) -> Iterator[Part]:
    """Parts of documents of `columns` ids each."""
    if columns == 0:
        for chunk in chunks:  # raises on bytes that should not be there
            del chunk
        empty = np.empty(0, dtype.newbyteorder("="))
        yield from ((0, empty, True) for _ in range(rows))
        return
    position = 0
    for chunk in chunks:
        start = 0
        while start < chunk.size:
            end = min(chunk.size, start + columns - position % columns)
            yield position, chunk[start:end], (position + end - start) % columns == 0
            position += end - start
            start = end


def _documents(parts: Iterator[Part], url: str) -> Iterator[Record | BadRecord]:
    """Join parts to documents, with pieces of at most `PIECE` ids; report negative ids."""
    number = 0
    held: np.ndarray | None = None
    bad: RecordError | None = None
    for position, part, ends in parts:
        place, metadata = f"{url}: document {number}", {"path": url, "document": number}
        bad = bad or _negative(position, part, place)
        if bad is not None:
            held = None
        elif held is not None and held.size + part.size > PIECE:
            yield Record(held, metadata, place, continues=True)
            held = part
        else:
            held = part if held is None else np.concatenate((held, part))
        if ends:
            if bad is not None:
                yield BadRecord(bad)
            elif held is not None:
                yield Record(held, metadata, place)
            number, held, bad = number + 1, None, None


def _negative(position: int, part: np.ndarray, place: str) -> RecordError | None:
    if part.dtype.kind == "u" or part.size == 0 or part.min() >= 0:
        return None
    where = int(np.argmax(part < 0))
    found = f"id {part[where]} at position {position + where} of the file"
    remedy = "mend the ids, or name the separator if it is one"
    return RecordError(place, found, "ids of at least 0", remedy)


NPY = Reader("npy", (".npy",), read_npy)
RAW = Reader("raw", (".bin", ".u16", ".u32", ".raw"), read_raw, check=_check_dtype)
