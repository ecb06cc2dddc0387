"""Exact next-token distributions.

Where the occurrences of a context are few, or the context is one token, all of them walk past it
together: their ranks are ascending stretches, and so are those they step to. Where they are many,
only the first rank of each next token walks, and backward search for the context with that token
says where its last one is.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import (
    CHUNK,
    HALF,
    SIZE,
    base_at,
    field,
    row_at,
    slot_bounds,
    slot_of_rank,
    slot_token,
)
from gramdex.kernels.fm.infgram import token_after
from gramdex.kernels.fm.search import find_interval
from gramdex.kernels.fm.successors import decoder_at, prefetch_directory, unit_at, units_start
from gramdex.kernels.fm.units import TABLE_BITS
from gramdex.kernels.fm.walk import walk
from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import CorruptShard
from gramdex.kernels.token_counts import add_equal

TOGETHER = 1 << 14
"""Occurrences that walk together, of a context of more than one token."""


@kernel
def append_stretch(shard, value, size, stretches, count):
    """Append the successors of ``size`` ranks whose values begin with ``value``."""
    if value < 1 or value - 1 + size > field(shard, SIZE) or count == stretches.shape[0]:
        raise CorruptShard("successors")
    stretches[count, 0] = value - 1
    stretches[count, 1] = size
    return count + 1


@kernel
def step_half(shard, chunk, half, low, high, stretches, count):
    """Append the successors of [low, high), all in one half of a chunk, as ascending stretches."""
    rank, value = (chunk + half) * CHUNK, base_at(shard, chunk + half)
    address, bit = units_start(shard, chunk, half)
    decoder = decoder_at(shard, address, bit)
    bit += TABLE_BITS
    if half == 0:
        if low == rank:
            count = append_stretch(shard, value, 1, stretches, count)
        rank += 1
        while rank < high:
            value, run, bit = unit_at(decoder, address, bit, value, 1)
            first, last = max(rank, low), min(rank + run, high)
            if first < last:
                count = append_stretch(shard, value + first - rank, last - first, stretches, count)
            rank, value = rank + run, value + run - 1
        return count
    before = count
    while rank > low:
        value, run, bit = unit_at(decoder, address, bit, value, -1)
        first, last = max(rank - run, low), min(rank, high)
        if first < last:
            above = value - (rank - 1 - first)
            count = append_stretch(shard, above, last - first, stretches, count)
        rank, value = rank - run, value - run + 1
    for i in range((count - before) // 2):
        for k in range(2):
            other = count - 1 - i
            stretches[before + i, k], stretches[other, k] = (
                stretches[other, k],
                stretches[before + i, k],
            )
    return count


@kernel
def step_stretch(shard, low, high, stretches, count):
    """Append the successors of the ranks [low, high)."""
    while low < high:
        chunk = low // CHUNK
        end = min(high, low // HALF * HALF + HALF)
        count = step_half(shard, chunk, (low // HALF) & 1, low, end, stretches, count)
        low = end
    return count


@kernel
def add_tokens(shard, stretches, size, tokens, counts, runs):
    """Append the first tokens of ascending stretches of ranks, after ``runs`` others."""
    first, last, token = 0, 0, -1
    for i in range(size):
        low, high = stretches[i, 0], stretches[i, 0] + stretches[i, 1]
        while low < high:
            if not first <= low < last:
                slot = slot_of_rank(shard, low)
                first, last = slot_bounds(shard, slot)
                token = slot_token(shard, slot)
                if not first <= low < last:
                    raise CorruptShard("table of tokens")
            some = min(high, last) - low
            if runs > 0 and tokens[runs - 1] == token:
                counts[runs - 1] += some
            elif runs == tokens.size or (runs > 0 and tokens[runs - 1] > token):
                raise CorruptShard("successors")
            else:
                tokens[runs], counts[runs] = token, some
                runs += 1
            low += some
    return runs


@kernel
def runs_of_token(shard, low, high, tokens, counts):
    """Tokens after a context of one token, with the ranks [low, high): how many."""
    stretches = np.empty((HALF, 2), np.int64)
    runs = 0
    while low < high:
        end = min(high, low // HALF * HALF + HALF)
        runs = add_tokens(
            shard, stretches, step_stretch(shard, low, end, stretches, 0), tokens, counts, runs
        )
        low = end
    return runs


@kernel
def runs_together(shard, low, high, depth, tokens, counts):
    """Tokens at ``depth`` of the suffixes [low, high): how many."""
    now, after = np.empty((high - low, 2), np.int64), np.empty((high - low, 2), np.int64)
    now[0, 0], now[0, 1], size = low, high - low, 1
    for _ in range(depth):
        count = 0
        for i in range(size):
            count = step_stretch(shard, now[i, 0], now[i, 0] + now[i, 1], after, count)
        now, after, size = after, now, count
        for i in range(size):
            prefetch_directory(shard, now[i, 0])
    return add_tokens(shard, now, size, tokens, counts, 0)


@kernel
def runs_by_search(shard, low, high, depth, tokens, counts):
    """As ``runs_together``, where occurrences are many and different tokens fewer."""
    pattern = np.empty(depth + 1, np.int64)
    walk(shard, low, pattern[:depth])
    runs = 0
    while low < high:
        token = token_after(shard, low, depth)
        pattern[depth] = token
        first, last = find_interval(shard, pattern, 0, depth + 1)
        if first != low or not first < last <= high or runs == tokens.size:
            raise CorruptShard("successors")
        tokens[runs], counts[runs] = token, last - first
        runs += 1
        low = last
    return runs


@kernel
def runs_of_slots(shard, low, high, tokens, counts):
    """First tokens of the suffixes [low, high): how many."""
    runs = 0
    while low < high:
        slot = slot_of_rank(shard, low)
        end = min(high, slot_bounds(shard, slot)[1])
        if end <= low or runs == tokens.size:
            raise CorruptShard("table of tokens")
        tokens[runs], counts[runs] = slot_token(shard, slot), end - low
        runs += 1
        low = end
    return runs


@kernel
def shard_runs(shard, low, high, depth, tokens, counts):
    """Tokens at ``depth`` of [low, high), ascending, and how often; how many there are."""
    if depth == 0:
        return runs_of_slots(shard, low, high, tokens, counts)
    if depth == 1:
        return runs_of_token(shard, low, high, tokens, counts)
    if high - low <= TOGETHER:
        return runs_together(shard, low, high, depth, tokens, counts)
    return runs_by_search(shard, low, high, depth, tokens, counts)


@kernel
def next_tokens(shards, intervals, depth, tokens, counts):
    """Tokens at ``depth`` in the intervals of all shards, and how often; how many there are.

    Fills tokens int64[r] (ranks, ascending) and counts int64[r]; both must hold
    min(interval, distinct tokens) entries for each shard.
    """
    bounds = np.zeros(shards.shape[0] + 1, np.int64)
    lists = 0
    for s in range(shards.shape[0]):
        low, high = intervals[s, 0], intervals[s, 1]
        if low < high:
            start = bounds[lists]
            runs = shard_runs(row_at(shards, s), low, high, depth, tokens[start:], counts[start:])
            bounds[lists + 1] = start + runs
            lists += 1
    return add_equal(tokens, counts, bounds, lists) if lists > 1 else bounds[lists]
