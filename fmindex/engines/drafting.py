"""The tree of the most frequent continuations, for any engine.

What ``kernels/suffix_array/drafting.py`` does for suffix arrays, from what every engine answers:
the tokens after a pattern, and where the pattern with one of them stands.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gramdex.kernels.memory import SEPARATOR

if TYPE_CHECKING:
    from gramdex.fmindex.engines.engine import Engine


class TreeLimits(NamedTuple):
    """How large a tree of continuations may be.

    Attributes:
        nodes: at most ``kernels.suffix_array.drafting.MOST_NODES``.
        depth: tokens of a path, likewise.
        least: occurrences of a node, at least 1.
    """

    nodes: int
    depth: int
    least: int


class Suffix(NamedTuple):
    """What a tree continues: tokens that occur, how often, and their intervals."""

    tokens: np.ndarray
    total: int
    intervals: np.ndarray


def grow_tree(
    engine: Engine, suffix: Suffix, limits: TreeLimits, ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See ``Engine.continuations``."""
    tree = np.empty((3, limits.nodes), np.int64)
    hanging: list[tuple[int, int, int, int, int, tuple[int, ...]]] = []
    path: tuple[int, ...] = ()
    for node in range(limits.nodes):
        if len(path) < limits.depth:
            if node:
                pattern = np.concatenate([suffix.tokens, np.array(path, np.int64)])
                place = Suffix(pattern, *engine.find(pattern))
            else:
                place = suffix
            for rank, count in _most_frequent(engine, place, limits, limits.nodes - node, ids):
                name = int(ids[rank]) if ids.size else rank
                grown = (*path, rank)
                heappush(hanging, (-count, len(grown), name, node - 1, rank, grown))
        if not hanging:
            return tree[0, :node], tree[1, :node], tree[2, :node]
        less, _, _, parent, rank, path = heappop(hanging)
        tree[:, node] = rank, parent, -less
    return tree[0], tree[1], tree[2]


def _most_frequent(
    engine: Engine, place: Suffix, limits: TreeLimits, most: int, ids: np.ndarray
) -> list[tuple[int, int]]:
    """Ranks after a pattern, and counts: the ``most`` best, those with the least count or more."""
    if not place.total:
        return []
    ranks, counts = engine.next_tokens(place.total, place.intervals, place.tokens.size)
    least = limits.least
    if ranks.size > most:
        least = max(least, int(np.partition(counts, -most - 1)[-most - 1]))
    kept = (counts >= least) & (ranks != SEPARATOR)
    ranks, counts = ranks[kept], counts[kept]
    if ids.size and ranks.size and ranks.max() >= ids.size:
        raise engine.damaged("text")
    names = ids[ranks] if ids.size else ranks
    best = np.lexsort((names, -counts))[:most]
    return list(zip(ranks[best].tolist(), counts[best].tolist(), strict=True))
