"""Occurrences: how many, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from gramdex.errors import QueryError, ServiceError
from gramdex.fmindex.batches import listed
from gramdex.fmindex.queries.patterns import Ids, Query, as_number, flatten_ids
from gramdex.fmindex.results import Interval, TextMatches
from gramdex.rpc import v1
from gramdex.rpc.client.asking import Asking
from gramdex.rpc.client.splitting import ask_parts, parts_of
from gramdex.rpc.messages.arrays import read_int64, write_tokens
from gramdex.rpc.messages.queries import require_ids, write_query
from gramdex.rpc.messages.results import read_interval, read_text_matches, write_interval

_QUERIES = 1 << 12
"""Of one part of a batch: with four times as many, half as many are answered in a second."""


class Counting(Asking):
    """``count`` and its like."""

    def count(self, query: Query) -> int:
        """See ``Index.count``."""
        return self._ask("Count", v1.CountRequest(query=write_query(query))).count

    def count_batch(self, queries: Sequence[Query] | np.ndarray) -> np.ndarray:
        """See ``Index.count_batch``; as many calls as the limits of the server ask for."""
        if not isinstance(queries, np.ndarray):
            queries = listed("queries", queries)
            if any(issubclass(kind, str) for kind in set(map(type, queries))):
                return self._count_mixed(queries)
        return self.count_flat(*flatten_ids(queries))

    def count_flat(self, ids: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Occurrences of each ``ids[offsets[i]:offsets[i + 1]]``; int64 arrays."""
        ids, lengths = require_ids(ids), np.diff(offsets)

        def ask(index: Asking, part: slice) -> Any:
            some = ids[offsets[part.start] : offsets[part.stop]]
            batch = v1.TokenBatch(
                tokens=write_tokens(some), lengths=lengths[part].astype("<u4").tobytes()
            )
            return index._ask("CountBatch", v1.CountBatchRequest(tokens=batch))

        return self._counts(lengths, ask)

    def _count_mixed(self, queries: list[Query]) -> np.ndarray:
        messages = [write_query(query) for query in queries]

        def ask(index: Asking, part: slice) -> Any:
            return index._ask("CountBatch", v1.CountBatchRequest(queries=messages[part]))

        # What the server adds up is the size of the request: a tag and a length come to each.
        sizes = np.fromiter((each.ByteSize() + 6 for each in messages), np.int64, len(messages))
        return self._counts(sizes, ask)

    def _counts(self, sizes: np.ndarray, ask: Any) -> np.ndarray:
        if not sizes.size:
            return np.empty(0, np.int64)
        answers = ask_parts(self, parts_of(self, sizes, _QUERIES), ask)
        counts = [read_int64("counts", answer.counts) for answer in answers]
        return counts[0] if len(counts) == 1 else np.concatenate(counts)

    @overload
    def find(self, query: Ids) -> list[Interval]: ...
    @overload
    def find(self, query: str) -> TextMatches: ...
    def find(self, query: Query) -> list[Interval] | TextMatches:
        """See ``Index.find``; the intervals are those of the index that is served now."""
        messages = list(self._stream("Find", v1.FindRequest(query=write_query(query))))
        if isinstance(query, str):
            return read_text_matches(message.matches for message in messages)
        self._known.found = messages[0].generation
        return [read_interval(each) for message in messages for each in message.intervals]

    def locate(self, interval: Interval) -> np.ndarray:
        """See ``Index.locate``.

        Raises:
            ServiceError: another index is served than when ``find`` was last asked.
        """
        numbers = [as_number(name, getattr(interval, name)) for name in ("shard", "low", "high")]
        if max(numbers) >= 1 << 63:
            raise QueryError("interval", repr(interval), "an interval that find returned")
        request = v1.LocateRequest(interval=write_interval(Interval(*numbers)))
        messages = list(self._stream("Locate", request))
        if self._known.found not in (0, messages[0].generation):
            found = "another index is served than the one it was found in"
            raise ServiceError(repr(interval), found, "one index", "find it again")
        return np.concatenate([read_int64("positions", each.positions) for each in messages])
