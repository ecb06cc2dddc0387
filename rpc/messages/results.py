"""Counts, intervals, probabilities, and what is said of every token of a text."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import numpy as np

from gramdex.decoding import DraftTree
from gramdex.fmindex.results import (
    Distribution,
    InfgramDistribution,
    InfgramProbability,
    InfgramScores,
    Interval,
    MatchingStatistics,
    Probability,
    TextMatches,
)
from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import (
    read_float64,
    read_int64,
    read_tokens,
    write_float64,
    write_int64,
    write_tokens,
)

_COLUMNS = ("shards", "documents", "starts", "ends", "offsets")


def write_interval(interval: Interval) -> v1.Interval:
    """A rank interval."""
    return v1.Interval(shard=interval.shard, low=interval.low, high=interval.high)


def read_interval(interval: v1.Interval) -> Interval:
    """A rank interval, as it was sent."""
    return Interval(interval.shard, interval.low, interval.high)


def write_text_matches(matches: TextMatches, start: int, end: int) -> v1.TextMatches:
    """Some of the occurrences of a text."""
    columns = {name: write_int64(getattr(matches, name)[start:end]) for name in _COLUMNS}
    return v1.TextMatches(**columns)


def read_text_matches(parts: Iterable[v1.TextMatches]) -> TextMatches:
    """All occurrences of a text."""
    columns: dict[str, list[np.ndarray]] = {name: [np.empty(0, np.int64)] for name in _COLUMNS}
    for part, name in chain.from_iterable(((p, n) for n in _COLUMNS) for p in parts):
        columns[name].append(read_int64(name, getattr(part, name)))
    return TextMatches(**{name: np.concatenate(arrays) for name, arrays in columns.items()})


def write_probability(found: Probability) -> v1.ProbResponse:
    """P(token | context)."""
    return v1.ProbResponse(prob=found.prob, context_count=found.context_count, count=found.count)


def read_probability(message: v1.ProbResponse) -> Probability:
    """P(token | context)."""
    prob = message.prob if message.HasField("prob") else None
    return Probability(prob, message.context_count, message.count)


def write_infgram_probability(found: InfgramProbability) -> v1.InfgramProbResponse:
    """P(token | longest suffix of the context)."""
    return v1.InfgramProbResponse(
        prob=found.prob,
        context_count=found.context_count,
        count=found.count,
        suffix_length=found.suffix_length,
        sparse=found.sparse,
    )


def read_infgram_probability(message: v1.InfgramProbResponse) -> InfgramProbability:
    """P(token | longest suffix of the context)."""
    prob = message.prob if message.HasField("prob") else None
    return InfgramProbability(
        prob, message.context_count, message.count, message.suffix_length, message.sparse
    )


def write_distribution(found: Distribution) -> v1.NtdResponse:
    """What follows a context."""
    return v1.NtdResponse(
        context_count=found.context_count,
        tokens=write_tokens(found.tokens),
        counts=write_int64(found.counts),
        end_count=found.end_count,
        complete=found.complete,
    )


def read_distribution(message: v1.NtdResponse) -> Distribution:
    """What follows a context."""
    return Distribution(
        message.context_count,
        read_tokens("tokens", message.tokens),
        read_int64("counts", message.counts),
        message.end_count,
        message.complete,
    )


def write_infgram_distribution(found: InfgramDistribution) -> v1.InfgramNtdResponse:
    """What follows the longest suffix of a context."""
    return v1.InfgramNtdResponse(
        context_count=found.context_count,
        tokens=write_tokens(found.tokens),
        counts=write_int64(found.counts),
        end_count=found.end_count,
        complete=found.complete,
        suffix_length=found.suffix_length,
        sparse=found.sparse,
    )


def read_infgram_distribution(message: v1.InfgramNtdResponse) -> InfgramDistribution:
    """What follows the longest suffix of a context."""
    return InfgramDistribution(
        message.context_count,
        read_tokens("tokens", message.tokens),
        read_int64("counts", message.counts),
        message.end_count,
        message.complete,
        message.suffix_length,
        message.sparse,
    )


def write_scores(found: InfgramScores) -> v1.InfgramScoresResponse:
    """∞-gram probabilities along a text."""
    return v1.InfgramScoresResponse(
        probs=write_float64(found.probs),
        suffix_lengths=write_int64(found.suffix_lengths),
        context_counts=write_int64(found.context_counts),
        counts=write_int64(found.counts),
    )


def read_scores(message: v1.InfgramScoresResponse) -> InfgramScores:
    """∞-gram probabilities along a text."""
    return InfgramScores(
        read_float64("probs", message.probs),
        read_int64("suffix_lengths", message.suffix_lengths),
        read_int64("context_counts", message.context_counts),
        read_int64("counts", message.counts),
    )


def write_draft(tree: DraftTree) -> v1.DraftResponse:
    """A tree of tokens that may follow a context."""
    return v1.DraftResponse(
        tokens=write_tokens(tree.tokens),
        parents=write_int64(tree.parents),
        scores=write_float64(tree.scores),
        counts=write_int64(tree.counts),
        suffix_length=tree.suffix_length,
        context_count=tree.context_count,
    )


def read_draft(message: v1.DraftResponse) -> DraftTree:
    """A tree of tokens that may follow a context."""
    return DraftTree(
        read_tokens("tokens", message.tokens),
        read_int64("parents", message.parents),
        read_float64("scores", message.scores),
        read_int64("counts", message.counts),
        message.suffix_length,
        message.context_count,
    )


def write_matching(found: MatchingStatistics) -> v1.MatchResponse:
    """Longest matches along a text."""
    return v1.MatchResponse(lengths=write_int64(found.lengths), counts=write_int64(found.counts))


def read_matching(message: v1.MatchResponse) -> MatchingStatistics:
    """Longest matches along a text."""
    return MatchingStatistics(
        read_int64("lengths", message.lengths), read_int64("counts", message.counts)
    )
