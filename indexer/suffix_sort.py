"""Suffix sorting of a shard: which sorter, what it is fed with, and the memory it takes.

The distinct tokens of a shard are numbered in order, so that what is sorted has symbols as
narrow as the shard allows, whatever the vocabulary.

"induced" is gramdex's own, for 8-, 16- and 32-bit symbols, in linear time. "divsufsort" is
libdivsufsort, which sorts bytes: symbols are written as 1 to 4 big-endian bytes each, and of the
byte suffixes those that start a symbol are kept. Both give the same suffix array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from gramdex.errors import UsageError
from gramdex.kernels import packing, suffix_sort

SORTERS = ("induced", "divsufsort")

Chunks: TypeAlias = Callable[[], Iterable[np.ndarray]]
"""Gives a text front to back, in unsigned arrays."""

_LIMIT_32 = (1 << 31) - 1


def symbol_bytes(distinct: int) -> int:
    """Bytes that number ``distinct`` tokens."""
    return max(1, (max(distinct - 1, 0).bit_length() + 7) // 8)


def symbol_type(distinct: int) -> np.dtype:
    """The narrowest of uint8, uint16 and uint32 that numbers ``distinct`` tokens."""
    return np.dtype(f"u{(1, 2, 4, 4)[symbol_bytes(distinct) - 1]}")


def working_memory(size: int, ranks: int, sorter: str = "induced") -> int:
    """Most bytes that ``sort_suffixes`` takes, text and result included.

    Args:
        size: tokens of the shard.
        ranks: of the vocabulary.
        sorter: one of SORTERS.
    """
    distinct = min(size, ranks)
    if sorter == "induced":
        per_token = symbol_type(distinct).itemsize + 2 * suffix_sort.position_bytes(size)
    else:
        width = symbol_bytes(distinct)
        per_token = width + width * (4 if size * width <= _LIMIT_32 else 8)
    return size * per_token + ranks * 12


def sort_suffixes(
    counts: np.ndarray, size: int, chunks: Chunks, sorter: str = "induced"
) -> np.ndarray:
    """Suffix array of a text.

    Args:
        counts: int64[ranks], occurrences of each rank in the text.
        size: tokens in the text.
        chunks: gives the text.
        sorter: one of SORTERS.

    Returns:
        positions int32 or int64[size], in the order of their suffixes.

    O(n) time for "induced" (``kernels.suffix_sort``), O(n log n) for "divsufsort" (Mori).
    """
    symbols = np.empty(counts.size, np.uint32)
    distinct = packing.dense_symbols(counts, symbols)
    if sorter == "divsufsort":
        return _divsufsort(symbols, symbol_bytes(distinct), size, chunks)
    text = np.empty(size, symbol_type(distinct))
    for start, chunk in _numbered(chunks, size):
        packing.number_symbols(chunk, symbols, text[start : start + chunk.size])
    del symbols
    return suffix_sort.suffix_array(text, distinct)


def suffix_array(text: np.ndarray, sorter: str = "induced") -> np.ndarray:
    """Suffix array of unsigned tokens [n] in memory: int32[n], int64[n] from 2^31 tokens on.

    Raises:
        UsageError: there is no such sorter.
    """
    if sorter not in SORTERS:
        raise UsageError("sorter", repr(sorter), f"one of {', '.join(SORTERS)}")
    counts = np.zeros(int(text.max(initial=0)) + 1, np.int64)
    packing.count_symbols(text, counts)
    return sort_suffixes(counts, text.size, lambda: [text], sorter)


def _divsufsort(symbols: np.ndarray, width: int, size: int, chunks: Chunks) -> np.ndarray:
    packed = np.empty(size * width, np.uint8)
    for start, chunk in _numbered(chunks, size):
        end = start + chunk.size
        packing.pack_big_endian(chunk, symbols, width, packed[start * width : end * width])
    import pydivsufsort  # reads OMP_NUM_THREADS when loaded, which worker processes set first

    suffixes = pydivsufsort.divsufsort(packed)
    kept = packing.keep_token_suffixes(suffixes, width) if width > 1 else size
    return suffixes[:kept]


def _numbered(chunks: Chunks, size: int) -> Iterable[tuple[int, np.ndarray]]:
    """Chunks with their places in the text, which has ``size`` tokens."""
    start = 0
    for chunk in chunks():
        if start + chunk.size > size:
            raise RuntimeError(f"the text has more tokens than the {size} that were counted")
        yield start, chunk
        start += chunk.size
    if start != size:
        raise RuntimeError(f"the text has {start} tokens, {size} were counted")
