"""What is asked of both engines: every kind of query, on contexts of the corpus and held out.

Contexts of the corpus occur in full, which suits any index; those of held-out text back off.
Each kind is asked on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gramdex.fmindex.index import Index
from gramdex.tools.bench.corpus import Corpus, draw_patterns
from gramdex.tools.bench.engines import SAMPLED_SUPPORT, Peer

if TYPE_CHECKING:
    from gramdex.tools.bench.queries import QuerySettings

COUNT_LENGTHS = (2, 5, 10, 30)
WINDOW = 64
"""Tokens of context plus the token asked for."""
BATCH = 1000
TEXT = 1000
AROUND = 50
DOCUMENTS = 10

PROBABILITIES, DISTRIBUTIONS, TEXTS, READS = 5, 20, 200, 20
"""Divisors: how many of ``QuerySettings.queries`` each slower kind gets."""

_BATCH_NOTE = "infini-gram has no batches: it is called in a loop."
_SAMPLED_NOTE = (
    f"'sampled': infini-gram's default, max_support={SAMPLED_SUPPORT}, which is approximate "
    "above so many occurrences; gramdex is always exact. 'exact': it samples nothing."
)
_SCORES_NOTE = "infini-gram scores a text only token by token: see the ∞-gram probability."
_MATCH_NOTE = "infini-gram's creativity gives the lengths only, gramdex the counts too."
_DOCUMENTS_NOTE = (
    f"gramdex: the first {DOCUMENTS} documents that hold 5 tokens, decoded where there is a "
    f"tokenizer, {AROUND} tokens around. infini-gram: search_docs, {DOCUMENTS} occurrences at "
    "random, repeats included, as ids. Only whether there are any is compared."
)


@dataclass(frozen=True)
class Case:
    """One row to measure.

    Attributes:
        section, label: where it is printed.
        ours, theirs: called with each query's arguments; theirs is None where there is no such.
        queries: arguments of each call.
        their_queries: where the peer wants them in another form.
        same: whether two answers to a query agree; None where they cannot be compared.
        unit: of the figures.
        per_call: queries or tokens in one call, by which its time is divided.
        answers_per_call: compared answers in one call.
        text: a call scores a text, so tokens per second mean something.
        note: what a reader has to know.
    """

    section: str
    label: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any] | None
    queries: Sequence[tuple]
    their_queries: Sequence[tuple] | None = None
    same: Callable[[tuple, Any, Any], bool] | None = None
    unit: str = "µs"
    per_call: int = 1
    answers_per_call: int = 1
    text: bool = False
    note: str = ""


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
    for cases in (_counts, _batches, _probabilities, _distributions, _short, _texts, _documents):
        for one in drawn:
            yield from cases(index, peer, one)


def _counts(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    for length in COUNT_LENGTHS:
        yield Case(
            "count, one call",
            f"{drawn.origin}, {length} tokens",
            index.count,
            peer and peer.engine.count,
            [(pattern,) for pattern in drawn.patterns(length).tolist()],
            same=peer and (lambda query, ours, theirs: peer.same_count(ours, theirs)),
        )


def _batches(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    def loop(patterns: list[list[int]]) -> list[Any]:
        return [peer.engine.count(pattern) for pattern in patterns]  # type: ignore[union-attr]

    def same(query: tuple, ours: np.ndarray, theirs: list[Any]) -> bool:
        return all(map(peer.same_count, ours.tolist(), theirs))  # type: ignore[union-attr]

    for length in COUNT_LENGTHS:
        patterns = drawn.patterns(length)
        batch = min(BATCH, len(patterns))
        arrays = [patterns[i : i + batch] for i in range(0, len(patterns) - batch + 1, batch)]
        lists = [(array.tolist(),) for array in arrays]
        for form, queries in (("array", [(array,) for array in arrays]), ("lists", lists)):
            yield Case(
                f"count_batch of {batch}, per query",
                f"{drawn.origin}, {length}, {form}",
                index.count_batch,
                peer and loop,
                queries,
                lists,
                peer and same,
                per_call=batch,
                answers_per_call=batch,
                note=_BATCH_NOTE,
            )


def _probabilities(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    windows = drawn.patterns(WINDOW, PROBABILITIES).tolist()
    yield Case(
        f"∞-gram probability, {WINDOW - 1} tokens of context",
        drawn.origin,
        index.infgram_prob,
        peer and peer.engine.infgram_prob,
        [(window[:-1], window[-1]) for window in windows],
        same=peer and (lambda query, ours, theirs: peer.same_probability(ours, theirs)),
    )


def _distributions(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    contexts = drawn.patterns(WINDOW, DISTRIBUTIONS)[:, :-1].tolist()
    section = f"∞-gram distribution, {WINDOW - 1} tokens of context"
    theirs = peer and peer.engine.infgram_ntd
    yield from _sampled(section, drawn.origin, index.infgram_ntd, theirs, peer, contexts)


def _short(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    for length in (1, 3):
        contexts = drawn.patterns(length, DISTRIBUTIONS).tolist()
        theirs = peer and peer.engine.ntd
        label = f"{drawn.origin}, {length}"
        yield from _sampled(
            "distribution after short contexts", label, index.ntd, theirs, peer, contexts
        )


def _sampled(
    section: str,
    label: str,
    ours: Callable[..., Any],
    theirs: Callable[..., Any] | None,
    peer: Peer | None,
    contexts: list[list[int]],
) -> Iterator[Case]:
    """One row against the peer's exact setting, one against its default."""
    queries = [(context,) for context in contexts]
    if peer is None or theirs is None:
        yield Case(section, label, ours, None, queries)
        return

    def same(query: tuple, ours: Any, theirs: Any) -> bool:
        return peer.same_distribution(query[0], ours, theirs)

    yield Case(section, f"{label}, exact", ours, theirs, queries, same=same, note=_SAMPLED_NOTE)
    sampled = [(context, SAMPLED_SUPPORT) for context in contexts]
    yield Case(section, f"{label}, sampled", ours, theirs, queries, sampled)


def _texts(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    length = min(TEXT, int(drawn.corpus.lengths.max()))
    queries = [(text,) for text in drawn.patterns(length, TEXTS).tolist()]
    shared = {"unit": "µs per token", "per_call": length, "text": True}
    section = f"texts of {length} tokens"
    yield Case(
        section,
        f"{drawn.origin}, match",
        index.match,
        peer and peer.engine.creativity,
        queries,
        same=peer and (lambda query, ours, theirs: peer.same_matches(ours.lengths, theirs)),
        note=_MATCH_NOTE,
        **shared,  # type: ignore[arg-type]
    )
    yield Case(
        section,
        f"{drawn.origin}, infgram_scores",
        index.infgram_scores,
        None,
        queries,
        note=_SCORES_NOTE,
        **shared,  # type: ignore[arg-type]
    )


def _documents(index: Index, peer: Peer | None, drawn: Drawn) -> Iterator[Case]:
    patterns = drawn.patterns(5, READS).tolist()
    yield Case(
        f"documents, {DOCUMENTS} at most",
        drawn.origin,
        index.documents,
        peer and peer.engine.search_docs,
        [(pattern, DOCUMENTS, AROUND) for pattern in patterns],
        [(pattern, DOCUMENTS, 2 * AROUND + 5) for pattern in patterns],
        lambda query, ours, theirs: bool(ours) == bool(theirs["cnt"]),
        note=_DOCUMENTS_NOTE,
    )
