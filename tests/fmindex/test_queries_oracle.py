"""Every query, over every named corpus, engine, width and shard count, against the oracle."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from building import open_ids, shard_budget
from corpora import Corpus, corpora, named_corpora, patterns, query_patterns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import NaiveIndex
from parity import compare_with_naive

import gramdex
from gramdex.errors import QueryError, TokenizerError
from gramdex.fmindex.engines import continuations
from gramdex.fmindex.engines.suffix_array import SuffixArrayShard

WIDTHS = {1: 200, 2: 60_000, 4: 200_000}
CORPORA = {corpus.name: corpus for corpus in named_corpora()}


SETTINGS = ["sa, tables", "sa", "fm", "fm, dense", "mixed"]


@pytest.fixture(scope="module", autouse=True, params=SETTINGS)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Everything once with each engine, sampled as it is built and densely, and once with both.

    Suffix arrays have tables of continuations once as deep as texts go, once as they are built.
    """
    with pytest.MonkeyPatch.context() as patch:
        if request.param in ("sa, tables", "mixed"):
            patch.setattr(continuations, "LIMITS", continuations.Limits(2, 3, 2, 1))
        yield request.param.removesuffix(", tables")


def compare_documents(index: gramdex.Index, naive: NaiveIndex, query: list[int]) -> None:
    found = index.documents(query, max_documents=1 << 30)
    expected = naive.documents(query)
    assert [(d.number, [m.start for m in d.matches]) for d in found] == expected
    for document in found:
        assert document.ids.tolist() == [*index.document(document.number).ids]
        for match in document.matches:
            assert document.ids[match.start : match.end].tolist() == query


def compare(
    documents: list[list[int]], size: int, queries: list[list[int]], shards: int, engine: str
) -> None:
    naive = NaiveIndex(documents)
    with tempfile.TemporaryDirectory() as folder:
        budget = shard_budget(documents, shards)
        index = open_ids(Path(folder), documents, size, budget, engine)
        assert len(index.shards) <= max(1, 2 * shards) + (engine == "mixed")
        compare_with_naive(index, naive, queries)
        for query in queries[:6]:
            if query:
                compare_documents(index, naive, query)
        for number, document in enumerate(documents[:20]):
            assert index.document(number).ids.tolist() == document
        index.verify()


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("name", CORPORA)
def test_named_corpus(name: str, shards: int, engine: str) -> None:
    corpus = CORPORA[name]
    compare(corpus.documents, corpus.vocabulary_size, query_patterns(corpus), shards, engine)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("shards", [1, 2, 7])
