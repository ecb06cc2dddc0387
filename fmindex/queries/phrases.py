"""Phrases, and the places in the corpus where they stand.

``read_phrase`` is the one way from what a caller passes to places; whatever a phrase is made of,
queries ask it only what ``Phrase`` has. A place is a text position and, for text that begins inside
a token, the bytes of that token before it, as one number: ``position << OFFSET_BITS | bytes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.queries.patterns import PatternReader, Query
from gramdex.fmindex.queries.text import Spans, TextReader
from gramdex.kernels.positions import pattern_starts

OFFSET_BITS = 31
"""Positions have no more than 32 bits."""


@dataclass(frozen=True)
class Part:
    """Ranks, int64[n], of the text positions from ``start`` on, inside one document of a shard."""

    shard: int
    start: int
    ranks: np.ndarray


class Phrase(Protocol):
    """What may stand somewhere."""

    @property
    def count(self) -> int:
        """Occurrences, without those in documents that are taken down."""
        ...

    @property
    def located(self) -> int:
        """Occurrences in the files, those in documents that are taken down included."""
        ...

    @property
    def longest(self) -> int:
        """Tokens of the longest occurrence."""
        ...

    @property
    def bytes(self) -> int:
        """Bytes of an occurrence; -1 where they are those of its tokens."""
        ...

    def places(self, shard: int) -> np.ndarray:
        """Where occurrences begin in a shard, ascending int64, each once.

        Those in documents that are taken down may be among them.
        """
        ...

    def place(self, number: int) -> tuple[int, int] | None:
        """Shard and place of occurrence ``number`` < ``located``; the order means nothing.

        None if it is not to be counted.
        """
        ...

    def inside(self, part: Part) -> Spans:
        """Occurrences in a part of one document, ascending."""
        ...


@dataclass(frozen=True)
class Pattern:
    """A phrase of ranks; see ``Phrase``.

    Attributes:
        engine: where it was looked up.
        pattern: int64[m] ranks, at least one.
        count: occurrences, without those in documents that are taken down.
        intervals: int64[shards, 2], ranks of all occurrences.
    """

    engine: Engine
    pattern: np.ndarray
    count: int
    intervals: np.ndarray
    bytes: int = -1

    @property
    def located(self) -> int:
        """Occurrences in the files, those in documents that are taken down included."""
        return int((self.intervals[:, 1] - self.intervals[:, 0]).sum())

    @property
    def longest(self) -> int:
        """Tokens of every occurrence."""
        return self.pattern.size

    def places(self, shard: int) -> np.ndarray:
        """Where occurrences begin in a shard, ascending int64."""
        low, high = self.intervals[shard].tolist()
        return self.engine.locate(shard, low, high) << OFFSET_BITS

    def place(self, number: int) -> tuple[int, int]:
        """Shard and place of occurrence ``number`` < ``located``; the order means nothing."""
        for shard, (low, high) in enumerate(self.intervals.tolist()):
            if number < high - low:
                position = self.engine.locate(shard, low + number, low + number + 1)[0]
                return shard, int(position) << OFFSET_BITS
            number -= high - low
        raise IndexError(number)

    def inside(self, part: Part) -> Spans:
        """Occurrences in a part of one document, ascending."""
        found = np.empty(part.ranks.size, np.int64)
        starts = part.start + found[: pattern_starts(part.ranks, self.pattern, found)]
        return Spans(starts, starts + self.pattern.size, np.zeros_like(starts))


@dataclass(frozen=True)
class TextPhrase:
    """A phrase of text, in whatever tokens it was cut; see ``Phrase``.

    Attributes:
        texts: where it was looked up.
        text: at least one character.
        count: occurrences, without those in documents that are taken down.
        rows: int64[m, 5], where they stand, as ``TextReader.rows`` says.
    """

    texts: TextReader
    text: str
    count: int
    rows: np.ndarray

    @property
    def located(self) -> int:
        """Occurrences in the files, those that are not to be counted included."""
        return int(self._ends[-1]) if self._ends.size else 0

    @property
    def longest(self) -> int:
        """Tokens of the longest occurrence."""
        return int(self.rows[:, 4].max(initial=1))

    @property
    def bytes(self) -> int:
        """Bytes of every occurrence."""
        return len(self.text.encode())

    def places(self, shard: int) -> np.ndarray:
        """Where occurrences begin in a shard, ascending int64."""
        spans = self.texts.spans(self.text, shard, self.rows)
        return spans.starts << OFFSET_BITS | spans.offsets

    def place(self, number: int) -> tuple[int, int] | None:
        """Shard and place of occurrence ``number``, or None if it is not to be counted."""
        row = int(np.searchsorted(self._ends, number, side="right"))
        shard, low, high, offset, length = self.rows[row].tolist()
        if high >= 0:
            low = high - int(self._ends[row]) + number
            low = int(self.texts.engine.locate(shard, low, low + 1)[0])
        start, offset = np.array([low]), np.array([offset])
        spans = self.texts.kept(self.text, shard, Spans(start, start + length, offset))
        return (shard, low << OFFSET_BITS | int(offset[0])) if spans.starts.size else None

    def inside(self, part: Part) -> Spans:
        """Occurrences in a part of one document, ascending."""
        return self.texts.inside(self.text, part.shard, part.start, part.ranks)

    @cached_property
    def _ends(self) -> np.ndarray:
        """Occurrences up to the end of each row."""
        sizes = np.where(self.rows[:, 2] < 0, 1, self.rows[:, 2] - self.rows[:, 1])
        return np.cumsum(sizes)


def read_phrase(
    texts: TextReader, engine: Engine, patterns: PatternReader, phrase: Query
) -> Phrase:
    """Look up a phrase: ids, or a string, which stands for its bytes.

    Raises:
        QueryError: it is empty, or no phrase of this index.
    """
    if isinstance(phrase, str) and texts.takes(phrase):
        return TextPhrase(texts, phrase, texts.count(phrase), texts.rows(phrase))
    pattern = patterns.occurrences(phrase)
    if pattern.size == 0:
        raise QueryError("phrase", "an empty phrase", "at least one token", "leave it out")
    return find_pattern(engine, pattern)


def find_pattern(engine: Engine, pattern: np.ndarray) -> Pattern:
    """The phrase of a pattern of ranks."""
    count, intervals = engine.find(pattern)
    return Pattern(engine, pattern, count, intervals[: len(engine.shards)])


@dataclass(frozen=True)
class Clause:
    """Phrases, any of which may stand; an occurrence is a place where one or more begin."""

    phrases: Sequence[Phrase]

    @property
    def count(self) -> int:
        """Occurrences of all phrases together, without those in documents taken down."""
        return sum(phrase.count for phrase in self.phrases)

    @property
    def located(self) -> int:
        """Occurrences of all phrases in the files."""
        return sum(phrase.located for phrase in self.phrases)

    @property
    def longest(self) -> int:
        """Tokens of the longest occurrence."""
        return max(phrase.longest for phrase in self.phrases)

    def positions(self, shard: int) -> np.ndarray:
        """Text positions of the places where phrases begin in a shard, ascending int64.

        A position is there for every place, so as often as text begins inside its token.
        """
        lists = [phrase.places(shard) for phrase in self.phrases]
        return (lists[0] if len(lists) == 1 else _united(lists)) >> OFFSET_BITS

    def inside(self, part: Part) -> np.ndarray:
        """Text positions where phrases begin in a part of one document, int64."""
        return np.concatenate([phrase.inside(part).starts for phrase in self.phrases])


def _united(lists: Sequence[np.ndarray]) -> np.ndarray:
    """All elements, ascending, each once; ``numpy.unique`` takes ten times as long."""
    together = np.sort(np.concatenate(lists))
    return together[np.diff(together, prepend=-1) > 0]


def spans_inside(clauses: Sequence[Clause], part: Part) -> tuple[Spans, np.ndarray]:
    """All phrases in a part of one document, and their bytes, by where they begin, then end."""
    found = []
    for phrase in (phrase for clause in clauses for phrase in clause.phrases):
        spans = phrase.inside(part)
        sizes = np.full(spans.starts.size, phrase.bytes)
        found.append(np.stack([spans.starts, spans.offsets, spans.ends, sizes], axis=1))
    rows = found[0] if len(found) == 1 else np.unique(np.concatenate(found), axis=0)
    return Spans(rows[:, 0], rows[:, 2], rows[:, 1]), rows[:, 3]
