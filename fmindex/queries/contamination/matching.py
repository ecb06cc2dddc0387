"""What of some texts is in an index: the work that all definitions share.

Matching statistics are taken once. On an index of bytes they tell of any window whether it is in
the corpus: the longest match at its start reaches its end or does not. On an index of other tokens
they tell it of windows of tokens; windows of characters are counted there as strings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gramdex.fmindex.engines.stopping import in_turns
from gramdex.fmindex.queries.contamination.texts import Texts, byte_offsets
from gramdex.fmindex.queries.patterns import Query

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

_BLOCK = 24
"""Characters of the blocks that are asked for before windows are."""

_MANY = 1024
"""Spans from which on they are asked for in arrays."""


class Matched(ABC):
    """Texts and what of them is in an index.

    Positions are characters of ``Texts.text``, or tokens of all texts one after another. Spans
    are int64[k, 2] of positions [start, end) inside one text each.

    Attributes:
        count: number of texts.
        tokens: int64[t, 2], the span of each token.
        token_texts: int64[t], the text it lies in.
        token_matches: int64[t], tokens of the longest match that begins there and ends with a
            token, in its text.
    """

    tokens: np.ndarray
    token_texts: np.ndarray
    token_matches: np.ndarray

    def __init__(self, index: Index, count: int) -> None:
        self.index = index
        self.count = count
        self._counts: dict[tuple[int, int], int] = {}

    @abstractmethod
    def found(self, spans: np.ndarray) -> np.ndarray:
        """Whether each span is in the corpus, bool[k]."""

    @abstractmethod
    def query(self, start: int, end: int) -> Query:
        """What to ask the index for a span."""

    @abstractmethod
    def original(self, text: int, start: int, end: int) -> tuple[int, int] | None:
        """Characters of the text, as it was given, that a span stands for; None: not known."""

    def counts(self, spans: np.ndarray) -> np.ndarray:
        """Occurrences of each span, int64[k]; each is asked for once."""
        keys = [(start, end) for start, end in spans.tolist()]
        new = [key for key in dict.fromkeys(keys) if key not in self._counts]
        if new:
            self._counts.update(zip(new, self._count(new), strict=True))
        return np.array([self._counts[key] for key in keys], np.int64)

    def _count(self, spans: Sequence[tuple[int, int]]) -> list[int]:
        """Occurrences of each span."""
        counts: list[int] = self.index.count_batch([self.query(*span) for span in spans]).tolist()
        return counts


class MatchedText(Matched):
    """Texts as strings.

    Attributes:
        texts: the texts.
    """

    def __init__(self, index: Index, texts: Texts) -> None:
        super().__init__(index, texts.count)
        self.texts = texts
        self.tokens, self.token_texts = texts.pieces, texts.piece_texts
        self.token_matches = np.zeros(self.token_texts.size, np.int64)

    def query(self, start: int, end: int) -> str:
        """The characters."""
        return self.texts.text[start:end]

    def original(self, text: int, start: int, end: int) -> tuple[int, int]:
        """Characters before normalization."""
        return self.texts.original(text, start, end)


class MatchedBytes(MatchedText):
    """Texts against an index of bytes."""

    def __init__(self, index: Index, texts: Texts) -> None:
        super().__init__(index, texts)
        self._bytes = byte_offsets(texts.text)
        self._data = index.encode(texts.text)
        lengths = np.append(index.match(self._data).lengths, 0)
        # For each character the byte its longest match ends before; the match may run on into
        # the next text, and whoever compares it with a place in its own does not see that.
        self._reach = self._bytes + lengths[self._bytes]
        ends = self._bytes[self.tokens[:, 1]]
        reached = np.searchsorted(ends, self._reach[self.tokens[:, 0]], "right")
        last = np.searchsorted(self.token_texts, self.token_texts, "right")
        first = np.arange(self.token_texts.size)
        self.token_matches = np.maximum(np.minimum(reached, last) - first, 0)

    def _count(self, spans: Sequence[tuple[int, int]]) -> list[int]:
        """Occurrences; many are asked for in arrays, one for all spans of as many bytes."""
        if len(spans) < _MANY:
            return super()._count(spans)
        starts, ends = self._bytes[np.array(spans, np.int64)].T
        counts = np.empty(starts.size, np.int64)
        sizes = ends - starts
        order = np.argsort(sizes, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(sizes[order])) + 1):
            places = starts[group, None] + np.arange(sizes[group[0]])
            counts[group] = self.index.count_batch(self._data[places])
        found: list[int] = counts.tolist()
        return found

    def found(self, spans: np.ndarray) -> np.ndarray:
        """One comparison each."""
        return self._reach[spans[:, 0]] >= self._bytes[spans[:, 1]]


class CountedText(MatchedText):
    """Texts against an index of tokens that counts strings."""

    def found(self, spans: np.ndarray) -> np.ndarray:
        """Counts, but only of spans whose blocks all occur: most have one that does not."""
        found = self._blocks_occur(spans)
        found[found] = self.counts(spans[found]) > 0
        return found

    def _blocks_occur(self, spans: np.ndarray) -> np.ndarray:
        """Whether every aligned block of text that lies in a span is in the corpus, bool[k]."""
        first, end = -(-spans[:, 0] // _BLOCK), spans[:, 1] // _BLOCK
        blocks = len(self.texts.text) // _BLOCK + 1
        needed = np.zeros(blocks + 1, np.int64)
        inside = end > first
        np.add.at(needed, first[inside], 1)
        np.add.at(needed, end[inside], -1)
        asked = np.flatnonzero(np.cumsum(needed) > 0)
        starts = asked * _BLOCK
        missing = np.zeros(blocks + 1, np.int64)
        missing[asked + 1] = self.counts(np.stack([starts, starts + _BLOCK], axis=1)) == 0
        before = np.cumsum(missing)
        return ~inside | (before[np.maximum(end, first)] == before[first])


class MatchedTokens(Matched):
    """Texts as ids of the index's tokenizer; positions are tokens."""

    def __init__(self, index: Index, texts: Sequence[str]) -> None:
        super().__init__(index, len(texts))
        ids = [index.encode(text).astype(np.int64) for text in in_turns(texts, 16)]
        self._given, self._texts = ids, texts
        self._ids = np.concatenate([np.empty(0, np.int64), *ids])
        sizes = np.array([each.size for each in ids], np.int64)
        self._starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        place = np.arange(self._ids.size)
        self.tokens = np.stack([place, place + 1], axis=1)
        self.token_texts = np.repeat(np.arange(len(texts)), sizes)
        lengths = index.match(self._ids).lengths
        self.token_matches = np.minimum(lengths, self._starts[self.token_texts + 1] - place)

    def found(self, spans: np.ndarray) -> np.ndarray:
        """One comparison each."""
        return self.token_matches[spans[:, 0]] >= spans[:, 1] - spans[:, 0]

    def query(self, start: int, end: int) -> Query:
        """The ids."""
        return self._ids[start:end]

    def original(self, text: int, start: int, end: int) -> tuple[int, int] | None:
        """Characters by the bytes of tokens, where those add up to the text."""
        tokenizer, given = self.index.tokenizer, self._texts[text]
        table = tokenizer.token_bytes
        if table is None or not tokenizer.lossless_bytes:
            return None
        ids = self._given[text].astype(np.uint32)
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(table.lengths(ids))])
        ends = np.maximum(ends - (int(ends[-1]) - len(given.encode())), 0)
        borders = byte_offsets(given)
        base = int(self._starts[text])
        first = int(np.searchsorted(borders, ends[start - base], "right")) - 1
        return first, int(np.searchsorted(borders, ends[end - base]))
