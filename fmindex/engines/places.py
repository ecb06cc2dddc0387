"""Text positions in order, sorted in parts between which there is a place to stop."""

from __future__ import annotations

import numpy as np

from gramdex.fmindex.engines.stopping import CHUNK_ENTRIES, chunks, stop_here
from gramdex.kernels.positions import count_parts, scatter

_PART_BITS = 19
"""Positions that differ in no higher bits are sorted together."""


def in_order(positions: np.ndarray, size: int) -> np.ndarray:
    """Different text positions below ``size``, uint32[n] or int64[n], ascending int64.

    The array that is given may be reordered, and be the one that is returned.
    """
    if positions.size <= 2 * CHUNK_ENTRIES:
        positions.sort()
        return positions.astype(np.int64, copy=False)
    counts = np.zeros(((size - 1) >> _PART_BITS) + 1, np.int64)
    for low, high in chunks(0, positions.size, CHUNK_ENTRIES):
        count_parts(positions[low:high], _PART_BITS, counts)
    ends = np.cumsum(counts)
    places, scattered = ends - counts, np.empty_like(positions)
    for low, high in chunks(0, positions.size, CHUNK_ENTRIES):
        scatter(positions[low:high], _PART_BITS, places, scattered)
    ordered, start = np.empty(positions.size, np.int64), 0
    for end in ends.tolist():
        stop_here()
        scattered[start:end].sort()
        ordered[start:end] = scattered[start:end]
        start = end
    return ordered
