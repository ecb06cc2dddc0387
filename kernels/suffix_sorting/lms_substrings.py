"""Ordering the LMS substrings of a text, and naming them on the way.

A suffix is of type S if it is smaller than the one after it, else of type L; the empty suffix at
the end is smaller than all. A leftmost S suffix, LMS, is of type S with an L before it; an LMS
substring goes from one LMS suffix to the next (Nong, Zhang and Chan 2009, section 3).

Each position falls into one of four classes, by its type and that of the position before it.
What is induced from an L whose predecessor is an L is read by the same scan, all else by the
next one, so the classes get zones of their own and every entry that is read induces exactly one::

    suffixes   [ per symbol: L after L, seeds ] . [ per symbol: L after S, S after S ]
                 scanned left to right              scanned right to left

The second scan puts the LMS positions, in order, where the first scan's zones were. The first
entry of a zone whose substring differs from the one before it carries a mark, so equal substrings
are told apart without comparing them (the idea is that of libsais, Grebnov 2021).

A row of ``counts`` holds how many positions of a symbol fall into each class, and a row of
``cursors`` the next free place of two zones and the name last written to each. Positions before
the first LMS suffix induce nothing and are left out.
"""

from __future__ import annotations

from gramdex.kernels.arrays import load, prefetch_load, prefetch_store, store
from gramdex.kernels.jit import inlined, kernel

L_AFTER_L, L_AFTER_S, LMS, S_AFTER_S = range(4)
AHEAD = 96  # entries; text is prefetched this far in front, cursors half as far
CACHED = 1 << 16  # cursors of so many symbols stay in the processor's cache


