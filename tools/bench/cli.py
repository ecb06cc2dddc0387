"""``gramdex bench``: speed, size and memory, side by side with peers.

Commands have a parameter per option, more than a function should have: typer reads the options
of a command from its signature.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gramdex.errors import UsageError
from gramdex.fmindex.format.layout import ENGINES
from gramdex.indexer.readers import ReadOptions
from gramdex.tools.arguments import AsJson, parse_amount, parse_size
from gramdex.tools.bench.options import (
    Dtype,
    HeldOut,
    Inputs,
    LimitTokens,
    NoPeer,
    PeerNames,
    Queries,
    RowSeconds,
    Runs,
    Seed,
    SeparatorId,
    TokenizerOption,
    Tokens,
    finish,
    read_corpus,
    read_held_out,
    read_peers,
)
from gramdex.tools.bench.serving_cli import serving
from gramdex.tools.output import facts, note, print_json, stdout

app = typer.Typer(
    help="Measure speed, size and memory, side by side with the peers that are installed.",
    no_args_is_help=True,
    add_completion=False,
)

Widen = Annotated[
    bool, typer.Option("--widen", metavar="", help="In a 32-bit vocabulary four times as large.")
]


@app.command("all")
def everything(
    *,
    inputs: Inputs = None,
    tokens: Tokens = None,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    tokenizer: TokenizerOption = None,
    limit_tokens: LimitTokens = "50M",
    held_out: HeldOut = None,
    runs: Runs = 3,
    no_peer: NoPeer = False,
    peers: PeerNames = None,
    parts: Annotated[
        str | None,
        typer.Option("--parts", metavar="NAMES", help="Such as sort,build; else all of them."),
    ] = None,
    queries: Queries = 10_000,
    row_seconds: RowSeconds = 20.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure everything in one run: a table of ratios, then the details of each part."""
    from gramdex.tools.bench.full import PARTS, FullSettings, run_all
    from gramdex.tools.bench.queries import QuerySettings
    from gramdex.tools.bench.summary import failures

    chosen = PARTS if parts is None else tuple(part.strip() for part in parts.split(","))
    if unknown := [repr(part) for part in chosen if part not in PARTS]:
        raise UsageError("--parts", ", ".join(unknown), f"some of {', '.join(PARTS)}")
    engines = read_peers(no_peer, peers)
    corpus = read_corpus(inputs, tokens, dtype, separator_id, tokenizer, limit_tokens)
    other = read_held_out(held_out, dtype, separator_id, tokenizer, corpus)
    asked = QuerySettings(queries, runs, row_seconds, seed)
    result = run_all(corpus, other, engines, FullSettings(chosen, runs, asked), note)
    finish(result, as_json)
    if failed := failures(result["parts"]):
        note(f"failed: {', '.join(failed)}")
        raise typer.Exit(1)


@app.command()
def sort(
    *,
    inputs: Inputs = None,
    tokens: Tokens = None,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    tokenizer: TokenizerOption = None,
    limit_tokens: LimitTokens = "50M",
    runs: Runs = 3,
    widen: Widen = False,
    no_peer: NoPeer = False,
    peers: PeerNames = None,
    as_json: AsJson = False,
) -> None:
    """Time suffix sorting alone, on one core: wall, CPU, memory."""
    from gramdex.tools.bench.sorts import run_sorts

    engines = read_peers(no_peer, peers)
    corpus = read_corpus(inputs, tokens, dtype, separator_id, tokenizer, limit_tokens)
    finish(run_sorts(corpus.widened() if widen else corpus, engines, runs, note), as_json)


@app.command()
def build(
    *,
    inputs: Inputs = None,
    tokens: Tokens = None,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    tokenizer: TokenizerOption = None,
    limit_tokens: LimitTokens = "50M",
    runs: Runs = 3,
    widen: Widen = False,
    max_document: Annotated[
        str | None,
        typer.Option("--max-document", metavar="N", help="Leave out documents of more tokens."),
    ] = None,
    no_peer: NoPeer = False,
    peers: PeerNames = None,
    as_json: AsJson = False,
) -> None:
    """Time builds on one core from the same tokens: wall, CPU, memory, size."""
    from gramdex.tools.bench.builds import run_builds, temporary_builds

    engines = read_peers(no_peer, peers)
    corpus = read_corpus(inputs, tokens, dtype, separator_id, tokenizer, limit_tokens)
    if max_document is not None:
        corpus = corpus.without_long(parse_amount("--max-document", max_document))
    with temporary_builds(corpus.widened() if widen else corpus, engines) as builds:
        result = run_builds(builds, runs, note)
    finish(result, as_json)


