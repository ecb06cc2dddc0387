"""Boolean search: AND over clauses, OR over the phrases of each, within a window or a document.

Counts matches as ``SearchResult`` says, which is what infini-gram's queries in conjunctive normal
form aim at (Liu et al. 2024, arXiv 2401.17377), without sampling the clauses. Occurrences of all
clauses are located, sorted and intersected, shard by shard. Where the anchor is rare against the
others, what stands around each of its occurrences is read instead; and where all that exceeds what
the engine may locate for a query, around a uniform sample of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.engines.stopping import stop_here
from gramdex.fmindex.evidence import SearchResult
from gramdex.fmindex.queries import proportion
from gramdex.fmindex.queries.documents import DocumentReader
from gramdex.fmindex.queries.patterns import PatternReader, Query, as_number
from gramdex.fmindex.queries.phrases import OFFSET_BITS, Clause, Part, Phrase, read_phrase
from gramdex.fmindex.queries.query_string import parse_search
from gramdex.fmindex.results import Document
from gramdex.kernels.memory import CorruptShard
from gramdex.kernels.positions import documents_of, keep_near

SAMPLE, SMALL_SAMPLE = 4096, 256
"""Occurrences of the anchor looked at where not all are: fewer where documents are long."""


@dataclass(frozen=True)
class Found:
    """Matches: their shards and documents there, int64[n] each, in corpus order.

    Attributes:
        sampled: occurrences of the anchor that were looked at.
        total: occurrences there are in the files.
    """

    shards: np.ndarray
    documents: np.ndarray
    positions: np.ndarray
    sampled: int
    total: int

    @property
    def document_count(self) -> int | None:
        """Documents that hold a match; None where not all occurrences were looked at."""
        return self.places.shape[0] if self.sampled == self.total else None

    @cached_property
    def places(self) -> np.ndarray:
        """Shard and position of the first match in each document, int64[documents, 2]."""
        documents = np.stack([self.shards, self.documents], axis=1)
        _, first = np.unique(documents, axis=0, return_index=True)
        return np.stack([self.shards[first], self.positions[first]], axis=1)


def read_clauses(
    reader: DocumentReader,
    patterns: PatternReader,
    cnf: str | Sequence[Sequence[Query] | str],
    window: int | None,
) -> tuple[list[Clause], int | None]:
    """Look up all phrases of a search, typed or as a list; also its window.

    Raises:
        QueryError: no clause, a clause without phrases, a phrase that is none, a window given
            twice or negative.
    """
    window = None if window is None else as_number("window", window)
    if isinstance(cnf, str):
        typed = parse_search(cnf)
        if typed.window is not None and window is not None:
            raise QueryError("window", "NEAR in the query and a window", "one of them")
        cnf, window = typed.clauses, window if typed.window is None else typed.window
    window = None if window is None else min(window, 1 << 32)  # longer than any shard
    read = partial(read_phrase, reader.texts, reader.engine, patterns)
    clauses = [
        Clause([read(phrase) for phrase in list_phrases(number, clause)])
        for number, clause in enumerate(list_clauses(cnf))
    ]
    return clauses, window


@dataclass(frozen=True)
class Shown:
    """Which documents are shown.

    Attributes:
        most: at most so many.
        skip: of their order, so many are left out before.
        seed: of the order they are drawn in; None for that of the corpus.
        context: tokens around the first match in each; None for whole documents.
    """

    most: int
    skip: int
    seed: int | None
    context: int | None


def search(
    reader: DocumentReader,
    clauses: Sequence[Clause],
    window: int | None,
    shown: Shown,
) -> SearchResult:
    """Matches of all clauses.

    Args:
        reader: of the documents.
        clauses: at least one.
        window: tokens; None for anywhere in a document.
        shown: which documents, and how much of each.
    """
    anchor = min(range(len(clauses)), key=lambda number: clauses[number].count)
    found = find_matches(reader, clauses, anchor, window, shown.seed)
    chosen = found.places[choose(found.places.shape[0], shown)]
    count, low, high = estimate(clauses, found)
    return SearchResult(
        count=count,
        exact=low == high,
        low=low,
        high=high,
        document_count=found.document_count,
        documents=documents_at(reader, clauses, chosen, clauses[anchor].longest, shown.context),
        anchor=anchor,
        sampled=found.sampled,
    )


def find_matches(
    reader: DocumentReader,
    clauses: Sequence[Clause],
    anchor: int,
    window: int | None,
    seed: int | None,
) -> Found:
    """Places of one clause, the anchor, near which all others stand; drawn where they are many."""
    total = clauses[anchor].located
    others = sum(clause.located for clause in clauses) - total
    sample = _sample_size(reader, window)
    rare = total <= sample and others > _worth(reader, window) * total
    if rare or total + others > reader.engine.most_located:
        return _around(reader, clauses, anchor, window, (sample, seed))
    return _intersect(reader, clauses, anchor, window)


def choose(documents: int, shown: Shown) -> np.ndarray:
    """Which of so many documents, in corpus order, are shown; ascending int64."""
    order = np.arange(documents)
    if shown.seed is not None:
        order = np.random.default_rng(shown.seed).permutation(order)
    return np.sort(order[shown.skip : shown.skip + shown.most])


def documents_at(
    reader: DocumentReader,
    clauses: Sequence[Clause],
    places: np.ndarray,
    length: int,
    context: int | None,
) -> tuple[Document, ...]:
    """Documents at places, int64[k, 2] shards and positions, with the phrases of all clauses."""
    return tuple(
        reader.around((shard, position), length, clauses, context)
        for shard, position in places.tolist()
    )


def list_clauses(cnf: Sequence) -> list:
    """Clauses of a search; QueryError where there is none, or something else."""
    expected = "a list of clauses, each a list of phrases"
    if isinstance(cnf, np.ndarray) or not isinstance(cnf, Sequence):
        raise QueryError("search", f"a {type(cnf).__name__}", f"{expected}, or a query string")
    if not cnf:
        raise QueryError("search", "no clause", expected)
    return list(cnf)


def list_phrases(number: int, clause: Sequence[Query] | str) -> list[Query]:
    """Phrases of a clause; QueryError where there is none, or something else."""
    if isinstance(clause, str):
        return [clause]
    thing = f"clause {number}"
    if isinstance(clause, np.ndarray) or not isinstance(clause, Sequence):
        raise QueryError(thing, f"a {type(clause).__name__}", "a list of phrases")
    if not clause:
        raise QueryError(thing, "no phrase", "a list of phrases", "leave the clause out")
    if isinstance(clause[0], (int, np.integer)):
        raise QueryError(thing, "ids", "a list of phrases", "put the ids in a list: [[1, 2]]")
    return list(clause)


def _intersect(
    reader: DocumentReader, clauses: Sequence[Clause], anchor: int, window: int | None
) -> Found:
    """All matches, from sorted positions."""
    parts = [
        _intersect_shard(reader, shard, clauses, anchor, -1 if window is None else window)
        for shard in range(len(reader.shards))
    ]
    sizes = [positions.size for positions, _ in parts]
    nothing = np.empty(0, np.int64)
    return Found(
        np.repeat(np.arange(len(parts)), sizes),
        np.concatenate([nothing, *(documents for _, documents in parts)]),
        np.concatenate([nothing, *(positions for positions, _ in parts)]),
        clauses[anchor].located,
        clauses[anchor].located,
    )


def _intersect_shard(
    reader: DocumentReader, shard: int, clauses: Sequence[Clause], anchor: int, window: int
) -> tuple[np.ndarray, np.ndarray]:
    positions = clauses[anchor].positions(shard)
    starts = reader.shards[shard].starts
    documents = np.empty(positions.size, np.int64)
    try:
        documents_of(positions, starts, documents)
    except CorruptShard as error:
        raise reader.engine.damaged(str(error)) from error
    keep = reader.shown(shard, documents)
    others = [clause for number, clause in enumerate(clauses) if number != anchor]
    for other in sorted(others, key=lambda clause: clause.located):
        stop_here()
        if not keep.any():
            break
        keep_near(positions, documents, starts, window, other.positions(shard), keep)
    return positions[keep], documents[keep]


def _around(
    reader: DocumentReader,
    clauses: Sequence[Clause],
    anchor: int,
    window: int | None,
    drawing: tuple[int, int | None],
) -> Found:
    """Matches among a uniform sample of the anchor's occurrences.

    ``drawing`` is how many are to be drawn, and the seed.
    """
    total = clauses[anchor].located
    sampled = min(total, drawing[0])
    numbers = np.arange(total)
    if sampled < total:
        numbers = np.random.default_rng(drawing[1] or 0).choice(total, sampled, replace=False)
    others = [clause for number, clause in enumerate(clauses) if number != anchor]
    drawn = (_place(reader, clauses[anchor], number) for number in numbers.tolist())
    found, last = [], None
    for shard, document, place, before in sorted(filter(None, drawn), key=lambda each: each[:3]):
        if last != (shard, document):
            text = _Text(reader, shard, document, others)
            last = shard, document
        if text.first_of(place, before) and text.near(place >> OFFSET_BITS, window):
            found.append((shard, document, place >> OFFSET_BITS))
    table = np.array(found, np.int64).reshape(-1, 3)
    return Found(table[:, 0], table[:, 1], table[:, 2], sampled, total)


def _sample_size(reader: DocumentReader, window: int | None) -> int:
    """Occurrences around which no more is read than may be located, as expected before drawing.

    Without a window whole documents are read, and an occurrence likelier lies in a long one.
    """
    if window is not None:
        return SAMPLE
    lengths = [np.diff(shard.starts).astype(np.float64) for shard in reader.shards]
    tokens = sum(float(each.sum()) for each in lengths)
    length = sum(float((each * each).sum()) for each in lengths) / max(tokens, 1.0)
    return min(SAMPLE, max(SMALL_SAMPLE, int(reader.engine.most_located / max(length, 1.0))))


def _worth(reader: DocumentReader, window: int | None) -> float:
    """Positions located in the time of looking at one occurrence of the anchor."""
    occurrence, token = reader.engine.looking
    if window is None:  # documents are read once, however often the anchor stands in them
        documents = sum(shard.documents for shard in reader.shards)
        window = sum(shard.token_count for shard in reader.shards) // max(2 * documents, 1)
    return occurrence + token * 2 * window


def _place(
    reader: DocumentReader, clause: Clause, number: int
) -> tuple[int, int, int, Sequence[Phrase]] | None:
    """Shard, document and place of an occurrence, and the phrases that come before its own."""
    before = 0
    for phrase in clause.phrases:
        if number < phrase.located:
            break
        number -= phrase.located
        before += 1
    found = clause.phrases[before].place(number)
    if found is None:
        return None
    shard, place = found
    document = int(reader.shards[shard].document_of(np.array([place >> OFFSET_BITS]))[0])
    return shard, document, place, clause.phrases[:before]


class _Text:
    """A document in which an anchor stands, read as far as it is asked for.

    Args:
        reader: of the documents.
        shard, document: which.
        others: clauses that must stand in it.
    """

    def __init__(
        self, reader: DocumentReader, shard: int, document: int, others: Sequence[Clause]
    ) -> None:
        self._reader, self._shard, self._others = reader, shard, others
        self._first, self._last = reader.shards[shard].bounds(document)
        self._shown = bool(reader.shown(shard, np.array([document]))[0])
        self._all_stand: bool | None = None

    def first_of(self, place: int, before: Sequence[Phrase]) -> bool:
        """Whether none of the phrases ``before`` begins here too: then that is the occurrence."""
        position = place >> OFFSET_BITS
        reach = max((phrase.longest for phrase in before), default=0)
        part = self._read(position, position + reach)
        found = (phrase.inside(part) for phrase in before)
        return not any(np.any(s.starts << OFFSET_BITS | s.offsets == place) for s in found)

    def near(self, position: int, window: int | None) -> bool:
        """Whether every clause stands near a position."""
        if not self._shown:
            return False
        if window is None:
            if self._all_stand is None:
                part = self._read(self._first, self._last)
                self._all_stand = all(clause.inside(part).size for clause in self._others)
            return self._all_stand
        low = max(self._first, position - window)
        reach = max((clause.longest for clause in self._others), default=1)
        part = self._read(low, position + window + reach)
        begins = (clause.inside(part) for clause in self._others)
        return all((np.abs(some - position) <= window).any() for some in begins)

    def _read(self, low: int, high: int) -> Part:
        ranks = self._reader.engine.extract(self._shard, low, min(high, self._last))
        return Part(self._shard, low, ranks)


def estimate(
    clauses: Sequence[Clause], found: Found, confidence: float = proportion.CONFIDENCE
) -> tuple[int, int, int]:
    """Count of all matches, and its bounds, from those among a sample of the anchor."""
    matches, sampled, total = found.positions.size, found.sampled, found.total
    if sampled == total:
        return matches, matches, matches
    if len(clauses) == 1 and len(clauses[0].phrases) == 1:
        return (clauses[0].count,) * 3
    low, high = proportion.bounds(matches, sampled, confidence)
    low, high = (
        max(matches, int(total * low)),
        min(total - sampled + matches, int(total * high) + 1),
    )
    return round(total * matches / sampled), low, high
