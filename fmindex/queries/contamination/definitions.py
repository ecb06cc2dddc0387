"""When an example counts as contaminated: the definitions in use, each with its parameters.

A definition looks at texts one by one and says how many of their windows or tokens are in the
corpus; a verdict follows from the sum over the texts of a part.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from gramdex.errors import UsageError
from gramdex.fmindex.engines.stopping import in_turns
from gramdex.fmindex.queries.contamination.matching import Matched, MatchedText
from gramdex.fmindex.queries.contamination.results import Measure


@dataclass(frozen=True)
class Hits:
    """What a definition found in each text.

    Attributes:
        found, total: int64[texts].
        spans: int64[k, 2], the windows that are in the corpus, in order.
        span_texts: int64[k], the text of each.
    """

    found: np.ndarray
    total: np.ndarray
    spans: np.ndarray
    span_texts: np.ndarray


@dataclass(frozen=True)
class Definition(ABC):
    """One definition; its fields are its parameters.

    Attributes:
        normalized: look at normalized text where an index of it is at hand.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    needs_text: ClassVar[bool] = True
    normalized: bool = False

    @property
    @abstractmethod
    def rule(self) -> str:
        """The rule in words."""

    @abstractmethod
    def look(self, matched: Matched) -> Hits:
        """What is in the corpus of each text."""

    @abstractmethod
    def verdict(self, found: int, total: int) -> str:
        """What follows from so many of so many; "short" where there are none."""

    def measure(self, hits: Hits, texts: Sequence[int]) -> Measure:
        """What is said of some texts together."""
        found, total = int(hits.found[texts].sum()), int(hits.total[texts].sum())
        return Measure(self.verdict(found, total), found, total)

    def describe(self) -> dict[str, Any]:
        """Rule, source and parameters, for reports."""
        return {"rule": self.rule, "source": self.source, "parameters": asdict(self)}


@dataclass(frozen=True)
class _ByShare(Definition):
    """Verdict by the share that was found."""

    dirty: float = 0.8
    suspicious: float = 0.2

    def verdict(self, found: int, total: int) -> str:
        """Dirty from one share on, suspicious from another."""
        if not total:
            return "short"
        if found and found >= self.dirty * total:
            return "dirty"
        return "suspicious" if found and found >= self.suspicious * total else "clean"

    def _cuts(self) -> str:
        return f"dirty from {self.dirty:.0%} on, suspicious from {self.suspicious:.0%}"


@dataclass(frozen=True)
class _Any(Definition):
    """Verdict dirty where anything was found."""

    def verdict(self, found: int, total: int) -> str:
        """Dirty with the first."""
        return "short" if not total else "dirty" if found else "clean"


@dataclass(frozen=True)
class Windows(_ByShare):
    """Share of character windows, one from each word on, that are in the corpus."""

    name: ClassVar[str] = "windows"
    source: ClassVar[str] = "infini-gram mini, substring coverage"
    characters: int = 50

    @property
    def rule(self) -> str:
        """The rule in words."""
        return f"share of the {self.characters}-character windows that begin a word; {self._cuts()}"

    def look(self, matched: Matched) -> Hits:
        """Windows that end in their text, white space at its end left out."""
        texts = _texts(matched)
        last = np.zeros(matched.count, np.int64)
        last[texts.word_texts] = texts.words[:, 1]  # of equal indices the last assignment stays
        starts = texts.words[:, 0]
        inside = starts + self.characters <= last[texts.word_texts]
        spans = np.stack([starts, starts + self.characters], axis=1)[inside]
        return _hits(matched, spans, texts.word_texts[inside])


@dataclass(frozen=True)
class _WordNgrams(Definition):
    """Runs of n words."""

    normalized: bool = True
    n: int = 13

    def look(self, matched: Matched) -> Hits:
        """Windows from each word on that ends in its text."""
        texts = _texts(matched)
        firsts = max(texts.word_texts.size - self.n + 1, 0)
        inside = texts.word_texts[:firsts] == texts.word_texts[self.n - 1 :][:firsts]
        starts = texts.words[:firsts, 0][inside] - texts.pad
        ends = texts.words[self.n - 1 :, 1][:firsts][inside] + texts.pad
        return _hits(matched, np.stack([starts, ends], axis=1), texts.word_texts[:firsts][inside])


