"""Shards of several engines as one: each engine answers for its own, and the answers are merged.

What is asked along a suffix asks for the longest in any shard, so a part whose own longest is
shorter does not count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.fm_index import FMEngine
from gramdex.fmindex.engines.fm_shard import FMShard
from gramdex.fmindex.engines.suffix_array import SuffixArrayEngine, SuffixArrayShard
from gramdex.fmindex.engines.text_tables import TextTables
from gramdex.kernels.token_counts import add_equal


def make_engine(shards: Sequence[SuffixArrayShard | FMShard], threads: int = 1) -> Engine:
    """The engine of the shards, or one over several."""
    of_fm = [isinstance(shard, FMShard) for shard in shards]
    if all(of_fm) and shards:
        return FMEngine(shards, threads)
    if not any(of_fm):
        return SuffixArrayEngine(shards, threads)
    return MixedEngine(shards, threads)


class MixedEngine(Engine):
    """Over shards of both engines; see ``Engine``."""

    most_located, looking = FMEngine.most_located, FMEngine.looking

    def __init__(self, shards: Sequence[SuffixArrayShard | FMShard], threads: int = 1) -> None:
        self.shards = list(shards)
        of_fm = np.array([isinstance(shard, FMShard) for shard in shards])
        self._parts: list[tuple[Engine, np.ndarray]] = []
        for engine, which in ((SuffixArrayEngine, ~of_fm), (FMEngine, of_fm)):
            numbers = np.flatnonzero(which)
            self._parts.append((engine([shards[int(i)] for i in numbers], threads), numbers))
        self._place = {
            int(shard): (engine, place)
            for engine, numbers in self._parts
            for place, shard in enumerate(numbers)
        }

    def count(self, pattern: np.ndarray) -> int:
        """Occurrences of one pattern."""
        return sum(engine.count(pattern) for engine, _ in self._parts)

    def count_batch(self, patterns: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Occurrences of each pattern, int64[k]."""
        return np.sum([e.count_batch(patterns, offsets) for e, _ in self._parts], axis=0)

    def find(self, pattern: np.ndarray) -> tuple[int, np.ndarray]:
        """Occurrences of one pattern, and its rank intervals int64[shards, 2]."""
        intervals, total = self._intervals(), 0
        for engine, numbers in self._parts:
            some, intervals[numbers] = engine.find(pattern)
            total += some
        return total, intervals

    def prob(self, context: np.ndarray, token: int) -> tuple[int, int]:
        """Occurrences of the context, and of the context followed by ``token``."""
        totals, counts = zip(*(e.prob(context, token) for e, _ in self._parts), strict=True)
        return sum(totals), sum(counts)

    def next_tokens(
        self, total: int, intervals: np.ndarray, depth: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ranks, ascending, and counts of the tokens at ``depth`` in the intervals; int64[r]."""
        found = []
        for engine, numbers in self._parts:
            own = np.ascontiguousarray(intervals[numbers])
            some = int((own[:, 1] - own[:, 0]).sum())
            if some:
                found.append(engine.next_tokens(some, own, depth))
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        tokens, counts = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        bounds = np.concatenate([[0], np.cumsum([some.size for some, _ in found])])
        size = add_equal(tokens, counts, bounds, len(found)) if len(found) > 1 else tokens.size
        return tokens[:size], counts[:size]

    def longest_suffix(self, context: np.ndarray) -> tuple[int, int, np.ndarray]:
        """Longest suffix of the context that occurs: its length, count and intervals."""
        intervals = np.zeros((len(self.shards), 2), np.int64)
        found = [(*engine.longest_suffix(context), numbers) for engine, numbers in self._parts]
        longest = max(length for length, _, _, _ in found)
        total = 0
        for length, some, own, numbers in found:
            if length == longest:
                total += some
                intervals[numbers] = own
        return longest, total, intervals

    def infgram_prob(self, context: np.ndarray, token: int) -> tuple[int, int, int, bool]:
        """Longest suffix that occurs: length, count, count with ``token``, one successor only."""
        length, total, intervals = self.longest_suffix(context)
        return (length, total, *self.prob_after(intervals, length, token))

    def advance(
        self, text: np.ndarray, start: int, length: int, total: int, intervals: np.ndarray
    ) -> tuple[int, int]:
        """From the longest suffix of ``text[:start]`` that occurs to that of ``text``."""
        if start == text.size:
            return length, total
        length, total, intervals[:] = self.longest_suffix(text[start - length :])
        return length, total

    def prob_after(self, intervals: np.ndarray, depth: int, token: int) -> tuple[int, bool]:
        """Occurrences of ``token`` after suffixes of ``depth`` tokens, and if one alone follows."""
        total = int((intervals[:, 1] - intervals[:, 0]).sum())
        tokens, counts = self.next_tokens(total, intervals, depth)
        count = int(counts[tokens == token].sum())
        return count, bool(tokens.size == 1 and tokens[0] != 0)

    def infgram_scores(self, text: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Suffix length, its count and its count with the token, int64[n] each."""
        lengths, totals, counts = _longest([e.infgram_scores(text) for e, _ in self._parts])
        return lengths, totals, counts

    def matching_statistics(self, text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Length and count of the longest match at each position, int64[n] each."""
        lengths, counts = _longest([e.matching_statistics(text) for e, _ in self._parts])
        return lengths, counts

    def count_texts(self, tables: TextTables, strings: bytes, offsets: np.ndarray) -> np.ndarray:
        """Occurrences of each string in the decoded documents."""
        counts = np.zeros(offsets.size - 1, np.int64)
        for engine, part in self._text_parts(tables):
            counts += engine.count_texts(part, strings, offsets)
        return counts

    def find_text(self, tables: TextTables, string: bytes) -> np.ndarray:
        """Where a string, not empty, stands in the tokens: int64[m, 5], in no order."""
        parts = self._text_parts(tables)
        rows = [engine.find_text(part, string) for engine, part in parts]
        for found, (_, numbers) in zip(rows, self._parts, strict=True):
            found[:, 0] = numbers[found[:, 0]]
        return np.concatenate(rows)

    def _text_parts(self, tables: TextTables) -> list[tuple[Engine, TextTables]]:
        """Each engine with its tables; what is inside one token is counted by the first alone."""
        return [
            (engine, tables.part(numbers, place == 0))
            for place, (engine, numbers) in enumerate(self._parts)
        ]

    def token_counts(self, ranks: int) -> np.ndarray:
        """Occurrences of every rank in all shards, int64[ranks]; of the separator 0."""
        return np.sum([engine.token_counts(ranks) for engine, _ in self._parts], axis=0)

    def locate(self, shard: int, low: int, high: int) -> np.ndarray:
        """Text positions, ascending int64, of the ranks [low, high) of one shard."""
        engine, place = self._place[shard]
        return engine.locate(place, low, high)

    def first_positions(self, shard: int, low: int, high: int, most: int) -> np.ndarray:
        """The ``most`` smallest text positions, ascending int64, of the ranks [low, high)."""
        engine, place = self._place[shard]
        return engine.first_positions(place, low, high, most)

    def extract(self, shard: int, start: int, end: int) -> np.ndarray:
        """Ranks, int64, of the text positions [start, end) of one shard."""
        engine, place = self._place[shard]
        return engine.extract(place, start, end)


def _longest(answers: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """Lengths, and sums of the counts of the parts that are as long, at each place."""
    lengths = np.max([answer[0] for answer in answers], axis=0)
    counts = [
        np.sum([np.where(answer[0] == lengths, answer[k], 0) for answer in answers], axis=0)
        for k in range(1, len(answers[0]))
    ]
    return (lengths, *counts)
