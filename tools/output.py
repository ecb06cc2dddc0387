"""Printing: results to stdout, as JSON or for people, and everything else to stderr.

Text of a corpus is data: it is never read as markup, and control characters in it are shown,
not sent to the terminal.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

# C0 and C1 controls, line separators, direction controls, lone surrogates.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_STEPS = " ▏▎▍▌▋▊▉"


def stdout() -> Console:
    """Console for results."""
    return Console(file=sys.stdout, markup=False, highlight=False, emoji=False)


def stderr() -> Console:
    """Console for progress, warnings and errors."""
    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False)


def print_json(value: Any, file: Any = None) -> None:
    """Print a value as one line of JSON, in ASCII where the stream can carry no more."""
    file = file or sys.stdout
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    line = _HIDDEN.sub(lambda m: f"\\u{ord(m[0]):04x}", line)
    try:
        line.encode(file.encoding or "ascii")
    except UnicodeEncodeError:
        line = json.dumps(value, allow_nan=False)
    file.write(line + "\n")


def print_lines(lines: Iterable[str]) -> None:
    """Print results that need no layout; fast for many."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def note(message: str, style: str = "") -> None:
    """Say something that is no result; nobody may be listening."""
    with suppress(OSError):
        console = stderr()
        console.print(Text(visible(message), style), soft_wrap=not console.is_terminal)


def show(what: RenderableType) -> None:
    """Print to stderr what is no result; nobody may be listening."""
    with suppress(OSError):
        stderr().print(what)


def warn(message: str) -> None:
    """Say something a reader of the results should know."""
    with suppress(OSError):
        console = stderr()
        said = Text.assemble(("warning: ", "yellow"), visible(message))
        console.print(said, soft_wrap=not console.is_terminal)


def escape_hidden(text: str, keep: str) -> str:
    r"""Spell out control characters other than those to keep: ``\x1b``."""
    return _HIDDEN.sub(lambda m: m[0] if m[0] in keep else ascii(m[0])[1:-1], text)


def visible(text: str) -> str:
    """Text in which nothing moves the cursor but new lines and tabs."""
    return escape_hidden(text, "\n\t")


def one_line(text: str) -> str:
    """Text in which new lines and tabs are spelled out as well."""
    return escape_hidden(text, "")


def shorten(text: str, width: int) -> str:
    """Text of one line, cut to so many terminal cells."""
    text = one_line(text)
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)) + "…"


def facts(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    """Names and values, one pair a line; long values fold under themselves."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, Text(visible(value)) if isinstance(value, str) else value)
    return table


def columns(names: Sequence[str], right: Sequence[int] = (), fold: int | None = None) -> Table:
    """Table without lines.

    Args:
        names: headings.
        right: numbers of the columns set flush right.
        fold: number of the column that takes the room that is left and folds.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, name in enumerate(names):
        table.add_column(
            name,
            justify="right" if number in right else "left",
            no_wrap=number != fold,
            overflow="fold" if number == fold else "ellipsis",
        )
    return table


def bar(share: float, width: int, console: Console) -> str:
    """Bar of at most ``width`` cells; in ASCII where the terminal has no block characters."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    if not str(console.encoding).lower().startswith("utf"):
        return "#" * (eighths // 8)
    return "█" * (eighths // 8) + _STEPS[eighths % 8].strip()


def size(count: float) -> str:
    """Bytes, for people: ``1.2 GB``."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            break
        count /= 1000
    return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"


def amount(count: float) -> str:
    """Large number in little room: ``1.2M``."""
    for unit in ("", "k", "M", "G"):
        if count < 999.5 or unit == "G":
            break
        count /= 1000
    return f"{count:.0f}{unit}" if unit == "" or count >= 99.5 else f"{count:.2g}{unit}"


def duration(seconds: float) -> str:
    """Seconds, for people: ``4.2 µs``, ``1.3 s``, ``2:05``, ``1:02:05``."""
    for unit, factor in (("µs", 1e6), ("ms", 1e3), ("s", 1.0)):
        if seconds * factor < 1000 and (unit != "s" or seconds < 60):
            return f"{seconds * factor:.3g} {unit}"
    return clock(seconds)


def clock(seconds: float) -> str:
    """Whole seconds, for a display that counts them: ``0:05``, ``2:05``, ``1:02:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def percent(share: float) -> str:
    """Share with three digits: ``12.3 %``."""
    if share and share < 0.0001:
        return "<0.01 %"
    return f"{100 * share:.3g} %" if share < 0.9995 or share == 1 else f"{100 * share:.2f} %"


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 document``, ``2 documents``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
