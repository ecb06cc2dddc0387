"""How ``gramdex top`` looks: a few lines about the server, and a line for each method."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from gramdex.tools.output import amount, clock, counted, shorten, size

if TYPE_CHECKING:
    from gramdex.rpc.observing.reading import MethodTraffic, Traffic

_NAME = 20
"""Cells of the longest method."""


class Screen:
    """What is to be seen now.

    Attributes:
        traffic: since the last look, or before the server went away; None before the first.
        trouble: why there is nothing newer; "" where there is.
        fits: as much as the terminal has room for, not all.
    """

    def __init__(self, target: str, seconds: float) -> None:
        self._target, self._seconds = target, seconds
        self.traffic: Traffic | None = None
        self.trouble = ""
        self.fits = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, traffic = options.max_width, self.traffic
        lines = [Text.assemble(("gramdex top", "bold"), " ", shorten(self._target, width - 12))]
        if self.trouble:
            said = f"not reached: {self.trouble}"
            lines.append(Text(said + ("; before that:" if traffic else ""), "bold red"))
        elif traffic is None:
            lines.append(Text("looking for the first time", "dim"))
        if traffic is not None:
            lines += _head(traffic, width)
        wrapped = [part for line in lines for part in line.wrap(console, width)]
        yield from wrapped
        if traffic is None:
            return
        methods = traffic.methods
        room = max(options.size.height - len(wrapped) - 3, 1) if self.fits else len(methods)
        yield _table(methods[:room], width)
        if room < len(methods):
            yield Text(f"and {len(methods) - room} more", "dim")


def _head(traffic: Traffic, width: int) -> list[Text]:
    """The server in a few lines."""
    state = ("ready", "green") if traffic.ready else ("not ready", "bold red")
    if traffic.damaged:
        state = ("index damaged", "bold red")
    failures = sorted(traffic.failures.items(), key=lambda each: -each[1])
    groups = [
        [
            state,
            _rate("calls", traffic.calls, False),
            _rate("failed", sum(traffic.failures.values()), True),
            _rate("refused", traffic.refused, True),
        ],
        [
            (f"in flight {traffic.in_flight:,}", ""),
            (f"waiting {traffic.queued:,}", "yellow" if traffic.queued else ""),
            (counted(traffic.threads, "thread"), ""),
            (f"CPU {traffic.cpu:.2f}", ""),
            (size(traffic.memory), ""),
        ],
        [_rate(code, rate, True) for code, rate in failures],
    ]
    if traffic.served_seconds is not None:
        groups.append(_index(traffic, traffic.served_seconds))
    if traffic.restarted:
        groups.append([("started anew since the last look", "yellow")])
    return [line for group in groups for line in _flow(group, width)]


def _index(traffic: Traffic, served: float) -> list[tuple[str, str]]:
    said = [
        (_named(traffic.tokens, "token"), ""),
        (_named(traffic.documents, "document"), ""),
        (counted(traffic.shards, "shard"), ""),
        (f"generation {traffic.generation:012x}", ""),
        (f"for {clock(served)}", ""),
    ]
    if traffic.reloads:
        said.append((counted(traffic.reloads, "reload"), ""))
    if traffic.failed_reloads:
        said.append((f"{counted(traffic.failed_reloads, 'reload')} failed", "red"))
    return said


def _flow(parts: list[tuple[str, str]], width: int) -> list[Text]:
    """Parts with their styles on as many lines as they take; they break between each other."""
    lines: list[Text] = []
    for said, style in parts:
        if lines and lines[-1].cell_len + 2 + len(said) <= width:
            lines[-1].append("  ").append(said, style)
        else:
            lines.append(Text(said, style))
    return lines


def _rate(name: str, value: float, is_bad: bool) -> tuple[str, str]:
    said = amount(value) if value >= 1 or not value else f"{value:.2g}"
    return f"{name} {said}/s", "red" if is_bad and value else ""


def _table(methods: Sequence[MethodTraffic], width: int) -> Table:
    """As many columns as there is room for."""
    chosen: list[tuple[str, Callable[[MethodTraffic], str]]] = []
    left = width - _NAME
    for name, room_of, value in _COLUMNS:
        if left < room_of + 1 and len(chosen) >= _LEAST:
            break
        chosen.append((name, value))
        left -= room_of + 1
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("method", no_wrap=True)
    for name, _ in chosen:
        table.add_column(name, justify="right", no_wrap=True)
    for each in methods:
        style = "" if each.calls else "dim"
        if each.failed:
            style = "red"
        cells = [value(each) for _, value in chosen]
        table.add_row(shorten(each.name, _NAME + min(left, 0)), *cells, style=style)
    return table


_COLUMNS: list[tuple[str, int, Callable[[MethodTraffic], str]]] = [
    ("calls/s", 7, lambda each: amount(each.calls) if each.calls >= 1 else f"{each.calls:.2g}"),
    ("p50", 6, lambda each: _seconds(each.p50)),
    ("p99", 6, lambda each: _seconds(each.p99)),
    ("failed/s", 8, lambda each: f"{each.failed:.2g}" if each.failed < 1 else amount(each.failed)),
    ("in/s", 7, lambda each: size(each.request_bytes).replace(" bytes", " B")),
    ("out/s", 7, lambda each: size(each.response_bytes).replace(" bytes", " B")),
    ("faults", 6, lambda each: f"{each.minor_faults:.3g}"),
    ("from disk", 9, lambda each: f"{each.major_faults:.3g}"),
]
_LEAST = 3
"""Columns that are shown however narrow it is."""


def _named(number: int, noun: str) -> str:
    return f"{amount(number)} {noun}{'' if number == 1 else 's'}"


def _seconds(value: float | None) -> str:
    """In six cells: ``999µs``, ``1.23ms``, ``12.3s``."""
    if value is None:
        return "-"
    if math.isinf(value):
        return ">30s"
    for unit, factor in (("µs", 1e6), ("ms", 1e3)):
        if value * factor < 999.5:
            return f"{value * factor:.3g}{unit}"
    return f"{value:.3g}s"
