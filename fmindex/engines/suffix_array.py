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

import numpy as np

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.engines.continuations import open_continuations
from gramdex.fmindex.engines.drafting import Suffix, TreeLimits
from gramdex.fmindex.engines.engine import Engine, Kernels, reads_shards
from gramdex.fmindex.engines.places import in_order
from gramdex.fmindex.engines.rows import shard_row
from gramdex.fmindex.engines.stopping import (
    CHUNK_ENTRIES,
    chunks,
    spend_positions,
    spend_tokens,
)
from gramdex.fmindex.format.sections import SectionFile
from gramdex.kernels import memory
from gramdex.kernels.suffix_array import (
    columns,
    count_batch,
    coverings,
    distribution,
    drafting,
    infgram,
    matching,
    search,
)


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
        self.folder = tokens.path.parent
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

    def token_starts(self) -> np.ndarray | None:
        """The prefix table, where it has an entry per token."""
        return None if self.shift else self.buckets

    def _corrupt(self, found: str, expected: object) -> CorruptIndexError:
        return CorruptIndexError(
            str(self.folder), found, str(expected), "run gramdex verify on the index"
        )


class SuffixArrayEngine(Engine):
    """Over shards with a suffix array; see ``Engine``."""

    columns = columns.COLUMNS
    text_limits = (12, 16)
    """Occurrences that a text query reads instead of extending them; reads that take as long as
    putting a token before them."""
    kernels = Kernels(
        count=search.count,
        count_batch=count_batch.count_batch,
        find_intervals=search.find_intervals,
        prob=search.prob,
        next_tokens=distribution.next_tokens,
        longest_suffix=infgram.longest_suffix,
        infgram_prob=infgram.infgram_prob,
        prob_after=infgram.prob_after,
        advance_along=infgram.advance_along,
        infgram_scores=infgram.infgram_scores,
        matching_statistics=matching.matching_statistics,
        count_texts=coverings.count_texts,
        find_text=coverings.find_text,
    )

    @reads_shards
    def continuations(
        self, suffix: Suffix, limits: TreeLimits, ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The most frequent continuations of a suffix as a tree; see ``Engine``."""
        nodes, depth, least = limits
        ranks, parents, counts = np.empty((3, nodes), np.int64)
        size = drafting.grow_tree(
            self._rows,
            suffix.intervals,
            suffix.tokens.size,
            depth,
            least,
            ids,
            ranks,
            parents,
            counts,
        )
        return ranks[:size], parents[:size], counts[:size]

    def locate(self, shard: int, low: int, high: int) -> np.ndarray:
        """Text positions, ascending int64, of the ranks [low, high) of one shard."""
        spend_positions(high - low)
        opened = self.shards[shard]
        if high - low <= 2 * CHUNK_ENTRIES:
            positions = np.sort(opened.suffixes[low:high]).astype(np.int64)
            if positions.size and positions[-1] >= opened.size:
                raise self.damaged("suffix array")
            return positions
        positions = np.empty(high - low, np.uint32)
        for start, end in chunks(low, high, CHUNK_ENTRIES):
            some = positions[start - low : end - low]
            some[:] = opened.suffixes[start:end]
            if some.max() >= opened.size:
                raise self.damaged("suffix array")
        return in_order(positions, opened.size)

    def first_positions(self, shard: int, low: int, high: int, most: int) -> np.ndarray:
        """The ``most`` smallest text positions, ascending int64, of the ranks [low, high)."""
        spend_positions(high - low)
        suffixes, first = self.shards[shard].suffixes, np.empty(0, np.uint32)
        for start, end in chunks(low, high, max(CHUNK_ENTRIES, most)):
            first = np.concatenate([first, suffixes[start:end]])
            if first.size > most:
                first = np.partition(first, most - 1)[:most]
        return np.sort(first).astype(np.int64)

    def extract(self, shard: int, start: int, end: int) -> np.ndarray:
        """Ranks, int64, of the text positions [start, end) of one shard."""
        spend_tokens(end - start)
        if end - start <= CHUNK_ENTRIES:
            return self.shards[shard].tokens[start:end].astype(np.int64)
        tokens = np.empty(end - start, np.int64)
        for low, high in chunks(start, end, CHUNK_ENTRIES):
            tokens[low - start : high - start] = self.shards[shard].tokens[low:high]
        return tokens
