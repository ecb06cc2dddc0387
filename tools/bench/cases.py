"""What is asked of both engines: every kind of query, on contexts of the corpus and held out.

Contexts of the corpus occur in full, which suits any index; those of held-out text back off.
Each kind is asked on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gramdex.fmindex.index import Index
from gramdex.tools.bench.corpus import Corpus, draw_patterns
from gramdex.tools.bench.peers.infini_gram import MOST_NEXT_TOKENS, SAMPLED_SUPPORT
from gramdex.tools.bench.peers.interface import Opened, Way
from gramdex.tools.bench.peers.sdsl import LOCATED as SDSL_LOCATED

if TYPE_CHECKING:
    from gramdex.tools.bench.queries import QuerySettings

COUNT_LENGTHS = (2, 5, 10, 30)
STRING_LENGTHS = (10, 50)
WINDOW = 64
"""Tokens of context plus the token asked for."""
BATCH = 1000
TEXT = 1000
FREQUENT = 20
LOCATED = 10
AROUND = 50
DOCUMENTS = 10

PROBABILITIES, DISTRIBUTIONS, TEXTS, READS = 5, 20, 200, 20
"""Divisors: how many of ``QuerySettings.queries`` each slower kind gets."""

_WAYS_NOTE = (
    "infini-gram: without prefetching, its best on a warm page cache. As delivered: it advises "
    "the system of every page it may come to."
)
_SDSL_NOTE = "SDSL: called through ctypes on patterns laid out as arrays before the clock starts."
_BATCH_NOTE = (
    "infini-gram has no batches: it is called in a loop, without prefetching. SDSL: a loop in C++."
)
_LOCATE_NOTE = (
    f"Patterns of {LOCATED} tokens. SDSL is asked where there are at most {SDSL_LOCATED} "
    "occurrences; infini-gram names ranks and documents, not positions."
)
_DISTRIBUTIONS_NOTE = (
    f"infini-gram: exact, without prefetching. Sampled: approximate above max_support="
    f"{SAMPLED_SUPPORT} occurrences, its default. As delivered: that, and prefetching. gramdex "
    f"is always exact. Exact, infini-gram has up to two threads per next token at a time, and "
    f"runs out of them: it is not asked for more than {MOST_NEXT_TOKENS:,} next tokens."
)
_STRINGS_NOTE = (
    "Characters of the corpus, wherever tokens cut them, one character after a token begins. No "
    "peer counts text in an index of tokens."
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
        question: what is asked, as `Opened` calls it.
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
    question: str
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
    peers: Sequence[Opened],
    corpus: Corpus,
    held_out: Corpus | None,
    settings: QuerySettings,
) -> Iterator[Case]:
    """Every row, in the order of the tables; patterns are drawn as rows are reached."""
    drawn = [Drawn("corpus", corpus, settings)]
    if held_out is not None:
        drawn.append(Drawn("held-out", held_out, settings))
    for question, cases in _QUESTIONS.items():
        if not settings.questions or question in settings.questions:
            for one in drawn if question != "worst" else drawn[:1]:
                for case in cases(index, one):
                    ways = [way for p in peers for way in p.ways(case.question, case.queries)]
                    yield replace(case, ways=ways)


def _counts(index: Index, drawn: Drawn) -> Iterator[Case]:
    for length in COUNT_LENGTHS:
        yield Case(
            "count, one call",
            f"{drawn.origin}, {length} tokens",
            "count",
            index.count,
            [(pattern,) for pattern in drawn.patterns(length).tolist()],
            notes=[_WAYS_NOTE, _SDSL_NOTE],
        )


def _strings(index: Index, drawn: Drawn) -> Iterator[Case]:
    """Windows of characters, which begin and end inside tokens as it comes."""
    if not index.tokenizer.lossless_bytes:
        return
    for length in STRING_LENGTHS:
        tokens = min(length + 1, int(drawn.corpus.lengths.max()))
        texts = [index.decode(ids)[1:] for ids in drawn.patterns(tokens, PROBABILITIES)]
        strings = [text[:length] for text in texts if text[:length]]
        if strings:
            yield Case(
                "count of a text, one call",
                f"{drawn.origin}, {length} characters",
                "count_text",
                index.count,
                [(string,) for string in strings],
                notes=[_STRINGS_NOTE],
            )


def _batches(index: Index, drawn: Drawn) -> Iterator[Case]:
    for length in COUNT_LENGTHS:
        patterns = drawn.patterns(length)
        size = min(BATCH, len(patterns))
        arrays = [patterns[i : i + size] for i in range(0, len(patterns) - size + 1, size)]
        lists = [(array.tolist(),) for array in arrays]
        for form, queries in (("array", [(array,) for array in arrays]), ("lists", lists)):
            yield Case(
                f"count_batch of {size}, per query",
                f"{drawn.origin}, {length}, {form}",
                "count_batch",
                index.count_batch,
                queries,
                per_call=size,
                answers=size,
                notes=[_BATCH_NOTE],
            )


def _probabilities(index: Index, drawn: Drawn) -> Iterator[Case]:
    windows = drawn.patterns(WINDOW, PROBABILITIES).tolist()
    yield Case(
        f"∞-gram probability, {WINDOW - 1} tokens of context",
        drawn.origin,
        "infgram_prob",
        index.infgram_prob,
        [(window[:-1], window[-1]) for window in windows],
        notes=[_WAYS_NOTE],
    )


def _backed_off(index: Index, drawn: Drawn) -> Iterator[Case]:
    contexts = drawn.patterns(WINDOW, DISTRIBUTIONS)[:, :-1].tolist()
    yield Case(
        f"∞-gram distribution, {WINDOW - 1} tokens of context",
        drawn.origin,
        "infgram_ntd",
        index.infgram_ntd,
        [(context,) for context in contexts],
        notes=[_DISTRIBUTIONS_NOTE],
    )


def _short(index: Index, drawn: Drawn) -> Iterator[Case]:
    for length in (1, 3):
        contexts = drawn.patterns(length, DISTRIBUTIONS).tolist()
        yield Case(
            "distribution after short contexts",
            f"{drawn.origin}, {length} tokens",
            "ntd",
            index.ntd,
            [(context,) for context in contexts],
            notes=[_DISTRIBUTIONS_NOTE],
        )


def _worst(index: Index, drawn: Drawn) -> Iterator[Case]:
    yield Case(
        "worst next-token distributions",
        f"the {FREQUENT} most frequent tokens",
        "ntd",
        index.ntd,
        [([token],) for token in drawn.corpus.frequent(FREQUENT)],
        notes=[_DISTRIBUTIONS_NOTE],
    )


def _texts(index: Index, drawn: Drawn) -> Iterator[Case]:
    length = min(TEXT, int(drawn.corpus.lengths.max()))
    queries = [(text,) for text in drawn.patterns(length, TEXTS).tolist()]
    for name, ask, notes in (
        ("match", index.match, [_WAYS_NOTE, _MATCH_NOTE]),
        ("scores", index.infgram_scores, [_SCORES_NOTE]),
    ):
        yield Case(
            f"texts of {length} tokens",
            f"{drawn.origin}, {name}",
            name,
            ask,
            queries,
            unit="µs per token",
            per_call=length,
            text=True,
            notes=notes,
        )


def _positions(index: Index, drawn: Drawn) -> Iterator[Case]:
    yield Case(
        "locate, all positions",
        f"{drawn.origin}, {LOCATED} tokens",
        "locate",
        lambda pattern: index.locate(index.find(pattern)[0]),
        [(pattern,) for pattern in drawn.patterns(LOCATED, READS).tolist()],
        notes=[_LOCATE_NOTE],
    )


def _documents(index: Index, drawn: Drawn) -> Iterator[Case]:
    patterns = drawn.patterns(5, READS).tolist()
    yield Case(
        f"documents, {DOCUMENTS} at most",
        drawn.origin,
        "documents",
        index.documents,
        [(pattern, DOCUMENTS, AROUND) for pattern in patterns],
        notes=[_DOCUMENTS_NOTE],
    )


_QUESTIONS: dict[str, Callable[[Index, Drawn], Iterator[Case]]] = {
    "count": _counts,
    "count_text": _strings,
    "count_batch": _batches,
    "infgram_prob": _probabilities,
    "infgram_ntd": _backed_off,
    "ntd": _short,
    "worst": _worst,
    "texts": _texts,
    "locate": _positions,
    "documents": _documents,
}
