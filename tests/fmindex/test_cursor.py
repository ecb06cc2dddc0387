"""A cursor answers at every step what the ∞-gram queries answer for the whole stream."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from building import open_ids, shard_budget
from corpora import named_corpora
from naive import NaiveIndex

import gramdex
from gramdex.errors import QueryError, UsageError
from gramdex.fmindex.results import Interval

CORPORA = {corpus.name: corpus for corpus in named_corpora() if any(corpus.documents)}


ENGINES = ["sa", "fm", "mixed"]


@pytest.fixture(params=ENGINES)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> gramdex.Index:
    documents = [[1, 2, 3, 1, 2, 4], [1, 2, 3, 1, 2, 5], [2, 2, 2, 9]]
    return open_ids(tmp_path, documents, 10, shard_budget(documents, 2), request.param)


def filled(intervals: list[Interval]) -> list[Interval]:
    """Those with ranks: where an empty one lies means nothing, and differs between engines."""
    return [interval for interval in intervals if interval.low < interval.high]


def stream(documents: list[list[int]], size: int, seed: int) -> list[int]:
    """Copies of passages, one after the other, with foreign tokens between some."""
    rng = random.Random(seed)
    tokens: list[int] = []
    while len(tokens) < 120:
        document = rng.choice([d for d in documents if d])
        start = rng.randrange(len(document))
        tokens += document[start : start + rng.randrange(1, 30)]
        tokens += [rng.randrange(size)] * rng.randrange(2)
    return tokens


@pytest.mark.parametrize(
    ("engine", "shards"), [("sa", 1), ("sa", 3), ("fm", 1), ("fm, dense", 3), ("mixed", 2)]
)
@pytest.mark.parametrize("name", CORPORA)
def test_every_step_is_that_of_the_oracle(
    name: str, engine: str, shards: int, tmp_path: Path
) -> None:
    corpus = CORPORA[name]
    documents, size = corpus.documents, corpus.vocabulary_size
    index = open_ids(tmp_path, documents, size, shard_budget(documents, shards), engine)
    naive = NaiveIndex(documents)
    tokens = stream(documents, size, seed=shards)
    cursor = index.cursor()
    for i, token in enumerate(tokens):
        context = tokens[:i]
        found, expected = cursor.prob(token), naive.infgram_prob(context, token)
        assert (found.prob, found.context_count, found.count) == expected[:3]
        assert (found.suffix_length, found.sparse) == expected[3:]
        assert (cursor.suffix_length, cursor.count) == (expected[3], expected[1])
        if i % 10 == 0:
            distribution, wanted = cursor.ntd(limit=3), naive.infgram_ntd(context, 3)
            assert distribution.tokens.tolist() == wanted.tokens
            assert distribution.counts.tolist() == wanted.counts
            assert (distribution.end_count, distribution.complete) == wanted[3:5]
            suffix = context[i - cursor.suffix_length :]
            assert filled(cursor.find()) == filled(index.find(suffix))
        cursor.extend([token])
    whole = index.cursor(tokens)
    assert whole.suffix_length == cursor.suffix_length
    assert filled(whole.find()) == filled(cursor.find())


def test_a_long_stream_takes_the_memory_of_its_suffix(index: gramdex.Index) -> None:
    cursor = index.cursor()
    for _ in range(2_000):
        cursor.extend([1, 2, 3, 1, 2])
    assert (cursor.suffix_length, cursor.count) == (5, 2)
    cursor.extend(np.full(5_000, 9))
    assert repr(cursor) == "Cursor(the last 1 tokens occur 1 times)"
    cursor.extend([1] * 3)
    assert max(cursor._tokens.size, cursor.copy()._tokens.size) < 1_000
    long = index.cursor([1, 2, 3, 1, 2] * 20_000)
    assert long.suffix_length == 5
    assert long._tokens.size < 1_000


def test_a_copy_goes_its_own_way(index: gramdex.Index) -> None:
    cursor = index.cursor([1, 2])
    other = cursor.copy()
    other.extend([4])
    cursor.extend([3, 1, 2])
    assert (cursor.suffix_length, other.suffix_length) == (5, 3)
    assert other.prob(1).context_count == 1
    assert sorted(cursor.ntd().tokens.tolist()) == [4, 5]


@pytest.mark.parametrize(
    ("engine", "seed"), [*(("sa", i) for i in range(4)), ("fm", 1), ("mixed", 2)]
)
def test_a_cursor_and_its_copy_back_off_to_their_own_tokens(
    engine: str, seed: int, tmp_path: Path
) -> None:
    """Two streams from one, in turns: what each looks back at is what went into it."""
    rng = np.random.default_rng(seed)
    documents = [rng.integers(0, 3, 300).tolist() for _ in range(3)]
    index = open_ids(tmp_path, documents, 5, shard_budget(documents, 2), engine)
    start = documents[0][:20]
    cursor = index.cursor(start)
    ways = [(cursor, [*start]), (cursor.copy(), [*start])]
    pieces = [documents[0][20:80], documents[1][100:160]]
    backed_off = [0, 0]
    for turn in range(60):
        for way, (one, stream) in enumerate(ways):
            tokens = [pieces[way][turn]] if turn % 20 else [3, *documents[way][turn : turn + 5]]
            before = one.suffix_length
            one.extend(tokens)
            stream.extend(tokens)
            backed_off[way] += 1 < one.suffix_length <= before
        for one, stream in ways:
            whole = index.cursor(stream)
            assert (one.suffix_length, one.count) == (whole.suffix_length, whole.count)
            assert filled(one.find()) == filled(whole.find())
    assert min(backed_off) > 3


@pytest.mark.parametrize("engine", ["sa", "mixed"])
def test_tokens_one_by_one_take_the_memory_of_their_suffix(tmp_path: Path, engine: str) -> None:
    rng = np.random.default_rng(5)
    document = rng.integers(0, 50, 3_000).tolist()
    index = open_ids(tmp_path, [document], 60, 4_000, engine)
    cursor = index.cursor()
    stream = [*document[:2_500], 55, *document[:10], *rng.integers(0, 60, 1_500).tolist()]
    longest = 0
    for i, token in enumerate(stream):
        cursor.extend([token])
        longest = max(longest, cursor.suffix_length)
        assert cursor._tokens.size <= 4 * cursor.suffix_length + 2 * 256
        if i % 100 == 0 or 2_500 <= i < 2_530:
            whole = index.cursor(stream[max(0, i - 2_600) : i + 1])
            assert filled(cursor.find()) == filled(whole.find())
    assert longest == 2_500


def test_an_unknown_id_appends_nothing(index: gramdex.Index) -> None:
    cursor = index.cursor([1, 2])
    with pytest.raises(QueryError, match="id 10"):
        cursor.extend([3, 10])
    with pytest.raises(QueryError, match="limit"):
        cursor.ntd(limit=0)
    cursor.extend([])
    assert cursor.suffix_length == 2
    assert filled(cursor.find()) == filled(index.find([1, 2]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("threads", [2, 5])
def test_threads_answer_as_one_does(threads: int, engine: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(threads)
    documents = [rng.integers(0, 30, 3_000).tolist() for _ in range(4)]
    one = open_ids(tmp_path, documents, 40, shard_budget(documents, 2), engine)
    several = gramdex.open(one.folders, threads=threads)
    patterns = rng.integers(0, 31, (3_001, 3))
    assert np.array_equal(several.count_batch(patterns), one.count_batch(patterns))
    text = np.concatenate([documents[0], rng.integers(0, 40, 9_001), documents[2]])
    for query in ("match", "infgram_scores"):
        found, expected = getattr(several, query)(text), getattr(one, query)(text)
        for name in expected.__dataclass_fields__:
            assert np.array_equal(getattr(found, name), getattr(expected, name), equal_nan=True)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_threads_are_a_positive_number(threads: object, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="threads"):
        gramdex.open(tmp_path, threads=threads)  # type: ignore[arg-type]
