"""A permutation that is stored once and read both ways.

Its values are packed. The way back follows the cycle of a value until it comes round, which may be
long, so on cycles longer than SHORTCUT every SHORTCUT-th element knows the one SHORTCUT steps
before it: at most 2 * SHORTCUT steps (Munro, Raman, Raman and Rao 2012, section 3).

    PERMUTATION      values, SAMPLE_BITS each
    SHORTCUT_MARKS   a bit for each element: has it a shortcut; in words of 64
    SHORTCUT_COUNTS  uint32, shortcuts before each word
    SHORTCUTS        elements, SAMPLE_BITS each
    SHORTCUT_TOTAL   how many there are
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import (
    PERMUTATION,
    SAMPLE_BITS,
    SAMPLES,
    SHORTCUT_COUNTS,
    SHORTCUT_MARKS,
    SHORTCUT_TOTAL,
    SHORTCUTS,
    field,
    load_bits,
)
from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import CorruptShard, load_64, load_u32

SHORTCUT = 16
WORD = 64


@kernel
def population(word):
    """Ones among 64 bits."""
    word = word - ((word >> 1) & 0x5555555555555555)
    word = (word & 0x3333333333333333) + ((word >> 2) & 0x3333333333333333)
    word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0F
    word += word >> 8
    word += word >> 16
    return (word + (word >> 32)) & 127


@kernel
def image(shard, element):
    """Value of the permutation at an element; always < SAMPLES."""
    value = load_bits(field(shard, PERMUTATION), element, field(shard, SAMPLE_BITS))
    if value >= field(shard, SAMPLES):
        raise CorruptShard("samples")
    return value


@kernel
def shortcut(shard, element):
    """The element SHORTCUT steps before this one in its cycle, or -1."""
    word = load_64(field(shard, SHORTCUT_MARKS), element // WORD)
    bit = element % WORD
    if (word >> bit) & 1 == 0:
        return -1
    before = load_u32(field(shard, SHORTCUT_COUNTS), element // WORD)
    index = before + population(word & ((1 << bit) - 1))
    if index >= field(shard, SHORTCUT_TOTAL):
        raise CorruptShard("samples")
    back = load_bits(field(shard, SHORTCUTS), index, field(shard, SAMPLE_BITS))
    if back >= field(shard, SAMPLES):
        raise CorruptShard("samples")
    return back


@kernel
def preimage(shard, value):
    """The element whose value is ``value`` < SAMPLES."""
    element, jumped = value, False
    for _ in range(2 * SHORTCUT + 2):
        after = image(shard, element)
        if after == value:
            return element
        if not jumped:
            back = shortcut(shard, element)
            if back >= 0:
                element, jumped = back, True
                continue
        element = after
    raise CorruptShard("samples")


@kernel
def mark_shortcuts(values, marks, backs):
    """Choose the shortcuts of a permutation uint32[n].

    Sets their bits in ``marks`` uint64[ceil(n / 64)], zeros before, and ``backs`` uint32[n] at the
    elements that have one.
    """
    size = values.size
    seen = np.zeros(size, np.bool_)
    for start in range(size):
        if seen[start]:
            continue
        element, steps, back = start, 0, start
        while not seen[element]:
            seen[element] = True
            if steps > 0 and steps % SHORTCUT == 0:
                marks[element // WORD] |= np.uint64(1) << np.uint64(element % WORD)
                backs[element] = back
                back = element
            element = np.int64(values[element])
            steps += 1
        if steps > SHORTCUT:
            marks[start // WORD] |= np.uint64(1) << np.uint64(start % WORD)
            backs[start] = back
