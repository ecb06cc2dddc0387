"""Arguments that several commands share, and values people write in more than one way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

import gramdex
from gramdex.errors import UsageError
from gramdex.rpc.client.target import is_server

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

IndexPath = Annotated[
    str,
    typer.Argument(
        metavar="INDEX",
        help="Folder of an index; or a server, grpc://HOST:PORT or, with TLS, grpcs://HOST:PORT.",
        show_default=False,
    ),
]
IndexFolder = Annotated[
    str, typer.Argument(metavar="INDEX", help="Folder of an index.", show_default=False)
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", metavar="", help="Print results as JSON, and an error as JSON on stderr."
    ),
]
AsIds = Annotated[
    bool,
    typer.Option("--ids", metavar="", help="Arguments are token ids, such as 12,5,9, not text."),
]
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=0, help="Show the N most frequent; 0: all.")
]

TextFile = Annotated[
    str | None,
    typer.Option("--file", metavar="FILE", help="Read the text from a file; -: from stdin."),
]
Skip = Annotated[
    int, typer.Option("--skip", metavar="N", min=0, help="Leave out the first N documents.")
]
Whole = Annotated[bool, typer.Option("--whole", metavar="", help="Show whole documents.")]

Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", min=1, help="Share the work; without it, all cores."),
]

Also = Annotated[
    list[str] | None,
    typer.Option(
        "--also", metavar="FOLDER", help="Ask this index too, as one with INDEX; again for more."
    ),
]
Takedown = Annotated[
    list[str] | None,
    typer.Option(
        "--takedown",
        metavar="FOLDER",
        help="Answer as if the documents of this index were not in the corpus; again for more.",
    ),
]
Copies = Annotated[
    str,
    typer.Option(
        "--copies",
        metavar="WHICH",
        help="Of a document taken down, all must be in the takedown index, or as many go as are "
        "listed.",
    ),
]

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_NUMBER = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?(?:e[0-9]+)?)\s*([kmgt]?)(i?)(b?)", re.IGNORECASE)


def open_set(
    index: str,
    also: list[str] | None,
    takedown: list[str] | None,
    copies: str,
    threads: int = 1,
) -> Index:
    """Open what a command was given as one index.

    A server is asked in its stead; the threads are the server's then.

    Raises:
        UsageError: ``--copies`` without ``--takedown``, or a server beside others; and what
            ``gramdex.open`` and ``gramdex.connect`` raise.
    """
    for name, given in (("--also", also), ("--takedown", takedown)):
        if given and any(map(is_server, [index, *given])):
            found = f"{', '.join(given)} beside {index}"
            raise UsageError(name, found, "folders alone", "have the server open them together")
    if not takedown and copies != "all":
        raise UsageError("--copies", "no --takedown beside it", "both", "leave it out")
    if is_server(index):
        return connect(index)
    return gramdex.open([index, *(also or ())], threads, takedown or None, copies)


def connect(target: str) -> Index:
    """An index on a server; it answers whatever one here does.

    Token and certificates come from ``GRAMDEX_TOKEN`` and ``GRAMDEX_CA``; see ``gramdex.connect``.
    """
    return cast("Index", gramdex.connect(target))


def require_folder(command: str, index: str) -> Path:
    """The folder of an index; UsageError where it is a server."""
    if is_server(index):
        remedy = "give the command where the files of the index are"
        raise UsageError(command, f"a server, {index}", "the folder of an index", remedy)
    return Path(index)


def place_of(index: Index) -> str:
    """Where an index is, for people."""
    target = getattr(index, "target", None)
    return target or ", ".join(map(str, index.folders))


def parse_amount(name: str, text: str) -> int:
    """Read a number of tokens: ``50M``, ``1e8``, ``100_000``.

    Raises:
        UsageError: it is no whole number.
    """
    return _parse(name, text, "a whole number such as 50M, 1e8 or 100000", tokens=True)


def parse_size(name: str, text: str) -> int:
    """Read a number of bytes: ``4GB`` is 4·10⁹, ``4GiB`` 4·2³⁰, ``500M`` 5·10⁸.

    Raises:
        UsageError: it is no size.
    """
    return _parse(name, text, "a size such as 4GB, 4GiB or 500MB", tokens=False)


def _parse(name: str, text: str, expected: str, tokens: bool) -> int:
    match = _NUMBER.fullmatch(text.strip())
    number, unit, binary, byte = match.groups() if match else ("", "", "", "")
    if not number or (tokens and (binary or byte)) or (binary and not unit):
        raise UsageError(name, repr(text), expected)
    value = float(number.replace("_", "")) if re.search("[.e]", number, re.I) else int(number)
    factor = (1024 if binary else 1000) ** _POWERS[unit.lower()]
    try:
        whole = round(value * factor)
    except OverflowError:
        raise UsageError(name, repr(text), expected) from None
    if tokens and whole != value * factor:
        raise UsageError(name, repr(text), expected)
    return whole
