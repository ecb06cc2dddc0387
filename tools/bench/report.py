"""Printing what was measured: for people in 80 columns, or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.text import Text

from gramdex.tools.output import amount, columns, facts, size, stdout

_FIGURES = ("p50", "p90", "p99")
_METRICS = {
    "wall_seconds": ("wall, s", 1.0),
    "cpu_seconds": ("CPU, s", 1.0),
    "process_wall_seconds": ("wall with start, s", 1.0),
    "process_cpu_seconds": ("CPU with start, s", 1.0),
    "peak_rss_bytes": ("peak memory, MB", 1e-6),
    "tokens_per_cpu_second": ("Mtokens / CPU s", 1e-6),
    "peak_bytes_per_token": ("peak bytes / token", 1.0),
}

_PEER_BUILD_NOTES = [
    "Ratio: infini-gram / gramdex, pair by pair: median (least–most). infini-gram gets memory "
    "enough to sort in one round.",
    "A passage of n tokens that stands in the corpus twice takes infini-gram's merge about n²/2 "
    "comparisons, so one long copy can outweigh all the rest: measure with --max-document too.",
]


def figure(value: float) -> str:
    """Three significant digits, no exponent: ``0.0123``, ``4.56``, ``12,300``."""
    if value >= 999.5:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:#.3g}".rstrip(".")


def print_report(result: dict[str, Any]) -> None:
    """Print the result of any benchmark for people."""
    _header(result)
    {"queries": _queries, "build": _build, "startup": _startup}[result["bench"]](result)


def _header(result: dict[str, Any]) -> None:
    machine, data = result["machine"], result["data"]
    cores = f"{machine['cores']} cores"
    rows = [
        ("machine", f"{machine['cpu']}, {cores}, {size(machine['memory_bytes'])}"),
        ("system", f"{machine['system']}, Python {result['versions']['python']}"),
        ("versions", ", ".join(f"{n} {v}" for n, v in result["versions"].items() if n != "python")),
        ("data", f"{data['name']}: {data['tokens']:,} tokens, {data['documents']:,} documents"),
    ]
    if "longest_document" in data:
        rows.append(("", f"longest document {data['longest_document']:,} tokens"))
    if data.get("held_out"):
        rows.append(("held out", f"{data['held_out']}: {data['held_out_tokens']:,} tokens"))
    if "peer" in result:
        rows.append(("peer", result["peer"]))
    rows.append(("settings", ", ".join(f"{n} {v}" for n, v in result["settings"].items())))
    stdout().print(facts(rows))


def _title(text: str) -> None:
    stdout().print(Text(f"\n{text}", "bold"))


def _notes(notes: Iterable[str]) -> None:
    for note in notes:
        stdout().print(Text(note, "dim"))


def _queries(result: dict[str, Any]) -> None:
    for section in result["sections"]:
        _title(f"{section['title']} ({section['unit']})")
        _latencies(section["rows"])
        _notes(section["notes"])
    _kernels(result["kernels"])
    _sizes(result["bytes_per_token"])
    rows = [row for section in result["sections"] for row in section["rows"]]
    compared = sum(peer["compared"] for row in rows for peer in row["peers"])
    said = f"{compared:,} answers compared with infini-gram's, all equal."
    _notes(["", said if compared else "No answers were compared: there was no peer."])


def _latencies(rows: Sequence[dict[str, Any]]) -> None:
    rates = any(row["tokens_per_second"] for row in rows)
    names = ["contexts", "engine", "queries", *_FIGURES, "ratio", *(["tokens/s"] if rates else [])]
    table = columns(names, right=range(2, len(names)))
    for row in rows:
        rate = [amount(row["tokens_per_second"])] if rates else []
        table.add_row(row["label"], "gramdex", *_percentiles(row["gramdex"]), "", *rate)
        for peer in row["peers"]:
            latency = _percentiles(peer["latency"])
            table.add_row("", peer["name"], *latency, f"{figure(peer['ratio'])}×")
    stdout().print(table)


def _percentiles(latency: dict[str, Any]) -> list[str]:
    values = [latency[name] for name in _FIGURES]
    return [f"{latency['count']:,}", *("" if v is None else figure(v) for v in values)]


def _kernels(kernels: dict[str, float]) -> None:
    _title("kernels, once per process (s)")
    compiling, loading = kernels["compile_seconds"], kernels["load_seconds"]
    rows = [("compiled, empty cache", figure(compiling)), ("loaded from cache", figure(loading))]
    stdout().print(facts(rows))


def _sizes(sizes: dict[str, dict[str, float]]) -> None:
    for engine, files in sizes.items():
        _title(f"{engine}: bytes per token on disk")
        table = columns(["file", "bytes"], right=[1])
        for name, value in sorted(files.items(), key=lambda item: -item[1]):
            table.add_row(name, f"{value:.4f}")
        table.add_row("all", f"{sum(files.values()):.4f}")
        stdout().print(table)


def _build(result: dict[str, Any]) -> None:
    theirs, ratios, cold = result["infini_gram"], result["ratios"], result["gramdex_cold_kernels"]
    engines = {"gramdex": result["gramdex"], **({"infini-gram": theirs} if theirs else {})}
    _title("build")
    table = columns(["", "engine", "median", "least", "most", "ratio"], right=range(2, 6))
    for key, (label, scale) in _METRICS.items():
        for name, of in engines.items():
            cells = [figure(of[key][part] * scale) for part in ("median", "low", "high")]
            ratio = _ratio(ratios[key]) if name != "gramdex" else ""
            table.add_row(label if name == "gramdex" else "", name, *cells, ratio)
        table.add_row("", "… cold kernels", figure(cold[key] * scale))
    stdout().print(table)
    _notes(_PEER_BUILD_NOTES if theirs else [])
    planned = result["planned_bytes"]
    per_token = planned / result["data"]["tokens"]
    _notes([f"Planned at most: {size(planned)}, {figure(per_token)} bytes per token."])
    _sizes(result["bytes_per_token"])


def _ratio(ratio: dict[str, float]) -> str:
    low, high = figure(ratio["low"]), figure(ratio["high"])
    return f"{figure(ratio['median'])}× ({low}–{high})"


def _startup(result: dict[str, Any]) -> None:
    _title("fresh processes, kernels compiled before (ms)")
    table = columns(["process", "median", "least", "most", "beyond pass"], right=range(1, 5))
    baseline = result["seconds"]["python -c pass"]["median"]
    for kind, value in result["seconds"].items():
        cells = (value["median"], value["low"], value["high"], value["median"] - baseline)
        table.add_row(kind, *(figure(1000 * max(cell, 0.0)) for cell in cells))
    stdout().print(table)
    cold = result["first_count_cold_kernels_seconds"]
    _notes([f"First count with an empty kernel cache, which is compiled then: {figure(cold)} s."])
