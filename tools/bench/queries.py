"""Query latency, side by side: the same queries, the same tokens, one core, one run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gramdex.errors import GramdexError
from gramdex.fmindex.index import Index
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.cases import Case, all_cases
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.engines import Peer, open_gramdex, open_peer, refuse_wide
from gramdex.tools.bench.startup import time_kernels
from gramdex.tools.bench.timing import Percentiles

Say = Callable[[str], Any]


@dataclass(frozen=True)
class QuerySettings:
    """How much is measured.

    Attributes:
        queries: of the cheapest kind; slower kinds get a fixed fraction.
        rounds: how often each query is timed; its median counts.
        seconds: at most, for the peer's part of one row; fewer queries, for both, above it.
        seed: of the places that patterns are drawn from.
    """

    queries: int = 10_000
    rounds: int = 3
    seconds: float = 20.0
    seed: int = 0


@dataclass(frozen=True)
class Row:
    """One kind of query on one kind of context, both engines.

    Attributes:
        label: what is asked.
        gramdex, peer: microseconds; peer is None where it has no such query or was left out.
        ratio: peer's p50 / gramdex's p50.
        compared: answers that both engines gave and that were equal.
        tokens_per_second: of gramdex, at p50, where a call scores a text.
    """

    label: str
    gramdex: Percentiles
    peer: Percentiles | None
    ratio: float | None
    compared: int
    tokens_per_second: float | None = None


@dataclass(frozen=True)
class Section:
    """Rows of one unit, and what a reader has to know about them."""

    title: str
    unit: str
    notes: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def run_queries(
    corpus: Corpus,
    held_out: Corpus | None,
    settings: QuerySettings,
    use_peer: bool,
    index: Path | None = None,
    say: Say = lambda message: None,
) -> dict[str, Any]:
    """Build both indexes, time every case, compare the answers.

    Returns:
        What `gramdex bench queries --json` prints.

    Raises:
        GramdexError: the engines disagree.
    """
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gramdex-bench-")))
        say("building gramdex's index" if index is None else "opening the given index")
        ours = open_gramdex(corpus, held_out, work, index)
        peer = None
        if use_peer and not refuse_wide(corpus):
            say("building infini-gram's index")
            peer = open_peer(corpus, work)
        kernels = time_kernels(work / "kernels")
        sizes = _bytes_per_token(ours, work / "peer" if peer else None)
        core = stack.enter_context(timing.one_core())
        sections = _sections(all_cases(ours, peer, corpus, held_out, settings), settings, say)
    return {
        "bench": "queries",
        "machine": machine.describe_machine(),
        "versions": machine.describe_versions(),
        "data": describe_data(corpus, held_out),
        "settings": {**asdict(settings), "core": core, "page_cache": "warm"},
        "peer": _peer_state(peer, use_peer),
        "kernels": kernels,
        "bytes_per_token": sizes,
        "sections": [asdict(section) for section in sections],
    }


def describe_data(corpus: Corpus, held_out: Corpus | None = None) -> dict[str, Any]:
    """What the figures are of."""
    return {
        "name": corpus.name,
        "tokens": int(corpus.ids.size),
        "documents": int(corpus.lengths.size),
        "bytes_per_token": corpus.width,
        "vocabulary_size": corpus.vocabulary_size,
        "held_out": None if held_out is None else held_out.name,
        "held_out_tokens": None if held_out is None else int(held_out.ids.size),
    }


def run_case(case: Case, settings: QuerySettings) -> Row:
    """Warm both engines up, compare what they say, then time them, one after the other.

    Raises:
        GramdexError: they disagree.
    """
    queries = case.queries
    theirs: list[Any] = []
    if case.theirs is not None:
        budget = settings.seconds / (settings.rounds + 1)
        theirs = timing.answers(case.theirs, case.their_queries or queries, budget)
        queries = queries[: len(theirs)]
    ours = timing.answers(case.ours, queries, float("inf"))
    compared = _compare(case, queries, ours, theirs)
    gramdex = _timed(case.ours, queries, case.per_call, settings.rounds)
    peer = None
    if case.theirs is not None:
        their_queries = (case.their_queries or queries)[: len(queries)]
        peer = _timed(case.theirs, their_queries, case.per_call, settings.rounds)
    return Row(
        case.label,
        gramdex,
        peer,
        peer.p50 / gramdex.p50 if peer else None,
        compared,
        1e6 / gramdex.p50 if case.text else None,
    )


def _timed(
    call: Callable[..., Any], queries: Sequence[tuple], per_call: int, rounds: int
) -> Percentiles:
    return timing.percentiles(timing.time_calls(call, queries, rounds) / per_call)


def _compare(
    case: Case, queries: Sequence[tuple], ours: Sequence[Any], theirs: Sequence[Any]
) -> int:
    """How many pairs of answers were compared."""
    if case.same is None:
        return 0
    for query, our, their in zip(queries, ours, theirs, strict=False):
        if not case.same(query, our, their):
            raise GramdexError(
                f"{case.section}, {case.label}, of {str(query)[:400]}",
                f"gramdex says {str(our)[:200]}, infini-gram {str(their)[:200]}",
                "equal answers",
                "do not trust figures of this build; run gramdex verify on the index",
            )
    return len(theirs) * case.answers_per_call


def _sections(cases: Sequence[Case], settings: QuerySettings, say: Say) -> list[Section]:
    sections: dict[str, Section] = {}
    for case in cases:
        say(f"{case.section}: {case.label}")
        section = sections.setdefault(case.section, Section(case.section, case.unit))
        section.rows.append(run_case(case, settings))
        if case.note and case.note not in section.notes:
            section.notes.append(case.note)
    return list(sections.values())


def _bytes_per_token(index: Index, peer: Path | None) -> dict[str, dict[str, float]]:
    """Bytes per token of every file, both engines."""
    folders = {"gramdex": index.folders[0]} | ({"infini_gram": peer} if peer else {})
    return {
        name: {file: size / index.token_count for file, size in timing.file_sizes(path).items()}
        for name, path in folders.items()
    }


def _peer_state(peer: Peer | None, wanted: bool) -> str:
    if peer is not None:
        return "infini-gram, same run"
    return "left out" if not wanted else "cannot build 32-bit tokens"
