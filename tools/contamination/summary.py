"""A contamination report on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gramdex.fmindex.queries.contamination.results import PARTS
from gramdex.tools.contamination.records import Checked, dirty_by_any
from gramdex.tools.output import columns, counted, duration, one_line, percent, shorten

_COLOURS = {"dirty": "bold red", "suspicious": "yellow", "clean": "green", "short": "dim"}
_SHOWN = 3


def print_checked(console: Console, checked: Checked) -> None:
    """One benchmark against one index: a table by definition, and the worst examples."""
    result, total = checked.result, len(checked.result.judged)
    head = f"{checked.benchmark.name} in {checked.index['name']}"
    console.print(Text.assemble((one_line(head), "bold cyan"), f" · {counted(total, 'example')}"))
    if checked.benchmark.skipped:
        said = f"{counted(checked.benchmark.skipped, 'bad record')} left out"
        console.print(Text(f"{said}, first {one_line(checked.benchmark.first_skipped)}", "yellow"))
    console.print(_table(checked))
    for name, why in result.unavailable.items():
        console.print(Text(f"{name}: not applied, {why}", "yellow"))
    _print_worst(console, checked)
    drop = counted(len(result.offenders), "document") + " to drop"
    if result.not_followed:
        often = counted(result.not_followed, "window")
        drop += f"; {often} in too many documents to follow"
    console.print(Text(f"{drop} · {duration(checked.seconds)}", "dim"))


def _table(checked: Checked) -> Table:
    names = ["dirty by", *PARTS, "| suspicious", "clean", "short"]
    table = columns(names, right=range(1, 7))
    by_part = {part: checked.result.totals(part) for part in PARTS}
    for name in checked.result.definitions:
        dirty = [by_part[part][name]["dirty"] for part in PARTS]
        rest = [by_part["both"][name][verdict] for verdict in ("suspicious", "clean", "short")]
        cells = [Text(f"{number:,}", _COLOURS["dirty"] if number else "dim") for number in dirty]
        cells += [Text(f"{number:,}") for number in rest]
        table.add_row(name, *cells)
    return table


def _print_worst(console: Console, checked: Checked) -> None:
    """A line for each of the first examples that are dirty."""
    found = [each for each in checked.result.judged if each.verdict() == "dirty" and each.evidence]
    for judged in found[:_SHOWN]:
        evidence = judged.evidence
        assert evidence is not None  # or it would not be in the list
        where = f"{judged.example.name}: {evidence.count:,} × in document {evidence.document:,}  "
        room = max(console.width - len(where), 20)
        line = Text.assemble((one_line(where), "bold"), shorten(evidence.window, room))
        console.print(line, overflow="ellipsis", no_wrap=True)
    if len(found) > _SHOWN:
        console.print(Text(f"… and {len(found) - _SHOWN:,} more dirty examples", "dim"))


def print_bulletin(console: Console, checked: Sequence[Checked]) -> None:
    """Benchmark by corpus: the share of examples that some definition calls dirty."""
    indexes = list(dict.fromkeys(each.index["name"] for each in checked))
    table = columns(["dirty by any definition", *map(one_line, indexes)], right=range(1, 99))
    for name in dict.fromkeys(each.benchmark.name for each in checked):
        cells = []
        for index in indexes:
            pairs = (c for c in checked if (c.benchmark.name, c.index["name"]) == (name, index))
            shares = [percent(dirty_by_any(pair) / len(pair.result.judged)) for pair in pairs]
            cells.append(", ".join(shares))
        table.add_row(one_line(name), *cells)
    console.print(table)
