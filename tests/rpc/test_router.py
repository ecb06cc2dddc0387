"""Members that answer as one: every query against one index of all their folders."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from building import build_ids
from corpora import by_name, corpora, patterns, query_patterns
from hypothesis import given, settings
from hypothesis import strategies as st
from routing import (
    SETTINGS,
    assert_alike,
    assert_same,
    build_members,
    compare,
    compare_cursors,
    compare_drafts,
    compare_places,
    compare_searches,
    names_of,
    outcome,
    parts_of,
    routed,
)
from texts import FAMILIES, build_text

import gramdex
from gramdex.errors import TokenizerError, UsageError
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.queries import attribution, search
from gramdex.fmindex.queries.contamination.corpus import NormalizedIndex
from gramdex.fmindex.queries.contamination.definitions import DEFINITIONS, adjust
from gramdex.fmindex.queries.contamination.normalization import Normalization
from gramdex.rpc.router import RoutedIndex

ENGINES = [("sa",), ("fm",), ("fm, dense", "sa")]


@pytest.mark.parametrize("engines", ENGINES, ids=" and ".join)
@settings(max_examples=12, **SETTINGS)
@given(data=st.data())
def test_any_corpus_in_any_parts(engines: tuple[str, ...], data: st.DataObject) -> None:
    documents, size = data.draw(corpora())
    cuts = data.draw(st.lists(st.integers(0, len(documents)), max_size=3))
    queries = data.draw(st.lists(patterns(documents, size), max_size=4))
    phrase = patterns(documents, size).map(lambda ids: ids[:3]).filter(bool)
    cnf = data.draw(st.lists(st.lists(phrase, min_size=1, max_size=2), min_size=1, max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        parts = parts_of(documents, cuts)
        paths = build_members(Path(folder), parts, size, engines, data.draw(st.integers(1, 3)))
        whole = gramdex.open(paths)
        with routed([gramdex.open(p) for p in paths], reverse=data.draw(st.booleans())) as index:
            compare(index, whole, [[], *queries])
            compare_searches(index, whole, cnf, (None, data.draw(st.integers(0, 99))))
            compare_drafts(index, whole, [[], *queries])
            text = [token for query in queries for token in query]
            for sources in (0, 2, 10):
                options = {"min_length": 2, "keep": None, "max_documents": sources}
                assert_alike(index, whole, "attribute", text, **options, context=2)
            compare_places(index, whole)


CORPORA = ("ends_everywhere", "identical_documents", "skewed", "sparse_ids", "empty_corpus")


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("engine", ["sa", "fm"])
def test_named_corpora(name: str, engine: str, tmp_path: Path) -> None:
    corpus = by_name(name)
    parts = parts_of(corpus.documents, (2, 2, 7))
    paths = build_members(tmp_path, parts, corpus.vocabulary_size, [engine], 2)
    whole, members = gramdex.open(paths), [gramdex.open(path) for path in paths]
    for reverse in (False, True):
        with routed(members, reverse) as index:
            compare(index, whole, query_patterns(corpus, count=4))
            compare_drafts(index, whole, query_patterns(corpus, 2, 2)[:12])
            compare_places(index, whole)
            compare_cursors(index, whole, query_patterns(corpus, 1, 2))


TEXTS = [
    "It was the best of times, it was the worst of times. It was the age of wisdom.",
    "the best of times is now, the very best",
    " naïve 東京 the the",
    "",
    "nothing of interest here, but the worst of times may come 🙂🙂",
    "the worst of times",
    "It was the age of foolishness, the best of times",
]
STRINGS = ["the best", "times", "t", "🙂", "nowhere at all", " the", "", "东", "e w"]
CNFS: list[Any] = [
    "times",
    '("best of" OR worst) AND times NEAR/30',
    [["the"], ["of times", "age"]],
    [["best", "worst"]],
    "nowhere AND times",
    [],
    [[]],
    [["", "a"]],
    "AND",
    7,
]


@pytest.fixture(scope="module", params=["bytes", "byte-level", "unigram with bytes"])
def texts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RoutedIndex, gramdex.Index]]:
    folder = tmp_path_factory.mktemp("texts")
    tokenizer = FAMILIES[request.param](folder)
    paths = [
        build_text(folder / f"m{i}", part, tokenizer, engine=("sa", "fm")[i % 2], shard_tokens=120)
        for i, part in enumerate(parts_of(TEXTS, (2, 4)))
    ]
    with routed([gramdex.open(path) for path in paths]) as index:
        yield index, gramdex.open(paths)


def test_strings(texts: tuple) -> None:
    index, whole = texts
    compare(index, whole, STRINGS)
    assert_alike(index, whole, "count_batch", ["times", [1], "", [0, 1]])
    assert_alike(index, whole, "count_batch", np.array([[1, 2], [0, 1]]))
    queries = iter(["times", "the"])
    assert index.count_batch(queries).tolist() == whole.count_batch(["times", "the"]).tolist()
    ids = index.encode("the best")
    assert_same(ids, whole.encode("the best"))
    assert index.decode(ids) == whole.decode(ids)
    index.require_tokenizer(whole.tokenizer)
    with pytest.raises(TokenizerError):
        index.require_tokenizer("another")


@pytest.mark.parametrize("cnf", CNFS, ids=str)
def test_searches_of_text(texts: tuple, cnf: Any) -> None:
    compare_searches(*texts, cnf, (None, 0, 5))


@settings(max_examples=40, **SETTINGS)
@given(seed=st.integers(0, 1 << 20), skip=st.integers(0, 8), most=st.integers(0, 8))
def test_pages_of_a_drawn_order(texts: tuple, seed: int, skip: int, most: int) -> None:
    """Whether members have listed the places of those that are drawn, or are asked for them."""
    index, whole = texts
    assert_alike(index, whole, "search", "the", most, None, seed, 3, skip)
    assert_alike(index, whole, "documents", "the", most, 3, skip)
    assert_alike(index, whole, "documents", index.encode("times"), most, None, skip)


ATTRIBUTED = "He said it was the best of times, and the worst of times may come."


@pytest.mark.parametrize("looked_at", [(40, 400), (2, 5)])
def test_attribution(texts: tuple, looked_at: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    index, whole = texts
    monkeypatch.setattr(attribution, "_LOOKED_AT", looked_at)
    for options in (
        {},
        {"min_length": 3, "keep": None},
        {"min_length": 2, "keep": 0.5, "max_documents": 2, "context": 3, "seed": 9},
        {"min_length": 2, "keep": None, "words": False, "sentences": True, "max_count": 3},
        {"max_documents": 0},
        {"min_length": 0},
        {"keep": 2},
        {"context": -1},
    ):
        assert_alike(index, whole, "attribute", ATTRIBUTED, **options)
    assert_alike(index, whole, "attribute", [1 << 40])
    assert_alike(index, whole, "attribute", "")
    found = index.attribute(ATTRIBUTED, min_length=3, keep=None)
    assert {s.document.number for span in found.spans for s in span.sources} >= {0, 4}


@pytest.mark.parametrize("engines", ENGINES, ids=" and ".join)
def test_sources_are_drawn_over_all_members(
    engines: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(11)
    documents = [rng.integers(0, 4, rng.integers(0, 30)).tolist() for _ in range(60)]
    paths = build_members(tmp_path, parts_of(documents, (5, 40)), 6, engines, 2)
    whole = gramdex.open(paths)
    monkeypatch.setattr(attribution, "_LOOKED_AT", (3, 20))
    with routed([gramdex.open(path) for path in paths]) as index:
        for seed in range(6):
            text = rng.integers(0, 4, 12).tolist()
            options = {"min_length": 1 + seed % 3, "keep": None, "seed": seed}
            for most, context in ((2, 3), (5, None)):
                assert_alike(
                    index, whole, "attribute", text, max_documents=most, context=context, **options
                )


SMALL = adjust(
    DEFINITIONS,
    [
        "windows.characters=9", "ngrams.n=3", "ngram-share.n=2", "sampled.characters=7",
        "token-ngrams.n=4", "longest.least=3", "coverage.longer_than=3",
    ],
)  # fmt: skip
EXAMPLES = [
    ("the best of times is now", "the worst of times"),
    "It was the age of wisdom",
    "something else entirely",
]


def test_contamination(texts: tuple, tmp_path: Path) -> None:
    index, whole = texts
    found = index.contamination(iter(EXAMPLES), definitions=SMALL)
    assert_same(found, whole.contamination(EXAMPLES, definitions=SMALL))
    assert found.offenders
    paths = [
        build_text(tmp_path / f"m{i}", [Normalization().apply(text) for text in part], "bytes")
        for i, part in enumerate(parts_of(TEXTS, (1, 5)))
    ]
    with routed([gramdex.open(path) for path in paths]) as side:
        sides = [NormalizedIndex(each, Normalization()) for each in (side, gramdex.open(paths))]
        found = index.contamination(EXAMPLES, definitions=SMALL, normalized=sides[0])
        expected = whole.contamination(EXAMPLES, definitions=SMALL, normalized=sides[1])
        assert_same(found, expected)
        assert_same(index.contamination(EXAMPLES, definitions=SMALL, normalized=sides[1]), expected)
    assert_alike(index, whole, "contamination", [])


BAD: list[tuple[str, tuple]] = [
    ("count", ([-1],)),
    ("count", ([0.5],)),
    ("count", ([1 << 40],)),
    ("count", ("\ud800",)),
    ("count_batch", ("one",)),
    ("count_batch", ([[1], [1 << 40]],)),
    ("find", ("",)),
    ("prob", ([1], "two of them")),
    ("prob", ([1], -1)),
    ("ntd", ([1], 0)),
    ("infgram_ntd", ([1], "x")),
    ("documents", ([1], -1)),
    ("documents", ([1], 1, -1)),
    ("documents", ([1], 1, None, -1)),
    ("documents", ([], 1)),
    ("search", ([[[1]]], -1)),
    ("search", ([[[1]]], 1, -1)),
    ("search", ([[[1]]], 1, None, -1)),
    ("search", ("times NEAR/3", 1, 4)),
    ("document", (-1,)),
    ("document", (True,)),
    ("document_at", (0, -1)),
    ("document_at", (0, 0, -1)),
]


@pytest.mark.parametrize(("name", "arguments"), BAD, ids=str)
def test_bad_input_is_refused_in_the_same_words(texts: tuple, name: str, arguments: tuple) -> None:
    index, whole = texts
    assert_alike(index, whole, name, *arguments)
    refused = outcome(lambda: getattr(index, name)(*arguments))
    assert refused[0] in ("QueryError", "TokenizerError")


def test_estimates_bound_the_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    documents = [rng.integers(0, 30, rng.integers(0, 90)).tolist() for _ in range(200)]
    paths = build_members(tmp_path, parts_of(documents, (30, 130)), 40, ["sa", "fm"], 2)
    members, cnf = [gramdex.open(path) for path in paths], [[[3]], [[4]]]
    expected = gramdex.open(paths).search(cnf, 1000)
    monkeypatch.setattr(search, "SAMPLE", 60)
    asked = []
    bounds = search.proportion.bounds
    monkeypatch.setattr(
        search.proportion, "bounds", lambda *given: asked.append(given[2]) or bounds(*given)
    )
    for member in members[1:]:
        monkeypatch.setattr(member._engine, "most_located", 0, raising=False)
    with routed(members) as index:
        for seed in range(10):
            found = index.search(cnf, 1000, None, seed)
            assert not found.exact
            assert found.low <= expected.count <= found.high
            assert found.low <= found.count <= found.high
            assert found.document_count is None
            assert found.sampled < expected.sampled
            assert {d.number for d in found.documents} <= {d.number for d in expected.documents}
            again = index.search(cnf, 3, None, seed)
            assert {d.number for d in again.documents} <= {d.number for d in found.documents}
            assert len(again.documents) == 3
    assert asked
    assert asked == [pytest.approx(1 - 0.01 / 3)] * len(asked)


def test_pages_of_what_is_not_all_located(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First occurrences are looked for in steps where they are many."""
    monkeypatch.setattr(Engine, "first_taken", 2)
    documents = [[1, 2, 3, 1][: i % 5] * (1 + i % 3) for i in range(40)]
    paths = build_members(tmp_path, parts_of(documents, (7, 30)), 5, ["sa", "fm"], 2)
    whole = gramdex.open(paths)
    with routed([gramdex.open(path) for path in paths]) as index:
        for query in ([1], [2, 3], [1, 1]):
            for skip in range(0, 30, 3):
                assert_alike(index, whole, "documents", query, 4, 1, skip)