@dataclass(frozen=True)
class Ngrams(_Any, _WordNgrams):
    """Any run of n words that is in the corpus."""

    name: ClassVar[str] = "ngrams"
    source: ClassVar[str] = "lm-evaluation-harness; GPT-3 with n from 8 to 13"
    normalized: bool = True

    @property
    def rule(self) -> str:
        """The rule in words."""
        return f"dirty with any {self.n} words in a row that are in the corpus"


@dataclass(frozen=True)
class NgramShare(_ByShare, _WordNgrams):
    """Share of runs of n words that are in the corpus."""

    name: ClassVar[str] = "ngram-share"
    source: ClassVar[str] = "PaLM"
    normalized: bool = True
    n: int = 8
    dirty: float = 0.7
    suspicious: float = 0.7

    @property
    def rule(self) -> str:
        """The rule in words."""
        return f"share of the runs of {self.n} words; {self._cuts()}"


@dataclass(frozen=True)
class Sampled(_Any):
    """A few random character windows of normalized text."""

    name: ClassVar[str] = "sampled"
    source: ClassVar[str] = "GPT-4, which also strips the spaces"
    normalized: bool = True
    characters: int = 50
    samples: int = 3
    seed: int = 0

    @property
    def rule(self) -> str:
        """The rule in words."""
        return (
            f"dirty with any of {self.samples} random windows of {self.characters} characters, "
            f"drawn with seed {self.seed} and the text"
        )

    def look(self, matched: Matched) -> Hits:
        """Windows drawn with replacement, from the text alone: the same in every run."""
        texts = _texts(matched)
        spans, numbers = [], []
        for number in in_turns(range(texts.count)):
            low = int(texts.starts[number]) + texts.pad
            high = int(texts.starts[number + 1]) - texts.pad
            if high - low < self.characters:
                continue
            draw = random.Random(f"{self.seed}:{texts.text[low:high]}")
            starts = sorted(
                {draw.randint(low, high - self.characters) for _ in range(self.samples)}
            )
            spans += [(start, start + self.characters) for start in starts]
            numbers += [number] * len(starts)
        return _hits(matched, np.array(spans, np.int64).reshape(-1, 2), np.array(numbers, np.int64))


@dataclass(frozen=True)
class TokenNgrams(_Any):
    """Any run of n tokens that is in the corpus."""

    name: ClassVar[str] = "token-ngrams"
    source: ClassVar[str] = "Llama 3 and others, with n of their own"
    needs_text: ClassVar[bool] = False
    n: int = 13

    @property
    def rule(self) -> str:
        """The rule in words."""
        return f"dirty with any {self.n} tokens in a row that are in the corpus"

    def look(self, matched: Matched) -> Hits:
        """Read off the matching statistics."""
        found = np.flatnonzero(matched.token_matches >= self.n)
        total = np.maximum(_sizes(matched) - self.n + 1, 0)
        spans = _spans(matched, found, found + self.n)
        numbers = matched.token_texts[found]
        return Hits(np.bincount(numbers, minlength=matched.count), total, spans, numbers)


@dataclass(frozen=True)
class Longest(_ByShare):
    """The longest match of each text, as a share of it."""

    name: ClassVar[str] = "longest"
    source: ClassVar[str] = "ConTAM, longest contaminated span"
    needs_text: ClassVar[bool] = False
    least: int = 8

    @property
    def rule(self) -> str:
        """The rule in words."""
        return (
            f"share of the tokens that the longest match of each text holds, where that is at "
            f"least {self.least} tokens; {self._cuts()}"
        )

    def look(self, matched: Matched) -> Hits:
        """The first of the longest matches of each text."""
        lengths, numbers = matched.token_matches, matched.token_texts
        sizes = _sizes(matched)
        found = np.zeros(matched.count, np.int64)
        np.maximum.at(found, numbers, lengths)
        found[found < self.least] = 0
        firsts = np.flatnonzero((lengths == found[numbers]) & (lengths > 0))
        firsts = firsts[np.diff(numbers[firsts], prepend=-1) > 0]
        spans = _spans(matched, firsts, firsts + lengths[firsts])
        total = np.where(sizes >= self.least, sizes, 0)
        return Hits(found, total, spans, numbers[firsts])


