"""What most often follows a suffix, as a tree of tokens."""

from __future__ import annotations

import math
from typing import Any

from gramdex.errors import QueryError
from gramdex.fmindex.engines.drafting import Suffix, TreeLimits
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.queries.patterns import as_number
from gramdex.fmindex.results import Continuations
from gramdex.kernels.suffix_array.drafting import MOST_NODES

NODES = 16


def continuations(
    engine: Engine,
    vocabulary: Vocabulary,
    suffix: Suffix,
    max_nodes: int,
    max_depth: int | None,
    min_score: float,
) -> Continuations:
    """The tree on a suffix that occurs; see ``Cursor.continuations``."""
    nodes, depth, share = read_limits(max_nodes, max_depth, min_score)
    limits = TreeLimits(nodes, depth, least_count(share, suffix.total))
    ranks, parents, counts = engine.continuations(suffix, limits, vocabulary.ids_by_rank)
    ids = vocabulary.to_ids(ranks)
    return Continuations(suffix.tokens.size, suffix.total, ids, parents, counts)


def read_limits(max_nodes: int, max_depth: int | None, min_score: float) -> tuple[int, int, float]:
    """Nodes and depth of a tree, at most, and the least share; QueryError where they are none."""
    nodes = as_number("max_nodes", max_nodes)
    if nodes > MOST_NODES:
        raise QueryError("max_nodes", f"{nodes:,}", f"at most {MOST_NODES:,}")
    depth = nodes if max_depth is None else min(as_number("max_depth", max_depth), nodes)
    return nodes, depth, _as_share(min_score)


def least_count(share: float, total: int) -> int:
    """The smallest count from 1 on whose quotient by ``total`` is not below ``share``."""
    if share <= 0 or total == 0:
        return 1
    count = max(1, math.floor(share * total) - 1)  # the product is rounded as well
    while count / total < share:
        count += 1
    return count


def _as_share(share: Any) -> float:
    if isinstance(share, (int, float)) and 0 <= share <= 1:  # NaN is not
        return float(share)
    raise QueryError("min_score", repr(share), "a number from 0 to 1")
