"""The oracle's meaning, pinned by examples worked out by hand."""

from __future__ import annotations

from itertools import chain
from math import isnan

import corpora
import naive
import parity
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# 1 2 1 2 3 | (empty) | 2 1 2 | 3
DOCUMENTS = [[1, 2, 1, 2, 3], [], [2, 1, 2], [3]]


@pytest.fixture
def index():
    return naive.NaiveIndex(DOCUMENTS)


def test_sizes(index):
    assert index.token_count == 9
    assert index.document_count == 4


@pytest.mark.parametrize(
    ("ids", "count"),
    [
        ((), 9),
        ((1,), 3),
        ((2,), 4),
        ((3,), 2),
        ((4,), 0),
        ((1, 2), 3),
        ((2, 1, 2), 2),  # at 1 of the first document; the whole third
        ((1, 2, 1, 2, 3), 1),
        ((2, 3), 1),  # 2 | 3 across the last border does not count
        ((3, 2), 0),  # nor 3 | | 2 across the empty document
        ((1, 2, 1, 2, 3, 2), 0),
    ],
)
def test_count(index, ids, count):
    assert index.count(ids) == count


def test_count_batch(index):
    assert index.count_batch([(), (1,), (9,)]) == [9, 3, 0]


def test_overlapping_occurrences_all_count():
    assert naive.NaiveIndex([[0, 0, 0, 0]]).count([0, 0]) == 3


def test_documents(index):
    assert index.documents([1, 2]) == [(0, [0, 2]), (2, [1])]
    assert index.documents([3]) == [(0, [4]), (3, [0])]
    assert index.documents([4]) == []
    assert index.documents([]) == [(0, [0, 1, 2, 3, 4]), (2, [0, 1, 2]), (3, [0])]


def test_ntd(index):
    # After 2: 1, 3 in the first document; 1, then the end, in the third.
    assert index.ntd([2]) == (4, [1, 3], [2, 1], 1, True)
    assert index.ntd([2], limit=1) == (4, [1], [2], 1, False)
    assert index.ntd([2], limit=2) == (4, [1, 3], [2, 1], 1, True)
    # After 1 2: 1, 3, and the third document's end; of equal counts the smaller id first.
    assert index.ntd([1, 2]) == (3, [1, 3], [1, 1], 1, True)
    assert index.ntd([1, 2], limit=1) == (3, [1], [1], 1, False)
    assert index.ntd([3]) == (2, [], [], 2, True)
    assert index.ntd([4]) == (0, [], [], 0, True)


def test_ntd_of_the_empty_context_is_the_unigram_distribution(index):
    assert index.ntd([]) == (9, [2, 1, 3], [4, 3, 2], 0, True)
    assert index.ntd([], limit=2) == (9, [2, 1], [4, 3], 0, False)


def test_prob(index):
    assert index.prob([2], 1) == (2 / 4, 4, 2)
    assert index.prob([2], 2) == (0.0, 4, 0)
    assert index.prob([1], 2) == (1.0, 3, 3)
    assert index.prob([3], 1) == (0.0, 2, 0)  # always at an end: no token has any mass
    assert index.prob([4], 1) == (None, 0, 0)
    assert index.prob([], 3) == (2 / 9, 9, 2)
    assert index.prob([], 4) == (0.0, 9, 0)


def test_infgram_prob(index):
    assert index.infgram_prob([3, 1], 2) == (1.0, 3, 3, 1, True)  # 3 1 never, 1 three times
    assert index.infgram_prob([9, 2, 1, 2], 3) == (1 / 2, 2, 1, 3, False)
    assert index.infgram_prob([9], 1) == (3 / 9, 9, 3, 0, False)
    assert index.infgram_prob([1, 2, 9], 1) == (3 / 9, 9, 3, 0, False)
    assert index.infgram_prob([], 1) == (3 / 9, 9, 3, 0, False)
    # 2 3 occurs, if only at a document's end: no backing off to 3.
    assert index.infgram_prob([2, 3], 1) == (0.0, 1, 0, 2, False)


def test_infgram_ntd(index):
    assert index.infgram_ntd([3, 1]) == (3, [2], [3], 0, True, 1, True)
    assert index.infgram_ntd([3, 2]) == (4, [1, 3], [2, 1], 1, True, 1, False)
    assert index.infgram_ntd([3, 2], limit=1) == (4, [1], [2], 1, False, 1, False)
    assert index.infgram_ntd([3, 1], limit=0) == (3, [], [], 0, False, 1, True)
    assert index.infgram_ntd([2, 3]) == (1, [], [], 1, True, 2, False)
    assert index.infgram_ntd([9]) == (9, [2, 1, 3], [4, 3, 2], 0, True, 0, False)


def test_one_token_beside_an_end_is_not_sparse():
    index = naive.NaiveIndex([[1, 2], [1, 2], [1]])
    assert index.infgram_ntd([1]) == (3, [2], [2], 1, True, 1, False)


