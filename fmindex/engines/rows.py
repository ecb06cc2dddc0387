"""The row of addresses that stands for a shard of the suffix-array engine."""

from __future__ import annotations

import numpy as np

from gramdex.kernels import memory


def shard_row(
    tokens: np.ndarray, suffixes: np.ndarray, buckets: np.ndarray, shift: int
) -> list[int]:
    """Addresses and sizes in the columns of ``kernels.memory``; the caller keeps the arrays.

    Without a table of continuations.
    """
    row = [0] * memory.COLUMNS
    addresses = [array.ctypes.data for array in (tokens, suffixes, buckets)]
    row[memory.TEXT], row[memory.SUFFIXES], row[memory.BUCKETS] = addresses
    row[memory.WIDTH] = tokens.itemsize
    row[memory.SIZE] = tokens.size
    row[memory.SHIFT] = shift
    row[memory.BUCKET_COUNT] = buckets.size - 1
    return row
