"""Where a text comes from, and which examples of a benchmark are in the corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gramdex.errors import QueryError
from gramdex.fmindex.index import CONTEXT
from gramdex.fmindex.queries.attribution import KEEP
from gramdex.fmindex.queries.contamination.judging import MOST_COUNT
from gramdex.fmindex.queries.contamination.results import Contamination, Evidence, Example
from gramdex.rpc import v1
from gramdex.rpc.messages.contamination import (
    read_definitions,
    read_example,
    write_judged,
    write_offender,
    write_summary,
)
from gramdex.rpc.messages.documents import write_attribution
from gramdex.rpc.messages.queries import optional
from gramdex.rpc.server.call import Answer, Call

_PART = 100
"""Examples, and documents, of one message."""


def attribute(call: Call, request: v1.AttributeRequest) -> v1.AttributeResponse:
    """The parts of a text that stand in the corpus; without documents where none are served."""
    text = call.query("text", request.text)
    if request.keep_all and request.HasField("keep"):
        raise QueryError("keep", "keep_all beside it", "one of them")
    most = call.most_documents(request) if call.serves_documents else 0
    found = call.index.attribute(
        text,
        min_length=optional(request, "min_length"),
        max_count=optional(request, "max_count"),
        keep=None if request.keep_all else optional(request, "keep", KEEP),
        words=optional(request, "words"),
        sentences=request.sentences,
        max_documents=most,
        context=None if request.whole_documents else optional(request, "context", CONTEXT),
        seed=request.seed,
    )
    return write_attribution(found)


def contamination(
    call: Call, requests: Iterable[v1.ContaminationRequest]
) -> Iterator[v1.ContaminationResponse]:
    """Every example judged; without its evidence's text where no documents are served."""
    options, examples = _read_examples(call, requests)
    found = call.index.contamination(
        examples,
        definitions=read_definitions("options.definitions", options.definitions),
        most_count=optional(options, "most_count", MOST_COUNT),
    )
    if not call.serves_documents:
        found = _without_texts(found)
    for start in range(0, len(found.judged), _PART):
        some = found.judged[start : start + _PART]
        yield v1.ContaminationResponse(
            judged=[write_judged(start + i, judged) for i, judged in enumerate(some)]
        )
    for start in range(0, len(found.offenders), _PART):
        some_offenders = found.offenders[start : start + _PART]
        yield v1.ContaminationResponse(offenders=map(write_offender, some_offenders))
    yield v1.ContaminationResponse(summary=write_summary(found))


def _read_examples(
    call: Call, requests: Iterable[v1.ContaminationRequest]
) -> tuple[v1.ContaminationOptions, list[Example]]:
    options, size = v1.ContaminationOptions(), 0
    examples: list[Example] = []
    for number, request in enumerate(requests):
        if request.HasField("options"):
            if number:
                raise QueryError("options", f"in message {number}", "in the first alone")
            options = request.options
        size += request.ByteSize()
        call.limits.check("examples", "examples", len(examples) + len(request.examples))
        call.limits.check("example_bytes", "examples", size)
        examples += map(read_example, request.examples)
    return options, examples


def _without_texts(found: Contamination) -> Contamination:
    """As it is, but for metadata and what stands around windows in the corpus."""
    judged = [replace(each, evidence=_without_text(each.evidence)) for each in found.judged]
    offenders = [replace(each, metadata={}) for each in found.offenders]
    return replace(found, judged=judged, offenders=offenders)


def _without_text(evidence: Evidence | None) -> Evidence | None:
    if evidence is None:
        return None
    end = len(evidence.window)
    return replace(evidence, metadata={}, context=evidence.window, start=0, end=end)


ANSWERS: dict[str, Answer] = {"Attribute": attribute, "Contamination": contamination}
