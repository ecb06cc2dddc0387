"""A stream of tokens, and the longest suffix of it that occurs, kept from step to step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gramdex.fmindex.engines.drafting import Suffix
from gramdex.fmindex.engines.subtracted import SubtractedEngine
from gramdex.fmindex.queries import probabilities
from gramdex.fmindex.queries.continuations import NODES, continuations
from gramdex.fmindex.queries.patterns import PatternReader, Query, as_number
from gramdex.fmindex.results import (
    Continuations,
    InfgramDistribution,
    InfgramProbability,
    Interval,
)
from gramdex.fmindex.takedown import refuse_ranks

if TYPE_CHECKING:
    from gramdex.fmindex.engines.engine import Engine
    from gramdex.fmindex.format.vocabulary import Vocabulary

_ROOM = 256


class Cursor:
    """The end of a stream of tokens; made by ``Index.cursor``.

    What it answers is what the ``infgram_`` queries answer for the whole stream as context. They
    search for the longest suffix each time; a cursor keeps it with its intervals, so a token more
    costs about one search, however long the stream is, and the memory taken is that of the suffix.
    A cursor belongs to one thread at a time.
    """

    def __init__(self, engine: Engine, patterns: PatternReader, vocabulary: Vocabulary) -> None:
        self._engine, self._patterns, self._vocabulary = engine, patterns, vocabulary
        self._tokens = np.empty(_ROOM, np.int64)  # ends with the suffix, at _end
        self._end = 0
        self._length, self._count, self._intervals = engine.longest_suffix(self._tokens[:0])

    @property
    def suffix_length(self) -> int:
        """Tokens of the longest suffix that occurs."""
        return self._length

    @property
    def count(self) -> int:
        """Occurrences of that suffix; of the empty one, all tokens."""
        return self._count

    def find(self) -> list[Interval]:
        """Rank interval of the suffix in each shard; QueryError on an index with a takedown."""
        if isinstance(self._engine, SubtractedEngine):
            raise refuse_ranks()
        found = self._intervals.tolist()
        return [Interval(shard, low, high) for shard, (low, high) in enumerate(found)]

    def extend(self, tokens: Query) -> None:
        """Append tokens, or a string, which is encoded with the index's tokenizer.

        Raises:
            QueryError: an id the vocabulary lacks; nothing is appended.
        """
        ranks = self._patterns.encoded(tokens)
        if self._end + ranks.size > self._tokens.size:
            self._keep_suffix(ranks.size)
        start = self._end
        text = self._tokens[: start + ranks.size]
        text[start:] = ranks
        if start:
            intervals = self._intervals.copy()  # an error leaves the cursor where it was
            length, count = self._engine.advance(text, start, self._length, self._count, intervals)
        else:  # a search from the end needs not find the suffixes on the way
            length, count, intervals = self._engine.longest_suffix(text)
        self._length, self._count = length, count
        self._intervals, self._end = intervals, text.size
        if self._tokens.size > 4 * self._length + 2 * _ROOM:
            self._keep_suffix(0)

    def prob(self, token: int | str) -> InfgramProbability:
        """``Index.infgram_prob`` of the stream and a token."""
        count, sparse = self._engine.prob_after(
            self._intervals, self._length, self._patterns.token(token)
        )
        return probabilities.infgram_probability(count, self._count, self._length, sparse)

    def ntd(self, limit: int | None = None) -> InfgramDistribution:
        """``Index.infgram_ntd`` of the stream."""
        limit = None if limit is None else as_number("limit", limit, 1)
        suffix = self._length, self._count, self._intervals
        return probabilities.infgram_distribution(self._engine, self._vocabulary, suffix, limit)

    def continuations(
        self, max_nodes: int = NODES, max_depth: int | None = None, min_score: float = 0.0
    ) -> Continuations:
        """What follows the stream most often, as a tree on its longest suffix that occurs.

        The tree grows by the continuation that occurs most often with all before it, until it
        has ``max_nodes`` tokens or nothing is left. A document's end takes its share of the
        counts, and no place.

        Args:
            max_nodes: tokens of the tree, at most 4,096.
            max_depth: tokens of a path; None for no limit of its own.
            min_score: a continuation's count over the suffix', at least.

        Raises:
            QueryError: an argument outside its range.
        """
        tokens = self._tokens[self._end - self._length : self._end]
        suffix = Suffix(tokens, self._count, self._intervals)
        return continuations(
            self._engine, self._vocabulary, suffix, max_nodes, max_depth, min_score
        )

    def copy(self) -> Cursor:
        """Another cursor at the same place, to go on another way."""
        other = object.__new__(Cursor)
        other.__dict__.update(self.__dict__)
        other._intervals = self._intervals.copy()
        other._keep_suffix(0)
        return other

    def _keep_suffix(self, size: int) -> None:
        """Copy the suffix to the front of a new buffer, with room for ``size`` tokens and more."""
        suffix = self._tokens[self._end - self._length : self._end]
        self._tokens = np.empty(2 * (suffix.size + size) + _ROOM, np.int64)
        self._tokens[: suffix.size] = suffix
        self._end = suffix.size

    def __repr__(self) -> str:
        return f"Cursor(the last {self._length} tokens occur {self._count:,} times)"
