"""A stream of tokens over members that answer as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gramdex.fmindex.queries.patterns import Query, as_ids
from gramdex.fmindex.results import InfgramDistribution, InfgramProbability, Interval

if TYPE_CHECKING:
    from gramdex.rpc.router.answers import Answers
    from gramdex.rpc.router.index import RoutedIndex


class RoutedCursor:
    """The end of a stream of tokens; made by ``RoutedIndex.cursor``, and asked as ``Cursor`` is.

    It keeps the whole stream and asks for it at every step: members that change have other
    suffixes, which may be longer ones.
    """

    def __init__(self, index: RoutedIndex) -> None:
        self._index = index
        self._tokens = np.empty(0, np.int64)

    @property
    def suffix_length(self) -> int:
        """Tokens of the longest suffix that occurs."""
        return self._index.begun(self._suffix)[0]

    @property
    def count(self) -> int:
        """Occurrences of that suffix; of the empty one, all tokens."""
        return self._index.begun(self._suffix)[1]

    def find(self) -> list[Interval]:
        """Rank interval of the suffix in each shard; QueryError on an index with a takedown."""

        def found(view: Answers) -> list[Interval]:
            length, _ = self._suffix(view)
            return view.find(self._tokens[self._tokens.size - length :])

        return self._index.begun(found)

    def extend(self, tokens: Query) -> None:
        """Append tokens, or a string, which is encoded with the index's tokenizer.

        Raises:
            QueryError: an id the vocabulary lacks; nothing is appended.
        """
        ids = as_ids(self._index.encode(tokens) if isinstance(tokens, str) else tokens)
        if ids.size:
            self._index.count(ids)  # only members know which ids there are
        self._tokens = np.concatenate([self._tokens, ids])

    def prob(self, token: int | str) -> InfgramProbability:
        """``RoutedIndex.infgram_prob`` of the stream and a token."""
        return self._index.infgram_prob(self._tokens, token)

    def ntd(self, limit: int | None = None) -> InfgramDistribution:
        """``RoutedIndex.infgram_ntd`` of the stream."""
        return self._index.infgram_ntd(self._tokens, limit)

    def copy(self) -> RoutedCursor:
        """Another cursor at the same place, to go on another way."""
        other = RoutedCursor(self._index)
        other._tokens = self._tokens
        return other

    def _suffix(self, view: Answers) -> tuple[int, int]:
        """Length of the longest suffix that occurs, and its count."""
        parts = view.asking.all(lambda index: index.infgram_ntd(self._tokens, 1))
        longest = max(part.suffix_length for part in parts)
        return longest, sum(p.context_count for p in parts if p.suffix_length == longest)

    def __repr__(self) -> str:
        return f"RoutedCursor({self._tokens.size} tokens)"
