"""Documents, by number, position and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from gramdex.errors import RefusedError
from gramdex.fmindex.results import Document
from gramdex.rpc import v1
from gramdex.rpc.messages.documents import write_document, write_search_summary
from gramdex.rpc.messages.queries import optional
from gramdex.rpc.server.call import Answer, Call

_PART = 1 << 20
"""Bytes of documents from which on a message is sent."""


def documents(call: Call, request: v1.DocumentsRequest) -> Iterator[v1.DocumentsResponse]:
    """Documents that hold a query."""
    require_documents(call)
    query = call.query("query", request.query)
    most, context = _most(call, request), optional(request, "context")
    found = call.index.documents(query, most, context, request.skip)
    return (v1.DocumentsResponse(documents=some) for some in parts_of(found))


def get_document(call: Call, request: v1.GetDocumentRequest) -> v1.GetDocumentResponse:
    """A document by its number."""
    require_documents(call)
    if request.metadata_only:
        metadata = json.dumps(call.index.metadata(request.number))
        message = v1.Document(number=request.number, metadata_json=metadata)
    else:
        message = write_document(call.index.document(request.number))
    return v1.GetDocumentResponse(document=message)


def get_document_at(call: Call, request: v1.GetDocumentAtRequest) -> v1.GetDocumentAtResponse:
    """The document around a position."""
    require_documents(call)
    context = optional(request, "context")
    found = call.index.document_at(request.shard, request.position, context)
    return v1.GetDocumentAtResponse(document=write_document(found))


def search(call: Call, request: v1.SearchRequest) -> Iterator[v1.SearchResponse]:
    """Documents in which every clause stands; their number where documents are not served."""
    found = call.index.search(
        call.cnf("", request),
        _most(call, request) if call.serves_documents else 0,
        optional(request, "window"),
        optional(request, "seed"),
        optional(request, "context"),
        request.skip,
    )
    parts = parts_of(found.documents)
    yield v1.SearchResponse(summary=write_search_summary(found), documents=next(parts, ()))
    yield from (v1.SearchResponse(documents=some) for some in parts)


def require_documents(call: Call) -> None:
    """Refuse where texts of the corpus are not given out; RefusedError."""
    if not call.serves_documents:
        raise RefusedError("documents", "this server gives none out", "a query without them")


def _most(call: Call, request: Any) -> int:
    most = call.most_documents(request)
    call.limits.check("documents", "skip", request.skip)
    return most


def parts_of(found: Iterable[Document]) -> Iterator[list[v1.Document]]:
    """Documents for one message after the other; at least one, which may be empty."""
    part: list[v1.Document] = []
    size = 0
    for document in found:
        part.append(write_document(document))
        size += part[-1].ByteSize()
        if size >= _PART:
            yield part
            part, size = [], 0
    yield part


ANSWERS: dict[str, Answer] = {
    "Documents": documents,
    "GetDocument": get_document,
    "GetDocumentAt": get_document_at,
    "Search": search,
}
