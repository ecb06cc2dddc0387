"""Cutting the stream of encoded documents into shards.

A shard takes whole documents while they fit. The document that no longer fits moves to the next
shard; only one longer than a shard is split, and every part says so in its metadata. Cuts follow
from the documents alone, so a rerun cuts at the same places.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gramdex.fmindex.format.files import writing
from gramdex.fmindex.format.layout import DOCUMENTS, DOCUMENTS_FILE, METADATA_FILE, TOKENS_FILE
from gramdex.fmindex.format.metadata import MetadataWriter
from gramdex.fmindex.format.sections import PAGE, SectionWriter
from gramdex.indexer.encoding import Piece
from gramdex.kernels.memory import SEPARATOR

_COPY = 1 << 24
_STARTS = 1 << 16
_BUFFER = 1 << 20


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where in the input a shard begins.

    Attributes:
        file, record: the first record of the shard.
        token: tokens of that record that the shard before has taken.
        part: 0, or how many parts of that document the shards before hold.
    """

    file: int
    record: int
    token: int = 0
    part: int = 0

    def to_json(self) -> dict[str, int]:
        """As stored in the shard's manifest."""
        return asdict(self)


class Spool:
    """The files of a shard while documents are added to it."""

    def __init__(self, folder: Path, width: int, begin: Cursor) -> None:
        self.folder = folder
        self.begin = begin
        self.size = 0
        self.documents = 0
        self.tally: Counter[str] = Counter()
        self._width = width
        self._separator = np.array([SEPARATOR], f"<u{width}")
        self._path = folder / TOKENS_FILE
        with writing(folder):
            folder.mkdir()
        with writing(self._path):
            self._tokens: BinaryIO = self._path.open("w+b", buffering=_BUFFER)
            self._tokens.seek(PAGE)
        self._starts_writer = SectionWriter(folder / DOCUMENTS_FILE, DOCUMENTS)
        self._starts_writer.begin("starts", np.uint32)
        self._starts: list[int] = []
        self._metadata = MetadataWriter(folder / METADATA_FILE)

    def write(self, ranks: np.ndarray) -> None:
        """Append tokens."""
        with writing(self._path):
            self._tokens.write(np.ascontiguousarray(ranks).view(np.uint8).data)
        self.size += ranks.size

    def end_document(self, start: int, metadata: dict[str, Any]) -> None:
        """Close the document that began at position ``start``."""
        self.write(self._separator)
        self._starts.append(start)
        if len(self._starts) == _STARTS:
            self._flush_starts()
        self._metadata.append(metadata)
        self.documents += 1

    def move_tail(self, start: int, other: Spool) -> None:
        """Move the tokens from position ``start`` on to the end of another spool."""
        with writing(self._path):
            self._tokens.seek(PAGE + start * self._width)
            while chunk := self._tokens.read(_COPY):
                other.write(np.frombuffer(chunk, f"<u{self._width}"))
            self.drop_tail(start)

    def drop_tail(self, start: int) -> None:
        """Forget the tokens from position ``start`` on."""
        with writing(self._path):
            self._tokens.seek(PAGE + start * self._width)
            self._tokens.truncate()
        self.size = start

    def close(self) -> None:
        """Finish all files but the tokens, whose header follows when they are sorted."""
        with writing(self._path):
            self._tokens.close()
        self._starts.append(self.size)
        self._flush_starts()
        self._starts_writer.close()
        self._metadata.close()

    def remove(self) -> None:
        """Close and remove all files; a full disk does not matter any more."""
        for close in (self._tokens.close, self._starts_writer.abandon, self._metadata.abandon):
            with suppress(OSError):
                close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _flush_starts(self) -> None:
        self._starts_writer.write(np.array(self._starts, np.uint32))
        self._starts = []


@dataclass
class _OpenDocument:
    """The document that pieces are being added to.

    Attributes:
        begin: where it begins in the input, for a shard that begins with it.
        start: position in the open spool of what that spool holds of it.
        parts: how many parts of it are in shards already.
        tally: what to count once a part or the whole is in a shard for good.
    """

    begin: Cursor
    start: int
    metadata: dict[str, Any]
    parts: int
    tally: Counter[str] = field(default_factory=Counter)


