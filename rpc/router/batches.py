"""Batches over members: one call a member for all queries, and what a query needs besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gramdex.fmindex.batches import Batches, listed, paired
from gramdex.fmindex.evidence import Attribution
from gramdex.fmindex.queries.patterns import Query, as_number
from gramdex.fmindex.results import (
    Distribution,
    InfgramDistribution,
    InfgramProbability,
    InfgramScores,
    MatchingStatistics,
    Probability,
)
from gramdex.rpc.router import merging


class RoutedBatches(Batches):
    """Batch forms of ``Answers``; all answers of a batch are of the same state of the members."""

    def prob_batch(
        self: Any, contexts: Sequence[Query], tokens: Sequence[int | str]
    ) -> list[Probability]:
        """As ``Index.prob_batch``."""
        before, after = _columns(contexts, tokens)
        parts = _asked(before, lambda index: index.prob_batch(before, after))
        return self.begun(lambda view: list(map(merging.merge_probabilities, parts(view))))

    def infgram_prob_batch(
        self: Any, contexts: Sequence[Query], tokens: Sequence[int | str]
    ) -> list[InfgramProbability]:
        """As ``Index.infgram_prob_batch``."""
        before, after = _columns(contexts, tokens)
        parts = _asked(before, lambda index: index.infgram_prob_batch(before, after))
        return self.begun(lambda view: list(map(view._merge_infgram_prob, before, parts(view))))

    def ntd_batch(
        self: Any, contexts: Sequence[Query], limit: int | None = None
    ) -> list[Distribution]:
        """As ``Index.ntd_batch``."""
        before, limit = _limited(contexts, limit)
        parts = _asked(before, lambda index: index.ntd_batch(before, limit))
        return self.begun(
            lambda view: [
                view._merge_ntd(*each, limit) for each in zip(before, parts(view), strict=True)
            ]
        )

    def infgram_ntd_batch(
        self: Any, contexts: Sequence[Query], limit: int | None = None
    ) -> list[InfgramDistribution]:
        """As ``Index.infgram_ntd_batch``."""
        before, limit = _limited(contexts, limit)
        parts = _asked(before, lambda index: index.infgram_ntd_batch(before, limit))
        return self.begun(
            lambda view: [
                view._merge_infgram_ntd(*each, limit)
                for each in zip(before, parts(view), strict=True)
            ]
        )

    def infgram_scores_batch(self: Any, texts: Sequence[Query]) -> list[InfgramScores]:
        """As ``Index.infgram_scores_batch``."""
        given = listed("texts", texts)
        parts = _asked(given, lambda index: index.infgram_scores_batch(given))
        return self.begun(lambda view: list(map(merging.merge_scores, parts(view))))

    def match_batch(self: Any, texts: Sequence[Query]) -> list[MatchingStatistics]:
        """As ``Index.match_batch``."""
        given = listed("texts", texts)
        parts = _asked(given, lambda index: index.match_batch(given))
        return self.begun(lambda view: list(map(merging.merge_matches, parts(view))))

    def attribute_batch(self: Any, texts: Sequence[Query], **options: Any) -> list[Attribution]:
        """As ``Index.attribute_batch``; one text after the other."""
        given = listed("texts", texts)
        return self.begun(lambda view: [view.attribute(each, **options) for each in given])


def _asked(given: list[Any], call: Callable[[Any], list[Any]]) -> Callable[[Any], list[list[Any]]]:
    """What asks the members of a view: for each query given the answers of all."""
    if not given:  # no answer would tell that members are the same
        return lambda view: []
    return lambda view: list(map(list, zip(*view.asking.all(call), strict=True)))


def _columns(contexts: Any, tokens: Any) -> tuple[list[Any], list[Any]]:
    pairs = paired(contexts, tokens)
    return [context for context, _ in pairs], [token for _, token in pairs]


def _limited(contexts: Any, limit: Any) -> tuple[list[Any], int | None]:
    given = listed("contexts", contexts)
    return given, None if limit is None or not given else as_number("limit", limit, 1)
