"""The row of addresses that stands for a shard of the suffix-array engine."""

from __future__ import annotations

import numpy as np

from gramdex.kernels.suffix_array import columns


def shard_row(
    tokens: np.ndarray, suffixes: np.ndarray, buckets: np.ndarray, shift: int
) -> list[int]:
    """Addresses and sizes in the columns of ``kernels.memory``; the caller keeps the arrays.

    Without a table of continuations.
    """
    row = [0] * columns.COLUMNS
    addresses = [array.ctypes.data for array in (tokens, suffixes, buckets)]
    row[columns.TEXT], row[columns.SUFFIXES], row[columns.BUCKETS] = addresses
    row[columns.WIDTH] = tokens.itemsize
    row[columns.SIZE] = tokens.size
    row[columns.SHIFT] = shift
    row[columns.BUCKET_COUNT] = buckets.size - 1
    return row
