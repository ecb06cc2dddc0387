"""The FM-index engine: no text and no suffix array; both are walked to."""

from __future__ import annotations

import numpy as np

from gramdex.fmindex.engines.engine import Engine, Kernels, reads_shards
from gramdex.kernels.fm import columns, count_batch, infgram, matching, next_tokens, search, walk


class FMEngine(Engine):
    """Over shards of coded successors; see ``Engine``."""

    columns = columns.COLUMNS
    kernels = Kernels(
        count=search.count,
        count_batch=count_batch.count_batch,
        find_intervals=search.find_intervals,
        prob=search.prob,
        next_tokens=next_tokens.next_tokens,
        longest_suffix=infgram.longest_suffix,
        infgram_prob=infgram.infgram_prob,
        prob_after=infgram.prob_after,
        advance_along=infgram.advance_along,
        infgram_scores=matching.infgram_scores,
        matching_statistics=matching.matching_statistics,
    )

    @reads_shards
    def locate(self, shard: int, low: int, high: int) -> np.ndarray:
        """Text positions, ascending int64, of the ranks [low, high) of one shard."""
        positions = np.empty(high - low, np.int64)
        walk.locate(self._rows, shard, low, high, positions)
        positions.sort()
        return positions

    def first_positions(self, shard: int, low: int, high: int, most: int) -> np.ndarray:
        """The ``most`` smallest text positions, ascending int64, of the ranks [low, high)."""
        return self.locate(shard, low, high)[:most]

    @reads_shards
    def extract(self, shard: int, start: int, end: int) -> np.ndarray:
        """Ranks, int64, of the text positions [start, end) of one shard."""
        tokens = np.empty(end - start, np.int64)
        walk.extract(self._rows, shard, start, end, tokens)
        return tokens
