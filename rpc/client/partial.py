"""Answers that may leave out shards that cannot be reached, and say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gramdex.rpc.coverage import PARTIAL, Coverage, Partial, common_coverage

if TYPE_CHECKING:
    from gramdex.rpc.client.remote_index import RemoteIndex

QUERIES = frozenset(
    [
        *("count", "count_batch", "count_flat", "find", "locate"),
        *("prob", "prob_batch", "ntd", "ntd_batch"),
        *("infgram_prob", "infgram_prob_batch", "infgram_ntd", "infgram_ntd_batch"),
        *("infgram_scores", "infgram_scores_batch", "match", "match_batch"),
        *("draft", "draft_batch"),
        *("documents", "document", "document_at", "metadata", "search"),
        *("attribute", "attribute_batch", "contamination"),
    ]
)
"""Methods whose answers depend on what of a corpus is there."""


class PartialIndex:
    """A remote index whose queries give ``Partial``; made by ``RemoteIndex.partial``.

    It has the methods of ``QUERIES`` with the arguments they have there. Of an answer that took
    several calls the coverage is what all of them cover.
    """

    def __init__(self, index: RemoteIndex) -> None:
        self._index = index

    def __getattr__(self, name: str) -> Callable[..., Partial]:
        if name not in QUERIES:
            raise AttributeError(f"{type(self).__name__} has no query {name!r}")

        def ask(*arguments: Any, **options: Any) -> Partial:
            coverages: list[Coverage] = []
            index = self._index._view(_coverages=coverages, _metadata=(PARTIAL,))
            answer = getattr(index, name)(*arguments, **options)
            if not coverages:  # nothing had to be asked
                coverages.append(Coverage(index.token_count, index.token_count))
            return Partial(answer, common_coverage(coverages))

        return ask

    def __dir__(self) -> list[str]:
        return sorted(QUERIES)

    def __repr__(self) -> str:
        return f"PartialIndex({self._index!r})"
