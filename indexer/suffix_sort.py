"""Suffix sorting of a shard: which sorter, what it is fed with, and the memory it takes.

"induced" is gramdex's own, for 8-, 16- and 32-bit symbols. Where the vocabulary is
large against the shard, the distinct tokens are numbered in order first, so that tables by symbol
are small and symbols as narrow as the shard allows.

"divsufsort" is libdivsufsort, which sorts bytes: symbols are written as 1 to 4 big-endian bytes
each, and of the byte suffixes those that start a symbol are kept. Both give the same suffix array.
"""

from __future__ import annotations

import numpy as np

from gramdex.errors import UsageError
from gramdex.kernels import packing
from gramdex.kernels.suffix_sorting import suffix_sort

SORTERS = ("induced", "divsufsort")

PER_RANK = 16
"""Bytes for each rank of the vocabulary: counts, prefix table, numbers of symbols."""

_LIMIT_32 = (1 << 31) - 1
_FEW = 8  # tokens per symbol at least, for symbols not to be numbered anew


def symbol_bytes(distinct: int) -> int:
    """Bytes that number ``distinct`` tokens."""
    return max(1, (max(distinct - 1, 0).bit_length() + 7) // 8)


def symbol_type(distinct: int) -> np.dtype:
    """The narrowest of uint8, uint16 and uint32 that numbers ``distinct`` tokens."""
    return np.dtype(f"u{(1, 2, 4, 4)[symbol_bytes(distinct) - 1]}")


def working_memory(size: int, ranks: int, sorter: str = "induced") -> int:
    """Most bytes that sorting a shard takes: its tokens, tables, work and the result.

    Args:
        size: tokens of the shard.
        ranks: of the vocabulary.
        sorter: one of SORTERS.
    """
    per_token = symbol_type(ranks).itemsize
    if sorter == "induced":
        per_token += 2 * suffix_sort.position_bytes(size)
    else:
        width = symbol_bytes(min(size, ranks))
        per_token += width + width * (4 if size * width <= _LIMIT_32 else 8)
    return size * per_token + ranks * PER_RANK


def sort_suffixes(
    counts: np.ndarray, tokens: np.ndarray, sorter: str = "induced"
) -> tuple[np.ndarray, bool]:
    """Suffix array of the tokens of a shard.

    Args:
        counts: int64[ranks], occurrences of each rank in the text.
        tokens: uint8, uint16 or uint32 [n]; its memory may be used for the symbols sorted.
        sorter: one of SORTERS.

    Returns:
        positions int32 or int64[n], in the order of their suffixes, and whether ``tokens`` was
        overwritten.

    Time is linear for "induced", but for the texts that ``kernels.suffix_sorting.suffix_sort``
    names, and O(n log n) for "divsufsort" (Mori).
    """
    if _sorts_as_is(tokens.size, counts.size, sorter):
        return suffix_sort.suffix_array(tokens, counts.size), False
    symbols = np.empty(counts.size, np.uint32)
    distinct = packing.dense_symbols(counts, symbols)
    if sorter == "divsufsort":
        return _divsufsort(tokens, symbols, symbol_bytes(distinct)), False
    text = tokens.view(symbol_type(distinct))[: tokens.size]
    packing.number_symbols(tokens, symbols, text)
    del symbols
    return suffix_sort.suffix_array(text, distinct), True


def suffix_array(text: np.ndarray, sorter: str = "induced") -> np.ndarray:
    """Suffix array of unsigned tokens [n] in memory: int32[n], int64[n] from 2^31 tokens on.

    Raises:
        UsageError: there is no such sorter.
    """
    if sorter not in SORTERS:
        raise UsageError("sorter", repr(sorter), f"one of {', '.join(SORTERS)}")
    symbols = int(text.max(initial=0)) + 1
    if _sorts_as_is(text.size, symbols, sorter):
        return suffix_sort.suffix_array(text, symbols)
    counts = np.zeros(symbols, np.int64)
    packing.count_symbols(text, counts)
    return sort_suffixes(counts, text.copy() if sorter == "induced" else text, sorter)[0]


def _sorts_as_is(size: int, symbols: int, sorter: str) -> bool:
    """Whether tables by symbol are small against the text, so that none need be numbered anew."""
    return sorter == "induced" and _FEW * symbols <= size


def _divsufsort(tokens: np.ndarray, symbols: np.ndarray, width: int) -> np.ndarray:
    packed = np.empty(tokens.size * width, np.uint8)
    packing.pack_big_endian(tokens, symbols, width, packed)
    import pydivsufsort  # reads OMP_NUM_THREADS when loaded, which worker processes set first

    suffixes = pydivsufsort.divsufsort(packed)
    kept = packing.keep_token_suffixes(suffixes, width) if width > 1 else tokens.size
    return suffixes[:kept]
