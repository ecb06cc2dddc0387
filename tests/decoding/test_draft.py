"""Drafts from the corpus, over every named corpus, engine and shard count, against the oracle."""

from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from pathlib import Path

import evidence
import numpy as np
import pytest
from building import build_engine, open_ids, shard_budget
from corpora import by_name, corpora, named_corpora, patterns, query_patterns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import Continuations, NaiveIndex
from tokenizers import Tokenizer, models

import gramdex
from gramdex.decoding import DraftTree, draft
from gramdex.errors import QueryError
from gramdex.fmindex.engines import continuations
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.suffix_array import SuffixArrayEngine
from gramdex.fmindex.queries.continuations import least_count
from gramdex.kernels.suffix_array import drafting

CORPORA = {corpus.name: corpus for corpus in named_corpora()}
LIMITS: list[tuple[int, int | None, float]] = [
    (16, None, 0.0), (0, None, 0.0), (1, None, 0.0), (5, 2, 0.0), (40, 1, 0.0), (8, 0, 0.0),
    (30, None, 0.25), (12, 3, 1.0), (70, None, 0.0),
]  # fmt: skip
DRAWN = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def plain(tree: DraftTree) -> Continuations:
    arrays = (tree.tokens.tolist(), tree.parents.tolist(), tree.counts.tolist())
    return Continuations(tree.suffix_length, tree.context_count, *arrays)


def compare(index: gramdex.Index, naive: NaiveIndex, contexts: list[list[int]]) -> None:
    for number, context in enumerate(contexts):
        limits = [LIMITS[0], LIMITS[number % len(LIMITS)]]
        for nodes, depth, share in limits:
            tree = draft(index, context, nodes, depth, share)
            tree.check_integrity()
            assert plain(tree) == naive.continuations(context, nodes, depth, share)
            assert (tree.scores == tree.counts / max(tree.context_count, 1)).all()


ENGINES = {
    "sa": ("sa", 1), "sa, tables": ("sa", 2), "sa, shards": ("sa", 4), "fm": ("fm", 1),
    "fm, shards": ("fm, dense", 3), "mixed": ("mixed", 2),
}  # fmt: skip


def deep_tables(patch: pytest.MonkeyPatch) -> None:
    """Have builds make tables of continuations as deep as texts go."""
    patch.setattr(continuations, "LIMITS", continuations.Limits(2, 3, 2, 1))


