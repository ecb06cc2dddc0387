"""Documents that are taken down: an index of them, subtracted from the corpus that holds them.

A corpus is a multiset of documents, and a document is its tokens. Taking documents down leaves the
corpus without them, copy by copy; what is asked of it then is what a new index of the rest would
answer, though documents keep their numbers. For that to be exact, each document of the takedown
index must be in the corpus, as a whole document and with at least as many copies: this is checked
when the index is opened, and what is not there is refused. A document that was split because it is
longer than a shard is its parts; both indexes must have split it alike.

Which of several copies is meant the tokens cannot say. Unless told otherwise every copy must be
listed, so that nothing that is taken down is still counted or shown. With ``copies="listed"`` so
many copies go as are listed, the first in corpus order, and the rest of the corpus stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from gramdex.errors import QueryError, UsageError
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.shard import Shard

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

COPIES = ("all", "listed")

_READ = 50
"""Tokens that are read for what an occurrence is located for."""


def hidden_documents(corpus: Index, takedown: Index, copies: str) -> list[np.ndarray]:
    """Which documents of each shard of the corpus are taken down, bool[documents].

    Raises:
        UsageError: a document is not in the corpus, not with so many copies, or, with "all", with
            more; or ``copies`` is unknown.
    """
    if copies not in COPIES:
        raise UsageError("copies", repr(copies), f"one of {', '.join(COPIES)}")
    finder = _Finder(corpus.shards, corpus.plain_engine)
    hidden = [np.zeros(shard.documents, bool) for shard in corpus.shards]
    for number, listed, ranks in _contents(takedown.shards, takedown.plain_engine):
        places = finder.places(ranks)
        if len(places) < listed or (copies == "all" and len(places) > listed):
            raise _refused(takedown, number, listed, len(places))
        for shard, document in places[:listed]:
            hidden[shard][document] = True
    return hidden


def refuse_ranks() -> QueryError:
    """Ranks and positions are of the files, which still hold what is taken down."""
    return QueryError(
        "find of ids, and locate",
        "an index with a takedown, whose documents are still among the ranks",
        "an index without one",
        "ask for count, documents or search, or open it without takedown",
    )


class _Finder:
    """Finds whole documents by their tokens."""

    def __init__(self, shards: Sequence[Shard], engine: Engine) -> None:
        self._shards, self._engine = shards, engine
        self._lengths = [np.diff(shard.starts).astype(np.int64) - 1 for shard in shards]
        self._order = [np.argsort(lengths, kind="stable") for lengths in self._lengths]

    def places(self, ranks: np.ndarray) -> list[tuple[int, int]]:
        """Shard and document of every document of exactly these tokens, in corpus order."""
        alike = [self._of_length(shard, ranks.size) for shard in range(len(self._shards))]
        to_read = sum(map(len, alike)) * ranks.size
        if ranks.size == 0 or to_read < _READ * self._engine.count(ranks):
            found = (self._equal(shard, some, ranks) for shard, some in enumerate(alike))
        else:
            _, intervals = self._engine.find(ranks)
            found = (
                self._at(shard, low, high, ranks.size)
                for shard, (low, high) in enumerate(intervals.tolist())
            )
        return [(shard, d) for shard, some in enumerate(found) for d in some.tolist()]

    def _of_length(self, shard: int, length: int) -> np.ndarray:
        order, lengths = self._order[shard], self._lengths[shard]
        bounds = np.searchsorted(lengths, [length, length + 1], sorter=order)
        return np.sort(order[bounds[0] : bounds[1]])

    def _equal(self, shard: int, documents: np.ndarray, ranks: np.ndarray) -> np.ndarray:
        starts = self._shards[shard].starts[documents].tolist()
        texts = (self._engine.extract(shard, start, start + ranks.size) for start in starts)
        return documents[[np.array_equal(text, ranks) for text in texts]]

    def _at(self, shard: int, low: int, high: int, length: int) -> np.ndarray:
        positions = self._engine.locate(shard, low, high)
        documents = self._shards[shard].document_of(positions)
        whole = self._shards[shard].starts[documents] == positions
        return documents[whole & (self._lengths[shard][documents] == length)]


def _contents(shards: Sequence[Shard], engine: Engine) -> Iterator[tuple[int, int, np.ndarray]]:
    """Every different document once: its first number, its copies, its ranks."""
    first: dict[bytes, tuple[int, int, int]] = {}
    copies: Counter[bytes] = Counter()
    number = 0
    for index, shard in enumerate(shards):
        for document in range(shard.documents):
            start, end = shard.bounds(document)
            key = xxhash.xxh3_128_digest(engine.extract(index, start, end).tobytes())
            first.setdefault(key, (number, index, document))
            copies[key] += 1
            number += 1
    for key, (number, index, document) in first.items():
        yield number, copies[key], engine.extract(index, *shards[index].bounds(document))


def _refused(takedown: Index, number: int, listed: int, found: int) -> UsageError:
    thing = f"takedown index {', '.join(map(str, takedown.folders))}: document {number}"
    if found == 0:
        return UsageError(
            thing,
            "not in the corpus",
            "whole documents of the corpus, token by token",
            "leave it out; a document longer than a shard must be split alike in both",
        )
    expected = "as many copies as the corpus holds"
    remedy = "list every copy"
    if found > listed:
        remedy += ", or open with copies='listed' to keep the others"
    return UsageError(
        thing, f"listed {listed} times, in the corpus {found} times", expected, remedy
    )
