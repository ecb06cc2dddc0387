"""Binary search in a suffix array.

Intervals are half-open ranges of ranks in the suffix array. A comparison starts where both ends
of the current interval already agree with the pattern (Manber and Myers 1993, section 3), so a
search costs O(pattern + log size) token comparisons and about two cache misses per halving. The
prefix table and the table of continuations take it as deep as they reach before that.
"""

from __future__ import annotations

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import SEPARATOR, CorruptShard
from gramdex.kernels.suffix_array.columns import (
    SHIFT,
    SIZE,
    bucket_bounds,
    suffix_at,
    token_after,
    token_at,
)
from gramdex.kernels.suffix_array.continuations import (
    descend,
    find_run,
    node_of,
    run_bounds,
    run_token,
)
from gramdex.kernels.suffix_array.runs import first_not_below, run_end


@kernel
def matched_length(shard, position, pattern, start, end, depth):
    """How many tokens of ``pattern[start:end]`` the suffix at ``position`` begins with.

    The first ``depth`` are known to agree.
    """
    if position + depth >= shard[SIZE]:
        raise CorruptShard("suffix array")
    while start + depth < end and token_at(shard, position + depth) == pattern[start + depth]:
        depth += 1
    return depth


@kernel
def lower_bound(shard, pattern, start, end, low, high, below, above):
    """First rank in [low, high) whose suffix is not smaller than ``pattern[start:end]``.

    ``below`` and ``above`` are the lengths known to match just before ``low`` and from ``high``
    on. Returns the rank and both lengths at the end: the longest match in the shard is the
    greater of the two.
    """
    while low < high:
        middle = (low + high) >> 1
        position = suffix_at(shard, middle)
        depth = matched_length(shard, position, pattern, start, end, min(below, above))
        if start + depth < end and token_at(shard, position + depth) < pattern[start + depth]:
            low, below = middle + 1, depth
        else:
            high, above = middle, depth
    return low, below, above


@kernel
def match_end(shard, pattern, start, end, low, high, known):
    """End of the run of suffixes from ``low`` on that begin with ``pattern[start:end]``.

    The suffix at ``low`` does, and all of [low, high) agree with the pattern on ``known``
    tokens. Gallops, so a run of length r costs O(log r) comparisons near its start.
    """
    length = end - start
    step = 1
    low += 1
    while low < high:
        probe = min(low + step, high) - 1
        depth = matched_length(shard, suffix_at(shard, probe), pattern, start, end, known)
        if depth < length:
            high = probe
            break
        low = probe + 1
        step *= 2
    while low < high:
        middle = (low + high) >> 1
        depth = matched_length(shard, suffix_at(shard, middle), pattern, start, end, known)
        if depth == length:
            low = middle + 1
        else:
            high, known = middle, max(known, depth)
    return low


@kernel
def extend_interval(shard, low, high, depth, token):
    """Part of [low, high), suffixes that agree on ``depth`` tokens, that goes on with ``token``."""
    if depth == 0:
        start, end = bucket_bounds(shard, token)
        low, high = max(low, start), min(high, end)
        if shard[SHIFT] == 0:
            return low, max(low, high)
    if low >= high:
        return low, low
    first, last = node_of(shard, low, high, depth)
    if first < last:
        entry = find_run(shard, first, last, token)
        if entry == last or run_token(shard, entry) != token:
            return low, low
        return run_bounds(shard, entry, low, high)
    low = first_not_below(shard, low, high, depth, token)
    if low == high or token_after(shard, low, depth) != token:
        return low, low
    return low, run_end(shard, low, high, depth, token)


@kernel
def find_interval(shard, pattern, start, end):
    """Interval of the suffixes that begin with ``pattern[start:end]``.

    The empty pattern stands before every token, but not before a separator.
    """
    if start == end:
        return extend_interval(shard, 0, shard[SIZE], 0, SEPARATOR)[1], shard[SIZE]
    low, high, depth, absent = descend(shard, pattern, start, end)
    if absent:
        return low, low
    if depth == end - start:
        return low, high
    first, _, above = lower_bound(shard, pattern, start, end, low, high, depth, depth)
    if above < end - start:
        return first, first
    return first, match_end(shard, pattern, start, end, first, high, depth)


@kernel
def find_intervals(shards, pattern, start, end, intervals):
    """Interval of ``pattern[start:end]`` in each shard into ``intervals`` int64[s, 2]; the sum."""
    total = 0
    for s in range(shards.shape[0]):
        low, high = find_interval(shards[s], pattern, start, end)
        intervals[s, 0] = low
        intervals[s, 1] = high
        total += high - low
    return total


@kernel
def extend_intervals(shards, intervals, depth, token, narrowed):
    """Narrow every interval by one token into ``narrowed`` int64[s, 2]; their sum.

    ``narrowed`` may be ``intervals`` itself.
    """
    total = 0
    for s in range(shards.shape[0]):
        low, high = extend_interval(shards[s], intervals[s, 0], intervals[s, 1], depth, token)
        narrowed[s, 0] = low
        narrowed[s, 1] = high
        total += high - low
    return total


@kernel
def count(shards, pattern):
    """Occurrences of ``pattern`` in all shards."""
    total = 0
    for s in range(shards.shape[0]):
        low, high = find_interval(shards[s], pattern, 0, pattern.size)
        total += high - low
    return total


@kernel
def prob(shards, context, token, intervals):
    """Occurrences of ``context``, and of ``context`` followed by ``token``."""
    total = find_intervals(shards, context, 0, context.size, intervals)
    return total, extend_intervals(shards, intervals, context.size, token, intervals)
