"""The text of a corpus in bytes, as an index of bytes gets it, and where its tokens stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xxhash

from gramdex.errors import TokenizerError
from gramdex.tools.bench.corpus import Corpus, draw_patterns

_CHUNK = 1 << 20
_STRIDE = 1 << 12
"""Tokens between two marks."""

_TOLERANCE = 3
"""A string may be a third longer or shorter than was asked for."""

_DRAWN = 8
"""How many times more places are looked at than are wanted."""


@dataclass(frozen=True)
class Strings:
    """Strings of the corpus that are cut at borders of tokens.

    Attributes:
        label: their bytes and tokens, for people.
        ids: int64[k, tokens].
        mean_bytes: of one.
    """

    label: str
    ids: np.ndarray
    mean_bytes: float


class CorpusText:
    """All documents decoded, one separator byte after each.

    A space that a tokenizer puts before each document stays.

    Args:
        corpus: with a tokenizer whose tokens add up to the text.

    Attributes:
        symbols: unsigned integers[n], the tokens as id + 1, and 0 after each document.
        size: bytes of the documents, separators not counted.
        separator: a byte that is not in them; None where all are.
        zeros: whether the byte 0 is in them.

    Raises:
        TokenizerError: tokens of the corpus have no bytes of their own.
    """

    def __init__(self, corpus: Corpus) -> None:
        tokenizer = corpus.tokenizer
        table = None if tokenizer is None or not tokenizer.lossless_bytes else tokenizer.token_bytes
        if tokenizer is None or table is None:
            raise TokenizerError(
                "--tokenizer",
                "none, or one whose tokens do not add up to the text",
                "the tokenizer that the ids were made with",
                "name it, for instance --tokenizer tokenizer.json",
            )
        self.corpus, self.tokenizer = corpus, tokenizer
        self.symbols = corpus.symbols()
        self._lengths = np.concatenate([[1], np.diff(table.offsets)])
        self.size = int(self._sums(self.symbols).sum()) - int(corpus.lengths.size)
        self._marks = np.concatenate([[0], np.cumsum(self._sums(self.symbols))])
        present = tokenizer.decode_bytes(np.unique(corpus.ids), at_start=False)
        used = np.bincount(np.frombuffer(present, np.uint8), minlength=256) > 0
        free = np.flatnonzero(~used[1:]) + 1
        self.separator = int(free[-1]) if free.size else None
        self.zeros = bool(used[0])

    def write(self, path: Path) -> str:
        """Write the text; its xxh3-128 in hex."""
        digest = xxhash.xxh3_128()
        with path.open("wb") as file:
            for start in range(0, self.symbols.size, _CHUNK):
                part = self._bytes(self.symbols[start : start + _CHUNK])
                digest.update(part.data)
                file.write(part.data)
        return digest.hexdigest()

    def read(self, position: int, tokens: int) -> bytes:
        """Bytes of tokens, separators included, from a position among ``symbols``."""
        return self._bytes(self.symbols[position : position + tokens]).tobytes()

    def byte_of(self, position: int) -> int:
        """Where in the text the token at a position among ``symbols`` begins."""
        mark = position // _STRIDE
        rest = self.symbols[mark * _STRIDE : position]
        return int(self._marks[mark] + self._lengths[rest].sum())

    def draw_strings(self, wanted: int, count: int, seed: int) -> Strings:
        """Strings of about ``wanted`` bytes, all of as many tokens, any place as likely.

        Of the places drawn those are left out whose string is a third longer or shorter.
        """
        mean = self.size / self.corpus.ids.size
        tokens = max(1, round(wanted / mean))
        drawn = draw_patterns(self.corpus, tokens, _DRAWN * count, seed)
        sizes = self._lengths[drawn + 1].sum(axis=1)
        near = np.flatnonzero(_TOLERANCE * np.abs(sizes - wanted) <= wanted)
        chosen = near[:count] if near.size else np.arange(count)
        label = f"{wanted} bytes, {tokens} token{'s' if tokens > 1 else ''}"
        return Strings(label, drawn[chosen], float(sizes[chosen].mean()))

    def draw_places(self, size: int, count: int, seed: int) -> np.ndarray:
        """Positions among ``symbols`` and token counts, int64[k, 2], that cover ``size`` bytes.

        All inside one document; fewer than ``count`` where few documents are that large.
        """
        positions = np.random.default_rng([seed, size]).integers(
            0, self.symbols.size, _DRAWN * count
        )
        places = []
        for position in positions.tolist():
            window = self.symbols[position : position + size]
            reached = np.cumsum(self._lengths[window])
            tokens = int(np.searchsorted(reached, size)) + 1
            if tokens <= window.size and window[:tokens].all():
                places.append((position, tokens))
        return np.array(places[:count], np.int64).reshape(-1, 2)

    def _sums(self, symbols: np.ndarray) -> np.ndarray:
        """Bytes of each stretch of ``_STRIDE`` symbols, int64."""
        sums = [
            np.add.reduceat(self._lengths[part], np.arange(0, part.size, _STRIDE))
            for part in (symbols[at : at + _CHUNK] for at in range(0, symbols.size, _CHUNK))
        ]
        return np.concatenate(sums)

    def _bytes(self, symbols: np.ndarray) -> np.ndarray:
        """The bytes of symbols, uint8."""
        tokens = symbols[symbols > 0].astype(np.uint32) - np.uint32(1)
        data = np.frombuffer(self.tokenizer.decode_bytes(tokens, at_start=False), np.uint8)
        ends = np.flatnonzero(symbols == 0)
        if not ends.size:
            return data
        sizes = np.where(symbols == 0, 0, self._lengths[symbols])
        return np.insert(data, np.cumsum(sizes)[ends], self.separator or 0)
