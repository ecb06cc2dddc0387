"""Cost against corpus size: prefixes of one corpus, each built and asked by every engine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gramdex.errors import UsageError
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.builds import Builds, temporary_builds, time_builds
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.peers.interface import Engine
from gramdex.tools.bench.peers.registry import GRAMDEX, describe_peers
from gramdex.tools.bench.queries import QuerySettings, run_queries
from gramdex.tools.bench.turns import Say, silent

MILLION = 1_000_000
SIZES = tuple(n * MILLION for n in (1, 2, 5, 10, 20, 50, 100, 130))
QUESTIONS = ("count", "count_batch", "infgram_ntd")

_LATENCIES = {
    "count_p50": ("count, one call", "corpus, 5 tokens", "p50"),
    "batch_p50": ("count_batch", "corpus, 5, array", "p50"),
    "distribution_p50": ("∞-gram distribution", "corpus", "p50"),
    "distribution_p99": ("∞-gram distribution", "corpus", "p99"),
}
"""Figures, each with the start of a section's title, the label of a row, and a percentile."""


@dataclass(frozen=True)
class SizesSettings:
    """How much is measured.

    Attributes:
        sizes: tokens of each prefix.
        peer_limit: peers are measured up to so many tokens.
        runs: builds of each size by each engine.
        queries: of the cheapest kind.
        seconds: at most, for one way of asking a peer in one row.
    """

    sizes: Sequence[int] = SIZES
    peer_limit: int = 50 * MILLION
    runs: int = 1
    queries: int = 2000
    seconds: float = 20.0


def run_sizes(
    corpus: Corpus, peers: Sequence[Engine], settings: SizesSettings, say: Say = silent
) -> dict[str, Any]:
    """Measure each size; what `gramdex bench sizes --json` prints.

    Raises:
        UsageError: the corpus is smaller than every size.
    """
    tokens = int(corpus.ids.size)
    sizes = [size for size in sorted(set(settings.sizes)) if size <= tokens]
    if not sizes:
        raise UsageError("--sizes", f"none up to {tokens:,} tokens", "a size the corpus has")
    points = _measure(corpus, peers, sizes, settings, say)
    skipped = [f"{size:,}" for size in sorted(set(settings.sizes)) if size > tokens]
    return {
        "bench": "sizes",
        **machine.describe(corpus),
        "settings": {
            "sizes": sizes,
            "peer_limit": settings.peer_limit,
            "runs": settings.runs,
            "queries": settings.queries,
            "page_cache": "warm",
        },
        "peers": describe_peers(peers, "build", corpus),
        "points": points,
        "notes": [
            f"Peers are measured up to {settings.peer_limit:,} tokens (--peer-limit).",
            *([f"Larger than the corpus: {', '.join(skipped)} tokens."] if skipped else []),
        ],
    }


def _measure(
    corpus: Corpus, peers: Sequence[Engine], sizes: list[int], settings: SizesSettings, say: Say
) -> list[dict[str, Any]]:
    """Points of all sizes, on one core, with kernels compiled before the first."""
    points: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="gramdex-bench-") as folder, timing.one_core():
        kernels = Path(folder)
        with temporary_builds(corpus.prefix(sizes[0]), [], kernels) as builds:
            builds.run(GRAMDEX)
        for size in sizes:
            say(f"{size:,} tokens")
            taking = peers if size <= settings.peer_limit else []
            with temporary_builds(corpus.prefix(size), taking, kernels) as builds:
                points += _points(builds, settings, say)
    return points


def _points(builds: Builds, settings: SizesSettings, say: Say) -> Iterator[dict[str, Any]]:
    """What one size costs each way of asking each engine."""
    built = time_builds(builds, settings.runs, say)
    asked = run_queries(
        builds, None, QuerySettings(settings.queries, 3, settings.seconds, 0, QUESTIONS), say
    )
    figures: dict[str, dict[str, float | None]] = {
        name: {
            "build_cpu_seconds": of["cpu_seconds"]["median"],
            "build_peak_bytes": of["peak_rss_bytes"]["median"],
        }
        for name, of in built["engines"].items()
    }
    for figure, place in _LATENCIES.items():
        for way, value in _latencies(asked, *place):
            figures.setdefault(way, {})[figure] = value
    for way, values in figures.items():
        yield {"tokens": int(builds.corpus.ids.size), "engine": way, **values}


def _latencies(
    asked: dict[str, Any], title: str, label: str, percentile: str
) -> Iterator[tuple[str, float | None]]:
    """Of every way of asking; None where too few queries were asked for the percentile."""
    for section in asked["sections"]:
        for row in section["rows"]:
            if section["title"].startswith(title) and row["label"] == label:
                yield GRAMDEX.name, row["gramdex"][percentile]
                yield from ((of["name"], of["latency"][percentile]) for of in row["peers"])
