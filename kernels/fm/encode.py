"""From a suffix array to the coded lists of successors; ``units.py`` draws the bits."""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import CHUNK, GROUP, HALF
from gramdex.kernels.fm.units import (
    MOST_CHUNK_BYTES,
    NEW_LIST,
    OFFSET_BITS,
    RUN_BITS,
    RUN_FIRST,
    RUNS,
    TABLE_BITS,
    VALUE_BITS,
    bit_length,
    run_class,
)
from gramdex.kernels.jit import inlined, kernel
from gramdex.kernels.memory import SEPARATOR

SYMBOL, REST, RUN = range(3)

CHUNK_DONE, SLOT, SAMPLE, BYTES = range(4)
"""What ``encode_chunks`` keeps between calls: the next chunk, slot and sample, bytes so far."""


@kernel
def list_values(text, suffixes, heads, values):
    """Fill values uint32[n] (see ``successors.py``) of a text with the suffix array uint32[n].

    ``heads`` int64[tokens] holds the first rank of each token, and is overwritten.
    """
    values[0] = 0
    heads[SEPARATOR] += 1
    for rank in range(suffixes.size):
        position = np.int64(suffixes[rank])
        if position > 0:
            token = text[position - 1]
            values[heads[token]] = rank + 1
            heads[token] += 1


@kernel
def read_chunk(values, starts, chunk, slot, local, new):
    """The values of a chunk and the base after it, int64[CHUNK + 1], and where lists begin.

    ``starts`` int64[slots + 1] are the first ranks of all lists; ``slot`` is the first that does
    not start before the chunk, the next chunk's is returned.
    """
    size, start = values.size, chunk * CHUNK
    for k in range(CHUNK + 1):
        rank = start + k
        local[k] = values[rank] if rank < size else rank + 1
        new[k] = False
    while slot < starts.size - 1 and starts[slot] <= start + CHUNK:
        new[starts[slot] - start] = True
        if starts[slot] == start + CHUNK:
            return slot
        slot += 1
    return slot


@kernel
def half_units(local, new, half, units):
    """Cut a half of a chunk into units int64[HALF, 3]; how many there are."""
    at, stop, sign = (CHUNK - 1, HALF - 1, -1) if half else (1, HALF, 1)
    count = 0
    while at != stop:
        edge = at + half
        run = 1
        while (
            at + sign * run != stop
            and not new[edge + sign * run]
            and local[at + sign * run] - local[at + sign * (run - 1)] == sign
        ):
            run += 1
        jump, rest = NEW_LIST, local[at]
        if not new[edge]:
            rest = sign * (local[at] - local[at - sign]) - 1
            jump = bit_length(rest)
            rest -= (1 << jump) >> 1
        units[count, SYMBOL] = jump * RUNS + run_class(run)
        units[count, REST] = rest
        units[count, RUN] = run
        count += 1
        at += sign * run
    return count


