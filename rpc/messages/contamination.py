"""Examples, definitions and verdicts of a contamination check."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from gramdex.errors import QueryError, UsageError
from gramdex.fmindex.queries.contamination.definitions import DEFINITIONS, Definition, adjust
from gramdex.fmindex.queries.contamination.results import (
    PARTS,
    Contamination,
    Evidence,
    Example,
    Judged,
    Measure,
    Offender,
    Span,
)
from gramdex.rpc import v1
from gramdex.rpc.messages.queries import optional, require_text


def write_example(example: Example) -> v1.Example:
    """One problem of a benchmark; TokenizerError where a text is none that can be sent."""
    for text in example.question + example.answer:
        require_text(f"example {example.name}", text)
    return v1.Example(
        name=example.name, question=example.question, answer=example.answer, join=example.join
    )


def read_example(message: v1.Example) -> Example:
    """One problem of a benchmark."""
    question, answer = tuple(message.question), tuple(message.answer)
    return Example(message.name, question, answer, optional(message, "join"))


def write_definition(definition: Definition) -> v1.Definition:
    """A definition with its parameters."""
    parameters = json.dumps(definition.describe()["parameters"])
    return v1.Definition(name=definition.name, parameters_json=parameters)


def read_definitions(field: str, messages: Sequence[v1.Definition]) -> tuple[Definition, ...]:
    """Definitions with their parameters; all of them where there is no message.

    Raises:
        QueryError: one is unknown, or a parameter has no meaning.
    """
    if not messages:
        return DEFINITIONS
    known = {each.name: each for each in DEFINITIONS}
    return tuple(
        _read_definition(f"{field}[{number}]", message, known)
        for number, message in enumerate(messages)
    )


def _read_definition(
    field: str, message: v1.Definition, known: dict[str, Definition]
) -> Definition:
    if message.name not in known:
        raise QueryError(f"{field}.name", repr(message.name), f"one of {', '.join(known)}")
    try:
        parameters = json.loads(message.parameters_json or "{}")
    except ValueError as error:
        raise QueryError(f"{field}.parameters_json", str(error), "a JSON object") from error
    if not isinstance(parameters, dict):
        found = f"a {type(parameters).__name__}"
        raise QueryError(f"{field}.parameters_json", found, "a JSON object")
    settings = [f"{message.name}.{name}={json.dumps(value)}" for name, value in parameters.items()]
    try:
        return adjust([known[message.name]], settings)[0]
    except UsageError as error:
        raise QueryError(f"{field}.parameters_json", error.found, error.expected) from error


def write_judged(number: int, judged: Judged) -> v1.Judged:
    """An example's verdicts and evidence."""
    return v1.Judged(
        number=number,
        parts=[
            v1.PartMeasures(
                part=part,
                measures=[
                    v1.Measure(definition=name, verdict=m.verdict, found=m.found, total=m.total)
                    for name, m in judged.measures[part].items()
                ],
            )
            for part in PARTS
        ],
        spans=map(_write_span, judged.spans),
        evidence=None if judged.evidence is None else _write_evidence(judged.evidence),
    )


def read_judged(message: v1.Judged, example: Example) -> Judged:
    """An example's verdicts and evidence."""
    measures = {
        part.part: {m.definition: Measure(m.verdict, m.found, m.total) for m in part.measures}
        for part in message.parts
    }
    evidence = _read_evidence(message.evidence) if message.HasField("evidence") else None
    return Judged(example, measures, tuple(map(_read_span, message.spans)), evidence)


def write_offender(offender: Offender) -> v1.Offender:
    """A document that would have to go."""
    return v1.Offender(
        number=offender.number,
        metadata_json=json.dumps(offender.metadata),
        examples=offender.examples,
        window=offender.window,
        count=offender.count,
    )


def write_summary(found: Contamination) -> v1.ContaminationSummary:
    """What is said once of a whole check."""
    definitions = {name: json.dumps(each) for name, each in found.definitions.items()}
    return v1.ContaminationSummary(
        definitions_json=definitions,
        unavailable=found.unavailable,
        not_followed=found.not_followed,
    )


def read_contamination(
    examples: Sequence[Example], messages: Iterable[v1.ContaminationResponse]
) -> Contamination:
    """A whole check from all messages of its answer."""
    judged: dict[int, Judged] = {}
    offenders: list[Offender] = []
    summary = v1.ContaminationSummary()
    for message in messages:
        judged |= {each.number: read_judged(each, examples[each.number]) for each in message.judged}
        offenders += map(_read_offender, message.offenders)
        if message.HasField("summary"):
            summary = message.summary
    # A map has no order of its own; definitions are told in that of the verdicts.
    described = {name: json.loads(text) for name, text in summary.definitions_json.items()}
    named = judged[0].measures[PARTS[0]]
    return Contamination(
        [judged[number] for number in range(len(examples))],
        {name: described[name] for name in named},
        dict(sorted(summary.unavailable.items())),
        offenders,
        summary.not_followed,
    )


def _read_offender(message: v1.Offender) -> Offender:
    metadata, examples = json.loads(message.metadata_json), list(message.examples)
    return Offender(message.number, metadata, examples, message.window, message.count)


def _write_span(span: Span) -> v1.ExampleSpan:
    return v1.ExampleSpan(part=span.part, text=span.text, start=span.start, end=span.end)


def _read_span(span: v1.ExampleSpan) -> Span:
    return Span(span.part, span.text, span.start, span.end)


def _write_evidence(evidence: Evidence) -> v1.Evidence:
    return v1.Evidence(
        definition=evidence.definition,
        span=None if evidence.span is None else _write_span(evidence.span),
        window=evidence.window,
        normalized=evidence.normalized,
        count=evidence.count,
        document=evidence.document,
        metadata_json=json.dumps(evidence.metadata),
        context=evidence.context,
        start=evidence.start,
        end=evidence.end,
    )


def _read_evidence(message: v1.Evidence) -> Evidence:
    return Evidence(
        definition=message.definition,
        span=_read_span(message.span) if message.HasField("span") else None,
        window=message.window,
        normalized=message.normalized,
        count=message.count,
        document=message.document,
        metadata=json.loads(message.metadata_json),
        context=message.context,
        start=message.start,
        end=message.end,
    )
