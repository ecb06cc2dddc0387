"""The oracle of contamination: every definition in plain Python over documents as strings.

Written from the definitions and not from the code: a window is in the corpus where it is a
substring of a document.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence

Counts = tuple[int, int]
"""Found, and how many there are."""


def normal(text: str) -> str:
    """Case-folded, without marks and symbols, words with one space before and after each."""
    kept = "".join(c for c in text if unicodedata.category(c)[0] not in "PS").casefold()
    words = "".join(" " if c.isspace() else c for c in kept).split(" ")
    return "".join(" " + word for word in words if word) + " " * any(words)


def word_spans(text: str) -> list[tuple[int, int]]:
    spans, start = [], None
    for place, character in enumerate(text + " "):
        if character.isspace():
            if start is not None:
                spans.append((start, place))
            start = None
        elif start is None:
            start = place
    return spans


def piece_spans(text: str) -> list[tuple[int, int]]:
    """Words and punctuation marks apart."""
    spans: list[tuple[int, int]] = []
    inside = False
    for place, character in enumerate(text):
        letter = character.isalnum() or character == "_"
        if letter and inside:
            spans[-1] = spans[-1][0], place + 1
        elif not character.isspace():
            spans.append((place, place + 1))
        inside = letter
    return spans


class NaiveCorpus:
    """Documents and what is in them.

    Args:
        documents: texts, normalized or not.
        pad: characters put around each text by normalization.
    """

    def __init__(self, documents: Sequence[str], pad: int = 0) -> None:
        self.documents, self.pad = list(documents), pad

    def has(self, window: str) -> bool:
        return any(window in document for document in self.documents)

    def count(self, window: str) -> int:
        return sum(
            document[start:].startswith(window)
            for document in self.documents
            for start in range(len(document))
        )

    def holders(self, window: str) -> list[int]:
        return [number for number, text in enumerate(self.documents) if window in text]

    def windows(self, text: str, characters: int) -> list[str]:
        words = word_spans(text)
        return [
            text[start : start + characters]
            for start, _ in words
            if start + characters <= words[-1][1]
        ]

    def ngrams(self, text: str, n: int) -> list[str]:
        words = word_spans(text)
        return [
            text[words[i][0] - self.pad : words[i + n - 1][1] + self.pad]
            for i in range(len(words) - n + 1)
        ]

    def sampled(self, text: str, characters: int, samples: int, seed: int) -> list[str]:
        core = text[self.pad : len(text) - self.pad]
        if len(core) < characters:
            return []
        draw = random.Random(f"{seed}:{core}")
        starts = {draw.randint(0, len(core) - characters) for _ in range(samples)}
        return [core[start : start + characters] for start in starts]

    def found(self, windows: Sequence[str]) -> Counts:
        return sum(map(self.has, windows)), len(windows)

    def token_matches(self, text: str) -> list[int]:
        """Tokens of the longest match that begins with each token."""
        pieces = piece_spans(text)
        matches = []
        for i, (start, _) in enumerate(pieces):
            there = [k for k, (_, end) in enumerate(pieces[i:], 1) if self.has(text[start:end])]
            matches.append(max(there, default=0))
        return matches

    def token_ngrams(self, text: str, n: int) -> Counts:
        matches = self.token_matches(text)
        return sum(length >= n for length in matches), max(len(matches) - n + 1, 0)

    def longest(self, text: str, least: int) -> Counts:
        matches = self.token_matches(text)
        longest = max(matches, default=0)
        return longest if longest >= least else 0, len(matches) if len(matches) >= least else 0

    def coverage(self, text: str, longer_than: int) -> Counts:
        matches = self.token_matches(text)
        inside = {
            i + k for i, length in enumerate(matches) if length > longer_than for k in range(length)
        }
        return len(inside), len(matches) if len(matches) > longer_than else 0


def by_share(found: int, total: int, dirty: float, suspicious: float) -> str:
    if total == 0:
        return "short"
    if found == 0:
        return "clean"
    share = found / total
    return "dirty" if share >= dirty else "suspicious" if share >= suspicious else "clean"


def by_any(found: int, total: int) -> str:
    return "short" if total == 0 else "dirty" if found else "clean"


def shares_ngram(text: str, benchmark: Sequence[str], n: int) -> bool:
    """Whether a text and any of some others have a run of n words in common, normalized."""

    def runs(given: str) -> set[tuple[str, ...]]:
        words = normal(given).split()
        return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}

    theirs = set().union(*map(runs, benchmark))
    return bool(runs(text) & theirs)
