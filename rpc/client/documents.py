"""Documents, by number, position and what stands in them; where a text comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from gramdex.errors import QueryError
from gramdex.fmindex.batches import listed
from gramdex.fmindex.evidence import Attribution, SearchResult
from gramdex.fmindex.index import CONTEXT, DOCUMENTS
from gramdex.fmindex.queries.attribution import KEEP, SpanOptions
from gramdex.fmindex.queries.contamination.corpus import Corpus, NormalizedIndex
from gramdex.fmindex.queries.contamination.definitions import DEFINITIONS, Definition
from gramdex.fmindex.queries.contamination.judging import MOST_COUNT, contamination
from gramdex.fmindex.queries.contamination.results import Contamination, Example, as_example
from gramdex.fmindex.queries.patterns import Query, as_number
from gramdex.fmindex.queries.search import list_clauses, list_phrases
from gramdex.fmindex.results import Document
from gramdex.rpc import v1
from gramdex.rpc.client.asking import exact, whole
from gramdex.rpc.client.predicting import Predicting
from gramdex.rpc.messages.contamination import (
    read_contamination,
    write_definition,
    write_example,
)
from gramdex.rpc.messages.documents import read_attribution, read_document, read_search
from gramdex.rpc.messages.queries import require_text, write_clauses, write_query

_TEXTS = 16
"""Of one part of a batch."""

_EXAMPLE_BYTES = 1 << 20
"""Of one message."""

_SPAN_OPTIONS = ("min_length", "max_count", "keep", "words", "sentences")
_MOST_COUNT = (1 << 63) - 1


class Documents(Predicting):
    """``documents``, ``search``, ``attribute``, ``contamination`` and single documents."""

    def documents(
        self,
        query: Query,
        max_documents: int = DOCUMENTS,
        context: int | None = None,
        skip: int = 0,
    ) -> list[Document]:
        """See ``Index.documents``."""
        request = v1.DocumentsRequest(
            query=write_query(query),
            max_documents=whole("max_documents", max_documents, none=False),
            context=whole("context", context),
            skip=whole("skip", skip, none=False),
        )
        messages = self._stream("Documents", request)
        return [read_document(each) for message in messages for each in message.documents]

    def document(self, number: int) -> Document:
        """See ``Index.document``."""
        request = v1.GetDocumentRequest(number=exact("document", number))
        return read_document(self._ask("GetDocument", request).document)

    def metadata(self, number: int) -> dict[str, Any]:
        """See ``Index.metadata``."""
        request = v1.GetDocumentRequest(number=exact("document", number), metadata_only=True)
        return json.loads(self._ask("GetDocument", request).document.metadata_json)

    def document_at(self, shard: int, position: int, context: int | None = None) -> Document:
        """See ``Index.document_at``."""
        request = v1.GetDocumentAtRequest(
            shard=exact("shard", shard),
            position=exact("position", position),
            context=whole("context", context),
        )
        return read_document(self._ask("GetDocumentAt", request).document)

    def search(
        self,
        cnf: str | Sequence[Sequence[Query] | str],
        max_documents: int = DOCUMENTS,
        window: int | None = None,
        seed: int | None = None,
        context: int | None = None,
        skip: int = 0,
    ) -> SearchResult:
        """See ``Index.search``."""
        request = v1.SearchRequest(
            max_documents=whole("max_documents", max_documents, none=False),
            window=whole("window", window),
            seed=None if seed is None else exact("seed", seed),
            context=whole("context", context),
            skip=whole("skip", skip, none=False),
        )
        if isinstance(cnf, str):
            request.query = require_text("query", cnf)
        else:
            clauses = [list_phrases(number, each) for number, each in enumerate(list_clauses(cnf))]
            request.clauses.extend(write_clauses(clauses))
        messages = list(self._stream("Search", request))
        shown = [document for message in messages for document in message.documents]
        return read_search(messages[0].summary, shown)

    def attribute(
        self,
        text: Query,
        min_length: int | None = None,
        max_count: int | None = None,
        keep: float | None = KEEP,
        words: bool | None = None,
        sentences: bool = False,
        max_documents: int = DOCUMENTS,
        context: int | None = CONTEXT,
        seed: int = 0,
    ) -> Attribution:
        """See ``Index.attribute``."""
        request = _attribution(
            SpanOptions(min_length, max_count, keep, words, sentences), max_documents, context, seed
        )
        request.text.CopyFrom(write_query(text))
        return read_attribution(self._ask("Attribute", request))

    def attribute_batch(self, texts: Sequence[Query], **options: Any) -> list[Attribution]:
        """See ``Index.attribute_batch``."""
        named = {name: options.pop(name) for name in _SPAN_OPTIONS if name in options}
        usual = _attribution(SpanOptions(**named), **options)
        requests = []
        for text in listed("texts", texts):
            request = v1.AttributeRequest(text=write_query(text))
            request.MergeFrom(usual)
            requests.append(request)
        return self._batch("Attribute", requests, read_attribution, _TEXTS)

    def contamination(
        self,
        examples: Iterable[Any],
        definitions: Sequence[Definition] = DEFINITIONS,
        normalized: NormalizedIndex | None = None,
        most_count: int = MOST_COUNT,
    ) -> Contamination:
        """See ``Index.contamination``.

        The server judges, and has one call's time for it. With an index of normalized text the
        examples are judged here, and what that takes is asked for query by query.

        Raises:
            UsageError: the index has no tokenizer.
            QueryError: no example or definition, or something that is none.
        """
        if normalized is not None:
            return contamination(self, examples, definitions, normalized, most_count)  # type: ignore[arg-type]
        given = [as_example(number, each) for number, each in enumerate(examples)]
        if not given:
            raise QueryError("examples", "none", "at least one")
        Corpus(self)  # type: ignore[arg-type]
        if not definitions:
            raise QueryError("definitions", "none of none", "at least one")
        # What occurs is more often than never: below 0 means 0.
        most_count = max(0, as_number("most_count", most_count, -_MOST_COUNT))
        options = v1.ContaminationOptions(
            definitions=map(write_definition, definitions),
            most_count=min(most_count, _MOST_COUNT),
        )
        messages = self._stream("Contamination", *_requests(options, given))
        found = read_contamination(given, messages)
        names = [each.name for each in definitions if each.name in found.unavailable]
        return replace(found, unavailable={name: found.unavailable[name] for name in names})


def _attribution(
    spans: SpanOptions,
    max_documents: int = DOCUMENTS,
    context: int | None = CONTEXT,
    seed: int = 0,
) -> v1.AttributeRequest:
    """The options of an attribution; the text is left out."""
    return v1.AttributeRequest(
        min_length=whole("min_length", spans.min_length, 1),
        max_count=whole("max_count", spans.max_count, 1),
        keep=spans.keep,
        keep_all=spans.keep is None,
        words=None if spans.words is None else bool(spans.words),
        sentences=bool(spans.sentences),
        max_documents=whole("max_documents", max_documents, none=False),
        context=whole("context", context),
        whole_documents=context is None,
        seed=exact("seed", seed),
    )


def _requests(
    options: v1.ContaminationOptions, examples: Sequence[Example]
) -> Iterator[v1.ContaminationRequest]:
    """Examples in messages of about a mebibyte, the options in the first."""
    request, size = v1.ContaminationRequest(options=options), 0
    for example in examples:
        message = write_example(example)
        if size and size + message.ByteSize() > _EXAMPLE_BYTES:
            yield request
            request, size = v1.ContaminationRequest(), 0
        request.examples.append(message)
        size += message.ByteSize()
    yield request
