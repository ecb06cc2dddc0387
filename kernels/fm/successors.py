"""The index itself: one sorted list of successors for each token.

The successor of a rank is the rank of the suffix that is left without the first token (Ψ of
Grossi and Vitter 2005). Suffixes that begin with one token are in the order of their successors, so
the ranks of the Burrows-Wheeler transform at which a token stands, ascending, are that token's
list; a step of backward search is two searches in a list (Sadakane 2003; Gog, Moffat and Petri
2017, arXiv 1610.02865, code the lists as inverted files are coded).

The value at a rank is its successor + 1, and 0 at rank 0, the suffix that is the last separator
alone and has none. Past the last rank, up to the end of its chunk, values go on one by one. So
values ascend within each list, and the value at the first rank of each chunk, in a table of its
own, says which chunk to look into: from its start, or backwards from its end.
"""

from __future__ import annotations

from gramdex.kernels.fm.columns import (
    CHUNK,
    DECODERS,
    DIRECTORY,
    GROUP,
    GROUPS,
    HALF,
    SIZE,
    STREAM,
    STREAM_BYTES,
    base_at,
    field,
)
from gramdex.kernels.fm.units import (
    CODE_BITS,
    CODE_SHIFT,
    FIRST_SHIFT,
    JUMP_SHIFT,
    LONG_SHIFT,
    OFFSET_BITS,
    RUN_SHIFT,
    TABLE_BITS,
    VALUE_SHIFT,
)
from gramdex.kernels.jit import CHECK_BOUNDS, kernel
from gramdex.kernels.memory import CorruptShard, load_64, load_u16, load_u32, prefetch

LINE = 64
ABOVE = 1 << 40
"""Greater than every value."""


