"""∞-gram back-off: backward search goes on until nothing is left, and has found the suffix."""

from __future__ import annotations

from gramdex.kernels.fm import search
from gramdex.kernels.fm.columns import row_at, token_of_rank
from gramdex.kernels.fm.successors import successor
from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import SEPARATOR


@kernel
def longest_suffix(shards, text, end, intervals):
    """Longest suffix of ``text[:end]`` in any shard: its length and count; fills ``intervals``.

    The interval of a shard in which it does not occur is left empty; int64[s, 2].
    """
    longest, total = 0, 0
    for s in range(shards.shape[0]):
        length, low, high = search.longest_suffix(row_at(shards, s), text, end)
        if length < longest:
            low = high
        elif length > longest:
            longest, total = length, 0
            for other in range(s):
                intervals[other, 0] = intervals[other, 1]
        intervals[s, 0] = low
        intervals[s, 1] = high
        total += high - low
    return longest, total


@kernel
def token_after(shard, rank, depth):
    """Token at ``depth`` of the suffix of ``rank``, which goes on at least that far."""
    for _ in range(depth):
        rank = successor(shard, rank)
    return token_of_rank(shard, rank)


@kernel
def first_not_below(shard, low, high, depth, token):
    """First rank in [low, high), suffixes that agree on ``depth`` tokens, not before ``token``."""
    while low < high:
        middle = (low + high) >> 1
        if token_after(shard, middle, depth) < token:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def prob_after(shards, intervals, depth, token, unused):
    """How often ``token`` follows the intervals' suffixes of ``depth`` tokens, and if it is alone.

    Returns the count, and whether one token, this or another, follows all of them. The suffix-array
    engine's twin wants room for intervals.
    """
    count, sole, several = 0, SEPARATOR, False
    for s in range(shards.shape[0]):
        low, high = intervals[s, 0], intervals[s, 1]
        if low == high:
            continue
        first = token_after(row_at(shards, s), low, depth)
        last = first
        if high - low > 1:
            last = token_after(row_at(shards, s), high - 1, depth)
        several |= first != last or first == SEPARATOR or sole not in (SEPARATOR, first)
        sole = first
        if first == last:
            count += (high - low) * (first == token)
        elif first <= token <= last:
            start = first_not_below(row_at(shards, s), low, high, depth, token)
            count += first_not_below(row_at(shards, s), start, high, depth, token + 1) - start
    return count, sole != SEPARATOR and not several


@kernel
def infgram_prob(shards, context, token, intervals):
    """∞-gram of ``context`` and ``token``: (suffix length, its count, count, sparse or not)."""
    length, total = longest_suffix(shards, context, context.size, intervals)
    count, sparse = prob_after(shards, intervals, length, token, intervals)
    return length, total, count, sparse


@kernel
def advance_along(shards, text, start, length, total, intervals):
    """The longest suffix of ``text`` that occurs: length, count, intervals.

    What is known of ``text[:start]`` is not needed: backward search starts from the end.
    """
    return longest_suffix(shards, text, text.size, intervals)
