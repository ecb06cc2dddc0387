"""Batch forms of queries that are answered one after the other.

Local and remote indexes have them by the same names; a remote one asks for many at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gramdex.errors import QueryError
from gramdex.fmindex.evidence import Attribution
from gramdex.fmindex.queries.patterns import Query
from gramdex.fmindex.results import (
    Distribution,
    InfgramDistribution,
    InfgramProbability,
    InfgramScores,
    MatchingStatistics,
    Probability,
)


class Batches:
    """Batches for whatever has the single queries; an error is that of the first bad query."""

    def prob_batch(
        self: Any, contexts: Sequence[Query], tokens: Sequence[int | str]
    ) -> list[Probability]:
        """``prob`` of each context and its token; as many of one as of the other."""
        return [self.prob(*each) for each in paired(contexts, tokens)]

    def ntd_batch(
        self: Any, contexts: Sequence[Query], limit: int | None = None
    ) -> list[Distribution]:
        """``ntd`` of each context."""
        return [self.ntd(each, limit) for each in listed("contexts", contexts)]

    def infgram_prob_batch(
        self: Any, contexts: Sequence[Query], tokens: Sequence[int | str]
    ) -> list[InfgramProbability]:
        """``infgram_prob`` of each context and its token; as many of one as of the other."""
        return [self.infgram_prob(*each) for each in paired(contexts, tokens)]

    def infgram_ntd_batch(
        self: Any, contexts: Sequence[Query], limit: int | None = None
    ) -> list[InfgramDistribution]:
        """``infgram_ntd`` of each context."""
        return [self.infgram_ntd(each, limit) for each in listed("contexts", contexts)]

    def infgram_scores_batch(self: Any, texts: Sequence[Query]) -> list[InfgramScores]:
        """``infgram_scores`` of each text."""
        return [self.infgram_scores(each) for each in listed("texts", texts)]

    def match_batch(self: Any, texts: Sequence[Query]) -> list[MatchingStatistics]:
        """``match`` of each text."""
        return [self.match(each) for each in listed("texts", texts)]

    def attribute_batch(self: Any, texts: Sequence[Query], **options: Any) -> list[Attribution]:
        """``attribute`` of each text, all with the same options."""
        return [self.attribute(each, **options) for each in listed("texts", texts)]


def listed(name: str, queries: Any) -> list[Any]:
    """Queries as a list.

    Raises:
        QueryError: one string, or nothing that has several.
    """
    if isinstance(queries, str):
        raise QueryError(name, "one string", "a list of queries", "put it in a list")
    try:
        return list(queries)
    except TypeError as error:
        found = f"a {type(queries).__name__}"
        raise QueryError(name, found, "a list of queries") from error


def paired(contexts: Any, tokens: Any) -> list[tuple[Any, Any]]:
    """Contexts and tokens, side by side; QueryError where there are more of one."""
    pair = listed("contexts", contexts), listed("tokens", tokens)
    if len(pair[0]) != len(pair[1]):
        found = f"{len(pair[1])} tokens"
        raise QueryError("tokens", found, f"{len(pair[0])}, one for each context")
    return list(zip(*pair, strict=True))
