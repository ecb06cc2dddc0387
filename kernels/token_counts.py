"""Adding up the token counts of several shards."""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel

DENSE = 8  # tokens up to so many times the entries are added up in a table of all tokens


@kernel
def add_dense(tokens, counts, size, values):
    """Add up the counts of equal tokens, all < ``values``; as ``add_equal``."""
    totals = np.zeros(values, np.int64)
    for i in range(size):
        totals[tokens[i]] += counts[i]
    distinct = 0
    for token in range(values):
        if totals[token] > 0:
            tokens[distinct] = token
            counts[distinct] = totals[token]
            distinct += 1
    return distinct


@kernel
def merge(tokens, counts, middle, size, scratch):
    """Merge the ascending tokens [0, middle) and [middle, size), adding counts of equal ones.

    ``scratch`` int64[2, r] has room for ``size``; returns how many distinct tokens there are.
    """
    i, j, distinct = 0, middle, 0
    while i < middle or j < size:
        left = i < middle and (j == size or tokens[i] <= tokens[j])
        right = j < size and (i == middle or tokens[j] <= tokens[i])
        scratch[0, distinct] = tokens[i] if left else tokens[j]
        scratch[1, distinct] = (counts[i] if left else 0) + (counts[j] if right else 0)
        i, j, distinct = i + left, j + right, distinct + 1
    tokens[:distinct] = scratch[0, :distinct]
    counts[:distinct] = scratch[1, :distinct]
    return distinct


@kernel
def add_equal(tokens, counts, bounds, lists):
    """Add up the counts of equal tokens over ``lists`` ascending lists.

    List i is [bounds[i], bounds[i + 1]) of tokens and counts, int64[r]. Returns how many distinct
    tokens there are; they stand in front, ascending. O(runs) where they are many against the
    values of tokens, else O(runs · log lists); ``bounds`` int64[lists + 1] is overwritten.
    """
    size, values = bounds[lists], 0
    for i in range(lists):
        values = max(values, tokens[bounds[i + 1] - 1] + 1)
    if values <= DENSE * size:
        return add_dense(tokens, counts, size, values)
    scratch = np.empty((2, size), np.int64)
    while lists > 1:
        filled, merged = 0, 0
        for i in range(0, lists, 2):
            start, end = bounds[i], bounds[min(i + 2, lists)]
            middle = bounds[min(i + 1, lists)] - start
            distinct = merge(tokens[start:end], counts[start:end], middle, end - start, scratch)
            for k in range(distinct):
                tokens[filled + k], counts[filled + k] = tokens[start + k], counts[start + k]
            bounds[merged] = filled
            filled += distinct
            merged += 1
        bounds[merged] = filled
        lists = merged
    return bounds[1]
