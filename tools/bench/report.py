"""Printing what was measured: for people in 80 columns, or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from gramdex.tools.bench.figures import figure
from gramdex.tools.bench.serving_report import print_serving
from gramdex.tools.bench.summary import failures
from gramdex.tools.output import amount, columns, facts, size, stdout, visible

_RATIO_NOTE = "Ratio: how many times better gramdex is, run by run: median (least–most)."
_METRICS = {
    "wall_seconds": ("wall, s", 1.0),
    "cpu_seconds": ("CPU, s", 1.0),
    "process_wall_seconds": ("wall with start, s", 1.0),
    "process_cpu_seconds": ("CPU with start, s", 1.0),
    "peak_rss_bytes": ("peak memory, MB", 1e-6),
    "peak_above_empty_bytes": ("above empty, MB", 1e-6),
    "tokens_per_cpu_second": ("Mtokens / CPU s", 1e-6),
    "peak_bytes_per_token": ("peak bytes / token", 1.0),
    "cpu_ns_per_byte": ("CPU ns / byte of text", 1.0),
    "peak_per_byte": ("peak / byte of text", 1.0),
}


def print_report(result: dict[str, Any]) -> None:
    """Print the result of any benchmark for people."""
    _header(result)
    _PRINTERS[result["bench"]](result)


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
    for number, peer in enumerate(result.get("peers", [])):
        rows.append(("" if number else "peers", _peer(peer)))
    settings = (f"{n} {_setting(v)}" for n, v in result["settings"].items())
    rows.append(("settings", ", ".join(settings)))
    stdout().print(facts(rows))


def _peer(peer: dict[str, str]) -> str:
    name = f"{peer['name']} {peer['version']}".strip()
    return f"{name}: {peer['left_out'] or 'same run'}"


def _setting(value: Any) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{n} {_setting(v)}" for n, v in value.items()) + ")"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "all"
    return str(value)


def _title(text: str) -> None:
    stdout().print(Text(f"\n{text}", "bold"))


def _show(table: Table) -> None:
    """Print a table in its full width, whatever the terminal's: no figure is cut."""
    console = stdout()
    wanted = Measurement.get(console, console.options.update(width=1000), table).maximum
    console.width = max(console.width, wanted)
    console.print(table)


def _notes(notes: Iterable[str]) -> None:
    for note in notes:
        stdout().print(Text(note, "dim"))


def _queries(result: dict[str, Any]) -> None:
    _sections(result)
    if result["kernels"]:
        _kernels(result["kernels"])
    _sizes(result["bytes_per_token"])
    _compared(result)


def _sections(result: dict[str, Any]) -> None:
    for section in result["sections"]:
        only = f", {section['rows'][0]['label']}" if len(section["rows"]) == 1 else ""
        _title(f"{section['title']}{only} ({section['unit']})")
        _latencies(section["rows"])
        _notes(section["notes"])


def _compared(result: dict[str, Any]) -> None:
    rows = [row for section in result["sections"] for row in section["rows"]]
    compared = sum(peer["compared"] for row in rows for peer in row["peers"])
    equal = "as they must be" if result["bench"] == "compressed" else "all equal"
    said = f"{compared:,} answers compared with those of peers, {equal}."
    _notes(["", said if compared else "No answers were compared: there was no peer."])


def _latencies(rows: Sequence[dict[str, Any]]) -> None:
    rates = any(row["tokens_per_second"] for row in rows)
    few = all(row["gramdex"]["p99"] is None for row in rows)
    shown = ("p50", "p90", "worst") if few else ("p50", "p90", "p99")
    names = ["contexts", "engine", "queries", *shown, "ratio", *(["tokens/s"] if rates else [])]
    table = columns(names, right=range(2, len(names)))
    for row in rows:
        rate = [amount(row["tokens_per_second"])] if rates else []
        label = "" if len(rows) == 1 else row["label"]
        table.add_row(label, "gramdex", *_percentiles(row["gramdex"], shown), "", *rate)
        for peer in row["peers"]:
            latency = _percentiles(peer["latency"], shown)
            table.add_row("", peer["name"], *latency, f"{figure(peer['ratio'])}×")
    _show(table)


def _percentiles(latency: dict[str, Any], shown: Sequence[str]) -> list[str]:
    values = [latency[name] for name in shown]
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
        _show(table)


def _build(result: dict[str, Any]) -> None:
    _title("build")
    _runs(result, result["cold_kernels"])
    per_token = result["planned_bytes"] / result["data"]["tokens"]
    planned = f"{size(result['planned_bytes'])}, {figure(per_token)} bytes per token"
    _notes([_RATIO_NOTE, *result["notes"], f"Planned by gramdex, at most: {planned}."])
    _sizes(result["bytes_per_token"])


