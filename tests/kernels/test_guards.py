"""Values that cannot be, as a damaged file may hold them, stop a kernel before it reads astray."""

from __future__ import annotations

import numpy as np
import pytest

from gramdex.kernels import memory
from gramdex.kernels.suffix_array import columns, distribution, search


def row(text: np.ndarray, suffixes: np.ndarray, buckets: np.ndarray) -> np.ndarray:
    values = [0] * columns.COLUMNS
    values[columns.TEXT], values[columns.WIDTH] = text.ctypes.data, text.itemsize
    values[columns.SUFFIXES], values[columns.SIZE] = suffixes.ctypes.data, text.size
    values[columns.BUCKETS], values[columns.BUCKET_COUNT] = buckets.ctypes.data, buckets.size - 1
    return np.array(values, np.int64)


TEXT = np.array([1, 2, 1, 3, 0], np.uint16)
SUFFIXES = np.array([4, 0, 2, 1, 3], np.uint32)
BUCKETS = np.array([0, 1, 3, 4, 5], np.uint32)


def test_the_right_arrays_answer() -> None:
    shard = row(TEXT, SUFFIXES, BUCKETS)
    assert search.find_interval(shard, np.array([1, 2], np.int64), 0, 2) == (1, 2)
    assert columns.token_after(shard, 1, 1) == 2
    assert columns.bucket_bounds(shard, 99) == (0, 0)


def test_a_suffix_outside_the_text() -> None:
    suffixes = SUFFIXES.copy()
    suffixes[2] = 5
    with pytest.raises(memory.CorruptShard):
        columns.suffix_at(row(TEXT, suffixes, BUCKETS), 2)


def test_a_suffix_too_short_for_its_interval() -> None:
    shard = row(TEXT, SUFFIXES, BUCKETS)
    assert columns.token_after(shard, 0, 0) == 0
    with pytest.raises(memory.CorruptShard):
        columns.token_after(shard, 0, 1)
    with pytest.raises(memory.CorruptShard):
        search.matched_length(shard, 4, np.array([1, 2], np.int64), 0, 2, 1)


@pytest.mark.parametrize("bounds", [(3, 2), (0, 6)])
def test_bucket_bounds_that_cannot_be(bounds: tuple[int, int]) -> None:
    buckets = BUCKETS.copy()
    buckets[1:3] = bounds
    with pytest.raises(memory.CorruptShard):
        columns.bucket_bounds(row(TEXT, SUFFIXES, buckets), 1)


def test_more_runs_than_tokens_there_are() -> None:
    shards = row(TEXT, SUFFIXES, BUCKETS).reshape(1, -1)
    interval = np.array([[0, 5]], np.int64)
    room = np.empty((2, 4), np.int64)
    assert distribution.next_tokens(shards, interval, 0, *room) == 4
    with pytest.raises(memory.CorruptShard):
        distribution.next_tokens(shards, interval, 0, *room[:, :3])
