"""Sorting suffixes by doubling the length they are sorted by (Larsson and Sadakane 2007).

Slower than induced sorting, O(n log n) expected, and content with two words per symbol whatever the
alphabet: it serves texts whose alphabet is so large that tables by symbol would not fit.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.arrays import load, store
from gramdex.kernels.jit import inlined, kernel

STACK = 256


@inlined
def key_of(ranks, suffix, depth):
    """What a suffix is sorted by: the rank of the suffix ``depth`` further on, or -1."""
    return load(ranks, suffix + depth) if suffix + depth < ranks.size else -1


@kernel
def sort_group(suffixes, ranks, low, high, depth, stack):
    """Sort suffixes[low:high] by their keys: three-way quicksort.

    Pivots are drawn by a generator seeded with ``low``. The larger side waits on ``stack``
    int64[STACK, 2], so it holds log2(n) entries at most.
    """
    waiting = 0
    seed = low & 0x7FFFFFFF
    while True:
        while high - low > 1:
            seed = (1103515245 * seed + 12345) & 0x7FFFFFFF
            drawn = low + (((high - low) * (seed >> 8)) >> 23)
            pivot = key_of(ranks, load(suffixes, drawn), depth)
            less, i, greater = low, low, high
            while i < greater:
                suffix = load(suffixes, i)
                key = key_of(ranks, suffix, depth)
                if key < pivot:
                    store(suffixes, i, load(suffixes, less))
                    store(suffixes, less, suffix)
                    less += 1
                    i += 1
                elif key > pivot:
                    greater -= 1
                    store(suffixes, i, load(suffixes, greater))
                    store(suffixes, greater, suffix)
                else:
                    i += 1
            if less - low > high - greater:
                stack[waiting, 0], stack[waiting, 1] = low, less
                low = greater
            else:
                stack[waiting, 0], stack[waiting, 1] = greater, high
                high = less
            waiting += 1
        if waiting == 0:
            return
        waiting -= 1
        low, high = stack[waiting, 0], stack[waiting, 1]


@kernel
def split_group(suffixes, ranks, low, high, depth, mark):
    """Give the suffixes of a sorted group, suffixes[low:high], new ranks: where their key ends.

    Suffixes alone with their key are marked, they are in place.
    """
    # Keys may be ranks of this very group, so all borders are found before a rank changes.
    for i in range(low, high - 1):
        suffix = load(suffixes, i)
        following = load(suffixes, i + 1)
        if key_of(ranks, suffix, depth) != key_of(ranks, following, depth):
            store(suffixes, i, suffix | mark)
    store(suffixes, high - 1, load(suffixes, high - 1) | mark)
    start = low
    for end in range(low, high):
        if load(suffixes, end) < 0:
            for i in range(start, end + 1):
                suffix = load(suffixes, i) & ~mark
                store(ranks, suffix, end)
                store(suffixes, i, suffix | mark if start == end else suffix)
            start = end + 1


@kernel
def double(suffixes, ranks, mark):
    """Suffix array of ``ranks`` int[n], which is overwritten, into ``suffixes`` int[n]."""
    n = ranks.size
    stack = np.empty((STACK, 2), np.int64)
    for i in range(n):
        store(suffixes, i, i)
    sort_group(suffixes, ranks, 0, n, 0, stack)
    split_group(suffixes, ranks, 0, n, 0, mark)
    depth = 1
    unsorted = True
    while unsorted:
        unsorted = False
        low = 0
        while low < n:
            suffix = load(suffixes, low)
            if suffix < 0:
                low += 1
                continue
            high = load(ranks, suffix) + 1
            sort_group(suffixes, ranks, low, high, depth, stack)
            split_group(suffixes, ranks, low, high, depth, mark)
            unsorted = True
            low = high
        depth *= 2
    for i in range(n):
        store(suffixes, i, load(suffixes, i) & ~mark)
