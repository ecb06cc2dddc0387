"""Opening: bytes of any fsspec URL as one stream, decompressed, with errors that say what to do.

`gzip` and `zstd` streams are read to the end of the file, member after member and frame after
frame, and one that ends early is an error: the stream readers of the libraries stop after the
first zstd frame, and take a truncated one for the end of the data.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, cast

import fsspec.core
import zstandard

from gramdex.errors import GramdexError, InputError
from gramdex.indexer.readers.interface import InputFile, ReadOptions

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

BUFFER = 1 << 20
"""Bytes asked of the file system at a time."""

ZSTD_FEED = 1 << 10
"""Compressed bytes decompressed at a time: a zstd block of 4 bytes may hold 128 KiB, and what
one call gives is all in memory, so this bounds it at 32 MiB."""

ZSTD_WINDOW = 1 << 31
"""Largest window accepted, that of ``zstd --long=31``; a frame takes the memory it asks for."""


def split_compression(name: str) -> tuple[str, str | None]:
    """Split off a compression: the lower-case name without its suffix, and which it is."""
    name = name.lower()
    for suffix, compression in COMPRESSIONS.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix), compression
    return name, None


@contextmanager
def failures(url: str) -> Iterator[None]:
    """Turn whatever a file system or a decoding library raises into an InputError on `url`.

    File systems raise errors of their own libraries, so every Exception is one here: keep the
    block to calls into them.

    Raises:
        InputError: something was raised inside, other than an error of Gramdex.
    """
    try:
        yield
    except (GramdexError, MemoryError):
        raise
    except Exception as error:
        raise InputError(url, *explain(error)) from error


def explain(error: Exception) -> tuple[str, str, str]:
    """Say what was found, what was expected and the remedy, for an error of a file system."""
    said = str(error).strip() or type(error).__name__
    if isinstance(error, FileNotFoundError):
        return "no such file or folder", "", "check the path"
    if isinstance(error, PermissionError):
        return "permission denied", "a readable path", "change its mode, or run as its owner"
    if isinstance(error, EOFError):
        return "its gzip stream ends early", "a complete file", "copy or compress it again"
    if isinstance(error, zstandard.ZstdError):
        return f"its zstd stream is damaged: {said}", "zstd", "copy or compress it again"
    if isinstance(error, gzip.BadGzipFile | zlib.error):
        return f"its gzip stream is damaged: {said}", "gzip", "copy or compress it again"
    return f"cannot be read: {said}", "", "check the file, then run again"


@contextmanager
def open_source(url: str, told: Callable[[int], object] | None) -> Iterator[BinaryIO]:
    """Open the stored bytes of a file; ``told`` hears how many each read gives.

    Raises:
        InputError: it cannot be opened.
    """
    with failures(url):
        fs, path = fsspec.core.url_to_fs(url)
        source = fs.open(path, "rb")
    try:
        yield source if told is None else cast(BinaryIO, _Told(source, told))
    finally:
        with suppress(Exception):
            source.close()


@contextmanager
def open_stream(file: InputFile, options: ReadOptions) -> Iterator[io.BufferedReader]:
    """Open the decompressed bytes of a file, front to back, in bounded memory.

    Raises:
        InputError: on opening, or on any later read: the file system fails, or the compressed
            stream is damaged or ends early.
    """
    with open_source(file.url, options.on_bytes) as source:
        pull: Callable[[int], bytes] = source.read
        if file.compression == "gzip":
            pull = gzip.GzipFile(fileobj=source, mode="rb").read
        elif file.compression == "zstd":
            pull = _ZstdFrames(source, file.url).read
        yield io.BufferedReader(_Pulled(pull, file.url), BUFFER)


def lines(stream: io.BufferedReader, limit: int) -> Iterator[tuple[int, bytes | None]]:
    r"""Lines ending in ``\n``, each with its 1-based number; None for one over `limit` bytes.

    A line that is too long is passed over without being held.
    """
    number = 0
    while line := stream.readline(limit + 1):
        number += 1
        if len(line) <= limit or line.endswith(b"\n"):
            yield number, line
            continue
        del line
        while (rest := stream.readline(BUFFER)) and not rest.endswith(b"\n"):
            pass
        yield number, None


class _Told:
    """A file that tells how many bytes each read gave."""

    def __init__(self, source: BinaryIO, told: Callable[[int], object]) -> None:
        self._source, self._told = source, told

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._told(len(data))
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class _Pulled(io.RawIOBase):
    """A raw stream over a function that returns at most as many bytes as asked, b"" at the end."""

    def __init__(self, pull: Callable[[int], bytes], url: str) -> None:
        self._pull, self._url = pull, url

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with failures(self._url):
            data = self._pull(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _ZstdFrames:
    """All frames of a zstd file, one after the other.

    Invariant: `_frame` is None exactly between frames, where the file may end.
    """

    def __init__(self, source: BinaryIO, url: str) -> None:
        self._source, self._url = source, url
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        self._frame: Any = None
        self._compressed = self._ready = memoryview(b"")

    def read(self, size: int) -> bytes:
        while not self._ready:
            if not self._compressed:
                self._compressed = memoryview(self._source.read(BUFFER))
            if not self._compressed:
                self._check_complete()
                return b""
            self._ready = memoryview(self._decompress())
        data, self._ready = self._ready[:size], self._ready[size:]
        return data.tobytes()

    def _decompress(self) -> bytes:
        feed = self._compressed[:ZSTD_FEED]
        if self._frame is None:
            self._frame = self._decompressor.decompressobj()
        data = self._frame.decompress(feed)
        unused = len(self._frame.unused_data) if self._frame.eof else 0
        self._compressed = self._compressed[len(feed) - unused :]
        if self._frame.eof:
            self._frame = None
        return data

    def _check_complete(self) -> None:
        if self._frame is not None:
            raise InputError(
                self._url,
                "its zstd stream ends early",
                "a complete file",
                "copy or compress it again",
            )
