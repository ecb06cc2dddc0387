"""Comparisons of any index with the design's methods: with the oracle, and with infini-gram.

An index is whatever answers count, prob, ntd and the rest; sequences in its results may be
lists or arrays. Each function asserts, naming the pattern at which the two part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

# Patterns above this length are asked for their count and as contexts, not at every position:
# the oracle reads the whole corpus for each.
LONGEST_SCORED = 60


def plain(result: Any, fields: str) -> tuple:
    """The named fields of a result as Python numbers and lists, NaN in lists as None."""
    return tuple(_plain(getattr(result, field)) for field in fields.split())


def _plain(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list | tuple):
        return [None if item != item else item for item in map(_plain, value)]
    return value


PROB = "prob context_count count"
NTD = "context_count tokens counts end_count complete"
SUFFIX = " suffix_length sparse"
SCORES = "probs suffix_lengths context_counts counts"
MATCHES = "lengths counts"


# --- with the oracle ------------------------------------------------------------------------


def compare_with_naive(
    index: Any, naive: Any, queries: Iterable[Sequence[int]], limits: Sequence[int] = (1, 2)
) -> None:
    """Every query of ``naive.NaiveIndex`` but ``documents``, for every pattern."""
    queries = [list(query) for query in queries]
    assert _plain(index.token_count) == naive.token_count
    assert _plain(index.document_count) == naive.document_count
    expected_counts = naive.count_batch(queries)
    assert _plain(index.count_batch(queries)) == expected_counts
    for query, expected_count in zip(queries, expected_counts, strict=True):
        assert _plain(index.count(query)) == expected_count, query
        for limit in (None, *limits):
            found, expected = index.ntd(query, limit), naive.ntd(query, limit)
            assert plain(found, NTD) == plain(expected, NTD), (query, limit)
            found, expected = index.infgram_ntd(query, limit), naive.infgram_ntd(query, limit)
            assert plain(found, NTD + SUFFIX) == plain(expected, NTD + SUFFIX), (query, limit)
        if query:
            context, token = query[:-1], query[-1]
            found, expected = index.prob(context, token), naive.prob(context, token)
            assert plain(found, PROB) == plain(expected, PROB), query
            found = index.infgram_prob(context, token)
            expected = naive.infgram_prob(context, token)
            assert plain(found, PROB + SUFFIX) == plain(expected, PROB + SUFFIX), query
        if len(query) <= LONGEST_SCORED:
            found, expected = index.infgram_scores(query), naive.infgram_scores(query)
            assert plain(found, SCORES) == plain(expected, SCORES), query
            found, expected = index.match(query), naive.match(query)
            assert plain(found, MATCHES) == plain(expected, MATCHES), query


# --- with infini-gram -----------------------------------------------------------------------


def compare_with_infini_gram(
    index: Any,
    engine: Any,
    queries: Iterable[Sequence[int]],
    end_token: int,
    last_document: Sequence[int],
) -> int:
    """count, prob, ntd, infgram_prob, infgram_ntd, wherever infini-gram means or does the same.

    Its differences, as `gramdex.tools.bench.peers.infini_gram_index` lists them, are taken
    account of: the empty context counts the separators too, a document's end is ``end_token``,
    and where the last document ends with the context its distribution can be wrong.

    Args:
        index: the index to judge.
        engine: from ``infini_gram.open_engine``, over one shard of the same documents.
        queries: patterns of ids below the separator and other than ``end_token``.
        end_token: the id the engine was opened with.
        last_document: of the corpus: it tells where distributions are left out.

    Returns:
        The number of distributions left out, so that a caller can see that few were.
    """
    # A separator stands before every document: the empty context's ends, seen by infini-gram.
    separators = _plain(index.document_count)
    left_out = 0
    for query in map(list, queries):
        expected = engine.count(query)["count"]
        assert _plain(index.count(query)) == expected - (0 if query else separators), query
        left_out += _compare_ntd(index, engine, query, end_token, last_document)
        if query:
            _compare_prob(index, engine, query[:-1], query[-1])
    return left_out


def _compare_prob(index: Any, engine: Any, context: list[int], token: int) -> None:
    at = (context, token)
    theirs, ours = engine.prob(context, token), index.prob(context, token)
    assert plain(ours, PROB) == _probability(index, theirs, not context), at
    theirs, ours = engine.infgram_prob(context, token), index.infgram_prob(context, token)
    length = theirs["suffix_len"]
    assert _plain(ours.suffix_length) == length, at
    assert plain(ours, PROB) == _probability(index, theirs, length == 0), at


def _probability(index: Any, theirs: dict, empty_context: bool) -> tuple:
    """(prob, context_count, count) as the design means them, from infini-gram's answer."""
    separators = _plain(index.document_count) if empty_context else 0
    context_count, count = theirs["prompt_cnt"] - separators, theirs["cont_cnt"]
    return (count / context_count if context_count else None, context_count, count)


def _compare_ntd(
    index: Any, engine: Any, context: list[int], end_token: int, last_document: Sequence[int]
) -> int:
    """Both distributions after ``context``; returns how many were left out."""
    left_out = 0
    theirs, ours = engine.ntd(context), index.ntd(context)
    assert not theirs["approx"]
    if engine_ntd_is_exact(engine, context, last_document):
        assert _distribution(ours) == _their_distribution(theirs, context, end_token), context
    else:
        left_out += 1
    theirs, ours = engine.infgram_ntd(context), index.infgram_ntd(context)
    length = theirs["suffix_len"]
    assert _plain(ours.suffix_length) == length, context
    suffix = context[len(context) - length :]
    if engine_ntd_is_exact(engine, suffix, last_document):
        expected = _their_distribution(theirs, suffix, end_token)
        assert _distribution(ours) == expected, context
        (_, counts, end_count) = expected
        assert ours.sparse == (len(counts) == 1 and end_count == 0), context
    else:
        left_out += 1
    return left_out


def engine_ntd_is_exact(engine: Any, context: list[int], last_document: Sequence[int]) -> bool:
    """Whether infini-gram's distribution after ``context`` can be relied on.

    Of the suffixes that begin with a context, one cut off by the end of the data sorts first
    and those that run into a separator sort last. Both are read as the end token, and a range
    of four or more with the same token at both ends is taken to hold nothing else.
    """
    at_data_end = list(last_document[len(last_document) - len(context) :]) == context
    if not context or len(context) > len(last_document) or not at_data_end:
        return True
    separator = engine.token_id_max
    return engine.count(context)["count"] < 4 or engine.count([*context, separator])["count"] == 0


def _distribution(ours: Any) -> tuple:
    assert ours.complete
    context_count, tokens, counts, end_count, _ = plain(ours, NTD)
    assert sum(counts) + end_count == context_count
    assert list(zip(tokens, counts, strict=True)) == sorted(
        zip(tokens, counts, strict=True), key=lambda item: (-item[1], item[0])
    )
    return context_count, dict(zip(tokens, counts, strict=True)), end_count


def _their_distribution(theirs: dict, context: list[int], end_token: int) -> tuple:
    counts = {token: of["cont_cnt"] for token, of in theirs["result_by_token_id"].items()}
    ends = counts.pop(end_token, 0)
    if context:
        return theirs["prompt_cnt"], counts, ends
    # After the empty context every separator is a next token; by the design no end is.
    return theirs["prompt_cnt"] - ends, counts, 0
