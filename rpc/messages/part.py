"""What a router asks parts of an index for: tables of numbers, and searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.part import Cnf, SearchPart
from gramdex.fmindex.queries.patterns import Ids
from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import (
    read_int64,
    read_token_batch,
    write_int64,
    write_token_batch,
)
from gramdex.rpc.messages.queries import require_ids, require_text, write_clauses


def write_cnf(cnf: Cnf, window: int | None) -> v1.Cnf:
    """What is searched for; QueryError where it is none."""
    if isinstance(cnf, str):
        return v1.Cnf(query=require_text("search", cnf), window=window)
    return v1.Cnf(clauses=write_clauses(cnf), window=window)


def write_table(rows: Any) -> v1.Int64Array:
    """Rows of whole numbers."""
    return write_int64(np.asarray(rows))


def read_table(field: str, array: v1.Int64Array, columns: int) -> np.ndarray:
    """Rows of whole numbers, int64[k, columns]; QueryError where they are none."""
    values = read_int64(field, array)
    if values.size % columns:
        raise QueryError(field, f"{values.size} numbers", f"a multiple of {columns}")
    return values.reshape(-1, columns)


def write_id_lists(queries: Sequence[Ids]) -> v1.TokenBatch:
    """Queries of ids; QueryError where one is none."""
    return write_token_batch([require_ids(query) for query in queries])


def read_id_lists(field: str, batch: v1.TokenBatch) -> list[np.ndarray]:
    """Queries of ids; none where there is none."""
    return read_token_batch(field, batch) if batch.lengths else []


def write_search_part(found: SearchPart) -> v1.SearchPartResponse:
    """What one part says of a search."""
    return v1.SearchPartResponse(
        count=found.count,
        low=found.low,
        high=found.high,
        sampled=found.sampled,
        total=found.total,
        documents=found.documents,
        places=write_table(found.places),
    )


def read_search_part(message: v1.SearchPartResponse) -> SearchPart:
    """What one part says of a search."""
    return SearchPart(
        count=message.count,
        low=message.low,
        high=message.high,
        sampled=message.sampled,
        total=message.total,
        documents=message.documents,
        places=read_table("places", message.places, 2),
    )
