"""Shards of the FM-index made of known texts, and what their kernels must find, by numpy."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from corpora import de_bruijn, fibonacci_word

from gramdex.fmindex.engines.fm_shard import FMShard
from gramdex.fmindex.format.sections import SectionFile
from gramdex.indexer.successors import KIND, write_successors
from gramdex.indexer.suffix_sort import suffix_array
from gramdex.kernels.fm import columns


class KnownShard:
    """A shard of a text that ends with the separator, opened from its file.

    Attributes:
        text: uint32[n].
        suffixes: int64[n], the suffix array, by the sorter that is not gramdex's own.
        values: int64[n + CHUNK + 1], see ``kernels/fm/successors.py``, past the last rank too.
        starts: int64[ranks + 1], the first rank of each token's list.
        rows: the matrix of addresses; ``row`` is the address of its one row.
    """

    def __init__(self, folder: Path, text: np.ndarray, ranks: int, rate: int = 128) -> None:
        self.text, self.ranks = text.astype(np.uint32), ranks
        self.size = size = text.size
        suffixes = suffix_array(self.text, "divsufsort").astype(np.uint32)
        self.suffixes = suffixes.astype(np.int64)
        inverse = np.empty(size, np.int64)
        inverse[self.suffixes] = np.arange(size)
        self.inverse = inverse
        successors = np.append(inverse, -1)[self.suffixes + 1]
        self.values = np.append(successors + 1, np.arange(size, size + columns.CHUNK + 1) + 1)
        counts = np.bincount(self.text, minlength=ranks).astype(np.int64)
        self.starts = np.concatenate([[0], np.cumsum(counts)])
        path = folder / f"{len(list(folder.iterdir()))}.gdx"  # the ones before stay mapped
        write_successors(path, self.text, suffixes, counts, rate)
        self.shard = FMShard(SectionFile(path, KIND), size, ranks)
        self.rows = np.array([self.shard.row()], np.int64)
        self.row = columns.row_at(self.rows, 0)

    def interval(self, pattern: list[int]) -> tuple[int, int]:
        """Ranks of the suffixes that begin with a pattern of one token at least."""
        low, high = int(self.starts[pattern[0]]), int(self.starts[pattern[0] + 1])
        for depth, token in enumerate(pattern[1:], 1):
            after = self.at_depth(low, high, depth)
            low, high = low + int((after < token).sum()), low + int((after <= token).sum())
        return low, high

    def at_depth(self, low: int, high: int, depth: int) -> np.ndarray:
        """Tokens at ``depth`` of the suffixes [low, high); -1 past the end of the text."""
        places = self.suffixes[low:high] + depth
        return np.append(self.text.astype(np.int64), -1)[np.minimum(places, self.size)]


def with_ends(words: np.ndarray | list[int], size: int, every: int = 0) -> np.ndarray:
    """A word as a text of ``size``: ids from 1 on, the separator last and at every ``every``-th."""
    text = np.resize(np.asarray(words, np.int64) + 1, size)
    if every:
        text[every - 1 :: every] = 0
    text[-1] = 0
    return text


@cache
def _random(symbols: int, size: int) -> np.ndarray:
    return np.random.default_rng(symbols).integers(0, symbols, size)


def _repeats(size: int) -> np.ndarray:
    """Copies of passages of a random word, each with a token changed."""
    rng = np.random.default_rng(7)
    base, parts, length = rng.integers(0, 300, size // 6 + 2), [], 0
    while length < size:
        start = int(rng.integers(0, base.size))
        part = base[start : start + int(rng.integers(1, base.size + 1))].copy()
        part[rng.integers(0, part.size)] = rng.integers(0, 300)
        parts.append(part)
        length += part.size
    return np.concatenate(parts)


def _skewed(size: int) -> np.ndarray:
    return np.minimum(np.random.default_rng(3).zipf(1.3, size), 60_000)


def text_of(name: str, size: int) -> tuple[np.ndarray, int]:
    """One of TEXTS of a size, and the ranks of its vocabulary."""
    if name.startswith("random"):
        symbols = int(name.split()[1])
        return with_ends(_random(symbols, size), size, 61), symbols + 1
    word, every = {
        "separators": lambda: ([-1], 0),
        "all equal": lambda: ([4], 0),
        "all equal documents": lambda: ([4], 37),
        "periodic": lambda: ([1, 2, 3, 0, 5], 0),
        "de Bruijn": lambda: (de_bruijn(3, 9 if size > 600 else 5), 0),
        "Fibonacci": lambda: (fibonacci_word(size), 0),
        "repeats": lambda: (_repeats(size), 501),
        "skewed": lambda: (_skewed(size), 97),
        "descending": lambda: (np.arange(size)[::-1] % 50_000, 0),
    }[name]()
    text = with_ends(word, size, every)
    return text, int(text.max()) + 2


TEXTS = [
    "separators", "all equal", "all equal documents", "periodic", "de Bruijn", "Fibonacci",
    "repeats", "skewed", "descending", "random 1", "random 2", "random 255", "random 65535",
    "random 65536", "random 1048576",
]  # fmt: skip
