"""What queries answer: frozen records that print as one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Interval:
    """Ranks [low, high) in the suffix array of shard number ``shard``."""

    shard: int
    low: int
    high: int

    @property
    def count(self) -> int:
        """Occurrences in this shard."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class TextMatches:
    """Where a string stands in the corpus, each occurrence once, in the order of the corpus.

    Attributes:
        shards: int64[n], number of the shard.
        documents: int64[n], number of the document in the index.
        starts, ends: int64[n], text positions in the shard of the tokens [start, end) that hold it.
        offsets: int64[n], bytes of the first of these tokens that stand before it.
    """

    shards: np.ndarray
    documents: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    offsets: np.ndarray

    @property
    def count(self) -> int:
        """Occurrences."""
        return self.starts.size

    def __repr__(self) -> str:
        documents = np.unique(self.documents).size
        return f"TextMatches({self.count:,} occurrences in {documents:,} documents)"


@dataclass(frozen=True, slots=True)
class Probability:
    """P(token | context) = count / context_count.

    A context that stands at a document's end has no next token there. That mass stays in
    ``context_count``: the probabilities of all tokens and of the document's end add up to 1.

    Attributes:
        prob: None where the context does not occur.
        context_count: occurrences of the context.
        count: occurrences of the context followed by the token.
    """

    prob: float | None
    context_count: int
    count: int

    def __repr__(self) -> str:
        value = "none" if self.prob is None else f"{self.prob:.6g}"
        return (
            f"{type(self).__name__}(prob={value}, {self.count}/{self.context_count}{self._more()})"
        )

    def _more(self) -> str:
        return ""


@dataclass(frozen=True, slots=True, repr=False)
class InfgramProbability(Probability):
    """As ``Probability``, of the longest suffix of the context that occurs.

    Attributes:
        suffix_length: tokens of that suffix; 0 where not even the last token occurs.
        sparse: one token follows every occurrence of the suffix.
    """

    suffix_length: int
    sparse: bool

    def _more(self) -> str:
        return f", suffix_length={self.suffix_length}, sparse={self.sparse}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """What follows a context, exactly.

    Attributes:
        context_count: occurrences of the context; counts and end_count add up to it when
            ``complete``.
        tokens: int64[k] ids, most frequent first, equal counts by id.
        counts: int64[k].
        end_count: occurrences of the context at a document's end. The empty context stands
            before every token and never at an end: there it is 0.
        complete: False where ``limit`` cut tokens off.
    """

    context_count: int
    tokens: np.ndarray
    counts: np.ndarray
    end_count: int
    complete: bool

    @property
    def probs(self) -> np.ndarray:
        """float64[k]: counts / context_count."""
        return self.counts / max(self.context_count, 1)

    def __repr__(self) -> str:
        top = ", ".join(
            f"{token}: {count}"
            for token, count in zip(self.tokens[:5].tolist(), self.counts[:5].tolist(), strict=True)
        )
        more = ", …" if self.tokens.size > 5 else ""
        return (
            f"{type(self).__name__}({self.context_count} → {{{top}{more}}}, "
            f"end_count={self.end_count}, complete={self.complete}{self._more()})"
        )

    def _more(self) -> str:
        return ""


@dataclass(frozen=True, slots=True, repr=False)
class InfgramDistribution(Distribution):
    """As ``Distribution``, of the longest suffix of the context that occurs.

    Attributes:
        suffix_length: tokens of that suffix.
        sparse: one token holds all the mass.
    """

    suffix_length: int
    sparse: bool

    def _more(self) -> str:
        return f", suffix_length={self.suffix_length}, sparse={self.sparse}"


@dataclass(frozen=True, slots=True)
class Continuations:
    """The most frequent continuations of a stream, as a tree, best first.

    The tree hangs on the longest suffix of the stream that occurs. Every tree of fewer nodes is
    the beginning of this one.

    Attributes:
        suffix_length: tokens of that suffix.
        context_count: its occurrences.
        tokens: int64[n] ids.
        parents: int64[n], the number of the token before, a smaller one; -1 after the suffix.
        counts: int64[n], occurrences of the suffix followed by the path to here. They never
            ascend; equal ones stand by depth, then by id, then by parent.
    """

    suffix_length: int
    context_count: int
    tokens: np.ndarray
    parents: np.ndarray
    counts: np.ndarray

    def __repr__(self) -> str:
        return (
            f"Continuations({self.tokens.size} tokens after the last {self.suffix_length}, "
            f"which occur {self.context_count:,} times)"
        )


@dataclass(frozen=True, slots=True)
class InfgramScores:
    """The ∞-gram probability of every token of a text given all tokens before it.

    Attributes:
        probs: float64[n], P∞(ids[i] | ids[:i]); NaN where the corpus has no token at all.
        suffix_lengths: int64[n], the suffix of ids[:i] that was used.
        context_counts: int64[n], its occurrences.
        counts: int64[n], its occurrences followed by ids[i].
    """

    probs: np.ndarray
    suffix_lengths: np.ndarray
    context_counts: np.ndarray
    counts: np.ndarray

    def __repr__(self) -> str:
        mean = self.suffix_lengths.mean() if self.suffix_lengths.size else 0.0
        return f"InfgramScores({self.probs.size} tokens, mean suffix_length={mean:.1f})"


@dataclass(frozen=True, slots=True)
class MatchingStatistics:
    """The longest match in the corpus that starts at each token of a text.

    Attributes:
        lengths: int64[n] tokens.
        counts: int64[n], occurrences of that match; 0 where the length is 0.
    """

    lengths: np.ndarray
    counts: np.ndarray

    def __repr__(self) -> str:
        longest = self.lengths.max(initial=0)
        return f"MatchingStatistics({self.lengths.size} tokens, longest={longest})"


@dataclass(frozen=True, slots=True)
class Match:
    """One occurrence inside a document.

    Attributes:
        start, end: tokens [start, end) counted from the document's first.
        text_start, text_end: characters of ``Document.text``; a character that the match only
            cuts into is counted whole. None where the index has no tokenizer.
    """

    start: int
    end: int
    text_start: int | None = None
    text_end: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the corpus, or the part of it around a match.

    Attributes:
        number: its number in the index, in corpus order.
        shard: the shard it lies in.
        token_count: tokens of the whole document.
        start, end: tokens [start, end) of it that are here.
        ids: int64[end - start].
        text: their text; None where the index has no tokenizer. Where a part is cut out of a
            document inside a character, the bytes of that character are left out of ``text``,
            and of nothing else. Bytes that are no UTF-8 in the corpus itself show as U+FFFD.
        metadata: what the reader kept, with the path and line it came from.
        matches: occurrences of the query inside [start, end), in order.
    """

    number: int
    shard: int
    token_count: int
    start: int
    end: int
    ids: np.ndarray
    text: str | None
    metadata: dict[str, Any]
    matches: tuple[Match, ...] = ()

    def __repr__(self) -> str:
        text = "" if self.text is None else f", {self.text[:40]!r}"
        return (
            f"Document({self.number}, {self.token_count} tokens, {len(self.matches)} matches{text})"
        )
