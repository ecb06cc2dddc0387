"""Index sets: several opened as one, and documents taken down, against the corpus without them."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path

import evidence
import numpy as np
import pytest
from building import build_engine, build_ids, shard_budget
from corpora import Corpus, corpora, named_corpora, patterns, query_patterns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import NaiveIndex
from parity import compare_with_naive
from texts import build_text, byte_level

import gramdex
from gramdex.errors import QueryError, TokenizerError, UsageError
from gramdex.fmindex import takedown as module
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.subtracted import SubtractedEngine
from gramdex.fmindex.queries.contamination.corpus import NormalizedIndex
from gramdex.fmindex.queries.contamination.normalization import Normalization


def opened(
    folder: Path,
    documents: list[list[int]],
    removed: list[list[int]],
    size: int,
    shards: int = 1,
    copies: str = "listed",
    engine: str = "sa",
) -> gramdex.Index:
    for name in ("corpus", "removed"):
        (folder / name).mkdir(parents=True)
    budget = shard_budget(documents, shards)
    corpus = build_engine(folder / "corpus", documents, size, budget, engine)
    taken = build_engine(folder / "removed", removed, size, budget, engine)
    return gramdex.open(corpus, takedown=taken, copies=copies)


def compare(
    index: gramdex.Index, kept: list[tuple[int, list[int]]], queries: list[list[int]]
) -> None:
    documents = [document for _, document in kept]
    naive = NaiveIndex(documents)
    compare_with_naive(index, naive, queries)
    for query in filter(None, queries):
        found = index.documents(query, max_documents=1 << 30)
        expected = [(kept[number][0], starts) for number, starts in naive.documents(query)]
        assert [(d.number, [m.start for m in d.matches]) for d in found] == expected
        assert index.documents(query, 1)[:1] == [] or found[0].number == expected[0][0]
    compare_search(index, kept, queries)
    compare_cursor(index, naive, queries)


def compare_search(index: gramdex.Index, kept: list, queries: list[list[int]]) -> None:
    clauses = [[query] for query in queries if 0 < len(query) < 4][:4]
    for cnf in (clauses[:1], clauses[:2], [[q for clause in clauses for q in clause]]):
        if cnf and cnf[0]:
            for window in (None, 3):
                found = index.search(cnf, 1000, window)
                expected = evidence.search([document for _, document in kept], cnf, window)
                assert (found.count, found.anchor) == (expected.count, expected.anchor)
                numbers = [kept[number][0] for number in expected.documents]
                assert [d.number for d in found.documents] == numbers


def compare_cursor(index: gramdex.Index, naive: NaiveIndex, queries: list[list[int]]) -> None:
    cursor, stream = index.cursor(), []
    for token in [token for query in queries[:8] for token in query[:6]]:
        expected = naive.infgram_prob(stream, token)
        found = cursor.prob(token)
        assert (found.context_count, found.count) == (expected.context_count, expected.count)
        assert (found.suffix_length, found.sparse) == (expected.suffix_length, expected.sparse)
        assert cursor.ntd().tokens.tolist() == naive.infgram_ntd(stream).tokens
        cursor.extend([token])
        stream.append(token)


ENGINES = ["sa", "fm", "mixed"]


@pytest.mark.parametrize("engine", ENGINES)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_any_corpus_less_any_of_its_documents(engine: str, data: st.DataObject) -> None:
    documents, size = data.draw(corpora())
    which = data.draw(st.lists(st.integers(0, max(len(documents) - 1, 0)), unique=True))
    removed = [documents[number] for number in which if documents]
    queries = data.draw(st.lists(patterns(documents, size), max_size=4))
    with tempfile.TemporaryDirectory() as folder:
        shards = data.draw(st.integers(1, 3))
        index = opened(Path(folder), documents, removed, size, shards, engine=engine)
        compare(index, evidence.without(documents, removed), queries)


NAMES = (
    "all_equal_documents",
    "identical_documents",
    "empty_documents_between",
    "prefix_documents",
    "long_repeat_in_two_documents",
    "skewed",
    "binary_documents",
)


@pytest.mark.parametrize(("engine", "shards"), [("sa", 1), ("sa", 3), ("fm", 3), ("mixed", 1)])
@pytest.mark.parametrize("name", NAMES)
def test_named_corpus_less_every_third_document(
    name: str, engine: str, shards: int, tmp_path: Path
) -> None:
    corpus = {each.name: each for each in named_corpora()}[name]
    removed = corpus.documents[::3]
    size = corpus.vocabulary_size
    index = opened(tmp_path, corpus.documents, removed, size, shards, engine=engine)
    queries = query_patterns(corpus, count=12)
    compare(index, evidence.without(corpus.documents, removed), queries)
    assert index.verify().shards == len(index.shards)


@pytest.mark.parametrize("engine", ENGINES)
def test_everything_taken_down(engine: str, tmp_path: Path) -> None:
    documents = [[1, 2, 3], [1, 2], [2]]
    index = opened(tmp_path, documents, documents, 5, copies="all", engine=engine)
    compare(index, [], [[1], [1, 2], [4], []])
    assert (index.token_count, index.document_count) == (0, 0)


@pytest.mark.parametrize("engines", [("sa", "fm"), ("fm", "sa"), ("mixed", "fm")])
def test_the_takedown_may_be_of_another_engine(engines: tuple[str, str], tmp_path: Path) -> None:
    corpus = {each.name: each for each in named_corpora()}["skewed"]
    documents, removed, size = corpus.documents, corpus.documents[1::3], corpus.vocabulary_size
    paths = []
    for name, part in zip(engines, (documents, removed), strict=True):
        (tmp_path / f"{len(paths)}").mkdir()
        paths.append(build_engine(tmp_path / f"{len(paths)}", part, size, 1 << 20, name))
    index = gramdex.open(paths[0], takedown=paths[1], copies="listed")
    compare(index, evidence.without(documents, removed), query_patterns(corpus, count=12))


def test_several_indexes_less_several(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    parts = [[rng.integers(0, 4, 12).tolist() for _ in range(9)] for _ in range(4)]
    parts[2], parts[3] = parts[0][:3], [parts[1][4], parts[0][7]]
    for number, part in enumerate(parts):
        (tmp_path / str(number)).mkdir()
        build_ids(tmp_path / str(number), part, 5, 40)
    paths = [tmp_path / str(number) / "index" for number in range(4)]
    index = gramdex.open(paths[:2], takedown=paths[2:])
    documents, removed = parts[0] + parts[1], parts[2] + parts[3]
    queries = query_patterns(Corpus("several", documents, 5), count=20)
    compare(index, evidence.without(documents, removed), queries)
    assert repr(index).endswith("shards, none)")
    assert " less 5: 13 documents" in repr(index)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_long_text_of_which_the_longest_matches_are_taken_down(
    engine: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(8)
    base = rng.integers(0, 20, 900).tolist()
    changed = [*base[:300], 21, *base[301:700]]
    documents = [base, changed, rng.integers(0, 20, 400).tolist()]
    index = opened(tmp_path, documents, [base], 30, engine=engine)
    naive = NaiveIndex(documents[1:])
    text = [*base[250:800], *changed[290:350]]
    expected, found = naive.match(text), index.match(text)
    assert found.lengths.tolist() == expected.lengths
    assert found.counts.tolist() == expected.counts
    scores, wanted = index.infgram_scores(text), naive.infgram_scores(text)
    assert scores.suffix_lengths.tolist() == wanted.suffix_lengths
    assert scores.counts.tolist() == wanted.counts
    assert scores.context_counts.tolist() == wanted.context_counts


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("read", [0, 1 << 40], ids=["located", "read"])
def test_copies(tmp_path: Path, engine: str, read: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ", read)
    documents = [[1, 2], [1, 2, 3], [1, 2], [], [3, 1, 2], [1, 2], [2]]
    with pytest.raises(UsageError, match=r"listed 1 times, in the corpus 3 times.*every copy"):
        opened(tmp_path / "a", documents, [[1, 2]], 5, copies="all", engine=engine)
    index = opened(tmp_path / "b", documents, [[1, 2]], 5, copies="listed", engine=engine)
    assert [d.number for d in index.documents([1, 2])] == [1, 2, 4, 5]
    index = opened(tmp_path / "c", documents, [[1, 2]] * 3 + [[]], 5, copies="all", engine=engine)
    assert [d.number for d in index.documents([1, 2])] == [1, 4]
    assert index.document_count == 3
    with pytest.raises(UsageError, match="listed 4 times, in the corpus 3 times"):
        opened(tmp_path / "d", documents, [[1, 2]] * 4, 5)
    with pytest.raises(UsageError, match="document 1: not in the corpus"):
        opened(tmp_path / "e", documents, [[2], [1, 2, 2]], 5)
    with pytest.raises(UsageError, match="document 0: not in the corpus"):
        opened(tmp_path / "f", documents, [[3, 1]], 5)  # only part of a document
    with pytest.raises(UsageError, match="copies"):
        opened(tmp_path / "g", documents, [[2]], 5, copies="some")


def test_what_is_taken_down_is_not_shown(tmp_path: Path) -> None:
    index = opened(tmp_path, [[1, 2], [1, 3], [1, 4]], [[1, 3]], 9)
    assert index.document(2).ids.tolist() == [1, 4]
    with pytest.raises(QueryError, match="document 1: it is taken down"):
        index.document(1)
    with pytest.raises(QueryError, match="taken down"):
        index.document_at(0, 3)
    with pytest.raises(QueryError, match="0 to 2"):
        index.document(3)
    assert index.document_at(0, 0).number == 0
    for ask in (lambda: index.find([1]), index.cursor([1]).find):
        with pytest.raises(QueryError, match="still among the ranks"):
            ask()
    plain = gramdex.open(tmp_path / "corpus" / "sa" / "index")
    (interval,) = plain.find([1])
    with pytest.raises(QueryError, match="still among the ranks"):
        index.locate(interval)


@pytest.mark.parametrize("kind", ["bytes", "byte-level"])
def test_contamination_by_what_is_taken_down(kind: str, tmp_path: Path) -> None:
    sentence = (
        "a train leaves at noon and another one leaves an hour after it, so when do they meet?"
    )
    texts = [f"{sentence} At two.", "nothing of that sort stands in this document, I should say."]
    tokenizer = "bytes" if kind == "bytes" else byte_level(tmp_path)
    corpus = build_text(tmp_path / "corpus", texts, tokenizer)
    less = build_text(tmp_path / "less", texts[:1], tokenizer)
    plain, index = gramdex.open(corpus), gramdex.open(corpus, takedown=less)
    assert plain.contamination([sentence]).judged[0].verdict() == "dirty"
    assert index.contamination([sentence]).judged[0].verdict() == "clean"
    assert index.contamination([texts[1]]).judged[0].verdict() == "dirty"
    rest = gramdex.open(build_text(tmp_path / "rest", texts[1:], "bytes"))
    with pytest.raises(UsageError, match="with some taken down"):
        index.contamination([sentence], normalized=NormalizedIndex(rest, Normalization()))


def test_a_takedown_of_nothing(tmp_path: Path) -> None:
    index = opened(tmp_path, [[1, 2]], [], 9)
    assert index.count([1]) == 1
    assert gramdex.open(tmp_path / "corpus" / "sa" / "index", takedown=[]).takedown is None


def test_a_takedown_of_other_tokens_is_refused(tmp_path: Path) -> None:
    for name, size in (("a", 9), ("b", 10)):
        (tmp_path / name).mkdir()
        build_ids(tmp_path / name, [[1, 2]], size)
    with pytest.raises(TokenizerError, match="with 10 ids"):
        gramdex.open(tmp_path / "a" / "index", takedown=tmp_path / "b" / "index")


def test_every_question_is_answered_without_what_is_taken_down() -> None:
    """What a subtracted engine inherited would be answered by a corpus it has none of."""
    asked = {name for name, _ in inspect.getmembers(Engine, inspect.isfunction)}
    plain = {"damaged", "count_texts", "find_text"}  # TextReader asks both engines, and subtracts
    own = set(vars(SubtractedEngine)) | plain
    assert {name for name in asked if not name.startswith("_")} <= own
