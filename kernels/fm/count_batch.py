"""Counting many patterns at once: backward searches in lockstep."""

from __future__ import annotations

from gramdex.kernels.fm.search import find_interval
from gramdex.kernels.jit import kernel


@kernel
def count_batch(shards, patterns, offsets, counts):
    """Occurrences of each pattern ``patterns[offsets[i]:offsets[i + 1]]`` into ``counts``.

    Shapes: shards int64[s, COLUMNS], patterns int64[t] of ranks, offsets int64[k + 1],
    counts int64[k].
    """
    for i in range(counts.size):
        total = 0
        for s in range(shards.shape[0]):
            low, high = find_interval(shards[s], patterns, offsets[i], offsets[i + 1])
            total += high - low
        counts[i] = total
