"""``gramdex decontaminate``: a corpus without the texts of benchmarks."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramdex.errors import InputError, UsageError
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.tools.arguments import AsJson, Threads
from gramdex.tools.output import counted, facts, print_json, stdout, warn
from gramdex.tools.progress import ShardProgress

if TYPE_CHECKING:
    from gramdex.tools.contamination.cleaning import Cleaner


def decontaminate(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="JSONL and text files, folders and globs, as for build; .gz and .zst as well.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the corpus goes.")
    ],
    benchmark: Annotated[
        list[str],
        typer.Option(
            "--benchmark",
            "-b",
            metavar="FILE",
            help="What must not be in it: a benchmark as for contamination, or the folder of an "
            "index of one; again for more.",
        ),
    ],
    words: Annotated[
        int, typer.Option(metavar="N", min=1, help="So many words in a row offend.")
    ] = 13,
    normalize: Annotated[
        str,
        typer.Option(metavar="WHAT", help="What makes no difference, as for contamination."),
    ] = "all",
    remove: Annotated[
        str, typer.Option(metavar="WHAT", help="Remove documents that offend, or only spans.")
    ] = "documents",
    fields: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML file with field maps of one's own."),
    ] = None,
    text_field: Annotated[
        str, typer.Option(metavar="NAME", help="Field that holds the text.")
    ] = "text",
    text_unit: Annotated[
        str, typer.Option(metavar="UNIT", help="Document in text files: file or line.")
    ] = "file",
    on_error: Annotated[
        str, typer.Option(metavar="DO", help="With bad records: raise, or keep them as they are.")
    ] = "raise",
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Copy a corpus without the texts of benchmarks.

    What stays is copied byte for byte, what goes is in ledger.jsonl with the reason.
    """
    from gramdex.fmindex.queries.contamination.normalization import parse_normalization
    from gramdex.indexer.readers import ReadOptions
    from gramdex.tools.contamination.cleaning import Cleaner
    from gramdex.tools.contamination.offences import offences_of

    normalization = parse_normalization(normalize)
    if normalization is None:
        raise UsageError("--normalize", repr(normalize), "at least whitespace")
    read = ReadOptions(text_field=text_field, text_unit=text_unit)
    given = _benchmarks(benchmark, fields)
    with offences_of(given, words, normalization, threads or usable_cores()) as offences:
        if offences.short_texts:
            short = counted(offences.short_texts, "text")
            warn(f"{short} of the benchmarks: fewer than {words} words, nothing matches them")
        cleaner = Cleaner(offences, output, remove, on_error, read)
        files = cleaner.files(inputs)
        with ShardProgress("cleaning", len(files)) as progress:
            cleaner.run(files, progress)
    _tell(cleaner, output, as_json)


def _benchmarks(given: list[str], fields: Path | None) -> list[Any]:
    from gramdex.tools.contamination.benchmarks import read_benchmark
    from gramdex.tools.contamination.fields import read_maps

    maps = read_maps(fields)
    found: list[Any] = [
        Path(each) if Path(each).is_dir() else read_benchmark(each, maps) for each in given
    ]
    if not found:
        raise InputError("--benchmark", "none", "at least one")
    return found


def _tell(cleaner: Cleaner, output: Path, as_json: bool) -> None:
    from gramdex.tools.contamination.cleaning import LEDGER

    tally, ledger = cleaner.tally, output / LEDGER
    if as_json:
        print_json(asdict(tally) | {"output": str(output), "ledger": str(ledger)})
        return
    rows = [
        ("documents", f"{tally.documents:,} in {counted(tally.files, 'file')}"),
        ("untouched", f"{tally.untouched:,}"),
        ("removed", f"{tally.removed:,}"),
    ]
    if tally.cut:
        rows.append(("cut", f"{tally.cut:,}, {counted(tally.spans, 'span')} taken out"))
    if tally.unreadable:
        rows.append(("not read", f"{tally.unreadable:,}, copied as they were"))
    stdout().print(facts([*rows, ("output", str(output)), ("ledger", str(ledger))]))
