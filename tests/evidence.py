"""Oracles of search, attribution and takedown, in plain Python over lists of lists."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from naive import NaiveIndex


class Matches(NamedTuple):
    count: int
    documents: list[int]
    anchor: int


def search(
    documents: Sequence[Sequence[int]], cnf: Sequence[Sequence[list[int]]], window: int | None
) -> Matches:
    """Matches by comparing every pair of places."""
    naive = NaiveIndex(documents)
    return matches(
        [[[(*p, 0) for p in naive.occurrences(phrase)] for phrase in clause] for clause in cnf],
        window,
    )


def matches(cnf: Sequence[Sequence[Sequence[tuple[int, int, int]]]], window: int | None) -> Matches:
    """Matches, given all places of each phrase: document, token, bytes of that before."""
    sums = [sum(len(phrase) for phrase in clause) for clause in cnf]
    places = [{place for phrase in clause for place in phrase} for clause in cnf]
    anchor = sums.index(min(sums))
    found = [
        (document, start)
        for document, start, _ in places[anchor]
        if all(
            any(
                other == document and (window is None or abs(begin - start) <= window)
                for other, begin, _ in clause
            )
            for clause in places
        )
    ]
    return Matches(len(found), sorted({document for document, _ in found}), anchor)


def phrase_places(
    tokens: Sequence[bytes], ids: Sequence[int], phrase: str | Sequence[int], stripped: bool
) -> list[tuple[int, int]]:
    """Token and bytes of it before each occurrence in one document.

    ``stripped`` says that decoding takes a space from its start.
    """
    if not isinstance(phrase, str):
        return [
            (start, 0)
            for start in range(len(ids) - len(phrase) + 1)
            if list(ids[start : start + len(phrase)]) == list(phrase)
        ]
    text, wanted = b"".join(tokens), phrase.encode()
    owners = [(i, offset) for i, token in enumerate(tokens) for offset in range(len(token))]
    starts = range(len(text) - len(wanted) + 1)
    found = [start for start in starts if text.startswith(wanted, start)]
    return [owners[start] for start in found if not (stripped and start == 0 and text[:1] == b" ")]


def phrase_spans(
    document: Sequence[int], cnf: Sequence[Sequence[list[int]]]
) -> list[tuple[int, int]]:
    """Where any phrase stands in one document."""
    return sorted(
        {
            (start, start + len(phrase))
            for clause in cnf
            for phrase in clause
            for start in range(len(document) - len(phrase) + 1)
            if list(document[start : start + len(phrase)]) == list(phrase)
        }
    )


def maximal_spans(
    naive: NaiveIndex, text: list[int], least: int, border: list[bool], sentence: list[bool]
) -> list[tuple[int, int]]:
    """Spans that occur, begin and end at borders, hold no sentence's end; none in another."""
    spans = [
        (start, end)
        for start in range(len(text))
        for end in range(start + 1, len(text) + 1)
        if border[start]
        and border[end]
        and not any(sentence[start + 1 : end])
        and naive.count(text[start:end])
    ]
    return [
        (start, end)
        for start, end in spans
        if end - start >= least
        and not any(a <= start and end <= b and (a, b) != (start, end) for a, b in spans)
    ]


def log_probability(naive: NaiveIndex, tokens: list[int]) -> float:
    return sum(math.log(naive.count([token]) / naive.token_count) for token in tokens)


def novelty(naive: NaiveIndex, text: list[int]) -> list[float]:
    shares = []
    for n in range(1, len(text) + 1):
        grams = [text[i : i + n] for i in range(len(text) - n + 1)]
        shares.append(sum(naive.count(gram) == 0 for gram in grams) / len(grams))
    return shares


def uniqueness(naive: NaiveIndex, text: list[int]) -> list[float]:
    shares = []
    for n in range(1, len(text) + 1):
        covered = {
            place
            for start in range(len(text) - n + 1)
            if naive.count(text[start : start + n])
            for place in range(start, start + n)
        }
        shares.append(1 - len(covered) / len(text))
    return shares


def bm25(query: Sequence[str], documents: Sequence[Sequence[str]]) -> list[float]:
    """Okapi BM25 with k1 = 1.2 and b = 0.75 over these documents alone."""
    average = sum(map(len, documents)) / max(len(documents), 1)
    scores = []
    for document in documents:
        score = 0.0
        for word in set(query):
            holding = sum(word in other for other in documents)
            weight = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
            times = list(document).count(word)
            norm = times + 1.2 * (1 - 0.75 + 0.75 * len(document) / max(average, 1e-9))
            score += weight * times * 2.2 / norm if times else 0.0
        scores.append(score)
    return scores


def without(
    documents: Sequence[Sequence[int]], removed: Sequence[Sequence[int]]
) -> list[tuple[int, list[int]]]:
    """(Number, document) of those left when each removed one takes the first equal one with it."""
    left = Counter(map(tuple, removed))
    kept = []
    for number, document in enumerate(documents):
        if left[tuple(document)]:
            left[tuple(document)] -= 1
        else:
            kept.append((number, list(document)))
    assert not +left
    return kept
