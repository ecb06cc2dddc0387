"""``gramdex match``: how much of a text is in the corpus."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import Group, RenderableType
from rich.text import Text

from gramdex.errors import UsageError
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.tools.arguments import (
    Also,
    AsIds,
    AsJson,
    Copies,
    IndexPath,
    Takedown,
    TextFile,
    Threads,
    open_set,
)
from gramdex.tools.output import columns, counted, one_line, percent, print_json, stdout
from gramdex.tools.queries_input import parse_ids
from gramdex.tools.tokens import Span, covered, decode, marked, maximal_spans

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.fmindex.tokenizers import Tokenizer

LEAST_BYTES, LEAST_TOKENS = 20, 5


def match(
    index: IndexPath,
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help="Text to look for; or ids.", show_default=False),
    ] = None,
    file: TextFile = None,
    min_length: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help=f"Report matches of at least N tokens; without it {LEAST_BYTES} on an index of "
            f"bytes, {LEAST_TOKENS} on others.",
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=0, help="List the N longest matches; 0: all.")
    ] = 20,
    ids: AsIds = False,
    threads: Threads = None,
    also: Also = None,
    takedown: Takedown = None,
    copies: Copies = "all",
    as_json: AsJson = False,
) -> None:
    """Mark what of a text stands in the corpus.

    Reports the matches that lie in no longer match. Text is encoded with the tokenizer of the
    index. --json has them all, and the longest match from every token on.
    """
    if (file is None) == (text is None):
        raise UsageError("TEXT", "none" if text is None else "both TEXT and --file", "one of them")
    opened = open_set(index, also, takedown, copies, threads or usable_cores())
    given = text if text is not None else read_text(file or "")
    tokens = np.array(parse_ids(given), np.int64) if ids else opened.encode(given)
    result = opened.match(tokens)
    least = min_length or (LEAST_BYTES if opened.tokenizer.kind == "bytes" else LEAST_TOKENS)
    spans = maximal_spans(result.lengths, result.counts, least)
    if as_json:
        record = {
            "encoded": not ids,
            "token_count": int(tokens.size),
            "lengths": result.lengths.tolist(),
            "counts": result.counts.tolist(),
        }
        print_json(record | spans_record(opened.tokenizer, tokens, spans, least))
    else:
        _print(opened, tokens, spans, least, limit)


def read_text(file: str) -> str:
    """Text of a file, or of standard input for ``-``.

    Raises:
        UsageError: it cannot be read, or is no UTF-8.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8")
    except OSError as error:
        raise UsageError(file, error.strerror or str(error), "a text file") from error
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x} at byte offset {error.start}"
        raise UsageError(file, found, "UTF-8", "convert it to UTF-8") from None


def spans_record(
    tokenizer: Tokenizer, ids: np.ndarray, spans: Sequence[Span], least: int
) -> dict[str, Any]:
    """Matches for JSON."""
    return {
        "min_length": least,
        "covered": sum(end - start for start, end in covered(spans)),
        "spans": [
            {
                "start": span.start,
                "end": span.end,
                "count": span.count,
                "text": None if tokenizer.kind == "none" else _text(tokenizer, ids, span),
            }
            for span in spans
        ],
    }


def spans_view(
    tokenizer: Tokenizer, ids: np.ndarray, spans: Sequence[Span], limit: int
) -> RenderableType:
    """Table of the longest matches, in the order of the text."""
    kept = sorted(spans, key=lambda span: -span.length)[: limit or None]
    table = columns(["at", "length", "times", "match"], right=(0, 1, 2), fold=3)
    for span in sorted(kept, key=lambda span: span.start):
        text = Text(one_line(_text(tokenizer, ids, span)))
        table.add_row(f"{span.start:,}", f"{span.length:,}", f"{span.count:,}", text)
    if len(kept) == len(spans):
        return table
    rest = len(spans) - len(kept)
    return Group(table, Text(f"{rest:,} shorter ones not listed, --limit 0 lists all", "dim"))


def _text(tokenizer: Tokenizer, ids: np.ndarray, span: Span) -> str:
    return decode(tokenizer, ids[span.start : span.end])


def _print(index: Index, ids: np.ndarray, spans: Sequence[Span], least: int, limit: int) -> None:
    console = stdout()
    parts = covered(spans)
    share = sum(end - start for start, end in parts) / max(ids.size, 1)
    said = f"{percent(share)} of {counted(ids.size, 'token')} in the corpus"
    found = counted(len(spans), "match", "matches") if spans else "no match"
    if spans:
        console.print(marked(index.tokenizer, ids, parts, console.is_terminal))
        console.print()
        console.print(spans_view(index.tokenizer, ids, spans, limit))
    console.print(Text.assemble((said, "bold"), f": {found} of {least} tokens or more"))