def _sort(result: dict[str, Any]) -> None:
    _title(f"sort, {8 * result['data']['bytes_per_token']}-bit tokens")
    _runs(result)
    _kernels(result["kernels"])
    _notes(["", _RATIO_NOTE, *result["notes"]])


def _runs(result: dict[str, Any], cold: dict[str, float] | None = None) -> None:
    """Figures of engines that took turns, the first one's first."""
    engines, ratios = result["engines"], result["ratios"]
    table = columns(["", "engine", "median", "least", "most", "ratio"], right=range(2, 6))
    for key, (label, scale) in _METRICS.items():
        shown = label if key in next(iter(engines.values())) else None
        for name, of in engines.items() if shown is not None else ():
            cells = [figure(of[key][part] * scale) for part in ("median", "low", "high")]
            ratio = _ratio(ratios[name][key]) if name in ratios else ""
            table.add_row(shown, name, *cells, ratio)
            shown = ""
        if cold and label and shown is not None:
            table.add_row("", "… cold kernels", figure(cold[key] * scale))
    _show(table)


def _ratio(ratio: dict[str, float]) -> str:
    return f"{figure(ratio['median'])}× ({_range(ratio)})"


def _range(of: dict[str, float]) -> str:
    return f"{figure(of['low'])}–{figure(of['high'])}"


def _cold(result: dict[str, Any]) -> None:
    for name, why in result["could_not_be_made_cold"].items():
        _notes(["", f"{name}'s index could not be made cold: {why}. Nothing was measured."])
    for row in result["rows"]:
        _title(f"from disk: {row['label']} (ms)")
        names = ["engine", "open", "first", "mean", "worst", "warm mean", "ratio of mean"]
        table = columns(names, right=range(1, 7))
        for way in row["ways"]:
            cells = [figure(of["median"]) for of in way["figures"].values()]
            ratio = "" if way["way"] == "gramdex" else _ratio(way["ratios"]["mean"])
            table.add_row(way["way"], *cells, ratio)
        _show(table)
    _notes(result["notes"] if result["rows"] else [])


def _threads(result: dict[str, Any]) -> None:
    for row in result["rows"]:
        _title(row["label"])
        _runs(row)
    _notes(result["notes"])


def _against_size(result: dict[str, Any]) -> None:
    _title("cost against corpus size")
    heads = ["tokens", "engine", "build", "peak", "count", "batch", "∞ p50", "∞ p99"]
    table = columns(heads, right=range(2, 8))
    last = None
    for point in result["points"]:
        values = [point.get(name) for name in _SIZE_FIGURES]
        scaled = zip(values, _SIZE_FIGURES.values(), strict=True)
        cells = ["" if value is None else figure(value * scale) for value, scale in scaled]
        tokens = point["tokens"]
        table.add_row("" if tokens == last else amount(tokens), point["engine"], *cells)
        last = tokens
    _show(table)
    units = "Build in CPU s, peak memory in MB, count, batch and ∞-gram distribution in µs."
    _notes([units, *result["notes"]])


_SIZE_FIGURES = {
    "build_cpu_seconds": 1.0,
    "build_peak_bytes": 1e-6,
    "count_p50": 1.0,
    "batch_p50": 1.0,
    "distribution_p50": 1.0,
    "distribution_p99": 1.0,
}


def _summary(rows: Sequence[dict[str, Any]]) -> None:
    _title("summary: medians, and how many times better gramdex is")
    names = ("  engine", "median", "least–most", "ratio", "least–most")
    stdout().print(Text(_line(*names), "dim"), soft_wrap=True)
    for row in rows:
        stdout().print(Text(f"{row['work']} ({row['unit']})"))
        for line in row["lines"]:
            of, ratio = line["figure"], line["ratio"]
            median = (figure(of["median"]), _range(of)) if of else ("", "too few")
            times = (f"{figure(ratio['median'])}×", _range(ratio)) if ratio else ("", "")
            cells = _line(f"  {line['engine']}", *median, *times)
            stdout().print(Text(f"{cells}  {line.get('note', '')}".rstrip()), soft_wrap=True)


def _all(result: dict[str, Any]) -> None:
    _summary(result["summary"])
    failed = failures(result["parts"])
    for name, part in result["parts"].items():
        if name not in failed:
            _PRINTERS[part["bench"]](part)
    for name, why in failed.items():
        _title(f"failed: {name}")
        stdout().print(Text(visible(why)), soft_wrap=True)


def _line(engine: str, median: str, spread: str, ratio: str, ratios: str) -> str:
    """One line of the summary, in columns that 60 characters hold."""
    return f"{engine:<16} {median:>7}  {spread:<15} {ratio:>7}  {ratios}".rstrip()