@kernel
def half_start(shard, chunk, half):
    """Address of the bits of a half of a chunk, 0 or 1."""
    byte = load_64(field(shard, GROUPS), chunk // GROUP)
    byte += load_u16(field(shard, DIRECTORY), 4 * chunk + half)
    if not 0 <= byte < field(shard, STREAM_BYTES):
        raise CorruptShard("stream of successors")
    return field(shard, STREAM) + byte


@kernel
def bits_at(address, bit):
    """At least 57 bits from a bit on, counted from a byte's address."""
    return load_64(address + (bit >> 3), 0) >> (bit & 7)


@kernel
def sample_count(address):
    """How many sampled ranks a half has, and the bits before their list; from its address."""
    word = bits_at(address, 0)
    zeros = 0
    while (word >> zeros) & 1 == 0:
        zeros += 1
        if zeros > OFFSET_BITS:
            raise CorruptShard("stream of successors")
    word >>= zeros + 1
    samples = (1 << zeros) + (word & ((1 << zeros) - 1)) - 1
    if samples > HALF:
        raise CorruptShard("stream of successors")
    return samples, 2 * zeros + 1


@kernel
def units_start(shard, chunk, half):
    """Address of a half, and the bit of it where its table stands."""
    address = half_start(shard, chunk, half)
    samples, bit = sample_count(address)
    return address, bit + OFFSET_BITS * samples


@kernel
def unit_at(decoder, address, bit, value, sign):
    """The unit at a bit: (first value, values in its run, bit after it).

    ``value`` is the one before; ``sign`` -1 if values descend.
    """
    word = bits_at(address, bit)
    entry = load_u32(decoder, word & ((1 << CODE_BITS) - 1))
    bit += entry & 63
    word >>= (entry >> CODE_SHIFT) & 15
    jump_bits, run_bits = (entry >> JUMP_SHIFT) & 63, (entry >> RUN_SHIFT) & 7
    jump = word & ((1 << jump_bits) - 1)
    run = ((entry >> FIRST_SHIFT) & 63) + ((word >> jump_bits) & ((1 << run_bits) - 1))
    if entry >> VALUE_SHIFT:
        return jump, run, bit
    return value + sign * (jump + (((entry >> LONG_SHIFT) & 1) << jump_bits) + 1), run, bit


@kernel
def decoder_at(shard, address, bit):
    """Address of the decoding table named at a bit."""
    table = bits_at(address, bit) & ((1 << TABLE_BITS) - 1)
    return field(shard, DECODERS) + (table << (CODE_BITS + 2))


@kernel
def value_at(shard, rank):
    """Value at a rank < SIZE."""
    if CHECK_BOUNDS and not 0 <= rank < field(shard, SIZE):
        raise IndexError("value_at outside the shard")
    chunk, left = rank // CHUNK, rank % CHUNK
    half, sign = 0, 1
    if left >= HALF:
        chunk, left, half, sign = chunk + 1, CHUNK - left, 1, -1
    value = base_at(shard, chunk)
    if left == 0:
        return value
    address, bit = units_start(shard, chunk - half, half)
    decoder = decoder_at(shard, address, bit)
    bit += TABLE_BITS
    while True:
        value, run, bit = unit_at(decoder, address, bit, value, sign)
        if left <= run:
            return value + sign * (left - 1)
        value += sign * (run - 1)
        left -= run


@kernel
def successor(shard, rank):
    """Rank of the suffix of ``rank``, which is not 0, without its first token; always < SIZE."""
    value = value_at(shard, rank) - 1
    if not 0 <= value < field(shard, SIZE):
        raise CorruptShard("successors")
    return value


@kernel
def prefetch_directory(shard, rank):
    """Start loading what ``prefetch_halves`` reads."""
    prefetch(field(shard, DIRECTORY) + 8 * (rank // CHUNK))


@kernel
def prefetch_halves(shard, chunk):
    """Start loading the halves of a chunk, which take a few cache lines."""
    first, second = half_start(shard, chunk, 0), half_start(shard, chunk, 1)
    prefetch(first)
    prefetch(first + LINE)
    prefetch(second)
    prefetch(second + LINE)


@kernel
def scan_up(shard, chunk, low, high, target):
    """First rank in [low, high) of the first half of a chunk with a value >= target, and the value.

    ``high`` and ABOVE if there is none. All of [low, high) belong to one list.
    """
    rank, value = chunk * CHUNK, base_at(shard, chunk)
    if low <= rank and value >= target:
        return low, value
    address, bit = units_start(shard, chunk, 0)
    decoder = decoder_at(shard, address, bit)
    bit += TABLE_BITS
    rank += 1
    while rank < high:
        value, run, bit = unit_at(decoder, address, bit, value, 1)
        last = value + run - 1
        if last >= target and rank + run > low:
            found = rank + max(low - rank, target - value, 0)
            if found < min(high, rank + run):
                return found, value + found - rank
        rank += run
        value = last
    return high, ABOVE


@kernel
def scan_down(shard, chunk, low, high, target):
    """As ``scan_up`` in the second half, if the value at ``high`` is known to be >= target."""
    rank, value = (chunk + 1) * CHUNK, base_at(shard, chunk + 1)
    address, bit = units_start(shard, chunk, 1)
    decoder = decoder_at(shard, address, bit)
    bit += TABLE_BITS
    found, smallest = high, ABOVE
    if rank == high:
        smallest = value
    while rank > low:
        value, run, bit = unit_at(decoder, address, bit, value, -1)
        first, last = rank - run, rank - 1  # ranks of the unit, whose values descend from the last
        top = min(last, high - 1)
        if top >= max(first, low):
            above = value - (last - top)
            if above < target:
                return found, smallest
            found = max(first, low, top - (above - target))
            smallest = above - (top - found)
            if found > max(first, low):
                return found, smallest
        rank, value = first, value - run + 1
    return found, smallest


@kernel
def search_chunk(shard, chunk, low, high, target):
    """As ``lower_bound``, when it is known which chunk to look into."""
    start = chunk * CHUNK
    middle, end = start + HALF, start + CHUNK
    low, high = max(low, start), min(high, end)
    if high <= middle:
        return scan_up(shard, chunk, low, high, target)
    if low >= middle:
        return scan_down(shard, chunk, low, high, target)
    if high == end and low == start:
        below, above = base_at(shard, chunk), base_at(shard, chunk + 1)
        if target - below > above - target:
            rank, value = scan_down(shard, chunk, middle, high, target)
            if rank > middle:
                return rank, value
            found, smaller = scan_up(shard, chunk, low, middle, target)
            return (found, smaller) if found < middle else (rank, value)
    rank, value = scan_up(shard, chunk, low, middle, target)
    if rank < middle:
        return rank, value
    return scan_down(shard, chunk, middle, high, target)


@kernel
def chunk_of_target(shard, low, high, target):
    """The chunk in which the first rank of [low, high) with a value >= target is looked for."""
    first, last = low // CHUNK + 1, (high - 1) // CHUNK
    size = last + 1 - first
    while size > 0:
        half = size >> 1
        if base_at(shard, first + half) < target:
            first += half + 1
            size -= half + 1
        else:
            size = half
    return first - 1


@kernel
def lower_bound(shard, low, high, target):
    """First rank in [low, high), ranks of one list, with a value >= target, and that value.

    ``high`` if there is none, with ABOVE or the value there.
    """
    if low >= high:
        return high, ABOVE
    return search_chunk(shard, chunk_of_target(shard, low, high, target), low, high, target)
