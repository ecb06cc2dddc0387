"""Suffix sorting by libdivsufsort, fed with as few bytes per token as the shard needs.

libdivsufsort sorts bytes. The distinct tokens of a shard are numbered in order, each number is
written as 1 to 4 big-endian bytes, and of the byte suffixes those that start a token are kept.
The working memory, text included, follows the bytes: 5 per token for up to 256 distinct tokens,
10 up to 2^16, 15 up to 2^24, 20 above; 9, 18, 27 and 36 for texts of 2^31 bytes or more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from gramdex.kernels.packing import (
    count_symbols,
    dense_symbols,
    keep_token_suffixes,
    pack_big_endian,
)

SORTERS = ("induced", "divsufsort")
"""Names of the ways to sort, the usual one first."""

_LIMIT_32 = (1 << 31) - 1


def symbol_bytes(distinct: int) -> int:
    """Bytes that number ``distinct`` tokens."""
    return max(1, (max(distinct - 1, 0).bit_length() + 7) // 8)


def working_memory(size: int, ranks: int) -> int:
    """Most bytes that ``sort`` takes for ``size`` tokens of a vocabulary of ``ranks`` ranks."""
    width = symbol_bytes(min(size, ranks))
    text = size * width
    return text + text * (4 if text <= _LIMIT_32 else 8) + ranks * 12


def sort_suffixes(
    counts: np.ndarray, size: int, chunks: Callable[[], Iterable[np.ndarray]]
) -> np.ndarray:
    """Suffix array of a text.

    Args:
        counts: int64[ranks], occurrences of each rank in the text.
        size: tokens in the text.
        chunks: gives the text front to back, in unsigned arrays.

    Returns:
        positions int32 or int64[size], in the order of their suffixes; a view of a larger array.

    O(n log n) time (Mori, libdivsufsort).
    """
    symbols = np.empty(counts.size, np.uint32)
    width = symbol_bytes(dense_symbols(counts, symbols))
    packed = np.empty(size * width, np.uint8)
    filled = 0
    for chunk in chunks():
        end = filled + chunk.size * width
        pack_big_endian(chunk, symbols, width, packed[filled:end])
        filled = end
    if filled != packed.size:
        raise RuntimeError(f"the text has {filled // width} tokens, {size} were counted")
    del symbols
    import pydivsufsort  # reads OMP_NUM_THREADS when loaded, which worker processes set first

    suffixes = pydivsufsort.divsufsort(packed)
    kept = keep_token_suffixes(suffixes, width) if width > 1 else size
    return suffixes[:kept]


def suffix_array(text: np.ndarray, sorter: str = "induced") -> np.ndarray:
    """Suffix array of symbols in memory.

    Args:
        text: uint8, uint16 or uint32[n].
        sorter: one of ``SORTERS``; both go through libdivsufsort as yet.

    Returns:
        positions int32 or int64[n], in the order of their suffixes.
    """
    if sorter not in SORTERS:
        raise ValueError(f"no sorter is called {sorter!r}; there are {', '.join(SORTERS)}")
    counts = np.zeros(int(text.max()) + 1 if text.size else 1, np.int64)
    count_symbols(text, counts)
    return sort_suffixes(counts, text.size, lambda: [text])
