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

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.engines.stopping import stop_here
from gramdex.fmindex.evidence import AttributedSpan, Attribution, Source
from gramdex.fmindex.queries.bm25 import bm25, words_of
from gramdex.fmindex.queries.borders import text_borders
from gramdex.fmindex.queries.documents import DocumentReader
from gramdex.fmindex.queries.patterns import as_number
from gramdex.fmindex.queries.phrases import OFFSET_BITS, Clause, Pattern, find_pattern

KEEP = 0.05
"""Share of the text's tokens, rounded up, that is the number of spans kept."""

LEAST_TOKENS, LEAST_BYTES = 5, 20
"""Tokens of a span, on an index of tokens and on one of bytes."""

_SCORED = 1024
"""Tokens before and after a span by which its document is ranked."""

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


def attribute(
    reader: DocumentReader, ranks: np.ndarray, spans: SpanOptions, sources: SourceOptions
) -> Attribution:
    """Spans of a text, given in ranks, with their documents."""
    engine, ids = reader.engine, reader.vocabulary.to_ids(ranks)
    lengths, _ = engine.matching_statistics(ranks)
    words = reader.tokenizer.lossless_bytes and reader.tokenizer.kind != "none"
    words = words if spans.words is None else spans.words
    borders = text_borders(reader.tokenizer, ids, words, spans.sentences)
    least = LEAST_BYTES if reader.tokenizer.kind == "bytes" else LEAST_TOKENS
    bounds = maximal_spans(lengths, *borders, spans.min_length or least)
    found = _described(reader, ranks, ids, bounds)
    if spans.max_count is not None:
        found = [span for span in found if span.count <= spans.max_count]
    kept = found
    if spans.keep is not None:
        order = sorted(found, key=lambda span: (span.log_probability, span.start))
        chosen = order[: math.ceil(spans.keep * ranks.size)]
        kept = sorted(chosen, key=lambda span: span.start)
    if sources.documents:
        kept = _with_sources(reader, ranks, kept, sources)
    return Attribution(ids, tuple(kept), len(found), lengths)


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
    reader: DocumentReader, ranks: np.ndarray, ids: np.ndarray, bounds: list[tuple[int, int]]
) -> list[AttributedSpan]:
    """Counts, probabilities and texts of spans; two batches of counts."""
    if not bounds:
        return []
    tokens, place = np.unique(ranks, return_inverse=True)
    single = reader.engine.count_batch(tokens, np.arange(tokens.size + 1))
    total = reader.engine.count(ranks[:0])
    shares = np.log(np.maximum(single, 1) / total)[place]  # tokens of spans occur
    sums = [math.fsum(shares[start:end].tolist()) for start, end in bounds]
    offsets = np.cumsum([0, *(end - start for start, end in bounds)])
    flat = np.concatenate([ranks[start:end] for start, end in bounds])
    counts = reader.engine.count_batch(flat, offsets).tolist()
    return [
        AttributedSpan(start, end, count, share, _text(reader, ids, start, end))
        for (start, end), count, share in zip(bounds, counts, sums, strict=True)
    ]


def _text(reader: DocumentReader, ids: np.ndarray, start: int, end: int) -> str | None:
    stop_here()
    if reader.tokenizer.kind == "none":
        return None
    return reader.tokenizer.decode(ids[start:end], at_start=start == 0)


def _with_sources(
    reader: DocumentReader,
    ranks: np.ndarray,
    spans: list[AttributedSpan],
    options: SourceOptions,
) -> list[AttributedSpan]:
    phrases = [find_pattern(reader.engine, ranks[span.start : span.end]) for span in spans]
    flat = [
        (i, place) for i, phrase in enumerate(phrases) for place in _places(reader, phrase, options)
    ]
    words = [_words(reader, place, spans[i].length) for i, place in flat]
    query: Sequence[Hashable] = ranks.tolist()
    if reader.tokenizer.kind != "none":
        query = words_of(reader.tokenizer.decode(reader.vocabulary.to_ids(ranks)))
    ranked: list[list[tuple[float, tuple[int, int]]]] = [[] for _ in spans]
    for (i, place), score in zip(flat, bm25(query, words), strict=True):
        ranked[i].append((score, place))
    return [
        replace(span, sources=_sources(reader, phrase, some, options.context))
        for span, phrase, some in zip(spans, phrases, ranked, strict=True)
    ]


def _places(
    reader: DocumentReader, phrase: Pattern, options: SourceOptions
) -> list[tuple[int, int]]:
    """A place of the phrase in each of several documents, in corpus order."""
    first: dict[tuple[int, int], int] = {}
    for looked_at in _LOOKED_AT:
        numbers = np.arange(phrase.located)
        if phrase.located > looked_at:
            generator = np.random.default_rng(options.seed)
            numbers = generator.choice(phrase.located, looked_at, replace=False)
        for shard, place in sorted(map(phrase.place, numbers.tolist())):
            position = place >> OFFSET_BITS
            document = reader.shards[shard].document_of(np.array([position]))
            if reader.shown(shard, document)[0]:
                first.setdefault((shard, int(document[0])), position)
        if len(first) >= options.documents or phrase.located <= looked_at:
            break
    places = sorted((shard, position) for (shard, _), position in first.items())
    if len(places) > options.documents:
        generator = np.random.default_rng(options.seed)
        chosen = generator.choice(len(places), options.documents, replace=False)
        places = [places[i] for i in np.sort(chosen).tolist()]
    return places


def _words(reader: DocumentReader, place: tuple[int, int], length: int) -> Counter:
    """Words around a place, inside its document; ranks where text is not known."""
    shard, position = place
    document = int(reader.shards[shard].document_of(np.array([position]))[0])
    first, last = reader.shards[shard].bounds(document)
    low, high = max(first, position - _SCORED), min(last, position + length + _SCORED)
    ranks = reader.engine.extract(shard, low, high)
    if reader.tokenizer.kind == "none":
        return Counter(ranks.tolist())
    return Counter(words_of(reader.tokenizer.decode(reader.vocabulary.to_ids(ranks))))


def _sources(
    reader: DocumentReader,
    phrase: Pattern,
    ranked: list[tuple[float, tuple[int, int]]],
    context: int | None,
) -> tuple[Source, ...]:
    clauses = [Clause([phrase])]
    return tuple(
        Source(score, reader.around(place, phrase.longest, clauses, context))
        for score, place in sorted(ranked, key=lambda each: (-each[0], each[1]))
    )
