"""Occurrences: how many, and where."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.results import TextMatches
from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import count_tokens, read_token_rows, write_int64
from gramdex.rpc.messages.results import read_interval, write_interval, write_text_matches
from gramdex.rpc.server.call import Answer, Call

_PART = 1 << 16
"""Occurrences of one message."""


def count(call: Call, request: v1.CountRequest) -> v1.CountResponse:
    """Occurrences of a query."""
    return v1.CountResponse(count=call.index.count(call.query("query", request.query)))


def count_batch(call: Call, request: v1.CountBatchRequest) -> v1.CountBatchResponse:
    """Occurrences of many queries."""
    if request.HasField("tokens"):
        if request.queries:
            raise QueryError("queries", "tokens beside them", "one of them")
        counts = _count_rows(call, request.tokens)
    else:
        call.limits.check("batch", "queries", len(request.queries))
        call.limits.check("batch_tokens", "queries", request.ByteSize())
        queries = [call.query(f"queries[{i}]", each) for i, each in enumerate(request.queries)]
        counts = call.index.count_batch(queries)
    return v1.CountBatchResponse(counts=write_int64(counts))


def _count_rows(call: Call, batch: v1.TokenBatch) -> np.ndarray:
    call.limits.check("batch", "tokens.lengths", len(batch.lengths) // 4)
    call.limits.check("batch_tokens", "tokens.tokens", count_tokens(batch.tokens))
    ids, offsets = read_token_rows("tokens", batch)
    call.limits.check("query_tokens", "tokens.lengths", int(np.diff(offsets).max(initial=0)))
    return call.index.count_flat(ids, offsets)


def find(call: Call, request: v1.FindRequest) -> Iterator[v1.FindResponse]:
    """Intervals of ids in one message; occurrences of a text in as many as it takes."""
    found = call.index.find(call.query("query", request.query))
    if not isinstance(found, TextMatches):
        yield v1.FindResponse(intervals=map(write_interval, found))
        return
    for start in range(0, max(found.count, 1), _PART):
        yield v1.FindResponse(matches=write_text_matches(found, start, start + _PART))


def locate(call: Call, request: v1.LocateRequest) -> Iterator[v1.LocateResponse]:
    """Positions, ascending."""
    if not request.HasField("interval"):
        raise QueryError("interval", "nothing", "an interval that Find returned")
    interval = read_interval(request.interval)
    call.limits.check("located", "interval", interval.high - interval.low)
    positions = call.index.locate(interval)
    for start in range(0, max(positions.size, 1), _PART):
        yield v1.LocateResponse(positions=write_int64(positions[start : start + _PART]))


ANSWERS: dict[str, Answer] = {
    "Count": count,
    "CountBatch": count_batch,
    "Find": find,
    "Locate": locate,
}
