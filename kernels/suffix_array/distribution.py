"""Exact next-token distributions: from the table of continuations, or by skipping runs."""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import CorruptShard
from gramdex.kernels.suffix_array.columns import token_after
from gramdex.kernels.suffix_array.continuations import node_of, run_start, run_token
from gramdex.kernels.suffix_array.runs import following_run, prefetch_runs

DENSE = 8  # tokens up to so many times the runs are added up in a table of all tokens


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
def add_dense(tokens, counts, size, values):
    """Add up the counts of equal tokens, all < ``values``; as ``add_equal``."""
    totals = np.zeros(values, np.int64)
    for i in range(size):
        totals[tokens[i]] += counts[i]
    distinct = 0
    for token in range(values):
        if totals[token] > 0:
            tokens[distinct] = token
            counts[distinct] = totals[token]
            distinct += 1
    return distinct


@kernel
def merge(tokens, counts, middle, size, scratch):
    """Merge the ascending tokens [0, middle) and [middle, size), adding counts of equal ones.

    ``scratch`` int64[2, r] has room for ``size``; returns how many distinct tokens there are.
    """
    i, j, distinct = 0, middle, 0
    while i < middle or j < size:
        left = i < middle and (j == size or tokens[i] <= tokens[j])
        right = j < size and (i == middle or tokens[j] <= tokens[i])
        scratch[0, distinct] = tokens[i] if left else tokens[j]
        scratch[1, distinct] = (counts[i] if left else 0) + (counts[j] if right else 0)
        i, j, distinct = i + left, j + right, distinct + 1
    tokens[:distinct] = scratch[0, :distinct]
    counts[:distinct] = scratch[1, :distinct]
    return distinct


@kernel
def add_equal(tokens, counts, bounds, lists):
    """Add up the counts of equal tokens over ``lists`` ascending lists.

    List i is [bounds[i], bounds[i + 1]) of tokens and counts, int64[r]. Returns how many distinct
    tokens there are; they stand in front, ascending. O(runs) where they are many against the
    values of tokens, else O(runs · log lists); ``bounds`` int64[lists + 1] is overwritten.
    """
    size, values = bounds[lists], 0
    for i in range(lists):
        values = max(values, tokens[bounds[i + 1] - 1] + 1)
    if values <= DENSE * size:
        return add_dense(tokens, counts, size, values)
    scratch = np.empty((2, size), np.int64)
    while lists > 1:
        filled, merged = 0, 0
        for i in range(0, lists, 2):
            start, end = bounds[i], bounds[min(i + 2, lists)]
            middle = bounds[min(i + 1, lists)] - start
            distinct = merge(tokens[start:end], counts[start:end], middle, end - start, scratch)
            for k in range(distinct):
                tokens[filled + k], counts[filled + k] = tokens[start + k], counts[start + k]
            bounds[merged] = filled
            filled += distinct
            merged += 1
        bounds[merged] = filled
        lists = merged
    return bounds[1]


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
