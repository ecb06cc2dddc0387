"""What goes into a contamination check and what comes out of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gramdex.errors import QueryError

PARTS = ("question", "answer", "both")
VERDICTS = ("dirty", "suspicious", "clean", "short")
"""From worst to best; "short": the text is too short for the definition to say anything."""


@dataclass(frozen=True, slots=True)
class Example:
    """One problem of a benchmark.

    Attributes:
        name: what it is called in reports.
        question, answer: their texts; several where the benchmark keeps them in several fields.
            No match crosses from one text to the next, for nobody knows what stands between them
            in a corpus.
        join: where the benchmark says so, what stands between them; then "both" is one text.
    """

    name: str
    question: tuple[str, ...]
    answer: tuple[str, ...] = ()
    join: str | None = None

    def texts(self, part: str) -> tuple[str, ...]:
        """The texts of one of ``PARTS``."""
        if part == "question":
            return self.question
        if part == "answer":
            return self.answer
        together = self.question + self.answer
        return together if self.join is None else (self.join.join(together),)

    def __repr__(self) -> str:
        return f"Example({self.name}, {' '.join(self.question)[:40]!r})"


def as_example(number: int, given: Any) -> Example:
    """An example from what a caller passes: a text, a pair of texts, or an ``Example``.

    Raises:
        QueryError: something else, or no text in it.
    """
    if isinstance(given, Example):
        example = given
    elif isinstance(given, str):
        example = Example(str(number), (given,))
    elif isinstance(given, tuple | list) and len(given) == 2:
        example = Example(str(number), (given[0],), (given[1],))
    else:
        found = f"a {type(given).__name__}"
        raise QueryError(f"example {number}", found, "a text, a question and its answer")
    for text in example.texts("question") + example.texts("answer"):
        if not isinstance(text, str):
            found = f"a {type(text).__name__}"
            raise QueryError(f"example {example.name}", found, "texts")
    return example


@dataclass(frozen=True, slots=True)
class Measure:
    """What one definition says of one part of one example.

    Attributes:
        verdict: one of ``VERDICTS``.
        found: windows or tokens that are in the corpus; of "longest", tokens of the longest match
            of each text.
        total: windows or tokens there are; 0 where the verdict is "short".
    """

    verdict: str
    found: int
    total: int

    @property
    def share(self) -> float | None:
        """Of the total, what was found; None where there is nothing to share."""
        return self.found / self.total if self.total else None

    def __repr__(self) -> str:
        return f"Measure({self.verdict}, {self.found}/{self.total})"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of text number ``text`` of the question or the answer."""

    part: str
    text: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """The rarest window of an example that is in the corpus.

    Attributes:
        definition: name of the one whose window it is.
        span: where it stands in the example; None where it crosses from question to answer.
        window: its text, as it was looked for.
        normalized: it was looked for in normalized text.
        count: its occurrences.
        document: number of the first document that holds it.
        metadata: of that document.
        context: text around it; the window is its characters [start, end).
    """

    definition: str
    span: Span | None
    window: str
    normalized: bool
    count: int
    document: int
    metadata: dict[str, Any]
    context: str
    start: int
    end: int

    def __repr__(self) -> str:
        return f"Evidence({self.count} × {self.window[:40]!r}, document {self.document})"


@dataclass(frozen=True, slots=True)
class Judged:
    """One example with every verdict.

    Attributes:
        example: the example.
        measures: by part, by name of the definition.
        spans: what of question and answer was found by any definition, in order, merged.
        evidence: None where no window was found.
    """

    example: Example
    measures: dict[str, dict[str, Measure]]
    spans: tuple[Span, ...] = ()
    evidence: Evidence | None = None

    def verdict(self, part: str = "both", definition: str | None = None) -> str:
        """What a definition says of a part; without one, the worst that any says."""
        named = self.measures[part]
        if definition is not None:
            return named[definition].verdict
        return min((m.verdict for m in named.values()), key=VERDICTS.index, default="short")

    def __repr__(self) -> str:
        return f"Judged({self.example.name}: {self.verdict()})"


@dataclass(slots=True)
class Offender:
    """A document of the corpus that would have to go.

    Attributes:
        number: of the document.
        metadata: of the document.
        examples: names of the dirty examples of which it holds a window, in order.
        window: the rarest window that was followed to it.
        count: its occurrences.
    """

    number: int
    metadata: dict[str, Any]
    examples: list[str] = field(default_factory=list)
    window: str = ""
    count: int = 0

    def __repr__(self) -> str:
        return f"Offender(document {self.number}, {len(self.examples)} examples)"


@dataclass(frozen=True)
class Contamination:
    """A benchmark against a corpus.

    Attributes:
        judged: every example, in order.
        definitions: by name, what each was and its parameters.
        unavailable: by name, why a definition could not be applied to this index.
        offenders: documents that hold a window for which an example is dirty, by number.
        not_followed: such windows that stand in more documents than were asked for; the
            documents that hold only them are not among the offenders.
    """

    judged: list[Judged]
    definitions: dict[str, dict[str, Any]]
    unavailable: dict[str, str]
    offenders: list[Offender]
    not_followed: int

    def totals(self, part: str = "both") -> dict[str, Counter[str]]:
        """By definition, how many examples have each verdict."""
        return {
            name: Counter(judged.measures[part][name].verdict for judged in self.judged)
            for name in self.definitions
        }

    def __repr__(self) -> str:
        worst = Counter(judged.verdict() for judged in self.judged)
        said = ", ".join(f"{worst[verdict]} {verdict}" for verdict in VERDICTS if worst[verdict])
        return f"Contamination({len(self.judged)} examples: {said})"
