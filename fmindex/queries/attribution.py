"""Attribution: the parts of a text that stand in the corpus word for word, and where.

The task of OLMoTrace (Liu et al. 2025, arXiv 2504.07096): maximal spans that occur, of those the
least probable by the frequencies of their tokens, for each some documents, ranked by BM25 against
the whole text. A match starting at each token gives them all: a span that begins at i is the
longest that the match at i, the words and the sentence allow, and lies in no other if it ends after
every one before it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.engines.stopping import stop_here
from gramdex.fmindex.evidence import AttributedSpan, Attribution, Source
from gramdex.fmindex.queries.bm25 import bm25, words_of
from gramdex.fmindex.queries.borders import text_borders
from gramdex.fmindex.queries.patterns import Ids, Query, as_number
from gramdex.fmindex.results import Document, MatchingStatistics
from gramdex.fmindex.tokenizers import Tokenizer

KEEP = 0.05
"""Share of the text's tokens, rounded up, that is the number of spans kept."""

LEAST_TOKENS, LEAST_BYTES = 5, 20
"""Tokens of a span, on an index of tokens and on one of bytes."""

_LOOKED_AT = (40, 400)
"""Occurrences of a span that are looked at for documents, and, where those lie in too few, then."""


@dataclass(frozen=True)
class SpanOptions:
    """Which spans are wanted.

    Attributes:
        min_length: tokens a span has at least; None for what suits the tokenizer.
        max_count: occurrences it has at most; None for any number.
        keep: of a text of n tokens, the ceil(keep · n) least probable spans; None for all.
        words: spans begin and end between words; None for wherever the text is known.
        sentences: spans hold no sentence's end but at their own.
    """

    min_length: int | None = None
    max_count: int | None = None
    keep: float | None = KEEP
    words: bool | None = None
    sentences: bool = False

    def __post_init__(self) -> None:
        for name in ("min_length", "max_count"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, as_number(name, value, 1))
        if self.keep is not None:
            number = isinstance(self.keep, (int, float)) and not isinstance(self.keep, bool)
            if not (number and 0 < self.keep <= 1):
                raise QueryError("keep", repr(self.keep), "a share above 0 and up to 1, or None")


@dataclass(frozen=True)
class SourceOptions:
    """Which documents are wanted.

    Attributes:
        documents: of each span, at most; drawn where it stands in more.
        seed: what is drawn is drawn with it.
        context: tokens shown before and after the span; None for whole documents.
    """

    documents: int
    seed: int
    context: int | None


class Places(Protocol):
    """Where spans stand; see ``fmindex/part.py``, which answers for one index."""

    def located(self, queries: Sequence[Ids]) -> np.ndarray:
        """Occurrences of each that can be drawn."""
        ...

    def occurrences(
        self, queries: Sequence[Ids], which: np.ndarray, numbers: np.ndarray
    ) -> np.ndarray:
        """Shard, position and document of some, and whether it is shown."""
        ...

    def word_counts(self, places: np.ndarray, text: Ids) -> tuple[np.ndarray, np.ndarray]:
        """How often the words of a text stand around places, and how many words do."""
        ...

    def documents_around(
        self, queries: Sequence[Ids], places: np.ndarray, context: int | None
    ) -> list[Document]:
        """What is shown around places."""
        ...


class Corpus(Protocol):
    """What is asked about a text: an index, or several that answer as one."""

    tokenizer: Tokenizer

    @property
    def part(self) -> Places:
        """Where spans stand."""
        ...

    def match(self, text: Query) -> MatchingStatistics:
        """As of ``Index``."""
        ...

    def count_batch(self, queries: Sequence[Query]) -> np.ndarray:
        """As of ``Index``."""
        ...


def attribute(
    corpus: Corpus, ids: np.ndarray, spans: SpanOptions, sources: SourceOptions
) -> Attribution:
    """Spans of a text, int64[n] ids, with their documents."""
    tokenizer, lengths = corpus.tokenizer, corpus.match(ids).lengths
    words = tokenizer.lossless_bytes and tokenizer.kind != "none"
    words = words if spans.words is None else spans.words
    borders = text_borders(tokenizer, ids, words, spans.sentences)
    least = LEAST_BYTES if tokenizer.kind == "bytes" else LEAST_TOKENS
    bounds = maximal_spans(lengths, *borders, spans.min_length or least)
    found = _described(corpus, ids, bounds)
    if spans.max_count is not None:
        found = [span for span in found if span.count <= spans.max_count]
    kept = found
    if spans.keep is not None:
        order = sorted(found, key=lambda span: (span.log_probability, span.start))
        chosen = order[: math.ceil(spans.keep * ids.size)]
        kept = sorted(chosen, key=lambda span: span.start)
    if sources.documents and kept:
        kept = _with_sources(corpus, ids, kept, sources)
    return Attribution(ids, tuple(kept), len(found), lengths)


def query_words(tokenizer: Tokenizer, ids: np.ndarray) -> Sequence[Hashable]:
    """Distinct words of a text, ascending; its ids where text is not known."""
    if tokenizer.kind == "none":
        return sorted(set(ids.tolist()))
    return sorted(set(words_of(tokenizer.decode(ids))))