def _compressed(result: dict[str, Any]) -> None:
    _summary(result["summary"])
    _components(result)
    _title("build")
    _runs(result["build"])
    _notes([_RATIO_NOTE, *result["build"]["notes"]])
    _sections(result)
    _compared(result)
    if "failed" in result["pages"]:
        _notes(["", f"Pages were not counted: {result['pages']['failed']}."])
    else:
        _pages(result["pages"])


def _components(result: dict[str, Any]) -> None:
    tokens, text = result["data"]["tokens"], result["text_bytes"]
    for engine, parts in result["sizes"].items():
        _title(f"{engine}: the index, part by part")
        table = columns(["part", "bytes", "per token", "of the text"], right=range(1, 4))
        whole = {"file": "all", "bytes": sum(part["bytes"] for part in parts)}
        for part in (*parts, whole):
            size = part["bytes"]
            table.add_row(part["file"], f"{size:,}", f"{size / tokens:.4f}", f"{size / text:.5f}")
        _show(table)
    _notes([f"The text: {text:,} bytes.", *result["notes"]])


def _pages(pages: dict[str, Any]) -> None:
    kinds, total = pages["kinds"], f"{pages['index_pages']:,}"
    _title(f"each query from disk: pages of {total}, and ms")
    names = ["query", "touched", "worst", "ms", "read", "worst", "ms"]
    table = columns(names, right=range(1, len(names)))
    for name, of in kinds.items():
        table.add_row(name, *_from_disk(of, "touched"), *_from_disk(of, "read"))
    _show(table)
    _title("queries one after the other, in ms, the mean")
    names = ["query", "first", "pages", "little memory", "forgot", "ahead", "forgot"]
    table = columns(names, right=range(1, len(names)))
    for name, of in kinds.items():
        first = figure(of["first"]["ms"]), f"{of['first']['pages']:,}"
        table.add_row(name, *first, *_limited(of, "touched"), *_limited(of, "read"))
    _show(table)
    opened, limit = pages["opened"], pages["limit_pages"]
    told = f"Opened from disk in {figure(opened['ms'])} ms, with {opened['pages']:,} pages read."
    _notes([told, _PAGES_NOTE.format(limit=limit)])


def _limited(of: dict[str, Any], how: str) -> list[str]:
    limited = of[f"limited_{how}"]
    return [figure(limited["ms"]), f"{limited['evictions']:,}"]


def _from_disk(of: dict[str, Any], how: str) -> list[str]:
    pages = of[f"pages_{how}"]
    return [f"{pages['p50']:,.0f}", f"{pages['worst']:,.0f}", figure(of[f"ms_{how}"]["p50"])]


_PAGES_NOTE = (
    "Pages are of 4 KiB. Touched: without reading ahead. Read: with reading ahead as the engine "
    "left it. First: queries after a start, and the pages in memory after the last. Little memory: "
    "all of the index is forgotten, outside the clock, whenever more than {limit:,} of its pages, "
    "a quarter, are in memory, which happened as often as it says; without reading ahead, and "
    "with it. SDSL reads its whole index "
    "when it opens."
)


def _startup(result: dict[str, Any]) -> None:
    _title("fresh processes, kernels compiled before (ms)")
    table = columns(["process", "median", "least", "most", "beyond pass"], right=range(1, 5))
    baseline = result["seconds"]["python -c pass"]["median"]
    for kind, value in result["seconds"].items():
        cells = (value["median"], value["low"], value["high"], value["median"] - baseline)
        table.add_row(kind, *(figure(1000 * max(cell, 0.0)) for cell in cells))
    _show(table)
    cold = result["first_count_cold_kernels_seconds"]
    _notes([f"First count with an empty kernel cache, which is compiled then: {figure(cold)} s."])


def _draft(result: dict[str, Any]) -> None:
    _title("drafts")
    heads = ["nodes", "p50", "p90", "p99", "step p50", "accepted", "expected", "drafted"]
    table = columns(heads, right=range(8))
    for row in result["rows"]:
        latency = _percentiles(row["draft"], ("p50", "p90", "p99"))[1:]
        means = (figure(row[name]) for name in ("accepted", "expected", "drafted"))
        table.add_row(str(row["nodes"]), *latency, figure(row["extend"]["p50"]), *means)
    _show(table)
    _notes(result["notes"])


_PRINTERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "queries": _queries,
    "build": _build,
    "sort": _sort,
    "cold": _cold,
    "threads": _threads,
    "sizes": _against_size,
    "startup": _startup,
    "compressed": _compressed,
    "serving": print_serving,
    "draft": _draft,
    "all": _all,
}
