"""Huffman codes for the symbols of an FM-index, trained on the shard itself.

Halves of chunks differ: those of frequent tokens have small jumps, those of rare ones large. So
there are several codes; halves are sorted into as many classes by the code that is shortest for
them, and codes are made anew of each class, in turns. All arithmetic is on integers, so that a
shard is the same bytes everywhere.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import CHUNK
from gramdex.kernels.fm.encode import choose_tables, count_symbols
from gramdex.kernels.fm.units import CODE_BITS, SYMBOLS, TABLES

_HALVES = 1 << 13
"""Looked at for training, about."""
_HALVES_PER_TABLE = 64
_ROUNDS = 12
_WEIGHT = 1 << 12
"""Of one occurrence in training against one of the whole shard: a symbol that a class lacks costs
most bits in it, but has a code."""


def limited_lengths(counts: np.ndarray, most: int) -> np.ndarray:
    """Lengths of an optimal prefix code of at most ``most`` bits (Larmore and Hirschberg 1990).

    Args:
        counts: int64[n], occurrences; at least two are positive, at most 2^most.
        most: bits of the longest code.

    Returns:
        uint8[n], 0 where a count is 0. Package-merge, in the order of levels: a package of a level
        joins two items of the one before, so that items taken at a level are leaves, the least
        frequent symbols, and packages, each twice as many items below.
    """
    used = np.flatnonzero(counts)
    order = used[np.argsort(counts[used], kind="stable")]
    leaves = counts[order]
    items, levels = leaves, [np.ones(leaves.size, bool)]
    for _ in range(most - 1):
        packages = items[: items.size // 2 * 2].reshape(-1, 2).sum(axis=1)
        merged = np.concatenate([leaves, packages])
        place = np.argsort(merged, kind="stable")
        items = merged[place]
        levels.append(place < leaves.size)
    lengths = np.zeros(counts.size, np.uint8)
    taken = 2 * leaves.size - 2
    for level in reversed(levels):
        symbols = int(level[:taken].sum())
        lengths[order[:symbols]] += 1
        taken = 2 * (taken - symbols)
    return lengths


def train_codes(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Code lengths uint8[tables, SYMBOLS] for the values of a shard.

    Args:
        values: uint32[n], see ``kernels/fm/successors.py``.
        starts: int64[slots + 1], first rank of each list.
    """
    chunks = -(-values.size // CHUNK)
    every = max(1, 2 * chunks // _HALVES)
    halves = np.empty((2 * -(-chunks // every), SYMBOLS), np.uint8)
    totals = np.zeros(SYMBOLS, np.int64)
    count_symbols(values, starts, every, totals, halves)
    totals[:2] += 1  # a code has two symbols at least
    tables = min(TABLES, max(1, halves.shape[0] // _HALVES_PER_TABLE))
    chosen = _by_size(halves, tables)
    least = None
    for _ in range(_ROUNDS):
        lengths = np.stack([_code(totals, halves[chosen == t]) for t in range(tables)])
        bits = choose_tables(halves, lengths, chosen)
        if least is not None and bits >= least[0]:
            break
        least = bits, lengths
    assert least is not None
    return least[1]


def _code(totals: np.ndarray, halves: np.ndarray) -> np.ndarray:
    counts = halves.sum(axis=0, dtype=np.int64) * _WEIGHT
    rare = np.maximum(totals * 16 // max(int(totals.sum()), 1), 1)
    return limited_lengths(np.where(totals > 0, counts + rare, 0), CODE_BITS)


def _by_size(halves: np.ndarray, tables: int) -> np.ndarray:
    """Classes to start from: equally many halves each, by how many units they have."""
    units = halves.sum(axis=1, dtype=np.int64)
    chosen = np.empty(halves.shape[0], np.int64)
    chosen[np.argsort(units, kind="stable")] = np.arange(units.size) * tables // units.size
    return chosen
