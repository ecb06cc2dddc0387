"""Drafting from the corpus: context in, tree out.

The context is backed off to its longest suffix that occurs (∞-gram), and the tree holds what most
often follows that: always the continuation of the highest score next, so a tree is deep where the
corpus agrees with itself and broad where it does not. SuffixDecoding (arXiv 2411.04975) grows its
drafts so from tries of past outputs and bounds a draft by the length of the match, REST (arXiv
2311.08252) drafts from a trie of retrieved continuations; here all occurrences count, and neither
length bounds the other.

A score is a share of the suffix' occurrences, however few those are: one occurrence gives one
path of score 1. What such a score is worth depends on suffix_length and context_count, which the
tree carries for whoever weighs sources against each other.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gramdex.decoding.draft_tree import DraftTree
from gramdex.fmindex.index import Index
from gramdex.fmindex.queries.continuations import NODES
from gramdex.fmindex.queries.cursor import Cursor
from gramdex.fmindex.queries.patterns import Query


class Drafting(Protocol):
    """What drafts by itself: an index on a server."""

    def draft(
        self, context: Query, max_nodes: int, max_depth: int | None, min_score: float
    ) -> DraftTree:
        """The tree."""
        ...


def draft(
    source: Index | Cursor | Drafting,
    context: Query = (),
    max_nodes: int = NODES,
    max_depth: int | None = None,
    min_score: float = 0.0,
) -> DraftTree:
    """What most often follows a context, as a tree of at most ``max_nodes`` tokens.

    Deterministic: nodes stand by score, equal ones by depth, then by id, then by parent, and every
    draft of fewer nodes is the beginning of this one. Where the corpus never goes on after the
    suffix, because it stands at documents' ends alone, the tree is empty; elsewhere the ends
    take their share of the scores. Takes microseconds with a cursor on suffix arrays.

    Args:
        source: an index, here or on a server; or a cursor, which already is at the end of a
            stream, and stays there.
        context: tokens, or a string, encoded with the index's tokenizer; after a cursor's stream.
        max_nodes: at most 4,096.
        max_depth: tokens of a path; None for no limit of its own.
        min_score: nodes below it are left out.

    Raises:
        QueryError: an id the vocabulary lacks, or an argument outside its range.
    """
    if isinstance(source, Index):
        source = source.cursor(context)
    elif not isinstance(source, Cursor):
        return source.draft(context, max_nodes, max_depth, min_score)
    elif len(context):
        source = source.copy()
        source.extend(context)
    found = source.continuations(max_nodes, max_depth, min_score)
    scores = found.counts / np.float64(max(found.context_count, 1))
    return DraftTree(
        found.tokens,
        found.parents,
        scores,
        found.counts,
        found.suffix_length,
        found.context_count,
    )
