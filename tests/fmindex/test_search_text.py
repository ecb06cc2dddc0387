"""Strings in searches, and strings where documents are taken down, however tokens were cut."""

from __future__ import annotations

import tempfile
from pathlib import Path

import evidence
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import NaiveTexts
from texts import FAMILIES, HAND_CUT, build_cut, build_text, hand_cut

import gramdex
from gramdex.errors import QueryError
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.queries import search as module
from gramdex.indexer.readers import ReadOptions


def expected_search(
    index: gramdex.Index, numbers: list[int], cnf: list, window: int | None
) -> evidence.Matches:
    """Matches in some documents of an index, by brute force over the bytes of their tokens."""
    table = index.tokenizer.token_bytes.tolist()
    documents = [(number, index.document(number)) for number in numbers]
    strips = index.tokenizer.strips_leading_space

    def places(phrase: str | list[int]) -> list[tuple[int, int, int]]:
        return [
            (number, *place)
            for number, document in documents
            for place in evidence.phrase_places(
                [table[i] for i in document.ids.tolist()],
                document.ids.tolist(),
                phrase,
                strips and document.metadata.get("part", 1) == 1,
            )
        ]

    return evidence.matches([[places(phrase) for phrase in clause] for clause in cnf], window)


def compare(index: gramdex.Index, numbers: list[int], cnf: list, window: int | None) -> None:
    found = index.search(cnf, 1000, window)
    expected = expected_search(index, numbers, cnf, window)
    assert found.exact
    assert (found.count, found.anchor) == (expected.count, expected.anchor)
    assert [d.number for d in found.documents] == expected.documents
    assert found.document_count == len(expected.documents)
    phrases = [phrase for clause in cnf for phrase in clause]
    for document in found.documents:
        if all(isinstance(phrase, str) for phrase in phrases) and "\ufffd" not in document.text:
            shown = {document.text[m.text_start : m.text_end] for m in document.matches}
            assert shown <= set(phrases)
            starts = {(m.text_start, m.text_end) for m in document.matches}
            for phrase in phrases:
                places = NaiveTexts([document.text.encode()]).occurrences(phrase)
                firsts = [len(document.text.encode()[:start].decode()) for _, start in places]
                assert {(first, first + len(phrase)) for first in firsts} <= starts
    for document in index.search(cnf, 1000, window, context=1).documents:
        assert document.matches


def compare_texts(index: gramdex.Index, numbers: list[int], queries: list[str]) -> None:
    documents = [index.document(number) for number in numbers]
    naive = NaiveTexts(
        index.tokenizer.decode_bytes(d.ids, at_start=d.metadata.get("part", 1) == 1)
        for d in documents
    )
    for query, count in zip(queries, index.count_batch(queries).tolist(), strict=True):
        expected = naive.occurrences(query)
        assert count == index.count(query) == len(expected), query
        found = index.find(query)
        assert found.documents.tolist() == [numbers[number] for number, _ in expected]
        holding = sorted({numbers[number] for number, _ in expected})
        for taken in (0, Engine.first_taken):  # by reading documents, or by locating
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Engine, "first_taken", taken)
                shown = [d.number for d in index.documents(query, 1000)]
                assert shown == holding
                assert [d.number for d in index.documents(query, 1)] == holding[:1]


def folders(folder: Path) -> list[Path]:
    """Indexes of ``build_cut``, in order."""
    return sorted(folder.glob("index*"))


ENGINES = ["sa", "fm", "mixed"]
TEXTS = st.lists(
    st.sampled_from(["a", "b", " ", "é", "🙂", "数", "ab", "aa", " a"]), min_size=1, max_size=3
).map("".join)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rare", [1 << 60, -1], ids=["intersected", "looked at one by one"])
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_search_of_any_cutting(rare: int, engine: str, data: st.DataObject) -> None:
    some = data.draw(st.lists(st.integers(0, len(HAND_CUT) - 1), min_size=1, max_size=8))
    some.append(data.draw(st.integers(1, 2)))  # "aa" and "aaa", in which "a" begins more than once
    documents = data.draw(st.lists(st.lists(st.sampled_from(some), max_size=20), max_size=6))
    ids = st.lists(st.sampled_from(some), min_size=1, max_size=2)
    clause = st.lists(st.one_of(TEXTS, ids), min_size=1, max_size=3)
    cnf = data.draw(st.lists(clause, min_size=1, max_size=3))
    which = data.draw(st.lists(st.integers(0, max(len(documents) - 1, 0)), unique=True))
    removed = [documents[number] for number in which if documents]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_worth", lambda *_: rare)
        tokenizer = hand_cut(Path(folder), data.draw(st.booleans()))
        for name, part in (("corpus", documents), ("removed", removed)):
            (Path(folder) / name).mkdir()
            build_cut(Path(folder) / name, part, tokenizer, data.draw(st.integers(1, 3)), engine)
        corpus, taken = (folders(Path(folder) / name) for name in ("corpus", "removed"))
        index = gramdex.open(corpus, takedown=taken, copies="listed")
        numbers = [number for number, _ in evidence.without(documents, removed)]
        for window in (None, 0, data.draw(st.integers(1, 12))):
            compare(index, numbers, cnf, window)
        compare_texts(index, numbers, [p for c in cnf for p in c if isinstance(p, str)])


