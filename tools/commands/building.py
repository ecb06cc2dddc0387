"""``gramdex build`` and ``gramdex convert``: a corpus, or another index, becomes an index."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gramdex.errors import UsageError
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.fmindex.format.layout import SAMPLING_RATE
from gramdex.tools.arguments import AsJson, IndexFolder, parse_amount, parse_size, require_folder
from gramdex.tools.failures import Interrupted
from gramdex.tools.output import (
    amount,
    counted,
    duration,
    facts,
    note,
    print_json,
    show,
    size,
    stdout,
    warn,
)
from gramdex.tools.progress import BuildProgress, ShardProgress

if TYPE_CHECKING:
    from gramdex.indexer.memory import MemoryPlan
    from gramdex.indexer.options import BuildOptions
    from gramdex.indexer.plan import BuildPlan
    from gramdex.indexer.report import BuildReport


SamplingRate = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="Of an FM-index: one position in N is stored. Smaller is larger, and faster to find "
        "positions and text.",
    ),
]


def build(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Files, folders and globs, local or at any URL fsspec knows: .jsonl, .parquet, "
            ".txt and the like, .npy or raw ids; .gz and .zst where the format allows it.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where the index goes."),
    ],
    tokenizer: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="bytes, a tokenizer.json or its folder, a .tiktoken file, tiktoken:NAME:PATH, a "
            "SentencePiece .model; none for ids without one.",
        ),
    ] = "bytes",
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="sa, a suffix array, or fm, an FM-index.")
    ] = "sa",
    shard_tokens: Annotated[
        str, typer.Option(metavar="N", help="Most tokens of a shard, such as 50M or 1e8.")
    ] = "100M",
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Shards sorted at once; without it, all cores if needed."
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Most memory to take, such as 4GB or 4GiB; without it, half."
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option("--format", metavar="NAME", help="auto, jsonl, parquet, text, npy or raw."),
    ] = "auto",
    text_field: Annotated[
        str, typer.Option(metavar="NAME", help="Field or column that holds the text.")
    ] = "text",
    metadata_field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Keep this field with each document; again for more. Else: all."
        ),
    ] = None,
    no_metadata: Annotated[
        bool, typer.Option("--no-metadata", metavar="", help="Keep no fields.")
    ] = False,
    include: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB", help="Take only such files of a folder; again for more patterns."
        ),
    ] = None,
    text_unit: Annotated[
        str, typer.Option(metavar="UNIT", help="Document in text files: file or line.")
    ] = "file",
    dtype: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Of raw ids, such as uint16 or >u4.")
    ] = None,
    separator_id: Annotated[
        int | None, typer.Option(metavar="ID", help="Ends each document in npy and raw files.")
    ] = None,
    on_error: Annotated[
        str, typer.Option(metavar="DO", help="With bad records and files: raise or skip.")
    ] = "raise",
    on_empty: Annotated[
        str | None,
        typer.Option(
            metavar="DO",
            help="With documents without tokens: raise, skip or keep; without it, as --on-error.",
        ),
    ] = None,
    vocabulary_size: Annotated[
        int | None,
        typer.Option(metavar="N", help="Ids are below N; where --tokenizer is none."),
    ] = None,
    sorter: Annotated[
        str, typer.Option(metavar="NAME", help="Of suffixes: induced or divsufsort; same index.")
    ] = "induced",
    sampling_rate: SamplingRate = SAMPLING_RATE,
    as_json: AsJson = False,
) -> None:
    """Build an index.

    A build that was stopped goes on where it was when the same command is given again:
    finished shards are kept.
    """
    from gramdex.indexer.options import BuildOptions
    from gramdex.indexer.readers import ReadOptions

    if no_metadata and metadata_field:
        raise UsageError("--no-metadata", "beside --metadata-field", "one of them")
    fields = () if no_metadata else tuple(metadata_field) if metadata_field else None
    read = ReadOptions(
        format_, text_field, fields, tuple(include or ()), text_unit, dtype, separator_id
    )
    options = BuildOptions(
        inputs,
        output,
        None if tokenizer == "none" else tokenizer,
        engine,
        parse_amount("--shard-tokens", shard_tokens),
        workers or usable_cores(),
        None if memory is None else parse_size("--memory", memory),
        read,
        on_error,
        on_empty,
        vocabulary_size,
        sorter,
        sampling_rate,
    )
    report = build_with_progress(options, choose_workers=workers is None)
    _tell(report, as_json)


def convert(
    index: IndexFolder,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where the new index goes."),
    ],
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="sa, a suffix array, or fm, an FM-index.")
    ],
    sampling_rate: SamplingRate = SAMPLING_RATE,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Shards converted at once; without it, all cores."),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Most memory to take; without it, half."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an index of the other engine that answers the same, without the corpus."""
    from gramdex.fmindex.format.manifest import read_index_manifest
    from gramdex.indexer.conversion import convert as convert_index

    folder = require_folder("convert", index)
    shards = len(read_index_manifest(folder).shards)
    with ShardProgress("converting", shards) as progress:
        report = convert_index(
            folder,
            output,
            engine,
            sampling_rate=sampling_rate,
            workers=min(workers or usable_cores(), max(shards, 1)),
            memory=None if memory is None else parse_size("--memory", memory),
            progress=progress,
        )
    if as_json:
        print_json(asdict(report) | {"path": str(report.path)})
        return
    rows = [
        ("index", str(report.path)),
        ("engine", f"{report.engine}, {counted(report.shards, 'shard')}"),
        ("size", size(report.size)),
        ("time", duration(report.seconds)),
    ]
    stdout().print(facts(rows))


