"""Printing what a server did under load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from gramdex.tools.bench.figures import figure, interval
from gramdex.tools.output import stdout


def print_serving(result: dict[str, Any]) -> None:
    """Print a measured server for people: a paragraph for each kind of call."""
    for row in result["rows"]:
        _paragraph(row["label"], _row(row))
    for row in result["router"]:
        _paragraph(f"router: {row['label']}", _routed(row))
    stdout().print(Text("\nLatencies in ms: median of the runs (least–most)."))


def _paragraph(title: str, lines: Iterator[tuple[str, str]]) -> None:
    stdout().print(Text(f"\n{title}", style="bold"))
    for name, said in lines:
        stdout().print(Text(f"  {name:<22} {said}"), soft_wrap=True)


def _row(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    runs = row["runs"]
    yield "one by one", _latencies([run["alone"] for run in runs])
    yield "most, per second", interval([run["rate"] for run in runs])
    yield "… per core of server", interval([run["rate_per_core"] for run in runs])
    yield "at half of that", _latencies([run["half"]["served"] for run in runs])
    overloads = [run["overload"] for run in runs if "overload" in run]
    if overloads:
        served = [run["served"] for run in overloads if run["served"]]
        yield f"at {figure(overloads[0]['asked_rate'])} calls/s", _latencies(served)
        refused = [run["refused"] for run in overloads if run["refused"]]
        shares = [_share(run["statuses"]) for run in overloads]
        yield "… refused", f"{interval(shares)}% of calls; {_latencies(refused)}"


def _routed(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    runs = row["runs"]
    for name in ("single", "router"):
        yield name, _latencies([run[name] for run in runs])
    yield "ratio of p50", f"{interval([r['router']['p50'] / r['single']['p50'] for r in runs])}×"


def _share(statuses: dict[str, int]) -> float:
    return 100 * (1 - statuses.get("OK", 0) / max(sum(statuses.values()), 1))


def _latencies(runs: Sequence[dict[str, Any]]) -> str:
    if not runs:
        return "none"
    parts = [f"p50 {interval([run['p50'] / 1000 for run in runs])}"]
    tails = [run["p99"] / 1000 for run in runs if run["p99"] is not None]
    return ", ".join([*parts, *([f"p99 {interval(tails)}"] if tails else [])])
