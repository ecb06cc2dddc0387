"""An attributed text: its parts by how rare they are, as JSON and for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.text import Text

from gramdex.tools.commands.documents import document_record
from gramdex.tools.output import bar, columns, counted, one_line, percent, shorten, visible
from gramdex.tools.tokens import decode, text_pieces

if TYPE_CHECKING:
    from gramdex.fmindex.evidence import AttributedSpan, Attribution, Source
    from gramdex.fmindex.tokenizers import Tokenizer

STYLES = ("bold reverse", "bold underline", "underline")
"""Of the rarest third of the spans, the middle one, and the rest."""

LEVELS = len(STYLES)
CURVE = (1, 2, 3, 4, 5, 6, 8, 10, 13, 20, 30, 50)
"""Lengths at which novelty is shown."""

_BAR, _BEFORE = 20, 10


class Part(NamedTuple):
    """A piece of the text, and the spans it consists of; none for what stands nowhere."""

    text: str
    level: int
    spans: list[AttributedSpan]


def text_parts(tokenizer: Tokenizer, result: Attribution) -> list[Part]:
    """The text in pieces, in order; level 0 is rarest, -1 is outside of spans."""
    borders = [0, *(border for part in result.merged for border in part), result.ids.size]
    pieces = text_pieces(tokenizer, result.ids, borders)
    levels = _levels(result.spans)
    parts = []
    for number, piece in enumerate(pieces):
        inside = [
            (span, level)
            for span, level in zip(result.spans, levels, strict=True)
            if number % 2 and borders[number] <= span.start < borders[number + 1]
        ]
        level = min((level for _, level in inside), default=-1)
        parts.append(Part(piece, level, [span for span, _ in inside]))
    return parts


def _levels(spans: Sequence[AttributedSpan]) -> list[int]:
    order = sorted(range(len(spans)), key=lambda i: spans[i].log_probability)
    levels = [0] * len(spans)
    for place, i in enumerate(order):
        levels[i] = place * LEVELS // len(spans)
    return levels


def attribution_record(result: Attribution) -> dict[str, Any]:
    """Attribution for JSON."""
    return {
        "token_count": int(result.ids.size),
        "covered": result.covered,
        "found": result.found,
        "merged": [list(part) for part in result.merged],
        "spans": [_span_record(span) for span in result.spans],
        "novelty": result.novelty.tolist(),
        "uniqueness": result.uniqueness.tolist(),
    }


def _span_record(span: AttributedSpan) -> dict[str, Any]:
    return {
        "start": span.start,
        "end": span.end,
        "count": span.count,
        "log_probability": span.log_probability,
        "text": span.text,
        "documents": [
            {"score": source.score} | document_record(source.document) for source in span.sources
        ],
    }


def highlighted(tokenizer: Tokenizer, result: Attribution, colour: bool) -> Text:
    """The text with spans marked: by style, or by « and »."""
    text = Text(overflow="fold")
    for part in text_parts(tokenizer, result):
        if part.level < 0:
            text.append(visible(part.text))
        elif colour:
            text.append(visible(part.text), STYLES[part.level])
        else:
            text.append(f"«{visible(part.text)}»")
    return text


def span_text(tokenizer: Tokenizer, result: Attribution, span: AttributedSpan) -> str:
    """Text of a span; its ids where there is none."""
    return decode(tokenizer, result.ids[span.start : span.end])


def spans_view(tokenizer: Tokenizer, result: Attribution, console: Console) -> RenderableType:
    """The spans one by one, each with its documents."""
    lines: list[Text] = []
    for span in result.spans:
        numbers = (
            f"at {span.start:,} · {counted(span.length, 'token')} · "
            f"{counted(span.count, 'time')} · log probability {span.log_probability:.1f}"
        )
        lines.append(Text(numbers, "dim"))
        lines.append(Text(one_line(span_text(tokenizer, result, span)), "bold", overflow="fold"))
        for source in span.sources:
            lines.append(Text(shorten(_source_line(source), max(console.width - 1, 40))))
    return Group(*lines)


def _source_line(source: Source) -> str:
    """A document of a span in one line, from a little before the span on."""
    document = source.document
    said = document.text
    if said is None:
        said = " ".join(map(str, document.ids.tolist()))
    elif document.matches and document.matches[0].text_start is not None:
        start = max(document.matches[0].text_start - _BEFORE, 0)
        said = ("…" if start else "") + said[start:]
    places = (str(document.metadata[k]) for k in ("path", "line") if k in document.metadata)
    head = [f"  document {document.number:,}", f"{source.score:.2f}", ":".join(places)]
    return " · ".join([*filter(None, head), " ".join(said.split())])


def curve_rows(result: Attribution) -> list[tuple[int, float, float]]:
    """Lengths, each with the share of new n-grams and of tokens in no n-gram that occurs."""
    size = result.ids.size
    return [
        (n, float(result.novelty[n - 1]), float(result.uniqueness[n - 1]))
        for n in CURVE
        if n <= size
    ]


def curve_view(result: Attribution, console: Console) -> RenderableType:
    """Table of novelty by n."""
    table = columns(["n", "new n-grams", "", "tokens in no match of n"], right=(0, 1, 3))
    for n, novelty, uniqueness in curve_rows(result):
        drawn = bar(novelty, _BAR, console).ljust(_BAR)
        table.add_row(str(n), percent(novelty), drawn, percent(uniqueness))
    return Group(table)


def summary(result: Attribution) -> str:
    """One line about all."""
    share = result.covered / max(result.ids.size, 1)
    spans = counted(len(result.spans), "span")
    kept = f"{spans} of {result.found:,}" if len(result.spans) < result.found else spans
    longest = int(np.max(result.lengths, initial=0))
    return (
        f"{kept}, {percent(share)} of {counted(result.ids.size, 'token')}; "
        f"longest match {counted(longest, 'token')}"
    )
