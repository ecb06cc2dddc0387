"""Positions of a sorted shard on their way to its file."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from gramdex.indexer import finishing


@pytest.mark.parametrize("size", [0, 1, 1 << 12, 20 << 12, (20 << 12) + 77])
@pytest.mark.parametrize("positions", [np.int32, np.int64])
def test_positions_are_narrowed_in_the_memory_they_lie_in(
    positions: type, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = 1 << 12
    monkeypatch.setattr(finishing, "_CHUNK", chunk)
    largest = 1 << (31 if positions is np.int32 else 32)
    suffixes = np.random.default_rng(size).integers(0, largest, size).astype(positions)
    expected = suffixes.astype(np.uint32)
    tracemalloc.start()
    try:
        narrow = finishing._narrow(suffixes)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert narrow.dtype == np.uint32
    assert np.array_equal(narrow, expected)
    assert size == 0 or np.shares_memory(narrow, suffixes)
    assert peak < (4 * chunk if positions is np.int64 else 0) + 6_000
