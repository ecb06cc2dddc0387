"""From named LMS substrings to a shorter text, and from its suffix array to sorted LMS suffixes.

The shorter text has a symbol per LMS substring, in the order of the text. A suffix that begins
with a symbol of its own differs from all others there, so of several such in a row only the
first is kept: comparisons never go past it.

LMS positions are two or more apart, so half a position is a slot of its own in n // 2 (as in
sais-lite, Mori 2008). Leaving out symbols of their own, and merging their suffixes back, is after
libsais (Grebnov 2021).
"""

from __future__ import annotations

from gramdex.kernels.arrays import load, prefetch_load, prefetch_store, store
from gramdex.kernels.jit import kernel

AHEAD = 32


@kernel
def scatter_names(ordered, slots, mark):
    """Name each LMS substring by its group's number, in the slot of half its position.

    Shapes: ordered int[m], LMS positions in the order of their substrings, the last of each group
    marked; slots int[n // 2], filled: twice the name plus the low bit of the position, marked where
    the group has one member; -1 where there is no LMS position.

    Returns how many groups there are, and how many of one member.
    """
    slots[:] = -1
    name, alone = 0, 0
    before = mark
    for j in range(ordered.size):
        prefetch_store(slots, (load(ordered, min(j + AHEAD, ordered.size - 1)) & ~mark) >> 1)
        entry = load(ordered, j)
        unique = entry & before & mark
        position = entry & ~mark
        store(slots, position >> 1, 2 * name + (position & 1) | unique)
        alone += 1 if unique < 0 else 0
        name += 1 if entry < 0 else 0
        before = entry
    return name, alone


@kernel
def collect_names(slots, positions, mark):
    """Gather the slots into the shorter text, in front of ``slots``; returns its length.

    positions int[m + 1] gets the positions of its symbols.
    """
    size = 0
    for half in range(slots.size):
        entry = load(slots, half)
        store(slots, size, (entry & ~mark) >> 1)
        store(positions, size, 2 * half + (entry & 1))
        size += 1 if entry != -1 else 0
    return size


@kernel
def collect_needed_names(slots, positions, needed, mark):
    """As ``collect_names``, without symbols that comparisons never reach.

    Positions whose substring has no equal are marked. The names left are numbered anew;
    ``needed`` int[groups] is scratch. Returns the length and the number of names.
    """
    needed[:] = 0
    size = 0
    after_unique = True
    for half in range(slots.size):
        entry = load(slots, half)
        if entry != -1:
            unique = entry < 0
            if not (unique and after_unique):
                name = (entry & ~mark) >> 1
                store(slots, size, name)
                store(positions, size, (2 * half + (entry & 1)) | (entry & mark))
                store(needed, name, 1)
                size += 1
            after_unique = unique
    names = 0
    for name in range(needed.size):
        occurs = load(needed, name)
        store(needed, name, names)
        names += occurs
    for i in range(size):
        prefetch_load(needed, load(slots, min(i + AHEAD, size - 1)))
        store(slots, i, load(needed, load(slots, i)))
    return size, names


@kernel
def merge_order(ordered, positions, order, mark):
    """Put LMS positions in the order of their suffixes, given that of the shorter text.

    Shapes: ordered int[m] as in ``scatter_names``, sorted in place and its marks removed;
    positions int[r] as in ``collect_needed_names``; order int[r], its suffix array.
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
def take_positions(ordered, positions, order):
    """As ``merge_order`` after ``collect_names``: all positions come from ``order`` int[m].

    ``order`` may be ``ordered`` itself.
    """
    last = order.size - 1
    for j in range(order.size):
        prefetch_load(positions, load(order, min(j + AHEAD, last)))
        store(ordered, j, load(positions, load(order, j)))


@kernel
def clear_marks(ordered, mark):
    """Remove the marks of ``ordered``, in place."""
    for j in range(ordered.size):
        store(ordered, j, load(ordered, j) & ~mark)
