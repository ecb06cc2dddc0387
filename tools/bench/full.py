"""Everything in one run: sorts, builds, queries warm and cold, cores, startup, and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from gramdex.errors import GramdexError
from gramdex.tools.bench import machine
from gramdex.tools.bench.builds import Builds, run_builds, temporary_builds
from gramdex.tools.bench.cold import run_cold
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.peers.interface import Engine
from gramdex.tools.bench.peers.registry import describe_peers
from gramdex.tools.bench.queries import QuerySettings, run_queries
from gramdex.tools.bench.sorts import run_sorts
from gramdex.tools.bench.startup import run_startup
from gramdex.tools.bench.summary import summarize
from gramdex.tools.bench.threads import run_threads
from gramdex.tools.bench.turns import Say, silent

PARTS = ("sort", "sort_wide", "build", "queries", "cold", "threads", "startup")


@dataclass(frozen=True)
class FullSettings:
    """How much is measured.

    Attributes:
        parts: of ``PARTS``, in that order.
        runs: of each engine in each part; of queries, rounds.
        queries: how much of these.
    """

    parts: Sequence[str] = PARTS
    runs: int = 3
    queries: QuerySettings = field(default_factory=QuerySettings)


def run_all(
    corpus: Corpus,
    held_out: Corpus | None,
    peers: Sequence[Engine],
    settings: FullSettings,
    say: Say = silent,
) -> dict[str, Any]:
    """Run the parts one after the other; what `gramdex bench all --json` prints.

    A part that cannot be measured, or in which two engines disagree, is ``{"failed": why}``, so
    that those before and after it are not lost.
    """
    parts: dict[str, Any] = {}
    with temporary_builds(corpus, peers) as builds:
        for name in PARTS:
            if name in settings.parts:
                parts[name] = _part_or_failure(name, builds, held_out, settings, say)
    return {
        "bench": "all",
        **machine.describe(corpus, held_out),
        "settings": {**asdict(settings), "parts": list(parts)},
        "peers": describe_peers(peers, "all", corpus),
        "summary": summarize(parts),
        "parts": parts,
    }


def _part_or_failure(
    name: str, builds: Builds, held_out: Corpus | None, settings: FullSettings, say: Say
) -> dict[str, Any]:
    try:
        return _part(name, builds, held_out, settings, say)
    except GramdexError as error:
        say(f"{name} failed: {error}")
        return {"failed": str(error)}


def _part(
    name: str, builds: Builds, held_out: Corpus | None, settings: FullSettings, say: Say
) -> dict[str, Any]:
    runs, corpus = settings.runs, builds.corpus
    if name == "sort":
        return run_sorts(corpus, builds.peers, runs, say)
    if name == "sort_wide":
        return run_sorts(corpus.widened(), builds.peers, runs, say)
    if name == "build":
        return run_builds(builds, runs, say)
    if name == "queries":
        return run_queries(builds, held_out, settings.queries, say)
    if name == "cold":
        return run_cold(builds, runs, settings.queries.seed, say)
    if name == "threads":
        return run_threads(builds, runs, say)
    return run_startup(None, max(runs, 5), say)
