"""From named LMS substrings to a shorter text, and from its suffix array to sorted LMS suffixes.

The shorter text has a symbol per LMS substring, in the order of the text. A suffix that begins
with a symbol of its own differs from all others there, so of several such in a row only the
first is kept: comparisons never go past it.

LMS positions are two or more apart, so half a position is a slot of its own in n // 2.
"""

from __future__ import annotations

from gramdex.kernels.arrays import load, prefetch_load, prefetch_store, store
from gramdex.kernels.jit import kernel

AHEAD = 32


@kernel
def scatter_names(ordered, slots, mark):
    """Write each LMS substring's group to the slot of half its position.

    Shapes: ordered int[m], LMS positions in the order of their substrings, the last of each group
    marked; slots int[n // 2], filled: twice the index where the group ends, plus the position's
    low bit, marked where the group has one member; -1 where there is no LMS position.

    Returns how many groups there are, and how many of one member.
    """
    slots[:] = -1
    groups, alone, group = 0, 0, 0
    for j in range(ordered.size - 1, -1, -1):
        prefetch_store(slots, (load(ordered, max(j - AHEAD, 0)) & ~mark) >> 1)
        entry = load(ordered, j)
        unique = 0
        if entry < 0:
            groups += 1
            group = j
            if j == 0 or load(ordered, j - 1) < 0:
                unique = mark
                alone += 1
        position = entry & ~mark
        store(slots, position >> 1, (2 * group + (position & 1)) | unique)
    return groups, alone


@kernel
def collect_names(slots, positions, kept, shorten, mark):
    """Gather the slots into the shorter text, in order; returns its length.

    The names, groups, end up in front of ``slots``; positions int[m] gets their positions, marked
    where the group has one member, and kept int[m] 1 at every group that occurs, else 0. Symbols
    that may be left out are if ``shorten``.
    """
    kept[:] = 0
    size = 0
    skip = shorten
    for half in range(slots.size):
        entry = load(slots, half)
        if entry == -1:
            continue
        unique = entry < 0
        if not (unique and skip):
            entry &= ~mark
            store(slots, size, entry >> 1)
            store(positions, size, 2 * half + (entry & 1) | (mark if unique else 0))
            store(kept, entry >> 1, 1)
            size += 1
        skip = shorten and unique
    return size


@kernel
def renumber(names, kept):
    """Replace groups by their rank among those kept; returns how many there are."""
    rank = 0
    for group in range(kept.size):
        occurs = load(kept, group)
        store(kept, group, rank)
        rank += occurs
    for i in range(names.size):
        prefetch_load(kept, load(names, min(i + AHEAD, names.size - 1)))
        store(names, i, load(kept, load(names, i)))
    return rank


@kernel
def merge_order(ordered, positions, order, mark):
    """Put LMS positions in the order of their suffixes, given that of the shorter text.

    Shapes: ordered int[m] as in ``scatter_names``, sorted in place and its marks removed;
    positions int[r] as in ``collect_names``; order int[r], its suffix array.
    """
    last = order.size - 1
    taken = 0
    before = mark
    for j in range(ordered.size):
        entry = load(ordered, j)
        if not (entry < 0 and before < 0):
            position = mark
            while position < 0:  # what has a name of its own stands right already
                prefetch_load(positions, load(order, min(taken + AHEAD, last)))
                position = load(positions, load(order, taken))
                taken += 1
            store(ordered, j, position)
        else:
            store(ordered, j, entry & ~mark)
        before = entry


@kernel
def take_positions(ordered, positions, order, mark):
    """As ``merge_order`` where no symbol was left out: every position comes from ``order``.

    ``order`` may be ``ordered`` itself.
    """
    last = order.size - 1
    for j in range(order.size):
        prefetch_load(positions, load(order, min(j + AHEAD, last)))
        store(ordered, j, load(positions, load(order, j)) & ~mark)


@kernel
def clear_marks(ordered, mark):
    """Remove the marks of ``ordered``, in place."""
    for j in range(ordered.size):
        store(ordered, j, load(ordered, j) & ~mark)
