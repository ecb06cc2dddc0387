r"""Plain text: a file, or each of its lines, is a document.

Text is UTF-8 and is kept as it stands: no newline is translated, no byte order mark dropped.
Lines end in ``\n`` or ``\r\n``; the last need not.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from gramdex.errors import InputError, RecordError
from gramdex.indexer.readers.interface import InputFile, Reader, ReadOptions
from gramdex.indexer.readers.opening import BUFFER, lines, open_stream
from gramdex.indexer.records import BadRecord, Record

PIECE = 2 << 20
"""Bytes of the largest piece of a document, at least 4: a character must fit."""

MAX_LINE = 64 << 20
"""Bytes of the longest line that is read as a document."""


def read(file: InputFile, options: ReadOptions) -> Iterator[Record | BadRecord]:
    """Yield the documents of a text file, with metadata ``path`` and, by line, ``line``.

    Raises:
        InputError: the file cannot be read on.
    """
    by_line = options.text_unit == "line"
    yield from _read_lines(file, options) if by_line else _read_whole(file, options)


def _read_lines(file: InputFile, options: ReadOptions) -> Iterator[Record | BadRecord]:
    with open_stream(file, options) as stream:
        for number, line in lines(stream, MAX_LINE):
            place = f"{file.url}:{number}"
            if line is None:
                found = f"a line of more than {MAX_LINE} bytes"
                yield BadRecord(RecordError(place, found, "shorter lines"))
                continue
            if line.endswith(b"\n"):
                line = line[:-1].removesuffix(b"\r")  # noqa: PLW2901
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                yield BadRecord(_not_utf8(place, line[error.start], error.start, "of the line"))
                continue
            yield Record(text, {"path": file.url, "line": number}, place)


def _read_whole(file: InputFile, options: ReadOptions) -> Iterator[Record | BadRecord]:
    """One document, an empty one of an empty file.

    A large file is checked whole first, so no bad one is half-delivered.
    """
    with open_stream(file, options) as stream:
        data = stream.read(PIECE + 1)
        large = len(data) > PIECE
        bad = _find_bad_byte(data, stream, file.url)
    if bad is not None:
        yield BadRecord(bad)
    elif large:
        del data
        with open_stream(file, options) as stream:
            for piece, continues in _pieces(stream):
                yield Record(_decode(piece, file.url), {"path": file.url}, file.url, continues)
    else:
        yield Record(data.decode("utf-8"), {"path": file.url}, file.url)


def _find_bad_byte(data: bytes, stream: io.BufferedReader, url: str) -> RecordError | None:
    """Find the first byte of `data` and the rest of `stream` that is not UTF-8."""
    offset = 0
    while True:
        more = stream.read(BUFFER)
        try:
            _, used = codecs.utf_8_decode(data, "strict", not more)
        except UnicodeDecodeError as error:
            return _not_utf8(url, data[error.start], offset + error.start, "of the file")
        if not more:
            return None
        offset, data = offset + used, data[used:] + more


def _pieces(stream: io.BufferedReader) -> Iterator[tuple[bytes, bool]]:
    """Pieces of at most `PIECE` bytes, each with whether more follow.

    A piece ends after its last newline, or where it has none, at its last character border.
    """
    data = stream.read(PIECE + 1)
    while len(data) > PIECE:
        cut = data.rfind(b"\n", 0, PIECE) + 1 or _character_border(data, PIECE)
        yield data[:cut], True
        data = data[cut:] + stream.read(PIECE + 1 - (len(data) - cut))
    if data:
        yield data, False


def _character_border(data: bytes, cut: int) -> int:
    """Find the last place at or before `cut` where a UTF-8 character starts."""
    starts = (place for place in range(cut, cut - 4, -1) if data[place] & 0xC0 != 0x80)
    return next(starts, cut)


def _decode(piece: bytes, url: str) -> str:
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        found = "a file that changed while it was read"
        raise InputError(url, found, "a file at rest", "run again when it is complete") from None


def _not_utf8(place: str, byte: int, offset: int, of: str) -> RecordError:
    found = f"byte 0x{byte:02x} at byte offset {offset} {of}"
    return RecordError(place, found, "UTF-8", "convert it to UTF-8 or leave it out")


READER = Reader("text", (".txt", ".text", ".md", ".rst"), read)
