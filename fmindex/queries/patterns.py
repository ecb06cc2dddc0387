"""From what a caller passes as a query to ranks.

Ids are ids, and text is text: where a query counts occurrences, a string stands for its bytes;
where it asks for probabilities, a string is encoded with the tokenizer of the index.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.tokenizers import Tokenizer

Ids: TypeAlias = "Sequence[int] | np.ndarray"
Query: TypeAlias = "Ids | str"

_INT64 = np.dtype(np.int64)


class PatternReader:
    """Turns queries into contiguous int64 arrays of ranks.

    Args:
        vocabulary: ids and ranks of the index.
        tokenizer: the tokenizer of the index.
    """

    def __init__(self, vocabulary: Vocabulary, tokenizer: Tokenizer) -> None:
        self._vocabulary = vocabulary
        self._tokenizer = tokenizer

    def occurrences(self, query: Query) -> np.ndarray:
        """Ranks of a query whose occurrences are meant: a string is its bytes.

        On indexes of other tokens than bytes, strings are for ``TextReader``.

        Raises:
            QueryError: no ids, or an id the vocabulary lacks.
        """
        if isinstance(query, str):
            query = self._text_ids(query)
        return self._vocabulary.to_ranks(as_ids(query))

    def occurrences_batch(
        self, queries: Sequence[Query] | np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Ranks of many queries one after the other, and int64[k + 1] where each begins."""
        if isinstance(queries, str):
            raise QueryError("queries", "one string", "a list of queries", "put it in a list")
        if not isinstance(queries, np.ndarray):
            queries = [self._text_ids(q) if isinstance(q, str) else q for q in queries]
        ids, offsets = flatten_ids(queries)
        return self._vocabulary.to_ranks(ids), offsets

    def encoded(self, query: Query) -> np.ndarray:
        """Ranks of a query that continues: a string is encoded with the index's tokenizer.

        Raises:
            QueryError: no ids, or an id the vocabulary lacks.
            TokenizerError: a string on an index without a tokenizer.
        """
        if isinstance(query, str):
            query = self._tokenizer.encode(query)
        return self._vocabulary.to_ranks(as_ids(query))

    def token(self, token: int | str) -> int:
        """Rank of one token, or of a string that is encoded as one token.

        Raises:
            QueryError: it is no token of the vocabulary, or the string is several tokens.
        """
        ranks = self.encoded(token if isinstance(token, str) else [token])
        if ranks.size != 1:
            raise QueryError(
                f"token {token!r}", f"{ranks.size} tokens", "one token", "ask for one at a time"
            )
        return int(ranks[0])

    def _text_ids(self, text: str) -> np.ndarray:
        """Ids of a string on an index of bytes; elsewhere of the empty one."""
        if not text:
            return np.empty(0, np.uint32)
        assert self._tokenizer.kind == "bytes"  # others are asked by ``TextReader``
        return self._tokenizer.encode(text)


def as_ids(query: Any) -> np.ndarray:
    """The ids of a query as a new contiguous int64 array.

    Raises:
        QueryError: it is not a flat sequence of integers.
    """
    try:
        ids = np.array(query)
    except (ValueError, TypeError, OverflowError) as error:
        raise _not_ids(str(error)) from error
    if ids.dtype is _INT64 and ids.ndim == 1:
        return ids
    if ids.ndim == 1 and ids.size == 0:
        return np.empty(0, np.int64)
    return _as_int64(ids, 1)


def as_number(name: str, value: Any, least: int = 0) -> int:
    """An argument that is a whole number, as an int.

    Raises:
        QueryError: it is none, or below ``least``.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise QueryError(name, repr(value), f"a whole number from {least} on")
    return number


def as_interval(interval: Any, sizes: Sequence[int]) -> tuple[int, int, int]:
    """Shard and ranks [low, high) of an interval in shards of these sizes.

    Raises:
        QueryError: it does not lie in one of them.
    """
    shard, low, high = (as_number(n, getattr(interval, n)) for n in ("shard", "low", "high"))
    if not shard < len(sizes) or not low <= high <= sizes[shard]:
        raise QueryError("interval", repr(interval), "an interval that find returned")
    return shard, low, high


def flatten_ids(queries: Any) -> tuple[np.ndarray, np.ndarray]:
    """Many id sequences as one new int64 array and int64[k + 1] offsets.

    A list of lists or arrays, or a 2-D array of one query a row.

    Raises:
        QueryError: something else.
    """
    if isinstance(queries, np.ndarray) and queries.dtype != object:
        rows = _as_int64(np.array(queries), 2)
        return rows.reshape(-1), np.arange(rows.shape[0] + 1) * rows.shape[1]
    try:
        queries = list(queries)
    except TypeError as error:
        raise _not_ids(f"a {type(queries).__name__}") from error
    if set(map(type, queries)) <= {list, tuple}:
        ids = as_ids(list(chain.from_iterable(queries)))
    else:
        queries = [as_ids(query) for query in queries]
        ids = np.concatenate(queries)
    offsets = np.zeros(len(queries) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, queries), np.int64, len(queries)), out=offsets[1:])
    return ids, offsets


def _as_int64(ids: np.ndarray, dimensions: int) -> np.ndarray:
    if ids.dtype.kind not in "iu" or ids.ndim != dimensions:
        raise _not_ids(f"{ids.ndim}-dimensional {ids.dtype}")
    if ids.dtype == np.uint64 and ids.size and ids.max() > np.iinfo(np.int64).max:
        raise _not_ids(f"id {int(ids.max())}")
    return np.ascontiguousarray(ids, np.int64)


def _not_ids(found: str) -> QueryError:
    return QueryError("query", found, "a flat sequence of integer token ids, or a string")
