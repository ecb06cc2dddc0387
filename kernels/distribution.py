"""Exact next-token distributions, by skipping runs of equal tokens in suffix-array intervals."""

from __future__ import annotations

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import CorruptShard, token_after
from gramdex.kernels.search import run_end


@kernel
def next_tokens(shards, intervals, depth, tokens, counts):
    """Runs of the token at ``depth`` in the interval of each shard; returns how many there are.

    Fills tokens int64[r] (ranks, ascending within a shard) and counts int64[r], shard after
    shard; both must hold min(interval, distinct tokens) entries for each shard.
    """
    runs = 0
    for s in range(shards.shape[0]):
        low, high = intervals[s, 0], intervals[s, 1]
        while low < high:
            token = token_after(shards[s], low, depth)
            if runs == tokens.size:
                raise CorruptShard("suffix array")
            end = run_end(shards[s], low, high, depth, token)
            tokens[runs] = token
            counts[runs] = end - low
            runs += 1
            low = end
    return runs
