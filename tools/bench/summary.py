"""The one table of a full run: for each kind of work gramdex, its peers, and the ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from gramdex.tools.bench.peers.registry import GRAMDEX
from gramdex.tools.bench.timing import spread
from gramdex.tools.bench.turns import times_better

_RUNS = (
    ("build", "build, {width}-bit", "tokens_per_cpu_second", 1e-6, "Mtokens per CPU-second"),
    ("sort", "sort, {width}-bit, one core", "tokens_per_cpu_second", 1e-6, "Mtokens per CPU-s"),
    ("sort", "peak memory of that sort", "peak_bytes_per_token", 1.0, "bytes per token"),
    ("sort_wide", "sort, 32-bit, one core", "tokens_per_cpu_second", 1e-6, "Mtokens per CPU-s"),
    ("sort_wide", "peak memory of that sort", "peak_bytes_per_token", 1.0, "bytes per token"),
)
"""Part, what it is called, figure, scale, unit."""

_LATENCIES = (
    ("count, one call", "corpus, 5 tokens", ("p50",)),
    ("count_batch", "corpus, 5, array", ("p50",)),
    ("∞-gram probability", "corpus", ("p50",)),
    ("∞-gram probability", "held-out", ("p50",)),
    ("∞-gram distribution", "corpus", ("p50", "p99")),
    ("∞-gram distribution", "held-out", ("p50", "p99")),
    ("worst next-token distributions", "", ("p50", "worst")),
)
"""Start of a section's title, of a row's label, and the percentiles that are shown."""


def failures(parts: Mapping[str, Any]) -> dict[str, str]:
    """Why parts of a full run failed, by their names."""
    return {name: part["failed"] for name, part in parts.items() if "failed" in part}


def summarize(parts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the table: ``work``, ``unit``, and ``lines``, one for each engine.

    A line has the engine's ``figure`` and, but for gramdex's, the ``ratio``: how many times
    better gramdex is, run by run. Both are spreads over the runs; None, with a ``note``, where
    a peer got through too few queries. Parts that failed have no rows.
    """
    parts = {name: part for name, part in parts.items() if "failed" not in part}
    rows = [*_of_runs(parts), *_of_queries(parts.get("queries"))]
    return [*rows, *_of_cold(parts.get("cold")), *_of_threads(parts.get("threads"))]


def _of_runs(parts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for part, work, figure, scale, unit in _RUNS:
        if part in parts:
            of = parts[part]
            yield {
                "work": work.format(width=8 * of["data"]["bytes_per_token"]),
                "unit": unit,
                "lines": run_lines(of, figure, scale),
            }


def run_lines(of: Mapping[str, Any], figure: str, scale: float = 1.0) -> list[dict[str, Any]]:
    """Lines of one figure of engines that took turns, of what `compare` said."""
    engines, ratios = of["engines"], of["ratios"]
    return [
        {
            "engine": name,
            "figure": _scaled(of[figure], scale),
            "ratio": ratios[name][figure] if name in ratios else None,
        }
        for name, of in engines.items()
    ]


def _scaled(of: Mapping[str, Any], scale: float) -> dict[str, Any]:
    return {name: value if name == "runs" else value * scale for name, value in of.items()}


def _of_queries(queries: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    for title, label, names in _LATENCIES if queries else ():
        for section in queries["sections"] if queries else ():
            rows = [row for row in section["rows"] if row["label"].startswith(label)]
            if section["title"].startswith(title) and rows:
                for name in names:
                    if name == "worst" or rows[0]["gramdex"][name] is not None:
                        yield latency_lines(section, rows[0], name)


def latency_lines(section: Mapping[str, Any], row: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Rounds are the runs; ratios are to gramdex on the queries that the peer was asked."""
    ours = {"engine": GRAMDEX.name, "figure": _rounds(row["gramdex"], name), "ratio": None}
    theirs = [_peer(row, peer, name) for peer in row["peers"]]
    work = f"{section['title']}; {row['label']}: {name}"
    return {"work": work, "unit": section["unit"], "lines": [ours, *theirs]}


def _peer(row: Mapping[str, Any], peer: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A line that says where the peer was not asked all queries, or too few for the figure."""
    asked, of = peer["latency"]["count"], row["gramdex"]["count"]
    line = {"engine": peer["name"], "figure": None, "ratio": None}
    line["note"] = "" if asked == of else f"{asked:,} of {of:,} queries"
    if name == "worst" or peer["latency"][name] is not None:
        rounds = peer["gramdex"]["rounds"][name], peer["latency"]["rounds"][name]
        line |= {"figure": _rounds(peer["latency"], name), "ratio": times_better(*rounds)}
    return line


def _rounds(latency: Mapping[str, Any], name: str) -> dict[str, Any]:
    return asdict(spread(latency["rounds"][name]))


def _of_cold(cold: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    for row in cold["rows"] if cold else ():
        lines = [
            {
                "engine": way["way"],
                "figure": way["figures"]["mean"],
                "ratio": None if way["way"] == GRAMDEX.name else way["ratios"]["mean"],
            }
            for way in row["ways"]
        ]
        yield {
            "work": f"first queries from disk: {row['label']}: mean",
            "unit": "ms",
            "lines": lines,
        }


def _of_threads(threads: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    for row in threads["rows"] if threads else ():
        lines = run_lines(row, "wall_seconds")
        yield {"work": f"gramdex alone: {row['label']}", "unit": "s, wall", "lines": lines}
