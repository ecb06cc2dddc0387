"""Growing trees on suffix arrays: the search for long runs, and what hangs, one by one."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.fmindex.engines.rows import shard_row
from gramdex.kernels import memory
from gramdex.kernels.suffix_array import drafting

RUNS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 90)), min_size=1, max_size=12)


def shard_of(text: list[int]) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The row of a text that ends with the separator, and the arrays it points to."""
    tokens = np.array(text, np.uint16)
    suffixes = np.array(sorted(range(len(text)), key=lambda i: text[i : i + 40]), np.uint32)
    counts = np.bincount(text, minlength=max(text) + 2)
    buckets = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
    arrays = (tokens, suffixes, buckets)
    return np.array(shard_row(*arrays, 0), np.int64), arrays


@settings(max_examples=60, deadline=None, derandomize=True)
@given(drawn=RUNS, least=st.sampled_from([16, 17, 24, 31, 64]))
def test_long_runs_are_all_runs_that_are_long(drawn: list[tuple[int, int]], least: int) -> None:
    """Pairs "1 token": the runs of the token after 1."""
    text = [token for follower, size in drawn for token in (1, follower + 1) * size] + [0]
    shard, _arrays = shard_of(text)
    order = _arrays[1].tolist()
    ranks = [rank for rank, position in enumerate(order) if text[position] == 1]
    low, high = ranks[0], ranks[-1] + 1
    expected = []
    for _, run in groupby(range(low, high), key=lambda rank: text[order[rank] + 1]):
        found = list(run)
        if len(found) >= least:
            expected.append((found[0], found[-1] + 1))
    found, at = [], low
    while at < high:
        start, at = drafting.long_run(shard, at, high, 1, least)
        if start < high:
            found.append((start, at))
    assert found == expected


def tree(text: list[int], context: int, nodes: int, ids: np.ndarray) -> list[list[int]]:
    shard, arrays = shard_of(text)
    interval = arrays[2][context : context + 2].astype(np.int64).reshape(1, 2)
    filled = np.empty((3, nodes), np.int64)
    size = drafting.grow_tree(shard.reshape(1, -1), interval, 1, nodes, 1, ids, *filled)
    return filled[:, :size].tolist()


TEXT = [1, 2, 4, 1, 3, 4, 1, 5, 0]
NONE = np.empty(0, np.uint32)


def test_ties_are_broken_by_depth_then_id_then_parent() -> None:
    assert tree(TEXT, 1, 6, NONE) == [[2, 3, 5, 4, 4, 1], [-1, -1, -1, 0, 1, 3], [1] * 6]
    ids = np.array([9, 0, 7, 6, 5, 4], np.uint32)
    assert tree(TEXT, 1, 6, ids) == [[5, 3, 2, 4, 4, 1], [-1, -1, -1, 1, 2, 3], [1] * 6]


@pytest.mark.parametrize("nodes", range(8))
def test_a_smaller_tree_is_the_beginning_of_a_larger(nodes: int) -> None:
    larger = tree(TEXT * 30, 1, 40, NONE)
    assert tree(TEXT * 30, 1, nodes, NONE) == [column[:nodes] for column in larger]


def test_a_token_without_an_id() -> None:
    with pytest.raises(memory.CorruptShard):
        tree(TEXT, 1, 4, np.arange(5, dtype=np.uint32))


def test_a_suffix_that_ends_inside_its_interval() -> None:
    shard, arrays = shard_of(TEXT)
    arrays[1][1] = len(TEXT) - 1
    filled, interval = np.empty((3, 4), np.int64), np.array([[1, 4]], np.int64)
    with pytest.raises(memory.CorruptShard):
        drafting.grow_tree(shard.reshape(1, -1), interval, 1, 4, 1, NONE, *filled)
