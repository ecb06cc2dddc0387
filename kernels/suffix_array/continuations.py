"""Looking up the table of continuations: the top of the suffix tree, written at build time.

A node is a context whose interval of ranks is cut into runs by the token that follows it (0 where
a document ends). The runs of a node are consecutive entries, ascending, and one entry more:

    entry       first   first + 1   …   last - 1   last
    RUN_TOKENS  token   token       …   token      0
    RUN_STARTS  low     start       …   start      high     run i is ranks [start i, start i + 1)

    TOKEN_NODES  uint32[BUCKET_COUNT + 1]; the node of one token has the entries
                 [TOKEN_NODES[token], TOKEN_NODES[token + 1]), none where the token is rare
    NODES        uint32[NODE_COUNT, 4], rows (low, depth, first, last) ascending: contexts of two
                 tokens and more, all with at least NODE_LEAST occurrences. A context is known by
                 its first rank and its length.

RUN_STARTS is uint32[RUN_COUNT], RUN_TOKENS unsigned[RUN_COUNT] of WIDTH bytes. Every entry number
and rank read here is compared with what bounds it before it is used.
"""

from __future__ import annotations

from gramdex.kernels.jit import CHECK_BOUNDS, kernel
from gramdex.kernels.memory import CorruptShard, load_token, load_u32
from gramdex.kernels.suffix_array.columns import (
    BUCKET_COUNT,
    NODE_COUNT,
    NODE_LEAST,
    NODES,
    RUN_COUNT,
    RUN_STARTS,
    RUN_TOKENS,
    SHIFT,
    TOKEN_NODES,
    WIDTH,
    bucket_bounds,
    token_after,
)


@kernel
def run_token(shard, entry):
    """Token of an entry < RUN_COUNT."""
    if CHECK_BOUNDS and not 0 <= entry < shard[RUN_COUNT]:
        raise IndexError("run_token outside the table")
    return load_token(shard[RUN_TOKENS], shard[WIDTH], entry)


@kernel
def run_start(shard, entry, low, high):
    """First rank of an entry < RUN_COUNT of a node whose interval is [low, high)."""
    if CHECK_BOUNDS and not 0 <= entry < shard[RUN_COUNT]:
        raise IndexError("run_start outside the table")
    start = load_u32(shard[RUN_STARTS], entry)
    if start < low or start > high:
        raise CorruptShard("table of continuations")
    return start


@kernel
def run_bounds(shard, entry, low, high):
    """Ranks of the run at ``entry``, not the last of its node, inside [low, high)."""
    start = run_start(shard, entry, low, high)
    end = run_start(shard, entry + 1, low, high)
    if start >= end:
        raise CorruptShard("table of continuations")
    return start, end


@kernel
def token_node(shard, token):
    """First and last entry of the node of one token; equal where it is none."""
    if shard[RUN_COUNT] == 0 or token >= shard[BUCKET_COUNT]:
        return 0, 0
    first = load_u32(shard[TOKEN_NODES], token)
    end = load_u32(shard[TOKEN_NODES], token + 1)
    if first > end or end > shard[RUN_COUNT]:
        raise CorruptShard("table of continuations")
    return first, max(first, end - 1)


@kernel
def long_node(shard, low, high, depth):
    """First and last entry of the node of [low, high) at ``depth`` > 1; equal where it is none."""
    if high - low < shard[NODE_LEAST]:
        return 0, 0
    left, right = 0, shard[NODE_COUNT]
    while left < right:
        middle = (left + right) >> 1
        start = load_u32(shard[NODES], 4 * middle)
        if start < low or (start == low and load_u32(shard[NODES], 4 * middle + 1) < depth):
            left = middle + 1
        else:
            right = middle
    if left == shard[NODE_COUNT] or load_u32(shard[NODES], 4 * left) != low:
        return 0, 0
    if load_u32(shard[NODES], 4 * left + 1) != depth:
        return 0, 0
    first, last = load_u32(shard[NODES], 4 * left + 2), load_u32(shard[NODES], 4 * left + 3)
    if first > last or last >= shard[RUN_COUNT]:
        raise CorruptShard("table of continuations")
    return first, last


@kernel
def node_of(shard, low, high, depth):
    """First and last entry of the node of a context of ``depth`` tokens; equal if it is none.

    [low, high), not empty, is the interval of the context.
    """
    if depth > 1:
        return long_node(shard, low, high, depth)
    if depth == 0 or shard[RUN_COUNT] == 0:
        return 0, 0
    return token_node(shard, token_after(shard, low, 0))


@kernel
def find_run(shard, first, last, token):
    """First entry of [first, last) whose token is not below ``token``, or ``last``."""
    while first < last:
        middle = (first + last) >> 1
        if run_token(shard, middle) < token:
            first = middle + 1
        else:
            last = middle
    return first


@kernel
def descend(shard, pattern, start, end):
    """Follow ``pattern[start:end]``, not empty, through the tables: (low, high, depth, absent).

    The suffixes that begin with its first ``depth`` tokens are [low, high), a whole context.
    ``absent``: none of them goes on with the next token. Where tables do not tell single tokens
    apart, depth is 0 and [low, high) holds all that share the first token, and others.
    O(log runs) per token.
    """
    low, high = bucket_bounds(shard, pattern[start])
    if shard[SHIFT] != 0:
        return low, high, 0, low == high
    if low == high:
        return low, high, 0, True
    depth = 1
    if start + depth == end:
        return low, high, depth, False
    first, last = token_node(shard, pattern[start])
    while start + depth < end and first < last:
        token = pattern[start + depth]
        entry = find_run(shard, first, last, token)
        if entry == last or run_token(shard, entry) != token:
            return low, high, depth, True
        low, high = run_bounds(shard, entry, low, high)
        depth += 1
        first, last = long_node(shard, low, high, depth)
    return low, high, depth, False
