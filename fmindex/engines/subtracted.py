"""An engine over a corpus of which some documents are taken down: counts minus their counts.

The documents taken down lie in an index of their own and, document by document, in the corpus; so
every count over what is left is the count in the corpus less the one among them, exactly. A
sequence that occurs only in what is taken down does not occur: suffixes and matches get shorter
until something is left of their count.

Intervals are int64[shards of both, 2], those of the corpus first. Positions are of the corpus as it
lies on disk: ``locate``, ``first_positions`` and ``extract`` know of no takedown, and whoever
shows what lies there leaves out the documents that are taken down. Text is searched with tables of
one engine, so it is subtracted by ``TextReader``, which has those of both.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from gramdex.fmindex.engines.drafting import Suffix, TreeLimits, grow_tree
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.stopping import in_turns, stop_here
from gramdex.kernels.memory import SEPARATOR


class SubtractedEngine(Engine):
    """The questions of any engines, without what is taken down; see ``Engine``.

    Args:
        corpus: everything.
        takedown: over documents each of which, with as many copies, is in the corpus.
    """

    def __init__(self, corpus: Engine, takedown: Engine) -> None:
        self.corpus, self.takedown = corpus, takedown
        self.shards = corpus.shards
        self.first_taken, self.most_located = corpus.first_taken, corpus.most_located
        self.looking = corpus.looking

    def count(self, pattern: np.ndarray) -> int:
        """Occurrences of one pattern."""
        return self.corpus.count(pattern) - self.takedown.count(pattern)

    def count_batch(self, patterns: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Occurrences of each pattern, int64[k]."""
        counts = self.corpus.count_batch(patterns, offsets)
        return counts - self.takedown.count_batch(patterns, offsets)

    def find(self, pattern: np.ndarray) -> tuple[int, np.ndarray]:
        """Occurrences of one pattern, and its intervals, which hold what is taken down too."""
        total, intervals = self.corpus.find(pattern)
        less, others = self.takedown.find(pattern)
        return total - less, np.concatenate([intervals, others])

    def prob(self, context: np.ndarray, token: int) -> tuple[int, int]:
        """Occurrences of the context, and of the context followed by ``token``."""
        (total, count), less = self.corpus.prob(context, token), self.takedown.prob(context, token)
        return total - less[0], count - less[1]

    def next_tokens(
        self, total: int, intervals: np.ndarray, depth: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ranks, ascending, and counts of the tokens at ``depth`` in the intervals."""
        inside, taken = self._split(intervals)
        tokens, counts = self.corpus.next_tokens(_size(inside), inside, depth)
        if _size(taken) == 0:
            return tokens, counts
        less = self.takedown.next_tokens(_size(taken), taken, depth)
        counts[np.searchsorted(tokens, less[0])] -= less[1]
        return tokens[counts > 0], counts[counts > 0]

    def longest_suffix(self, context: np.ndarray) -> tuple[int, int, np.ndarray]:
        """Longest suffix of the context that occurs: its length, count and intervals."""
        length, total, intervals = self.corpus.longest_suffix(context)
        pattern = context[context.size - length :]
        less, others = self.takedown.find(pattern)
        if total > less or length == 0:
            return length, total - less, np.concatenate([intervals, others])
        length = _longest(length, lambda n: self.count(context[context.size - n :]) > 0)
        return length, *self.find(context[context.size - length :])

    def infgram_prob(self, context: np.ndarray, token: int) -> tuple[int, int, int, bool]:
        """Longest suffix that occurs: length, count, count with ``token``, one successor only."""
        length, total, intervals = self.longest_suffix(context)
        return length, total, *self.prob_after(intervals, length, token)

    def advance(
        self, text: np.ndarray, start: int, length: int, total: int, intervals: np.ndarray
    ) -> tuple[int, int]:
        """From the longest suffix of ``text[:start]`` that occurs to that of ``text``."""
        length, total, intervals[:] = self.longest_suffix(text[start - length :])
        return length, total

    def prob_after(self, intervals: np.ndarray, depth: int, token: int) -> tuple[int, bool]:
        """Occurrences of ``token`` after suffixes of ``depth`` tokens, and if no other follows."""
        inside, taken = self._split(intervals)
        count, sparse = self.corpus.prob_after(inside, depth, token)
        if _size(taken) == 0:
            return count, sparse
        tokens, _ = self.next_tokens(0, intervals, depth)
        sparse = tokens.size == 1 and tokens[0] != SEPARATOR
        return count - self.takedown.prob_after(taken, depth, token)[0], bool(sparse)

    def continuations(
        self, suffix: Suffix, limits: TreeLimits, ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The most frequent continuations of a suffix as a tree; see ``Engine``.

        By counts of what is left; the text at the intervals may be taken down.
        """
        return grow_tree(self, suffix, limits, ids, few=0)

    def infgram_scores(self, text: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Suffix length, its count and its count with the token, int64[n] each.

        Where the takedown's own longest suffix is shorter than the corpus', it has none of its
        occurrences.
        """
        lengths, totals, counts = self.corpus.infgram_scores(text)
        others = self.takedown.infgram_scores(text)
        same = others[0] == lengths
        totals[same] -= others[1][same]
        counts[same] -= others[2][same]
        for i in in_turns(np.flatnonzero((totals == 0) & (lengths > 0)).tolist()):
            context = text[i - int(lengths[i]) : i]
            lengths[i], totals[i], counts[i], _ = self.infgram_prob(context, int(text[i]))
        return lengths, totals, counts

    def matching_statistics(self, text: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Length and count of the longest match at each position, int64[n] each."""
        lengths, counts = self.corpus.matching_statistics(text)
        others = self.takedown.matching_statistics(text)
        same = others[0] == lengths
        counts[same] -= others[1][same]
        for i in in_turns(np.flatnonzero((counts == 0) & (lengths > 0)).tolist()):
            known = max(int(lengths[i - 1]) - 1, 0) if i else 0
            length = _longest(int(lengths[i]), partial(self._starts, text[i:]), known)
            lengths[i], counts[i] = length, self.count(text[i : i + length]) if length else 0
        return lengths, counts

    def token_counts(self, ranks: int) -> np.ndarray:
        """Occurrences of every rank in all shards, int64[ranks]; of the separator 0."""
        return self.corpus.token_counts(ranks) - self.takedown.token_counts(ranks)

    def locate(self, shard: int, low: int, high: int) -> np.ndarray:
        """Text positions, ascending int64, of the ranks [low, high) of a shard of the corpus."""
        return self.corpus.locate(shard, low, high)

    def first_positions(self, shard: int, low: int, high: int, most: int) -> np.ndarray:
        """The ``most`` smallest text positions of the ranks [low, high)."""
        return self.corpus.first_positions(shard, low, high, most)

    def extract(self, shard: int, start: int, end: int) -> np.ndarray:
        """Ranks, int64, of the text positions [start, end) of one shard of the corpus."""
        return self.corpus.extract(shard, start, end)

    def _starts(self, text: np.ndarray, length: int) -> bool:
        stop_here()
        return self.count(text[:length]) > 0

    def _split(self, intervals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return intervals[: len(self.shards)], intervals[len(self.shards) :]


def _size(intervals: np.ndarray) -> int:
    return int((intervals[:, 1] - intervals[:, 0]).sum())


def _longest(length: int, occurs: Callable[[int], bool], known: int = 0) -> int:
    """Greatest length below ``length`` that occurs; all up to ``known`` do, and ``length`` not.

    Gallops upwards: ``known`` is often the answer.
    """
    step = 1
    while known + step < length and occurs(known + step):
        known += step
        step *= 2
    length = min(length, known + step)
    while length - known > 1:
        middle = (known + length) >> 1
        known, length = (middle, length) if occurs(middle) else (known, middle)
    return known
