r"""The binary file of an index: a header page, then named arrays.

::

    byte      what
    0         magic, b"GRAMDEX\0"
    8         format version, uint16
    10        oldest version of a reader that can read this file, uint16
    12        number of sections, uint32
    16        kind of file, 16 ASCII bytes padded with zeros ("tokens", "suffixes", …)
    32        size of the file, uint64
    40        zeros
    48        xxh3-128 of this page with these 16 bytes zeroed
    64        section table, 62 entries of 64 bytes:
                 name 24 bytes | dtype 8 bytes | offset uint64 | count uint64 | xxh3-128
    4032      zeros
    4096      the sections in the order of the table, each at a multiple of 64, zeros between

All numbers are little-endian. Every byte of a file is under a checksum or is checked to be zero.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import xxhash

from gramdex.errors import (
    CorruptIndexError,
    IncompleteIndexError,
    UnreadableIndexError,
    VersionError,
)
from gramdex.fmindex.format.files import writing

MAGIC = b"GRAMDEX\0"
VERSION = 3
MINIMUM_READER = 3
PAGE = 4096
ALIGNMENT = 64
MAXIMUM_SECTIONS = 62
DTYPES = ("|u1", "<u2", "<u4", "<u8")

_HEAD = struct.Struct("<8sHHI16sQ8x16s")
_ENTRY = struct.Struct("<24s8sQQ16s")
_CHUNK = 1 << 24


@dataclass(frozen=True, slots=True)
class Section:
    """One array of a file: bytes [offset, offset + count * dtype.itemsize)."""

    name: str
    dtype: np.dtype
    offset: int
    count: int
    checksum: bytes

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return self.count * self.dtype.itemsize

    @property
    def end(self) -> int:
        """Where the next section or the end of the file lies, aligned."""
        return align(self.offset + self.size)


def _bytes_of(values: np.ndarray, dtype: np.dtype) -> memoryview:
    return np.ascontiguousarray(values, dtype=dtype).view(np.uint8).data


def align(offset: int) -> int:
    """The next multiple of ALIGNMENT."""
    return -(-offset // ALIGNMENT) * ALIGNMENT


def encode_header(kind: str, sections: list[Section], size: int) -> bytes:
    """The header page of a file with these sections."""
    entries = b"".join(
        _ENTRY.pack(s.name.encode(), s.dtype.str.encode(), s.offset, s.count, s.checksum)
        for s in sections
    )

    def page(checksum: bytes) -> bytes:
        head = _HEAD.pack(
            MAGIC, VERSION, MINIMUM_READER, len(sections), kind.encode(), size, checksum
        )
        return (head + entries).ljust(PAGE, b"\0")

    return page(xxhash.xxh3_128_digest(page(bytes(16))))


class SectionWriter:
    """Writes a file section by section; ``close`` writes the header and syncs.

    A file whose header was never written starts with zeros and is refused by the reader.
    """

    def __init__(self, path: Path, kind: str, mode: str = "w+b") -> None:
        self.path = path
        self.kind = kind
        self._sections: list[Section] = []
        self._name: str | None = None
        with writing(path):
            self._file: BinaryIO = path.open(mode)  # type: ignore[assignment]
            self._file.seek(PAGE)

    @classmethod
    def reopen(cls, path: Path, kind: str) -> SectionWriter:
        """Go on with a file whose sections lie in it but which has no header yet."""
        return cls(path, kind, "r+b")

    def begin(self, name: str, dtype: Any) -> None:
        """Start the next section; ``write`` appends to it."""
        self._finish()
        self._name, self._dtype = name, np.dtype(dtype).newbyteorder("<")
        self._offset, self._size = self._file.tell(), 0
        self._digest: Any = xxhash.xxh3_128()

    def write(self, values: np.ndarray | bytes) -> None:
        """Append an array of the section's dtype, or raw bytes to a section of bytes."""
        data = memoryview(values) if isinstance(values, bytes) else _bytes_of(values, self._dtype)
        with writing(self.path):
            for start in range(0, len(data), _CHUNK):
                self._file.write(data[start : start + _CHUNK])
        self._digest.update(data)
        self._size += len(data)

    def section(self, name: str, values: np.ndarray | bytes, dtype: Any = np.uint8) -> None:
        """Write a whole section; the dtype is the array's own."""
        self.begin(name, values.dtype if isinstance(values, np.ndarray) else dtype)
        self.write(values)

    def adopt(self, name: str, dtype: Any, size: int, checksum: bytes) -> None:
        """Record as the next section ``size`` bytes that already lie in the file from here on."""
        self._finish()
        dtype = np.dtype(dtype).newbyteorder("<")
        offset = self._file.tell()
        self._sections.append(Section(name, dtype, offset, size // dtype.itemsize, checksum))
        with writing(self.path):
            self._file.seek(offset + size)
            self._pad()

    def close(self) -> None:
        """Write the header, sync and close."""
        self._finish()
        with writing(self.path):
            size = self._file.tell()
            self._file.truncate(size)
            self._file.seek(0)
            self._file.write(encode_header(self.kind, self._sections, size))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def abandon(self) -> None:
        """Close without a header; the file stays unreadable."""
        self._file.close()

    def _finish(self) -> None:
        if self._name is None:
            return
        count = self._size // self._dtype.itemsize
        self._sections.append(
            Section(self._name, self._dtype, self._offset, count, self._digest.digest())
        )
        self._name = None
        with writing(self.path):
            self._pad()

    def _pad(self) -> None:
        offset = self._file.tell()
        self._file.write(bytes(align(offset) - offset))

    def __enter__(self) -> SectionWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


class SectionFile:
    """A file opened for reading, mapped once; arrays are read-only views of the map.

    ``version`` is the version of the format that wrote it.

    Args:
        path: the file.
        kind: what the file must be.
        header: hex checksum the header page must have, where a manifest states it.

    Raises:
        IncompleteIndexError: the file is missing.
        VersionError: a newer version wrote it.
        CorruptIndexError: anything else that is not as the format says.
    """

    def __init__(self, path: Path, kind: str, header: str | None = None) -> None:
        from gramdex.fmindex.format.mappings import map_file  # brings numba

        self.path = path
        self.version = 0
        try:
            if not path.is_file() and path.exists():
                raise self._corrupt("no regular file", "a file")
            with path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                page = file.read(PAGE)
                self.sections = {s.name: s for s in self._parse(page, kind, header)}
                self.mapping = map_file(path, file.fileno(), self.size)
        except FileNotFoundError as error:
            raise IncompleteIndexError(
                str(path), "no such file", "a file named by the manifest"
            ) from error
        except OSError as error:
            raise UnreadableIndexError(
                str(path), f"cannot be read: {error.strerror or error}", "a readable file"
            ) from error
        except ValueError as error:
            raise self._corrupt(f"not mapped: {error}", f"{self.size} bytes") from error
        self.header = page[48:64].hex()

    def array(self, name: str, dtype: Any) -> np.ndarray:
        """The section as a read-only array.

        Raises:
            CorruptIndexError: there is no such section, or it has another dtype.
        """
        section = self.sections.get(name)
        expected = np.dtype(dtype).newbyteorder("<")
        if section is None or section.dtype != expected:
            found = "no such section" if section is None else f"dtype {section.dtype.str}"
            raise self._corrupt(f"section {name!r}: {found}", f"dtype {expected.str}")
        return np.frombuffer(self.mapping, section.dtype, section.count, section.offset)

    def advise(self, name: str, advice: int) -> None:
        """Tell the system how a section will be read, one of ``mmap.MADV_…``; whole pages of it."""
        section = self.sections[name]
        start, end = -(-section.offset // mmap.PAGESIZE), section.end // mmap.PAGESIZE
        if start < end and hasattr(self.mapping, "madvise"):
            self.mapping.madvise(advice, start * mmap.PAGESIZE, (end - start) * mmap.PAGESIZE)

    def check_section(self, name: str) -> None:
        """Compare one section with its checksum.

        Raises:
            CorruptIndexError: they differ.
        """
        section = self.sections[name]
        digest = xxhash.xxh3_128()
        for start in range(section.offset, section.offset + section.size, _CHUNK):
            end = min(start + _CHUNK, section.offset + section.size)
            digest.update(self.mapping[start:end])
        if digest.digest() != section.checksum:
            raise self._corrupt(
                f"checksum of section {name!r} is {digest.hexdigest()}", section.checksum.hex()
            )

    def check(self) -> None:
        """Compare every byte with its checksum, or with zero where it is padding.

        Raises:
            CorruptIndexError: some byte differs.
        """
        for section in self.sections.values():
            self.check_section(section.name)
            if any(self.mapping[section.offset + section.size : section.end]):
                raise self._corrupt(f"bytes after section {section.name!r} are set", "zeros")

    def _parse(self, page: bytes, kind: str, header: str | None) -> list[Section]:
        if len(page) < PAGE:
            raise self._corrupt(f"{len(page)} bytes", f"at least {PAGE}")
        magic, version, oldest, count, found, size, checksum = _HEAD.unpack_from(page)
        if magic != MAGIC:
            raise self._corrupt(f"begins with {magic!r}", f"{MAGIC!r}")
        if oldest > VERSION:
            raise VersionError(
                str(self.path),
                f"format version {version}, readable from version {oldest} on",
                f"at most version {VERSION}",
                "install a newer gramdex",
            )
        if checksum != xxhash.xxh3_128_digest(page[:48] + bytes(16) + page[64:]):
            raise self._corrupt("the header does not match its checksum", checksum.hex())
        if found.rstrip(b"\0") != kind.encode():
            raise self._corrupt(f"a file of kind {found!r}", f"kind {kind!r}")
        if header is not None and checksum.hex() != header:
            raise self._corrupt(
                f"header checksum {checksum.hex()}", f"{header} by the manifest: another file"
            )
        self.version = version
        if size != self.size:
            raise self._corrupt(f"{self.size} bytes", f"{size} by its header")
        return self._parse_table(page, count)

    def _parse_table(self, page: bytes, count: int) -> list[Section]:
        if count > MAXIMUM_SECTIONS:
            raise self._corrupt(f"{count} sections", f"at most {MAXIMUM_SECTIONS}")
        sections: list[Section] = []
        position = PAGE
        for i in range(count):
            entry = _ENTRY.unpack_from(page, _HEAD.size + i * _ENTRY.size)
            name, dtype = (field.rstrip(b"\0").decode("latin-1") for field in entry[:2])
            if dtype not in DTYPES or name in {section.name for section in sections}:
                raise self._corrupt(f"section {name!r} of {dtype!r}", "other names, known dtypes")
            section = Section(name, np.dtype(dtype), *entry[2:])
            if section.offset != position or section.end > self.size:
                raise self._corrupt(f"section {name!r} at {section.offset}", f"at {position}")
            position = section.end
            sections.append(section)
        if position != self.size:
            raise self._corrupt(f"sections end at {position}", f"at the end, {self.size}")
        return sections

    def _corrupt(self, found: str, expected: str) -> CorruptIndexError:
        return CorruptIndexError(str(self.path), found, expected)
