"""Exact next-token distributions: from the table of continuations, or by skipping runs."""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import CorruptShard
from gramdex.kernels.suffix_array.columns import token_after
from gramdex.kernels.suffix_array.continuations import node_of, run_start, run_token
from gramdex.kernels.suffix_array.runs import following_run, prefetch_runs
from gramdex.kernels.token_counts import add_equal


@kernel
def node_runs(shard, low, high, first, last, tokens, counts, runs):
    """Append the runs of the node with the entries [first, last) after ``runs`` others."""
    if last - first > tokens.size - runs:
        raise CorruptShard("table of continuations")
    below = -1
    start = run_start(shard, first, low, high)
    for entry in range(first, last):
        end = run_start(shard, entry + 1, low, high)
        token = run_token(shard, entry)
        if start >= end or token <= below:
            raise CorruptShard("table of continuations")
        tokens[runs] = token
        counts[runs] = end - start
        runs += 1
        start, below = end, token
    return runs


@kernel
def shard_runs(shard, low, high, depth, tokens, counts, runs):
    """Append the runs of the token at ``depth`` in [low, high) after ``runs`` others."""
    first, last = node_of(shard, low, high, depth)
    if first < last:
        return node_runs(shard, low, high, first, last, tokens, counts, runs)
    below = -1
    prefetch_runs(shard, low, high, depth)
    while low < high:
        token = token_after(shard, low, depth)
        if token <= below or runs == tokens.size:
            raise CorruptShard("suffix array")
        end = following_run(shard, low, high, depth, token)
        tokens[runs] = token
        counts[runs] = end - low
        runs += 1
        below, low = token, end
    return runs


@kernel
def next_tokens(shards, intervals, depth, tokens, counts):
    """Tokens at ``depth`` in the intervals of all shards, and how often; how many there are.

    Fills tokens int64[r] (ranks, ascending) and counts int64[r]; both must hold
    min(interval, distinct tokens) entries for each shard. A context that is a node of the table of
    continuations costs a copy of its runs, another what its runs cost.
    """
    bounds = np.zeros(shards.shape[0] + 1, np.int64)
    lists = 0
    for s in range(shards.shape[0]):
        low, high = intervals[s, 0], intervals[s, 1]
        if low < high:
            bounds[lists + 1] = shard_runs(
                shards[s], low, high, depth, tokens, counts, bounds[lists]
            )
            lists += 1
    return add_equal(tokens, counts, bounds, lists) if lists > 1 else bounds[lists]
