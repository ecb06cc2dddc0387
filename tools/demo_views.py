"""What the demo shows: its findings as lines for people, and as one JSON object."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from gramdex.tools import demo as work
from gramdex.tools.commands.documents import document_record, print_document
from gramdex.tools.distributions import distribution_view, suffix_text
from gramdex.tools.output import columns, counted, duration, one_line, visible
from gramdex.tools.tokens import MARK, TokenNames, covered, marked

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.fmindex.results import Document


def record(index: Index) -> dict[str, Any]:
    """Everything the demo shows, for JSON."""
    names = TokenNames(index.tokenizer)
    continued, traced = work.continue_text(index, work.PROMPT), work.trace(index)
    query, document = work.search(index)
    distributions = [(context, index.ntd(context, 5)) for context in work.CONTEXTS]
    return {
        "documents": index.document_count,
        "tokens": index.token_count,
        "counts": {text: index.count(text) for text in work.STRINGS},
        "timing": asdict(work.measure(index)),
        "distributions": {
            context: {names.label(token): int(count) for token, count in _pairs(found)}
            for context, found in distributions
        },
        "continuation": {
            "prompt": continued.prompt,
            "added": continued.added,
            "suffix_length": continued.first.suffix_length,
            "source": continued.source,
            "seconds_per_byte": continued.seconds,
        },
        "spans": [
            {"start": span.start, "end": span.end, "count": span.count, "source": source}
            for span, source in zip(traced.spans, traced.sources, strict=True)
        ],
        "search": {"query": query, "document": document and document_record(document)},
    }


def _pairs(found: Any) -> list[tuple[int, int]]:
    return list(zip(found.tokens.tolist(), found.counts.tolist(), strict=True))


def counts(index: Index) -> RenderableType:
    """Counts of some strings, each with the time it took."""
    table = columns(["text", "times", "first call"], right=(1, 2))
    for text in work.STRINGS:
        started = time.perf_counter()
        number = index.count(text)
        table.add_row(repr(text), f"{number:,}", duration(time.perf_counter() - started))
    return table


def timing(measured: work.Timing) -> RenderableType:
    """Sentence about how long a count takes."""
    return Text(
        f"{measured.queries:,} pieces of {measured.bytes_each} bytes, taken anywhere from the "
        f"corpus: {duration(measured.single)} each one by one (median), "
        f"{duration(measured.batch)} each in one batch.",
        "dim",
    )


def distribution(index: Index, context: str, console: Console) -> RenderableType:
    """The five most frequent bytes after a context."""
    started = time.perf_counter()
    found = index.ntd(context, 5)
    took = duration(time.perf_counter() - started)
    head = f"after {context!r}: {counted(found.context_count, 'time')}, in {took}"
    if not found.context_count:
        return Text(head)
    return Group(Text(head), distribution_view(found, TokenNames(index.tokenizer), console))


def continuation(index: Index, found: work.Continuation) -> RenderableType:
    """Prompt and what was added to it."""
    text = Text.assemble((visible(found.prompt), "dim"), (visible(found.added), "bold"))
    said = [f"Of the prompt {suffix_text(index.tokenizer, _ids(index), found.first)}."]
    if found.certain_after is not None and found.source is not None:
        after = counted(found.certain_after, "byte")
        said.append(f"{after} on, only one place is left to copy: {short_path(found.source)}.")
    said.append(f"{duration(found.seconds)} per byte.")
    return Group(text, Text(one_line(" ".join(said)), "dim"))


def _ids(index: Index) -> Any:
    return index.encode(work.PROMPT)


def tracing(index: Index, found: work.Tracing, colour: bool) -> RenderableType:
    """Text with what is in the corpus marked, and where each part of it stands."""
    text = marked(index.tokenizer, found.ids, covered(found.spans), colour)
    table = columns(["bytes", "times", "first in"], right=(0, 1), fold=2)
    for span, source in zip(found.spans, found.sources, strict=True):
        table.add_row(f"{span.length:,}", f"{span.count:,}", Text(one_line(short_path(source))))
    mark = Text.assemble(("underlined", MARK)) if colour else Text("«so»")
    what = Text.assemble(
        "Marked ", mark, f": matches of 20 bytes or more, found in {duration(found.seconds)}."
    )
    return Group(text, what, table)


def short_path(path: str) -> str:
    """Last three parts of a path."""
    return str(Path(*Path(path).parts[-3:])) if path else ""


def print_found(console: Console, document: Document | None) -> None:
    """Print a document that was found."""
    if document is None:
        console.print("nowhere")
    else:
        print_document(console, document)


def next_steps(path: str) -> RenderableType:
    """Commands to go on with."""
    commands = (
        f"gramdex info {path}",
        f'gramdex count {path} "your text"',
        f'gramdex infgram {path} "def main("',
        f"gramdex match {path} --file your.py",
    )
    return Group(Text("Go on with", "bold"), *(Text(f"  {command}") for command in commands))