CORPUS = [
    "the suffix array of the corpus",
    " the index of a suffix",
    "naïve données, 数据 索引 🙂🙂",
    "",
    "index  the\tindex",
    "the index",
    " the index of a suffix",
]
CLAUSES = [
    [["the", "suffix"], ["index", "rray"]],
    [[" the"], ["e"]],
    [["x"], ["ind", "inde", "index"]],
    [["🙂"], ["数", "a"]],
    [["zebra"], ["the"]],
    [["e"]],
]


@pytest.mark.parametrize("engine", ["sa", "fm"])
@pytest.mark.parametrize("family", FAMILIES)
def test_families_of_tokenizers(family: str, engine: str, tmp_path: Path) -> None:
    tokenizer = FAMILIES[family](tmp_path)
    taken = [CORPUS[0], CORPUS[1]]
    path = build_text(tmp_path / "corpus", CORPUS, tokenizer, shard_tokens=60, engine=engine)
    less = build_text(tmp_path / "taken", taken, tokenizer, engine=engine)
    plain = gramdex.open(path)
    index = gramdex.open(path, takedown=less, copies="listed")
    for cnf in CLAUSES:
        for window in (None, 1, 6):
            compare(plain, list(range(7)), cnf, window)
            compare(index, [2, 3, 4, 5, 6], cnf, window)
    queries = sorted({phrase for cnf in CLAUSES for clause in cnf for phrase in clause})
    compare_texts(plain, list(range(7)), queries)
    compare_texts(index, [2, 3, 4, 5, 6], queries)
    everything = plain.search("the AND ndex NEAR/6")
    assert everything.count == plain.search([["the"], ["ndex"]], window=6).count > 0


def test_a_text_of_one_phrase_is_counted_as_by_count(tmp_path: Path) -> None:
    index = build_cut(tmp_path, [[2, 2, 1, 0], [2]], hand_cut(tmp_path))  # aaa aaa aa a, aaa
    assert index.search("a").count == index.count("a") == 12
    assert index.search([["a", "aa"]]).count == 12
    assert [(m.start, m.end) for m in index.search("aaaa").documents[0].matches][:2] == [
        (0, 2),
        (0, 2),
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sample_bounds_the_count(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    documents = [rng.integers(0, 9, 40).tolist() for _ in range(60)]
    for name, part in (("corpus", documents), ("taken", documents[:9])):
        (tmp_path / name).mkdir()
        build_cut(tmp_path / name, part, hand_cut(tmp_path, True), 2, engine)
    corpus, taken = (folders(tmp_path / name) for name in ("corpus", "taken"))
    index = gramdex.open(corpus, takedown=taken)
    monkeypatch.setattr(index._engine, "most_located", 0, raising=False)
    monkeypatch.setattr(module, "SAMPLE", 80)
    for cnf in ([["aab", " a"], ["bb"]], [[" "], ["aaa", [2, 2]]], [["ab", "a b", [3]], [" b"]]):
        expected = expected_search(index, list(range(9, 60)), cnf, 3)
        for seed in range(8):
            found = index.search(cnf, 1000, 3, seed)
            assert (found.exact, found.sampled) == (False, 80)
            assert found.low <= expected.count <= found.high
            assert {d.number for d in found.documents} <= set(expected.documents)


@pytest.mark.parametrize("engine", ["sa", "fm"])
@pytest.mark.parametrize("strips", [False, True])
def test_parts_of_documents_taken_down(strips: bool, engine: str, tmp_path: Path) -> None:
    """A document of the takedown can be the middle of one in the corpus, whose space stays."""
    size, tokenizer = len(HAND_CUT), hand_cut(tmp_path, strips)
    ids = [[7, 8, 0, 7, 7, 8, 7, 8, 4, 7, 0, 7, 8, 0, 1], [7, 0], [8, 8, 8]]
    flat = [token for document in ids for token in [*document, size]]
    np.save(tmp_path / "tokens.npy", np.array(flat, np.uint32))
    gramdex.build(
        tmp_path / "tokens.npy",
        tmp_path / "index",
        tokenizer,
        read=ReadOptions(separator_id=size),
        shard_tokens=7,
        engine=engine,
    )
    plain = gramdex.open(tmp_path / "index")
    parts = [plain.document(number) for number in range(plain.document_count)]
    gone = [d.number for d in parts if d.metadata.get("part", 1) == 2]
    assert gone
    (tmp_path / "gone").mkdir()
    build_cut(tmp_path / "gone", [parts[n].ids.tolist() for n in gone], tokenizer, engine=engine)
    index = gramdex.open(tmp_path / "index", takedown=tmp_path / "gone" / "index")
    left = [d.number for d in parts if d.number not in gone]
    compare_texts(index, left, [" ", " a", "  ", "a", "a ", " a ", "   "])
    compare(index, left, [[" ", "  "], ["a"]], 2)


def test_text_that_cannot_be_looked_for(tmp_path: Path) -> None:
    path = build_text(tmp_path, CORPUS, FAMILIES["byte-level"](tmp_path))
    index = gramdex.open(path)
    with pytest.raises(QueryError, match="empty phrase"):
        index.search([[""]])
    with pytest.raises(QueryError, match="character 9"):
        index.search('the AND ""')