def test_width_of_vocabulary(width: int, shards: int, engine: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(width)
    documents = [rng.integers(0, 12, rng.integers(0, 60)).tolist() for _ in range(25)]
    size = WIDTHS[width]
    documents = [[(token * 7919) % size for token in document] for document in documents]
    corpus = Corpus("widths", documents, size)
    index = open_ids(tmp_path, documents, size, shard_budget(documents, shards), engine)
    assert index.manifests[0].token_width == width
    for shard in index.shards:
        if isinstance(shard.engine, SuffixArrayShard):
            assert shard.engine.tokens.itemsize == width
    compare_with_naive(index, NaiveIndex(documents), query_patterns(corpus, seed=3))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_corpus(data: st.DataObject, engine: str) -> None:
    documents, size = data.draw(corpora())
    queries = data.draw(st.lists(patterns(documents, size), max_size=4))
    compare(documents, size, queries, data.draw(st.integers(1, 4)), engine)


def test_prefix_table_that_ignores_low_bits(tmp_path: Path, engine: str) -> None:
    """A vocabulary out of proportion to the shard shares buckets, or lists its tokens."""
    rng = np.random.default_rng(5)
    size = 1 << 20
    used = np.concatenate([rng.integers(0, 40, 20), rng.integers(0, size, 20)])
    documents = [rng.choice(used, 50).tolist() for _ in range(20)]
    index = open_ids(tmp_path, documents, size, 300, engine)
    for shard in index.shards:
        if isinstance(shard.engine, SuffixArrayShard):
            assert shard.engine.shift == 4
        else:
            assert shard.engine.alphabet.size > 0
    compare_with_naive(
        index, NaiveIndex(documents), query_patterns(Corpus("sparse", documents, size), count=30)
    )
    index.verify()


def test_long_patterns_and_long_matches(tmp_path: Path, engine: str) -> None:
    """Matches far longer than the prefix at which matching statistics are inherited."""
    rng = np.random.default_rng(9)
    base = rng.integers(0, 50, 3000).tolist()
    changed = [*base[:1500], 50, *base[1501:]]
    documents = [base, changed, base[700:2900], [1] * 400]
    naive = NaiveIndex(documents)
    index = open_ids(tmp_path, documents, 60, 4000, engine)
    text = [*base[100:400], *changed[1400:1700], 7, *[1] * 450, *base[-90:]]
    expected = naive.match(text)
    found = index.match(text)
    assert found.lengths.tolist() == list(expected.lengths)
    assert found.counts.tolist() == list(expected.counts)
    scores, wanted = index.infgram_scores(text), naive.infgram_scores(text)
    assert scores.suffix_lengths.tolist() == list(wanted.suffix_lengths)
    assert scores.counts.tolist() == list(wanted.counts)
    assert scores.context_counts.tolist() == list(wanted.context_counts)
    for start, end in [(0, 3000), (1400, 1600), (699, 2900), (700, 2901)]:
        assert index.count(base[start:end]) == naive.count(base[start:end])
        context = [51, *base[start : end - 1]]
        found_prob = index.infgram_prob(context, base[end - 1])
        expected_prob = naive.infgram_prob(context, base[end - 1])
        assert tuple(getattr(found_prob, f) for f in expected_prob._fields) == expected_prob


def test_ids_of_another_tokenizer_are_refused(tmp_path: Path, engine: str) -> None:
    index = open_ids(tmp_path, [[1, 2, 3]], 10, engine=engine)
    index.require_tokenizer(index.tokenizer)
    index.require_tokenizer(index.tokenizer.fingerprint)
    with pytest.raises(TokenizerError, match="made by tokenizer"):
        index.require_tokenizer(gramdex.load_tokenizer("bytes"))
    for ask in (index.encode, index.ntd, index.infgram_scores, lambda t: index.prob([1], t)):
        with pytest.raises(TokenizerError):
            ask("text")
    for ask in (index.count, index.find, index.documents, lambda t: index.count_batch([[1], t])):
        with pytest.raises(QueryError, match="without a tokenizer"):
            ask("text")


FORMS = {
    "list": lambda ids: ids,
    "tuple": tuple,
    "int32": lambda ids: np.array(ids, np.int32),
    "uint64": lambda ids: np.array(ids, np.uint64),
    "uint8": lambda ids: np.array(ids, np.uint8),
    "big-endian": lambda ids: np.array(ids, ">u2"),
    "strided": lambda ids: np.repeat(np.array(ids), 2)[::2],
    "numpy numbers": lambda ids: [np.int16(i) for i in ids],
    "range": lambda ids: range(ids[0], ids[-1] + 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_ids(tmp_path: Path, engine: str, form: str) -> None:
    index = open_ids(tmp_path, [[1, 2, 3, 4], [2, 3, 4]], 10, engine=engine)
    query = FORMS[form]([2, 3, 4])
    before = list(query)
    assert index.count(query) == 2
    assert index.count_batch([query, query, [1], []]).tolist() == [2, 2, 1, 7]
    assert index.ntd(query).end_count == 2
    assert index.match(query).lengths.tolist() == [3, 2, 1]
    assert index.infgram_prob(query[:2], query[2]).prob == 1.0
    assert list(query) == before  # a query is never written to


def test_batches_of_rows(tmp_path: Path, engine: str) -> None:
    index = open_ids(tmp_path, [[1, 2, 3, 4], [2, 3, 4]], 10, engine=engine)
    rows = np.array([[2, 3], [3, 2], [1, 2]], np.uint16)
    before = rows.copy()
    for batch in (rows, rows.astype(np.int64), np.asfortranarray(rows), rows.tolist()):
        assert index.count_batch(batch).tolist() == [2, 0, 1]
    assert (rows == before).all()
    assert index.count_batch([]).tolist() == []
    assert index.count_batch(np.empty((0, 3), np.int64)).tolist() == []
    assert index.count_batch([[]]).tolist() == [7]


@pytest.mark.parametrize(
    "query",
    [[1.0], [True], np.array([True]), [[1]], 5, None, [None], ["a"], [1 << 70], [-1], [10], b"ab"],
    ids=repr,
)
def test_what_is_no_ids_is_refused(tmp_path: Path, engine: str, query: object) -> None:
    index = open_ids(tmp_path, [[1, 2, 3, 4]], 10, engine=engine)
    for ask in (index.count, index.ntd, index.match, index.find, index.infgram_scores):
        with pytest.raises(QueryError) as error:
            ask(query)
        assert error.value.expected
    with pytest.raises(QueryError):
        index.count_batch([query])
    with pytest.raises(QueryError):
        index.count_batch("text")


def test_ids_above_what_a_machine_word_holds_are_named(tmp_path: Path, engine: str) -> None:
    index = open_ids(tmp_path, [[1, 2, 3, 4]], 10, engine=engine)
    with pytest.raises(QueryError, match=f"id {1 << 63}"):
        index.count(np.array([1 << 63], np.uint64))


def test_limits_and_tokens_that_have_no_meaning(tmp_path: Path, engine: str) -> None:
    index = open_ids(tmp_path, [[1, 2, 3, 4]], 10, engine=engine)
    for limit in (0, -1, 1.5, "3"):
        with pytest.raises(QueryError, match="limit"):
            index.ntd([1], limit=limit)
    for token in (10, -1, [1, 2], 1.0):
        with pytest.raises(QueryError):
            index.prob([1], token)
