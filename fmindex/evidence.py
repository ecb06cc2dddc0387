"""What search and attribution answer: frozen records that print as one line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gramdex.fmindex.results import Document


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Places where every clause of a search stands.

    A match is an occurrence of one clause, the ``anchor``, that has an occurrence of every other
    clause in the same document, and within the window where one is given: beginning at most so many
    tokens before or after it. An occurrence of a clause is a place where one of its phrases begins.

    Attributes:
        count: matches; where not ``exact``, the estimate.
        exact: whether the count is.
        low, high: bounds of the count; where not ``exact``, they hold it with at least 99%
            probability.
        document_count: documents that hold a match; None where not all were looked at.
        documents: some of them, in corpus order, with the occurrences of all phrases in what is
            shown of each; where not all were looked at, some of those that were met.
        anchor: number of that clause: the one whose phrases occur least, the first of equals.
        sampled: occurrences of the anchor that were looked at.
    """

    count: int
    exact: bool
    low: int
    high: int
    document_count: int | None
    documents: tuple[Document, ...]
    anchor: int
    sampled: int

    def __repr__(self) -> str:
        if not self.exact:
            return (
                f"SearchResult(about {self.count}, {self.low} to {self.high} at 99%, "
                f"from a sample of {self.sampled}, {len(self.documents)} documents shown)"
            )
        within = "" if self.document_count is None else f" in {self.document_count} documents"
        return f"SearchResult({self.count} matches{within}, {len(self.documents)} shown)"


@dataclass(frozen=True, slots=True)
class Source:
    """A document a span stands in.

    Attributes:
        score: BM25 of the words around the span against the whole text; higher is closer.
        document: what is shown of it, with the occurrences of the span in that.
    """

    score: float
    document: Document

    def __repr__(self) -> str:
        return f"Source({self.score:.2f}, {self.document!r})"


@dataclass(frozen=True, slots=True)
class AttributedSpan:
    """Tokens [start, end) of a text that stand in the corpus, and lie in no longer such span.

    Attributes:
        start, end: tokens of the text.
        count: occurrences in the corpus.
        log_probability: sum of the natural logarithms of the tokens' shares of the corpus; the
            lower, the less likely the span is there by chance.
        text: None where the index has no tokenizer.
        sources: documents it stands in, best first.
    """

    start: int
    end: int
    count: int
    log_probability: float
    text: str | None
    sources: tuple[Source, ...] = ()

    @property
    def length(self) -> int:
        """Tokens."""
        return self.end - self.start

    def __repr__(self) -> str:
        said = "" if self.text is None else f", {self.text[:40]!r}"
        return (
            f"AttributedSpan({self.start}:{self.end}, {self.count} times, "
            f"log_probability={self.log_probability:.1f}, {len(self.sources)} sources{said})"
        )


@dataclass(frozen=True)
class Attribution:
    """Where a text stands in the corpus, word for word.

    Attributes:
        ids: int64[n], the text.
        spans: those that were kept, in the order of the text.
        found: maximal spans there were before the least probable were chosen.
        lengths: int64[n], the longest match from each token on, whatever the rules for spans.
    """

    ids: np.ndarray
    spans: tuple[AttributedSpan, ...]
    found: int
    lengths: np.ndarray

    @cached_property
    def merged(self) -> tuple[tuple[int, int], ...]:
        """Tokens [start, end) that the spans cover; spans that share a token are one."""
        parts: list[tuple[int, int]] = []
        for span in self.spans:
            if parts and span.start < parts[-1][1]:
                parts[-1] = parts[-1][0], max(parts[-1][1], span.end)
            else:
                parts.append((span.start, span.end))
        return tuple(parts)

    @property
    def covered(self) -> int:
        """Tokens inside spans."""
        return sum(end - start for start, end in self.merged)

    @cached_property
    def novelty(self) -> np.ndarray:
        """float64[n]: of the n-grams of the text, the share that does not occur, by n."""
        size = self.lengths.size
        at_least = np.cumsum(np.bincount(self.lengths, minlength=size + 1)[::-1])[::-1][1:]
        return 1 - at_least[:size] / np.arange(size, 0, -1)

    @cached_property
    def uniqueness(self) -> np.ndarray:
        """float64[n]: share of the tokens in no n-gram that occurs, by n from 1 on.

        The L-uniqueness of Lu et al. 2024 (arXiv 2410.04265), of exact matches of tokens; its sum
        over a range of n is their creativity index.
        """
        size = self.lengths.size
        longest = np.zeros(size, np.int64)
        ends = np.arange(size) + self.lengths
        in_no_other = np.flatnonzero(np.diff(ends, prepend=0) > 0)
        for start in in_no_other[np.argsort(self.lengths[in_no_other], kind="stable")].tolist():
            longest[start : start + int(self.lengths[start])] = self.lengths[start]
        return np.cumsum(np.bincount(longest, minlength=size + 1))[:size] / max(size, 1)

    def __repr__(self) -> str:
        return (
            f"Attribution({len(self.spans)} of {self.found} spans, {self.covered} of "
            f"{self.ids.size} tokens)"
        )
