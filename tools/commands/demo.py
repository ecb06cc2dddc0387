"""``gramdex demo``: the Python standard library, indexed and asked."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

import gramdex
from gramdex.errors import IncompleteIndexError, OutputExistsError
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.tools import demo as work
from gramdex.tools import demo_views as views
from gramdex.tools.arguments import AsJson
from gramdex.tools.commands.building import build_with_progress, report_rows
from gramdex.tools.output import counted, duration, facts, note, print_json, stderr, stdout
from gramdex.tools.progress import Waiting

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.tools.contamination.records import Checked


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the index goes.")
    ] = work.OUTPUT,
    source: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Index the Python files of another folder."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", metavar="", help="Build the index again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Index Python's standard library and ask it things.

    Takes less than a minute; the index stays for commands of your own.
    """
    from gramdex.tools import demo_problems as problems

    if fresh:
        work.find_sources(source)  # nothing is removed for a demo that cannot be built
        work.make_room(output)
    index = _index(output, source)
    _warm()
    reports = output.with_name(f"{output.stem}-{work.REPORTS}")
    checked, report = problems.contamination(index, output, reports)
    if as_json:
        print_json(views.record(index) | problems.record(checked, report))
        return
    console = stdout()
    for show in (_count, _predict, _continue, _trace, _search):
        console.print()
        show(console, index)
    console.print()
    console.print(views.next_steps(shlex.quote(str(output))))
    console.print()
    _check(console, checked, report)


def _index(output: Path, source: Path | None) -> Index:
    """Open the index of an earlier demo, or build it."""
    try:
        index = gramdex.open(output)
    except IncompleteIndexError:
        _build(output, work.find_sources(source))
        return gramdex.open(output)
    _check_source(index, output, source)
    note(f"using the index of an earlier demo, {output}; --fresh builds it again")
    return index


def _check_source(index: Index, output: Path, source: Path | None) -> None:
    """Refuse an index of another folder than the one that was named."""
    first = Path(str(index.document(0).metadata.get("path"))) if index.document_count else None
    if source is None or (first and first.resolve().is_relative_to(source.resolve())):
        return
    raise OutputExistsError(
        str(output), "an index of another folder", f"one of {source}", "build it with --fresh"
    )


def _build(output: Path, sources: work.Sources) -> None:
    from gramdex.indexer.options import BuildOptions
    from gramdex.indexer.readers import ReadOptions

    empty = f"; leaves out {counted(sources.empty, 'empty file')}" if sources.empty else ""
    note(f"indexing the Python files of {sources.folder}{empty}")
    note("where no build ran before, compiling its kernels (once) takes some seconds more", "dim")
    options = BuildOptions(
        sources.files,
        output,
        workers=usable_cores(),
        read=ReadOptions(format="text"),
        on_error="skip",
    )
    try:
        report = build_with_progress(options, choose_workers=True)
    except OutputExistsError as error:
        remedy = "build it again with --fresh, or name another folder with --output"
        raise OutputExistsError(error.thing, error.found, error.expected, remedy) from error
    if report.skipped_records:
        left_out = counted(report.skipped_records, "file that is", "files that are")
        note(f"left out {left_out} not UTF-8", "dim")
    stderr().print(facts(report_rows(report)))


def _warm() -> None:
    started = time.perf_counter()
    with Waiting("compiling kernels (once)"):
        gramdex.warmup()
    note(f"kernels ready in {duration(time.perf_counter() - started)}", "dim")


def _count(console: Console, index: Index) -> None:
    _head(console, "How often does it say that?")
    console.print(views.counts(index))
    console.print(views.timing(work.measure(index)))


def _predict(console: Console, index: Index) -> None:
    _head(console, "What comes next? Exact distributions")
    for number, context in enumerate(work.CONTEXTS):
        if number:
            console.print()
        console.print(views.distribution(index, context, console))


def _continue(console: Console, index: Index) -> None:
    _head(console, "Let it write: ∞-gram, the likeliest byte again and again")
    console.print(views.continuation(index, work.continue_text(index, work.PROMPT)))


def _trace(console: Console, index: Index) -> None:
    _head(console, "Which lines were copied?")
    console.print(views.tracing(index, work.trace(index), console.is_terminal))


def _search(console: Console, index: Index) -> None:
    query, document = work.search(index)
    _head(console, f"Where is {query!r}?")
    views.print_found(console, document)


def _check(console: Console, checked: Checked, report: Path) -> None:
    from gramdex.tools.contamination.summary import print_checked

    _head(console, "Which problems has it seen? A contamination report")
    print_checked(console, checked)
    console.print(Text("open", "bold"), Text(f"  {report}"), sep="\n")


def _head(console: Console, text: str) -> None:
    console.print(Text(f"■ {text}", "bold magenta"))
