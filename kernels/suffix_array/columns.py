"""The row of addresses that stands for a shard of the suffix-array engine.

A kernel sees the shards of an index as one int64 matrix, a row per shard, so that a query over
any number of shards is one call and one compiled function serves every token width:

    column    holds
    TEXT      address of the tokens, unsigned ranks of WIDTH bytes
    WIDTH     bytes per token: 1, 2 or 4
    SUFFIXES  address of the suffix array, uint32 positions
    SIZE      tokens in the shard, separators included; also entries of the suffix array
    BUCKETS   address of the prefix table, uint32[BUCKET_COUNT + 1]
    SHIFT     bucket of a suffix = its first token >> SHIFT
    BUCKET_COUNT
    RUN_STARTS, RUN_TOKENS, RUN_COUNT, TOKEN_NODES, NODES, NODE_COUNT, NODE_LEAST
              the table of continuations, see ``kernels/suffix_array/continuations.py``; RUN_COUNT
              is 0 where the shard has none

Invariants the caller has checked: the last token is the separator 0, and no pattern contains 0;
so a comparison that starts inside the text ends inside it. What follows from values read from
files (suffixes, buckets, runs, nodes) is compared with what bounds it before it is used, so a
damaged file raises ``CorruptShard`` instead of reading elsewhere.
"""

from __future__ import annotations

from gramdex.kernels.jit import CHECK_BOUNDS, kernel
from gramdex.kernels.memory import CorruptShard, load_token, load_u32, prefetch

TEXT, WIDTH, SUFFIXES, SIZE, BUCKETS, SHIFT, BUCKET_COUNT = range(7)
RUN_STARTS, RUN_TOKENS, RUN_COUNT, TOKEN_NODES, NODES, NODE_COUNT, NODE_LEAST = range(7, 14)
COLUMNS = 14


@kernel
def prefetch_suffix(shard, rank):
    """Start loading ``suffix_at(shard, rank)``."""
    prefetch(shard[SUFFIXES] + 4 * rank)


@kernel
def prefetch_token(shard, position):
    """Start loading ``token_at(shard, position)``."""
    prefetch(shard[TEXT] + shard[WIDTH] * position)


@kernel
def token_at(shard, position):
    """Rank of the token at ``position`` < SIZE."""
    if CHECK_BOUNDS and not 0 <= position < shard[SIZE]:
        raise IndexError("token_at outside the shard")
    return load_token(shard[TEXT], shard[WIDTH], position)


@kernel
def suffix_at(shard, rank):
    """Text position of the suffix of ``rank`` < SIZE; always < SIZE."""
    if CHECK_BOUNDS and not 0 <= rank < shard[SIZE]:
        raise IndexError("suffix_at outside the shard")
    position = load_u32(shard[SUFFIXES], rank)
    if position >= shard[SIZE]:
        raise CorruptShard("suffix array")
    return position


@kernel
def token_after(shard, rank, depth):
    """Token at ``depth`` of the suffix of ``rank``, which goes on at least that far."""
    position = suffix_at(shard, rank) + depth
    if position >= shard[SIZE]:
        raise CorruptShard("suffix array")
    return token_at(shard, position)


@kernel
def bucket_bounds(shard, token):
    """Rank interval [low, high) of the suffixes whose first token is in the bucket of ``token``."""
    bucket = token >> shard[SHIFT]
    if bucket >= shard[BUCKET_COUNT]:
        return 0, 0
    low = load_u32(shard[BUCKETS], bucket)
    high = load_u32(shard[BUCKETS], bucket + 1)
    if low > high or high > shard[SIZE]:
        raise CorruptShard("prefix table")
    return low, high