def maximal_spans(
    lengths: np.ndarray, cut: np.ndarray, ends: np.ndarray, least: int
) -> list[tuple[int, int]]:
    """Spans [start, end) that occur, are cut where they may be, and lie in no other.

    Args:
        lengths: int64[n], longest match from each token on.
        cut: bool[n + 1], borders at which a span may begin and end.
        ends: bool[n + 1], borders at which sentences end.
        least: tokens.
    """
    size = lengths.size
    borders = np.arange(size + 1)
    last_cut = np.maximum.accumulate(np.where(cut, borders, -1))
    next_end = np.minimum.accumulate(np.where(ends, borders, size)[::-1])[::-1]
    reach = np.minimum(borders[:-1] + lengths, next_end[1:])
    reach = np.where(cut[:-1], last_cut[reach], -1)
    before = np.maximum.accumulate(np.concatenate([[-1], reach[:-1]]))
    starts = np.flatnonzero((reach > before) & (reach - borders[:-1] >= max(least, 1)))
    return [(start, int(reach[start])) for start in starts.tolist()]


def _described(
    corpus: Corpus, ids: np.ndarray, bounds: list[tuple[int, int]]
) -> list[AttributedSpan]:
    """Counts, probabilities and texts of spans; one batch of counts."""
    if not bounds:
        return []
    tokens, place = np.unique(ids, return_inverse=True)
    flat = ids.tolist()
    asked = [[], *([token] for token in tokens.tolist()), *(flat[a:b] for a, b in bounds)]
    counts = corpus.count_batch(asked)
    total, single, counts = counts[0], counts[1 : tokens.size + 1], counts[tokens.size + 1 :]
    shares = np.log(np.maximum(single, 1) / total)[place]  # tokens of spans occur
    sums = [math.fsum(shares[start:end].tolist()) for start, end in bounds]
    return [
        AttributedSpan(start, end, count, share, _text(corpus.tokenizer, ids, start, end))
        for (start, end), count, share in zip(bounds, counts.tolist(), sums, strict=True)
    ]


def _text(tokenizer: Tokenizer, ids: np.ndarray, start: int, end: int) -> str | None:
    stop_here()
    if tokenizer.kind == "none":
        return None
    return tokenizer.decode(ids[start:end], at_start=start == 0)


def _with_sources(
    corpus: Corpus, ids: np.ndarray, spans: list[AttributedSpan], options: SourceOptions
) -> list[AttributedSpan]:
    queries = [ids[span.start : span.end] for span in spans]
    drawn = _places(corpus.part, queries, options)
    flat = [(i, *place) for i, places in enumerate(drawn) for place in places]
    table = np.array(flat, np.int64).reshape(-1, 3)
    lengths = np.array([query.size for query in queries])[table[:, 0]]
    counts, sizes = corpus.part.word_counts(np.column_stack([table[:, 1:], lengths]), ids)
    words = query_words(corpus.tokenizer, ids)
    documents = [
        Counter({words[j]: int(row[j]) for j in np.flatnonzero(row).tolist()}) for row in counts
    ]
    scores = bm25(words, documents, sizes.tolist())
    order = sorted(range(len(flat)), key=lambda i: (flat[i][0], -scores[i], flat[i]))
    sources: list[list[Source]] = [[] for _ in spans]
    around = corpus.part.documents_around(queries, table[order], options.context)
    for i, document in zip(order, around, strict=True):
        sources[flat[i][0]].append(Source(scores[i], document))
    return [replace(span, sources=tuple(s)) for span, s in zip(spans, sources, strict=True)]


def _places(
    part: Places, queries: Sequence[np.ndarray], options: SourceOptions
) -> list[list[tuple[int, int]]]:
    """For each query a shard and position in each of several documents, in corpus order."""
    located = part.located(queries).tolist()
    first: list[dict[tuple[int, int], int]] = [{} for _ in queries]
    asked = list(range(len(queries)))
    for looked_at in _LOOKED_AT:
        numbers = [_drawn(located[i], looked_at, options.seed) for i in asked]
        which = np.repeat(asked, [some.size for some in numbers])
        rows = part.occurrences(queries, which, np.concatenate(numbers))
        places = np.column_stack([which, rows])[rows[:, 3] > 0]
        for i, shard, position, document, _ in sorted(places.tolist()):
            first[i].setdefault((shard, document), position)
        asked = [i for i in asked if len(first[i]) < options.documents and located[i] > looked_at]
        if not asked:
            break
    return [
        _some([(shard, position) for (shard, _), position in each.items()], options)
        for each in first
    ]


def _drawn(total: int, most: int, seed: int) -> np.ndarray:
    """Numbers of occurrences that are looked at."""
    if total <= most:
        return np.arange(total)
    return np.random.default_rng(seed).choice(total, most, replace=False)


def _some(places: list[tuple[int, int]], options: SourceOptions) -> list[tuple[int, int]]:
    places = sorted(places)
    if len(places) > options.documents:
        generator = np.random.default_rng(options.seed)
        chosen = generator.choice(len(places), options.documents, replace=False)
        places = [places[i] for i in np.sort(chosen).tolist()]
    return places
