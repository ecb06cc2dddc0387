"""An index as a part of a larger one: steps of its queries, and numbers that are of nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from building import open_ids
from naive import NaiveIndex

import gramdex
from gramdex.errors import QueryError, WorkLimitError
from gramdex.fmindex.engines.stopping import bounded
from gramdex.fmindex.queries.search import SearchResult
from gramdex.fmindex.results import Document

DOCUMENTS = [[1, 2, 3, 1, 2], [2, 3], [], [1, 2], [4, 4, 1], [3, 1, 2, 2]]
QUERIES = [[1, 2], [2], [4, 4], [5]]
CNF = [[[1, 2]], [[2], [3]]]


@pytest.fixture(scope="module", params=["sa", "fm", "mixed"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return open_ids(tmp_path_factory.mktemp("part"), DOCUMENTS, 8, 12, request.param)


@pytest.fixture(scope="module")
def less(tmp_path_factory: pytest.TempPathFactory) -> gramdex.Index:
    """The same without its first document."""
    folders = [tmp_path_factory.mktemp(name) for name in ("corpus", "taken")]
    for folder, documents in zip(folders, (DOCUMENTS, DOCUMENTS[:1]), strict=True):
        open_ids(folder, documents, 8)
    return gramdex.open(folders[0] / "sa" / "index", takedown=folders[1] / "sa" / "index")


def test_sizes(index: gramdex.Index, less: gramdex.Index) -> None:
    for asked, down in ((index, False), (less, True)):
        sizes = asked.part.sizes()
        assert (sizes.token_count, sizes.document_count) == (
            asked.token_count,
            asked.document_count,
        )
        assert (sizes.generation, sizes.takedown) == (asked.generation, down)
        assert (sizes.fingerprint, sizes.vocabulary_size) == (asked.tokenizer.fingerprint, 8)
        found = [(s.documents, s.token_count, s.size) for s in sizes.shards]
        assert found == [(s.documents, s.token_count, s.size) for s in asked.shards]
    assert repr(less.part.sizes()).startswith("PartSizes(5 documents, ")


def test_how_many_documents(index: gramdex.Index, less: gramdex.Index) -> None:
    naive = NaiveIndex(DOCUMENTS)
    for query in QUERIES:
        numbers = [number for number, _ in naive.documents(query)]
        for most in (0, 1, 3, 100):
            assert index.part.documents_found(query, most) == min(most, len(numbers))
            assert less.part.documents_found(query, most) == min(most, len(set(numbers) - {0}))
    with pytest.raises(QueryError):
        index.part.documents_found([], 1)


def test_occurrences_by_number(index: gramdex.Index, less: gramdex.Index) -> None:
    naive = NaiveIndex(DOCUMENTS)
    before = np.cumsum([0, *(shard.documents for shard in index.shards)])
    located = index.part.located(QUERIES)
    assert located.tolist() == naive.count_batch(QUERIES)
    which = np.repeat(np.arange(len(QUERIES)), located)
    numbers = np.concatenate([np.arange(count) for count in located])
    rows = index.part.occurrences(QUERIES, which, numbers)
    assert rows.dtype == np.int64
    found = set()
    for i, (shard, position, document, shown) in zip(which.tolist(), rows.tolist(), strict=True):
        start = position - index.shards[shard].bounds(document)[0]
        found.add((i, int(before[shard]) + document, start))
        assert shown == 1
    assert found == {
        (i, *place) for i, query in enumerate(QUERIES) for place in naive.occurrences(query)
    }
    assert less.part.located(QUERIES).tolist() == located.tolist()
    rows = less.part.occurrences(QUERIES, which, numbers)
    assert [shown == (document != 0) for _, _, document, shown in rows.tolist()] == [True] * len(
        rows
    )
    assert index.part.occurrences(QUERIES, which[:0], numbers[:0]).shape == (0, 4)


def test_words_and_documents_around(index: gramdex.Index) -> None:
    rows = index.part.occurrences([[1, 2]], [0, 0, 0, 0], [0, 1, 2, 3])
    places = np.column_stack([rows[:, :2], np.full(4, 2)])
    counts, sizes = index.part.word_counts(places, [2, 1, 2, 7])
    queried = np.column_stack([np.zeros(4, np.int64), rows[:, :2]])
    whole = index.part.documents_around([[1, 2]], queried, None)
    for document, count, size in zip(whole, counts, sizes, strict=True):
        ids = DOCUMENTS[document.number]
        assert document.ids.tolist() == ids
        assert count.tolist() == [ids.count(word) for word in (1, 2, 7)]
        assert size == len(ids)
        starts = [i for i in range(len(ids)) if ids[i : i + 2] == [1, 2]]
        assert [match.start for match in document.matches] == starts
    for document in index.part.documents_around([[1, 2]], queried, 0):
        assert document.ids.tolist() == [1, 2]
    with bounded(tokens=11), pytest.raises(WorkLimitError):
        index.part.word_counts(places, [2, 1, 2, 7])
    counts, sizes = index.part.word_counts(places[:0], [1, 2])
    assert (counts.shape, sizes.shape) == ((0, 2), (0,))


def test_a_search_in_steps(index: gramdex.Index) -> None:
    part, whole = index.part, index.search(CNF, 100, 1)
    assert isinstance(whole, SearchResult)
    counts = part.clause_counts(CNF, 1)
    assert counts.tolist() == [[index.count([1, 2]), 2], [index.count([2]) + index.count([3]), 1]]
    found = part.search(CNF, 1, whole.anchor, None, 0.99, 2)
    assert (found.count, found.low, found.high) == (whole.count, whole.low, whole.high)
    assert (found.documents, found.sampled) == (whole.document_count, whole.sampled)
    assert found.sampled == found.total
    places = part.search_places(CNF, 1, whole.anchor, None, np.arange(found.documents))
    assert found.places.tolist() == places[:2].tolist()
    documents: list[Document] = part.search_documents(CNF, places, 2, None)
    assert [d.number for d in documents] == [d.number for d in whole.documents]
    assert [d.matches for d in documents] == [d.matches for d in whole.documents]
    other = part.search(CNF, 1, 1, None, 0.99, 2)
    assert other.total == counts[1, 0]
    assert repr(found).startswith("SearchPart(")


BAD: list[tuple[str, tuple]] = [
    ("documents_found", ([1], -1)),
    ("clause_counts", ([], None)),
    ("clause_counts", (CNF, -1)),
    ("search", (CNF, None, 2, None, 0.99, 1)),
    ("search", (CNF, None, -1, None, 0.99, 1)),
    ("search", (CNF, None, 0, -1, 0.99, 1)),
    ("search", (CNF, None, 0, None, 1.0, 1)),
    ("search", (CNF, None, 0, None, float("nan"), 1)),
    ("search", (CNF, None, 0, None, 0.99, -1)),
    ("search_places", (CNF, None, 0, None, [100])),
    ("search_places", (CNF, None, 0, None, [-1])),
    ("search_documents", (CNF, [[99, 0]], 1, None)),
    ("search_documents", (CNF, [[0, 1 << 40]], 1, None)),
    ("search_documents", (CNF, [[0, -1]], 1, None)),
    ("search_documents", (CNF, [[0, 0, 0]], 1, None)),
    ("search_documents", (CNF, [[0.5, 0]], 1, None)),
    ("search_documents", (CNF, [[0, 0]], -1, None)),
    ("search_documents", (CNF, [[0, 0]], 1, -1)),
    ("located", ("text",)),
    ("located", ([[8]],)),
    ("occurrences", ([[1]], [1], [0])),
    ("occurrences", ([[1]], [-1], [0])),
    ("occurrences", ([[1]], [0], [100])),
    ("occurrences", ([[1]], [0], [-1])),
    ("occurrences", ([[1]], [0, 0], [0])),
    ("occurrences", ([[]], [0], [0])),
    ("occurrences", ([[5]], [0], [0])),
    ("word_counts", ([[0, 0, -1]], [1])),
    ("word_counts", ([[0, 0]], [1])),
    ("word_counts", ([[0, 0, 1]], [8])),
    ("word_counts", (np.array([[0, 1 << 63, 1]], np.uint64), [1])),
    ("documents_around", ([[1]], [[1, 0, 0]], None)),
    ("documents_around", ([[1]], [[0, 9, 0]], None)),
    ("documents_around", ([[1]], [[0, 0, 99]], None)),
    ("documents_around", ([[1]], [[0, 0, 0]], -1)),
]


@pytest.mark.parametrize(("name", "arguments"), BAD, ids=str)
def test_numbers_of_nothing_are_refused(index: gramdex.Index, name: str, arguments: tuple) -> None:
    with pytest.raises(QueryError):
        getattr(index.part, name)(*arguments)


def test_what_is_taken_down_is_not_shown(less: gramdex.Index) -> None:
    for name, arguments in (
        ("search_documents", (CNF, [[0, 1]], 1, None)),
        ("word_counts", ([[0, 1, 1]], [1])),
        ("documents_around", ([[1]], [[0, 0, 1]], None)),
    ):
        with pytest.raises(QueryError, match="taken down"):
            getattr(less.part, name)(*arguments)
    with pytest.raises(QueryError, match="taken down"):
        less.metadata(0)
    assert less.metadata(1) == less.document(1).metadata


def test_metadata_by_number(index: gramdex.Index) -> None:
    for number in range(len(DOCUMENTS)):
        assert index.metadata(number) == index.document(number).metadata
    for number in (-1, len(DOCUMENTS)):
        with pytest.raises(QueryError):
            index.metadata(number)


def test_an_empty_index_as_a_part(tmp_path: Path) -> None:
    part = open_ids(tmp_path, [], 8).part
    assert part.documents_found([1], 3) == 0
    assert part.located([[1], [2]]).tolist() == [0, 0]
    found = part.search(CNF, None, 0, None, 0.99, 5)
    assert (found.count, found.documents, found.places.shape) == (0, 0, (0, 2))
