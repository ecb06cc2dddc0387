"""The continuations of a context as a tree, the most frequent first.

How likely a continuation is, the product of the shares of its tokens, is its count over that of the
context: what is between cancels. So the tree grows by counts alone, which are sizes of intervals.
A continuation hangs on a node of the tree or on its root until no other is better; then it becomes
a node itself, and what may follow it hangs on it. No more hang than nodes are still wanted.

    order       int64[nodes]             slots; the first HANGING of them are taken, worst first
    hanging     int64[nodes, 3]          what hangs, by slot: COUNT, TIE, RANK
    spans       int64[nodes, shards, 2]  its interval in each shard
    state       int64[3]                 HANGING, WANTED, LEAST: how many hang, nodes still
                                         wanted, the least count there may be

    TIE   bits 45–57  depth in the tree, from 1 on
          bits 13–44  id of the token
          bits  0–12  number of the node it hangs on, and 1; 0 is the root

A smaller TIE is better, so among equal counts the shallower is first, then the smaller id.

The tokens after a node are the runs of its intervals, ascending, so shards are merged by their
least token; a shard's place in them is a row of ``runs`` int64[shards, 6]. Where one occurrence is
left a step is a look at the next token of the text. The best-first growth is that of
SuffixDecoding (arXiv 2411.04975, section 3).
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import inlined, kernel
from gramdex.kernels.memory import SEPARATOR, CorruptShard
from gramdex.kernels.suffix_array.columns import BUCKET_COUNT, SHIFT, bucket_bounds, token_after
from gramdex.kernels.suffix_array.continuations import node_of, run_bounds, run_token
from gramdex.kernels.suffix_array.runs import following_run, prefetch_runs

MOST_NODES = 4096
"""Numbers of nodes, and depths, fit 13 bits of TIE."""
DEPTH_SHIFT, ID_SHIFT = 45, 13

COUNT, TIE, RANK = range(3)
HANGING, WANTED, LEAST = range(3)
LOW, HIGH, TOKEN, END, ENTRY, LAST = range(6)
NO_TOKEN = 1 << 40


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


@inlined
def next_run(shard, depth, run):
    """Go on to the run after the one at ``run``; its TOKEN is NO_TOKEN after the last."""
    low, high, below = run[END], run[HIGH], run[TOKEN]
    if low == high:
        run[TOKEN] = NO_TOKEN
        return
    if high - low == 1:
        token, end = token_after(shard, low, depth), high
    elif run[ENTRY] < run[LAST]:
        token = run_token(shard, run[ENTRY])
        end = run_bounds(shard, run[ENTRY], low, high)[1]
        run[ENTRY] += 1
    elif depth == 0 and shard[SHIFT] == 0:
        token, end = first_token_run(shard, below + 1, low)
        end = min(end, high)
    else:
        token = token_after(shard, low, depth)
        end = following_run(shard, low, high, depth, token)
    if token <= below:
        raise CorruptShard("suffix array")
    run[LOW], run[TOKEN], run[END] = low, token, end


@inlined
def first_run(shard, low, high, depth, run):
    """Begin at the first run of [low, high), suffixes that agree on ``depth`` tokens."""
    run[HIGH], run[END], run[TOKEN] = high, low, -1
    run[ENTRY] = run[LAST] = 0
    if high - low > 1:
        run[ENTRY], run[LAST] = node_of(shard, low, high, depth)
        if run[ENTRY] == run[LAST] and depth > 0:
            prefetch_runs(shard, low, high, depth)
    next_run(shard, depth, run)


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
def hang_all(shards, intervals, depth, tie, ids, runs, state, order, hanging, spans):
    """Hang the tokens at ``depth`` of the intervals; ``tie`` is theirs without the id.

    A document's end is none.
    """
    number = shards.shape[0]
    for s in range(number):
        first_run(shards[s], intervals[s, 0], intervals[s, 1], depth, runs[s])
    while True:
        token = NO_TOKEN
        for s in range(number):
            token = min(token, runs[s, TOKEN])
        if token == NO_TOKEN:
            return
        count = 0
        for s in range(number):
            if runs[s, TOKEN] == token:
                count += runs[s, END] - runs[s, LOW]
        least = state[LEAST]
        if state[HANGING] == state[WANTED]:
            least = max(least, hanging[order[0], COUNT])
        slot = -1
        if token != SEPARATOR and count >= least:
            if ids.size > 0 and token >= ids.size:
                raise CorruptShard("text")
            name = np.int64(ids[token]) if ids.size > 0 else token
            slot = hang(count, tie | (name << ID_SHIFT), token, state, order, hanging)
        for s in range(number):
            here = runs[s, TOKEN] == token
            if slot >= 0:
                spans[slot, s, 0] = runs[s, LOW] if here else 0
                spans[slot, s, 1] = runs[s, END] if here else 0
            if here:
                next_run(shards[s], depth, runs[s])


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
    spans, runs = np.empty((wanted, number, 2), np.int64), np.empty((number, 6), np.int64)
    state, here = np.array([0, wanted, least]), intervals.copy()
    nodes, depth = 0, 0
    while nodes < wanted:
        if depth < deepest:
            tie = ((depth + 1) << DEPTH_SHIFT) | nodes
            hang_all(shards, here, length + depth, tie, ids, runs, state, order, hanging, spans)
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
