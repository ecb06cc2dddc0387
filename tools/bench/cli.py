"""``gramdex bench``: speed, size and memory, side by side with infini-gram.

Commands have a parameter per option, more than a function should have: typer reads the options
of a command from its signature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gramdex.errors import UsageError
from gramdex.indexer.readers import ReadOptions
from gramdex.tools.arguments import AsJson, parse_amount, parse_size
from gramdex.tools.bench import infini_gram
from gramdex.tools.bench.corpus import Corpus, Source, load_corpus
from gramdex.tools.bench.report import print_report
from gramdex.tools.output import facts, note, print_json, stdout

app = typer.Typer(
    help="Measure speed, size and memory, side by side with infini-gram where it is installed.",
    no_args_is_help=True,
    add_completion=False,
)

Inputs = Annotated[
    list[str] | None, typer.Argument(metavar="[INPUT]...", help="What gramdex build takes.")
]
Tokens = Annotated[
    Path | None, typer.Option("--tokens", metavar="FILE", help="Raw token ids, in place of INPUT.")
]
Dtype = Annotated[
    str | None, typer.Option("--dtype", metavar="TYPE", help="Of raw ids, such as uint16.")
]
SeparatorId = Annotated[
    int | None, typer.Option("--separator-id", metavar="ID", help="Ends each document of ids.")
]
TokenizerOption = Annotated[
    str | None,
    typer.Option("--tokenizer", metavar="NAME", help="Encodes text; names that of ids."),
]
LimitTokens = Annotated[
    str, typer.Option("--limit-tokens", metavar="N", help="Take the first N tokens, such as 50M.")
]
UsePeer = Annotated[bool, typer.Option("--peer/--no-peer", help="Measure infini-gram as well.")]


@app.command()
def queries(
    *,
    inputs: Inputs = None,
    tokens: Tokens = None,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    tokenizer: TokenizerOption = None,
    limit_tokens: LimitTokens = "50M",
    held_out: Annotated[
        Path | None,
        typer.Option("--held-out", metavar="FILE", help="Text or ids that are not in the corpus."),
    ] = None,
    index: Annotated[
        Path | None, typer.Option("--index", metavar="INDEX", help="Of these tokens; built if not.")
    ] = None,
    peer: UsePeer = True,
    count: Annotated[
        int, typer.Option("--queries", metavar="N", min=20, help="Of the fastest kind.")
    ] = 10_000,
    row_seconds: Annotated[
        float, typer.Option("--row-seconds", min=0.1, help="At most, per row, for infini-gram.")
    ] = 20.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the patterns drawn.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Time queries on one core: p50, p90, p99, and the peer's on the same queries."""
    from gramdex.tools.bench.queries import QuerySettings, run_queries

    corpus = _corpus(inputs, tokens, dtype, separator_id, tokenizer, limit_tokens)
    other = None
    if held_out is not None:
        read = ReadOptions(dtype=dtype, separator_id=separator_id)
        note("reading the held-out text")
        other = load_corpus(Source([held_out], tokenizer, read), corpus.ids.size)
    settings = QuerySettings(queries=count, seconds=row_seconds, seed=seed)
    _finish(run_queries(corpus, other, settings, _has_peer(peer), index, note), as_json)


@app.command()
def build(
    *,
    inputs: Inputs = None,
    tokens: Tokens = None,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    tokenizer: TokenizerOption = None,
    limit_tokens: LimitTokens = "50M",
    runs: Annotated[int, typer.Option("--runs", min=1, help="Builds by each engine.")] = 3,
    widen: Annotated[
        bool,
        typer.Option("--widen", metavar="", help="Map ids into a 32-bit vocabulary of 2^21."),
    ] = False,
    max_document: Annotated[
        str | None,
        typer.Option("--max-document", metavar="N", help="Leave out documents of more tokens."),
    ] = None,
    peer: UsePeer = True,
    as_json: AsJson = False,
) -> None:
    """Time builds on one core from the same tokens: wall, CPU, memory, size."""
    from gramdex.tools.bench.builds import run_builds

    corpus = _corpus(inputs, tokens, dtype, separator_id, tokenizer, limit_tokens)
    if max_document is not None:
        corpus = corpus.without_long(parse_amount("--max-document", max_document))
    _finish(run_builds(corpus.widened() if widen else corpus, runs, _has_peer(peer), note), as_json)


@app.command()
def startup(
    index: Annotated[
        Path | None, typer.Option("--index", metavar="INDEX", help="To ask; else a small one.")
    ] = None,
    processes: Annotated[int, typer.Option("--processes", min=1, help="Of each kind.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Time fresh processes: importing gramdex, and a first count."""
    from gramdex.tools.bench.startup import run_startup

    _finish(run_startup(index, processes, _quiet), as_json)


@app.command()
def prepare(
    sources: Annotated[Path, typer.Argument(metavar="SOURCES", help="Folder of source files.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write the data.")],
    suffix: Annotated[
        list[str] | None, typer.Option("--suffix", help="Of files to take; again for more.")
    ] = None,
    size: Annotated[str, typer.Option("--size", help="Bytes of text.")] = "400MB",
    held_out_size: Annotated[str, typer.Option("--held-out-size", help="Characters.")] = "8MB",
    vocabulary: Annotated[int, typer.Option("--vocabulary", min=300, help="Tokens.")] = 32_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the order of files.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make data from a folder of sources: text, a trained byte-level BPE, raw token ids."""
    from gramdex.tools.bench import prepare as preparing

    settings = preparing.PrepareSettings(
        tuple(suffix or (".c", ".h")),
        parse_size("--size", size),
        parse_size("--held-out-size", held_out_size),
        vocabulary,
        seed,
    )
    written = asdict(preparing.prepare(sources, folder, settings, note))
    if as_json:
        print_json(written)
    else:
        stdout().print(
            facts(
                [
                    (name, f"{value:,}" if isinstance(value, int) else value)
                    for name, value in written.items()
                ]
            )
        )


def _corpus(
    inputs: list[str] | None,
    tokens: Path | None,
    dtype: str | None,
    separator_id: int | None,
    tokenizer: str | None,
    limit_tokens: str,
) -> Corpus:
    limit = parse_amount("--limit-tokens", limit_tokens)
    if limit < 1:
        raise UsageError("--limit-tokens", limit_tokens, "at least 1")
    if tokens is not None and inputs:
        raise UsageError("--tokens", f"inputs besides: {inputs[0]}", "one of the two")
    read = ReadOptions("auto" if tokens is None else "raw", dtype=dtype, separator_id=separator_id)
    given = [tokens] if tokens is not None else (inputs or [])
    note("reading the corpus")
    return load_corpus(Source(given, tokenizer, read), limit)


def _has_peer(wanted: bool) -> bool:
    if wanted and not infini_gram.available():
        note("infini-gram is not installed: gramdex is measured alone (pip install infini-gram)")
        return False
    return wanted


def _quiet(message: str) -> None:
    """Fresh processes are timed: nothing else is done meanwhile."""


def _finish(result: dict[str, Any], as_json: bool) -> None:
    printer: Callable[[dict[str, Any]], None] = print_json if as_json else print_report
    printer(result)
