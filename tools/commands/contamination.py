"""``gramdex contamination``: which examples of benchmarks stand in corpora."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramdex.errors import UsageError
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.rpc.client.target import is_server
from gramdex.tools.arguments import AsJson, Threads
from gramdex.tools.output import print_json, stdout
from gramdex.tools.progress import Waiting

if TYPE_CHECKING:
    from gramdex.tools.contamination.records import Checked

_NAMES = "windows, ngrams, ngram-share, sampled, token-ngrams, longest, coverage"


def contamination(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="INDEX... BENCHMARK...",
            help="Folders of indexes, or servers, grpc://HOST:PORT; and benchmarks: .jsonl, "
            ".parquet or .csv files, or NAME=FILE with the field map of that name.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the reports go.")
    ],
    normalize: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="Look for n-grams in normalized text: all, or some of case,punctuation,"
            "whitespace. Makes an index of it, once.",
        ),
    ] = "none",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME.X=V", help="Parameter of a definition, such as ngrams.n=10."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"Only this definition; again for more. {_NAMES}."),
    ] = None,
    fields: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML file with field maps of one's own."),
    ] = None,
    on_error: Annotated[
        str, typer.Option(metavar="DO", help="With bad records of a benchmark: raise or skip.")
    ] = "raise",
    most_count: Annotated[
        int,
        typer.Option(
            "--max-count",
            metavar="N",
            min=1,
            help="Windows that occur more often name no document to drop.",
        ),
    ] = 100,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where indexes of normalized text are kept; else with --output."
        ),
    ] = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Check benchmarks for contamination.

    Every definition in use side by side, with evidence: report.html, examples as JSON lines and
    Parquet, and the documents that would have to go.
    """
    from gramdex.fmindex.queries.contamination.normalization import parse_normalization
    from gramdex.tools.contamination import checking
    from gramdex.tools.contamination.benchmarks import read_benchmark
    from gramdex.tools.contamination.fields import read_maps

    if on_error not in ("raise", "skip"):
        raise UsageError("--on-error", repr(on_error), "raise or skip")
    indexes, files = _sort(given)
    settings = checking.Settings(
        checking.choose_definitions(only or (), set_ or ()),
        parse_normalization(normalize),
        cache or output / "normalized",
        most_count,
        threads or usable_cores(),
        Waiting,
    )
    maps = read_maps(fields)
    benchmarks = [read_benchmark(file, maps, on_error == "skip") for file in files]
    checked = checking.check_all(indexes, benchmarks, settings)
    options: dict[str, Any] = {"--only": only, "--set": set_, "--fields": fields, "--cache": cache}
    options |= {"--normalize": normalize, "--on-error": on_error}
    command = _command(given, options | {"--max-count": most_count, "--output": output})
    written = checking.write_reports(output, checked, command)
    if as_json:
        record = checking.report_record(checked, command)
        print_json(record | {"files": [str(path) for path in written]})
    else:
        _print(checked, written[0])


def _print(checked: Sequence[Checked], report: Path) -> None:
    from gramdex.tools.contamination import summary

    console = stdout()
    for each in checked:
        summary.print_checked(console, each)
        console.print()
    if len(checked) > 1:
        summary.print_bulletin(console, checked)
        console.print()
    console.print(f"report  {report}", soft_wrap=True)


def _command(given: list[str], options: dict[str, Any]) -> str:
    """The command with every option, to be given again."""
    words = ["gramdex", "contamination", *given]
    for name, value in options.items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        words += [word for each in values for word in (name, str(each))]
    return shlex.join(words)


def _sort(given: list[str]) -> tuple[list[str], list[str]]:
    """Folders and servers are indexes, files are benchmarks."""
    indexes = [each for each in given if is_server(each) or Path(each).is_dir()]
    files = [each for each in given if each not in indexes]
    indexes = [each if is_server(each) else str(Path(each)) for each in indexes]
    for what, some in (("INDEX", indexes), ("BENCHMARK", files)):
        if not some:
            found = f"none: {', '.join(given)} {'are' if len(given) > 1 else 'is'} no "
            found += ("folder" if what == "INDEX" else "file") + "s" * (len(given) > 1)
            expected = "at least one folder of an index, and one benchmark file"
            raise UsageError(what, found, expected)
    return indexes, files
