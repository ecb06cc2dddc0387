"""Every example under every definition, in one pass over shared matching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gramdex.errors import QueryError
from gramdex.fmindex.engines.stopping import stop_here
from gramdex.fmindex.queries.contamination.corpus import NORMALIZED, Corpus, NormalizedIndex
from gramdex.fmindex.queries.contamination.definitions import DEFINITIONS, Definition, Hits
from gramdex.fmindex.queries.contamination.matching import Matched
from gramdex.fmindex.queries.contamination.offenders import Offenders, not_implied
from gramdex.fmindex.queries.contamination.results import (
    PARTS,
    Contamination,
    Evidence,
    Example,
    Judged,
    Span,
    as_example,
)

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

MOST_COUNT = 100
_CHUNK = 1 << 18
"""Characters of examples that are matched together: a text that servers take, too."""


def contamination(
    index: Index,
    examples: Iterable[Any],
    definitions: Sequence[Definition] = DEFINITIONS,
    normalized: NormalizedIndex | None = None,
    most_count: int = MOST_COUNT,
) -> Contamination:
    """Judge examples against a corpus.

    Args:
        index: of the corpus.
        examples: ``Example``, a text, or a question and its answer each.
        definitions: that are applied.
        normalized: an index of the corpus's normalized text, for the definitions that ask for it;
            without one they look at the text as it is.
        most_count: a window that occurs more often than so many times is followed to none of
            its documents.

    Raises:
        QueryError: no example, or something that is none.
        UsageError: indexes that cannot be asked; see ``Corpus``.
    """
    given = [as_example(number, each) for number, each in enumerate(examples)]
    if not given:
        raise QueryError("examples", "none", "at least one")
    corpus = Corpus(index, normalized)
    forms = {each.name: form for each in definitions if (form := corpus.form(each)) is not None}
    usable = [each for each in definitions if each.name in forms]
    if not usable:
        found = f"none of {', '.join(each.name for each in definitions) or 'none'}"
        expected = f"one that an index of {index.tokenizer.kind} tokens can be asked"
        raise QueryError("definitions", found, expected, "give it an index of normalized text")
    offenders = Offenders(corpus, most_count)
    judged: list[Judged] = []
    for chunk in _chunks(given):
        judged += _Chunk(corpus, chunk, usable, forms, offenders).judge()
    described = {
        each.name: each.describe() | {"looks_at": corpus.describe(forms[each.name])}
        for each in usable
    }
    unavailable = {
        each.name: f"needs text, and an index of {index.tokenizer.kind} tokens cannot count it"
        for each in definitions
        if each.name not in forms
    }
    return Contamination(judged, described, unavailable, offenders.found(), offenders.not_followed)


def _chunks(examples: Sequence[Example]) -> Iterator[list[Example]]:
    """Examples whose texts are held together."""
    chunk: list[Example] = []
    size = 0
    for example in examples:
        chunk.append(example)
        size += sum(map(len, example.question + example.answer))
        if size >= _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


@dataclass(frozen=True)
class _Window:
    """A span that was found, for whom, how often, and whether its documents are news."""

    definition: str
    text: int
    start: int
    end: int
    count: int
    new: bool


class _Chunk:
    """Some examples, with their texts matched and every definition applied."""

    def __init__(
        self,
        corpus: Corpus,
        examples: Sequence[Example],
        definitions: Sequence[Definition],
        forms: dict[str, str],
        offenders: Offenders,
    ) -> None:
        self.corpus, self.examples, self.definitions = corpus, examples, definitions
        self.forms, self.offenders = forms, offenders
        self.texts: dict[str, int] = {}
        self.parts = [
            {part: self._numbers(example.texts(part)) for part in PARTS} for example in examples
        ]
        names = list(self.texts)
        self.matched: dict[str, Matched] = {
            form: corpus.match(form, names) for form in dict.fromkeys(forms.values())
        }
        self.hits: dict[str, Hits] = {
            each.name: each.look(self.matched[forms[each.name]]) for each in definitions
        }
        self.windows = self._windows_by_text()

    def judge(self) -> list[Judged]:
        """Every example with its verdicts and evidence."""
        return [
            self._judge(example, parts)
            for example, parts in zip(self.examples, self.parts, strict=True)
        ]

    def _numbers(self, texts: Sequence[str]) -> list[int]:
        """Numbers of texts; equal texts are matched once."""
        return [self.texts.setdefault(text, len(self.texts)) for text in texts]

    def _windows_by_text(self) -> list[list[_Window]]:
        """Everything that was found in each text, with its occurrences."""
        windows: list[list[_Window]] = [[] for _ in self.texts]
        for name, hits in self.hits.items():
            matched = self.matched[self.forms[name]]
            counts = matched.counts(hits.spans)
            new = not_implied(matched, hits, counts, self.offenders.most)
            columns = hits.spans[:, 0], hits.spans[:, 1], counts, new
            rows = zip(hits.span_texts.tolist(), *(c.tolist() for c in columns), strict=True)
            for text, *rest in rows:
                windows[text].append(_Window(name, text, *rest))
        return windows

    def _judge(self, example: Example, parts: dict[str, list[int]]) -> Judged:
        stop_here()
        measures = {
            part: {
                each.name: each.measure(self.hits[each.name], parts[part])
                for each in self.definitions
            }
            for part in PARTS
        }
        dirty = {
            name for part in PARTS for name, m in measures[part].items() if m.verdict == "dirty"
        }
        texts = dict.fromkeys(text for part in PARTS for text in parts[part])
        windows = [window for text in texts for window in self.windows[text]]
        for window in windows:
            if window.new and window.definition in dirty:
                form = self.forms[window.definition]
                query = self.matched[form].query(window.start, window.end)
                self.offenders.follow(example.name, form, query, window.count)
        evidence = self._evidence(windows, parts) if windows else None
        return Judged(example, measures, self._spans(parts), evidence)

    def _spans(self, parts: dict[str, list[int]]) -> tuple[Span, ...]:
        """What of question and answer was found, in characters, merged."""
        merged: list[Span] = []
        for part in ("question", "answer"):
            for number, text in enumerate(parts[part]):
                found = (self._original(window) for window in self.windows[text])
                for start, end in sorted(span for span in found if span is not None):
                    last = merged[-1] if merged else None
                    if last and (last.part, last.text) == (part, number) and start <= last.end:
                        merged[-1] = Span(part, number, last.start, max(end, last.end))
                    else:
                        merged.append(Span(part, number, start, end))
        return tuple(merged)

    def _original(self, window: _Window) -> tuple[int, int] | None:
        matched = self.matched[self.forms[window.definition]]
        return matched.original(window.text, window.start, window.end)

    def _length(self, window: _Window) -> int:
        """Characters of the example a window stands for."""
        start, end = self._original(window) or (0, window.end - window.start)
        return end - start

    def _evidence(self, windows: Sequence[_Window], parts: dict[str, list[int]]) -> Evidence:
        """The rarest window, of equals the longest, and where it stands."""
        least = min(window.count for window in windows)
        best = max((w for w in windows if w.count == least), key=self._length)
        form = self.forms[best.definition]
        query = self.matched[form].query(best.start, best.end)
        (document,) = self.corpus.documents(form, query, 1, near=True)
        match = document.matches[0]
        known = match.text_start is not None and match.text_end is not None
        index = self.corpus.index
        return Evidence(
            definition=best.definition,
            span=self._place(best, parts),
            window=query if isinstance(query, str) else index.decode(query),
            normalized=form == NORMALIZED,
            count=best.count,
            document=document.number,
            metadata=self._metadata(document.number, document.metadata, form),
            context=document.text or "",
            start=(match.text_start or 0) if known else 0,
            end=(match.text_end or 0) if known else 0,
        )

    def _metadata(self, number: int, metadata: dict[str, Any], form: str) -> dict[str, Any]:
        """Of the corpus's own document."""
        return self.corpus.metadata(number) if form == NORMALIZED else metadata

    def _place(self, window: _Window, parts: dict[str, list[int]]) -> Span | None:
        for part in ("question", "answer"):
            if window.text in parts[part]:
                span = self._original(window)
                if span is not None:
                    return Span(part, parts[part].index(window.text), *span)
        return None
