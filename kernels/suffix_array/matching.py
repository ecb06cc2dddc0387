"""Matching statistics: the longest match that starts at each position of a text, and its count.

One search per position and shard. Inside a long verbatim passage even that search would compare
the whole passage again at each position; there the answer follows from the position before:
all occurrences of text[i:i+l] give occurrences of text[i+1:i+l], and if its first PREFIX tokens
already occur no more often than that, those are all there are (Chang and Lawler 1994 keep the
same inheritance with suffix links).
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel
from gramdex.kernels.suffix_array.columns import suffix_at
from gramdex.kernels.suffix_array.continuations import descend
from gramdex.kernels.suffix_array.search import lower_bound, match_end, matched_length

PREFIX = 32


@kernel
def match_begin(shard, text, start, end, low, high, known):
    """First rank in [low, high) whose suffix begins with ``text[start:end]``.

    The suffix at ``high`` does, if there is one, and so does every one between the result and
    ``high``. Gallops downwards; all of [low, high) agree on ``known`` tokens.
    """
    length = end - start
    step = 1
    while low < high:
        probe = max(high - step, low)
        depth = matched_length(shard, suffix_at(shard, probe), text, start, end, known)
        if depth < length:
            low = probe + 1
            break
        high = probe
        step *= 2
    while low < high:
        middle = (low + high) >> 1
        depth = matched_length(shard, suffix_at(shard, middle), text, start, end, known)
        if depth == length:
            high = middle
        else:
            low, known = middle + 1, max(known, depth)
    return low


@kernel
def longest_match(shard, text, start, end, low, high, known):
    """Longest prefix of ``text[start:end]`` among the suffixes [low, high): (length, low, high).

    They agree with it on ``known`` tokens; an empty interval gives length 0.
    """
    if low == high:
        return 0, low, low
    rank, below, above = lower_bound(shard, text, start, end, low, high, known, known)
    length = max(below, above)
    if length == known:
        return length, low, high
    first, last = rank, rank
    if below == length:
        first = match_begin(shard, text, start, start + length, low, rank, known)
    if above == length:
        last = match_end(shard, text, start, start + length, rank, high, known)
    return length, first, last


@kernel
def match_from_tables(shard, text, start, end):
    """Longest prefix of ``text[start:end]`` in the shard: (length, low, high)."""
    low, high, depth, absent = descend(shard, text, start, end)
    if absent or depth == end - start:
        return depth, low, high
    return longest_match(shard, text, start, end, low, high, depth)


@kernel
def match_position(shards, text, start, end, intervals):
    """Longest match of ``text[start:end]`` over all shards; fills intervals; (length, count).

    An interval of a shard whose own longest match is shorter is left empty.
    """
    longest, count = 0, 0
    for s in range(shards.shape[0]):
        length, low, high = match_from_tables(shards[s], text, start, end)
        if length < longest or length == 0:
            low = high
        elif length > longest:
            longest, count = length, 0
            for other in range(s):
                intervals[other, 0] = intervals[other, 1]
        intervals[s, 0] = low
        intervals[s, 1] = high
        count += high - low
    return longest, count


@kernel
def match_rest(shards, text, start, end, known, intervals):
    """As ``match_position``, given intervals that agree with the text on ``known`` tokens."""
    longest, count = 0, 0
    for s in range(shards.shape[0]):
        length, low, high = longest_match(
            shards[s], text, start, end, intervals[s, 0], intervals[s, 1], known
        )
        if length > longest:
            longest, count = length, 0
        if length == longest:
            count += high - low
    return longest, count


@kernel
def matching_statistics(shards, text, start, end, state, lengths, counts):
    """Fill lengths and counts, int64[n], at [start, end) for text int64[n] of ranks.

    ``state`` int64[1 or more, 3], zeros at first, lets the next call go on from ``end``.
    """
    intervals = np.empty((shards.shape[0], 2), np.int64)
    length, count = state[0, 0], state[0, 1]
    for i in range(start, end):
        inherited, occurrences = length - 1, count
        near = min(i + PREFIX, text.size)
        length, count = match_position(shards, text, i, near, intervals)
        if length == PREFIX:
            if inherited >= PREFIX and count == occurrences:
                length = inherited
            else:
                length, count = match_rest(shards, text, i, text.size, PREFIX, intervals)
        lengths[i] = length
        counts[i] = count
    state[0, 0], state[0, 1] = length, count
