"""Writing the suffix array of a shard and the tables that go with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gramdex.fmindex.engines.continuations import build_continuations
from gramdex.fmindex.engines.suffix_array import bucket_shift
from gramdex.fmindex.engines.threads import beside
from gramdex.fmindex.format.files import require_space
from gramdex.fmindex.format.layout import ENGINE_FILES, SUFFIXES_FILE
from gramdex.fmindex.format.sections import SectionWriter
from gramdex.kernels.packing import prefix_table

MARGIN = 1 << 16
"""Bytes for headers, padding and the manifest."""


def write_suffixes(
    folder: Path,
    suffixes: np.ndarray,
    counts: np.ndarray,
    read_tokens: Callable[[], np.ndarray],
    threads: int = 1,
) -> None:
    """Write suffix array, prefix table and table of continuations.

    Args:
        folder: of the shard.
        suffixes: uint32[n].
        counts: int64[ranks], occurrences of each rank.
        read_tokens: gives the tokens, unsigned[n]; called where a table of continuations is made.
        threads: with a second one that table is made while the suffix array is written.

    Raises:
        DiskFullError, BuildError: the file cannot be written.
    """
    shift = bucket_shift(counts.size, suffixes.size)
    buckets = np.empty(((counts.size - 1) >> shift) + 2, np.uint32)
    prefix_table(counts, shift, buckets)

    def make() -> list[tuple[str, np.ndarray]]:
        if shift:
            return []
        return list(build_continuations(read_tokens(), suffixes, buckets).sections())

    with (
        beside(make, threads) as made,
        SectionWriter(folder / SUFFIXES_FILE, ENGINE_FILES["sa"][SUFFIXES_FILE]) as writer,
    ):
        writer.section("suffixes", suffixes)
        writer.section("buckets", buckets)
        writer.section("shift", np.array([shift], np.uint8))
        sections = made()
        require_space(folder, sum(values.nbytes for _, values in sections) + MARGIN)
        for name, values in sections:
            writer.section(name, values)
