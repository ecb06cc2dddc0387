"""From tokens to what a suffix sorter takes, and back.

A suffix sorter for bytes sorts tokens of k big-endian bytes correctly: comparing the byte
suffixes that start at multiples of k compares the tokens in order. Fewer distinct tokens need
fewer bytes, and the sorter's work and memory follow the bytes.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel


@kernel
def translate_ids(ids, rank_of_id, size):
    """Replace ids, int64[n], by their ranks; index of the first id that has none, or -1.

    ``rank_of_id`` uint32[size] holds 0 for ids without a token; empty, it stands for id + 1.
    Ids from the one returned on are left as they were.
    """
    for i in range(ids.size):
        token = ids[i]
        if token < 0 or token >= size:
            return i
        rank = token + 1
        if rank_of_id.size:
            rank = np.int64(rank_of_id[token])
            if rank == 0:
                return i
        ids[i] = rank
    return -1


@kernel
def count_symbols(tokens, counts):
    """Add the occurrences of each value of ``tokens`` (unsigned) to ``counts`` int64[values].

    Returns the first index whose value is outside ``counts``, or -1.
    """
    for i in range(tokens.size):
        if tokens[i] >= counts.size:
            return i
        counts[tokens[i]] += 1
    return -1


@kernel
def dense_symbols(counts, symbols):
    """Number the values that occur 0, 1, 2, … in their order into ``symbols`` uint32[values].

    Returns how many there are. Values that do not occur get 0.
    """
    distinct = 0
    for value in range(counts.size):
        symbols[value] = 0
        if counts[value] > 0:
            symbols[value] = distinct
            distinct += 1
    return distinct


@kernel
def number_symbols(tokens, symbols, text):
    """Write ``symbols[token]`` of each token to ``text`` unsigned[n].

    ``text`` may begin where ``tokens`` does, if its type is no wider.
    """
    for i in range(tokens.size):
        text[i] = symbols[tokens[i]]


@kernel
def pack_big_endian(tokens, symbols, width, packed):
    """Write ``symbols[token]``, ``width`` big-endian bytes each, to ``packed`` uint8[n * width]."""
    for i in range(tokens.size):
        symbol = symbols[tokens[i]]
        for k in range(width):
            packed[i * width + k] = (symbol >> (8 * (width - 1 - k))) & 0xFF


@kernel
def keep_token_suffixes(suffixes, width):
    """Move the byte suffixes at multiples of ``width`` to the front, in order, as token positions.

    In place, ``suffixes`` int32 or int64; returns how many there are.
    """
    kept = 0
    for i in range(suffixes.size):
        position = suffixes[i]
        if position % width == 0:
            suffixes[kept] = position // width
            kept += 1
    return kept


@kernel
def prefix_table(counts, shift, table):
    """Ranks at which each bucket of first tokens starts, into ``table`` uint32[buckets + 1].

    ``counts`` int64[values] are the occurrences of each token; bucket = token >> shift.
    """
    total = 0
    bucket = 0
    table[0] = 0
    for value in range(counts.size):
        while bucket < value >> shift:
            bucket += 1
            table[bucket] = total
        total += counts[value]
    while bucket < table.size - 1:
        bucket += 1
        table[bucket] = total
