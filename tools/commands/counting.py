"""``gramdex count``: occurrences of one query, or of a file of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from gramdex.errors import QueryError, UsageError
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.tools.arguments import (
    Also,
    AsIds,
    AsJson,
    Copies,
    IndexPath,
    Takedown,
    Threads,
    open_set,
)
from gramdex.tools.output import note, one_line, print_json, print_lines, shorten, stdout
from gramdex.tools.queries_input import TypedQuery, form_of, name_of, parse_query, read_queries

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

_BATCH = 4096

Numbered: TypeAlias = "tuple[int | None, TypedQuery]"
"""Line of the file a query came from, and the query."""


def count(
    index: IndexPath,
    queries: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY", help="What to count.", show_default=False),
    ] = None,
    ids: AsIds = False,
    encode: Annotated[
        bool,
        typer.Option(
            "--encode",
            metavar="",
            help="Encode text with the tokenizer of the index, and count those tokens.",
        ),
    ] = False,
    file: Annotated[
        str | None,
        typer.Option("--queries", metavar="FILE", help="Read queries, one a line; -: from stdin."),
    ] = None,
    queries_format: Annotated[
        str | None,
        typer.Option(
            metavar="FORM",
            help="A line of FILE is text, ids or json. Without it: json in files named .jsonl "
            "or .ndjson, ids with --ids, else text. A json line is a string, an array of ids, or "
            'an object with "text" or "ids".',
        ),
    ] = None,
    threads: Threads = None,
    also: Also = None,
    takedown: Takedown = None,
    copies: Copies = "all",
    as_json: AsJson = False,
) -> None:
    """Count occurrences.

    A text is counted wherever its bytes stand in a document, however the corpus was cut into
    tokens; with --encode, where it was cut as the tokenizer of the index cuts the text.
    Queries that begin with a hyphen come after --.
    """
    if (file is None) == (not queries):
        raise UsageError("QUERY", "both QUERY and --queries" if queries else "none", "one of them")
    form = form_of(file or "", queries_format, ids)
    opened = open_set(index, also, takedown, copies, threads or usable_cores())
    if encode and opened.tokenizer.kind != "bytes":
        note(
            f"text is encoded with the {opened.tokenizer.kind} tokenizer of the index; "
            "where the corpus cuts it otherwise it is not counted",
            "dim",
        )
    numbered: Iterator[Numbered]
    if file is not None:
        numbered = iter(read_queries(file, form))
    else:
        numbered = iter([(None, parse_query(query, ids)) for query in queries or ()])
    _count_all(opened, numbered, file or "", encode, as_json)


def _count_all(
    index: Index, queries: Iterator[Numbered], source: str, encode: bool, as_json: bool
) -> None:
    many = source != ""
    while batch := list(islice(queries, _BATCH)):
        many = many or len(batch) > 1
        patterns = [_pattern(index, query, encode) for _, query in batch]
        counts = _count_batch(index, batch, patterns, source)
        if as_json:
            for (line, query), pattern, number in zip(batch, patterns, counts, strict=True):
                print_json(_record(line, query, pattern, number))
        else:
            print_lines(_lines(batch, counts, many))


def _pattern(index: Index, query: TypedQuery, encode: bool) -> TypedQuery:
    if encode and isinstance(query, str):
        return index.encode(query).tolist()
    return query


def _count_batch(
    index: Index,
    batch: Sequence[Numbered],
    patterns: Sequence[TypedQuery],
    source: str,
) -> list[int]:
    try:
        return index.count_batch(patterns).tolist()
    except QueryError:
        for (line, _), pattern in zip(batch, patterns, strict=True):
            _count_one(index, pattern, None if line is None else f"{name_of(source)}:{line}")
        raise


def _count_one(index: Index, pattern: TypedQuery, place: str | None) -> None:
    """Count, and name the line of a query that is refused."""
    try:
        index.count(pattern)
    except QueryError as error:
        thing = error.thing if place is None else f"{place}: {error.thing}"
        raise QueryError(thing, error.found, error.expected, error.remedy) from error


def _record(
    line: int | None, query: TypedQuery, pattern: TypedQuery, number: int
) -> dict[str, Any]:
    record: dict[str, Any] = {"query": query, "count": number}
    if pattern is not query:
        record["ids"] = pattern
    if line is not None:
        record["line"] = line
    return record


def _lines(batch: Sequence[Numbered], counts: Sequence[int], many: bool) -> Iterator[str]:
    console = stdout()
    width = max(12, *(len(f"{number:,}") for number in counts)) if many else 0
    room = console.width - max(width, 12) - 2 if console.is_terminal else None
    for (_, query), number in zip(batch, counts, strict=True):
        text = query if isinstance(query, str) else " ".join(map(str, query))
        text = one_line(text) if room is None else shorten(text, room)
        yield f"{number:>{width},}  {text}"
