"""``gramdex prob``, ``ntd`` and ``infgram``: what comes after a context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import RenderableType
from rich.text import Text

from gramdex.errors import UsageError
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.tools import distributions as views
from gramdex.tools.arguments import (
    Also,
    AsIds,
    AsJson,
    Copies,
    IndexPath,
    Limit,
    Takedown,
    Threads,
    open_set,
)
from gramdex.tools.output import counted, one_line, percent, print_json, stdout
from gramdex.tools.queries_input import parse_ids, parse_token
from gramdex.tools.tokens import TokenNames, quoted

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.fmindex.results import Distribution, InfgramDistribution, Probability

Context = Annotated[
    str,
    typer.Argument(
        metavar="CONTEXT",
        help="Text, encoded with the tokenizer of the index; or ids.",
        show_default=False,
    ),
]


def prob(
    index: IndexPath,
    context: Context,
    token: Annotated[
        str,
        typer.Argument(metavar="TOKEN", help="Text of one token; or its id.", show_default=False),
    ],
    ids: AsIds = False,
    also: Also = None,
    takedown: Takedown = None,
    copies: Copies = "all",
    as_json: AsJson = False,
) -> None:
    """Probability of a token after a context."""
    opened = open_set(index, also, takedown, copies)
    before = context_ids(opened, context, ids)
    result = opened.prob(before, parse_token(token, ids))
    if as_json:
        print_json(_asked(before, context, ids, token) | views.probability_record(result))
    else:
        stdout().print(_probability_line(result, quoted(opened.tokenizer, before)))


def ntd(
    index: IndexPath,
    context: Context,
    limit: Limit = 10,
    ids: AsIds = False,
    also: Also = None,
    takedown: Takedown = None,
    copies: Copies = "all",
    as_json: AsJson = False,
) -> None:
    """Exact distribution of the token after a context."""
    opened = open_set(index, also, takedown, copies)
    before = context_ids(opened, context, ids)
    result = opened.ntd(before, limit or None)
    names = TokenNames(opened.tokenizer)
    if as_json:
        print_json(_asked(before, context, ids) | views.distribution_record(result, names))
        return
    said = quoted(opened.tokenizer, before) if before.size else "nothing"
    times = counted(result.context_count, "time")
    _print_distribution(opened, f"after {said}, {counted(before.size, 'token')}: {times}", result)


def infgram(
    index: IndexPath,
    context: Context,
    token: Annotated[
        str | None,
        typer.Argument(
            metavar="TOKEN", help="Only the probability of this token.", show_default=False
        ),
    ] = None,
    limit: Limit = 10,
    scores: Annotated[
        bool,
        typer.Option(
            "--scores", metavar="", help="CONTEXT is a text: score each token of it after the rest."
        ),
    ] = False,
    ids: AsIds = False,
    threads: Threads = None,
    also: Also = None,
    takedown: Takedown = None,
    copies: Copies = "all",
    as_json: AsJson = False,
) -> None:
    """What follows the longest suffix that occurs: ∞-gram."""
    if scores and token is not None:
        raise UsageError("--scores", "a TOKEN beside it", "a text alone")
    opened = open_set(index, also, takedown, copies, threads or usable_cores())
    before = context_ids(opened, context, ids)
    asked = _asked(before, context, ids, token)
    if scores:
        _scores(opened, before, asked, as_json)
    elif token is not None:
        _infgram_prob(opened, before, asked, parse_token(token, ids), as_json)
    else:
        _infgram_ntd(opened, before, asked, limit or None, as_json)


def context_ids(index: Index, text: str, as_ids: bool) -> np.ndarray:
    """Ids of an argument that is a context."""
    return np.array(parse_ids(text), np.int64) if as_ids else index.encode(text)


def _asked(
    before: np.ndarray, context: str, as_ids: bool, token: str | None = None
) -> dict[str, Any]:
    """The question, for JSON; a text is given with the ids it was encoded to."""
    question: dict[str, Any] = {} if as_ids else {"context": context}
    question |= {"context_ids": before.tolist(), "encoded": not as_ids}
    if token is not None:
        question["token"] = parse_token(token, as_ids)
    return question


def _probability_line(result: Probability, context: str) -> Text:
    if result.prob is None:
        return Text.assemble(("no value", "bold"), f"  {one_line(context)} does not occur")
    return Text.assemble(
        (f"{result.prob:.6g}", "bold"),
        f"  {result.count:,} of the {result.context_count:,} times ",
        f"({percent(result.prob)}) after {one_line(context)}",
    )


def _print_distribution(index: Index, head: str, result: Distribution) -> None:
    console = stdout()
    console.print(Text(one_line(head), "bold"))
    if result.context_count:
        names = TokenNames(index.tokenizer)
        console.print(views.distribution_view(result, names, console, ", --limit 0 shows all"))


def _infgram_prob(
    index: Index, before: np.ndarray, asked: dict[str, Any], token: int | str, as_json: bool
) -> None:
    result = index.infgram_prob(before, token)
    if as_json:
        print_json(asked | views.probability_record(result) | views.infgram_record(result))
        return
    suffix = quoted(index.tokenizer, before[before.size - result.suffix_length :])
    console = stdout()
    console.print(_probability_line(result, suffix if result.suffix_length else "nothing"))
    said = views.suffix_text(index.tokenizer, before, result)
    console.print(Text(one_line(said), "dim"))


def _infgram_ntd(
    index: Index, before: np.ndarray, asked: dict[str, Any], limit: int | None, as_json: bool
) -> None:
    result: InfgramDistribution = index.infgram_ntd(before, limit)
    if as_json:
        names = TokenNames(index.tokenizer)
        record = views.distribution_record(result, names) | views.infgram_record(result)
        print_json(asked | record)
        return
    _print_distribution(index, views.suffix_text(index.tokenizer, before, result), result)


def _scores(index: Index, text: np.ndarray, asked: dict[str, Any], as_json: bool) -> None:
    result = index.infgram_scores(text)
    if as_json:
        question = {"text": asked["context"]} if "context" in asked else {}
        print_json(question | {"encoded": asked["encoded"]} | views.scores_record(text, result))
        return
    view: RenderableType = views.scores_view(text, result, TokenNames(index.tokenizer))
    stdout().print(view)