def build_with_progress(options: BuildOptions, choose_workers: bool = False) -> BuildReport:
    """Build; the plan, then the progress, go to stderr.

    Args:
        options: what to build.
        choose_workers: take fewer workers where the input cannot fill as many shards.

    Raises:
        Interrupted: Ctrl-C; says how to go on.
    """
    from gramdex.indexer.build import run_plan
    from gramdex.indexer.memory import plan_memory
    from gramdex.indexer.plan import make_plan

    plan = make_plan(options)
    if choose_workers:
        plan = replace(plan, options=replace(options, workers=_useful_workers(plan)))
    memory = plan_memory(plan.options, plan.vocabulary.ranks)
    show(facts(_plan_rows(plan, memory)))
    try:
        with BuildProgress() as progress:
            return run_plan(plan, memory, progress)
    except KeyboardInterrupt:
        kept = len(list(options.output.glob("shard-?????")))
        said = f"{counted(kept, 'finished shard')} kept" if kept else "no shard was finished yet"
        remedy = f"give the same command again to go on; {said}"
        raise Interrupted(str(options.output), remedy) from None


def _uncompressed(plan: BuildPlan) -> bool:
    return all(f.compression is None and f.format in ("text", "jsonl") for f in plan.files)


def _most_tokens(plan: BuildPlan) -> int | None:
    """Tokens, separators included, there can be at most; None where sizes do not tell."""
    if not _uncompressed(plan) or plan.options.read.text_unit == "line":
        return None
    return sum(file.size or 0 for file in plan.files) + len(plan.files)


def _useful_workers(plan: BuildPlan) -> int:
    most = _most_tokens(plan)
    if most is None:
        return plan.options.workers
    return max(1, min(plan.options.workers, -(-most // plan.options.shard_tokens)))


def _plan_rows(plan: BuildPlan, memory: MemoryPlan) -> list[tuple[str, Any]]:
    options, kinds = plan.options, Counter(_kind(file) for file in plan.files)
    width, most = plan.vocabulary.width, _most_tokens(plan)
    weight = f"{width} + 4 bytes per token, tables and the metadata"
    if options.engine == "fm":
        weight = "a fraction of the text, and the tokens of a shard until it is coded"
    elif most is not None and plan.tokenizer.kind == "bytes":
        weight = f"about {size((width + 4) * most)}, tables and the metadata"
    ids = f"{plan.vocabulary.size:,} ids, {counted(width, 'byte')} per token"
    total = sum(file.size or 0 for file in plan.files)
    formats = ", ".join(f"{name} {number:,}" for name, number in kinds.items())
    return [
        ("input", f"{counted(len(plan.files), 'file')}, {size(total)} ({formats})"),
        ("output", str(options.output)),
        ("tokenizer", f"{plan.tokenizer.kind}, {ids}"),
        ("shards", f"of up to {options.shard_tokens:,} tokens, {memory.workers} sorted at once"),
        ("memory", f"at most {size(memory.total)}"),
        ("disk", f"{weight}; nothing beside the index"),
    ]


def _kind(file: Any) -> str:
    return file.format + (f"+{file.compression}" if file.compression else "")


def report_rows(report: BuildReport) -> list[tuple[str, Any]]:
    """A finished build, for people."""
    tokens, seconds = max(report.token_count, 1), max(report.seconds, 1e-9)
    kept = f", {report.kept_shards:,} kept from an earlier run" if report.kept_shards else ""
    rate = "" if report.kept_shards else f", {amount(report.token_count / seconds)} tokens/s"
    return [
        ("index", str(report.path)),
        ("documents", f"{report.document_count:,}"),
        ("tokens", f"{report.token_count:,}"),
        ("shards", f"{report.shards:,}{kept}"),
        ("size", f"{size(report.size)}, {report.size / tokens:.2f} bytes per token"),
        ("time", f"{duration(report.seconds)}{rate}"),
    ]


def _tell(report: BuildReport, as_json: bool) -> None:
    for message in report.warnings():
        warn(message)
    if as_json:
        print_json(asdict(report) | {"path": str(report.path), "warnings": report.warnings()})
        return
    stdout().print(facts(report_rows(report)))
    path = shlex.quote(str(report.path))
    note(f"next: gramdex info {path}", "dim")
