"""Probabilities and distributions, as JSON and for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.text import Text

from gramdex.tools.output import amount, bar, columns, counted, percent
from gramdex.tools.tokens import TokenNames, quoted

if TYPE_CHECKING:
    from gramdex.fmindex.results import (
        Distribution,
        InfgramDistribution,
        InfgramProbability,
        InfgramScores,
        Probability,
    )
    from gramdex.fmindex.tokenizers import Tokenizer

_LONGEST_BAR = 40
_SHORTEST_BAR = 4


def infgram_record(result: InfgramProbability | InfgramDistribution) -> dict[str, Any]:
    """What an ∞-gram result has more than a plain one."""
    return {"suffix_length": result.suffix_length, "sparse": result.sparse}


def probability_record(result: Probability) -> dict[str, Any]:
    """Probability for JSON; ``prob`` is null where the context does not occur."""
    return {"prob": result.prob, "context_count": result.context_count, "count": result.count}


def distribution_record(result: Distribution, names: TokenNames) -> dict[str, Any]:
    """Distribution for JSON; ``text`` is null for a token that is no whole characters."""
    tokens = zip(result.tokens.tolist(), result.counts.tolist(), result.probs.tolist(), strict=True)
    return {
        "context_count": result.context_count,
        "end_count": result.end_count,
        "complete": result.complete,
        "tokens": [
            {"token": token, "text": names.text(token), "count": count, "prob": prob}
            for token, count, prob in tokens
        ],
    }


def distribution_view(
    result: Distribution, names: TokenNames, console: Console, more: str = ""
) -> RenderableType:
    """Table of tokens with bars.

    Args:
        result: at least one occurrence.
        names: of the tokens.
        console: what it is printed on.
        more: how to see the tokens that were cut off.
    """
    labels = [names.label(token) for token in result.tokens.tolist()]
    narrow = console.width < 56
    room = _bar_width(console, labels, narrow)
    heads = ["token", "id", "count", "share", ""]
    table = columns(heads[:-1] if room < _SHORTEST_BAR else heads, right=(1, 2, 3))
    largest = max(result.probs.tolist(), default=1.0)
    for label, token, count, prob in zip(
        labels, result.tokens.tolist(), result.counts.tolist(), result.probs.tolist(), strict=True
    ):
        number = amount(count) if narrow else f"{count:,}"
        row: list[RenderableType] = [Text(label), str(token), number, percent(prob)]
        if room >= _SHORTEST_BAR:
            row.append(Text(bar(prob / largest, room, console), "cyan"))
        table.add_row(*row)
    notes = _notes(result, more)
    return Group(table, Text("; ".join(notes), "dim")) if notes else table


def _bar_width(console: Console, labels: list[str], narrow: bool) -> int:
    label = min(max((len(label) for label in labels), default=5), 24)
    return min(console.width - max(label, 5) - (28 if narrow else 36), _LONGEST_BAR)


def _notes(result: Distribution, more: str) -> list[str]:
    notes = []
    total = max(result.context_count, 1)
    if result.end_count:
        notes.append(
            f"{result.end_count:,} at the end of a document ({percent(result.end_count / total)})"
        )
    if not result.complete:
        rest = result.context_count - result.end_count - int(result.counts.sum())
        notes.append(f"{rest:,} with other tokens ({percent(rest / total)}){more}")
    return notes


def suffix_text(
    tokenizer: Tokenizer, context: np.ndarray, result: InfgramProbability | InfgramDistribution
) -> str:
    """Sentence about the suffix an ∞-gram result is of."""
    length, times = result.suffix_length, counted(result.context_count, "time")
    if context.size == 0:
        return f"no context: all {counted(result.context_count, 'token')} of the corpus"
    if length == 0:
        return f"the last token never occurs: all {result.context_count:,} tokens of the corpus"
    suffix = quoted(tokenizer, context[context.size - length :])
    if length == context.size:
        return f"{suffix}, {counted(length, 'token')}, occurs {times}"
    return f"the last {length:,} of {counted(context.size, 'token')} occur {times}: {suffix}"


def scores_record(ids: np.ndarray, result: InfgramScores) -> dict[str, Any]:
    """Scores for JSON: one entry a token in each list, and what they come to."""
    return {
        "ids": ids.tolist(),
        "probs": [None if math.isnan(prob) else prob for prob in result.probs.tolist()],
        "suffix_lengths": result.suffix_lengths.tolist(),
        "context_counts": result.context_counts.tolist(),
        "counts": result.counts.tolist(),
        **scores_summary(result),
    }


def scores_summary(result: InfgramScores) -> dict[str, Any]:
    """Number of tokens, of those with probability 0, and the perplexity of the others."""
    seen = result.probs[result.probs > 0]
    return {
        "token_count": int(result.probs.size),
        "zero_count": int(result.probs.size - seen.size),
        "perplexity_of_seen": float(np.exp(-np.log(seen).mean())) if seen.size else None,
        "mean_suffix_length": float(result.suffix_lengths.mean()) if result.probs.size else 0.0,
    }


def scores_view(ids: np.ndarray, result: InfgramScores, names: TokenNames) -> RenderableType:
    """Table of every token of a text, and the summary."""
    table = columns(["token", "share", "suffix", "seen"], right=(1, 2, 3))
    for token, prob, length, total, count in zip(
        ids.tolist(),
        result.probs.tolist(),
        result.suffix_lengths.tolist(),
        result.context_counts.tolist(),
        result.counts.tolist(),
        strict=True,
    ):
        share = "none" if math.isnan(prob) else percent(prob)
        seen = f"{amount(count)}/{amount(total)}"
        table.add_row(Text(names.label(token) or str(token)), share, f"{length:,}", seen)
    summary = scores_summary(result)
    said = [counted(summary["token_count"], "token")]
    said.append(f"mean suffix {summary['mean_suffix_length']:.1f}")
    if summary["zero_count"]:
        said.append(f"{summary['zero_count']:,} with share 0")
    if summary["perplexity_of_seen"] is not None:
        which = " of the others" if summary["zero_count"] else ""
        said.append(f"perplexity{which} {summary['perplexity_of_seen']:.3g}")
    return Group(table, Text("; ".join(said), "dim"))
