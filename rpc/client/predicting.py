"""What follows a context, and how a text looks to the corpus token by token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.message import Message

from gramdex.errors import QueryError
from gramdex.fmindex.batches import listed, paired
from gramdex.fmindex.queries.continuations import NODES
from gramdex.fmindex.queries.patterns import Query
from gramdex.fmindex.results import (
    Distribution,
    InfgramDistribution,
    InfgramProbability,
    InfgramScores,
    MatchingStatistics,
    Probability,
)
from gramdex.rpc import v1
from gramdex.rpc.client.asking import Asking, whole
from gramdex.rpc.client.splitting import ask_parts, parts_of
from gramdex.rpc.messages import results
from gramdex.rpc.messages.queries import write_query, write_token
from gramdex.rpc.methods import METHODS

if TYPE_CHECKING:
    from gramdex.decoding import DraftTree

_PROBABILITIES, _DISTRIBUTIONS, _TEXTS = 4_096, 256, 64
"""Queries of one part of a batch, so that none takes long."""


class Predicting(Asking):
    """``prob``, ``ntd``, their ∞-gram forms, ``match`` and ``draft``."""

    def prob(self, context: Query, token: int | str) -> Probability:
        """See ``Index.prob``."""
        return results.read_probability(self._ask("Prob", _prob(v1.ProbRequest, context, token)))

    def prob_batch(
        self, contexts: Sequence[Query], tokens: Sequence[int | str]
    ) -> list[Probability]:
        """See ``Index.prob_batch``."""
        requests = [_prob(v1.ProbRequest, *each) for each in paired(contexts, tokens)]
        return self._batch("Prob", requests, results.read_probability, _PROBABILITIES)

    def ntd(self, context: Query, limit: int | None = None) -> Distribution:
        """See ``Index.ntd``."""
        return results.read_distribution(self._ask("Ntd", _ntd(v1.NtdRequest, context, limit)))

    def ntd_batch(self, contexts: Sequence[Query], limit: int | None = None) -> list[Distribution]:
        """See ``Index.ntd_batch``."""
        requests = [_ntd(v1.NtdRequest, each, limit) for each in listed("contexts", contexts)]
        return self._batch("Ntd", requests, results.read_distribution, _DISTRIBUTIONS)

    def infgram_prob(self, context: Query, token: int | str) -> InfgramProbability:
        """See ``Index.infgram_prob``."""
        request = _prob(v1.InfgramProbRequest, context, token)
        return results.read_infgram_probability(self._ask("InfgramProb", request))

    def infgram_prob_batch(
        self, contexts: Sequence[Query], tokens: Sequence[int | str]
    ) -> list[InfgramProbability]:
        """See ``Index.infgram_prob_batch``."""
        requests = [_prob(v1.InfgramProbRequest, *each) for each in paired(contexts, tokens)]
        read = results.read_infgram_probability
        return self._batch("InfgramProb", requests, read, _PROBABILITIES)

    def infgram_ntd(self, context: Query, limit: int | None = None) -> InfgramDistribution:
        """See ``Index.infgram_ntd``."""
        request = _ntd(v1.InfgramNtdRequest, context, limit)
        return results.read_infgram_distribution(self._ask("InfgramNtd", request))

    def infgram_ntd_batch(
        self, contexts: Sequence[Query], limit: int | None = None
    ) -> list[InfgramDistribution]:
        """See ``Index.infgram_ntd_batch``."""
        kind = v1.InfgramNtdRequest
        requests = [_ntd(kind, each, limit) for each in listed("contexts", contexts)]
        read = results.read_infgram_distribution
        return self._batch("InfgramNtd", requests, read, _DISTRIBUTIONS)

    def infgram_scores(self, text: Query) -> InfgramScores:
        """See ``Index.infgram_scores``."""
        request = v1.InfgramScoresRequest(text=write_query(text))
        return results.read_scores(self._ask("InfgramScores", request))

    def infgram_scores_batch(self, texts: Sequence[Query]) -> list[InfgramScores]:
        """See ``Index.infgram_scores_batch``."""
        kind = v1.InfgramScoresRequest
        requests = [kind(text=write_query(each)) for each in listed("texts", texts)]
        return self._batch("InfgramScores", requests, results.read_scores, _TEXTS)

    def match(self, text: Query) -> MatchingStatistics:
        """See ``Index.match``."""
        request = v1.MatchRequest(text=write_query(text))
        return results.read_matching(self._ask("Match", request))

    def match_batch(self, texts: Sequence[Query]) -> list[MatchingStatistics]:
        """See ``Index.match_batch``."""
        requests = [v1.MatchRequest(text=write_query(each)) for each in listed("texts", texts)]
        return self._batch("Match", requests, results.read_matching, _TEXTS)

    def draft(
        self,
        context: Query,
        max_nodes: int = NODES,
        max_depth: int | None = None,
        min_score: float = 0.0,
    ) -> DraftTree:
        """Tokens that the corpus suggests after a context, as ``gramdex.decoding.draft`` does."""
        options = max_nodes, max_depth, min_score
        return results.read_draft(self._ask("Draft", _draft(context, *options)))

    def draft_batch(
        self,
        contexts: Sequence[Query],
        max_nodes: int = NODES,
        max_depth: int | None = None,
        min_score: float = 0.0,
    ) -> list[DraftTree]:
        """``draft`` of each context."""
        options = max_nodes, max_depth, min_score
        requests = [_draft(each, *options) for each in listed("contexts", contexts)]
        return self._batch("Draft", requests, results.read_draft, _DISTRIBUTIONS)

    def _batch(
        self, name: str, requests: Sequence[Message], read: Callable[[Any], Any], most: int
    ) -> list[Any]:
        """Answers of many requests of one method, by its batch method."""
        batch = METHODS[f"{name}Batch"].request

        def ask(index: Asking, part: slice) -> Any:
            return index._ask(f"{name}Batch", batch(requests=requests[part]))

        if not requests:
            return []
        # What the server adds up is the size of the request: a tag and a length come to each.
        sizes = np.fromiter((each.ByteSize() + 6 for each in requests), np.int64, len(requests))
        answers = ask_parts(self, parts_of(self, sizes, most), ask)
        return [read(each) for answer in answers for each in answer.responses]


def _prob(kind: type[Any], context: Query, token: int | str) -> Any:
    return kind(context=write_query(context), token=write_token(token))


def _ntd(kind: type[Any], context: Query, limit: int | None) -> Any:
    return kind(context=write_query(context), limit=whole("limit", limit, 1))


def _draft(
    context: Query, max_nodes: int, max_depth: int | None, min_score: float
) -> v1.DraftRequest:
    return v1.DraftRequest(
        context=write_query(context),
        max_nodes=_field("max_nodes", max_nodes),
        max_depth=None if max_depth is None else _field("max_depth", max_depth),
        min_score=_score(min_score),
    )


def _field(name: str, value: Any) -> int:
    """A number as a field of 32 bits holds it; QueryError where it is none."""
    return min(whole(name, value, none=False) or 0, (1 << 32) - 1)


def _score(score: Any) -> float:
    try:
        return float(score)
    except (TypeError, ValueError) as error:
        raise QueryError("min_score", repr(score), "a probability from 0 to 1") from error
