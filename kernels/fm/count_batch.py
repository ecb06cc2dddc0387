"""Counting many patterns at once: backward searches in lockstep.

A step of one search waits for the directory and then for the stream. LANES searches take turns: one
round finds the chunks that the next tokens of all lanes are looked for in and prefetches their
halves, the next looks into them. Every (pattern, shard) pair is one search.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import list_bounds, row_at
from gramdex.kernels.fm.search import find_interval
from gramdex.kernels.fm.successors import chunk_of_target, prefetch_halves, search_chunk
from gramdex.kernels.jit import kernel

LANES = 16

# The state of a lane: the interval [LOW, HIGH) of the pattern from token AT on, the list
# [FIRST, LAST) of the token before, and the chunks in which the interval's ends are looked for.
SHARD, PATTERN, START, AT, LOW, HIGH, FIRST, LAST, CHUNK_LOW, CHUNK_HIGH = range(10)
STATE = 10


@kernel
def enter(lane, shards, patterns, offsets, search):
    """Set the lane to the start of a search; its count if it needs no steps, else -1."""
    pattern, s = search // shards.shape[0], search % shards.shape[0]
    start, end = offsets[pattern], offsets[pattern + 1]
    lane[SHARD], lane[PATTERN], lane[START] = row_at(shards, s), pattern, start
    if end - start < 2:
        low, high = find_interval(lane[SHARD], patterns, start, end)
        return high - low
    lane[LOW], lane[HIGH] = list_bounds(lane[SHARD], patterns[end - 1])
    lane[AT] = end - 1
    return 0 if lane[LOW] == lane[HIGH] else -1


@kernel
def refill(lane, shards, patterns, offsets, counts, search):
    """Give the lane the next search that needs steps; returns the number of the one after it."""
    while search < counts.size * shards.shape[0]:
        count = enter(lane, shards, patterns, offsets, search)
        search += 1
        if count < 0:
            return search
        counts[lane[PATTERN]] += count
    lane[SHARD] = 0
    return search


@kernel
def aim(lane, patterns):
    """Find the chunks that the next step looks into, and start loading them."""
    shard = lane[SHARD]
    first, last = list_bounds(shard, patterns[lane[AT] - 1])
    lane[FIRST], lane[LAST] = first, last
    if first == last:
        return
    lane[CHUNK_LOW] = chunk_of_target(shard, first, last, lane[LOW] + 1)
    prefetch_halves(shard, lane[CHUNK_LOW])
    if lane[HIGH] - lane[LOW] > 1:
        lane[CHUNK_HIGH] = chunk_of_target(shard, first, last, lane[HIGH] + 1)
        if lane[CHUNK_HIGH] != lane[CHUNK_LOW]:
            prefetch_halves(shard, lane[CHUNK_HIGH])


@kernel
def step(lane):
    """Look for both ends of the interval with the next token in front."""
    first, last, low, high = lane[FIRST], lane[LAST], lane[LOW], lane[HIGH]
    lane[AT] -= 1
    lane[LOW], lane[HIGH] = last, last
    if first == last:
        return
    start, value = search_chunk(lane[SHARD], lane[CHUNK_LOW], first, last, low + 1)
    if start == last or value > high:
        return
    end = start + 1
    if high - low > 1:
        end, _ = search_chunk(lane[SHARD], lane[CHUNK_HIGH], first, last, high + 1)
    lane[LOW], lane[HIGH] = start, max(start, end)


@kernel
def count_batch(shards, patterns, offsets, counts):
    """Occurrences of each pattern ``patterns[offsets[i]:offsets[i + 1]]`` into ``counts``.

    Shapes: shards int64[s, COLUMNS], patterns int64[t] of ranks, offsets int64[k + 1],
    counts int64[k].
    """
    lanes = np.empty((LANES, STATE), np.int64)
    counts[:] = 0
    search = active = 0
    for i in range(LANES):
        search = refill(lanes[i], shards, patterns, offsets, counts, search)
        active += lanes[i, SHARD] != 0
    while active > 0:
        for i in range(active):
            aim(lanes[i], patterns)
        i = 0
        while i < active:
            lane = lanes[i]
            step(lane)
            if lane[LOW] < lane[HIGH] and lane[AT] > lane[START]:
                i += 1
                continue
            counts[lane[PATTERN]] += lane[HIGH] - lane[LOW]
            search = refill(lane, shards, patterns, offsets, counts, search)
            if lane[SHARD] == 0:
                active -= 1
                lanes[i] = lanes[active]
            else:
                i += 1
