"""The steps that a router takes over this and other servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from gramdex.errors import RefusedError
from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import count_tokens, read_int64, read_tokens, write_int64
from gramdex.rpc.messages.part import (
    read_id_lists,
    read_table,
    write_search_part,
    write_table,
)
from gramdex.rpc.messages.queries import optional
from gramdex.rpc.server.answers.documents import parts_of, require_documents
from gramdex.rpc.server.call import Answer, Call

if TYPE_CHECKING:
    from gramdex.fmindex.part import IndexPart


def documents_found(call: Call, request: v1.DocumentsFoundRequest) -> v1.DocumentsFoundResponse:
    """How many documents hold a query."""
    query = call.query("query", request.query)
    call.limits.check("documents", "most", request.most)
    return v1.DocumentsFoundResponse(count=_part(call).documents_found(query, request.most))


def clause_counts(call: Call, request: v1.ClauseCountsRequest) -> v1.ClauseCountsResponse:
    """Count and longest occurrence of each clause."""
    found = _part(call).clause_counts(*_cnf(call, request.cnf))
    return v1.ClauseCountsResponse(counts=write_table(found))


def search_part(call: Call, request: v1.SearchPartRequest) -> v1.SearchPartResponse:
    """Matches here."""
    cnf, window = _cnf(call, request.cnf)
    seed = optional(request, "seed")
    call.limits.check("documents", "most", request.most)
    found = _part(call).search(cnf, window, request.anchor, seed, request.confidence, request.most)
    return write_search_part(found)


def search_places(call: Call, request: v1.SearchPlacesRequest) -> v1.SearchPlacesResponse:
    """First matches in some of the documents."""
    cnf, window = _cnf(call, request.cnf)
    ordinals = read_int64("ordinals", request.ordinals)
    call.limits.check("documents", "ordinals", ordinals.size)
    seed = optional(request, "seed")
    found = _part(call).search_places(cnf, window, request.anchor, seed, ordinals)
    return v1.SearchPlacesResponse(places=write_table(found))


def search_documents(
    call: Call, request: v1.SearchDocumentsRequest
) -> Iterator[v1.SearchDocumentsResponse]:
    """Documents at places of a search."""
    require_documents(call)
    cnf, _ = _cnf(call, request.cnf)
    places = read_table("places", request.places, 2)
    call.limits.check("documents", "places", len(places))
    call.limits.check("text_tokens", "length", request.length)
    context = optional(request, "context")
    found = _part(call).search_documents(cnf, places, request.length, context)
    return (v1.SearchDocumentsResponse(documents=some) for some in parts_of(found))


def located(call: Call, request: v1.LocatedRequest) -> v1.LocatedResponse:
    """Occurrences in the files."""
    found = _part(call).located(_queries(call, request.queries))
    return v1.LocatedResponse(counts=write_int64(found))


def occurrences(call: Call, request: v1.OccurrencesRequest) -> v1.OccurrencesResponse:
    """Where some occurrences stand."""
    which, numbers = read_int64("which", request.which), read_int64("numbers", request.numbers)
    call.limits.check("located", "numbers", numbers.size)
    found = _part(call).occurrences(_queries(call, request.queries), which, numbers)
    return v1.OccurrencesResponse(rows=write_table(found))


def word_counts(call: Call, request: v1.WordCountsRequest) -> v1.WordCountsResponse:
    """How often words of a text stand around places."""
    places = read_table("places", request.places, 3)
    call.limits.check("batch", "places", len(places))
    call.limits.check("query_tokens", "text", count_tokens(request.text))
    longest = int(places[:, 2].max(initial=0))
    call.limits.check("text_tokens", "places", longest)
    text = read_tokens("text", request.text)
    counts, sizes = _part(call).word_counts(places, text)
    return v1.WordCountsResponse(counts=write_table(counts), sizes=write_int64(sizes))


def documents_around(
    call: Call, request: v1.DocumentsAroundRequest
) -> Iterator[v1.DocumentsAroundResponse]:
    """Documents at places, with the occurrences of queries."""
    require_documents(call)
    places = read_table("places", request.places, 3)
    call.limits.check("batch", "places", len(places))
    context, queries = optional(request, "context"), _queries(call, request.queries)
    found = _part(call).documents_around(queries, places, context)
    return (v1.DocumentsAroundResponse(documents=some) for some in parts_of(found))


def _part(call: Call) -> IndexPart:
    part = getattr(call.index, "part", None)
    if part is None:
        raise RefusedError("parts", "this server is a router itself", "servers of indexes")
    return part


def _cnf(call: Call, cnf: v1.Cnf) -> tuple:
    """What is searched for, and the window."""
    return call.cnf("cnf.", cnf), optional(cnf, "window")


def _queries(call: Call, batch: v1.TokenBatch) -> list[np.ndarray]:
    call.limits.check("batch", "queries.lengths", len(batch.lengths) // 4)
    call.limits.check("batch_tokens", "queries.tokens", count_tokens(batch.tokens))
    return read_id_lists("queries", batch)


ANSWERS: dict[str, Answer] = {
    "DocumentsFound": documents_found,
    "ClauseCounts": clause_counts,
    "SearchPart": search_part,
    "SearchPlaces": search_places,
    "SearchDocuments": search_documents,
    "Located": located,
    "Occurrences": occurrences,
    "WordCounts": word_counts,
    "DocumentsAround": documents_around,
}
