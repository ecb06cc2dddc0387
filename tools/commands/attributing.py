"""``gramdex attribute``: which parts of a text stand in the corpus, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.text import Text

from gramdex.errors import UsageError
from gramdex.tools import attribution as views
from gramdex.tools.arguments import (
    Also,
    AsIds,
    AsJson,
    Copies,
    IndexPath,
    Takedown,
    TextFile,
    open_set,
    place_of,
)
from gramdex.tools.commands.documents import near_tokens
from gramdex.tools.commands.matching import read_text
from gramdex.tools.output import note, print_json, stdout
from gramdex.tools.queries_input import parse_ids

if TYPE_CHECKING:
    from gramdex.fmindex.evidence import Attribution
    from gramdex.fmindex.index import Index


def attribute(
    index: IndexPath,
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help="Text to attribute; or ids.", show_default=False),
    ] = None,
    file: TextFile = None,
    min_length: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Spans have at least N tokens; without it 20 on an index of bytes, 5 on others.",
        ),
    ] = None,
    max_count: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Spans occur at most N times in the corpus."),
    ] = None,
    keep: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Keep the SHARE · tokens least probable spans."),
    ] = 0.05,
    all_spans: Annotated[bool, typer.Option("--all", metavar="", help="Keep every span.")] = False,
    inside_words: Annotated[
        bool,
        typer.Option("--inside-words", metavar="", help="Spans may begin and end inside words."),
    ] = False,
    sentences: Annotated[
        bool,
        typer.Option("--sentences", metavar="", help="No span goes on after a sentence or line."),
    ] = False,
    max_documents: Annotated[
        int, typer.Option(metavar="N", min=0, help="Show at most N documents of each span.")
    ] = 10,
    context: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Show N tokens around a span.")
    ] = None,
    seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Of spans in many documents, draw others."),
    ] = 0,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with text and documents.")
    ] = None,
    ids: AsIds = False,
    also: Also = None,
    takedown: Takedown = None,
    copies: Copies = "all",
    as_json: AsJson = False,
) -> None:
    """Show which parts of a text stand in the corpus, word for word, and in which documents.

    Spans are as long as they can be. Of a text of n tokens the 0.05 · n spans of the rarest words
    are kept; their documents are ranked by how close they are to the whole text.
    """
    if (file is None) == (text is None):
        raise UsageError("TEXT", "none" if text is None else "both TEXT and --file", "one of them")
    opened = open_set(index, also, takedown, copies)
    given = text if text is not None else read_text(file or "")
    tokens = np.array(parse_ids(given), np.int64) if ids else opened.encode(given)
    result = opened.attribute(
        tokens,
        min_length,
        max_count,
        None if all_spans else keep,
        False if inside_words else None,
        sentences,
        max_documents,
        near_tokens(opened) if context is None else context,
        seed,
    )
    if html is not None:
        _write_page(opened, result, html)
    if as_json:
        print_json({"encoded": not ids} | views.attribution_record(result))
    else:
        _print(opened, result)


def _write_page(index: Index, result: Attribution, path: Path) -> None:
    from gramdex.tools.attribution_page import attribution_page

    facts = [("index", place_of(index))]
    facts.append(("corpus", f"{index.document_count:,} documents, {index.token_count:,} tokens"))
    if index.takedown is not None:
        folders = getattr(index.takedown, "folders", ("documents that the server ignores",))
        facts.append(("without", ", ".join(map(str, folders))))
    try:
        path.write_text(attribution_page(index.tokenizer, result, facts), encoding="utf-8")
    except OSError as error:
        raise UsageError(str(path), error.strerror or str(error), "a file to write") from error
    note(f"page: {path}", "dim")


def _print(index: Index, result: Attribution) -> None:
    console = stdout()
    if result.spans:
        console.print(views.highlighted(index.tokenizer, result, console.is_terminal))
        console.print()
        console.print(views.spans_view(index.tokenizer, result, console))
        console.print()
    if result.ids.size:
        console.print(views.curve_view(result, console))
        console.print()
    console.print(Text(views.summary(result), "bold"))
