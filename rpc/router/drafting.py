"""The draft tree of members together, by the steps of ``fmindex/engines/drafting.py``.

What follows a path is asked of all members at once, so a tree of n nodes takes up to n rounds.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from gramdex.decoding import DraftTree
from gramdex.fmindex.queries.continuations import least_count, read_limits

if TYPE_CHECKING:
    from gramdex.fmindex.results import Distribution
    from gramdex.rpc.router.answers import Answers


def draft(
    index: Answers, context: np.ndarray, max_nodes: int, max_depth: int | None, min_score: float
) -> DraftTree:
    """As ``gramdex.decoding.draft``; best first, ties by depth, then id, then parent."""
    nodes, most_depth, share = read_limits(max_nodes, max_depth, min_score)
    longest = index.infgram_ntd(context, max(nodes, 1))
    found: Distribution = longest
    suffix = context[context.size - longest.suffix_length :].tolist()
    total = found.context_count
    least = least_count(share, total)
    tree = np.empty((3, nodes), np.int64)
    hanging: list[tuple[int, int, int, int, tuple[int, ...]]] = []
    path: tuple[int, ...] = ()
    size = 0
    while size < nodes:
        if len(path) < most_depth:
            if path:
                found = index.ntd([*suffix, *path], nodes - size)
            for token, count in zip(found.tokens.tolist(), found.counts.tolist(), strict=True):
                if count >= least:
                    heappush(hanging, (-count, len(path) + 1, token, size - 1, (*path, token)))
        if not hanging:
            break
        less, _, token, parent, path = heappop(hanging)
        tree[:, size] = token, parent, -less
        size += 1
    tokens, parents, counts = tree[:, :size]
    scores = counts / np.float64(max(total, 1))
    return DraftTree(tokens, parents, scores, counts, len(suffix), total)
