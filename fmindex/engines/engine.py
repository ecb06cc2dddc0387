"""What every engine answers, over all its shards, in ranks.

An engine is the arrays of its shards as a matrix of addresses, and kernels that read it. Kernels of
both engines have the same names and arguments, so what calls them stands here once; positions and
text are each engine's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.engines.drafting import Suffix, TreeLimits, grow_tree
from gramdex.fmindex.engines.stopping import (
    CHUNK_STRINGS,
    CHUNK_TOKENS,
    chunks,
    may_stop,
    pattern_chunks,
    stop_here,
)
from gramdex.fmindex.engines.text_tables import TextTables
from gramdex.fmindex.engines.threads import Threads
from gramdex.kernels.memory import SEPARATOR, CorruptShard

_LEAST_PATTERNS = 64
_LEAST_TOKENS = 1024
_LEAST_STRINGS = 4
"""Of a batch, and of a text, that one thread gets: what takes longer than handing it over."""
_FOUND = 256


class EngineShard(Protocol):
    """The arrays of one shard.

    Attributes:
        folder: where they lie.
        size: tokens, separators included.
        ranks: ranks of the vocabulary.
    """

    folder: Path
    size: int
    ranks: int

    def row(self) -> list[int]:
        """Addresses and sizes as the engine's kernels expect them."""
        ...

    def token_starts(self) -> np.ndarray | None:
        """First suffix rank of each token and the end, uint32[ranks + 1], where it is stored so."""
        ...


@dataclass(frozen=True)
class Kernels:
    """Kernels of an engine; the first argument of each is the matrix of shards."""

    count: Callable
    count_batch: Callable
    find_intervals: Callable
    prob: Callable
    next_tokens: Callable
    longest_suffix: Callable
    infgram_prob: Callable
    prob_after: Callable
    advance_along: Callable
    infgram_scores: Callable
    matching_statistics: Callable
    count_texts: Callable
    find_text: Callable


def reads_shards(method: Callable) -> Callable:
    """Name the shards when a kernel meets a value that cannot be."""

    @wraps(method)
    def checked(self: Engine, *arguments: Any) -> Any:
        try:
            return method(self, *arguments)
        except CorruptShard as error:
            raise self.damaged(str(error)) from error

    return checked


