"""Counting many patterns at once: searches in lockstep, each waiting on memory while others run.

A binary search waits for two cache misses per halving. LANES searches take turns: one round
computes every lane's next rank and prefetches its suffix, the next loads the suffixes and
prefetches the text, the third compares. Every (pattern, shard) pair is one search.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel
from gramdex.kernels.suffix_array.columns import (
    prefetch_suffix,
    prefetch_token,
    suffix_at,
    token_at,
)
from gramdex.kernels.suffix_array.continuations import descend
from gramdex.kernels.suffix_array.search import find_interval, matched_length

LANES = 16

# The state of a lane. [LOW, HIGH) is still open; its suffixes agree with the pattern on at least
# min(BELOW, ABOVE) tokens. LIMIT is the end of the bucket, FIRST the first match once known.
PHASE, PATTERN, SHARD, START, END, LOW, HIGH, LIMIT, BELOW, ABOVE, FIRST, STEP, PROBE, POSITION = (
    range(14)
)
LOWER, GALLOP, HALVE = range(3)


@kernel
def enter(lane, shards, patterns, offsets, search):
    """Set the lane to the start of a search; its count if it needs none, else -1."""
    pattern, s = search // shards.shape[0], search % shards.shape[0]
    start, end = offsets[pattern], offsets[pattern + 1]
    lane[PATTERN], lane[SHARD], lane[START], lane[END] = pattern, s, start, end
    if start == end:
        low, high = find_interval(shards[s], patterns, start, end)
        return high - low
    low, high, known, absent = descend(shards[s], patterns, start, end)
    if absent:
        return 0
    if known == end - start:
        return high - low
    lane[PHASE], lane[LOW], lane[HIGH], lane[LIMIT] = LOWER, low, high, high
    lane[BELOW], lane[ABOVE], lane[STEP] = known, known, 1
    return -1


@kernel
def aim(lane):
    """Choose the next rank to look at."""
    if lane[PHASE] == GALLOP:
        lane[PROBE] = min(lane[LOW] + lane[STEP], lane[HIGH]) - 1
    else:
        lane[PROBE] = (lane[LOW] + lane[HIGH]) >> 1


@kernel
def compare(lane, shards, patterns):
    """Compare the suffix at the probe and narrow the interval."""
    shard, probe, start, end = shards[lane[SHARD]], lane[PROBE], lane[START], lane[END]
    position = lane[POSITION]
    known = min(lane[BELOW], lane[ABOVE])
    depth = matched_length(shard, position, patterns, start, end, known)
    matches = start + depth == end
    if lane[PHASE] == LOWER:
        if not matches and token_at(shard, position + depth) < patterns[start + depth]:
            lane[LOW], lane[BELOW] = probe + 1, depth
        else:
            lane[HIGH], lane[ABOVE] = probe, depth
    elif matches:
        lane[LOW] = probe + 1
        lane[STEP] *= 2
    else:
        lane[HIGH], lane[ABOVE] = probe, max(lane[ABOVE], depth)
        lane[PHASE] = HALVE


@kernel
def outcome(lane):
    """The count if the search is over, else -1; turns from the first match to the last."""
    if lane[LOW] < lane[HIGH]:
        return -1
    length = lane[END] - lane[START]
    if lane[PHASE] != LOWER:
        return lane[LOW] - lane[FIRST]
    if lane[ABOVE] < length:
        return 0
    lane[PHASE], lane[FIRST] = GALLOP, lane[LOW]
    lane[LOW], lane[HIGH] = lane[LOW] + 1, lane[LIMIT]
    lane[BELOW], lane[ABOVE] = length, 0
    return -1 if lane[LOW] < lane[HIGH] else 1


@kernel
def refill(lane, shards, patterns, offsets, counts, search):
    """Give the lane the next search that needs steps; returns the number of the one after it."""
    searches = counts.size * shards.shape[0]
    while search < searches:
        count = enter(lane, shards, patterns, offsets, search)
        search += 1
        if count < 0:
            return search
        counts[lane[PATTERN]] += count
    lane[SHARD] = -1
    return search


@kernel
def count_batch(shards, patterns, offsets, counts):
    """Occurrences of each pattern ``patterns[offsets[i]:offsets[i + 1]]`` into ``counts``.

    Shapes: shards int64[s, COLUMNS], patterns int64[t] of ranks, offsets int64[k + 1],
    counts int64[k].
    """
    lanes = np.empty((LANES, POSITION + 1), np.int64)
    counts[:] = 0
    search = 0
    active = 0
    for i in range(LANES):
        search = refill(lanes[i], shards, patterns, offsets, counts, search)
        if lanes[i, SHARD] < 0:
            break
        active += 1
    while active > 0:
        for i in range(active):
            aim(lanes[i])
            prefetch_suffix(shards[lanes[i, SHARD]], lanes[i, PROBE])
        for i in range(active):
            lane = lanes[i]
            lane[POSITION] = suffix_at(shards[lane[SHARD]], lane[PROBE])
            prefetch_token(shards[lane[SHARD]], lane[POSITION] + min(lane[BELOW], lane[ABOVE]))
        i = 0
        while i < active:
            compare(lanes[i], shards, patterns)
            count = outcome(lanes[i])
            if count >= 0:
                counts[lanes[i, PATTERN]] += count
                search = refill(lanes[i], shards, patterns, offsets, counts, search)
                if lanes[i, SHARD] < 0:
                    active -= 1
                    lanes[i] = lanes[active]
                    continue
            i += 1
