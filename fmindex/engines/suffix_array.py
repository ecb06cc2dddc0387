"""The suffix-array engine: tokens, suffix array and prefix table of each shard, mapped.

::

    tokens.gdx     kind "tokens"
      tokens       uint8|16|32  ranks; every document is followed by the separator 0
    suffixes.gdx   kind "suffixes"
      suffixes     uint32       positions of all suffixes in the order of their tokens
      buckets      uint32       ranks where the suffixes begin whose first token >> shift is
                                0, 1, 2, …; one more entry for the end
      shift        uint8        one number
      …            the table of continuations, see ``fmindex/engines/continuations.py``
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from typing import Any

import numpy as np

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.engines.continuations import open_continuations
from gramdex.fmindex.engines.rows import shard_row
from gramdex.fmindex.engines.text_tables import TextTables
from gramdex.fmindex.engines.threads import Threads
from gramdex.fmindex.format.sections import SectionFile
from gramdex.kernels import memory
from gramdex.kernels.suffix_array import (
    columns,
    count_batch,
    coverings,
    distribution,
    infgram,
    matching,
    search,
)

_LEAST_PATTERNS = 64
_LEAST_TOKENS = 1024
_LEAST_STRINGS = 4
"""Of a batch, and of a text, that one thread gets: what takes longer than handing it over."""
_FOUND = 256

TEXT_LIMITS = (12, 16)
"""Occurrences that a text query reads instead of extending them; reads that take as long as putting
a token before them."""


def bucket_shift(ranks: int, size: int) -> int:
    """How many low bits of a token the prefix table ignores.

    The table has an entry per rank unless that is out of proportion to the shard.
    """
    most = max(1 << 16, size // 4)
    shift = 0
    while (ranks >> shift) > most:
        shift += 1
    return shift


class SuffixArrayShard:
    """The mapped arrays of one shard, checked as far as kernels rely on them.

    Args:
        tokens: the file of kind "tokens".
        suffixes: the file of kind "suffixes".
        size: tokens the manifest says there are.
        width: bytes per token by the manifest.
        ranks: ranks of the vocabulary.

    Raises:
        CorruptIndexError: an array has another length, the text does not end with a separator,
            or the prefix table is damaged.
    """

    def __init__(
        self, tokens: SectionFile, suffixes: SectionFile, size: int, width: int, ranks: int
    ) -> None:
        self.files = (tokens, suffixes)
        self.size = size
        self.ranks = ranks
        self.tokens = tokens.array("tokens", f"u{width}")
        self.suffixes = suffixes.array("suffixes", np.uint32)
        self.buckets = suffixes.array("buckets", np.uint32)
        for name in ("buckets", "shift"):
            suffixes.check_section(name)
        shift = suffixes.array("shift", np.uint8)
        self.shift = int(shift[0]) if shift.size == 1 else -1
        if not (size == self.tokens.size == self.suffixes.size and size > 0):
            raise self._corrupt(f"{self.tokens.size} tokens, {self.suffixes.size} suffixes", size)
        if self.shift != bucket_shift(ranks, size):
            raise self._corrupt(f"shift {self.shift}", bucket_shift(ranks, size))
        if self.buckets.size != ((ranks - 1) >> self.shift) + 2 or self.buckets[-1] != size:
            raise self._corrupt(f"{self.buckets.size} bucket bounds", f"ranks up to {ranks - 1}")
        if self.tokens[-1] != memory.SEPARATOR:
            raise self._corrupt(f"the text ends with {int(self.tokens[-1])}", "a separator")
        self.continuations = open_continuations(suffixes, width, self.buckets.size)

    def row(self) -> list[int]:
        """Addresses and sizes in the columns of ``kernels.memory``."""
        row = shard_row(self.tokens, self.suffixes, self.buckets, self.shift)
        if self.continuations is not None:
            self.continuations.enter(row)
        return row

    def _corrupt(self, found: str, expected: object) -> CorruptIndexError:
        return CorruptIndexError(
            str(self.files[0].path.parent), found, str(expected), "run gramdex verify on the index"
        )


def _reads_shards(method: Callable) -> Callable:
    """Name the shards when a kernel meets a value that cannot be."""

    @wraps(method)
    def checked(self: SuffixArrayEngine, *arguments: Any) -> Any:
        try:
            return method(self, *arguments)
        except memory.CorruptShard as error:
            raise self._damaged(str(error)) from error

    return checked


class SuffixArrayEngine:
    """Primitive questions over the shards together; patterns are int64 arrays of ranks.

    Args:
        shards: all of one vocabulary.
        threads: that share the work of batches and long texts.
    """

    def __init__(self, shards: Sequence[SuffixArrayShard], threads: int = 1) -> None:
        self.shards = list(shards)
        self.threads = Threads(threads)
        self._rows = np.array([s.row() for s in self.shards], np.int64)
        self._rows = self._rows.reshape(len(self.shards), columns.COLUMNS)
        self._most_runs = sum(shard.ranks for shard in self.shards)

    @_reads_shards
    def count(self, pattern: np.ndarray) -> int:
        """Occurrences of one pattern."""
        return search.count(self._rows, pattern)

    @_reads_shards
    def count_batch(self, patterns: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Occurrences of each pattern ``patterns[offsets[i]:offsets[i + 1]]``, int64[k]."""
        counts = np.empty(offsets.size - 1, np.int64)

        def part(start: int, end: int) -> None:
            some = offsets[start : end + 1]
            count_batch.count_batch(self._rows, patterns, some, counts[start:end])

        self.threads.over(counts.size, _LEAST_PATTERNS, part)
        return counts

    @_reads_shards
    def find(self, pattern: np.ndarray) -> tuple[int, np.ndarray]:
        """Occurrences of one pattern, and its rank intervals int64[shards, 2]."""
        intervals = self._intervals()
        total = search.find_intervals(self._rows, pattern, 0, pattern.size, intervals)
        return total, intervals

    @_reads_shards
    def prob(self, context: np.ndarray, token: int) -> tuple[int, int]:
        """Occurrences of the context, and of the context followed by ``token``."""
        return search.prob(self._rows, context, token, self._intervals())

    @_reads_shards
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
        runs = distribution.next_tokens(self._rows, intervals, depth, tokens, counts)
        return tokens[:runs], counts[:runs]

    @_reads_shards
    def longest_suffix(self, context: np.ndarray) -> tuple[int, int, np.ndarray]:
        """Longest suffix of the context that occurs: its length, count and intervals."""
        intervals = self._intervals()
        length, total = infgram.longest_suffix(self._rows, context, context.size, intervals)
        return length, total, intervals

    @_reads_shards
    def infgram_prob(self, context: np.ndarray, token: int) -> tuple[int, int, int, bool]:
        """Longest suffix that occurs: length, count, count with ``token``, one successor only."""
        return infgram.infgram_prob(self._rows, context, token, self._intervals())

    @_reads_shards
    def advance(
        self, text: np.ndarray, start: int, length: int, total: int, intervals: np.ndarray
    ) -> tuple[int, int]:
        """From the longest suffix of ``text[:start]`` that occurs to that of ``text``.

        Takes the suffix's length, count and intervals, which are replaced; ``text`` need not reach
        back further than it. Returns the new length and count.
        """
        return infgram.advance_along(self._rows, text, start, length, total, intervals)

    @_reads_shards
    def prob_after(self, intervals: np.ndarray, depth: int, token: int) -> tuple[int, bool]:
        """Occurrences of ``token`` after suffixes of ``depth`` tokens, and if no other follows."""
        narrowed = self._intervals()
        return infgram.prob_after(self._rows, intervals, depth, token, narrowed)

    @_reads_shards
    def infgram_scores(self, text: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Suffix length, its count and its count with the token, int64[n] each."""
        lengths, totals, counts = np.empty((3, text.size), np.int64)

        def part(start: int, end: int) -> None:
            infgram.infgram_scores(self._rows, text, start, end, lengths, totals, counts)

        self.threads.over(text.size, _LEAST_TOKENS, part)
        return lengths, totals, counts

    @_reads_shards
    def matching_statistics(self, text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Length and count of the longest match at each position, int64[n] each."""
        lengths, counts = np.empty((2, text.size), np.int64)

        def part(start: int, end: int) -> None:
            matching.matching_statistics(self._rows, text, start, end, lengths, counts)

        self.threads.over(text.size, _LEAST_TOKENS, part)
        return lengths, counts

    @_reads_shards
    def count_texts(self, tables: TextTables, strings: bytes, offsets: np.ndarray) -> np.ndarray:
        """Occurrences in the decoded documents of each ``strings[offsets[i]:offsets[i + 1]]``.

        Args:
            tables: of the vocabulary, with ``token_counts`` of this engine.
            strings: one after the other; none is empty.
            offsets: int64[k + 1].

        Another engine lists the tokens that can cover a string with ``kernels.text.coverings``,
        as this one does, and brings: intervals extended by a token or by a range of tokens, on
        one side; what the token before an occurrence is, or tokens put before an interval; and
        the intervals of what stands at a document's start. One that extends to the left begins
        with the range of tokens that reach past the string's end, goes through EDGES backwards,
        and ends with the tokens of HEADS, each put before.
        """
        counts, limits = np.empty(offsets.size - 1, np.int64), np.array(TEXT_LIMITS)
        flat = np.frombuffer(strings, np.uint8)

        def part(start: int, end: int) -> None:
            some = offsets[start : end + 1]
            coverings.count_texts(
                self._rows, tables.row, flat, some, tables.stripped, limits, counts[start:end]
            )

        self.threads.over(counts.size, _LEAST_STRINGS, part)
        return counts

    @_reads_shards
    def find_text(self, tables: TextTables, string: bytes) -> np.ndarray:
        """Where a string, not empty, stands in the tokens: int64[m, 5], in no order.

        A row is a shard, ranks [low, high) of suffixes that begin with tokens which hold the
        string, the bytes of the first of these tokens before it, and how many tokens they are.
        Where ``high`` is -1, ``low`` is no rank but the position of one occurrence. Each
        occurrence is in one row; so is one that begins with the space that decoding takes away.
        """
        size, limits = _FOUND, np.array(TEXT_LIMITS)
        text = np.frombuffer(string, np.uint8)
        while True:
            found = np.zeros((size, 5), np.int64)
            coverings.find_text(self._rows, tables.row, text, tables.stripped, limits, found)
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
        counts[memory.SEPARATOR] = 0
        return counts

    def locate(self, shard: int, low: int, high: int) -> np.ndarray:
        """Text positions, ascending int64, of the ranks [low, high) of one shard."""
        positions = np.sort(self.shards[shard].suffixes[low:high]).astype(np.int64)
        if positions.size and positions[-1] >= self.shards[shard].size:
            raise self._damaged("suffix array")
        return positions

    def first_positions(self, shard: int, low: int, high: int, most: int) -> np.ndarray:
        """The ``most`` smallest text positions, ascending int64, of the ranks [low, high)."""
        positions = self.shards[shard].suffixes[low:high]
        return np.sort(np.partition(positions, most - 1)[:most]).astype(np.int64)

    def extract(self, shard: int, start: int, end: int) -> np.ndarray:
        """Ranks, int64, of the text positions [start, end) of one shard."""
        return self.shards[shard].tokens[start:end].astype(np.int64)

    @cached_property
    def _unigrams(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Ranks that occur and their counts, where prefix tables have an entry per rank."""
        if not self.shards or any(shard.shift for shard in self.shards):
            return None
        counts = np.zeros(self.shards[0].ranks, np.int64)
        for shard in self.shards:
            counts += np.diff(shard.buckets)
        counts[memory.SEPARATOR] = 0
        ranks = np.flatnonzero(counts)
        return ranks, counts[ranks]

    def _intervals(self) -> np.ndarray:
        return np.empty((len(self.shards), 2), np.int64)

    def _damaged(self, what: str) -> CorruptIndexError:
        return CorruptIndexError(
            ", ".join(str(s.files[0].path.parent) for s in self.shards),
            f"the {what} holds what cannot be",
            "positions inside the shard, runs in their order",
            "run gramdex verify on the index to see which file is damaged",
        )
