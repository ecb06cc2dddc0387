"""∞-gram back-off: the longest suffix of a context that occurs, at one place or along a text.

Whether a suffix occurs is monotone in its length (a suffix of what occurs occurs), so the longest
is found by galloping and halving. Along a text the current suffix keeps its interval; one more
token either narrows it or drops tokens from its front, each drop paid for by an earlier
extension, so a text costs about one search per token (Liu et al. 2024, arXiv 2401.17377,
section 2, for the meaning; the two-pointer walk is that of matching statistics, Chang and
Lawler 1994).
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import SEPARATOR
from gramdex.kernels.suffix_array.columns import suffix_at, token_after, token_at
from gramdex.kernels.suffix_array.search import extend_intervals, find_intervals

FIRST_LENGTH = 4  # the first suffix tried
FEW = 8  # occurrences that are compared backwards, one by one
LINEAR_DROPS = 4  # shorter suffixes tried one by one before the steps double


@kernel
def halve(shards, text, end, shortest, longest, intervals):
    """Longest suffix of ``text[:end]`` that occurs, known to be >= shortest and < longest.

    Returns its length and count, and fills ``intervals`` int64[s, 2].
    """
    while longest - shortest > 1:
        length = (shortest + longest) >> 1
        if find_intervals(shards, text, end - length, end, intervals) > 0:
            shortest = length
        else:
            longest = length
    return shortest, find_intervals(shards, text, end - shortest, end, intervals)


@kernel
def longest_before(shards, text, start, intervals):
    """How many tokens of ``text[:start]``, from its end, stand before one of the suffixes."""
    longest = 0
    for s in range(shards.shape[0]):
        for rank in range(intervals[s, 0], intervals[s, 1]):
            position = suffix_at(shards[s], rank)
            length, most = 0, min(start, position)
            while (
                length < most
                and token_at(shards[s], position - length - 1) == text[start - length - 1]
            ):
                length += 1
            longest = max(longest, length)
    return longest


@kernel
def longest_suffix(shards, text, end, intervals):
    """Longest suffix of ``text[:end]`` that occurs: its length and count; fills ``intervals``.

    Doubles the length until it no longer occurs, or occurs so rarely that each occurrence can
    be compared backwards.
    """
    shortest, length = 0, min(FIRST_LENGTH, end)
    while shortest < length:
        total = find_intervals(shards, text, end - length, end, intervals)
        if total == 0:
            break
        if total <= FEW:
            before = longest_before(shards, text, end - length, intervals)
            if before > 0:
                total = find_intervals(shards, text, end - length - before, end, intervals)
            return length + before, total
        shortest, length = length, min(2 * length, end)
    if shortest == length:
        return shortest, find_intervals(shards, text, end - shortest, end, intervals)
    return halve(shards, text, end, shortest, length, intervals)


@kernel
def longest_suffix_below(shards, text, end, longest, intervals):
    """As ``longest_suffix``, where length ``longest`` + 1 is known not to occur.

    Starts from the long side: along a text few tokens are dropped at a time.
    """
    length, step = longest, 1
    while length > 0:
        if find_intervals(shards, text, end - length, end, intervals) > 0:
            return halve(shards, text, end, length, length + step, intervals)
        step = 1 if longest - length < LINEAR_DROPS else 2 * step
        length -= step
    return halve(shards, text, end, 0, length + step, intervals)


@kernel
def sole_token(shards, intervals, depth):
    """The one token that follows every suffix in ``intervals``, or SEPARATOR if there is none."""
    token = SEPARATOR
    for s in range(shards.shape[0]):
        low, high = intervals[s, 0], intervals[s, 1]
        if low == high:
            continue
        first = token_after(shards[s], low, depth)
        last = token_after(shards[s], high - 1, depth)
        if first != last or first == SEPARATOR or (token not in (SEPARATOR, first)):
            return SEPARATOR
        token = first
    return token


@kernel
def prob_after(shards, intervals, depth, token, narrowed):
    """How often ``token`` follows the intervals' suffixes of ``depth`` tokens, and if it is alone.

    Returns the count, and whether one token follows all of them. ``narrowed`` int64[s, 2] may be
    ``intervals`` itself.
    """
    sparse = sole_token(shards, intervals, depth) != SEPARATOR
    return extend_intervals(shards, intervals, depth, token, narrowed), sparse


@kernel
def infgram_prob(shards, context, token, intervals):
    """∞-gram of ``context`` and ``token``: (suffix length, its count, count, sparse or not)."""
    length, total = longest_suffix(shards, context, context.size, intervals)
    count, sparse = prob_after(shards, intervals, length, token, intervals)
    return length, total, count, sparse


@kernel
def advance(shards, text, i, length, intervals, narrowed):
    """From the longest suffix of ``text[:i]`` that occurs to that of ``text[:i + 1]``.

    ``intervals`` int64[s, 2] are those of the suffix, of ``length`` tokens, and are replaced;
    ``narrowed`` int64[s, 2] is scratch. Returns the new length, its count, and how often
    ``text[i]`` follows the old suffix.
    """
    count = extend_intervals(shards, intervals, length, text[i], narrowed)
    if count > 0:
        for s in range(shards.shape[0]):
            intervals[s, 0], intervals[s, 1] = narrowed[s, 0], narrowed[s, 1]
        return length + 1, count, count
    length, total = longest_suffix_below(shards, text, i + 1, length, intervals)
    return length, total, count


@kernel
def advance_along(shards, text, start, length, total, intervals):
    """``advance`` over ``text[start:]``; the longest suffix at its end: length, count, intervals.

    ``text`` begins with the ``length`` tokens of the suffix so far, or before them.
    """
    narrowed = np.empty((shards.shape[0], 2), np.int64)
    for i in range(start, text.size):
        length, total, _ = advance(shards, text, i, length, intervals, narrowed)
    return length, total


@kernel
def infgram_scores(shards, text, start, end, lengths, context_counts, counts):
    """For every i in [start, end): the ∞-gram of ``text[:i]`` and how often ``text[i]`` follows it.

    Shapes: text int64[n] of ranks; lengths, context_counts, counts int64[n], filled there.
    """
    intervals = np.empty((shards.shape[0], 2), np.int64)
    narrowed = np.empty((shards.shape[0], 2), np.int64)
    length, total = longest_suffix(shards, text, start, intervals)
    for i in range(start, end):
        lengths[i] = length
        context_counts[i] = total
        length, total, counts[i] = advance(shards, text, i, length, intervals, narrowed)
