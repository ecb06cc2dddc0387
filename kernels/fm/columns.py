"""The row of addresses that stands for a shard of the FM-index, and small loads from it.

One int64 matrix holds a row per shard, as for the suffix array:

    column          holds
    SIZE            tokens in the shard, separators included
    SLOTS           distinct tokens that have a list, in the order of tokens
    ALPHABET        address of their tokens, uint32[SLOTS]; 0 where slot and token are the same
    STARTS          address of the first rank of each slot's list, uint32[SLOTS + 1]
    DIRECTORY       address of a word for each chunk and one past the last, uint64: the value at its
                    first rank in the high half, and in each quarter below the bytes from its
                    group's to one of its halves, the first half's the lowest
    GROUPS          address of the byte where each group's part of the stream begins, uint64
    STREAM          address of the coded halves
    STREAM_BYTES    where a half may begin: so many bytes, and what one reads at most after them
    DECODERS        address of the decoding tables, uint32[TABLES << CODE_BITS]
    SAMPLE_COUNTS     address of the samples before every SAMPLE_CHUNKS chunks, uint32
    RATE            text positions that are multiples of it are sampled
    SAMPLES         how many
    PERMUTATION     address of the sampled positions / RATE in the order of ranks, SAMPLE_BITS each
    SHORTCUT_MARKS, SHORTCUT_COUNTS, SHORTCUTS, SHORTCUT_TOTAL
                    way back through that permutation, see ``kernels/fm/permutation.py``

Everything read from a file is compared with what bounds it before it is used as an index, so a
damaged file raises ``CorruptShard`` instead of reading elsewhere.
"""

from __future__ import annotations

from gramdex.kernels.jit import CHECK_BOUNDS, kernel
from gramdex.kernels.memory import CorruptShard, load_64, load_u32

SIZE, SLOTS, ALPHABET, STARTS, DIRECTORY, GROUPS, STREAM, STREAM_BYTES, DECODERS = range(9)
SAMPLE_COUNTS, RATE, SAMPLES, PERMUTATION, SAMPLE_BITS = range(9, 14)
SHORTCUT_MARKS, SHORTCUT_COUNTS, SHORTCUTS, SHORTCUT_TOTAL = range(14, 18)
COLUMNS = 18

CHUNK = 256
"""Ranks between two bases."""
HALF = 128
GROUP = 32
"""Chunks whose halves are found from one byte of the stream."""
SAMPLE_CHUNKS = 8


@kernel
def row_at(shards, shard):
    """Address of the row of a shard, in a contiguous matrix of them.

    Kernels hand this on and not the row, whose references would be counted at every call.
    """
    return shards.ctypes.data + 8 * COLUMNS * shard


@kernel
def field(shard, column):
    """A column of the row at an address."""
    return load_64(shard, column)


@kernel
def load_bits(address, index, bits):
    """Element ``index`` of an array of ``bits`` <= 57 each, the lowest bit of a byte first."""
    position = index * bits
    return (load_64(address + (position >> 3), 0) >> (position & 7)) & ((1 << bits) - 1)


@kernel
def base_at(shard, chunk):
    """Value at the first rank of a chunk, which may be the one past the last."""
    if CHECK_BOUNDS and not 0 <= chunk * CHUNK < field(shard, SIZE) + CHUNK:
        raise IndexError("base_at outside the shard")
    return load_u32(field(shard, DIRECTORY), 2 * chunk + 1)


@kernel
def slot_bounds(shard, slot):
    """Ranks [low, high) of the list of a slot."""
    low = load_u32(field(shard, STARTS), slot)
    high = load_u32(field(shard, STARTS), slot + 1)
    if low > high or high > field(shard, SIZE):
        raise CorruptShard("table of tokens")
    return low, high


@kernel
def slots_below(shard, token):
    """How many slots have a token below ``token``."""
    low, high = 0, field(shard, SLOTS)
    if field(shard, ALPHABET) == 0:
        return min(token, high)
    while low < high:
        middle = (low + high) >> 1
        if load_u32(field(shard, ALPHABET), middle) < token:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def list_bounds(shard, token):
    """Ranks [low, high) of the suffixes that begin with ``token``; empty where none do."""
    slot = slots_below(shard, token)
    if slot == field(shard, SLOTS) or slot_token(shard, slot) != token:
        return 0, 0
    return slot_bounds(shard, slot)


@kernel
def range_bounds(shard, first, end):
    """Ranks [low, high) of the suffixes that begin with one of the tokens [first, end)."""
    low = load_u32(field(shard, STARTS), slots_below(shard, first))
    high = load_u32(field(shard, STARTS), slots_below(shard, end))
    if low > high or high > field(shard, SIZE):
        raise CorruptShard("table of tokens")
    return low, high


@kernel
def slot_of_rank(shard, rank):
    """Slot of the first token of the suffix of ``rank``."""
    low, size = 0, field(shard, SLOTS)
    while size > 1:
        half = size >> 1
        low += half * (load_u32(field(shard, STARTS), low + half) <= rank)
        size -= half
    return low


@kernel
def slot_token(shard, slot):
    """Token of a slot."""
    return slot if field(shard, ALPHABET) == 0 else load_u32(field(shard, ALPHABET), slot)


@kernel
def token_of_rank(shard, rank):
    """First token of the suffix of ``rank``."""
    return slot_token(shard, slot_of_rank(shard, rank))
