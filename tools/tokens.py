"""What tokens look like to a person: their text, and a text with parts of it marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from gramdex.tools.output import visible

if TYPE_CHECKING:
    from gramdex.fmindex.tokenizers import Tokenizer

MARK = "bold underline"


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens [start, end) of a text, and how often they occur in the corpus."""

    start: int
    end: int
    count: int

    @property
    def length(self) -> int:
        """Tokens."""
        return self.end - self.start


def maximal_spans(lengths: np.ndarray, counts: np.ndarray, minimum: int) -> list[Span]:
    """Matches of at least ``minimum`` tokens that lie in no other match, in order.

    A match that starts later never ends earlier, so one lies in another exactly where the one
    before it ends at the same place.
    """
    ends = np.arange(lengths.size) + lengths
    before = np.concatenate([np.zeros(1, ends.dtype), ends[:-1]])
    starts = np.flatnonzero((ends > before) & (lengths >= max(minimum, 1)))
    return [Span(int(i), int(ends[i]), int(counts[i])) for i in starts]


def covered(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Union of spans that are in order, as [start, end) without overlap."""
    parts: list[tuple[int, int]] = []
    for span in spans:
        if parts and span.start <= parts[-1][1]:
            parts[-1] = parts[-1][0], max(parts[-1][1], span.end)
        else:
            parts.append((span.start, span.end))
    return parts


class TokenNames:
    """Names of token ids.

    Args:
        tokenizer: of the index.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._table: Any = None if tokenizer.kind == "none" else tokenizer.token_bytes

    def text(self, token: int) -> str | None:
        """Text of a token; None where there is none, or it is only part of a character."""
        if self._table is None:
            return None
        try:
            text: str = self._table[token].decode("utf-8")
        except UnicodeDecodeError:
            return None
        return text

    def label(self, token: int) -> str:
        r"""Token as Python would write it: ``' the'``, ``'\n'``, ``b'\xe2\x80'``."""
        if self._table is None:
            return ""
        text = self.text(token)
        return repr(self._table[token]) if text is None else repr(text)


def decode(tokenizer: Tokenizer, ids: np.ndarray) -> str:
    """Text of ids; the ids themselves where there is no tokenizer."""
    if tokenizer.kind == "none":
        return " ".join(map(str, ids.tolist()))
    return tokenizer.decode(ids)


def quoted(tokenizer: Tokenizer, ids: np.ndarray) -> str:
    """Text of ids in quotes, on one line; the ids themselves where there is no tokenizer."""
    text = decode(tokenizer, ids)
    return text if tokenizer.kind == "none" else repr(text)


def marked(
    tokenizer: Tokenizer, ids: np.ndarray, parts: Sequence[tuple[int, int]], colour: bool
) -> Text:
    """Text of ids in which the tokens of ``parts`` are marked.

    Args:
        tokenizer: of the index.
        ids: int[n].
        parts: [start, end) in order, without overlap.
        colour: mark by style; else by « and ».
    """
    borders = [0, *(border for part in parts for border in part), ids.size]
    pieces = text_pieces(tokenizer, ids, borders)
    return mark([(piece, number % 2 == 1) for number, piece in enumerate(pieces)], colour)


def mark(pieces: Sequence[tuple[str, bool]], colour: bool) -> Text:
    """Text of pieces, some of them marked."""
    text = Text(overflow="fold")
    for piece, inside in pieces:
        if inside and not colour:
            text.append(f"«{visible(piece)}»")
        else:
            text.append(visible(piece), MARK if inside else "")
    return text


def text_pieces(tokenizer: Tokenizer, ids: np.ndarray, borders: Sequence[int]) -> list[str]:
    """Text between neighbouring borders; a cut character goes to the piece it begins in."""
    if tokenizer.kind == "none":
        return [f" {decode(tokenizer, ids[a:b])} " if a < b else "" for a, b in pairwise(borders)]
    if not tokenizer.lossless_bytes:
        return [tokenizer.decode(ids[a:b]) for a, b in pairwise(borders)]
    parts = [tokenizer.decode_bytes(ids[a:b], at_start=a == 0) for a, b in pairwise(borders)]
    for number in range(1, len(parts)):
        cut = 0
        while cut < min(3, len(parts[number])) and parts[number][cut] & 0xC0 == 0x80:
            cut += 1
        parts[number - 1] += parts[number][:cut]
        parts[number] = parts[number][cut:]
    return [part.decode("utf-8", "replace") for part in parts]
