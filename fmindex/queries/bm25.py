"""Okapi BM25: how close documents are to a text (Robertson and Zaragoza 2009, section 3)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from gramdex.fmindex.engines.stopping import stop_here

K1, B = 1.2, 0.75
_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """Words of a text, in lower case."""
    return _WORD.findall(text.lower())


def bm25(
    query: Iterable[Hashable], documents: Sequence[Counter], sizes: Sequence[int] | None = None
) -> list[float]:
    """Score of each document, given as how often each of its words stands there.

    How rare a word is, and how long documents are, is taken from these documents alone; a word
    counts once however often the query has it. Where ``sizes`` says how many words each document
    has, words that are not of the query may be left out of ``documents``.
    """
    wanted = set(query)
    sizes = [document.total() for document in documents] if sizes is None else sizes
    average = sum(sizes) / max(len(documents), 1)
    holding = Counter(word for document in documents for word in wanted & document.keys())
    weights = {
        word: math.log(1 + (len(documents) - number + 0.5) / (number + 0.5))
        for word, number in holding.items()
    }
    scores = []
    for document, size in zip(documents, sizes, strict=True):
        stop_here()
        norm = K1 * (1 - B + B * size / max(average, 1e-9))
        scores.append(
            math.fsum(
                weights[word] * document[word] * (K1 + 1) / (document[word] + norm)
                for word in sorted(wanted & document.keys(), key=str)
            )
        )
    return scores
