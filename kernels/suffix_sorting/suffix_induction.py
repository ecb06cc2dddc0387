"""Sorting all suffixes, given the LMS suffixes in order (Nong, Zhang and Chan 2009, section 3).

A suffix of type L stands before the S suffixes of its symbol, after all smaller ones that it can
be induced from; scanning left to right, each entry gives the L suffix one position before it its
place. A second scan, right to left, does the same for type S. An entry whose predecessor in the
text is of the other type carries a mark, so each scan takes its own entries only.
"""

from __future__ import annotations

from gramdex.kernels.arrays import load, prefetch_load, prefetch_store, store
from gramdex.kernels.jit import inlined, kernel
from gramdex.kernels.suffix_sorting.lms_substrings import AHEAD, LMS


@kernel
def add_up(text, counts):
    """Turn the rows of ``counts`` into pairs: positions of the symbol, LMS positions of it."""
    first = load(text, 0)  # position 0 has no predecessor, and no class
    for symbol in range(counts.size // 4):
        row = 4 * symbol
        seeds = load(counts, row + LMS)
        size = 1 if symbol == first else 0
        for kind in range(4):
            size += load(counts, row + kind)
        store(counts, 2 * symbol, size)
        store(counts, 2 * symbol + 1, seeds)


@kernel
def spread_lms(suffixes, pairs, begins, ends, lms):
    """Move LMS suffixes, sorted in front of ``suffixes``, to the ends of their symbols' ranges.

    All else becomes zero. Fills ``begins`` and ``ends`` int[symbols] with where each symbol begins
    and ends.
    """
    end = suffixes.size
    taken = lms
    for symbol in range(begins.size - 1, -1, -1):
        size, seeds = load(pairs, 2 * symbol), load(pairs, 2 * symbol + 1)
        store(ends, symbol, end)
        store(begins, symbol, end - size)
        for i in range(1, seeds + 1):
            store(suffixes, end - i, load(suffixes, taken - i))
        taken -= seeds
        suffixes[end - size : end - seeds] = 0
        end -= size


@inlined
def look_ahead(text, suffixes, cursors, near, far):
    """Prefetch the text before the entry at ``far``, and where that at ``near`` will write."""
    prefetch_load(text, load(suffixes, far) - 2)
    position = max(load(suffixes, near), 1)  # without a branch, which would be guessed wrong
    prefetch_store(suffixes, load(cursors, load(text, position - 1)))


@kernel
def induce_l(text, suffixes, begins, mark):
    """Left to right: every L suffix. Afterwards the entries that induce an S are positive."""
    n = text.size
    last = n - 1
    symbol = load(text, last)
    slot = load(begins, symbol)
    before = load(text, last - 1)
    store(suffixes, slot, last | (mark if before < symbol else 0))
    store(begins, symbol, slot + 1)
    for i in range(n):
        look_ahead(text, suffixes, begins, min(i + AHEAD // 2, last), min(i + AHEAD, last))
        entry = load(suffixes, i)
        store(suffixes, i, entry ^ mark)
        if entry > 0:
            position = entry - 1
            symbol = load(text, position)
            before = load(text, position - (1 if position > 0 else 0))
            slot = load(begins, symbol)
            store(suffixes, slot, position | (mark if before < symbol else 0))
            store(begins, symbol, slot + 1)


@kernel
def induce_s(text, suffixes, ends, mark):
    """Right to left: every S suffix. Afterwards no entry is marked."""
    for i in range(text.size - 1, -1, -1):
        look_ahead(text, suffixes, ends, max(i - AHEAD // 2, 0), max(i - AHEAD, 0))
        entry = load(suffixes, i)
        store(suffixes, i, entry & ~mark)
        if entry > 0:
            position = entry - 1
            symbol = load(text, position)
            before = load(text, position - (1 if position > 0 else 0))
            slot = load(ends, symbol) - 1
            store(ends, symbol, slot)
            store(suffixes, slot, position | (mark if before > symbol else 0))
