"""Checks that trust nothing they read, in linear time."""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel

SORTED, POSITION, ORDER = range(3)


@kernel
def check_suffix_array(tokens, suffixes, starts, cursors):
    """Whether ``suffixes`` is the suffix array of ``tokens``: (verdict, rank where it fails).

    Shapes: tokens unsigned[n], suffixes uint32[n], starts int64[values + 1] the first rank of
    each first token, cursors int64[values] scratch. Every token is < values.

    After Burkhardt and Kärkkäinen (2003, section 4): reading suffixes in order, the suffix one
    token to the left of each must be the next of its own first token. All positions occur: the
    last is asked for, and each asks for the one before it. So n entries are a permutation, each
    in the range of its first token, in the order of the suffixes one token on. It needs no
    inverse array.
    """
    n = tokens.size
    for value in range(cursors.size):
        cursors[value] = starts[value]
    # The suffix of the last token alone is the smallest of those that begin with it.
    last = np.int64(tokens[n - 1])
    if suffixes[cursors[last]] != n - 1:
        return ORDER, cursors[last]
    cursors[last] += 1
    for rank in range(n):
        position = np.int64(suffixes[rank])
        if position >= n:
            return POSITION, rank
        if position == 0:
            continue
        token = np.int64(tokens[position - 1])
        if cursors[token] >= starts[token + 1] or suffixes[cursors[token]] != position - 1:
            return ORDER, rank
        cursors[token] += 1
    return SORTED, n
