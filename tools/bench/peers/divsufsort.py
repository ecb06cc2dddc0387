"""libdivsufsort through the PyPI package pydivsufsort: suffix sorting of bytes, on one core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from gramdex.indexer.suffix_sort import symbol_bytes
from gramdex.kernels.packing import (
    count_symbols,
    dense_symbols,
    keep_token_suffixes,
    pack_big_endian,
)
from gramdex.tools.bench.peers.interface import Engine, Sorting
from gramdex.tools.doctor import installed_version

_SORTER = "a sorter: it makes no index and answers nothing"


class Divsufsort(Engine):
    """The fastest suffix sorter of bytes in wide use."""

    name = "divsufsort"
    cannot: ClassVar[Mapping[str, str]] = {"build": _SORTER, "queries": _SORTER, "cold": _SORTER}
    notes: ClassVar[Mapping[str, str]] = {
        "sort": "divsufsort sorts bytes: tokens are numbered in order and written as big-endian "
        "bytes: 1 each up to 256 distinct ones, 2 up to 65,536, else 3 or 4. Numbering, writing, "
        "and taking the tokens' suffixes out of the bytes' are not in its time. "
        "OMP_NUM_THREADS=1."
    }

    def version(self) -> str:
        """Of the Python package."""
        return installed_version("pydivsufsort") or ""

    def missing(self) -> str:
        """It is there wherever gramdex is."""
        return "" if self.version() else "not installed (pip install pydivsufsort)"

    def sorting(self, text: np.ndarray) -> Sorting:
        """Of the byte view."""
        return _ByteSorting(text)


class _ByteSorting(Sorting):
    def __init__(self, text: np.ndarray) -> None:
        counts = np.zeros(int(text.max()) + 1, np.int64)
        count_symbols(text, counts)
        symbols = np.empty(counts.size, np.uint32)
        self.width = symbol_bytes(dense_symbols(counts, symbols))
        self.packed = np.empty(text.size * self.width, np.uint8)
        pack_big_endian(text, symbols, self.width, self.packed)
        self.sorted: Any = None

    def run(self) -> None:
        import pydivsufsort  # reads OMP_NUM_THREADS when loaded

        self.sorted = pydivsufsort.divsufsort(self.packed)

    def positions(self) -> np.ndarray:
        kept = keep_token_suffixes(self.sorted, self.width)
        return self.sorted[:kept]
