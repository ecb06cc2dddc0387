"""Steps of search and attribution over all members together.

The steps are those of ``fmindex/part.py``: what is drawn, chosen or ranked is so over all members,
and each is asked only about occurrences and documents of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gramdex.fmindex.evidence import SearchResult
from gramdex.fmindex.part import Cnf, SearchPart
from gramdex.fmindex.queries.patterns import Ids
from gramdex.fmindex.queries.proportion import CONFIDENCE
from gramdex.fmindex.queries.search import Shown, choose
from gramdex.fmindex.results import Document
from gramdex.rpc.router.members import Asking, Member


def renumbered(member: Member, document: Document) -> Document:
    """A document of a member, with its numbers in the index of all."""
    number, shard = document.number + member.first_document, document.shard + member.first_shard
    return replace(document, number=number, shard=shard)


def search(asking: Asking, cnf: Cnf, window: int | None, shown: Shown) -> SearchResult:
    """Matches of all clauses in all members, as ``Index.search`` has them."""
    said = asking.all(lambda index: index.part.clause_counts(cnf, window))
    anchor = int(np.argmin(np.sum([counts[:, 0] for counts in said], axis=0)))
    # Bounds of all members hold together as often as those of one index do (Bonferroni).
    confidence = 1 - (1 - CONFIDENCE) / len(asking.members)
    most = shown.skip + shown.most if shown.most else 0
    parts = asking.all(
        lambda index: index.part.search(cnf, window, anchor, shown.seed, confidence, most)
    )
    count, low, high, sampled, total = (
        sum(getattr(part, name) for part in parts)
        for name in ("count", "low", "high", "sampled", "total")
    )
    length = max(int(counts[anchor, 1]) for counts in said)
    return SearchResult(
        count=count,
        exact=low == high,
        low=low,
        high=high,
        document_count=sum(part.documents for part in parts) if sampled == total else None,
        documents=_shown_documents(asking, (cnf, window, anchor, length), parts, shown),
        anchor=anchor,
        sampled=sampled,
    )


def _shown_documents(
    asking: Asking,
    searched: tuple[Cnf, int | None, int, int],
    parts: list[SearchPart],
    shown: Shown,
) -> tuple[Document, ...]:
    """The documents to show, of those of all members one after the other."""
    cnf, window, anchor, length = searched
    ends = np.cumsum([part.documents for part in parts])
    chosen = choose(int(ends[-1]), shown)
    ordinals = [
        chosen[(chosen >= end - part.documents) & (chosen < end)] - (end - part.documents)
        for part, end in zip(parts, ends.tolist(), strict=True)
    ]
    needed = [(m, o, p) for m, o, p in zip(asking.members, ordinals, parts, strict=True) if o.size]
    unlisted = [(m, o) for m, o, part in needed if o[-1] >= part.places.shape[0]]
    asked = asking.each([(m, _places(cnf, window, anchor, shown.seed, o)) for m, o in unlisted])
    found = dict(zip((m.name for m, _ in unlisted), asked, strict=True))
    calls = [
        (m, _documents(cnf, found[m.name] if m.name in found else part.places[o], length, shown))
        for m, o, part in needed
    ]
    answers = zip((m for m, _ in calls), asking.each(calls), strict=True)
    return tuple(renumbered(m, document) for m, some in answers for document in some)


def _places(
    cnf: Cnf, window: int | None, anchor: int, seed: int | None, ordinals: np.ndarray
) -> Callable[[Any], np.ndarray]:
    return lambda index: index.part.search_places(cnf, window, anchor, seed, ordinals)


def _documents(
    cnf: Cnf, places: np.ndarray, length: int, shown: Shown
) -> Callable[[Any], list[Document]]:
    return lambda index: index.part.search_documents(cnf, places, length, shown.context)


class RoutedPlaces:
    """Where spans stand in all members; the steps of ``IndexPart`` that attribution takes."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._queries: Sequence[Ids] | None = None
        self._located = np.empty((0, 0), np.int64)

    def located(self, queries: Sequence[Ids]) -> np.ndarray:
        """Occurrences of each in the files, int64[k]."""
        return self._located_by_member(queries).sum(axis=0)

    def occurrences(
        self, queries: Sequence[Ids], which: np.ndarray, numbers: np.ndarray
    ) -> np.ndarray:
        """Shard, position, document and whether it is shown, int64[m, 4].

        Occurrences are numbered through the members; documents are those of their shards.
        """
        ends = np.cumsum(self._located_by_member(queries), axis=0)[:, which]
        owners = (numbers >= ends).sum(axis=0)
        local = numbers - np.where(owners, ends[owners - 1, np.arange(which.size)], 0)
        rows = np.empty((which.size, 4), np.int64)

        def asked(some: np.ndarray) -> Callable[[Any], np.ndarray]:
            return lambda index: index.part.occurrences(queries, which[some], local[some])

        for member, some, found in self._each(owners, asked):
            rows[some] = found
            rows[some, 0] += member.first_shard
        return rows

    def word_counts(self, places: np.ndarray, text: Ids) -> tuple[np.ndarray, np.ndarray]:
        """How often each word of a text stands around places, and how many words do."""
        owners, local = self._owners(places, 0)

        def asked(some: np.ndarray) -> Callable[[Any], tuple[np.ndarray, np.ndarray]]:
            return lambda index: index.part.word_counts(local[some], text)

        found = list(self._each(owners, asked))
        words = max((counts.shape[1] for _, _, (counts, _) in found), default=0)
        counts, sizes = np.empty((len(places), words), np.int32), np.empty(len(places), np.int64)
        for _, some, (counted, size) in found:
            counts[some], sizes[some] = counted, size
        return counts, sizes

    def documents_around(
        self, queries: Sequence[Ids], places: np.ndarray, context: int | None
    ) -> list[Document]:
        """What is shown around places, int64[k, 3] of query, shard and position."""
        owners, local = self._owners(places, 1)

        def asked(some: np.ndarray) -> Callable[[Any], list[Document]]:
            return lambda index: index.part.documents_around(queries, local[some], context)

        documents: dict[int, Document] = {}
        for member, some, found in self._each(owners, asked):
            shifted = [renumbered(member, document) for document in found]
            documents.update(zip(some.tolist(), shifted, strict=True))
        return [documents[i] for i in range(len(places))]

    def _located_by_member(self, queries: Sequence[Ids]) -> np.ndarray:
        """int64[members, k], asked for once for the same list."""
        if self._queries is not queries:
            located = self._asking.all(lambda index: index.part.located(queries))
            self._queries, self._located = queries, np.stack(located)
        return self._located

    def _owners(self, places: np.ndarray, column: int) -> tuple[np.ndarray, np.ndarray]:
        """The member of each place, by its shard, and places with the shards of that member."""
        firsts = np.array([member.first_shard for member in self._asking.members])
        owners = np.searchsorted(firsts, places[:, column], side="right") - 1
        local = places.copy()
        local[:, column] -= firsts[owners]
        return owners, local

    def _each(
        self, owners: np.ndarray, asked: Callable[[np.ndarray], Callable[[Any], Any]]
    ) -> Iterable[tuple[Member, np.ndarray, Any]]:
        """Members that own some rows, which rows, and what each says of its rows."""
        owned = [(m, np.flatnonzero(owners == i)) for i, m in enumerate(self._asking.members)]
        owned = [(member, some) for member, some in owned if some.size]
        answers = self._asking.each([(member, asked(some)) for member, some in owned])
        return [(*both, answer) for both, answer in zip(owned, answers, strict=True)]
