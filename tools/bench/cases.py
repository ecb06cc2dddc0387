"""What is asked of both engines: every kind of query, on contexts of the corpus and held out.

Contexts of the corpus occur in full, which suits any index; those of held-out text back off.
Each kind is asked on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gramdex.fmindex.index import Index
from gramdex.fmindex.results import Distribution
from gramdex.tools.bench.corpus import Corpus, draw_patterns
from gramdex.tools.bench.engines import SAMPLED_SUPPORT, Peer, same_count, same_matches

if TYPE_CHECKING:
    from gramdex.tools.bench.queries import QuerySettings

Same: TypeAlias = Callable[[tuple, Any, Any], bool]
"""Of the query, gramdex's answer and the peer's: whether they agree."""

COUNT_LENGTHS = (2, 5, 10, 30)
WINDOW = 64
"""Tokens of context plus the token asked for."""
BATCH = 1000
TEXT = 1000
MOST_NEXT_TOKENS = 4000
AROUND = 50
DOCUMENTS = 10

PROBABILITIES, DISTRIBUTIONS, TEXTS, READS = 5, 20, 200, 20
"""Divisors: how many of ``QuerySettings.queries`` each slower kind gets."""

BEST, SAMPLED, DELIVERED = "infini-gram", "… sampled", "… as delivered"

_WAYS_NOTE = (
    "infini-gram: without prefetching, its best on a warm page cache. As delivered: it advises "
    "the system of every page it may come to."
)
_BATCH_NOTE = "infini-gram has no batches: it is called in a loop, without prefetching."
_DISTRIBUTIONS_NOTE = (
    f"infini-gram: exact, without prefetching. Sampled: approximate above max_support="
    f"{SAMPLED_SUPPORT} occurrences, its default. As delivered: that, and prefetching. gramdex "
    f"is always exact. Exact, infini-gram has up to two threads per next token at a time, and "
    f"runs out of them: it is not asked for more than {MOST_NEXT_TOKENS:,} next tokens."
)
_SCORES_NOTE = "infini-gram scores a text only token by token: see the ∞-gram probability."
_MATCH_NOTE = "infini-gram's creativity gives the lengths only, gramdex the counts too."
_DOCUMENTS_NOTE = (
    f"gramdex: the first {DOCUMENTS} documents that hold 5 tokens, decoded where there is a "
    f"tokenizer, {AROUND} tokens around. infini-gram: search_docs, {DOCUMENTS} occurrences at "
    "random, repeats included, as ids. Only whether there are any is compared."
)


@dataclass(frozen=True)
class Way:
    """One way of asking the peer.

    Attributes:
        name: as printed.
        call: called with each query's arguments.
        queries: where it wants other arguments than gramdex.
        same: whether an answer of gramdex's agrees with its; None where they mean two things.
        takes: whether it can be asked, told from gramdex's answer.
    """

    name: str
    call: Callable[..., Any]
    queries: Sequence[tuple] | None = None
    same: Same | None = None
    takes: Callable[[Any], bool] = lambda answer: True


@dataclass(frozen=True)
class Case:
    """One row to measure.

    Attributes:
        section, label: where it is printed.
        ours: called with each query's arguments.
        queries: arguments of each call.
        ways: of asking the peer the same.
        unit: of the figures.
        per_call: queries or tokens in one call, by which its time is divided.
        answers: of one call, that are compared.
        text: a call scores a text, so tokens per second mean something.
        notes: what a reader has to know.
    """

    section: str
    label: str
    ours: Callable[..., Any]
    queries: Sequence[tuple]
    ways: Sequence[Way] = ()
    unit: str = "µs"
    per_call: int = 1
    answers: int = 1
    text: bool = False
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Drawn:
    """Patterns of one origin.

    Attributes:
        origin: "corpus" or "held-out".
        corpus: they stand in.
        settings: how many, and the seed.
    """

    origin: str
    corpus: Corpus
    settings: QuerySettings

    def patterns(self, length: int, divisor: int = 1) -> np.ndarray:
        """Patterns int64[k, length]."""
        count = max(1, self.settings.queries // divisor)
        return draw_patterns(self.corpus, length, count, self.settings.seed)


def all_cases(
    index: Index,
    peer: Peer | None,
    corpus: Corpus,
    held_out: Corpus | None,
    settings: QuerySettings,
) -> Iterator[Case]:
    """Every row, in the order of the tables; patterns are drawn as rows are reached."""
    drawn = [Drawn("corpus", corpus, settings)]
    if held_out is not None:
        drawn.append(Drawn("held-out", held_out, settings))
    for cases in (_counts, _batches, _probabilities, _distributions, _texts, _documents):
        for one in drawn:
            yield from cases(index, peer, one)


def _ways(
    peer: Peer | None, method: str, same: Same, queries: Sequence[tuple] | None = None
) -> list[Way]:
    """At its best, and as delivered."""
    if peer is None:
        return []
    return [
        Way(BEST, getattr(peer.engine, method), queries, same),
        Way(DELIVERED, getattr(peer.delivered, method), queries, same),
    ]


def _counts(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    for length in COUNT_LENGTHS:
        yield Case(
            "count, one call",
            f"{drawn.origin}, {length} tokens",
            index.count,
            [(pattern,) for pattern in drawn.patterns(length).tolist()],
            _ways(peer, "count", lambda query, ours, theirs: same_count(ours, theirs)),
            notes=[_WAYS_NOTE],
        )


def _batches(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    for length in COUNT_LENGTHS:
        patterns = drawn.patterns(length)
        size = min(BATCH, len(patterns))
        arrays = [patterns[i : i + size] for i in range(0, len(patterns) - size + 1, size)]
        lists = [(array.tolist(),) for array in arrays]
        for form, queries in (("array", [(array,) for array in arrays]), ("lists", lists)):
            yield Case(
                f"count_batch of {size}, per query",
                f"{drawn.origin}, {length}, {form}",
                index.count_batch,
                queries,
                [] if peer is None else [_loop(peer, lists)],
                per_call=size,
                answers=size,
                notes=[_BATCH_NOTE],
            )


def _loop(peer: Peer, batches: Sequence[tuple]) -> Way:
    """Ask the peer for a batch: pattern by pattern."""
    count = peer.engine.count
    return Way(
        BEST,
        lambda patterns: [count(pattern) for pattern in patterns],
        batches,
        lambda query, ours, theirs: all(map(same_count, ours.tolist(), theirs)),
    )


def _probabilities(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    windows = drawn.patterns(WINDOW, PROBABILITIES).tolist()
    yield Case(
        f"∞-gram probability, {WINDOW - 1} tokens of context",
        drawn.origin,
        index.infgram_prob,
        [(window[:-1], window[-1]) for window in windows],
        [] if peer is None else _ways(peer, "infgram_prob", peer.same_probability),
        notes=[_WAYS_NOTE],
    )


def _distributions(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    contexts = drawn.patterns(WINDOW, DISTRIBUTIONS)[:, :-1].tolist()
    yield Case(
        f"∞-gram distribution, {WINDOW - 1} tokens of context",
        drawn.origin,
        index.infgram_ntd,
        [(context,) for context in contexts],
        _sampling_ways(peer, "infgram_ntd", contexts),
        notes=[_DISTRIBUTIONS_NOTE],
    )
    for length in (1, 3):
        contexts = drawn.patterns(length, DISTRIBUTIONS).tolist()
        yield Case(
            "distribution after short contexts",
            f"{drawn.origin}, {length} tokens",
            index.ntd,
            [(context,) for context in contexts],
            _sampling_ways(peer, "ntd", contexts),
            notes=[_DISTRIBUTIONS_NOTE],
        )


def _sampling_ways(peer: Peer | None, method: str, contexts: list[list[int]]) -> list[Way]:
    """Exact, with its default of sampling, and as delivered."""
    if peer is None:
        return []
    exact, delivered = getattr(peer.engine, method), getattr(peer.delivered, method)
    return [
        Way(BEST, exact, None, peer.same_distribution, _few_next_tokens),
        Way(SAMPLED, exact, [(context, SAMPLED_SUPPORT) for context in contexts]),
        Way(DELIVERED, delivered),
    ]


def _few_next_tokens(answer: Distribution) -> bool:
    return answer.tokens.size <= MOST_NEXT_TOKENS


def _texts(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    length = min(TEXT, int(drawn.corpus.lengths.max()))
    queries = [(text,) for text in drawn.patterns(length, TEXTS).tolist()]
    section, unit = f"texts of {length} tokens", "µs per token"
    ways = _ways(peer, "creativity", same_matches)
    label, notes = f"{drawn.origin}, match", [_WAYS_NOTE, _MATCH_NOTE]
    yield Case(section, label, index.match, queries, ways, unit, length, 1, True, notes)
    label, notes = f"{drawn.origin}, scores", [_SCORES_NOTE]
    yield Case(section, label, index.infgram_scores, queries, [], unit, length, 1, True, notes)


def _documents(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    patterns = drawn.patterns(5, READS).tolist()
    theirs = [(pattern, DOCUMENTS, 2 * AROUND + 5) for pattern in patterns]
    yield Case(
        f"documents, {DOCUMENTS} at most",
        drawn.origin,
        index.documents,
        [(pattern, DOCUMENTS, AROUND) for pattern in patterns],
        _ways(peer, "search_docs", _same_presence, theirs),
        notes=[_DOCUMENTS_NOTE],
    )


def _same_presence(query: tuple, ours: Sequence[Any], theirs: dict[str, Any]) -> bool:
    return bool(ours) == bool(theirs["cnt"])