class ShardWriter:
    """Adds pieces to spools; hands over each spool that is full.

    Args:
        folder: gives the temporary folder of the next shard.
        width: bytes per token.
        shard_tokens: most tokens of a shard, separators included.
        begin: where in the input the first shard begins.
    """

    def __init__(
        self, folder: Callable[[], Path], width: int, shard_tokens: int, begin: Cursor
    ) -> None:
        self._folder = folder
        self._width = width
        self._shard_tokens = shard_tokens
        self._spool: Spool | None = None
        self._begin = begin
        self._resumed: Cursor | None = begin
        self._document: _OpenDocument | None = None

    @property
    def in_document(self) -> bool:
        """Whether the next piece goes on with a document."""
        return self._document is not None

    @property
    def parts(self) -> int:
        """Parts of the open document that are in shards already."""
        return 0 if self._document is None else self._document.parts

    @property
    def tally(self) -> Counter[str]:
        """What is counted for the shard that is open."""
        return self._current.tally

    @property
    def _current(self) -> Spool:
        if self._spool is None:
            self._spool = Spool(self._folder(), self._width, self._begin)
        return self._spool

    def add(self, piece: Piece) -> Iterator[tuple[Spool, Cursor]]:
        """Add a piece; yields each spool that it fills, closed, and where the next begins."""
        document, taken = self._enter(piece)
        ranks = piece.ranks[taken:]
        while ranks.size > (room := self._shard_tokens - self._current.size - 1):
            if document.start > 0:
                yield self._move(document)
                continue
            self._current.write(ranks[:room])
            ranks, taken = ranks[room:], taken + room
            yield self._split(document, Cursor(*piece.place, taken, document.parts + 1))
        self._current.write(ranks)
        document.tally["lossy_records"] += not piece.exact
        document.tally["text_cuts"] += piece.is_text and piece.continues
        if not piece.continues:
            self._end(document, last=True)
            self._document = None

    def drop_document(self) -> None:
        """Forget the pieces of the open document."""
        if self._document is not None:
            self._current.drop_tail(self._document.start)
            self._document = None

    def finish(self) -> tuple[Spool | None, Counter[str]]:
        """The last spool, closed, if it holds documents; else what was counted since the last."""
        spool, self._spool = self._spool, None
        if spool is None:
            return None, Counter()
        if spool.documents:
            spool.close()
            return spool, Counter()
        spool.remove()
        return None, spool.tally

    def abandon(self) -> None:
        """Remove the open spool."""
        if self._spool is not None:
            self._spool.remove()

    def _enter(self, piece: Piece) -> tuple[_OpenDocument, int]:
        """The document the piece belongs to, and how many of its tokens are in shards already."""
        resumed, self._resumed = self._resumed, None
        taken = resumed.token if resumed is not None else 0
        if self._document is None:
            parts = resumed.part if resumed is not None else 0
            begin = Cursor(*piece.place)
            self._document = _OpenDocument(begin, self._current.size, piece.metadata, parts)
        return self._document, taken

    def _move(self, document: _OpenDocument) -> tuple[Spool, Cursor]:
        """Close the open spool without the open document, which goes to the next."""
        full = self._next_spool(document.begin)
        full.move_tail(document.start, self._current)
        document.start = 0
        full.close()
        return full, document.begin

    def _split(self, document: _OpenDocument, begin: Cursor) -> tuple[Spool, Cursor]:
        """Close the open spool, full of the open document, which goes on in the next."""
        self._end(document, last=False)
        full = self._next_spool(begin)
        full.close()
        return full, begin

    def _next_spool(self, begin: Cursor) -> Spool:
        full, self._begin = self._current, begin
        self._spool = Spool(self._folder(), self._width, begin)
        return full

    def _end(self, document: _OpenDocument, last: bool) -> None:
        metadata = document.metadata
        if document.parts or not last:
            document.parts += 1
            document.tally["split_parts"] += 1
            metadata = {**metadata, "part": document.parts, "last_part": last}
        self._current.end_document(document.start, metadata)
        self._current.tally.update({k: v for k, v in document.tally.items() if v})
        document.tally.clear()
