"""What the commands of ``gramdex bench`` share: options, the corpus and peers they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gramdex.errors import UsageError
from gramdex.indexer.readers import ReadOptions
from gramdex.tools.arguments import parse_amount
from gramdex.tools.bench.corpus import Corpus, Source, load_corpus
from gramdex.tools.bench.peers.interface import Engine
from gramdex.tools.bench.peers.registry import PEERS, choose_peers
from gramdex.tools.bench.report import print_report
from gramdex.tools.output import note, print_json

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
HeldOut = Annotated[
    Path | None,
    typer.Option("--held-out", metavar="FILE", help="Text or ids that are not in the corpus."),
]
NoPeer = Annotated[bool, typer.Option("--no-peer", help="Measure gramdex alone.")]
PeerNames = Annotated[
    str | None,
    typer.Option("--peers", metavar="NAMES", help="Such as infini-gram,sdsl; else all installed."),
]
Runs = Annotated[int, typer.Option("--runs", min=1, help="Of each engine, taking turns.")]
Queries = Annotated[
    int, typer.Option("--queries", min=20, metavar="N", help="Of the fastest kind.")
]
RowSeconds = Annotated[
    float, typer.Option("--row-seconds", min=0.1, help="At most, per row, for a peer.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the patterns drawn.")]


def read_corpus(
    inputs: list[str] | None,
    tokens: Path | None,
    dtype: str | None,
    separator_id: int | None,
    tokenizer: str | None,
    limit_tokens: str,
) -> Corpus:
    """The corpus that options name.

    Raises:
        UsageError, InputError: they name none.
    """
    limit = parse_amount("--limit-tokens", limit_tokens)
    if limit < 1:
        raise UsageError("--limit-tokens", limit_tokens, "at least 1")
    if tokens is not None and inputs:
        raise UsageError("--tokens", f"inputs besides: {inputs[0]}", "one of the two")
    read = ReadOptions("auto" if tokens is None else "raw", dtype=dtype, separator_id=separator_id)
    given = [tokens] if tokens is not None else (inputs or [])
    note("reading the corpus")
    return load_corpus(Source(given, tokenizer, read), limit)


def read_held_out(
    given: Path | None,
    dtype: str | None,
    separator_id: int | None,
    tokenizer: str | None,
    corpus: Corpus,
) -> Corpus | None:
    """The held-out text, where one is named: no more of it than there is of the corpus."""
    if given is None:
        return None
    note("reading the held-out text")
    read = ReadOptions(dtype=dtype, separator_id=separator_id)
    return load_corpus(Source([given], tokenizer, read), corpus.ids.size)


def read_peers(no_peer: bool, names: str | None) -> list[Engine]:
    """The peers that options name; says which are not installed.

    Raises:
        UsageError: one that is named cannot take part here.
    """
    if no_peer and names is not None:
        raise UsageError("--no-peer", f"--peers {names} besides", "one of the two")
    for peer in PEERS if names is None and not no_peer else ():
        if missing := peer.missing():
            note(f"{peer.name} takes no part: {missing}")
    return [] if no_peer else choose_peers(names)


def finish(result: dict[str, Any], as_json: bool) -> None:
    """Print a result."""
    printer: Callable[[dict[str, Any]], None] = print_json if as_json else print_report
    printer(result)
