"""Coded successors, backward search and walks, against numpy on shards of awkward texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from successor_shards import TEXTS, KnownShard, text_of

from gramdex.kernels.fm import columns, search, successors, walk
from gramdex.kernels.jit import JIT_DISABLED

SIZES = [1, 2, 3, 127, 128, 129, 255, 256, 257, 511, 512, 513, 700]
LARGE = [1500] if JIT_DISABLED else [8191, 8192, 8193, 30_000]
RATES = [1, 2, 4, 128, 4096]


def shard_of(name: str, size: int, folder: Path, rate: int = 128) -> KnownShard:
    return KnownShard(folder, *text_of(name, size), rate)


def some(rng: np.random.Generator, size: int, most: int) -> list[int]:
    """Numbers below ``size``: all of them, or ``most`` with those at the borders of chunks."""
    if size <= most:
        return list(range(size))
    near = [chunk * columns.HALF + d for chunk in range(8) for d in (-1, 0, 1)]
    chosen = [*near, size - 2, size - 1, *rng.integers(0, size, most).tolist()]
    return sorted({number for number in chosen if 0 <= number < size})


@pytest.mark.parametrize("name", TEXTS)
def test_value_of_every_rank(name: str, tmp_path: Path) -> None:
    for size in [*SIZES, *LARGE]:
        known = shard_of(name, size, tmp_path)
        found = [successors.value_at(known.row, rank) for rank in range(size)]
        assert found == known.values[:size].tolist(), size
        chunks = -(-size // columns.CHUNK)
        bases = [columns.base_at(known.row, chunk) for chunk in range(chunks + 1)]
        assert bases == known.values[:: columns.CHUNK][: chunks + 1].tolist()


@pytest.mark.skipif(JIT_DISABLED, reason="too many ranks for plain Python")
@pytest.mark.parametrize("name", ["repeats", "skewed", "Fibonacci"])
def test_value_of_every_rank_of_a_large_text(name: str, tmp_path: Path) -> None:
    """Many tables of codes, groups of chunks and groups of samples."""
    known = shard_of(name, 120_001, tmp_path)
    found = np.array([successors.value_at(known.row, rank) for rank in range(known.size)])
    assert np.array_equal(found, known.values[: known.size])
    positions = np.empty(known.size, np.int64)
    walk.locate(known.rows, 0, 0, known.size, positions)
    assert np.array_equal(positions, known.suffixes)


def targets(rng: np.random.Generator, values: np.ndarray) -> list[int]:
    """Below all values, above all, at some, and beside them."""
    chosen = [*rng.choice(values, 3).tolist(), int(values[0]), int(values[-1])]
    return [0, 1, successors.ABOVE - 1, *(value + d for value in chosen for d in (-1, 0, 1))]


def check_bound(known: KnownShard, low: int, high: int, target: int) -> None:
    expected = low + int(np.searchsorted(known.values[low:high], target))
    rank, value = successors.lower_bound(known.row, low, high, target)
    assert rank == expected, (low, high, target)
    if rank < high:
        assert value == known.values[rank], (low, high, target)
    else:
        assert value in (successors.ABOVE, known.values[high]), (low, high, target)


@pytest.mark.parametrize("name", TEXTS)
def test_lower_bound_in_every_part_of_a_list(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for size in [*SIZES, LARGE[-1]]:
        known = shard_of(name, size, tmp_path)
        used = np.flatnonzero(np.diff(known.starts))
        longest = used[np.argsort(np.diff(known.starts)[used])[-2:]]
        for token in {*longest.tolist(), *rng.choice(used, 6).tolist()}:
            first, last = (int(rank) for rank in known.starts[token : token + 2])
            bounds = [(first, last)]
            bounds += [sorted(rng.integers(first, last + 1, 2).tolist()) for _ in range(8)]
            for border in (first, last, (first + last) // 2):  # around halves of chunks
                middle = border // columns.HALF * columns.HALF
                bounds += [(middle - 1, middle + 1), (middle, last), (first, middle)]
            for low, high in [(max(low, first), min(high, last)) for low, high in bounds]:
                if low < high:
                    for target in targets(rng, known.values[low:high]):
                        check_bound(known, low, high, target)
            assert successors.lower_bound(known.row, first, first, 0) == (first, successors.ABOVE)


@pytest.mark.parametrize("name", ["repeats", "random 2", "separators", "de Bruijn"])
def test_search_in_a_chunk_is_its_part_of_lower_bound(name: str, tmp_path: Path) -> None:
    """Every pair of ends around the middle, and all targets: up, down and from the nearer end."""
    rng = np.random.default_rng(2)
    known = shard_of(name, 2000, tmp_path)
    for token in np.flatnonzero(np.diff(known.starts))[:12].tolist():
        first, last = (int(rank) for rank in known.starts[token : token + 2])
        for chunk in range(first // columns.CHUNK, (last - 1) // columns.CHUNK + 1):
            start = chunk * columns.CHUNK
            low, high = max(first, start), min(last, start + columns.CHUNK)
            values = known.values[low:high]
            for target in [int(values[0]) - 1, *values[:: 1 + values.size // 40].tolist()]:
                expected = low + int(np.searchsorted(values, target))
                if expected == low < high and low > first:
                    continue  # the chunk before is the one to look into
                found = successors.search_chunk(known.row, chunk, first, last, target)[0]
                assert found == expected, (token, chunk, target)
            for _ in range(30):
                some_low, some_high = sorted(rng.integers(low, high + 1, 2).tolist())
                if some_low == some_high:
                    continue
                target = int(rng.choice(values)) + int(rng.integers(-1, 2))
                expected = some_low + int(np.searchsorted(known.values[some_low:some_high], target))
                found = successors.search_chunk(known.row, chunk, some_low, some_high, target)
                assert found[0] == expected, (token, chunk, some_low, some_high, target)


@pytest.mark.parametrize("name", TEXTS)
def test_lists_of_tokens(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for size in [*SIZES, LARGE[-1]]:
        known = shard_of(name, size, tmp_path)
        used = np.flatnonzero(np.diff(known.starts))
        beside = np.clip(np.concatenate([used[:50] - 1, used[:50] + 1]), 0, known.ranks - 1)
        tokens = {0, known.ranks - 1, *used[:50].tolist(), *beside.tolist()}
        for token in tokens | {*rng.integers(0, known.ranks, 20).tolist()}:
            low, high = columns.list_bounds(known.row, token)
            expected = tuple(known.starts[token : token + 2].tolist())
            assert (low, high) == expected or (low == high and expected[0] == expected[1])
        assert columns.list_bounds(known.row, known.ranks + 5) == (0, 0)
        for rank in some(rng, size, 300):
            token = int(known.text[known.suffixes[rank]])
            assert columns.token_of_rank(known.row, rank) == token
            slot = columns.slot_of_rank(known.row, rank)
            assert columns.slot_token(known.row, slot) == token


@pytest.mark.parametrize("name", TEXTS)
def test_putting_a_token_in_front(name: str, tmp_path: Path) -> None:
    """Any interval of ranks, not only those of patterns, narrows to those that step into it."""
    rng = np.random.default_rng(4)
    for size in [1, 2, 129, 513, LARGE[-1]]:
        known = shard_of(name, size, tmp_path)
        for _ in range(120):
            low, high = sorted(rng.integers(0, size + 1, 2).tolist())
            if rng.integers(2):
                high = min(size, low + int(rng.integers(1, 4)))
            token = int(rng.choice(known.text))
            first, last = (int(rank) for rank in known.starts[token : token + 2])
            after = known.values[first:last] - 1
            expected = int(((low <= after) & (after < high)).sum())
            start, end = search.narrow_list(known.row, first, last, low, high)
            if low < high:
                assert end - start == expected, (token, low, high)
                assert not expected or start == first + int((after < low).sum())
            if high - low < size:
                start, end = search.extend_left(known.row, token, low, high)
                assert end - start == (expected if low < high else 0)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", TEXTS)
def test_positions_of_ranks_and_text_of_positions(name: str, rate: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    sizes = [*SIZES, 2000 if rate > 4 else LARGE[-1]]
    for size in sizes if rate in (1, 128) else sizes[::3]:
        known = shard_of(name, size, tmp_path, rate)
        positions = np.empty(size, np.int64)
        walk.locate(known.rows, 0, 0, size, positions)
        assert np.array_equal(positions, known.suffixes), size
        for rank in some(rng, size, 40):
            assert walk.locate_rank(known.row, rank) == known.suffixes[rank]
            position = int(known.suffixes[rank])
            assert walk.rank_at(known.row, position) == rank
        for _ in range(12):
            start, end = sorted(rng.integers(0, size + 1, 2).tolist())
            end = min(end, start + 700)
            found = np.full(end - start, -1, np.int64)
            walk.extract(known.rows, 0, start, end, found)
            assert np.array_equal(found, known.text[start:end]), (start, end)
            low, high = sorted(rng.integers(0, size + 1, 2).tolist())
            high = min(high, low + 50)
            walk.locate(known.rows, 0, low, high, positions[: high - low])
            assert np.array_equal(positions[: high - low], known.suffixes[low:high])
    over = np.full(9, -1, np.int64)
    walk.walk(known.row, walk.rank_at(known.row, known.size - 1), over)
    assert over.tolist() == [0] * 9  # past the end of the text


@pytest.mark.parametrize("rate", [1, 4, 128])
def test_numbers_of_sampled_ranks(rate: int, tmp_path: Path) -> None:
    for name, size in [("repeats", 5000), ("random 2", 2049), ("all equal", 4096), ("skewed", 1)]:
        known = shard_of(name, size, tmp_path, rate)
        sampled = np.flatnonzero(known.suffixes % rate == 0)
        number = dict(zip(sampled.tolist(), range(sampled.size), strict=True))
        for rank in range(0, size, 3):
            assert walk.sample_of_rank(known.row, rank) == number.get(rank, -1)
        for sample in range(0, sampled.size, 2):
            assert walk.rank_of_sample(known.row, sample) == sampled[sample]


def test_patterns_have_the_intervals_of_the_suffix_array(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    for name in TEXTS:
        known = shard_of(name, 1500, tmp_path)
        low = int(known.starts[1])
        assert search.find_interval(known.row, np.empty(0, np.int64), 0, 0) == (low, known.size)
        for _ in range(60):
            start = int(rng.integers(0, known.size))
            pattern = known.text[start : start + int(rng.integers(1, 9))].astype(np.int64)
            if rng.integers(3) == 0:
                pattern[rng.integers(0, pattern.size)] = rng.integers(1, known.ranks)
            pattern = pattern[pattern != 0]
            if pattern.size == 0:
                continue
            first, last = known.interval(pattern.tolist())
            found = search.find_interval(known.row, pattern, 0, pattern.size)
            assert found[1] - found[0] == last - first
            assert first == last or found == (first, last)