def test_threads_share_an_index(texts: tuple) -> None:
    index, whole = texts
    asked = [string for string in STRINGS if string] * 10
    expected = [(whole.count(text), whole.search([[text]], 2, seed=1)) for text in asked]
    with ThreadPoolExecutor(6) as pool:
        found = pool.map(lambda text: (index.count(text), index.search([[text]], 2, seed=1)), asked)
        assert_same(list(found), expected)


def test_what_is_no_set_of_members(tmp_path: Path) -> None:
    for name, size in (("a", 10), ("b", 11)):
        (tmp_path / name).mkdir()
        build_ids(tmp_path / name, [[1, 2]], size)
    one, other = (gramdex.open(tmp_path / name / "index") for name in "ab")
    for members, names in (([], []), ([one], []), ([one, one], ["a", "a"])):
        with pytest.raises(UsageError):
            RoutedIndex(members, names)
    with pytest.raises(TokenizerError) as caught:
        RoutedIndex([one, other], ["a", "b"])
    for said in (one.tokenizer.fingerprint, other.tokenizer.fingerprint, "10 ids", "11 ids"):
        assert said in str(caught.value)
    index = RoutedIndex([one], names_of([one]))
    assert repr(index) == "RoutedIndex(m0: 1 documents, 2 tokens, 1 shards, none)"
    assert index.count([1]) == 1
    index.close()
    with pytest.raises(UsageError, match="closed"):
        index.count([1])
