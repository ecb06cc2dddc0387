"""The FM-index engine: no text and no suffix array; both are walked to."""

from __future__ import annotations

import numpy as np

from gramdex.fmindex.engines.engine import Engine, Kernels, reads_shards
from gramdex.fmindex.engines.places import in_order
from gramdex.fmindex.engines.stopping import (
    CHUNK_RANKS,
    CHUNK_TOKENS,
    chunks,
    spend_positions,
    spend_tokens,
)
from gramdex.kernels.fm import (
    columns,
    count_batch,
    coverings,
    infgram,
    matching,
    next_tokens,
    search,
    unwind,
    walk,
)

_FIRST_SAMPLES, _MOST_SAMPLES = 1 << 6, 1 << 11


class FMEngine(Engine):
    """Over shards of coded successors; see ``Engine``."""

    columns = columns.COLUMNS
    backwards = True
    first_taken = 1 << 9
    most_located = 1 << 20
    looking = (8, 1 / 16)
    text_limits = (64, 50)
    """Bytes left for each occurrence from which on a text query reads them; tokens that are put
    before an occurrence in the time that reading the one there takes."""
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
        count_texts=coverings.count_texts,
        find_text=coverings.find_text,
    )

    @reads_shards
    def locate(self, shard: int, low: int, high: int) -> np.ndarray:
        """Text positions, ascending int64, of the ranks [low, high) of one shard."""
        spend_positions(high - low)
        positions = np.empty(high - low, np.int64)
        for start, end in chunks(low, high, CHUNK_RANKS):
            walk.locate(self._rows, shard, start, end, positions[start - low : end - low])
        return in_order(positions, self.shards[shard].size)

    def first_positions(self, shard: int, low: int, high: int, most: int) -> np.ndarray:
        """The ``most`` smallest text positions, ascending int64, of the ranks [low, high).

        Where they are frequent it is quicker to go through the text from its start than to locate
        all of them; no more of it is read than would have cost as much.
        """
        opened = self.shards[shard]
        worth = (high - low) * opened.rate // 2
        if most * opened.size <= worth * (high - low):
            found = self._read_on(shard, (low, high), most, worth)
            if found is not None:
                return found
        return self.locate(shard, low, high)[:most]

    @reads_shards
    def _read_on(
        self, shard: int, interval: tuple[int, int], most: int, worth: int
    ) -> np.ndarray | None:
        """The first positions with a rank in the interval, if ``worth`` tokens hold so many."""
        opened = self.shards[shard]
        found, count, first, samples = [], 0, 0, _FIRST_SAMPLES
        while first < opened.samples and first * opened.rate < worth:
            last = min(first + samples, opened.samples)
            start = first * opened.rate
            ranks = np.empty(min(last * opened.rate, opened.size) - start, np.int64)
            spend_tokens(ranks.size)
            unwind.ranks_of_positions(self._rows, shard, first, last, ranks)
            here = (interval[0] <= ranks) & (ranks < interval[1])
            found.append(np.flatnonzero(here) + start)
            count += found[-1].size
            if count >= most:
                return np.concatenate(found)[:most]
            first, samples = last, min(2 * samples, _MOST_SAMPLES)
        return None

    @reads_shards
    def extract(self, shard: int, start: int, end: int) -> np.ndarray:
        """Ranks, int64, of the text positions [start, end) of one shard."""
        spend_tokens(end - start)
        tokens = np.empty(end - start, np.int64)
        for low, high in chunks(start, end, 8 * CHUNK_TOKENS):
            walk.extract(self._rows, shard, low, high, tokens[low - start : high - start])
        return tokens
