"""Every query, over every named corpus, width and shard count, against the plain-Python oracle."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from building import build_ids, shard_budget
from corpora import Corpus, corpora, named_corpora, patterns, query_patterns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import NaiveIndex
from parity import compare_with_naive

import gramdex

WIDTHS = {1: 200, 2: 60_000, 4: 200_000}
CORPORA = {corpus.name: corpus for corpus in named_corpora()}


def compare_documents(index: gramdex.Index, naive: NaiveIndex, query: list[int]) -> None:
    found = index.documents(query, max_documents=1 << 30)
    expected = naive.documents(query)
    assert [(d.number, [m.start for m in d.matches]) for d in found] == expected
    for document in found:
        assert document.ids.tolist() == [*index.document(document.number).ids]
        for match in document.matches:
            assert document.ids[match.start : match.end].tolist() == query


def compare(documents: list[list[int]], size: int, queries: list[list[int]], shards: int) -> None:
    naive = NaiveIndex(documents)
    with tempfile.TemporaryDirectory() as folder:
        index = gramdex.open(
            build_ids(Path(folder), documents, size, shard_budget(documents, shards))
        )
        assert len(index.shards) <= max(1, 2 * shards)
        compare_with_naive(index, naive, queries)
        for query in queries[:6]:
            if query:
                compare_documents(index, naive, query)
        for number, document in enumerate(documents[:20]):
            assert index.document(number).ids.tolist() == document
        index.verify()


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("name", CORPORA)
def test_named_corpus(name: str, shards: int) -> None:
    corpus = CORPORA[name]
    compare(corpus.documents, corpus.vocabulary_size, query_patterns(corpus), shards)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("shards", [1, 2, 7])
def test_width_of_vocabulary(width: int, shards: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(width)
    documents = [rng.integers(0, 12, rng.integers(0, 60)).tolist() for _ in range(25)]
    size = WIDTHS[width]
    documents = [[(token * 7919) % size for token in document] for document in documents]
    corpus = Corpus("widths", documents, size)
    path = build_ids(tmp_path, documents, size, shard_budget(documents, shards))
    index = gramdex.open(path)
    assert index.manifests[0].token_width == width
    assert all(shard.engine.tokens.itemsize == width for shard in index.shards)
    compare_with_naive(index, NaiveIndex(documents), query_patterns(corpus, seed=3))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_any_corpus(data: st.DataObject) -> None:
    documents, size = data.draw(corpora())
    queries = data.draw(st.lists(patterns(documents, size), max_size=4))
    compare(documents, size, queries, data.draw(st.integers(1, 4)))


def test_prefix_table_that_ignores_low_bits(tmp_path: Path) -> None:
    """A vocabulary out of proportion to the shard shares buckets between tokens."""
    rng = np.random.default_rng(5)
    size = 1 << 20
    used = np.concatenate([rng.integers(0, 40, 20), rng.integers(0, size, 20)])
    documents = [rng.choice(used, 50).tolist() for _ in range(20)]
    index = gramdex.open(build_ids(tmp_path, documents, size, 300))
    assert all(shard.engine.shift == 4 for shard in index.shards)
    compare_with_naive(
        index, NaiveIndex(documents), query_patterns(Corpus("sparse", documents, size), count=30)
    )
    index.verify()


def test_long_patterns_and_long_matches(tmp_path: Path) -> None:
    """Matches far longer than the prefix at which matching statistics are inherited."""
    rng = np.random.default_rng(9)
    base = rng.integers(0, 50, 3000).tolist()
    changed = [*base[:1500], 50, *base[1501:]]
    documents = [base, changed, base[700:2900], [1] * 400]
    naive = NaiveIndex(documents)
    index = gramdex.open(build_ids(tmp_path, documents, 60, 4000))
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
