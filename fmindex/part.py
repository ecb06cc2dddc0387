"""What an index answers as a part of a larger one.

Several indexes answer as one from public queries where answers add up. Where they do not, these
take the steps of a query one by one, so that whoever has all parts takes each step over all of
them: draws from the occurrences of all, chooses the clause that is rarest in all, goes on with a
page in the next part. Arguments and results are numbers, strings, arrays and records; a step is a
batch, and depends on nothing that was asked before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.engines.stopping import spend_tokens
from gramdex.fmindex.queries.attribution import query_words
from gramdex.fmindex.queries.bm25 import words_of
from gramdex.fmindex.queries.patterns import Ids, Query, as_ids, as_number
from gramdex.fmindex.queries.phrases import OFFSET_BITS, Clause, find_pattern
from gramdex.fmindex.queries.search import Found, documents_at, estimate, find_matches, read_clauses
from gramdex.fmindex.results import Document

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

Cnf: TypeAlias = "str | Sequence[Sequence[Query] | str]"

_SCORED = 1024
"""Tokens before and after a span by which its document is ranked."""


@dataclass(frozen=True, slots=True)
class SearchPart:
    """What one part says of a search.

    Attributes:
        count, low, high: matches, or the estimate, and bounds that hold it as often as was asked.
        sampled, total: occurrences of the anchor that were looked at, and that there are.
        documents: documents in which a match was met.
        places: int64[k, 2], shard and position of the first match in the first k of these.
    """

    count: int
    low: int
    high: int
    sampled: int
    total: int
    documents: int
    places: np.ndarray

    def __repr__(self) -> str:
        return f"SearchPart({self.count} matches in {self.documents} documents)"


@dataclass(frozen=True, slots=True)
class ShardSizes:
    """What ``Shard`` says of itself: documents, tokens without separators, and with them."""

    documents: int
    token_count: int
    size: int


@dataclass(frozen=True, slots=True)
class PartSizes:
    """What one part holds; all of it of one generation.

    Attributes:
        generation: names what it holds, as ``Index.generation``.
        token_count, document_count: without what is taken down.
        shards: sizes of each, with what is taken down.
        takedown: whether documents are taken down.
        fingerprint: of the tokenizer.
        vocabulary_size: ids are below this.
    """

    generation: int
    token_count: int
    document_count: int
    shards: tuple[ShardSizes, ...]
    takedown: bool
    fingerprint: str
    vocabulary_size: int

    def __repr__(self) -> str:
        return (
            f"PartSizes({self.document_count:,} documents, {self.token_count:,} tokens, "
            f"{len(self.shards)} shards, generation {self.generation:016x})"
        )


class IndexPart:
    """The steps of queries over one index; made by ``Index.part``.

    Shards and documents have the numbers they have in this index. Every method raises QueryError
    for what no query may hold, and for places and occurrences that are not there.

    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._reader, self._patterns = index._documents, index._patterns

    def sizes(self) -> PartSizes:
        """What the index holds."""
        index = self._index
        return PartSizes(
            generation=index.generation,
            token_count=index.token_count,
            document_count=index.document_count,
            shards=tuple(ShardSizes(s.documents, s.token_count, s.size) for s in index.shards),
            takedown=index.takedown is not None,
            fingerprint=index.tokenizer.fingerprint,
            vocabulary_size=index.vocabulary_size,
        )

    def documents_found(self, query: Query, most: int) -> int:
        """How many documents hold a query; ``most``, if there are more."""
        most = as_number("most", most)
        if not isinstance(query, str):
            query = self._patterns.occurrences(query)
        return self._reader.found(query, most)

    def clause_counts(self, cnf: Cnf, window: int | None) -> np.ndarray:
        """For each clause its count, and tokens of its longest occurrence; int64[clauses, 2]."""
        clauses, _ = read_clauses(self._reader, self._patterns, cnf, window)
        return np.array([(clause.count, clause.longest) for clause in clauses], np.int64)

    def search(
        self,
        cnf: Cnf,
        window: int | None,
        anchor: int,
        seed: int | None,
        confidence: float,
        most: int,
    ) -> SearchPart:
        """Matches of all clauses, as occurrences of clause number ``anchor``.

        Args:
            cnf: as of ``Index.search``.
            window: as there.
            anchor: the clause whose occurrences are counted.
            seed: of the occurrences that are drawn, where not all are looked at.
            confidence: how often bounds hold, where only a sample is looked at.
            most: places that are listed.
        """
        if not 0 < confidence < 1:
            raise QueryError("confidence", repr(confidence), "a probability between 0 and 1")
        clauses, found = self._matches(cnf, window, anchor, seed)
        count, low, high = estimate(clauses, found, confidence)
        return SearchPart(
            count=count,
            low=low,
            high=high,
            sampled=found.sampled,
            total=found.total,
            documents=found.places.shape[0],
            places=found.places[: as_number("most", most)],
        )

    def search_places(
        self, cnf: Cnf, window: int | None, anchor: int, seed: int | None, ordinals: np.ndarray
    ) -> np.ndarray:
        """Shard and position of the first match in some of the documents, int64[k, 2].

        ``ordinals``: int64[k], places of these in the list of all that ``search`` counts.
        """
        _, found = self._matches(cnf, window, anchor, seed)
        ordinals = as_ids(ordinals)
        _require("ordinals", ordinals, found.places.shape[0])
        return found.places[ordinals]

    def search_documents(
        self, cnf: Cnf, places: np.ndarray, length: int, context: int | None
    ) -> list[Document]:
        """Documents at places of the anchor, int64[k, 2], with the phrases of all clauses.

        ``length``: tokens there that what is shown of each holds.
        """
        clauses, _ = read_clauses(self._reader, self._patterns, cnf, None)
        length, context = as_number("length", length), _context(context)
        places = self._places(places, 2)
        return list(documents_at(self._reader, clauses, places, length, context))

    def located(self, queries: Sequence[Ids]) -> np.ndarray:
        """Occurrences of each in the files, int64[k]: what is taken down is counted too."""
        patterns = self._patterns.occurrences_batch(queries)
        return self._reader.texts.engine.count_batch(*patterns)

    def occurrences(
        self, queries: Sequence[Ids], which: np.ndarray, numbers: np.ndarray
    ) -> np.ndarray:
        """Where some occurrences stand, int64[m, 4].

        A row is a shard, a text position, the document there, and 1 if that is shown, not taken
        down.

        Args:
            queries: ids, at least one each.
            which: int64[m], the query each is an occurrence of.
            numbers: int64[m], below what is ``located`` of it, in the order of shards and ranks.
        """
        phrases = [self._phrase(query) for query in queries]
        which, numbers = as_ids(which), as_ids(numbers)
        _require("which", which, len(phrases))
        if which.size != numbers.size:
            raise QueryError("numbers", f"{numbers.size}", f"{which.size}, one for each of which")
        _require("numbers", numbers, np.array([phrase.located for phrase in phrases])[which])
        rows = np.ones((which.size, 4), np.int64)
        pairs = zip(which.tolist(), numbers.tolist(), strict=True)
        rows[:, :2] = [phrases[i].place(number) for i, number in pairs] or rows[:, :2]
        rows[:, 1] >>= OFFSET_BITS
        for shard in np.unique(rows[:, 0]).tolist():
            here = rows[:, 0] == shard
            rows[here, 2] = self._reader.shards[shard].document_of(rows[here, 1])
            rows[here, 3] = self._reader.shown(shard, rows[here, 2])
        return rows

    def word_counts(self, places: np.ndarray, text: Ids) -> tuple[np.ndarray, np.ndarray]:
        """How often words of a text stand around places, each inside its document.

        Args:
            places: int64[k, 3], shard, position and tokens there.
            text: ids; its words are those of ``query_words``.

        Returns:
            int32[k, words], and how many words there are around each place, int64[k].

        Raises:
            WorkLimitError: more counts than a call may extract tokens.
        """
        tokenizer, ids = self._reader.tokenizer, as_ids(text)
        self._patterns.occurrences(ids)
        words, rows = query_words(tokenizer, ids), self._places(places, 3).tolist()
        spend_tokens(len(rows) * len(words))  # a count for each is memory
        counts = np.empty((len(rows), len(words)), np.int32)
        sizes = np.empty(len(rows), np.int64)
        for number, place in enumerate(rows):
            found = self._words(*place)
            counts[number] = [found[word] for word in words]
            sizes[number] = found.total()
        return counts, sizes

    def documents_around(
        self, queries: Sequence[Ids], places: np.ndarray, context: int | None
    ) -> list[Document]:
        """Documents at places, with all occurrences of a query in what is shown of each.

        ``places``: int64[k, 3], the number of the query, shard and position.
        """
        phrases, context = [self._phrase(query) for query in queries], _context(context)
        table = _table("places", places, 3)
        _require("places", table[:, 0], len(phrases))
        self._places(table[:, 1:], 2)
        return [
            self._reader.around((shard, at), phrases[i].longest, [Clause([phrases[i]])], context)
            for i, shard, at in table.tolist()
        ]

    def _matches(
        self, cnf: Cnf, window: int | None, anchor: int, seed: int | None
    ) -> tuple[list[Clause], Found]:
        seed = None if seed is None else as_number("seed", seed)
        clauses, window = read_clauses(self._reader, self._patterns, cnf, window)
        _require("anchor", np.array([as_number("anchor", anchor)]), len(clauses))
        return clauses, find_matches(self._reader, clauses, anchor, window, seed)

    def _phrase(self, query: Ids) -> Any:
        pattern = self._patterns.occurrences(as_ids(query))
        if pattern.size == 0:
            raise QueryError("query", "no tokens", "at least one token")
        return find_pattern(self._reader.engine, pattern)

    def _places(self, places: np.ndarray, columns: int) -> np.ndarray:
        """Rows that begin with a shard and a position, of documents that may be shown."""
        table, shards = _table("places", places, columns), self._reader.shards
        _require("places", table[:, 0], len(shards))
        sizes = np.array([shard.size for shard in shards], np.int64)
        _require("places", table[:, 1], sizes[table[:, 0]])
        for shard in np.unique(table[:, 0]).tolist():
            positions = table[table[:, 0] == shard, 1]
            for document in np.unique(shards[shard].document_of(positions)).tolist():
                self._reader.require_shown(shard, document)
        return table

    def _words(self, shard: int, position: int, length: int) -> Counter:
        """Words around a place, inside its document; ids where text is not known."""
        reader = self._reader
        document = int(reader.shards[shard].document_of(np.array([position]))[0])
        first, last = reader.shards[shard].bounds(document)
        low, high = max(first, position - _SCORED), min(last, position + length + _SCORED)
        ids = reader.vocabulary.to_ids(reader.engine.extract(shard, low, high))
        if reader.tokenizer.kind == "none":
            return Counter(ids.tolist())
        return Counter(words_of(reader.tokenizer.decode(ids)))


def _context(context: int | None) -> int | None:
    return None if context is None else as_number("context", context)


def _table(name: str, rows: Any, columns: int) -> np.ndarray:
    """Rows of whole numbers from 0 on, as int64[k, columns]."""
    table = np.asarray(rows)
    if table.ndim != 2 or table.shape[1] != columns or table.dtype.kind not in "iu":
        found = f"{table.dtype} of shape {table.shape}"
        raise QueryError(name, found, f"whole numbers, {columns} in a row")
    table = table.astype(np.int64)
    _require(name, table, np.iinfo(np.int64).max >> 2)
    return table


def _require(name: str, numbers: np.ndarray, below: int | np.ndarray) -> None:
    if np.any((numbers < 0) | (numbers >= below)):
        raise QueryError(name, "a number of nothing that is there", "numbers from 0 on, in range")
