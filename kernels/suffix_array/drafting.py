"""The continuations of a context as a tree, the most frequent first.

How likely a continuation is, the product of the shares of its tokens, is its count over that of the
context: what is between cancels. So the tree grows by counts alone, which are sizes of intervals.
A continuation hangs on a node of the tree or on its root until no other is better; then it becomes
a node itself, and what may follow it hangs on it. No more hang than nodes are still wanted.

    order       int64[nodes]             slots; the first HANGING of them are taken, worst first
    hanging     int64[nodes, 3]          what hangs, by slot: COUNT, TIE, RANK
    spans       int64[nodes, shards, 2]  its interval in each shard
    state       int64[4]                 HANGING, WANTED: how many hang, nodes still wanted
                                         FROM, BELOW: counts that are hung now

    TIE   bits 45–57  depth in the tree, from 1 on
          bits 13–44  id of the token
          bits  0–12  number of the node it hangs on, and 1; 0 is the root

A smaller TIE is better, so among equal counts the shallower is first, then the smaller id.

The tokens after a node are the runs of its intervals, ascending, so shards are merged by their
least token; a shard's place in them is a row of ``runs`` int64[shards, 8]. Where one occurrence is
left a step is a look at the next token of the text. The best-first growth is that of
SuffixDecoding (arXiv 2411.04975).
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import inlined, kernel
from gramdex.kernels.memory import SEPARATOR, CorruptShard
from gramdex.kernels.suffix_array.columns import (
    BUCKET_COUNT,
    SHIFT,
    bucket_bounds,
    prefetch_suffix,
    prefetch_token,
    suffix_at,
    token_after,
)
from gramdex.kernels.suffix_array.continuations import node_of, run_bounds, run_start, run_token
from gramdex.kernels.suffix_array.runs import (
    first_not_below,
    following_run,
    prefetch_runs,
    run_end,
)
from gramdex.kernels.suffix_array.search import extend_interval

MOST_NODES = 4096
"""Numbers of nodes, and depths, fit 13 bits of TIE."""
DEPTH_SHIFT, ID_SHIFT = 45, 13

COUNT, TIE, RANK = range(3)
HANGING, WANTED, FROM, BELOW = range(4)
LOW, HIGH, TOKEN, END, ENTRY, LAST, OWN_LOW, OWN_HIGH = range(8)
BEYOND = 1 << 40
"""Above every token and every count; in place of a token after the last run."""

LONG = 16
"""Runs of so many ranks and more are found by looking at some ranks only."""
MANY = 512
"""Occurrences from which on the longest runs are sought before the others."""
AHEAD = 8


@kernel
def first_token_run(shard, token, low):
    """The first token from ``token`` on that occurs, and the end of its ranks, which start at low.

    The prefix table has an entry per token.
    """
    while token < shard[BUCKET_COUNT]:
        end = bucket_bounds(shard, token)[1]
        if end > low:
            return token, end
        token += 1
    raise CorruptShard("prefix table")


@kernel
def long_run(shard, low, high, depth, least):
    """First run of ``least`` ranks or more in [low, high), which starts with one: start and end.

    So many ranks hold two places of a grid with half that step, one after the other. Only where
    two such places have one token is it looked where its run begins and ends. (high, high) where
    there is none.
    """
    step = least >> 1
    floor, at, token = low, low, token_after(shard, low, depth)
    while at + step < high:
        if at + 2 * AHEAD * step < high:
            prefetch_suffix(shard, at + 2 * AHEAD * step)
            prefetch_token(shard, suffix_at(shard, at + AHEAD * step) + depth)
        after = token_after(shard, at + step, depth)
        if after != token:
            floor, at, token = at + 1, at + step, after
            continue
        start = first_not_below(shard, floor, at, depth, token)
        end = run_end(shard, at + step, high, depth, token)
        if end - start >= least:
            return start, end
        if end == high:
            break
        floor, at, token = end, end, token_after(shard, end, depth)
    return high, high


@kernel
def frequent_entry(shard, entry, last, low, high, least):
    """First entry of a node from ``entry`` < last on with ``least`` ranks, or its last one.

    Returns the entry and its ranks; those of the first begin at ``low``.
    """
    end = run_bounds(shard, entry, low, high)[1]
    while end - low < least and entry + 1 < last:
        entry, low = entry + 1, end
        end = run_start(shard, entry + 1, low, high)
    return entry, low, end


@inlined
def next_run(shard, depth, least, run):
    """Go on to the run after the one at ``run``; its TOKEN is BEYOND after the last.

    Runs of fewer than ``least`` ranks may be left out.
    """
    low, high, below = run[END], run[HIGH], run[TOKEN]
    if low == high:
        run[TOKEN] = BEYOND
        return
    if high - low == 1:
        token, end = token_after(shard, low, depth), high
    elif run[ENTRY] < run[LAST]:
        entry, low, end = frequent_entry(shard, run[ENTRY], run[LAST], low, high, least)
        token = run_token(shard, entry)
        run[ENTRY] = entry + 1
    elif depth == 0 and shard[SHIFT] == 0:
        token, end = first_token_run(shard, below + 1, low)
        end = min(end, high)
    elif least >= LONG:
        low, end = long_run(shard, low, high, depth, least)
        token = BEYOND if low == high else token_after(shard, low, depth)
    else:
        token = token_after(shard, low, depth)
        end = following_run(shard, low, high, depth, token)
    if token <= below:
        raise CorruptShard("suffix array")
    run[LOW], run[TOKEN], run[END] = low, token, end


@inlined
def first_run(shard, low, high, depth, least, run):
    """Begin at the first run of [low, high), suffixes that agree on ``depth`` tokens."""
    run[HIGH], run[END], run[TOKEN] = high, low, -1
    run[ENTRY] = run[LAST] = 0
    if high - low > 1:
        run[ENTRY], run[LAST] = node_of(shard, low, high, depth)
        if run[ENTRY] == run[LAST] and depth > 0 and least < LONG:
            prefetch_runs(shard, low, high, depth)
    next_run(shard, depth, least, run)


@inlined
def hang(count, tie, rank, state, order, hanging):
    """Hang a continuation where it is among the best that are wanted; its slot, or -1."""
    size = state[HANGING]
    full = size == state[WANTED]
    below, above = 0, size
    while below < above:
        middle = (below + above) >> 1
        other = order[middle]
        if hanging[other, COUNT] < count or (
            hanging[other, COUNT] == count and hanging[other, TIE] > tie
        ):
            below = middle + 1
        else:
            above = middle
    if full:
        if below == 0:
            return -1
        slot, below = order[0], below - 1
        for i in range(below):
            order[i] = order[i + 1]
    else:
        slot = order[size]
        for i in range(size, below, -1):
            order[i] = order[i - 1]
        state[HANGING] = size + 1
    order[below] = slot
    hanging[slot, COUNT], hanging[slot, TIE], hanging[slot, RANK] = count, tie, rank
    return slot


@inlined
def least_hung(state, order, hanging):
    """The least count of what can still hang."""
    if state[HANGING] == state[WANTED]:
        return max(state[FROM], hanging[order[0], COUNT])
    return state[FROM]


@inlined
def count_of(shards, intervals, depth, token, part, runs):
    """How often ``token`` is at ``depth`` of the intervals; sets OWN_LOW and OWN_HIGH of all runs.

    Shards that are not at it may have left it out, as a run of fewer than ``part`` ranks.
    """
    number, count, others = shards.shape[0], 0, 0
    for s in range(number):
        here = runs[s, TOKEN] == token
        runs[s, OWN_LOW] = runs[s, LOW] if here else 0
        runs[s, OWN_HIGH] = runs[s, END] if here else 0
        count += runs[s, OWN_HIGH] - runs[s, OWN_LOW]
        others += not here
    if part == 1 or others == 0 or count + others * (part - 1) < (part - 1) * number + 1:
        return count
    for s in range(number):
        if runs[s, TOKEN] != token and intervals[s, 0] < intervals[s, 1]:
            low, high = extend_interval(shards[s], intervals[s, 0], intervals[s, 1], depth, token)
            runs[s, OWN_LOW], runs[s, OWN_HIGH] = low, high
            count += high - low
    return count


@inlined
def hang_all(shards, intervals, depth, tie, ids, runs, state, order, hanging, spans):
    """Hang the tokens at ``depth`` of the intervals; ``tie`` is theirs without the id.

    Those with counts in [FROM, BELOW). A document's end is none. What counts so often in all
    shards has its part of that in one of them.
    """
    number = shards.shape[0]
    part = (least_hung(state, order, hanging) + number - 1) // max(number, 1)
    for s in range(number):
        first_run(shards[s], intervals[s, 0], intervals[s, 1], depth, part, runs[s])
    while True:
        token = BEYOND
        for s in range(number):
            token = min(token, runs[s, TOKEN])
        if token == BEYOND:
            return
        count = count_of(shards, intervals, depth, token, part, runs)
        least = least_hung(state, order, hanging)
        slot = -1
        if token != SEPARATOR and least <= count < state[BELOW]:
            if ids.size > 0 and token >= ids.size:
                raise CorruptShard("text")
            name = np.int64(ids[token]) if ids.size > 0 else token
            slot = hang(count, tie | (name << ID_SHIFT), token, state, order, hanging)
        part = (least + number - 1) // number
        for s in range(number):
            if slot >= 0:
                spans[slot, s, 0], spans[slot, s, 1] = runs[s, OWN_LOW], runs[s, OWN_HIGH]
            if runs[s, TOKEN] == token:
                next_run(shards[s], depth, part, runs[s])


@kernel
def longest_sought(shards, intervals, depth):
    """From which count on runs are hung before rarer ones; 0 where all are hung at once.

    So of many runs most need not be looked at: those of a quarter of the count are next, and so
    on, until no rarer one can be among the best.
    """
    total, searched = 0, False
    for s in range(shards.shape[0]):
        low, high = intervals[s, 0], intervals[s, 1]
        total += high - low
        if depth > 0 and high - low >= MANY and not searched:
            first, last = node_of(shards[s], low, high, depth)
            searched = first == last
    return total >> 3 if searched else 0


@kernel
def grow_tree(shards, intervals, length, deepest, least, ids, tokens, parents, counts):
    """Grow the tree of the continuations of a context of ``length`` tokens; how many nodes.

    Nodes in the order in which they become nodes, at most MOST_NODES. Each costs what its runs
    cost, see ``distribution.next_tokens``.

    Args:
        shards: matrix of shards.
        intervals: int64[shards, 2], of the context.
        length: tokens of the context.
        deepest: tokens a path may have, at most MOST_NODES.
        least: occurrences a node must have, at least 1.
        ids: uint32[ranks], the id of each rank, by which ties break; empty for ranks themselves.
        tokens: int64[n], filled with ranks; n nodes are wanted.
        parents: int64[n], filled; -1 for the context, else the number of a node before.
        counts: int64[n], filled.
    """
    wanted, number = tokens.size, shards.shape[0]
    order, hanging = np.arange(wanted), np.empty((wanted, 3), np.int64)
    spans, runs = np.empty((wanted, number, 2), np.int64), np.empty((number, 8), np.int64)
    state, here = np.array([0, wanted, 0, 0]), intervals.copy()
    nodes, depth = 0, 0
    while nodes < wanted:
        tie = ((depth + 1) << DEPTH_SHIFT) | nodes
        below, sought = BEYOND, longest_sought(shards, here, length + depth)
        while depth < deepest:
            state[FROM] = least
            possible = least_hung(state, order, hanging)
            if possible >= below:
                break
            state[FROM], state[BELOW] = max(possible, sought), below
            hang_all(shards, here, length + depth, tie, ids, runs, state, order, hanging, spans)
            below = state[FROM]
            sought = sought >> 2 if sought >= 4 * LONG else 0
        if state[HANGING] == 0:
            break
        state[HANGING] -= 1
        state[WANTED] -= 1
        slot = order[state[HANGING]]
        tie = hanging[slot, TIE]
        depth = tie >> DEPTH_SHIFT
        tokens[nodes], counts[nodes] = hanging[slot, RANK], hanging[slot, COUNT]
        parents[nodes] = (tie & ((1 << ID_SHIFT) - 1)) - 1
        for s in range(number):
            here[s, 0], here[s, 1] = spans[slot, s, 0], spans[slot, s, 1]
        nodes += 1
    return nodes
