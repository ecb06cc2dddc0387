"""A stream of tokens, continued over calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gramdex.errors import ServiceError
from gramdex.fmindex.queries.patterns import Query, as_ids
from gramdex.fmindex.results import InfgramDistribution, InfgramProbability, Interval

if TYPE_CHECKING:
    from gramdex.rpc.client.remote_index import RemoteIndex

_CHUNK = 4_096


class RemoteCursor:
    """The end of a stream of tokens; made by ``RemoteIndex.cursor``.

    It keeps the longest suffix that occurs and no more, and asks the ``infgram_`` queries of it.
    What it kept is that of one corpus: where another is served meanwhile, it raises ServiceError,
    for the longest suffix may be another there.
    """

    def __init__(self, index: RemoteIndex) -> None:
        # What others ask meanwhile is no answer to this stream.
        self._index = index._view(_known=replace(index._known, info=None))
        self._suffix = np.empty(0, np.int64)
        self._count = self._index.token_count
        self._generation = self._index.generation

    @property
    def suffix_length(self) -> int:
        """Tokens of the longest suffix that occurs."""
        return self._suffix.size

    @property
    def count(self) -> int:
        """Occurrences of that suffix; of the empty one, all tokens."""
        return self._count

    def find(self) -> list[Interval]:
        """See ``Cursor.find``."""
        found = self._index.find(self._suffix)
        self._require_same()
        return found

    def extend(self, tokens: Query) -> None:
        """Append tokens, or a string, which is encoded with the index's tokenizer.

        Raises:
            QueryError: an id the vocabulary lacks; nothing is appended.
            ServiceError: another index is served than when the cursor was made.
        """
        ids = as_ids(self._index.encode(tokens) if isinstance(tokens, str) else tokens)
        suffix, count = self._suffix, self._count
        for start in range(0, ids.size, _CHUNK):
            text = np.concatenate([suffix, ids[start : start + _CHUNK]])
            # The last token is as good as any: what is asked for is the suffix.
            found = self._index.infgram_prob(text, int(text[-1]))
            self._require_same()
            suffix, count = text[text.size - found.suffix_length :], found.context_count
        self._suffix, self._count = suffix, count

    def prob(self, token: int | str) -> InfgramProbability:
        """``infgram_prob`` of the stream and a token."""
        found = self._index.infgram_prob(self._suffix, token)
        self._require_same()
        return found

    def ntd(self, limit: int | None = None) -> InfgramDistribution:
        """``infgram_ntd`` of the stream."""
        found = self._index.infgram_ntd(self._suffix, limit)
        self._require_same()
        return found

    def copy(self) -> RemoteCursor:
        """Another cursor at the same place, to go on another way."""
        other = object.__new__(RemoteCursor)
        other.__dict__.update(self.__dict__)
        return other

    def _require_same(self) -> None:
        if self._index.generation != self._generation:
            found = "another index is served than when it was made"
            raise ServiceError("the cursor", found, "one index", "make another cursor")

    def __repr__(self) -> str:
        return f"Cursor(the last {self.suffix_length} tokens occur {self._count:,} times)"
