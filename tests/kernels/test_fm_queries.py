"""Matches, next tokens and batches on coded successors, against the oracle and each other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from naive import NaiveIndex
from successor_shards import TEXTS, KnownShard, text_of

from gramdex.kernels.fm import count_batch, infgram, matching, next_tokens, search
from gramdex.kernels.memory import CorruptShard


def documents_of(*texts: np.ndarray) -> list[list[int]]:
    """Documents between separators."""
    documents: list[list[int]] = []
    for text in texts:
        documents += [part.tolist() for part in np.split(text, np.flatnonzero(text == 0) + 1)[:-1]]
    return [document[:-1] for document in documents]


def long_repeats() -> tuple[np.ndarray, np.ndarray]:
    """A text of passages that stand in it two to five times, and a query cut out of it."""
    rng = np.random.default_rng(11)
    base = rng.integers(1, 30, 500)
    changed = np.concatenate([base[:250], [31], base[251:]])
    parts = [base, changed, base[100:450], np.ones(90, int), base[240:260], changed[200:]]
    text = np.concatenate([token for part in parts for token in (part, [0])])
    pieces = [base[:300], changed[240:], np.ones(120, int), base[101:400], [33], base[480:]]
    return text, np.concatenate(pieces).astype(np.int64)


@pytest.fixture(scope="module")
def repeats(tmp_path_factory: pytest.TempPathFactory) -> tuple[KnownShard, np.ndarray, NaiveIndex]:
    text, query = long_repeats()
    known = KnownShard(tmp_path_factory.mktemp("repeats"), text, 40)
    return known, query, NaiveIndex(documents_of(known.text))


Repeats = tuple[KnownShard, np.ndarray, NaiveIndex]


# --- matches --------------------------------------------------------------------------------


def test_longest_match_from_every_place(repeats: Repeats) -> None:
    known, query, naive = repeats
    expected = naive.match(query)
    for start in range(query.size):
        length, low, high = matching.longest_match(known.row, query, start, query.size)
        found = length, high - low
        assert found == (expected.lengths[start], expected.counts[start]), start
        for end in {start, start + 1, start + 2, start + 40}:
            if end <= query.size:
                length, low, high = matching.longest_match(known.row, query, start, end)
                assert length == min(end - start, expected.lengths[start])
                text = query[start : start + length].tolist()
                assert high - low == (naive.count(text) if text else 0)


@pytest.mark.parametrize("bounds", [(0, None), (0, 1), (299, 303), (250, 600), (700, 701)])
def test_matches_of_a_part(repeats: Repeats, bounds: tuple[int, int | None]) -> None:
    known, query, naive = repeats
    start, end = bounds[0], bounds[1] or query.size
    expected = naive.match(query)
    lengths, counts = np.full((2, query.size), -1, np.int64)
    state = np.zeros((len(known.rows), 3), np.int64)
    matching.matching_statistics(known.rows, query, start, end, state, lengths, counts)
    assert lengths[start:end].tolist() == expected.lengths[start:end]
    assert counts[start:end].tolist() == expected.counts[start:end]
    assert set(lengths[:start]) | set(lengths[end:]) <= {-1}  # nothing else is touched
    for most in (end, min(end + 5, query.size)):  # cut at ``most``
        state = np.zeros(3, np.int64)
        matching.shard_matches(known.row, query, start, end, most, state, lengths, counts)
        wanted = [min(found, most - i) for i, found in enumerate(expected.lengths)]
        assert lengths[start:end].tolist() == wanted[start:end]


@pytest.mark.parametrize("bounds", [(0, None), (0, 1), (290, 330), (555, 777), (700, 701)])
def test_longest_suffix_up_to_every_place(repeats: Repeats, bounds: tuple) -> None:
    known, query, naive = repeats
    start, end = bounds[0], bounds[1] or query.size
    lengths, counts = np.full((2, end + 1), -1, np.int64)
    matching.shard_suffixes(known.row, query, start, end, lengths, counts)
    for j in range(start, end + 1):
        suffix = naive.longest_suffix(query[:j])
        assert (lengths[j], counts[j]) == (len(suffix), naive.count(suffix)), j
        length, low, high = search.longest_suffix(known.row, query, j)
        assert (length, high - low) == (len(suffix), naive.count(suffix)), j
    assert set(lengths[:start]) <= {-1}


def test_scores_of_a_part(repeats: Repeats) -> None:
    known, query, naive = repeats
    expected = naive.infgram_scores(query)
    for start, end in [(0, query.size), (1, 2), (295, 320), (601, query.size)]:
        found = np.full((3, query.size), -1, np.int64)
        matching.infgram_scores(known.rows, query, start, end, *found)
        wanted = expected.suffix_lengths, expected.context_counts, expected.counts
        for some, values in zip(found, wanted, strict=True):
            assert some[start:end].tolist() == values[start:end]


def test_counts_between_the_ends_of_a_passage(repeats: Repeats) -> None:
    known, query, naive = repeats
    expected = naive.match(query)
    rng = np.random.default_rng(12)
    for i in [0, 1, 299, 300, 520, 560, *rng.integers(0, query.size, 20).tolist()]:
        longest = i + expected.lengths[i]
        for first in {i + 1, (i + longest) // 2, longest - 1, longest}:
            for last in {first, longest, (first + longest) // 2}:
                if not i < first <= last <= longest:
                    continue
                counts = np.full(query.size + 1, -1, np.int64)
                counts[last] = naive.count(query[i:last])
                matching.fill_counts(known.row, query, i, first, last, counts)
                wanted = [naive.count(query[i:j]) for j in range(first, last + 1)]
                assert counts[first : last + 1].tolist() == wanted


# --- next tokens ----------------------------------------------------------------------------


def expected_runs(known: KnownShard, low: int, high: int, depth: int) -> dict[int, int]:
    tokens, counts = np.unique(known.at_depth(low, high, depth), return_counts=True)
    return dict(zip(tokens.tolist(), counts.tolist(), strict=True))


def runs(kernel: object, known: KnownShard, *where: int) -> dict[int, int]:
    room = where[1] - where[0]
    tokens, counts = np.full((2, room), -1, np.int64)
    size = kernel(known.row, *where, tokens, counts)  # type: ignore[operator]
    assert tokens[:size].tolist() == sorted(set(tokens[:size].tolist()))
    assert set(tokens[size:]) <= {-1}
    return dict(zip(tokens[:size].tolist(), counts[:size].tolist(), strict=True))


@pytest.mark.parametrize("name", TEXTS)
def test_three_ways_to_the_next_tokens(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    for size in (2, 130, 514, 6000):
        known = KnownShard(tmp_path, *text_of(name, size))
        used = np.flatnonzero(np.diff(known.starts))
        for token in {*used[used > 0][:5].tolist(), *rng.choice(used, 5).tolist()} - {0}:
            low, high = known.interval([token])
            expected = expected_runs(known, low, high, 1)
            assert runs(next_tokens.runs_of_token, known, low, high) == expected
            assert runs(next_tokens.runs_together, known, low, high, 1) == expected
            assert runs(next_tokens.runs_by_search, known, low, high, 1) == expected
        for depth in (0, 1, 2, 3, 7, 40):
            for _ in range(4):
                start = int(rng.integers(0, size))
                context = known.text[start : start + depth].tolist()
                if len(context) < depth or 0 in context:
                    continue
                low, high = known.interval(context) if depth else (int(known.starts[1]), size)
                if low == high:
                    continue
                expected = expected_runs(known, low, high, depth)
                assert runs(next_tokens.shard_runs, known, low, high, depth) == expected
                if depth:
                    assert runs(next_tokens.runs_together, known, low, high, depth) == expected
                    assert runs(next_tokens.runs_by_search, known, low, high, depth) == expected
                else:
                    assert runs(next_tokens.runs_of_slots, known, low, high) == expected


def test_more_next_tokens_than_there_is_room_for(tmp_path: Path) -> None:
    known = KnownShard(tmp_path, *text_of("random 255", 3000))
    low, high = known.interval([9])
    room = np.empty((2, 2), np.int64)
    for kernel in (next_tokens.runs_together, next_tokens.runs_by_search):
        with pytest.raises(CorruptShard):
            kernel(known.row, low, high, 1, *room)
    with pytest.raises(CorruptShard):
        next_tokens.runs_of_token(known.row, low, high, *room)
    with pytest.raises(CorruptShard):
        next_tokens.runs_of_slots(known.row, 0, known.size, *room)


def test_the_next_token_alone(tmp_path: Path) -> None:
    """Whether one token follows, and how often a token does, in one shard and in two."""
    rng = np.random.default_rng(14)
    shards = [KnownShard(tmp_path, *text_of(name, 1200)) for name in ("Fibonacci", "repeats")]
    rows = np.concatenate([known.rows for known in shards])
    for _ in range(300):
        known = shards[rng.integers(2)]
        start = int(rng.integers(0, known.size))
        context = known.text[start : start + int(rng.integers(1, 9))].astype(np.int64)
        context = context[context != 0]
        if context.size == 0:
            continue
        intervals = np.empty((2, 2), np.int64)
        total = search.find_intervals(rows, context, 0, context.size, intervals)
        expected: Counter[int] = Counter()
        for known, (low, high) in zip(shards, intervals.tolist(), strict=True):
            expected.update(expected_runs(known, low, high, context.size))
        assert total == expected.total()
        for token in {1, 2, int(rng.integers(1, 300)), *list(expected)[:3]} - {0}:
            found = infgram.prob_after(rows, intervals, context.size, token, intervals)
            assert found == (expected[token], len(expected) == 1 and 0 not in expected)


# --- batches --------------------------------------------------------------------------------


def n_grams(documents: list[list[int]], longest: int) -> Counter[tuple[int, ...]]:
    return Counter(
        tuple(document[i : i + n])
        for document in documents
        for n in range(1, longest + 1)
        for i in range(len(document) - n + 1)
    )


def some_patterns(
    rng: np.random.Generator, texts: list[np.ndarray], absent: int, count: int
) -> list[list[int]]:
    """Of lengths 0 to 5 and long, from the texts, some with a token changed or absent."""
    patterns: list[list[int]] = [[], [absent], [absent, absent], [1], [absent, 1], [1, absent]]
    while len(patterns) < count:
        text = texts[rng.integers(len(texts))]
        start, length = rng.integers(text.size), rng.choice([0, 1, 1, 2, 2, 3, 4, 5, 30, 200])
        pattern = [token for token in text[start : start + length].tolist() if token]
        if pattern and rng.integers(4) == 0:
            pattern[rng.integers(len(pattern))] = int(rng.choice([1, 2, absent, texts[0][0] or 1]))
        patterns.append(pattern)
    return patterns


@pytest.mark.parametrize("names", [
    ["repeats"], ["random 2", "Fibonacci", "all equal"], ["skewed", "separators", "random 255"],
    ["random 1048576", "random 65536"], ["periodic", "de Bruijn", "repeats", "descending"],
], ids=" + ".join)  # fmt: skip
def test_a_batch_counts_what_single_searches_count(names: list[str], tmp_path: Path) -> None:
    rng = np.random.default_rng(15)
    shards = [KnownShard(tmp_path, *text_of(name, 3001)) for name in names]
    rows = np.concatenate([known.rows for known in shards])
    absent = min(known.ranks for known in shards) - 1
    patterns = some_patterns(rng, [known.text for known in shards], absent, 4000)
    flat = np.array([token for pattern in patterns for token in pattern], np.int64)
    offsets = np.cumsum([0, *map(len, patterns)], dtype=np.int64)
    counts = np.full(len(patterns), -1, np.int64)
    count_batch.count_batch(rows, flat, offsets, counts)
    single = [search.count(rows, np.array(pattern, np.int64)) for pattern in patterns]
    assert counts.tolist() == single
    documents = documents_of(*(known.text for known in shards))
    expected = n_grams(documents, 5)
    tokens = sum(map(len, documents))
    for pattern, found in zip(patterns, single, strict=True):
        if len(pattern) <= 5:
            assert found == (expected[tuple(pattern)] if pattern else tokens), pattern
    naive = NaiveIndex(documents)
    long = [i for i, pattern in enumerate(patterns) if len(pattern) > 5][:60]
    assert counts[long].tolist() == naive.count_batch([patterns[i] for i in long])
    for start, end in [(0, 0), (5, 6), (17, 34), (0, 16), (100, 2101)]:  # parts, as threads take
        part = np.full(end - start, -1, np.int64)
        count_batch.count_batch(rows, flat, offsets[start : end + 1], part)
        assert part.tolist() == single[start:end]


def test_batches_of_one_kind(tmp_path: Path) -> None:
    """Lanes that run empty at once, or are never filled."""
    known = KnownShard(tmp_path, *text_of("Fibonacci", 2000))
    for pattern in ([], [1], [2, 2], [1, 2, 1], known.text[3:900].tolist(), [3] * 5):
        single = search.count(known.rows, np.array(pattern, np.int64))
        for size in (0, 1, 15, 16, 17, 100):
            counts = np.full(size, -1, np.int64)
            offsets = np.arange(size + 1, dtype=np.int64) * len(pattern)
            flat = np.array(pattern * size, np.int64)
            count_batch.count_batch(known.rows, flat, offsets, counts)
            assert counts.tolist() == [single] * size
