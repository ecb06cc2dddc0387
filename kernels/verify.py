"""Checks that trust nothing they read, in linear time."""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel

SORTED, POSITION, FIRST_TOKEN, ORDER = range(4)


@kernel
def check_suffix_array(tokens, suffixes, starts, cursors):
    """Whether ``suffixes`` is the suffix array of ``tokens``: (verdict, rank where it fails).

    Shapes: tokens unsigned[n], suffixes uint32[n], starts int64[values + 1] the first rank of
    each first token, cursors int64[values] scratch. Every token is < values.

    The check of Burkhardt and Kärkkäinen (2003, section 4): first tokens must ascend with the
    ranks, and, reading suffixes in order, the suffix one token to the left of each must be the
    next of its own first token. It needs no inverse array, and a permutation follows.
    """
    n = tokens.size
    for rank in range(n):
        if suffixes[rank] >= n:
            return POSITION, rank
        token = np.int64(tokens[suffixes[rank]])
        if not starts[token] <= rank < starts[token + 1]:
            return FIRST_TOKEN, rank
    for value in range(cursors.size):
        cursors[value] = starts[value]
    # The suffix of the last token alone is the smallest of those that begin with it.
    last = np.int64(tokens[n - 1])
    if suffixes[cursors[last]] != n - 1:
        return ORDER, cursors[last]
    cursors[last] += 1
    for rank in range(n):
        if suffixes[rank] == 0:
            continue
        left = np.int64(suffixes[rank]) - 1
        token = np.int64(tokens[left])
        if cursors[token] >= starts[token + 1] or suffixes[cursors[token]] != left:
            return ORDER, rank
        cursors[token] += 1
    return SORTED, n
