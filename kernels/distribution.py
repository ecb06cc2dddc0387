"""Exact next-token distributions, by skipping runs of equal tokens in suffix-array intervals."""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import CorruptShard, token_after
from gramdex.kernels.search import run_end


@kernel
def shard_runs(shard, low, high, depth, tokens, counts, runs):
    """Append the runs of the token at ``depth`` in [low, high) after ``runs`` others."""
    while low < high:
        token = token_after(shard, low, depth)
        if runs == tokens.size:
            raise CorruptShard("suffix array")
        end = run_end(shard, low, high, depth, token)
        tokens[runs] = token
        counts[runs] = end - low
        runs += 1
        low = end
    return runs


@kernel
def add_equal(tokens, counts, size):
    """Sort the first ``size`` tokens, with their counts, and add up those of equal tokens.

    Returns how many distinct tokens there are; they stand in front, ascending.
    """
    order = np.argsort(tokens[:size])
    sorted_tokens, sorted_counts = tokens[:size][order], counts[:size][order]
    distinct = 0
    for i in range(size):
        if distinct > 0 and tokens[distinct - 1] == sorted_tokens[i]:
            counts[distinct - 1] += sorted_counts[i]
        else:
            tokens[distinct] = sorted_tokens[i]
            counts[distinct] = sorted_counts[i]
            distinct += 1
    return distinct


@kernel
def next_tokens(shards, intervals, depth, tokens, counts):
    """Tokens at ``depth`` in the intervals of all shards, and how often; how many there are.

    Fills tokens int64[r] (ranks, ascending) and counts int64[r]; both must hold
    min(interval, distinct tokens) entries for each shard.
    """
    runs = 0
    filled = 0
    for s in range(shards.shape[0]):
        low, high = intervals[s, 0], intervals[s, 1]
        if low < high:
            runs = shard_runs(shards[s], low, high, depth, tokens, counts, runs)
            filled += 1
    return add_equal(tokens, counts, runs) if filled > 1 else runs
