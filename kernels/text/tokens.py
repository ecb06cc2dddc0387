"""The bytes of a vocabulary, as a row of addresses, and what can be asked of them.

Tokens are ranks in the order of their bytes, 0 the separator, which has none. Text queries get
the vocabulary as one int64 row, as they get a shard:

    column       holds
    BYTES        address of the bytes of all tokens in the order of ranks, uint8[BYTE_COUNT]
    BYTE_COUNT
    STARTS       address of uint32[RANKS + 1]: token r has the bytes [STARTS[r], STARTS[r + 1])
    RANKS        ranks, the separator included
    FIRSTS       address of uint32[257]: first rank whose first byte is not below 0, 1, …
    TAILS        address of uint32[BYTE_COUNT]: where each ending of a token begins in BYTES, the
                 endings in the order of their bytes, so that those which begin with a string are
                 one range, and those which are the string stand first in it, whole tokens before
                 parts
    OWNERS       address of uint32[BYTE_COUNT]: the token each byte belongs to
    TOTALS       address of int64[BYTE_COUNT + 1]: occurrences in the corpus of the tokens of the
                 endings before each; the last entry is the sum
    LONGEST      bytes of the longest token
    NESTED       most tokens of different lengths of which each begins with the one before
    EMPTY_END    tokens from 1 up to this one have no bytes
    EMPTIES      address of int64[EMPTY_COUNT]: those of them that occur in the corpus
    EMPTY_COUNT

The tables are made in memory from a vocabulary that was checked. Tokens read from shards are
compared with RANKS before they are looked up.
"""

from __future__ import annotations

from gramdex.kernels.jit import CHECK_BOUNDS, kernel
from gramdex.kernels.memory import CorruptShard, load_64, load_u8, load_u32

BYTES, BYTE_COUNT, STARTS, RANKS, FIRSTS, TAILS, OWNERS, TOTALS = range(8)
LONGEST, NESTED, EMPTY_END, EMPTIES, EMPTY_COUNT = range(8, 13)
COLUMNS = 13


@kernel
def token_bounds(tables, token):
    """Where the bytes of a token begin and end in BYTES."""
    if token < 0 or token >= tables[RANKS]:
        raise CorruptShard("stored tokens")
    return load_u32(tables[STARTS], token), load_u32(tables[STARTS], token + 1)


@kernel
def byte_at(tables, position):
    """Byte at ``position`` < BYTE_COUNT."""
    if CHECK_BOUNDS and not 0 <= position < tables[BYTE_COUNT]:
        raise IndexError("byte_at outside the vocabulary")
    return load_u8(tables[BYTES], position)


@kernel
def empty_token(tables, number):
    """The token without bytes of this ``number`` < EMPTY_COUNT."""
    return load_64(tables[EMPTIES], number)


@kernel
def first_longer(tables, low, high, length):
    """First token of [low, high), which agree on ``length`` bytes, that has more of them."""
    while low < high:
        start, end = token_bounds(tables, low)
        if end - start > length:
            break
        low += 1
    return low


@kernel
def first_token(tables, low, high, depth, byte):
    """First token of [low, high) whose byte at ``depth`` is not below ``byte``.

    They agree on ``depth`` bytes and have more.
    """
    while low < high:
        middle = (low + high) >> 1
        if byte_at(tables, load_u32(tables[STARTS], middle) + depth) < byte:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def tail(tables, number):
    """Where an ending of a token begins in BYTES, where it ends, and the token."""
    if CHECK_BOUNDS and not 0 <= number < tables[BYTE_COUNT]:
        raise IndexError("tail outside the vocabulary")
    position = load_u32(tables[TAILS], number)
    token = load_u32(tables[OWNERS], position)
    return position, load_u32(tables[STARTS], token + 1), token


@kernel
def first_tail(tables, low, high, depth, byte):
    """First ending of [low, high) whose byte at ``depth`` is not below ``byte``.

    They agree on ``depth`` bytes; those that have no more come first, as if with a byte -1.
    """
    while low < high:
        middle = (low + high) >> 1
        position, end, _ = tail(tables, middle)
        if position + depth == end or byte_at(tables, position + depth) < byte:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def first_part(tables, low, high):
    """First of the equal endings [low, high) that is not a whole token."""
    while low < high:
        position, _, token = tail(tables, low)
        if position > load_u32(tables[STARTS], token):
            break
        low += 1
    return low


@kernel
def corpus_total(tables, low, high):
    """Occurrences in the corpus of the tokens of the endings [low, high), of each ending."""
    return load_64(tables[TOTALS], high) - load_64(tables[TOTALS], low)


@kernel
def ends_with(tables, token, string, length):
    """Whether a token ends with ``string[:length]`` and has more bytes before that."""
    start, end = token_bounds(tables, token)
    if end - start <= length:
        return False
    i = 0
    while i < length and byte_at(tables, end - length + i) == string[i]:
        i += 1
    return i == length


@kernel
def agreement(tables, token, string, start):
    """Bytes that a token and ``string[start:]`` have in common until one of them ends, else -1."""
    position, end = token_bounds(tables, token)
    length = min(end - position, string.size - start)
    for i in range(length):
        if byte_at(tables, position + i) != string[start + i]:
            return -1
    return length
