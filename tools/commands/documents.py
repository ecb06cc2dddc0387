"""``gramdex documents``: the documents a text or ids stand in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from gramdex.errors import UsageError
from gramdex.tools.arguments import (
    Also,
    AsIds,
    AsJson,
    Copies,
    IndexPath,
    Skip,
    Takedown,
    Whole,
    open_set,
)
from gramdex.tools.output import counted, one_line, print_json, stdout
from gramdex.tools.queries_input import parse_query
from gramdex.tools.tokens import mark

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.fmindex.results import Document

_NEAR_BYTES, _NEAR_TOKENS = 200, 40


def documents(
    index: IndexPath,
    query: Annotated[
        str | None,
        typer.Argument(metavar="QUERY", help="Text or ids to look for.", show_default=False),
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Show the document of this number instead."),
    ] = None,
    max_documents: Annotated[
        int, typer.Option(metavar="N", min=1, help="Show at most N documents.")
    ] = 10,
    skip: Skip = 0,
    context: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Show N tokens around the first match in each; without it "
            f"{_NEAR_BYTES} on an index of bytes, {_NEAR_TOKENS} on others.",
        ),
    ] = None,
    whole: Whole = False,
    ids: AsIds = False,
    encode: Annotated[
        bool,
        typer.Option("--encode", metavar="", help="Encode QUERY with the tokenizer of the index."),
    ] = False,
    also: Also = None,
    takedown: Takedown = None,
    copies: Copies = "all",
    as_json: AsJson = False,
) -> None:
    """Show documents that hold a text.

    They come in the order of the corpus.
    """
    if (query is None) == (number is None):
        found = "none" if query is None else "both QUERY and --number"
        raise UsageError("QUERY", found, "one of them")
    opened = open_set(index, also, takedown, copies)
    if number is not None:
        document = opened.document(number)
        if as_json:
            print_json(document_record(document))
        else:
            print_document(stdout(), document)
        return
    shown = None if whole else near_tokens(opened) if context is None else context
    pattern: Any = parse_query(query or "", ids)
    if encode and isinstance(pattern, str):
        pattern = opened.encode(pattern).tolist()
    _search(opened, pattern, (skip, max_documents), shown, as_json)


def near_tokens(index: Index) -> int:
    """Tokens to show around a match where nobody says how many."""
    return _NEAR_BYTES if index.tokenizer.kind == "bytes" else _NEAR_TOKENS


def _search(
    index: Index, pattern: Any, page: tuple[int, int], context: int | None, as_json: bool
) -> None:
    skip, most = page
    found = index.documents(pattern, most + 1, context, skip)
    there_are_more, found = len(found) > most, found[:most]
    total = index.count(pattern)
    if as_json:
        records = [document_record(document) for document in found]
        print_json({"query": pattern, "count": total, "documents": records})
        return
    console = stdout()
    for document in found:
        print_document(console, document)
        console.print()
    shown = counted(len(found), "document")
    more = f"; the first {shown}" if there_are_more else ""
    if skip:
        more = f"; {shown} after the first {skip:,}"
    within = "" if more or not found else f" in {shown}"
    console.print(Text(f"{counted(total, 'occurrence')}{within}{more}", "bold"))


def document_record(document: Document) -> dict[str, Any]:
    """Document for JSON; its ids only where it has no text."""
    record: dict[str, Any] = {
        "number": document.number,
        "shard": document.shard,
        "token_count": document.token_count,
        "start": document.start,
        "end": document.end,
        "text": document.text,
        "metadata": document.metadata,
        "matches": [
            {"start": m.start, "end": m.end, "text_start": m.text_start, "text_end": m.text_end}
            for m in document.matches
        ],
    }
    return record | ({"ids": document.ids.tolist()} if document.text is None else {})


def print_document(console: Console, document: Document) -> None:
    """Print a heading, the metadata and the text, with the matches marked."""
    said = [f"document {document.number:,}", counted(document.token_count, "token")]
    if (document.start, document.end) != (0, document.token_count):
        said.append(f"from {document.start:,} to {document.end:,}")
    if document.matches:
        said.append(counted(len(document.matches), "match", "matches") + " shown")
    console.print(Text.assemble((said[0], "bold cyan"), " · " + " · ".join(said[1:])))
    for name, value in _flat(document.metadata):
        console.print(Text.assemble((f"{one_line(name)}: ", "dim"), one_line(str(value))))
    console.print(document_text(document, console.is_terminal))


def _flat(metadata: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the reader says of a document, then its own fields."""
    yield from ((name, value) for name, value in metadata.items() if name != "fields")
    for name, value in metadata.get("fields", {}).items():
        yield (f"fields.{name}" if name in metadata else name), value


def document_text(document: Document, colour: bool) -> Text:
    """Text of a document, or its ids, with the matches marked."""
    if document.text is None:
        return _ids_text(document, colour)
    pieces, done = [], 0
    for match in document.matches:
        if match.text_start is None or match.text_end is None or match.text_end <= done:
            continue
        start = max(match.text_start, done)
        pieces += [
            (document.text[done:start], False),
            (document.text[start : match.text_end], True),
        ]
        done = match.text_end
    return mark([*pieces, (document.text[done:], False)], colour)


def _ids_text(document: Document, colour: bool) -> Text:
    inside: set[int] = set()
    for match in document.matches:
        inside.update(range(match.start - document.start, match.end - document.start))
    pieces = [(str(token), i in inside) for i, token in enumerate(document.ids.tolist())]
    spaced = [part for piece in pieces for part in (piece, (" ", False))]
    return mark(spaced[:-1], colour)