@app.command()
def queries(
    *,
    inputs: Inputs = None,
    tokens: Tokens = None,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    tokenizer: TokenizerOption = None,
    limit_tokens: LimitTokens = "50M",
    held_out: HeldOut = None,
    index: Annotated[
        Path | None, typer.Option("--index", metavar="INDEX", help="Of these tokens; built if not.")
    ] = None,
    no_peer: NoPeer = False,
    peers: PeerNames = None,
    count: Queries = 10_000,
    row_seconds: RowSeconds = 20.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Time queries on one core: p50, p90, p99, and the peers' on the same queries."""
    from gramdex.tools.bench.builds import temporary_builds
    from gramdex.tools.bench.peers.registry import GRAMDEX
    from gramdex.tools.bench.queries import QuerySettings, run_queries

    engines = read_peers(no_peer, peers)
    corpus = read_corpus(inputs, tokens, dtype, separator_id, tokenizer, limit_tokens)
    other = read_held_out(held_out, dtype, separator_id, tokenizer, corpus)
    settings = QuerySettings(queries=count, seconds=row_seconds, seed=seed)
    with temporary_builds(corpus, engines) as builds:
        if index is not None:
            builds.adopt(GRAMDEX, index)
        result = run_queries(builds, other, settings, note)
    finish(result, as_json)


@app.command()
def threads(
    *,
    inputs: Inputs = None,
    tokens: Tokens = None,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    tokenizer: TokenizerOption = None,
    limit_tokens: LimitTokens = "50M",
    runs: Runs = 3,
    as_json: AsJson = False,
) -> None:
    """Time the same work on one core and on all: builds, and batches where they have threads."""
    from gramdex.tools.bench.builds import temporary_builds
    from gramdex.tools.bench.threads import run_threads

    corpus = read_corpus(inputs, tokens, dtype, separator_id, tokenizer, limit_tokens)
    with temporary_builds(corpus, []) as builds:
        result = run_threads(builds, runs, note)
    finish(result, as_json)


@app.command()
def sizes(
    *,
    inputs: Inputs = None,
    tokens: Tokens = None,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    tokenizer: TokenizerOption = None,
    at: Annotated[
        str, typer.Option("--sizes", metavar="N,…", help="Tokens, as far as the corpus goes.")
    ] = "1M,2M,5M,10M,20M,50M,100M,130M",
    peer_limit: Annotated[
        str, typer.Option("--peer-limit", metavar="N", help="Peers are measured up to N tokens.")
    ] = "50M",
    runs: Runs = 1,
    no_peer: NoPeer = False,
    peers: PeerNames = None,
    count: Queries = 2000,
    row_seconds: RowSeconds = 20.0,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="FOLDER", help="Draw PNG and SVG there.")
    ] = None,
    given: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="What --json printed before; only draw it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure cost against corpus size: build, memory, latency; and draw it."""
    from gramdex.tools.bench import plots as drawing
    from gramdex.tools.bench.sizes import SizesSettings, read_sizes, run_sizes

    limits = [_parse_size_of_prefix(each) for each in at.split(",")]
    limit = parse_amount("--peer-limit", peer_limit)
    measured = None if given is None else read_sizes(given)
    if plots is not None:
        drawing.require(plots)
    if measured is None:
        engines = read_peers(no_peer, peers)
        corpus = read_corpus(inputs, tokens, dtype, separator_id, tokenizer, str(max(limits)))
        settings = SizesSettings(limits, limit, runs, count, row_seconds)
        measured = run_sizes(corpus, engines, settings, note)
    if plots is not None:
        for path in drawing.draw(measured, plots):
            note(f"wrote {path}")
    finish(measured, as_json)


@app.command()
def compressed(
    *,
    inputs: Inputs = None,
    tokens: Tokens = None,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    tokenizer: TokenizerOption = None,
    limit_tokens: LimitTokens = "50M",
    held_out: HeldOut = None,
    engine: Annotated[
        str, typer.Option("--engine", metavar="NAME", help="Of the index: gramdex build's.")
    ] = ENGINES[-1],
    work: Annotated[
        Path | None,
        typer.Option("--work", metavar="FOLDER", help="Keep the peer's index there for next time."),
    ] = None,
    no_peer: NoPeer = False,
    count: Queries = 10_000,
    row_seconds: RowSeconds = 20.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure an index beside SDSL's of the text's bytes: size, answers, build, pages."""
    from gramdex.tools.bench.compressed import CompressedSettings, run_compressed
    from gramdex.tools.bench.queries import QuerySettings

    if engine not in ENGINES:
        raise UsageError("--engine", repr(engine), " or ".join(ENGINES))
    corpus = read_corpus(inputs, tokens, dtype, separator_id, tokenizer, limit_tokens)
    other = read_held_out(held_out, dtype, separator_id, tokenizer, corpus)
    asked = QuerySettings(queries=count, seconds=row_seconds, seed=seed)
    settings = CompressedSettings(engine, asked, work, not no_peer)
    finish(run_compressed(corpus, other, settings, note), as_json)


@app.command()
def draft(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="To draft from.")],
    held_out: Annotated[
        Path, typer.Option("--held-out", metavar="FILE", help="Text or ids to draft for.")
    ],
    *,
    dtype: Dtype = None,
    separator_id: SeparatorId = None,
    nodes: Annotated[
        str, typer.Option("--nodes", metavar="N,…", help="Tokens of a tree, at most.")
    ] = "4,8,16,32,64",
    count: Annotated[
        int, typer.Option("--count", min=1, metavar="N", help="Tokens of the text, about.")
    ] = 20_000,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Of timing each draft.")] = 3,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Draft along held-out text from an index: latency, and accepted tokens per step."""
    from gramdex.tools.bench.drafts import DraftSettings, read_nodes, run_drafts

    settings = DraftSettings(read_nodes(nodes), count, rounds, seed)
    read = ReadOptions(dtype=dtype, separator_id=separator_id)
    finish(run_drafts(index, held_out, read, settings, note), as_json)


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

    # Fresh processes are timed: nothing else is done meanwhile, not even telling.
    finish(run_startup(index, processes), as_json)


app.command("serving")(serving)


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


def _parse_size_of_prefix(text: str) -> int:
    tokens = parse_amount("--sizes", text)
    if tokens < 1:
        raise UsageError("--sizes", repr(text), "at least 1")
    return tokens
