"""What readers and their callers agree on: the options, a listed file, and a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from gramdex.errors import UsageError
from gramdex.indexer.records import BadRecord, Record

TOKENIZED_FORMATS = frozenset({"npy", "raw"})
"""Formats whose records hold token ids, not text."""

RAW_DTYPES = ("uint8", "uint16", "uint32", "uint64", "int32", "int64")
TEXT_UNITS = ("file", "line")


@dataclass(frozen=True)
class ReadOptions:
    """How input files are found and read.

    Attributes:
        format: a reader's name, or ``"auto"`` to go by each file's suffix.
        text_field: the field (JSONL) or column (Parquet) that holds the text.
        metadata_fields: other fields to keep as metadata; None keeps all, ``()`` none. A JSONL
            record without one of them is fine; a Parquet file without one is not.
        include: glob patterns that pick files of a folder. A pattern without ``/`` is matched
            against the file name at any depth, one with ``/`` against the path relative to the
            folder; ``**`` stands for any number of folders. Empty: all files.
        text_unit: ``"file"`` makes a text file one document, ``"line"`` each of its lines.
        dtype: of the ids in raw files, one of `RAW_DTYPES`; ``"<u2"``, ``">u4"`` … name a byte
            order as well. Other formats ignore it.
        separator_id: the id that ends each document in npy and raw files. None: an array is
            one document, a 2-D array one per row.
        on_bytes: told how many stored bytes each read of a file gave; a large text file is read
            twice.

    Raises:
        UsageError: a value has no meaning.
    """

    format: str = "auto"
    text_field: str = "text"
    metadata_fields: tuple[str, ...] | None = None
    include: tuple[str, ...] = ()
    text_unit: str = "file"
    dtype: str | None = None
    separator_id: int | None = None
    on_bytes: Callable[[int], object] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("metadata_fields", "include"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise UsageError(name, f"the string {value!r}", "a tuple of strings")
            if value is not None:
                object.__setattr__(self, name, tuple(value))
        if self.text_unit not in TEXT_UNITS:
            raise UsageError("text_unit", repr(self.text_unit), " or ".join(TEXT_UNITS))
        if self.dtype is not None:
            raw_dtype(self.dtype)


@dataclass(frozen=True)
class InputFile:
    """One file to read.

    Attributes:
        url: as given, or below the folder or glob as given; a local path stays one.
        format: the name of its reader.
        compression: ``"gzip"``, ``"zstd"`` or None.
        size: bytes as stored; None where the file system does not say.
        modified: what the file system offers to tell versions of the file apart: an ETag, or a
            time of modification; None where it has neither. Only equality means anything.
    """

    url: str
    format: str
    compression: str | None = None
    size: int | None = None
    modified: str | None = None

    @property
    def tokenized(self) -> bool:
        """Whether its records hold token ids, not text."""
        return self.format in TOKENIZED_FORMATS


@dataclass(frozen=True)
class Reader:
    """One input format.

    Attributes:
        name: the format's name, as in `ReadOptions.format`.
        suffixes: lower-case file name suffixes, without that of a compression.
        read: streams one file. It yields a `BadRecord` for a record that is bad and goes on,
            and raises InputError when it cannot read on in this file.
        compressible: ``.gz`` and ``.zst`` after the suffix mean what they say.
        check: raises UsageError where no file of this format can be read with these options;
            called before anything is read, with the first such file, to name in the message.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[InputFile, ReadOptions], Iterator[Record | BadRecord]]
    compressible: bool = True
    check: Callable[[InputFile, ReadOptions], None] | None = None


def raw_dtype(name: str) -> np.dtype:
    """Return the dtype of this name, with its byte order.

    Raises:
        UsageError: it names none of `RAW_DTYPES`.
    """
    expected = f"one of {', '.join(RAW_DTYPES)}, or such as '<u2' with a byte order"
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError, SyntaxError):
        raise UsageError("dtype", repr(name), expected) from None
    if dtype.newbyteorder("=").name not in RAW_DTYPES:
        raise UsageError("dtype", repr(name), expected)
    return dtype
