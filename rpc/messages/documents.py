"""Documents, and the answers that hold some: search and attribution."""

from __future__ import annotations

import json

from gramdex.fmindex.evidence import AttributedSpan, Attribution, SearchResult, Source
from gramdex.fmindex.results import Document, Match
from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import read_int64, read_tokens, write_int64, write_tokens
from gramdex.rpc.messages.queries import optional


def write_document(document: Document) -> v1.Document:
    """A document or a part of it."""
    return v1.Document(
        number=document.number,
        shard=document.shard,
        token_count=document.token_count,
        start=document.start,
        end=document.end,
        ids=write_tokens(document.ids),
        text=document.text,
        metadata_json=json.dumps(document.metadata),
        matches=[
            v1.Occurrence(start=m.start, end=m.end, text_start=m.text_start, text_end=m.text_end)
            for m in document.matches
        ],
    )


def read_document(message: v1.Document) -> Document:
    """A document or a part of it."""
    return Document(
        number=message.number,
        shard=message.shard,
        token_count=message.token_count,
        start=message.start,
        end=message.end,
        ids=read_tokens("ids", message.ids),
        text=optional(message, "text"),
        metadata=json.loads(message.metadata_json),
        matches=tuple(
            Match(m.start, m.end, optional(m, "text_start"), optional(m, "text_end"))
            for m in message.matches
        ),
    )


def write_search_summary(found: SearchResult) -> v1.SearchSummary:
    """All of a search but its documents."""
    return v1.SearchSummary(
        count=found.count,
        exact=found.exact,
        low=found.low,
        high=found.high,
        document_count=found.document_count,
        anchor=found.anchor,
        sampled=found.sampled,
    )


def read_search(message: v1.SearchSummary, documents: list[v1.Document]) -> SearchResult:
    """What a search found."""
    return SearchResult(
        count=message.count,
        exact=message.exact,
        low=message.low,
        high=message.high,
        document_count=optional(message, "document_count"),
        documents=tuple(map(read_document, documents)),
        anchor=message.anchor,
        sampled=message.sampled,
    )


def write_attribution(found: Attribution) -> v1.AttributeResponse:
    """The parts of a text that stand in the corpus."""
    return v1.AttributeResponse(
        ids=write_tokens(found.ids),
        spans=map(_write_span, found.spans),
        found=found.found,
        lengths=write_int64(found.lengths),
    )


def read_attribution(message: v1.AttributeResponse) -> Attribution:
    """The parts of a text that stand in the corpus."""
    return Attribution(
        read_tokens("ids", message.ids),
        tuple(map(_read_span, message.spans)),
        message.found,
        read_int64("lengths", message.lengths),
    )


def _write_span(span: AttributedSpan) -> v1.Span:
    return v1.Span(
        start=span.start,
        end=span.end,
        count=span.count,
        log_probability=span.log_probability,
        text=span.text,
        sources=[
            v1.Source(score=each.score, document=write_document(each.document))
            for each in span.sources
        ],
    )


def _read_span(span: v1.Span) -> AttributedSpan:
    return AttributedSpan(
        span.start,
        span.end,
        span.count,
        span.log_probability,
        optional(span, "text"),
        tuple(Source(each.score, read_document(each.document)) for each in span.sources),
    )
