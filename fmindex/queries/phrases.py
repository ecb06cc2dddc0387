"""Phrases, and the places in the corpus where they stand.

``read_phrase`` is the one way from what a caller passes to places; whatever a phrase is made of,
queries ask it only what ``Phrase`` has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.engines.suffix_array import SuffixArrayEngine
from gramdex.fmindex.queries.patterns import PatternReader, Query
from gramdex.kernels.positions import pattern_starts


@dataclass(frozen=True)
class Phrase:
    """One pattern of ranks.

    Attributes:
        engine: where it was looked up.
        pattern: int64[m] ranks, at least one.
        count: occurrences, without those in documents that are taken down.
        intervals: int64[shards, 2], ranks of all occurrences.
    """

    engine: SuffixArrayEngine
    pattern: np.ndarray
    count: int
    intervals: np.ndarray

    @property
    def located(self) -> int:
        """Occurrences in the files, those in documents that are taken down included."""
        return int((self.intervals[:, 1] - self.intervals[:, 0]).sum())

    @property
    def longest(self) -> int:
        """Tokens of the longest occurrence."""
        return self.pattern.size

    def positions(self, shard: int) -> np.ndarray:
        """Where occurrences begin in a shard, ascending int64."""
        low, high = self.intervals[shard].tolist()
        return self.engine.locate(shard, low, high)

    def place(self, number: int) -> tuple[int, int]:
        """Shard and position of occurrence ``number`` < ``located``; the order means nothing."""
        for shard, (low, high) in enumerate(self.intervals.tolist()):
            if number < high - low:
                return shard, int(self.engine.locate(shard, low + number, low + number + 1)[0])
            number -= high - low
        raise IndexError(number)

    def inside(self, text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Starts, ascending, and lengths of the occurrences in the ranks of one document."""
        found = np.empty(text.size, np.int64)
        starts = found[: pattern_starts(text, self.pattern, found)]
        return starts, np.full(starts.size, self.pattern.size)


def read_phrase(engine: SuffixArrayEngine, patterns: PatternReader, phrase: Query) -> Phrase:
    """Look up a phrase: ids, or a string, which stands for its bytes.

    Raises:
        QueryError: it is empty, or no phrase of this index.
    """
    pattern = patterns.occurrences(phrase)
    if pattern.size == 0:
        raise QueryError("phrase", "an empty phrase", "at least one token", "leave it out")
    count, intervals = engine.find(pattern)
    return Phrase(engine, pattern, count, intervals[: len(engine.shards)])


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
        """Where phrases begin in a shard, ascending int64, each place once."""
        lists = [phrase.positions(shard) for phrase in self.phrases]
        return lists[0] if len(lists) == 1 else _united(lists)

    def inside(self, text: np.ndarray) -> np.ndarray:
        """Where phrases begin in ranks of one document, ascending int64, each place once."""
        return _united([phrase.inside(text)[0] for phrase in self.phrases])


def _united(lists: Sequence[np.ndarray]) -> np.ndarray:
    """All elements, ascending, each once; ``numpy.unique`` takes ten times as long."""
    together = np.sort(np.concatenate(lists))
    return together[np.diff(together, prepend=-1) > 0]


def spans_inside(clauses: Sequence[Clause], text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts and lengths of all phrases in ranks of one document, by start, then length."""
    found = [phrase.inside(text) for clause in clauses for phrase in clause.phrases]
    if len(found) == 1:
        return found[0]
    pairs = np.concatenate([np.stack(each, axis=1) for each in found])
    pairs = np.unique(pairs, axis=0)
    return pairs[:, 0], pairs[:, 1]