@kernel
def collect_lms(text, suffixes, counts):
    """Positions of LMS suffixes, ascending, to the end of ``suffixes``; how many there are.

    Shapes: text unsigned[n], suffixes int32|int64[n], counts int32|int64[symbols * 4], filled.
    """
    n = text.size
    counts[:] = 0
    free = n - 1
    after = load(text, n - 1)
    after_is_s = 0
    for i in range(n - 2, -1, -1):
        prefetch_store(counts, 4 * load(text, max(i - AHEAD // 2, 0)))
        symbol = load(text, i)
        is_s = 1 if symbol < after + after_is_s else 0
        row = 4 * after + 2 * after_is_s + is_s
        store(counts, row, load(counts, row) + 1)
        store(suffixes, free, i + 1)
        free -= after_is_s & (1 - is_s)
        after, after_is_s = symbol, is_s
    return n - 1 - free


@kernel
def add_classes(text, end, is_s, counts, step):
    """Add ``step`` for the class of every position from 1 to ``end``.

    ``is_s`` is 1 if ``end`` is of type S, else 0.
    """
    after = load(text, end)
    after_is_s = is_s
    for i in range(end - 1, -1, -1):
        symbol = load(text, i)
        is_s = 1 if symbol < after + after_is_s else 0
        row = 4 * after + 2 * after_is_s + is_s
        store(counts, row, load(counts, row) + step)
        after, after_is_s = symbol, is_s


@inlined
def lay_out(counts, cursors):
    """Rows of cursors for the first scan: both zones begin, seeds end, how many seeds.

    Returns where the zones of both scans end; those of the second begin one after the first end.
    ``cursors`` may be ``counts``.
    """
    first_end = 0
    for row in range(0, counts.size, 4):
        first_end += load(counts, row + L_AFTER_L) + load(counts, row + LMS)
    first, second = 0, first_end + 1
    for row in range(0, counts.size, 4):
        seeds = load(counts, row + LMS)
        for_second = load(counts, row + L_AFTER_S) + load(counts, row + S_AFTER_S)
        begin = first
        first += load(counts, row + L_AFTER_L) + seeds
        store(cursors, row, begin)
        store(cursors, row + 1, second)
        store(cursors, row + 2, first)
        store(cursors, row + 3, seeds)
        second += for_second
    return first_end, second


@kernel
def place_seeds(text, suffixes, counts, cursors, lms, mark):
    """Lay out the zones and put all LMS suffixes but the first into those of the first scan.

    Returns where the zones of both scans end, as ``lay_out``.
    """
    first_end, second_end = lay_out(counts, cursors)
    n = text.size
    for i in range(n - lms + 1, n):
        ahead = load(suffixes, min(i + AHEAD // 2, n - 1))
        prefetch_store(cursors, 4 * load(text, ahead))
        position = load(suffixes, i)
        row = 4 * load(text, position) + 2
        slot = load(cursors, row) - 1
        store(cursors, row, slot)
        store(suffixes, slot, position)
    for row in range(0, counts.size, 4):
        if load(cursors, row + 3) > 0:
            slot = load(cursors, row + 2)
            store(suffixes, slot, load(suffixes, slot) | mark)
        store(cursors, row + 2, 0)
        store(cursors, row + 3, 0)
    return first_end, second_end


@inlined
def look_ahead(text, suffixes, cursors, near, far, mark):
    """Prefetch what the entries at ``near`` and ``far`` will need; they may not be filled yet."""
    prefetch_load(text, (load(suffixes, far) & ~mark) - 2)
    if cursors.size > 4 * CACHED:
        position = load(suffixes, near) & ~mark
        if 0 < position < text.size:
            prefetch_store(cursors, 4 * load(text, position - 1))


@kernel
def induce_l(text, suffixes, cursors, end, mark):
    """First scan: from [0, end), left to right, every L position before an entry."""
    n = text.size
    last = n - 1
    name = 1
    zone = 4 * load(text, last) + (1 if load(text, last - 1) < load(text, last) else 0)
    slot = load(cursors, zone)
    store(suffixes, slot, last | mark)
    store(cursors, zone, slot + 1)
    store(cursors, zone + 2, name)
    for i in range(end):
        look_ahead(text, suffixes, cursors, min(i + AHEAD // 2, last), min(i + AHEAD, last), mark)
        entry = load(suffixes, i)
        name += 1 if entry < 0 else 0
        position = (entry & ~mark) - 1
        symbol = load(text, position)
        zone = 4 * symbol + (1 if load(text, position - 1) < symbol else 0)
        slot = load(cursors, zone)
        changed = 0 if load(cursors, zone + 2) == name else mark
        store(suffixes, slot, position | changed)
        store(cursors, zone, slot + 1)
        store(cursors, zone + 2, name)


@kernel
def turn(suffixes, counts, cursors, first_symbol, start, mark):
    """Move marks to the other end of their groups, and lay out the zones of the second scan.

    ``first_symbol`` is that of the first LMS suffix, which was no seed.
    """
    lms_end = 0
    place = start
    for row in range(0, counts.size, 4):
        end = place + load(counts, row + L_AFTER_S)
        next_place = end + load(counts, row + S_AFTER_S)
        lms_end += load(counts, row + LMS) + (1 if row == 4 * first_symbol else 0)
        for i in range(place, end):
            following = load(suffixes, i + 1) & mark if i + 1 < end else mark
            store(suffixes, i, (load(suffixes, i) & ~mark) | following)
        place = next_place
        store(cursors, row, place)
        store(cursors, row + 1, lms_end)
        store(cursors, row + 2, 0)
        store(cursors, row + 3, 0)


@kernel
def induce_s(text, suffixes, cursors, start, end, mark):
    """Second scan: from [start, end), right to left, every S position before an entry.

    LMS positions end up in front of ``suffixes``, in the order of their substrings; the last of
    each group of equal substrings carries the mark.
    """
    name = 1
    for i in range(end - 1, start - 1, -1):
        look_ahead(text, suffixes, cursors, max(i - AHEAD // 2, 0), max(i - AHEAD, 0), mark)
        entry = load(suffixes, i)
        name += 1 if entry < 0 else 0
        position = (entry & ~mark) - 1
        symbol = load(text, position)
        zone = 4 * symbol + (1 if load(text, position - 1) > symbol else 0)
        slot = load(cursors, zone) - 1
        changed = 0 if load(cursors, zone + 2) == name else mark
        store(suffixes, slot, position | changed)
        store(cursors, zone, slot)
        store(cursors, zone + 2, name)
