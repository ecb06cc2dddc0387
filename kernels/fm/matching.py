"""Matching statistics and ∞-gram scores: what matches along a text, from its end to its start.

Backward search keeps the end of a match and moves its start, so a long verbatim passage costs a
step per token. Where the next token cannot be put in front, the match must end earlier: the longest
that does is found by doubling its length and halving (Ohlebusch, Gog and Kügel 2010 go up a tree
instead).

The longest suffix of ``text[:j]`` that occurs starts at the first i whose match reaches j, so the
matches give all of them. Its count is that match's where it ends there; between the ends of two
matches counts fall, and where they are the same at both ends they are the same between.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import row_at
from gramdex.kernels.fm.search import extend_left, find_interval, longest_suffix, text_bounds
from gramdex.kernels.jit import kernel


@kernel
def longest_match(shard, text, start, end):
    """Longest prefix of ``text[start:end]`` that occurs: (length, low, high); 0 and no ranks."""
    least, length = 0, 1
    low, high = 0, 0
    while least < end - start:
        length = min(length, end - start)
        first, last = find_interval(shard, text, start, start + length)
        if first == last:
            break
        least, low, high = length, first, last
        length *= 2
    while length - least > 1 and least < end - start:
        middle = (least + length) >> 1
        first, last = find_interval(shard, text, start, start + middle)
        if first == last:
            length = middle
        else:
            least, low, high = middle, first, last
    return least, low, high


@kernel
def shard_matches(shard, text, start, end, most, state, lengths, counts):
    """Longest match in ``text[:most]`` from each position of [start, end), and its count.

    Fills lengths and counts int64[n] there. ``state`` int64[3], zeros at first, lets the next call
    go on before ``start``: the interval of the match there, and the tokens after its end.
    """
    low, high, reach = state[0], state[1], most - state[2]
    for i in range(end - 1, start - 1, -1):
        if low < high:
            low, high = extend_left(shard, text[i], low, high)
        if low == high:
            length, low, high = longest_match(shard, text, i, reach)
            reach = i + length
        lengths[i] = reach - i
        counts[i] = high - low
    state[0], state[1], state[2] = low, high, most - reach


@kernel
def fill_counts(shard, text, i, first, last, counts):
    """Counts of ``text[i:j]`` for j in [first, last], known at ``last``, into ``counts[j]``."""
    if first == last:
        return
    ends = np.empty(64, np.int64)  # halves still to do, the nearest last
    ends[0], waiting = last, 1
    low, high = find_interval(shard, text, i, first)
    counts[first] = high - low
    while waiting > 0:
        end = ends[waiting - 1]
        if end - first <= 1 or counts[first] == counts[end]:
            counts[first:end] = counts[first]
            first = end
            waiting -= 1
        else:
            middle = (first + end) >> 1
            low, high = find_interval(shard, text, i, middle)
            counts[middle] = high - low
            ends[waiting] = middle
            waiting += 1


@kernel
def shard_suffixes(shard, text, start, end, lengths, counts):
    """Longest suffix of ``text[:j]`` that occurs for each j in [start, end], and its count.

    Fills lengths and counts int64[n + 1] there; the empty suffix occurs at every token.
    """
    low, high = text_bounds(shard)
    tokens = high - low
    first = start - longest_suffix(shard, text, start)[0]
    matches, found = np.empty(end, np.int64), np.empty(end, np.int64)
    shard_matches(shard, text, first, end, end, np.zeros(3, np.int64), matches, found)
    done = start - 1
    for i in range(first, end):
        reach = i + matches[i]
        for j in range(done + 1, i + 1):
            lengths[j], counts[j] = 0, tokens
        done = max(done, i)
        if reach > done:
            for j in range(done + 1, reach + 1):
                lengths[j] = j - i
            counts[reach] = found[i]
            fill_counts(shard, text, i, done + 1, reach, counts)
            done = reach
    for j in range(done + 1, end + 1):
        lengths[j], counts[j] = 0, tokens


@kernel
def add_longest(some_lengths, some_counts, start, end, lengths, counts):
    """Keep the longer at each place of [start, end), and add up the counts of equally long ones."""
    for i in range(start, end):
        if some_lengths[i] > lengths[i]:
            lengths[i], counts[i] = some_lengths[i], some_counts[i]
        elif some_lengths[i] == lengths[i]:
            counts[i] += some_counts[i]


@kernel
def matching_statistics(shards, text, start, end, state, lengths, counts):
    """Fill lengths and counts, int64[n], at [start, end) for text int64[n] of ranks.

    ``state`` int64[s or more, 3], zeros at first, lets the next call go on before ``start``.
    """
    some_lengths, some_counts = np.empty(end, np.int64), np.empty(end, np.int64)
    lengths[start:end] = 0
    counts[start:end] = 0
    for s in range(shards.shape[0]):
        shard = row_at(shards, s)
        shard_matches(shard, text, start, end, text.size, state[s], some_lengths, some_counts)
        add_longest(some_lengths, some_counts, start, end, lengths, counts)


@kernel
def infgram_scores(shards, text, start, end, lengths, context_counts, counts):
    """For every i in [start, end): the ∞-gram of ``text[:i]`` and how often ``text[i]`` follows it.

    Shapes: text int64[n] of ranks; lengths, context_counts, counts int64[n], filled there.
    """
    size = end + 1
    some_lengths, some_counts = np.empty(size, np.int64), np.empty(size, np.int64)
    longest, totals = np.empty(size, np.int64), np.empty(size, np.int64)
    longest[start:] = 0
    totals[start:] = 0
    for s in range(shards.shape[0]):
        shard_suffixes(row_at(shards, s), text, start, end, some_lengths, some_counts)
        add_longest(some_lengths, some_counts, start, size, longest, totals)
    for i in range(start, end):
        lengths[i], context_counts[i] = longest[i], totals[i]
        counts[i] = totals[i + 1] if longest[i + 1] == longest[i] + 1 else 0
