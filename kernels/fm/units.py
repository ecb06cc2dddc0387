"""Units: what the halves of a chunk are coded in, and how their bits lie.

A half is a walk over HALF ranks, away from the base it starts from: forwards from its own
chunk's, or backwards from the next one's. It is cut into units: a jump to another value, and the
run of values beside each other that begins there. Jump and run are put into classes, the pair of
classes is one symbol, coded by one of TABLES Huffman codes, which the half names first, and what
the classes leave open follows in plain bits:

    half   = samples | table (TABLE_BITS) | unit unit …
    unit   = code of the symbol (CODE_BITS at most) | rest of the jump | rest of the run

    jump   1: class 0     d + 1 with 2^k <= d < 2^(k + 1): class k + 1, rest d - 2^k of k bits
           into another token's list: class NEW_LIST, rest the value itself, VALUE_BITS
    run    RUN_FIRST[c] + rest of RUN_BITS[c]

Samples are the sampled ranks in the half: their number plus one in Elias' gamma code, the zeros
first, and OFFSET_BITS each for their distance from its first rank. Bits fill bytes from the lowest
on.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import HALF
from gramdex.kernels.jit import kernel

TABLES, TABLE_BITS = 16, 4
CODE_BITS = 11
VALUE_BITS = 33
OFFSET_BITS = 7

RUN_FIRST = np.array([1, 2, 3, 4, 6, 10, 18, 50, HALF + 1])
RUN_BITS = np.array([0, 0, 0, 1, 2, 3, 5, 7])
RUNS = RUN_BITS.size
NEW_LIST = VALUE_BITS + 1
SYMBOLS = (NEW_LIST + 1) * RUNS

MOST_UNIT_BITS = CODE_BITS + VALUE_BITS + 7
MOST_SAMPLE_BITS = 2 * OFFSET_BITS + 1 + OFFSET_BITS * HALF
MOST_CHUNK_BYTES = 2 * ((MOST_SAMPLE_BITS + TABLE_BITS + MOST_UNIT_BITS * HALF) // 8 + 1)
"""Bits and bytes that these take at most."""

# An entry of a decoding table:
#     bits  0– 5  bits of the whole unit
#     bits  6– 9  length of the code
#     bits 10–15  bits of the rest of the jump
#     bits 16–18  bits of the rest of the run
#     bits 19–24  shortest run of the class
#     bit  25     1 where the class of the jump begins at 2^bits, 0 where the jump is 1
#     bit  26     1 where the rest is the value itself
CODE_SHIFT, JUMP_SHIFT, RUN_SHIFT, FIRST_SHIFT, LONG_SHIFT, VALUE_SHIFT = 6, 10, 16, 19, 25, 26


@kernel
def bit_length(number):
    """Bits of a number: 0 of 0."""
    bits = 0
    while number >> bits:
        bits += 1
    return bits


@kernel
def run_class(run):
    """Class of a run of 1 to HALF values."""
    found = 0
    while run >= RUN_FIRST[found + 1]:
        found += 1
    return found


@kernel
def canonical_codes(lengths, codes):
    """Codes of symbols from their lengths: ascending by length, then symbol (Schwartz, Kallick).

    Shapes: lengths uint8[SYMBOLS], 0 where a symbol has none; codes int64[SYMBOLS], filled with the
    bits of the code in the order they are read, the first the lowest.
    """
    code = 0
    for length in range(1, CODE_BITS + 1):
        code <<= 1
        for symbol in range(SYMBOLS):
            if lengths[symbol] == length:
                reversed_code = 0
                for bit in range(length):
                    reversed_code |= ((code >> bit) & 1) << (length - 1 - bit)
                codes[symbol] = reversed_code
                code += 1


@kernel
def decoding_table(lengths, entries):
    """Entry for all CODE_BITS bits that may come next, into uint32[1 << CODE_BITS].

    False where the lengths are no complete prefix code.
    """
    space = 0
    codes = np.zeros(SYMBOLS, np.int64)
    for symbol in range(SYMBOLS):
        if lengths[symbol] > CODE_BITS:
            return False
        if lengths[symbol] > 0:
            space += 1 << (CODE_BITS - np.int64(lengths[symbol]))
    if space != 1 << CODE_BITS:
        return False
    canonical_codes(lengths, codes)
    for symbol in range(SYMBOLS):
        length = np.int64(lengths[symbol])
        if length == 0:
            continue
        jump, run = symbol // RUNS, symbol % RUNS
        rest = VALUE_BITS if jump == NEW_LIST else max(jump - 1, 0)
        entry = length + rest + RUN_BITS[run] | length << CODE_SHIFT
        entry |= rest << JUMP_SHIFT | RUN_BITS[run] << RUN_SHIFT | RUN_FIRST[run] << FIRST_SHIFT
        entry |= (0 < jump < NEW_LIST) << LONG_SHIFT | (jump == NEW_LIST) << VALUE_SHIFT
        for rest_of_bits in range(1 << (CODE_BITS - length)):
            entries[codes[symbol] | rest_of_bits << length] = entry
    return True
