"""Checking an index against itself: every byte, and everything queries take for granted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.engines.continuations import build_continuations
from gramdex.fmindex.engines.fm_shard import FMShard
from gramdex.fmindex.engines.suffix_array import SuffixArrayShard
from gramdex.fmindex.engines.unwinding import check_lists, ranks_of_positions
from gramdex.fmindex.format.layout import (
    DOCUMENTS_FILE,
    SUFFIXES_FILE,
    TOKENIZER_FOLDER,
    TOKENS_FILE,
)
from gramdex.fmindex.format.manifest import SHARD_MANIFEST, read_shard_manifest
from gramdex.fmindex.format.vocabulary import FILE as VOCABULARY_FILE
from gramdex.fmindex.shard import Shard
from gramdex.fmindex.tokenizers import byte_order_ranks
from gramdex.kernels import memory, packing
from gramdex.kernels.suffix_array import verify

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

_VERDICTS = {
    verify.POSITION: "a position outside the shard at rank {}",
    verify.ORDER: "not the sorted permutation of all suffixes, as seen at rank {}",
}

_CONTINUATIONS_SINCE = 2
"""Version of the format from which on files have a table of continuations."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked and found right.

    Attributes:
        shards: number of shards.
        files: number of binary files.
        size: bytes under a checksum.
        tokens: suffixes whose order was checked.
    """

    shards: int
    files: int
    size: int
    tokens: int

    def __repr__(self) -> str:
        return (
            f"Verification({self.shards} shards, {self.files} files, {self.size:,} bytes, "
            f"{self.tokens:,} suffixes: all right)"
        )


def verify_index(index: Index, progress: Callable[[str], None] | None = None) -> Verification:
    """Check all shards; ``progress`` is told the name of each before it is checked.

    Raises:
        CorruptIndexError: naming the file and what is wrong.
    """
    _check_vocabulary(index)
    files = size = tokens = 0
    for shard in index.shards:
        if progress is not None:
            progress(shard.name)
        verify_shard(shard, index.vocabulary.ranks)
        files += len(shard.files)
        size += sum(file.size for file in shard.files.values())
        tokens += shard.size
    return Verification(len(index.shards), files, size, tokens)


def _check_vocabulary(index: Index) -> None:
    """The ranks are those of the tokenizer's bytes, in every index opened together."""
    table = index.tokenizer.token_bytes
    if table is None or index.tokenizer.kind == "bytes":
        return
    if not index.vocabulary.equals(*byte_order_ranks(table)):
        raise CorruptIndexError(
            str(index.folders[0] / TOKENIZER_FOLDER / VOCABULARY_FILE),
            "ranks that are not in the order of the tokenizer's bytes",
            "ranks in byte order",
        )


def check_bytes(shard: Shard) -> None:
    """Compare every byte of a shard with its checksum.

    Raises:
        CorruptIndexError: naming the file and section.
    """
    for file in shard.files.values():
        file.check()


def verify_shard(shard: Shard, ranks: int) -> None:
    """Check one shard: its bytes, its order, its tables, its documents and their metadata.

    Raises:
        CorruptIndexError: naming the file and what is wrong.
    """
    if read_shard_manifest(shard.folder) != shard.manifest:
        raise _wrong(shard, SHARD_MANIFEST, "another shard than the index describes", "the same")
    check_bytes(shard)
    if isinstance(shard.engine, FMShard):
        check_lists(shard.engine)
        ends = _fm_separators(shard.engine)
    else:
        counts = _token_counts(shard.engine, ranks)
        _check_buckets(shard.engine, counts)
        _check_suffixes(shard.engine, counts)
        _check_continuations(shard.engine, shard.files[SUFFIXES_FILE].version)
        ends = np.flatnonzero(shard.engine.tokens == memory.SEPARATOR)
    if not np.array_equal(ends + 1, shard.starts[1:]):
        raise _wrong(
            shard, DOCUMENTS_FILE, "boundaries that are not the separators", "matching ones"
        )
    for document in range(shard.documents):
        shard.read_metadata(document)


def _fm_separators(engine: FMShard) -> np.ndarray:
    """Text positions of the separators; walks through all of the text."""
    ends = [
        start + np.flatnonzero(ranks < engine.starts[1])
        for start, ranks in ranks_of_positions(engine)
    ]
    return np.concatenate(ends)


def _token_counts(engine: SuffixArrayShard, ranks: int) -> np.ndarray:
    counts = np.zeros(ranks, np.int64)
    outside = packing.count_symbols(engine.tokens, counts)
    if outside >= 0:
        token = int(engine.tokens[outside])
        raise _wrong(engine, TOKENS_FILE, f"rank {token} at {outside}", f"below {ranks}")
    return counts


def _check_buckets(engine: SuffixArrayShard, counts: np.ndarray) -> None:
    table = np.zeros(engine.buckets.size, np.uint32)
    packing.prefix_table(counts, engine.shift, table)
    if not np.array_equal(table, engine.buckets):
        raise _wrong(engine, SUFFIXES_FILE, "a prefix table of another text", "bucket bounds")


def _check_suffixes(engine: SuffixArrayShard, counts: np.ndarray) -> None:
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    verdict, rank = verify.check_suffix_array(
        engine.tokens, engine.suffixes, starts, np.empty(counts.size, np.int64)
    )
    if verdict != verify.SORTED:
        raise _wrong(engine, SUFFIXES_FILE, _VERDICTS[verdict].format(rank), "a suffix array")


def _check_continuations(engine: SuffixArrayShard, version: int) -> None:
    found = engine.continuations
    if found is None:
        if engine.shift == 0 and version >= _CONTINUATIONS_SINCE:
            raise _wrong(engine, SUFFIXES_FILE, "no table of continuations", "one")
        return
    made = build_continuations(engine.tokens, engine.suffixes, engine.buckets, found.limits)
    for (name, values), (_, expected) in zip(found.sections(), made.sections(), strict=True):
        if not np.array_equal(values, expected):
            raise _wrong(engine, SUFFIXES_FILE, f"{name} of another text", "continuations")


def _wrong(
    shard: Shard | SuffixArrayShard, file: str, found: str, expected: str
) -> CorruptIndexError:
    return CorruptIndexError(str(shard.folder / file), found, expected)
