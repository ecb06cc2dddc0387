"""What follows a context: probabilities and distributions, plain and ∞-gram.

The ∞-gram (Liu et al. 2024, arXiv 2401.17377) backs the context off to its longest suffix that
occurs. A context that stands at a document's end has no next token there; that mass is kept, so
tokens and document end together are a proper distribution.
"""

from __future__ import annotations

import numpy as np

from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.results import (
    Distribution,
    InfgramDistribution,
    InfgramProbability,
    InfgramScores,
    Probability,
)
from gramdex.kernels.memory import SEPARATOR


def prob(engine: Engine, context: np.ndarray, token: int) -> Probability:
    """P(token | context); ranks in, counts out."""
    total, count = engine.prob(context, token)
    return probability(count, total)


def probability(count: int, total: int) -> Probability:
    """P of what follows ``count`` of the ``total`` occurrences of a context."""
    return Probability(_ratio(count, total), total, count)


def infgram_prob(engine: Engine, context: np.ndarray, token: int) -> InfgramProbability:
    """P(token | longest suffix of the context that occurs)."""
    length, total, count, sparse = engine.infgram_prob(context, token)
    return infgram_probability(count, total, length, sparse)


def infgram_probability(count: int, total: int, length: int, sparse: bool) -> InfgramProbability:
    """P of what follows ``count`` of the ``total`` occurrences of a suffix of ``length`` tokens."""
    return InfgramProbability(_ratio(count, total), total, count, length, sparse)


def ntd(
    engine: Engine, vocabulary: Vocabulary, context: np.ndarray, limit: int | None
) -> Distribution:
    """Distribution of the tokens after the context."""
    total, intervals = engine.find(context)
    ranks, counts = engine.next_tokens(total, intervals, context.size)
    return Distribution(total, *_most_frequent(vocabulary, ranks, counts, limit))


def infgram_ntd(
    engine: Engine, vocabulary: Vocabulary, context: np.ndarray, limit: int | None
) -> InfgramDistribution:
    """Distribution of the tokens after the longest suffix of the context that occurs."""
    return infgram_distribution(engine, vocabulary, engine.longest_suffix(context), limit)


def infgram_distribution(
    engine: Engine,
    vocabulary: Vocabulary,
    suffix: tuple[int, int, np.ndarray],
    limit: int | None,
) -> InfgramDistribution:
    """Distribution of the tokens after a suffix, given as its length, count and intervals."""
    length, total, intervals = suffix
    ranks, counts = engine.next_tokens(total, intervals, length)
    sparse = ranks.size == 1 and ranks[0] != SEPARATOR
    return InfgramDistribution(
        total, *_most_frequent(vocabulary, ranks, counts, limit), length, bool(sparse)
    )


def infgram_scores(engine: Engine, text: np.ndarray) -> InfgramScores:
    """∞-gram probability of every token of a text given the tokens before it."""
    lengths, totals, counts = engine.infgram_scores(text)
    with np.errstate(invalid="ignore"):
        return InfgramScores(counts / totals, lengths, totals, counts)


def _ratio(count: int, total: int) -> float | None:
    return count / total if total else None


def _most_frequent(
    vocabulary: Vocabulary, ranks: np.ndarray, counts: np.ndarray, limit: int | None
) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """Ids and counts in the order of results, the count of document ends, and if all are there."""
    end_count = 0
    if ranks.size and ranks[0] == SEPARATOR:
        end_count = int(counts[0])
        ranks, counts = ranks[1:], counts[1:]
    ids = vocabulary.to_ids(ranks)
    if ids.size > 1:
        found = ids.size
        ids, counts = by_count(ids, counts, vocabulary.size, limit)
        return ids, counts, end_count, ids.size == found
    return ids, counts, end_count, True


def by_count(
    ids: np.ndarray, counts: np.ndarray, vocabulary_size: int, limit: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Distinct ids, at least one, with the greatest counts first, equal ones by id; int64 both.

    Count and id fit one number unless both are huge; sorting those takes a twentieth of the time.
    """
    most, bits = int(counts.max()), vocabulary_size.bit_length()
    if most.bit_length() + bits > 63:
        order = np.lexsort((ids, -counts))[:limit]
        return ids[order], counts[order]
    keys = np.sort(((most - counts) << bits) | ids)[:limit]
    return keys & ((1 << bits) - 1), most - (keys >> bits)
