"""Boolean search: against brute force, as typed, sampled, and refused."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import evidence
import numpy as np
import pytest
from building import build_ids, open_ids, shard_budget
from corpora import corpora, patterns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gramdex
from gramdex.errors import QueryError
from gramdex.fmindex.queries import proportion
from gramdex.fmindex.queries import search as module
from gramdex.fmindex.queries.query_string import parse_search

PATHS = {"intersected": (4096, 1 << 60), "looked at one by one": (4096, -1)}
ENGINES = ["sa", "fm", "mixed"]


def compare(
    index: gramdex.Index, documents: list[list[int]], cnf: list, window: int | None
) -> None:
    found = index.search(cnf, max_documents=1000, window=window)
    expected = evidence.search(documents, cnf, window)
    assert found.exact
    assert (found.count, found.low, found.high) == (expected.count,) * 3
    assert found.document_count == len(expected.documents)
    assert [d.number for d in found.documents] == expected.documents
    assert found.anchor == expected.anchor
    for document in found.documents:
        spans = [(m.start, m.end) for m in document.matches]
        assert spans == evidence.phrase_spans(documents[document.number], cnf)
    for document in index.search(cnf, 1000, window, context=2).documents:
        assert document.matches
        for match in document.matches:
            assert document.start <= match.start < match.end <= document.end


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("path", PATHS)
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_search_of_any_corpus(path: str, engine: str, data: st.DataObject) -> None:
    documents, size = data.draw(corpora())
    phrase = patterns(documents, size).map(lambda ids: ids[:3]).filter(bool)
    cnf = data.draw(st.lists(st.lists(phrase, min_size=1, max_size=3), min_size=1, max_size=3))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SAMPLE", PATHS[path][0])
        patch.setattr(module, "_worth", lambda *_: PATHS[path][1])
        shards = data.draw(st.integers(1, 3))
        budget = shard_budget(documents, shards)
        index = open_ids(Path(folder), documents, size, budget, engine)
        for window in (None, 0, 1, data.draw(st.integers(2, 20))):
            compare(index, documents, cnf, window)


@pytest.fixture(scope="module", params=ENGINES)
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[gramdex.Index, list[list[int]]]:
    rng = np.random.default_rng(4)
    documents = [rng.integers(0, 30, rng.integers(0, 90)).tolist() for _ in range(300)]
    documents[7] = [3] * 50
    folder = tmp_path_factory.mktemp("large")
    return open_ids(folder, documents, 40, 5000, request.param), documents


CLAUSES = [
    [[[3]], [[4]]],
    [[[3], [4, 5], [3, 3]], [[6], [7], [6, 8]]],
    [[[1]], [[2]], [[3]], [[9], [10]]],
    [[[1, 2]], [[0]]],
    [[[35]], [[3]]],
    [[[3]]],
    [[[3], [3, 4], [3]]],
]


@pytest.mark.parametrize("window", [None, 0, 1, 5, 40, 1000])
@pytest.mark.parametrize("cnf", CLAUSES, ids=str)
def test_larger_corpus(large: tuple, cnf: list, window: int | None) -> None:
    compare(*large, cnf, window)


@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("cnf", CLAUSES[:3], ids=str)
def test_a_sample_bounds_the_count(
    large: tuple, cnf: list, window: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, documents = large
    expected = evidence.search(documents, cnf, window)
    monkeypatch.setattr(index._engine, "most_located", 0, raising=False)
    monkeypatch.setattr(module, "SAMPLE", 60)
    estimates = []
    for seed in range(20):
        found = index.search(cnf, 1000, window, seed)
        assert not found.exact
        assert found.document_count is None
        assert found.sampled == 60
        assert found.low <= expected.count <= found.high
        assert found.low <= found.count <= found.high
        assert {d.number for d in found.documents} <= set(expected.documents)
        assert "about" in repr(found)
        estimates.append(found.count)
        assert index.search(cnf, 1000, window, seed).count == found.count
    total = sum(expected.count for _ in estimates) / len(estimates)
    assert abs(np.mean(estimates) - total) < 0.25 * max(total, 20)


def test_fewer_are_drawn_where_documents_are_long(
    large: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, documents = large
    monkeypatch.setattr(module, "SAMPLE", 200)
    monkeypatch.setattr(module, "SMALL_SAMPLE", 20)
    mean = sum((len(d) + 1) ** 2 for d in documents) / sum(len(d) + 1 for d in documents)
    for most, sampled in ((0, 20), (100 * mean + 1, 100), (1000 * mean, 200)):
        monkeypatch.setattr(index._engine, "most_located", most, raising=False)
        assert module._sample_size(index._documents, None) == sampled
        assert module._sample_size(index._documents, 5) == 200
    monkeypatch.setattr(index._engine, "most_located", 0)
    assert index.search([[[3]], [[4]]]).sampled == 20
    assert index.search([[[3]], [[4]]], window=2).sampled == 200


def test_a_single_phrase_is_counted_even_where_documents_are_sampled(
    large: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, _ = large
    monkeypatch.setattr(index._engine, "most_located", 0, raising=False)
    monkeypatch.setattr(module, "SAMPLE", 60)
    found = index.search([[[3]]], max_documents=3)
    assert (found.count, found.exact, found.document_count) == (index.count([3]), True, None)
    assert len(found.documents) == 3


@pytest.mark.parametrize("sampled", [1, 7, 60])
def test_bounds_hold_as_often_as_they_say(sampled: int) -> None:
    for share in (0.001, 0.03, 0.4, 0.99):
        chances = [
            float(np.exp(proportion._coefficients(sampled)[k]))
            * share**k
            * (1 - share) ** (sampled - k)
            for k in range(sampled + 1)
        ]
        held = [low <= share <= high for low, high in (
            proportion.bounds(k, sampled) for k in range(sampled + 1)
        )]  # fmt: skip
        assert sum(c for c, inside in zip(chances, held, strict=True) if inside) >= 0.99
    assert proportion.bounds(0, sampled)[0] == 0
    assert proportion.bounds(sampled, sampled)[1] == 1


def test_documents_in_order_or_drawn(large: tuple) -> None:
    index, documents = large
    cnf = [[[3]], [[4]]]
    expected = evidence.search(documents, cnf, None).documents
    assert [d.number for d in index.search(cnf, 5).documents] == expected[:5]
    drawn = [d.number for d in index.search(cnf, 5, seed=1).documents]
    assert drawn == [d.number for d in index.search(cnf, 5, seed=1).documents]
    assert drawn == sorted(set(drawn))
    seen = {d.number for seed in range(80) for d in index.search(cnf, 50, seed=seed).documents}
    assert seen == set(expected)
    assert index.search(cnf, 0).documents == ()
    assert index.search(cnf, 0).count > 0


def build(folder: Path, texts: list[str]) -> gramdex.Index:
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    gramdex.build(source, folder / "index")
    return gramdex.open(folder / "index")


def test_queries_as_typed(tmp_path: Path) -> None:
    texts = ["natural language and a suffix array", "nlp", "the suffix array of nlp é", "é"]
    index = build(tmp_path, texts)

    def found(query: str) -> list[int]:
        return [document.number for document in index.search(query).documents]

    assert found('("natural language" OR nlp) AND "suffix array"') == [0, 2]
    assert found('("natural language" OR nlp) AND "suffix array" NEAR/16') == [2]
    assert found("nlp") == [1, 2]
    assert found("nlp OR é") == [1, 2, 3]
    assert found("zebra AND nlp") == []
    assert found(f"[{ord('n')}, {ord('l')}] AND é") == [2]
    (document,) = index.search("array AND é", context=3).documents
    assert document.text == "ix array of"
    with pytest.raises(QueryError, match="one of them"):
        index.search("a AND b NEAR/3", window=2)


def test_what_is_read() -> None:
    assert parse_search("a").clauses == [["a"]]
    assert parse_search("a OR b").clauses == [["a", "b"]]
    assert parse_search("(a)AND(b OR c)").clauses == [["a"], ["b", "c"]]
    assert parse_search(r'"say \"hi\" \\ AND" AND and').clauses == [['say "hi" \\ AND'], ["and"]]
    assert parse_search("[1,2 3] AND NEARBY NEAR/0").clauses == [[[1, 2, 3]], ["NEARBY"]]
    assert parse_search("a AND b NEAR/50").window == 50
    assert parse_search('"NEAR/5"').clauses == [["NEAR/5"]]


@pytest.mark.parametrize(
    ("query", "place", "said"),
    [
        ("", 1, "nothing"),
        ("   ", 4, "nothing"),
        ("a b", 3, "b; expected AND"),
        ("a AND", 6, "the end"),
        ("AND a", 1, "AND; expected a word"),
        ("a OR b AND c", 8, "AND after OR"),
        ("a AND b OR c", 9, "OR after AND"),
        ("(a AND b) OR c", 4, "AND inside parentheses"),
        ("(a OR b", 8, "the end; expected OR"),
        ("(a b)", 4, "b; expected OR"),
        ("a)", 2, "); expected AND"),
        ("()", 2, "); expected a word"),
        ('a AND "b c', 7, "a quote that is not closed"),
        ("[1 2", 1, "a bracket that is not closed"),
        ("[1, x]", 5, "'x' among ids"),
        ('a AND ""', 7, "an empty phrase"),
        ("[]", 1, "an empty phrase"),
        ("a AND b NEAR/x", 9, "NEAR/x"),
        ("a NEAR/" + "9" * 5000, 3, "NEAR/999"),
        ("[" + "9" * 5000 + "]", 2, "among ids"),
        ("a AND b NEAR", 9, "NEAR; expected"),
        ("a NEAR/5 AND b", 10, "AND; expected"),
        ("a ] b", 3, "]"),
        ("x" * 500 + " y", 502, "y; expected AND"),
    ],
)
def test_a_query_that_is_none_says_where(query: str, place: int, said: str) -> None:
    with pytest.raises(QueryError) as error:
        parse_search(query)
    assert f"^ character {place}: " in str(error.value)
    assert said in str(error.value)
    _, line, caret = str(error.value).splitlines()[:3]
    pointed = caret.index("^") - 4
    assert line[4:][pointed : pointed + 1] == query[place - 1 : place].replace("\n", " ")


def test_what_is_no_search_is_refused(tmp_path: Path) -> None:
    index = gramdex.open(build_ids(tmp_path, [[1, 2, 3]], 10))
    for wrong in ([], [[]], [[[]]], [[1, 2]], [[[1], []]], [[[10]]], 5, None, {}, np.array([[1]])):
        with pytest.raises(QueryError):
            index.search(wrong)
    for options in ({"window": -1}, {"max_documents": -1}, {"seed": -1}, {"context": 1.5}):
        with pytest.raises(QueryError):
            index.search([[[1]]], **options)
    with pytest.raises(QueryError, match="without a tokenizer"):
        index.search("text")
    assert index.search([[[1]], [[9]]]).count == 0
    assert index.search([[[1]], [[3]]], window=1 << 70).count == 1
    assert "0 matches in 0 documents" in repr(index.search([[[9]]]))


def test_a_search_of_an_empty_index(tmp_path: Path) -> None:
    index = gramdex.open(build_ids(tmp_path, [], 10))
    assert index.search([[[1]], [[2]]]).count == 0
