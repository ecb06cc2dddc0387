"""Cost against corpus size: prefixes of one corpus, each built and asked by every engine."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gramdex.errors import InputError, UsageError
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.builds import Builds, temporary_builds, time_builds
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.peers.interface import Engine
from gramdex.tools.bench.peers.registry import GRAMDEX, describe_peers
from gramdex.tools.bench.queries import QuerySettings, run_queries
from gramdex.tools.bench.turns import Say, silent

QUESTIONS = ("count", "count_batch", "infgram_ntd")

_LATENCIES = {
    "count_p50": ("count, one call", "corpus, 5 tokens", "p50"),
    "batch_p50": ("count_batch", "corpus, 5, array", "p50"),
    "distribution_p50": ("∞-gram distribution", "corpus", "p50"),
    "distribution_p99": ("∞-gram distribution", "corpus", "p99"),
}
"""Figures, each with the start of a section's title, the label of a row, and a percentile."""

_READ = {
    "machine": ("cpu", "cores", "memory_bytes", "system"),
    "versions": ("python",),
    "data": ("name", "tokens", "documents"),
    "settings": (),
}
"""What the printers read of a result besides points and notes."""


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

    sizes: Sequence[int]
    peer_limit: int
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


def read_sizes(path: Path) -> dict[str, Any]:
    """What an earlier run of ``gramdex bench sizes --json`` printed.

    Raises:
        InputError: the file cannot be read, or lacks what is printed and drawn.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found = (isinstance(error, OSError) and error.strerror) or str(error)
        raise _no_sizes(path, f"cannot be read: {found}") from None
    if not isinstance(result, dict) or result.get("bench") != "sizes":
        raise _no_sizes(path, "no result of sizes")
    if missing := list(_missing(result)):
        raise _no_sizes(path, f"without {', '.join(missing)}")
    return result


def _no_sizes(path: Path, found: str) -> InputError:
    expected = "what gramdex bench sizes --json prints"
    return InputError(str(path), found, expected, "run gramdex bench sizes --json > FILE first")


def _missing(result: dict[str, Any]) -> Iterator[str]:
    """Names of what a result of sizes has and this one has not."""
    for name, keys in _READ.items():
        if not isinstance(result.get(name), dict):
            yield name
        else:
            yield from (f"{name}.{key}" for key in keys if key not in result[name])
    for name in ("points", "notes"):
        if not isinstance(result.get(name), list):
            yield name
    points = result.get("points")
    if points == []:
        yield "points"
    for i, point in enumerate(points if isinstance(points, list) else []):
        for key, kind in (("tokens", int), ("engine", str)):
            if not isinstance(point, dict) or not isinstance(point.get(key), kind):
                yield f"points[{i}].{key}"


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
