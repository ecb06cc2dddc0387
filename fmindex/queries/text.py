"""Text is text: every occurrence of a string in the decoded documents, however they were cut.

A string stands for its UTF-8 bytes; an occurrence is a place where they stand in the bytes of a
decoded document, overlapping ones each for itself. Tokens without bytes do not part what is on
both sides of them, a document's end does. Where decoding takes a leading space from a document,
that space is no text.

On an index of bytes a string is one pattern. On others the engine searches the coverings of the
string by tokens, see ``kernels/text/coverings.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeGuard

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.stopping import in_turns, stop_here
from gramdex.fmindex.engines.text_tables import TextTables
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.results import TextMatches
from gramdex.fmindex.shard import Shard
from gramdex.fmindex.tokenizers import Tokenizer
from gramdex.fmindex.tokenizers.base import check_text

_TURN = 1 << 12
"""Occurrences found in a document between two places to stop."""


@dataclass(frozen=True)
class Spans:
    """Occurrences inside one shard, by where they begin; int64[n] each.

    Attributes:
        starts, ends: text positions of the tokens [start, end) that hold each.
        offsets: bytes of the first of them before it.
    """

    starts: np.ndarray
    ends: np.ndarray
    offsets: np.ndarray

    def take(self, which: np.ndarray | slice) -> Spans:
        """Some of them."""
        return Spans(self.starts[which], self.ends[which], self.offsets[which])


@dataclass(frozen=True)
class TextReader:
    """Finds strings in an index.

    Attributes:
        shards: in order.
        engine: over the same shards.
        vocabulary: ids and ranks.
        tokenizer: says what the bytes of ids are.
        hidden: of each shard, bool[documents]: those that are taken down; empty for none.
        takedown: finds strings in what is taken down; None for nothing.
    """

    shards: Sequence[Shard]
    engine: Engine
    vocabulary: Vocabulary
    tokenizer: Tokenizer
    hidden: Sequence[np.ndarray] = ()
    takedown: TextReader | None = None

    def shown(self, shard: int, documents: np.ndarray) -> np.ndarray:
        """Which documents of a shard are not taken down, bool[n]."""
        return ~self.hidden[shard][documents] if self.hidden else np.ones(documents.size, bool)

    def takes(self, query: Any) -> TypeGuard[str]:
        """Whether a query is a string that is more than one pattern of tokens.

        Raises:
            QueryError: it is, and the bytes of the tokens are not known.
        """
        if not isinstance(query, str) or self.tokenizer.kind == "bytes" or not query:
            return False
        if self.tokenizer.kind == "none":
            raise QueryError(
                f"text {query[:40]!r}",
                "a string, on an index of ids without a tokenizer",
                "token ids",
                "query with ids, or build the index with --tokenizer",
            )
        if not self.tokenizer.lossless_bytes:
            raise QueryError(
                f"text {query[:40]!r}",
                "a string, where the text of tokens is not their bytes one after the other",
                "token ids",
                "encode it first, with index.tokenizer.encode(text) or --encode; that finds the "
                "text where the corpus was cut into the same tokens",
            )
        return True

    def count(self, text: str) -> int:
        """Occurrences of a string that ``takes`` takes."""
        return int(self.count_batch([text])[0])

    def count_batch(self, texts: Sequence[str]) -> np.ndarray:
        """Occurrences of each, int64[k], in one kernel call; in two where some are taken down."""
        counts = self._count_batch(texts)
        if self.takedown is not None:
            counts -= self.takedown._count_batch(texts)
            for i in self._unlike(texts):
                counts[i] = self.find(texts[i]).count
        return counts

    def _count_batch(self, texts: Sequence[str]) -> np.ndarray:
        strings = [_utf8(text) for text in texts]
        offsets = np.zeros(len(strings) + 1, np.int64)
        np.cumsum([len(string) for string in strings], out=offsets[1:])
        return self.engine.count_texts(self._tables, b"".join(strings), offsets)

    def _unlike(self, texts: Sequence[str]) -> list[int]:
        """Those that decoding may take from a document here, and not where it is taken down.

        Two documents of the same tokens are of the same text, but for the space they begin with
        where only one is the first part of a document.
        """
        assert self.takedown is not None
        if not self.tokenizer.strips_leading_space:
            return []
        if all(map(_begins_document, [*self.shards, *self.takedown.shards])):
            return []
        return [i for i, text in enumerate(texts) if text[0] == " "]

    def find(self, text: str) -> TextMatches:
        """Every occurrence, in the order of the corpus.

        Raises:
            QueryError: an empty string, or one that cannot be looked for here.
        """
        rows, shards, documents, found = self.rows(text), [], [], []
        before = 0
        for number, shard in enumerate(self.shards):
            spans = self.spans(text, number, rows)
            found.append(spans)
            shards.append(np.full(spans.starts.size, number))
            documents.append(shard.document_of(spans.starts) + before)
            before += shard.documents
        nothing = np.empty(0, np.int64)
        return TextMatches(
            *(np.concatenate([nothing, *parts]) for parts in (shards, documents)),
            *(
                np.concatenate([nothing, *(getattr(spans, name) for spans in found)])
                for name in ("starts", "ends", "offsets")
            ),
        )

    def rows(self, text: str) -> np.ndarray:
        """Where a string stands, as rows of ``Engine.find_text``.

        What is taken down is among them, as is what decoding takes away; ``spans`` has neither.
        """
        if not text:
            raise QueryError("query", "an empty string", "at least one character")
        if self.takes(text):
            return self.engine.find_text(self._tables, _utf8(text))
        ids = self.tokenizer.encode(text)
        pattern = self.vocabulary.to_ranks(ids.astype(np.int64))
        rows = np.zeros((len(self.shards), 5), np.int64)
        rows[:, 0], rows[:, 1:3] = np.arange(len(self.shards)), self.engine.find(pattern)[1]
        rows[:, 4] = pattern.size
        return rows

    def spans(self, text: str, shard: int, rows: np.ndarray) -> Spans:
        """All occurrences in one shard, of those in ``rows``."""
        return self._spans(text, shard, rows[rows[:, 0] == shard], 0)[0]

    def first_spans(self, text: str, shard: int, rows: np.ndarray, most: int) -> Spans:
        """All occurrences in the first ``most`` documents of a shard, and perhaps some after.

        Where there are very many, documents are read from the first on, for a part of the time
        that locating them all takes; where that does not find enough, they are located.
        """
        taken, rows = self.engine.first_taken, rows[rows[:, 0] == shard]
        total = int(np.where(rows[:, 2] < 0, 1, rows[:, 2] - rows[:, 1]).sum())
        if total > taken:
            read = self._read_first(text, shard, most, total)
            if read is not None:
                return read
        while True:
            spans, complete = self._spans(text, shard, rows, taken)
            documents = self.shards[shard].document_of(spans.starts)
            if complete or np.unique(documents).size > most:
                return spans
            taken *= 16

    def _spans(self, text: str, shard: int, rows: np.ndarray, most: int) -> tuple[Spans, bool]:
        """Occurrences up to the first place where more than ``most`` of a row would be needed.

        All of them where ``most`` is 0; and whether it is all.
        """
        nothing = np.empty(0, np.int64)
        read = rows[rows[:, 2] < 0]
        starts, bound = [nothing, read[:, 1]], self.shards[shard].size
        ranges = rows[rows[:, 2] >= 0]
        for low, high in ranges[:, 1:3].tolist():
            if most and high - low > most:
                positions = self.engine.first_positions(shard, low, high, most)
                bound = min(bound, int(positions[-1]))
            else:
                positions = self.engine.locate(shard, low, high)
            starts.append(positions)
        sizes = [part.size for part in starts[2:]]
        offsets, lengths = (
            np.concatenate([read[:, column], np.repeat(ranges[:, column], sizes)])
            for column in (3, 4)
        )
        begin = np.concatenate(starts)
        order = np.lexsort((offsets, begin))
        spans = Spans(begin[order], (begin + lengths)[order], offsets[order])
        complete = bound == self.shards[shard].size
        if not complete:
            spans = spans.take(spans.starts <= bound)
        return self.kept(text, shard, spans), complete

    def _read_first(self, text: str, shard: int, most: int, tokens: int) -> Spans | None:
        """Occurrences in the first documents, up to ``most`` of those that have some.

        None if more than ``tokens`` tokens would have to be read.
        """
        nothing = np.empty(0, np.int64)
        found: list[Spans] = []
        for document in in_turns(range(self.shards[shard].documents)):
            if self.hidden and self.hidden[shard][document]:
                continue
            first, last = self.shards[shard].bounds(document)
            tokens -= last - first
            if tokens < 0:
                return None
            if len(found) == most:
                break
            spans = self._read(text, shard, document)
            if spans.starts.size:
                found.append(spans)
        names = ("starts", "ends", "offsets")
        columns = ([nothing, *(getattr(spans, name) for spans in found)] for name in names)
        return Spans(*map(np.concatenate, columns))

    def _read(self, text: str, shard: int, document: int) -> Spans:
        """Occurrences in one document, by reading it."""
        first, last = self.shards[shard].bounds(document)
        return self.inside(text, shard, first, self.engine.extract(shard, first, last))

    def inside(self, text: str, shard: int, first: int, ranks: np.ndarray) -> Spans:
        """Occurrences in the text of one document from position ``first`` on, in ``ranks``."""
        ids = self.vocabulary.to_ids(ranks)
        table, wanted = self.tokenizer.token_bytes, text.encode()
        assert table is not None  # only kind "none" has no table
        data = table.gather(ids).tobytes()
        places = []
        place = data.find(wanted)
        while place >= 0:
            places.append(place)
            if not len(places) % _TURN:
                stop_here()
            place = data.find(wanted, place + 1)
        edges = np.concatenate([[0], np.cumsum(table.lengths(ids))])
        begin = np.array(places, np.int64)
        starts = np.searchsorted(edges, begin, side="right") - 1
        ends = np.searchsorted(edges, begin + len(wanted))
        spans = Spans(first + starts, first + ends, begin - edges[starts])
        return self._without_stripped(text, shard, spans)

    def kept(self, text: str, shard: int, spans: Spans) -> Spans:
        """Leave out what decoding takes away, and what lies in documents that are taken down."""
        spans = self._without_stripped(text, shard, spans)
        if not self.hidden:
            return spans
        return spans.take(self.shown(shard, self.shards[shard].document_of(spans.starts)))

    def _without_stripped(self, text: str, shard: int, spans: Spans) -> Spans:
        """Leave out what begins with the space that decoding takes from a document."""
        if not (self.tokenizer.strips_leading_space and text[0] == " "):
            return spans
        documents = self.shards[shard].document_of(spans.starts)
        firsts = self.shards[shard].starts[documents].astype(np.int64)
        stripped = (spans.offsets == 0) & (spans.starts == firsts)
        if self._tables.empties.size:
            for i in np.flatnonzero((spans.offsets == 0) & ~stripped).tolist():
                stripped[i] = self._only_empty(shard, int(firsts[i]), int(spans.starts[i]))
        if not _begins_document(self.shards[shard]):
            stripped &= documents > 0
        return spans.take(~stripped)

    def _only_empty(self, shard: int, first: int, end: int) -> bool:
        """Whether no token of the text positions [first, end) has bytes."""
        empty_end = self._tables.empty_end
        while end > first and self.engine.extract(shard, end - 1, end)[0] < empty_end:
            end -= 1
        return end == first

    @cached_property
    def _tables(self) -> TextTables:
        token_bytes = self.tokenizer.token_bytes
        assert token_bytes is not None  # ``takes`` has seen that there is one
        stripped = np.empty(0, np.int64)
        if self.tokenizer.strips_leading_space:
            stripped = np.array([_begins_document(shard) for shard in self.shards], np.int64)
        counts = self.engine.token_counts(self.vocabulary.ranks)
        return TextTables(self.vocabulary, token_bytes, counts, stripped)


def _begins_document(shard: Shard) -> bool:
    """Whether the first document of a shard is the first part of it."""
    return shard.documents == 0 or shard.read_metadata(0).get("part", 1) == 1


def _utf8(text: str) -> bytes:
    check_text(text, "text")
    return text.encode()