def test_infgram_scores(index):
    # 1 | ∅; 2 | 1; 3 | 1 2; 2 | 3 (only at ends, 2 3 there too); 9 | 2; 1 | ∅ (9 is unknown)
    scores = index.infgram_scores([1, 2, 3, 2, 9, 1])
    assert scores.probs == [3 / 9, 1.0, 1 / 3, 0.0, 0.0, 3 / 9]
    assert scores.suffix_lengths == [0, 1, 2, 3, 1, 0]
    assert scores.context_counts == [9, 3, 3, 1, 4, 9]
    assert scores.counts == [3, 3, 1, 0, 0, 3]


def test_match(index):
    # 2 1 2 3 | 9 | 3 1 2: from the first document's 1 2 3 on; 3 1 never.
    assert index.match([2, 1, 2, 3, 9, 3, 1, 2]) == (
        [4, 3, 2, 1, 0, 1, 2, 1],
        [1, 1, 1, 2, 0, 2, 3, 4],
    )
    assert index.match([]) == ([], [])


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_no_tokens_at_all(documents):
    index = naive.NaiveIndex(documents)
    assert (index.token_count, index.document_count) == (0, len(documents))
    assert index.count([]) == 0
    assert index.documents([]) == []
    assert index.prob([], 1) == (None, 0, 0)
    assert index.ntd([]) == (0, [], [], 0, True)
    assert index.infgram_prob([1], 1) == (None, 0, 0, 0, False)
    assert index.infgram_ntd([1]) == (0, [], [], 0, True, 0, False)
    assert all(isnan(prob) for prob in index.infgram_scores([1, 2]).probs)
    assert index.infgram_scores([1, 2])[1:] == ([0, 0], [0, 0], [0, 0])
    assert index.match([1, 2]) == ([0, 0], [0, 0])


def test_vocabulary_of_one():
    index = naive.NaiveIndex([[0, 0, 0]])
    assert index.ntd([0]) == (3, [0], [2], 1, True)
    assert index.infgram_ntd([0] * 5) == (1, [], [], 1, True, 3, False)
    assert index.infgram_ntd([]) == (3, [0], [3], 0, True, 0, True)


# --- what has to hold for every corpus ------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.data())
def test_invariants(data):
    documents, size = data.draw(corpora.corpora())
    pattern = data.draw(corpora.patterns(documents, size))
    index = naive.NaiveIndex(documents)
    assert all(token < size for token in chain(pattern, *documents))
    distribution = index.ntd(pattern)
    assert distribution.context_count == index.count(pattern)
    assert sum(distribution.counts) + distribution.end_count == distribution.context_count
    found = index.documents(pattern)
    assert sum(len(starts) for _, starts in found) == index.count(pattern)
    for token, count in zip(distribution.tokens, distribution.counts, strict=True):
        assert index.prob(pattern, token).count == count
    lengths, counts = index.match(pattern)
    for i, (length, count) in enumerate(zip(lengths, counts, strict=True)):
        assert count == (index.count(pattern[i : i + length]) if length else 0)
        longer = pattern[i : i + length + 1]
        assert len(longer) == length or index.count(longer) == 0
    # Backing off is matching the reversed text.
    backwards = naive.NaiveIndex([document[::-1] for document in documents])
    suffix = index.longest_suffix(pattern)
    assert len(suffix) == (backwards.match(pattern[::-1]).lengths or [0])[0]
    assert index.infgram_prob(pattern, 0).context_count == index.count(suffix)


def test_the_oracle_agrees_with_itself():
    corpus = corpora.by_name("ends_everywhere")
    index = naive.NaiveIndex(corpus.documents)
    parity.compare_with_naive(index, index, corpora.query_patterns(corpus))


# --- the corpora are what they say ----------------------------------------------------------


def test_words():
    assert corpora.de_bruijn(2, 3) == [0, 0, 0, 1, 0, 1, 1, 1]
    assert corpora.fibonacci_word(8) == [0, 1, 0, 0, 1, 0, 1, 0]
    assert corpora.thue_morse(8) == [0, 1, 1, 0, 1, 0, 0, 1]
    assert corpora.periodic([4, 5], 5) == [4, 5, 4, 5, 4]


def test_named_corpora():
    every = corpora.named_corpora()
    assert len({corpus.name for corpus in every}) == len(every)
    for corpus in every:
        ids = list(chain(*corpus.documents))
        assert all(0 <= token < corpus.vocabulary_size for token in ids), corpus.name
        if corpus.name.startswith("vocabulary_2") or corpus.name.startswith("vocabulary_6"):
            assert max(ids) == corpus.vocabulary_size - 1


def test_query_patterns_hold_what_they_promise():
    corpus = corpora.by_name("border_lookalike")
    index = naive.NaiveIndex(corpus.documents)
    patterns = corpora.query_patterns(corpus)
    assert patterns == corpora.query_patterns(corpus)
    assert patterns != corpora.query_patterns(corpus, seed=1)
    assert [] in patterns
    longest = max(map(len, corpus.documents))
    assert any(len(pattern) > longest for pattern in patterns)
    counts = index.count_batch(patterns)
    assert any(count == 0 for count in counts)
    assert sum(count > 0 for count in counts) > 10
    assert all(token < corpus.vocabulary_size for token in chain(*patterns))
