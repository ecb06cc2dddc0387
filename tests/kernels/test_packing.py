"""The prefix table and the translation of ids, against plain Python."""

from __future__ import annotations

import numpy as np
import pytest

from gramdex.kernels import packing


@pytest.mark.parametrize("shift", [0, 1, 3])
def test_prefix_table(shift: int) -> None:
    counts = np.array([2, 0, 3, 1, 0, 0, 4, 0, 1], np.int64)
    table = np.empty(((counts.size - 1) >> shift) + 2, np.uint32)
    packing.prefix_table(counts, shift, table)
    starts = np.concatenate([[0], np.cumsum(counts)])
    width = 1 << shift
    expected = [int(starts[min(i * width, counts.size)]) for i in range(table.size)]
    assert table.tolist() == expected


def test_translate_ids() -> None:
    table = np.array([2, 0, 1], np.uint32)
    empty = np.empty(0, np.uint32)
    for ranks, expected in ((table, [2, 1, 2]), (empty, [1, 3, 1])):
        ids = np.array([0, 2, 0], np.int64)
        assert packing.translate_ids(ids, ranks, 3) == -1
        assert ids.tolist() == expected
    for wrong in (1, 3, -1):
        ids = np.array([0, wrong, 0], np.int64)
        assert packing.translate_ids(ids, table, 3) == 1
        assert ids.tolist() == [2, wrong, 0]
