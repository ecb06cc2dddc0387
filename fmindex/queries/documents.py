"""Documents: by number, by position, and those that hold a pattern."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gramdex.errors import CorruptIndexError, QueryError
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.results import Document, Match
from gramdex.fmindex.shard import Shard
from gramdex.fmindex.tokenizers import Tokenizer


@dataclass(frozen=True)
class DocumentReader:
    """Reads documents of an index.

    Attributes:
        shards: in order; documents are numbered through them.
        engine: over the same shards.
        vocabulary: ids and ranks.
        tokenizer: turns ids into text; kind "none" leaves the text out.
    """

    shards: Sequence[Shard]
    engine: Engine
    vocabulary: Vocabulary
    tokenizer: Tokenizer

    def read(self, number: int) -> Document:
        """Document by its number in the index.

        Raises:
            QueryError: there is no such document.
        """
        local = number
        for index, shard in enumerate(self.shards):
            if 0 <= local < shard.documents:
                return self._document(index, local, np.empty(0, np.int64), 0, None)
            local -= shard.documents
        total = sum(s.documents for s in self.shards)
        raise QueryError(f"document {number}", "no such document", f"0 to {total - 1}")

    def read_at(self, shard: int, position: int, context: int | None) -> Document:
        """Document around a text position of a shard.

        Raises:
            QueryError: there is no such shard or position, or it is a separator.
        """
        if not 0 <= shard < len(self.shards) or not 0 <= position < self.shards[shard].size:
            raise QueryError(f"position {position} of shard {shard}", "no such position")
        document = int(self.shards[shard].document_of(np.array([position]))[0])
        if position == self.shards[shard].bounds(document)[1]:
            raise QueryError(f"position {position} of shard {shard}", "a document's end", "a token")
        return self._document(shard, document, np.array([position]), 1, context)

    def matching(
        self, pattern: np.ndarray, max_documents: int, context: int | None
    ) -> list[Document]:
        """Documents that hold the pattern, in corpus order, with all its occurrences in them."""
        if pattern.size == 0:
            raise QueryError("query", "no tokens", "at least one token")
        documents: list[Document] = []
        for shard, (low, high) in enumerate(self.engine.find(pattern)[1].tolist()):
            groups = self._by_document(shard, low, high, max_documents - len(documents))
            documents += [self._document(shard, d, p, pattern.size, context) for d, p in groups]
        return documents

    def _by_document(
        self, shard: int, low: int, high: int, most: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """The first ``most`` documents of the ranks [low, high): (document, its positions)."""
        if most <= 0 or low == high:
            return
        positions = self._first_positions(shard, low, high, most)
        documents = self.shards[shard].document_of(positions)
        first = np.flatnonzero(np.diff(documents, prepend=-1))
        groups = np.split(positions, first[1:])
        for start, group in list(zip(first, groups, strict=True))[:most]:
            yield int(documents[start]), group

    def _first_positions(self, shard: int, low: int, high: int, most: int) -> np.ndarray:
        """All occurrences in the first ``most`` documents, and perhaps some after them."""
        taken = self.engine.first_taken
        while taken < high - low:
            positions = self.engine.first_positions(shard, low, high, taken)
            if np.unique(self.shards[shard].document_of(positions)).size > most:
                return positions
            taken *= 16
        return self.engine.locate(shard, low, high)

    def _document(
        self, index: int, local: int, positions: np.ndarray, length: int, context: int | None
    ) -> Document:
        shard = self.shards[index]
        first, last = shard.bounds(local)
        start, end = 0, last - first
        matches = positions - first
        _check_inside(shard, local, matches, length)
        if context is not None and matches.size:
            start = max(0, int(matches[0]) - context)
            end = min(end, int(matches[0]) + length + context)
            matches = matches[matches + length <= end]
        ids = self.vocabulary.to_ids(self.engine.extract(index, first + start, first + end))
        metadata = shard.read_metadata(local)
        begins = start == 0 and metadata.get("part", 1) == 1
        ends = end == last - first and metadata.get("last_part", True)
        text, spans = self._text(ids, matches - start, length, (begins, ends))
        return Document(
            number=local + sum(s.documents for s in self.shards[:index]),
            shard=index,
            token_count=last - first,
            start=start,
            end=end,
            ids=ids,
            text=text,
            metadata=metadata,
            matches=tuple(
                Match(m, m + length, *span) for m, span in zip(matches.tolist(), spans, strict=True)
            ),
        )

    def _text(
        self, ids: np.ndarray, matches: np.ndarray, length: int, whole: tuple[bool, bool]
    ) -> tuple[str | None, list[tuple[int | None, int | None]]]:
        """Text of the ids, and the characters of each match that starts at token ``matches``.

        ``whole`` says whether the ids begin and end a document, and not in its middle.
        """
        unknown: list[tuple[int | None, int | None]] = [(None, None)] * matches.size
        if self.tokenizer.kind == "none":
            return None, unknown
        if not self.tokenizer.lossless_bytes:
            return self.tokenizer.decode(ids), unknown
        text = self.tokenizer.decode_bytes(ids, at_start=whole[0])
        table = self.tokenizer.token_bytes
        assert table is not None  # only kind "none" has no table
        ends = np.concatenate([[0], np.cumsum(table.lengths(ids))])
        stripped = int(ends[-1]) - len(text)  # a leading space the tokenizer adds
        bounds = np.maximum(ends - stripped, 0)
        text, cut = _whole_characters(text, *whole)
        bounds = np.clip(bounds - cut, 0, len(text))
        characters = _CharacterMap(text)
        return text.decode("utf-8", "replace"), [
            characters.span(int(bounds[m]), int(bounds[m + length])) for m in matches.tolist()
        ]


def _check_inside(shard: Shard, document: int, matches: np.ndarray, length: int) -> None:
    first, last = shard.bounds(document)
    if matches.size and (matches[0] < 0 or matches[-1] + length > last - first):
        raise CorruptIndexError(
            str(shard.folder),
            f"a match across the end of document {document}",
            "matches inside documents",
            "run gramdex verify on the index",
        )


def _whole_characters(text: bytes, at_start: bool, at_end: bool) -> tuple[bytes, int]:
    """Drop bytes of characters cut at the edges; also how many were dropped in front.

    What is cut at a document's own start or end is not cut here: it is invalid, and stays.
    """
    front = 0
    if not at_start:
        while front < min(3, len(text)) and text[front] & 0xC0 == 0x80:
            front += 1
    back = len(text)
    for size in range(1, 1 if at_end else min(3, len(text) - front) + 1):
        lead = text[len(text) - size]
        if lead >= 0xC0:
            if size < (2 if lead < 0xE0 else 3 if lead < 0xF0 else 4):
                back -= size
            break
        if lead < 0x80:
            break
    return text[front:back], front


class _CharacterMap:
    """Byte offsets of a UTF-8 text to character offsets, rounded outwards."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        leads = (np.frombuffer(text, np.uint8) & 0xC0) != 0x80
        self._before = np.concatenate([[0], np.cumsum(leads)])
        try:
            text.decode("utf-8")
            self._valid = True
        except UnicodeDecodeError:
            self._valid = False

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Characters [first, last) that hold the bytes [start, end)."""
        if self._valid:
            first = int(self._before[min(start + 1, len(self._text))]) - (start < len(self._text))
            return first, max(first, int(self._before[end]))
        return tuple(len(self._text[:n].decode("utf-8", "replace")) for n in (start, end))  # type: ignore[return-value]
