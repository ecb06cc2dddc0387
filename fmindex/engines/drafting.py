"""The tree of the most frequent continuations, for any engine.

What ``kernels/suffix_array/drafting.py`` does for suffix arrays, from what every engine answers:
where a pattern stands, the tokens after it, and the text at its occurrences, which is read where
they are few.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gramdex.kernels.memory import SEPARATOR

if TYPE_CHECKING:
    from gramdex.fmindex.engines.engine import Engine

FEW = 4
"""Occurrences whose text is read in the time of a few questions about them."""


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


class _Hanging(NamedTuple):
    """A continuation that may become a node; the smaller the better, and no two are equal.

    Attributes:
        less: its count, negated.
        depth: tokens of the path to it.
        name: id of the last of them.
        parent: node it hangs on, -1 for the suffix.
        rank: of the token.
        path: ranks from the suffix on.
        texts: what follows it at each occurrence, or None where that is not read.
    """

    less: int
    depth: int
    name: int
    parent: int
    rank: int = SEPARATOR
    path: tuple[int, ...] = ()
    texts: list[list[int]] | None = None


def grow_tree(
    engine: Engine, suffix: Suffix, limits: TreeLimits, ids: np.ndarray, few: int = FEW
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See ``Engine.continuations``.

    Args:
        engine: asked for all it takes.
        suffix: see there.
        limits: see there.
        ids: see there.
        few: occurrences up to which their text is read; 0 where intervals hold others too.
    """
    tree = np.empty((3, limits.nodes), np.int64)
    hanging: list[_Hanging] = []
    last = _Hanging(-suffix.total, 0, 0, -1)
    for node in range(limits.nodes):
        if last.depth < limits.depth:
            if last.texts is None and 0 < -last.less <= few:
                most = min(limits.nodes - node, limits.depth - last.depth)
                last = _with_texts(engine, suffix, last, most)
            if last.texts is not None:
                found = _after_texts(last.texts, limits.least)
            else:
                found = _after_pattern(engine, suffix, last, limits.nodes - node, limits.least, ids)
            if ids.size and max((each[0] for each in found), default=0) >= ids.size:
                raise engine.damaged("text")
            for rank, count, texts in found:
                name = rank if not ids.size else int(ids[rank])
                path = (*last.path, rank)
                heappush(hanging, _Hanging(-count, len(path), name, node - 1, rank, path, texts))
        if not hanging:
            return tree[0, :node], tree[1, :node], tree[2, :node]
        last = heappop(hanging)
        tree[:, node] = last.rank, last.parent, -last.less
    return tree[0], tree[1], tree[2]


_Found = list[tuple[int, int, list[list[int]] | None]]
"""Ranks, their counts, and what follows them at each occurrence, or None."""


def _place(engine: Engine, suffix: Suffix, last: _Hanging) -> Suffix:
    """The suffix with the path of a node."""
    if not last.path:
        return suffix
    pattern = np.concatenate([suffix.tokens, np.array(last.path, np.int64)])
    return Suffix(pattern, *engine.find(pattern))


def _with_texts(engine: Engine, suffix: Suffix, last: _Hanging, most: int) -> _Hanging:
    """The same with the next ``most`` tokens of each of its occurrences."""
    pattern, _, intervals = _place(engine, suffix, last)
    texts = []
    for shard, (low, high) in enumerate(intervals.tolist()):
        for position in engine.locate(shard, low, high).tolist() if low < high else ():
            start, size = position + pattern.size, engine.shards[shard].size
            if start >= size:
                raise engine.damaged("suffix array")
            end = min(start + most, size)
            texts.append(engine.extract(shard, start, end).tolist())
    return last._replace(texts=texts)


def _after_texts(texts: list[list[int]], least: int) -> _Found:
    """Every first token but a document's end."""
    found = defaultdict(list)
    for text in texts:
        if text and text[0] != SEPARATOR:
            found[text[0]].append(text[1:])
    return [(rank, len(rest), rest) for rank, rest in found.items() if len(rest) >= least]


def _after_pattern(
    engine: Engine, suffix: Suffix, last: _Hanging, most: int, least: int, ids: np.ndarray
) -> _Found:
    """The ``most`` best of the tokens after a node."""
    pattern, total, intervals = _place(engine, suffix, last)
    if not total:
        return []
    ranks, counts = engine.next_tokens(total, intervals, pattern.size)
    if ranks.size > most:  # of which one may be a document's end
        least = max(least, int(np.partition(counts, -most - 1)[-most - 1]))
    kept = (counts >= least) & (ranks != SEPARATOR)
    ranks, counts = ranks[kept], counts[kept]
    if ranks.size > most:
        names = ranks if not ids.size else ids[np.minimum(ranks, ids.size - 1)]
        best = np.lexsort((names, -counts))[:most]
        ranks, counts = ranks[best], counts[best]
    return [
        (rank, count, None) for rank, count in zip(ranks.tolist(), counts.tolist(), strict=True)
    ]