@dataclass(frozen=True)
class Coverage(_ByShare):
    """Share of tokens inside matches of some length."""

    name: ClassVar[str] = "coverage"
    source: ClassVar[str] = "Llama 2"
    needs_text: ClassVar[bool] = False
    longer_than: int = 10

    @property
    def rule(self) -> str:
        """The rule in words."""
        return f"share of the tokens in matches longer than {self.longer_than}; {self._cuts()}"

    def look(self, matched: Matched) -> Hits:
        """Tokens in any match; the spans are the matches that lie in no other."""
        lengths, numbers = matched.token_matches, matched.token_texts
        ends = np.arange(lengths.size) + lengths
        # A match that begins later never ends earlier in the same text.
        before = np.concatenate([np.zeros(1, np.int64), ends[:-1]])[: ends.size]
        firsts = np.flatnonzero((lengths > self.longer_than) & (ends > before))
        covered = np.zeros(lengths.size + 1, np.int64)
        np.add.at(covered, firsts, 1)
        np.add.at(covered, ends[firsts], -1)
        inside = numbers[np.cumsum(covered[:-1]) > 0]
        sizes = _sizes(matched)
        total = np.where(sizes > self.longer_than, sizes, 0)
        spans = _spans(matched, firsts, ends[firsts])
        return Hits(np.bincount(inside, minlength=matched.count), total, spans, numbers[firsts])


DEFINITIONS: tuple[Definition, ...] = (
    Windows(),
    Ngrams(),
    NgramShare(),
    Sampled(),
    TokenNgrams(),
    Longest(),
    Coverage(),
)
"""All of them, with the parameters of their sources."""


def adjust(definitions: Sequence[Definition], settings: Sequence[str]) -> tuple[Definition, ...]:
    """Definitions with parameters set as in ``ngrams.n=10``.

    Raises:
        UsageError: there is no such definition or parameter, or the value has no meaning.
    """
    named = {definition.name: definition for definition in definitions}
    for setting in settings:
        place, _, value = setting.partition("=")
        name, _, parameter = place.partition(".")
        if name not in named:
            raise UsageError("--set", repr(setting), f"one of {', '.join(named)} and a parameter")
        known = {each.name: getattr(named[name], each.name) for each in fields(named[name])}
        if parameter not in known:
            found = f"{name}.{parameter}"
            raise UsageError("--set", found, f"one of {', '.join(known)}")
        changed: dict[str, Any] = {parameter: _parse(setting, value, known[parameter])}
        named[name] = replace(named[name], **changed)
    return tuple(named.values())


def _parse(setting: str, value: str, now: bool | int | float) -> bool | int | float:
    if isinstance(now, bool):
        if value not in ("true", "false"):
            raise UsageError("--set", repr(setting), "true or false")
        return value == "true"
    kind, least = (int, 0) if isinstance(now, int) else (float, 0.0)
    expected = "a whole number from 1 on" if kind is int else "a share from 0 to 1"
    try:
        number = kind(value)
    except ValueError:
        raise UsageError("--set", repr(setting), expected) from None
    seed = setting.startswith("sampled.seed")
    if not (number >= least if seed else number > least and (kind is int or number <= 1)):
        raise UsageError("--set", repr(setting), expected)
    return number


def _texts(matched: Matched) -> Any:
    assert isinstance(matched, MatchedText)  # definitions that need text are given no other
    return matched.texts


def _sizes(matched: Matched) -> np.ndarray:
    """Tokens of each text."""
    return np.bincount(matched.token_texts, minlength=matched.count)


def _spans(matched: Matched, firsts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Characters of the tokens [first, end) of each match, int64[k, 2]."""
    return np.stack([matched.tokens[firsts, 0], matched.tokens[ends - 1, 1]], axis=1)


def _hits(matched: Matched, spans: np.ndarray, numbers: np.ndarray) -> Hits:
    """Hits of windows, given as spans and the texts they lie in."""
    found = matched.found(spans)
    return Hits(
        np.bincount(numbers[found], minlength=matched.count),
        np.bincount(numbers, minlength=matched.count),
        spans[found],
        numbers[found],
    )
