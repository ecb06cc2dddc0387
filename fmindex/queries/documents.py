"""Documents: by number, by position, and those that hold a pattern."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gramdex.errors import CorruptIndexError, QueryError
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.stopping import in_turns, stop_here
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.queries.phrases import Clause, Part, spans_inside
from gramdex.fmindex.queries.text import Spans, TextReader
from gramdex.fmindex.results import Document, Match
from gramdex.fmindex.shard import Shard
from gramdex.fmindex.tokenizers import Tokenizer


class Matches(NamedTuple):
    """Occurrences inside one document, in order.

    Attributes:
        spans: the tokens that hold each, by positions in the shard.
        sizes: bytes of each, of all or int64[n]; -1 for those of the tokens.
    """

    spans: Spans
    sizes: int | np.ndarray = -1

    def take(self, which: np.ndarray | slice) -> Matches:
        """Some of them."""
        sizes = self.sizes if isinstance(self.sizes, int) else self.sizes[which]
        return Matches(self.spans.take(which), sizes)


FirstMatches: TypeAlias = Callable[[int, int], Matches]
"""From a shard and a number: all matches in so many of its documents that have some, or in more."""


def _tokens_from(positions: np.ndarray, length: int) -> Matches:
    """Matches of ``length`` whole tokens."""
    return Matches(Spans(positions, positions + length, np.zeros_like(positions)))


class DocumentReader:
    """Reads documents of an index.

    Args:
        texts: finds strings in the same index; its shards, vocabulary and tokenizer are used, and
            its documents that are not to be shown.
        engine: over the same shards, without what is taken down.
    """

    def __init__(self, texts: TextReader, engine: Engine) -> None:
        self.texts = texts
        self.engine = engine
        self.shards: Sequence[Shard] = texts.shards
        self.vocabulary: Vocabulary = texts.vocabulary
        self.tokenizer: Tokenizer = texts.tokenizer

    def shown(self, shard: int, documents: np.ndarray) -> np.ndarray:
        """Which documents of a shard are not taken down, bool[n]."""
        return self.texts.shown(shard, documents)

    def number(self, shard: int, document: int) -> int:
        """Number in the index of a document of a shard."""
        return document + sum(s.documents for s in self.shards[:shard])

    def read(self, number: int) -> Document:
        """Document by its number in the index.

        Raises:
            QueryError: there is no such document, or it is taken down.
        """
        shard, local = self._place(number)
        return self._document(shard, local, _tokens_from(np.empty(0, np.int64), 0), None)

    def metadata(self, number: int) -> dict[str, Any]:
        """Metadata of a document; errors as ``read``."""
        shard, local = self._place(number)
        return self.shards[shard].read_metadata(local)

    def _place(self, number: int) -> tuple[int, int]:
        """Shard of a document, and its number there."""
        local = number
        for index, shard in enumerate(self.shards):
            if 0 <= local < shard.documents:
                self.require_shown(index, local)
                return index, local
            local -= shard.documents
        raise no_such_document(number, self.number(len(self.shards), 0))

    def read_at(self, shard: int, position: int, context: int | None) -> Document:
        """Document around a text position of a shard.

        Raises:
            QueryError: there is no such shard or position, or it is a separator.
        """
        if not 0 <= shard < len(self.shards) or not 0 <= position < self.shards[shard].size:
            raise QueryError(f"position {position} of shard {shard}", "no such position")
        document = int(self.shards[shard].document_of(np.array([position]))[0])
        self.require_shown(shard, document)
        if position == self.shards[shard].bounds(document)[1]:
            raise QueryError(f"position {position} of shard {shard}", "a document's end", "a token")
        return self._document(shard, document, _tokens_from(np.array([position]), 1), context)

    def holding(
        self, query: np.ndarray | str, page: tuple[int, int], context: int | None
    ) -> list[Document]:
        """Documents that hold a pattern or a string, in corpus order, with every occurrence.

        ``page``: how many are left out first, and how many there are at most.
        """
        skip, left = page
        documents: list[Document] = []
        first = self._first_matches(query)
        for shard in range(len(self.shards)):
            if left > 0:
                matches = first(shard, skip + left)
                skip, left = self._add(documents, (shard, matches), (skip, left), context)
        return documents

    def found(self, query: np.ndarray | str, most: int) -> int:
        """How many documents hold a query; ``most``, if there are more."""
        first, found = self._first_matches(query), 0
        for shard in range(len(self.shards)):
            if found < most:
                starts = first(shard, most - found).spans.starts
                found += np.unique(self.shards[shard].document_of(starts)).size
        return min(found, most)

    def _first_matches(self, query: np.ndarray | str) -> FirstMatches:
        """What finds a pattern of ranks, or a string, shard by shard.

        Raises:
            QueryError: the query is empty.
        """
        if isinstance(query, str):
            text, rows, size = query, self.texts.rows(query), len(query.encode())
            return lambda shard, most: Matches(
                self.texts.first_spans(text, shard, rows, most), size
            )
        if query.size == 0:
            raise QueryError("query", "no tokens", "at least one token")
        intervals, length = self.engine.find(query)[1], query.size

        def positions(shard: int, most: int) -> Matches:
            low, high = intervals[shard].tolist()
            return _tokens_from(self._first_positions(shard, low, high, most), length)

        return positions

    def _add(
        self,
        documents: list[Document],
        found: tuple[int, Matches],
        page: tuple[int, int],
        context: int | None,
    ) -> tuple[int, int]:
        """Add a shard's documents that have matches, those of the page; what is left of it.

        All matches of the first documents of the shard are given, as many as the page reaches.
        """
        shard, matches = found
        skip, left = page
        numbers = self.shards[shard].document_of(matches.spans.starts)
        bounds = [*np.flatnonzero(np.diff(numbers, prepend=-1)).tolist(), numbers.size]
        groups = list(pairwise(bounds))
        for start, end in groups[skip : skip + left]:
            inside = matches.take(slice(start, end))
            documents.append(self._document(shard, int(numbers[start]), inside, context))
        taken = len(groups[skip : skip + left])
        return max(skip - len(groups), 0), left - taken

    def _first_positions(self, shard: int, low: int, high: int, most: int) -> np.ndarray:
        """All occurrences in the first ``most`` documents, and perhaps some after them."""
        taken, positions = self.engine.first_taken, np.empty(0, np.int64)
        while taken < high - low:
            positions = self.engine.first_positions(shard, low, high, taken)
            documents = np.unique(self.shards[shard].document_of(positions))
            if np.count_nonzero(self.shown(shard, documents)) > most:
                return self._shown_positions(shard, positions)
            taken *= 16
        if low < high:
            positions = self.engine.locate(shard, low, high)
        return self._shown_positions(shard, positions)

    def _shown_positions(self, shard: int, positions: np.ndarray) -> np.ndarray:
        return positions[self.shown(shard, self.shards[shard].document_of(positions))]

    def require_shown(self, shard: int, document: int) -> None:
        """Refuse a document of a shard that is taken down: QueryError."""
        if not self.shown(shard, np.array([document]))[0]:
            raise QueryError(
                f"document {self.number(shard, document)}",
                "it is taken down",
                "a document that is not",
                "open the index without the takedown index to see it",
            )

    def around(
        self, place: tuple[int, int], length: int, clauses: Sequence[Clause], context: int | None
    ) -> Document:
        """The document at a place, with all phrases of the clauses in the part that is shown.

        Args:
            place: shard and text position.
            length: tokens there that the part holds.
            clauses: whose phrases are the matches.
            context: tokens before and after; None for the whole document.
        """
        index, position = place
        shard = self.shards[index]
        local = int(shard.document_of(np.array([position]))[0])
        low, high = shard.bounds(local)
        if context is not None:
            low, high = max(low, position - context), min(high, position + length + context)
        part = Part(index, low, self.engine.extract(index, low, high))
        return self._part(part, local, Matches(*spans_inside(clauses, part)))

    def _document(self, index: int, local: int, matches: Matches, context: int | None) -> Document:
        shard, spans = self.shards[index], matches.spans
        start, end = shard.bounds(local)
        _check_inside(shard, local, spans)
        if context is not None and spans.starts.size:
            start = max(start, int(spans.starts[0]) - context)
            end = min(end, int(spans.ends[0]) + context)
            matches = matches.take(spans.ends <= end)
        return self._part(
            Part(index, start, self.engine.extract(index, start, end)), local, matches
        )

    def _part(self, part: Part, local: int, matches: Matches) -> Document:
        """Part of a document, with matches that lie inside."""
        shard = self.shards[part.shard]
        first, last = shard.bounds(local)
        start, end = part.start - first, part.start - first + part.ranks.size
        ids = self.vocabulary.to_ids(part.ranks)
        metadata = shard.read_metadata(local)
        begins = start == 0 and metadata.get("part", 1) == 1
        ends = end == last - first and metadata.get("last_part", True)
        spans = matches.spans
        shown = Spans(spans.starts - part.start, spans.ends - part.start, spans.offsets)
        text, places = self._text(ids, matches._replace(spans=shown), (begins, ends))
        tokens = zip((shown.starts + start).tolist(), (shown.ends + start).tolist(), strict=True)
        return Document(
            number=self.number(part.shard, local),
            shard=part.shard,
            token_count=last - first,
            start=start,
            end=end,
            ids=ids,
            text=text,
            metadata=metadata,
            matches=tuple(
                Match(*m, *place) for m, place in in_turns(zip(tokens, places, strict=True))
            ),
        )

    def _text(
        self, ids: np.ndarray, matches: Matches, whole: tuple[bool, bool]
    ) -> tuple[str | None, list[tuple[int | None, int | None]]]:
        """Text of the ids, and the characters of each match, given by tokens of ``ids``.

        ``whole`` says whether the ids begin and end a document, and not in its middle.
        """
        spans, sizes = matches
        unknown: list[tuple[int | None, int | None]] = [(None, None)] * spans.starts.size
        if self.tokenizer.kind == "none":
            return None, unknown
        if not self.tokenizer.lossless_bytes:
            return self.tokenizer.decode(ids), unknown
        text = self.tokenizer.decode_bytes(ids, at_start=whole[0])
        table = self.tokenizer.token_bytes
        assert table is not None  # only kind "none" has no table
        bounds = np.concatenate([[0], np.cumsum(table.lengths(ids))])
        stripped = int(bounds[-1]) - len(text)  # a leading space the tokenizer adds
        starts = bounds[spans.starts] + spans.offsets
        ends = np.where(np.less(sizes, 0), bounds[spans.ends], starts + sizes)
        text, cut = _whole_characters(text, *whole)
        starts, ends = (
            np.clip(np.maximum(edge - stripped, 0) - cut, 0, len(text)) for edge in (starts, ends)
        )
        characters = _CharacterMap(text)
        return text.decode("utf-8", "replace"), [
            characters.span(a, b)
            for a, b in in_turns(zip(starts.tolist(), ends.tolist(), strict=True))
        ]


def no_such_document(number: int, documents: int) -> QueryError:
    """The error of a number that is none of an index of so many documents."""
    return QueryError(f"document {number}", "no such document", f"0 to {documents - 1}")


def _check_inside(shard: Shard, document: int, spans: Spans) -> None:
    first, last = shard.bounds(document)
    if spans.starts.size and (spans.starts[0] < first or spans.ends.max() > last):
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
        stop_here()
        return tuple(len(self._text[:n].decode("utf-8", "replace")) for n in (start, end))  # type: ignore[return-value]
