"""Texts of many examples in one string, with their words and pieces as arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gramdex.fmindex.engines.stopping import in_turns
from gramdex.fmindex.queries.contamination.normalization import Normalization

_WORD = re.compile(r"\S+")
_PIECE = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Texts:
    """Texts one after another.

    Attributes:
        text: all of them.
        starts: int64[k + 1], the character each begins at, and the end.
        words: int64[w, 2], characters [start, end) of each run without white space.
        word_texts: int64[w], the text each word lies in.
        pieces, piece_texts: the same for words and punctuation marks apart, which are the tokens
            of an index of bytes.
        origin: int64[n], for each character its place in its text before normalization.
        pad: spaces put before and after each text.
    """

    text: str
    starts: np.ndarray
    words: np.ndarray
    word_texts: np.ndarray
    pieces: np.ndarray
    piece_texts: np.ndarray
    origin: np.ndarray
    pad: int

    @property
    def count(self) -> int:
        """Number of texts."""
        return self.starts.size - 1

    def original(self, text: int, start: int, end: int) -> tuple[int, int]:
        """Characters of text number ``text``, as it was given, that the characters came from.

        Of padded texts those of words: a space at either end is left out.
        """
        if self.pad and end - start > 1:
            start += self.text[start] == " "
            end -= self.text[end - 1] == " "
        return int(self.origin[start]), int(self.origin[end - 1]) + 1


def join_texts(texts: Sequence[str], normalization: Normalization | None) -> Texts:
    """Put texts together, normalized where asked."""
    if normalization is None:
        kept = list(texts)
        origins = [np.arange(len(text), dtype=np.int64) for text in texts]
    else:
        pairs = [normalization.apply_with_origin(text) for text in in_turns(texts, 16)]
        kept, origins = [text for text, _ in pairs], [origin for _, origin in pairs]
    starts = np.zeros(len(kept) + 1, np.int64)
    np.cumsum([len(text) for text in kept], out=starts[1:])
    return Texts(
        "".join(kept),
        starts,
        *_spans(_WORD, kept, starts),
        *_spans(_PIECE, kept, starts),
        np.concatenate([np.empty(0, np.int64), *origins]),
        0 if normalization is None else normalization.pad,
    )


def byte_offsets(text: str) -> np.ndarray:
    """For each character the byte it begins at in UTF-8, and the end, int64[n + 1]."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    sizes = 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])


def _spans(
    pattern: re.Pattern[str], texts: Sequence[str], starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where the pattern matches, int64[m, 2], and in which text, int64[m]."""
    found = [[match.span() for match in pattern.finditer(text)] for text in texts]
    numbers = np.repeat(np.arange(len(texts)), [len(spans) for spans in found])
    spans = np.array([span for spans in found for span in spans], np.int64).reshape(-1, 2)
    return spans + starts[numbers, None], numbers.astype(np.int64)