@pytest.mark.parametrize("setting", ENGINES)
@pytest.mark.parametrize("name", CORPORA)
def test_named_corpus(
    name: str, setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if setting in ("sa, tables", "mixed"):
        deep_tables(monkeypatch)
    engine, shards = ENGINES[setting]
    corpus = CORPORA[name]
    documents, size = corpus.documents, corpus.vocabulary_size
    index = open_ids(tmp_path, documents, size, shard_budget(documents, shards), engine)
    contexts = query_patterns(corpus, seed=shards, count=2)
    if corpus.token_count > 4_000:
        contexts = contexts[-8:]  # the oracle reads the whole corpus for every node
    compare(index, NaiveIndex(documents), contexts)


@pytest.mark.parametrize("engine", ["sa", "fm", "mixed"])
@DRAWN
@given(data=st.data())
def test_any_corpus(engine: str, data: st.DataObject) -> None:
    documents, size = data.draw(corpora())
    contexts = data.draw(st.lists(patterns(documents, size), max_size=4))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if data.draw(st.booleans()):
            deep_tables(patch)
        budget = shard_budget(documents, data.draw(st.integers(1, 4)))
        index = open_ids(Path(folder), documents, size, budget, engine)
        compare(index, NaiveIndex(documents), contexts)


@pytest.mark.parametrize("engine", ["sa", "fm", "mixed"])
@DRAWN
@given(data=st.data())
def test_any_corpus_less_any_of_its_documents(engine: str, data: st.DataObject) -> None:
    documents, size = data.draw(corpora())
    which = data.draw(st.lists(st.integers(0, max(len(documents) - 1, 0)), unique=True))
    removed = [documents[number] for number in which if documents]
    contexts = data.draw(st.lists(patterns(documents, size), max_size=4))
    with tempfile.TemporaryDirectory() as folder:
        budget = shard_budget(documents, data.draw(st.integers(1, 3)))
        paths = []
        for name, part in (("corpus", documents), ("removed", removed)):
            (Path(folder) / name).mkdir()
            paths.append(build_engine(Path(folder) / name, part, size, budget, engine))
        index = gramdex.open(paths[0], takedown=paths[1], copies="listed")
        kept = [document for _, document in evidence.without(documents, removed)]
        compare(index, NaiveIndex(kept), contexts)


def engines_agree(index: gramdex.Index, context: list[int], nodes: int) -> None:
    """The kernel and what every engine answers give the same nodes."""
    cursor = index.cursor(context)
    tree = cursor.continuations(nodes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SuffixArrayEngine, "continuations", Engine.continuations)
        expected = cursor.continuations(nodes)
    for name in ("tokens", "parents", "counts"):
        assert getattr(tree, name).tolist() == getattr(expected, name).tolist()


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("shards", [1, 3])
def test_large_intervals_and_budgets(
    shards: int, tables: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs long enough to be galloped over, more of them than a tree has room for.

    What is frequent in one shard is rare in the others.
    """
    if tables:
        deep_tables(monkeypatch)
    rng = np.random.default_rng(shards)
    drawn = [np.minimum(rng.zipf(1.4, 20_000), 400) for _ in range(shards)]
    documents = [(part * (2 * s + 1) % 401).tolist() for s, part in enumerate(drawn)]
    index = open_ids(tmp_path, documents, 500, shard_budget(documents, shards))
    assert len(index.shards) == shards
    for context in ([], [1], [1, 1], [3], [3, 3], [1, 2], [6, 3], [1, 1, 1], documents[0][-2:]):
        for nodes in (1, 3, 16, 300):
            engines_agree(index, context, nodes)
    engines_agree(index, [1], drafting.MOST_NODES)


def test_ids_break_ties_where_ranks_are_in_another_order(tmp_path: Path) -> None:
    """A tokenizer whose ids are not in the order of their bytes."""
    tokens = {"b": 0, "a": 1, "d": 2, "c": 3, "x": 4}
    tokenizer = Tokenizer(models.BPE(tokens, []))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "text.txt").write_text("xaxbxcxdxaxbxcxd")
    for engine in ("sa", "fm"):
        gramdex.build(
            tmp_path / "text.txt",
            tmp_path / engine,
            tmp_path / "tokenizer.json",
            engine=engine,
        )
        index = gramdex.open(tmp_path / engine)
        assert draft(index, [4], max_depth=1).tokens.tolist() == [0, 1, 2, 3]
        assert draft(index, [4], max_nodes=3, max_depth=1).tokens.tolist() == [0, 1, 2]
        naive = NaiveIndex([index.tokenizer.encode("xaxbxcxdxaxbxcxd").tolist()])
        compare(index, naive, [[4], [4, 0], [2], []])
        assert index.cursor([4]).ntd(limit=2).tokens.tolist() == [0, 1]


@pytest.fixture
def index(tmp_path: Path) -> gramdex.Index:
    documents = [[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 8], [9, 1, 2, 3], [5, 1]]
    return open_ids(tmp_path, documents, 20)


def test_one_occurrence_is_one_path_as_long_as_its_document(index: gramdex.Index) -> None:
    tree = draft(index, [19, 3, 4])
    assert (tree.tokens.tolist(), tree.parents.tolist()) == ([5, 6, 7], [-1, 0, 1])
    assert (tree.suffix_length, tree.context_count) == (2, 1)
    assert tree.scores.tolist() == [1.0, 1.0, 1.0]
    assert repr(tree) == "DraftTree(3 tokens, 3 deep, 3.00 expected, after the last 2)"


def test_documents_ends_take_their_share(index: gramdex.Index) -> None:
    tree = draft(index, [1, 2, 3])
    assert tree.tokens.tolist() == [4, 8, 5, 6, 7]
    assert tree.scores.tolist() == [1 / 3] * 5
    assert tree.paths() == [[8], [4, 5, 6, 7]]
    assert tree.depths.tolist() == [1, 1, 2, 3, 4]
    assert [tree.accepted(after) for after in ([4, 5, 9], [8, 8], [5], [])] == [2, 1, 0, 0]
    assert draft(index, [6, 7]).tokens.size == 0


def test_a_cursor_stays_where_it_is(index: gramdex.Index) -> None:
    cursor = index.cursor([1, 2])
    for context in ([], [3, 4], [1, 2, 3], [18]):
        assert plain(draft(cursor, context)) == plain(draft(index, [1, 2, *context]))
    assert cursor.suffix_length == 2


def test_a_stream_drafts_as_its_whole_does(tmp_path: Path) -> None:
    corpus = by_name("skewed")
    index = open_ids(tmp_path, corpus.documents, 32, shard_budget(corpus.documents, 3))
    rng = random.Random(3)
    cursor, stream = index.cursor(), []
    for _ in range(200):
        stream.append(rng.choice(rng.choice([d for d in corpus.documents if d])))
        cursor.extend(stream[-1:])
        tree = draft(cursor)
        assert plain(tree) == plain(draft(index, stream))
        larger = draft(cursor, max_nodes=40)
        larger.check_integrity()
        assert larger.tokens[: tree.tokens.size].tolist() == tree.tokens.tolist()


@pytest.mark.parametrize("total", [1, 2, 3, 7, 49, 1000, 12_345])
def test_the_least_count_is_the_least(total: int) -> None:
    shares = [0.0, 1e-300, 1 / 3, 0.1, 0.3, 0.7, 1 - 1e-16, 1.0, *np.arange(1, 30) / 29]
    for share in map(float, shares):
        least = least_count(share, total)
        assert least == next(count for count in range(1, total + 1) if count / total >= share)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_nodes": -1}, {"max_nodes": 4097}, {"max_nodes": 2.0}, {"max_nodes": True},
        {"max_depth": -1}, {"max_depth": "3"}, {"min_score": -0.1}, {"min_score": 1.5},
        {"min_score": float("nan")}, {"min_score": None},
    ],
)  # fmt: skip
def test_limits_without_meaning_are_refused(index: gramdex.Index, limits: dict) -> None:
    with pytest.raises(QueryError, match=next(iter(limits))):
        draft(index, [1], **limits)
    with pytest.raises(QueryError, match="id 20"):
        draft(index, [20])


def test_integrity_is_checked(index: gramdex.Index) -> None:
    tree = draft(index, [1, 2, 3])
    broken = [
        {"parents": np.array([0, -1, 0, 2, 3])}, {"counts": tree.counts * 2},
        {"scores": tree.scores * [0.5, 1, 1, 1, 1]}, {"tokens": np.array([4, 4, 5, 6, 7])},
        {"tokens": tree.tokens.astype(np.int32)},
    ]  # fmt: skip
    for change in broken:
        with pytest.raises(AssertionError):
            replace(tree, **change).check_integrity()
