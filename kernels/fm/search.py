"""Backward search: from the interval of a pattern to that of the pattern with a token in front.

Intervals are half-open ranges of ranks, the same as in the suffix array of the text (Ferragina and
Manzini 2005). A pattern is read from its last token to its first.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import SIZE, field, list_bounds, row_at
from gramdex.kernels.fm.successors import lower_bound
from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import SEPARATOR


@kernel
def narrow_list(shard, first, last, low, high):
    """Part of the list [first, last) whose successors lie in [low, high)."""
    start, value = lower_bound(shard, first, last, low + 1)
    if start == last or value > high:
        return start, start
    if high - low == 1:
        return start, start + 1
    last = min(last, start + high - low)
    return start, lower_bound(shard, start + 1, last, high + 1)[0]


@kernel
def extend_left(shard, token, low, high):
    """Interval of the pattern of [low, high) with ``token`` in front of it."""
    first, last = list_bounds(shard, token)
    if low >= high or first == last:
        return first, first
    if high - low == field(shard, SIZE):
        return first, last
    return narrow_list(shard, first, last, low, high)


@kernel
def text_bounds(shard):
    """Interval of the empty pattern, which stands before every token but not before a separator."""
    return list_bounds(shard, SEPARATOR)[1], field(shard, SIZE)


@kernel
def find_interval(shard, pattern, start, end):
    """Interval of the suffixes that begin with ``pattern[start:end]``."""
    if start == end:
        return text_bounds(shard)
    low, high = list_bounds(shard, pattern[end - 1])
    for i in range(end - 2, start - 1, -1):
        if low >= high:
            return low, low
        first, last = list_bounds(shard, pattern[i])
        low, high = narrow_list(shard, first, last, low, high)
    return low, high


@kernel
def find_intervals(shards, pattern, start, end, intervals):
    """Interval of ``pattern[start:end]`` in each shard into ``intervals`` int64[s, 2]; the sum."""
    total = 0
    for s in range(shards.shape[0]):
        low, high = find_interval(row_at(shards, s), pattern, start, end)
        intervals[s, 0] = low
        intervals[s, 1] = high
        total += high - low
    return total


@kernel
def count(shards, pattern):
    """Occurrences of ``pattern`` in all shards."""
    total = 0
    for s in range(shards.shape[0]):
        low, high = find_interval(row_at(shards, s), pattern, 0, pattern.size)
        total += high - low
    return total


@kernel
def prob(shards, context, token, intervals):
    """Occurrences of ``context``, and of ``context`` followed by ``token``."""
    pattern = np.empty(context.size + 1, np.int64)
    pattern[: context.size] = context
    pattern[context.size] = token
    total = find_intervals(shards, pattern, 0, context.size, intervals)
    return total, count(shards, pattern)


@kernel
def longest_suffix(shard, text, end):
    """Longest suffix of ``text[:end]`` that occurs: (length, low, high)."""
    low, high = text_bounds(shard)
    if end == 0 or low == high:
        return 0, low, high
    first, last = list_bounds(shard, text[end - 1])
    length = 0
    while first < last:
        length += 1
        low, high = first, last
        if length == end:
            break
        first, last = list_bounds(shard, text[end - 1 - length])
        first, last = narrow_list(shard, first, last, low, high)
    return length, low, high
