"""Answers of several members as the answer of one index: what adds up, and what is longest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gramdex.fmindex.queries.probabilities import by_count, probability
from gramdex.fmindex.results import (
    Distribution,
    InfgramScores,
    MatchingStatistics,
    Probability,
    TextMatches,
)
from gramdex.rpc.router.members import Member


def merge_probabilities(parts: Sequence[Probability]) -> Probability:
    """P over all occurrences of the context."""
    return probability(sum(p.count for p in parts), sum(p.context_count for p in parts))


def merge_distributions(
    parts: Sequence[Distribution], vocabulary_size: int, limit: int | None
) -> Distribution:
    """The distribution over all occurrences; every part is complete."""
    assert all(part.complete for part in parts)
    tokens = np.concatenate([part.tokens for part in parts])
    order = np.argsort(tokens, kind="stable")
    tokens, counts = tokens[order], np.concatenate([part.counts for part in parts])[order]
    starts = np.flatnonzero(np.diff(tokens, prepend=-1))
    if starts.size:
        tokens, counts = tokens[starts], np.add.reduceat(counts, starts)
        tokens, counts = by_count(tokens, counts, vocabulary_size, limit)
    total, ends = (
        sum(getattr(part, name) for part in parts) for name in ("context_count", "end_count")
    )
    return Distribution(total, tokens, counts, ends, tokens.size == starts.size)


def merge_scores(parts: Sequence[InfgramScores]) -> InfgramScores:
    """Of each position the longest suffix that any part has, and its counts where it is."""
    lengths, used = _longest([part.suffix_lengths for part in parts])
    totals, counts = (
        np.sum([getattr(part, name) for part in parts], axis=0, where=used)
        for name in ("context_counts", "counts")
    )
    with np.errstate(invalid="ignore"):
        return InfgramScores(counts / totals, lengths, totals, counts)


def merge_matches(parts: Sequence[MatchingStatistics]) -> MatchingStatistics:
    """Of each position the longest match in any part, and its count where it is."""
    lengths, used = _longest([part.lengths for part in parts])
    return MatchingStatistics(lengths, np.sum([part.counts for part in parts], axis=0, where=used))


def merge_text_matches(members: Sequence[Member], parts: Sequence[TextMatches]) -> TextMatches:
    """All occurrences, with shards and documents numbered through."""
    both = list(zip(members, parts, strict=True))
    return TextMatches(
        np.concatenate([part.shards + member.first_shard for member, part in both]),
        np.concatenate([part.documents + member.first_document for member, part in both]),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("starts", "ends", "offsets")
        ),
    )


def pages(found: Sequence[int], skip: int, most: int) -> list[tuple[int, int]]:
    """Of each part how many documents to skip and how many to take, given how many it has."""
    parts = []
    for documents in found:
        taken = min(max(documents - skip, 0), most)
        parts.append((skip, taken))
        skip, most = max(skip - documents, 0), most - taken
    return parts


def _longest(lengths: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The greatest of each position, int64[n], and which parts have it, bool[parts, n]."""
    table = np.stack(lengths)
    longest = table.max(axis=0)
    return longest, table == longest