class Engine(ABC):
    """Primitive questions over the shards together; patterns are int64 arrays of ranks.

    An interval of ranks means the same in every engine: places in the order of all suffixes.

    Args:
        shards: all of one vocabulary.
        threads: that share the work of batches and long texts.
    """

    kernels: ClassVar[Kernels]
    columns: ClassVar[int]
    first_taken: int = 1 << 16
    """How many first positions are asked for where it is not known how many are needed."""
    most_located: int = 1 << 26
    """Positions that one query may ask for before it takes a sample; seconds of work."""
    looking: tuple[int, float] = (500, 0.0)
    """Positions located in the time of looking at one occurrence, and of each token read for it."""
    backwards: ClassVar[bool] = False
    """Whether kernels go along a text from its end to its start."""
    text_limits: ClassVar[tuple[int, ...]]
    """When text queries do what their kernels can do in two ways."""

    def __init__(self, shards: Sequence[Any], threads: int = 1) -> None:
        self.shards: list[Any] = list(shards)
        self.threads = Threads(threads)
        self._rows = np.array([shard.row() for shard in self.shards], np.int64)
        self._rows = self._rows.reshape(len(self.shards), self.columns)
        self._most_runs = sum(shard.ranks for shard in self.shards)

    @reads_shards
    def count(self, pattern: np.ndarray) -> int:
        """Occurrences of one pattern."""
        return self.kernels.count(self._rows, pattern)

    @reads_shards
    def count_batch(self, patterns: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Occurrences of each pattern ``patterns[offsets[i]:offsets[i + 1]]``, int64[k]."""
        counts = np.empty(offsets.size - 1, np.int64)

        def part(start: int, end: int) -> None:
            for low, high in pattern_chunks(offsets, start, end):
                some = offsets[low : high + 1]
                self.kernels.count_batch(self._rows, patterns, some, counts[low:high])

        self.threads.over(counts.size, _LEAST_PATTERNS, part)
        return counts

    @reads_shards
    def find(self, pattern: np.ndarray) -> tuple[int, np.ndarray]:
        """Occurrences of one pattern, and its rank intervals int64[shards, 2]."""
        intervals = self._intervals()
        total = self.kernels.find_intervals(self._rows, pattern, 0, pattern.size, intervals)
        return total, intervals

    @reads_shards
    def prob(self, context: np.ndarray, token: int) -> tuple[int, int]:
        """Occurrences of the context, and of the context followed by ``token``."""
        return self.kernels.prob(self._rows, context, token, self._intervals())

    @reads_shards
    def next_tokens(
        self, total: int, intervals: np.ndarray, depth: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ranks, ascending, and counts of the tokens at ``depth`` in the intervals; int64[r].

        ``total`` is the sum of the intervals.
        """
        if depth == 0 and self._unigrams is not None:
            tokens, counts = self._unigrams
            return tokens.copy(), counts.copy()
        tokens, counts = np.empty((2, min(total, self._most_runs)), np.int64)
        runs = self.kernels.next_tokens(self._rows, intervals, depth, tokens, counts)
        return tokens[:runs], counts[:runs]

    @reads_shards
    def longest_suffix(self, context: np.ndarray) -> tuple[int, int, np.ndarray]:
        """Longest suffix of the context that occurs: its length, count and intervals."""
        intervals = self._intervals()
        length, total = self.kernels.longest_suffix(self._rows, context, context.size, intervals)
        return length, total, intervals

    @reads_shards
    def infgram_prob(self, context: np.ndarray, token: int) -> tuple[int, int, int, bool]:
        """Longest suffix that occurs: length, count, count with ``token``, one successor only."""
        return self.kernels.infgram_prob(self._rows, context, token, self._intervals())

    @reads_shards
    def advance(
        self, text: np.ndarray, start: int, length: int, total: int, intervals: np.ndarray
    ) -> tuple[int, int]:
        """From the longest suffix of ``text[:start]`` that occurs to that of ``text``.

        Takes the suffix's length, count and intervals, which are replaced; ``text`` need not reach
        back further than it. Returns the new length and count.
        """
        most = 1 << 62 if self.backwards else CHUNK_TOKENS
        for low, high in chunks(start, text.size, most):
            length, total = self.kernels.advance_along(
                self._rows, text[:high], low, length, total, intervals
            )
        return length, total

    @reads_shards
    def prob_after(self, intervals: np.ndarray, depth: int, token: int) -> tuple[int, bool]:
        """Occurrences of ``token`` after suffixes of ``depth`` tokens, and if one alone follows."""
        return self.kernels.prob_after(self._rows, intervals, depth, token, self._intervals())

    def continuations(
        self, suffix: Suffix, limits: TreeLimits, ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The most frequent continuations of a suffix as a tree, best first; int64[n] each.

        A token's rank, the number of the one before it, -1 where that is the suffix, and how
        often the suffix occurs with all of the path. Of equal counts the shallower is better,
        then the smaller id, then the earlier one to continue.

        Args:
            suffix: with its count and intervals.
            limits: how large the tree may be.
            ids: uint32[ranks], the id of each rank; empty where they are in the same order.
        """
        return grow_tree(self, suffix, limits, ids)

    @reads_shards
    def infgram_scores(self, text: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Suffix length, its count and its count with the token, int64[n] each."""
        lengths, totals, counts = np.empty((3, text.size), np.int64)

        def part(start: int, end: int) -> None:
            low, least = start, 4 * CHUNK_TOKENS if may_stop() else end
            while low < end:
                stop_here()  # a chunk begins with a search for the suffix the last one ended with
                suffix = int(lengths[low - 1]) if low > start else 0
                high = min(end, low + max(least, 8 * suffix))
                self.kernels.infgram_scores(self._rows, text, low, high, lengths, totals, counts)
                low = high

        self.threads.over(text.size, _LEAST_TOKENS, part)
        return lengths, totals, counts

    @reads_shards
    def matching_statistics(self, text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Length and count of the longest match at each position, int64[n] each."""
        lengths, counts = np.empty((2, text.size), np.int64)

        def part(start: int, end: int) -> None:
            state = np.zeros((len(self.shards) + 1, 3), np.int64)
            for low, high in chunks(start, end, CHUNK_TOKENS, self.backwards):
                self.kernels.matching_statistics(
                    self._rows, text, low, high, state, lengths, counts
                )

        self.threads.over(text.size, _LEAST_TOKENS, part)
        return lengths, counts

    @reads_shards
    def count_texts(self, tables: TextTables, strings: bytes, offsets: np.ndarray) -> np.ndarray:
        """Occurrences in the decoded documents of each ``strings[offsets[i]:offsets[i + 1]]``.

        Args:
            tables: of the vocabulary, with ``token_counts`` of this engine.
            strings: one after the other; none is empty.
            offsets: int64[k + 1].
        """
        counts, limits = np.empty(offsets.size - 1, np.int64), np.array(self.text_limits)
        flat = np.frombuffer(strings, np.uint8)

        def part(start: int, end: int) -> None:
            for low, high in chunks(start, end, CHUNK_STRINGS):
                some = offsets[low : high + 1]
                self.kernels.count_texts(
                    self._rows, tables.row, flat, some, tables.stripped, limits, counts[low:high]
                )

        self.threads.over(counts.size, _LEAST_STRINGS, part)
        return counts

    @reads_shards
    def find_text(self, tables: TextTables, string: bytes) -> np.ndarray:
        """Where a string, not empty, stands in the tokens: int64[m, 5], in no order.

        A row is a shard, ranks [low, high) of suffixes that begin with tokens which hold the
        string, the bytes of the first of these tokens before it, and how many tokens they are.
        Where ``high`` is -1, ``low`` is no rank but the position of one occurrence. Each
        occurrence is in one row; so is one that begins with the space that decoding takes away.
        """
        size, limits = _FOUND, np.array(self.text_limits)
        text = np.frombuffer(string, np.uint8)
        while True:
            stop_here()
            found = np.zeros((size, 5), np.int64)
            self.kernels.find_text(self._rows, tables.row, text, tables.stripped, limits, found)
            if found[0, 0] < size:
                return found[1 : int(found[0, 0]) + 1]
            size = int(found[0, 0]) + 1

    def token_counts(self, ranks: int) -> np.ndarray:
        """Occurrences of every rank in all shards, int64[ranks]; of the separator 0."""
        if self._unigrams is not None:
            tokens, found = self._unigrams
            counts = np.zeros(ranks, np.int64)
            counts[tokens] = found
            return counts
        counts = self.count_batch(np.arange(ranks), np.arange(ranks + 1))
        counts[SEPARATOR] = 0
        return counts

    @abstractmethod
    def locate(self, shard: int, low: int, high: int) -> np.ndarray:
        """Text positions, ascending int64, of the ranks [low, high) of one shard."""

    @abstractmethod
    def first_positions(self, shard: int, low: int, high: int, most: int) -> np.ndarray:
        """The ``most`` smallest text positions, ascending int64, of the ranks [low, high)."""

    @abstractmethod
    def extract(self, shard: int, start: int, end: int) -> np.ndarray:
        """Ranks, int64, of the text positions [start, end) of one shard."""

    def damaged(self, what: str) -> CorruptIndexError:
        """The error of a kernel that met a value that cannot be."""
        return CorruptIndexError(
            ", ".join(str(shard.folder) for shard in self.shards),
            f"the {what} holds what cannot be",
            "positions inside the shard, runs in their order",
            "run gramdex verify on the index to see which file is damaged",
        )

    @cached_property
    def _unigrams(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Ranks that occur and their counts, where every shard stores where each begins."""
        starts = [shard.token_starts() for shard in self.shards]
        if not starts or any(found is None for found in starts):
            return None
        counts = np.sum([np.diff(found).astype(np.int64) for found in starts], axis=0)
        counts[SEPARATOR] = 0
        ranks = np.flatnonzero(counts)
        return ranks, counts[ranks]

    def _intervals(self) -> np.ndarray:
        return np.empty((len(self.shards), 2), np.int64)
