"""Query latency, side by side: the same queries, the same tokens, one core, one run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import GramdexError
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.builds import Builds
from gramdex.tools.bench.cases import Case, all_cases
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.peers.interface import Way
from gramdex.tools.bench.peers.ours import open_gramdex
from gramdex.tools.bench.peers.registry import GRAMDEX
from gramdex.tools.bench.startup import time_kernels
from gramdex.tools.bench.timing import Percentiles
from gramdex.tools.bench.turns import Say, silent


@dataclass(frozen=True)
class QuerySettings:
    """How much is measured.

    Attributes:
        queries: of the cheapest kind; slower kinds get a fixed fraction.
        rounds: how often each query is timed; its median counts.
        seconds: at most, for one way of asking the peer in one row; above it, fewer queries.
        seed: of the places that patterns are drawn from.
        questions: kinds of queries to ask; empty for all.
    """

    queries: int = 10_000
    rounds: int = 3
    seconds: float = 20.0
    seed: int = 0
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class PeerRow:
    """The peer, in one way of asking it, on queries of a row: the first that it can answer.

    Attributes:
        name: which way.
        latency: of as many queries as fit the time.
        gramdex: gramdex's on the same queries.
        ratio: latency.p50 / gramdex.p50.
        compared: answers that both engines gave, all equal; 0 where they mean different things.
        refused: queries left out for the peer, though it had the time.
    """

    name: str
    latency: Percentiles
    gramdex: Percentiles
    ratio: float
    compared: int
    refused: int


@dataclass(frozen=True)
class Row:
    """One kind of query on one kind of context, both engines.

    Attributes:
        label: the contexts.
        gramdex: of all queries.
        peers: empty where the peer has no such query or was left out.
        tokens_per_second: of gramdex, at p50, where a call scores a text.
    """

    label: str
    gramdex: Percentiles
    peers: list[PeerRow]
    tokens_per_second: float | None = None


@dataclass(frozen=True)
class Section:
    """Rows of one unit, and what a reader has to know about them."""

    title: str
    unit: str
    notes: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def run_queries(
    builds: Builds, held_out: Corpus | None, settings: QuerySettings, say: Say = silent
) -> dict[str, Any]:
    """Open all indexes, time every case, compare the answers.

    Args:
        builds: the indexes; patterns are drawn from their corpus.
        held_out: patterns are drawn from this as well.
        settings: how much is measured.
        say: told what is being done.

    Returns:
        What `gramdex bench queries --json` prints.

    Raises:
        GramdexError: the engines disagree.
    """
    corpus, peers = builds.corpus, builds.engines("queries")[1:]
    index = open_gramdex(corpus, builds.folder(GRAMDEX, say))
    opened = [peer.open(corpus, builds.folder(peer, say)) for peer in peers]
    with tempfile.TemporaryDirectory(prefix="gramdex-bench-") as kernels:
        compiling = time_kernels(Path(kernels)) if not settings.questions else None
    with timing.one_core() as core:
        sections = _sections(all_cases(index, opened, corpus, held_out, settings), settings, say)
    return {
        "bench": "queries",
        **builds.describe("queries"),
        "data": machine.describe_data(corpus, held_out),
        "settings": {**asdict(settings), "core": core, "page_cache": "warm"},
        "kernels": compiling,
        "bytes_per_token": builds.bytes_per_token(),
        "sections": [asdict(section) for section in sections],
    }


def run_case(case: Case, settings: QuerySettings) -> Row:
    """Warm both engines up and time them, one after the other; compare what they say.

    Raises:
        GramdexError: they disagree.
    """
    timing.answers(case.ours, case.queries, float("inf"))
    taken = timing.time_calls(case.ours, case.queries, settings.rounds) / case.per_call
    # Asked again after timing: an engine that changed its queries would answer others.
    ours = timing.answers(case.ours, case.queries, float("inf"))
    peers = [_run_peer(case, way, settings, ours, taken) for way in case.ways]
    latency = timing.percentiles(taken)
    asked = [peer for peer in peers if peer is not None]
    return Row(case.label, latency, asked, 1e6 / latency.p50 if case.text else None)


def _run_peer(
    case: Case, way: Way, settings: QuerySettings, ours: list[Any], taken: np.ndarray
) -> PeerRow | None:
    """Time one way of asking the peer; ``ours`` and ``taken`` are gramdex's answers and times."""
    asked = [i for i, answer in enumerate(ours) if way.takes(answer)]
    queries = [(case.queries if way.queries is None else way.queries)[i] for i in asked]
    theirs = timing.answers(way.call, queries, settings.seconds / (settings.rounds + 1))
    count = len(theirs)
    if not count:
        return None
    compared = _compare(case, way, asked, ours, theirs)
    times = timing.time_calls(way.call, queries[:count], settings.rounds) / case.per_call
    latency, same = timing.percentiles(times), timing.percentiles(taken[:, asked[:count]])
    refused = len(ours) - len(asked)
    return PeerRow(way.name, latency, same, latency.p50 / same.p50, compared, refused)


def _compare(
    case: Case, way: Way, asked: Sequence[int], ours: Sequence[Any], theirs: Sequence[Any]
) -> int:
    """How many pairs of answers were compared; ``theirs`` are to the first queries ``asked``."""
    if way.same is None:
        return 0
    for i, their in zip(asked, theirs, strict=False):
        query, our = case.queries[i], ours[i]
        if not way.same(query, our, their):
            raise GramdexError(
                f"{case.section}, {case.label}, of {str(query)[:400]}",
                f"gramdex says {str(our)[:200]}, {way.name} {str(their)[:200]}",
                "equal answers",
                "do not trust figures of this build; run gramdex verify on the index",
            )
    return len(theirs) * case.answers


def _sections(cases: Iterable[Case], settings: QuerySettings, say: Say) -> list[Section]:
    sections: dict[str, Section] = {}
    for case in cases:
        say(f"{case.section}: {case.label}")
        section = sections.setdefault(case.section, Section(case.section, case.unit))
        section.rows.append(run_case(case, settings))
        section.notes.extend(note for note in case.notes if note not in section.notes)
    return list(sections.values())