@kernel
def count_symbols(values, starts, every, totals, halves):
    """Occurrences of each symbol in all halves, and in each half of every ``every``-th chunk.

    Shapes: totals int64[SYMBOLS], added to; halves uint8[2 * chunks taken, SYMBOLS], filled.
    """
    local, new = np.empty(CHUNK + 1, np.int64), np.empty(CHUNK + 1, np.bool_)
    units = np.empty((HALF, 3), np.int64)
    halves[:] = 0
    slot = 0
    for chunk in range((values.size + CHUNK - 1) // CHUNK):
        slot = read_chunk(values, starts, chunk, slot, local, new)
        for half in range(2):
            for i in range(half_units(local, new, half, units)):
                symbol = units[i, SYMBOL]
                totals[symbol] += 1
                if chunk % every == 0:
                    halves[2 * (chunk // every) + half, symbol] += 1


@kernel
def choose_tables(halves, lengths, chosen):
    """Number of the table that codes each half in the fewest bits, int64[k]; the bits of all.

    Shapes: halves uint8[k, SYMBOLS], lengths uint8[tables, SYMBOLS].
    """
    costs = np.empty(lengths.shape[0], np.int64)
    total = 0
    for i in range(halves.shape[0]):
        costs[:] = 0
        for symbol in range(halves.shape[1]):
            occurrences = np.int64(halves[i, symbol])
            if occurrences > 0:
                for table in range(costs.size):
                    costs[table] += occurrences * lengths[table, symbol]
        chosen[i] = np.argmin(costs)
        total += costs[chosen[i]]
    return total


@inlined
def put_bits(words, bit, number, count):
    """Write the low ``count`` <= 57 bits of a number into uint64 words that are zero there."""
    word, shift = bit >> 6, bit & 63
    words[word] |= np.uint64(number) << np.uint64(shift)
    if shift + count > 64:
        words[word + 1] |= np.uint64(number) >> np.uint64(64 - shift)
    return bit + count


@kernel
def pack_bits(numbers, bits, words):
    """Numbers, each of ``bits`` bits, one after the other into zeroed uint64 words."""
    bit = 0
    for i in range(numbers.size):
        bit = put_bits(words, bit, np.int64(numbers[i]), bits)


@kernel
def put_samples(words, bit, offsets, count):
    """Write how many sampled ranks a half has, and where they are."""
    zeros = bit_length(count + 1) - 1
    bit = put_bits(words, bit, 1 << zeros, zeros + 1)
    bit = put_bits(words, bit, count + 1 - (1 << zeros), zeros)
    for i in range(count):
        bit = put_bits(words, bit, offsets[i], OFFSET_BITS)
    return bit


@kernel
def put_half(words, bit, units, count, lengths, codes):
    """Write the units of a half in the cheapest table; the bit after them."""
    best, cost = 0, 1 << 40
    for table in range(lengths.shape[0]):
        bits = 0
        for i in range(count):
            bits += lengths[table, units[i, SYMBOL]]
        if bits < cost:
            best, cost = table, bits
    bit = put_bits(words, bit, best, TABLE_BITS)
    for i in range(count):
        symbol = units[i, SYMBOL]
        jump, run = symbol // RUNS, symbol % RUNS
        bit = put_bits(words, bit, codes[best, symbol], np.int64(lengths[best, symbol]))
        rest_bits = VALUE_BITS if jump == NEW_LIST else max(jump - 1, 0)
        bit = put_bits(words, bit, units[i, REST], rest_bits)
        bit = put_bits(words, bit, units[i, RUN] - RUN_FIRST[run], RUN_BITS[run])
    return bit


@kernel
def sampled_ranks(suffixes, rate, start, offsets, samples, sample):
    """Distances of the sampled ranks of a half from its first, ``start``; their positions / rate.

    Shapes: offsets int64[HALF], samples uint32[m], filled from ``sample`` on. Returns how many.
    """
    count = 0
    for rank in range(start, min(start + HALF, suffixes.size)):
        position = suffixes[rank]
        if position % rate == 0:
            offsets[count] = rank - start
            samples[sample + count] = position // rate
            count += 1
    return count


@kernel
def encode_chunks(text, lists, code, state, words, places, samples):
    """Encode GROUP-aligned chunks until the words are full; how many bytes they take.

    Args:
        text: suffixes uint32[n], and the sampling rate, uint32.
        lists: values uint32[n], and starts int64[slots + 1].
        code: lengths uint8[tables, SYMBOLS], and codes int64[tables, SYMBOLS].
        state: int64[4], what goes from call to call.
        words: uint64, zeros; a group is begun where ``MOST_CHUNK_BYTES`` for each chunk fit.
        places: groups uint64, pointers uint16[2 * chunks] and sample counts uint32[chunks].
        samples: uint32[m], filled on.
    """
    suffixes, rate = text
    values, starts = lists
    lengths, codes = code
    groups, pointers, counts = places
    local, new = np.empty(CHUNK + 1, np.int64), np.empty(CHUNK + 1, np.bool_)
    units, offsets = np.empty((HALF, 3), np.int64), np.empty(HALF, np.int64)
    room = words.size * 8 - GROUP * MOST_CHUNK_BYTES - 8
    bit, group_byte = 0, 0
    for chunk in range(state[CHUNK_DONE], (values.size + CHUNK - 1) // CHUNK):
        if chunk % GROUP == 0:
            group_byte = bit >> 3
            if group_byte > room:
                break
            groups[chunk // GROUP] = state[BYTES] + group_byte
        state[SLOT] = read_chunk(values, starts, chunk, state[SLOT], local, new)
        counts[chunk] = 0
        for half in range(2):
            start = chunk * CHUNK + half * HALF
            count = sampled_ranks(suffixes, rate, start, offsets, samples, state[SAMPLE])
            state[SAMPLE] += count
            counts[chunk] += count
            pointers[2 * chunk + half] = (bit >> 3) - group_byte
            bit = put_samples(words, bit, offsets, count)
            bit = put_half(words, bit, units, half_units(local, new, half, units), lengths, codes)
            bit = (bit + 7) & ~7
        state[CHUNK_DONE] = chunk + 1
    state[BYTES] += bit >> 3
    return bit >> 3
