"""From the tokens of a shard to the whole shard: sort, prefix table, headers, manifest.

Runs in a worker process. Everything lands in the shard's temporary folder; the build renames it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from gramdex.errors import BuildError
from gramdex.fmindex.engines.continuations import build_continuations, table_memory
from gramdex.fmindex.engines.suffix_array import bucket_shift
from gramdex.fmindex.format.files import require_space, sync_folder, writing
from gramdex.fmindex.format.layout import (
    SHARD_FILES,
    SUFFIXES_FILE,
    TOKENS_FILE,
    file_record,
)
from gramdex.fmindex.format.manifest import SHARD_MANIFEST, ShardManifest, write_manifest
from gramdex.fmindex.format.sections import PAGE, SectionFile, SectionWriter
from gramdex.indexer.suffix_sort import sort_suffixes
from gramdex.kernels.packing import count_symbols, prefix_table

_CHUNK = 1 << 22


@dataclass(frozen=True)
class ShardJob:
    """A shard whose tokens, documents and metadata are written, and which is not sorted yet.

    Attributes:
        folder: temporary folder with the files so far; the tokens have no header yet.
        name: name of the finished shard.
        size: tokens, separators included.
        documents: number of documents.
        width: bytes per token.
        ranks: ranks of the vocabulary.
        build: goes into the shard's manifest.
    """

    folder: Path
    name: str
    size: int
    documents: int
    width: int
    ranks: int
    build: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens_path(self) -> Path:
        """The token file."""
        return self.folder / TOKENS_FILE

    def chunks(self) -> Iterator[np.ndarray]:
        """The tokens, front to back."""
        with self.tokens_path.open("rb") as file:
            file.seek(PAGE)
            left = self.size
            while left > 0:
                chunk = np.fromfile(file, f"<u{self.width}", min(left, _CHUNK))
                if chunk.size == 0:
                    raise BuildError(str(self.tokens_path), f"{left} tokens missing", "all tokens")
                left -= chunk.size
                yield chunk

    def tokens(self) -> np.ndarray:
        """All tokens, in memory."""
        tokens = np.empty(self.size, f"<u{self.width}")
        filled = 0
        for chunk in self.chunks():
            tokens[filled : filled + chunk.size] = chunk
            filled += chunk.size
        return tokens


def finish_shard(job: ShardJob) -> ShardManifest:
    """Sort a shard and write what is missing of it.

    Raises:
        DiskFullError, BuildError: a file cannot be written.
        MemoryError: the machine has less memory than the build was told.
    """
    counts, checksum = _scan(job)
    tables = table_memory(job.size, job.ranks, job.width)
    require_space(job.folder, 4 * job.size + 4 * job.ranks + tables + (1 << 16))
    _write_suffixes(job, counts)
    with SectionWriter.reopen(job.tokens_path, SHARD_FILES[TOKENS_FILE]) as writer:
        writer.adopt("tokens", f"u{job.width}", job.size * job.width, checksum)
    files = {
        name: file_record(job.folder / name, SectionFile(job.folder / name, kind).header)
        for name, kind in SHARD_FILES.items()
    }
    manifest = ShardManifest(job.name, "sa", job.size, job.documents, files, job.build)
    write_manifest(job.folder / SHARD_MANIFEST, manifest)
    with writing(job.folder):
        sync_folder(job.folder)
    return manifest


def _scan(job: ShardJob) -> tuple[np.ndarray, bytes]:
    """Occurrences of each rank, and the checksum of the tokens."""
    counts = np.zeros(job.ranks, np.int64)
    digest = xxhash.xxh3_128()
    for chunk in job.chunks():
        if count_symbols(chunk, counts) >= 0:
            raise BuildError(str(job.tokens_path), "a rank outside the vocabulary", "valid ranks")
        digest.update(chunk.view(np.uint8).data)
    return counts, digest.digest()


def _write_suffixes(job: ShardJob, counts: np.ndarray) -> None:
    shift = bucket_shift(job.ranks, job.size)
    table = np.empty(((job.ranks - 1) >> shift) + 2, np.uint32)
    prefix_table(counts, shift, table)
    suffixes = _narrow(sort_suffixes(counts, job.size, job.chunks))
    with SectionWriter(job.folder / SUFFIXES_FILE, SHARD_FILES[SUFFIXES_FILE]) as writer:
        writer.section("suffixes", suffixes)
        writer.section("buckets", table)
        writer.section("shift", np.array([shift], np.uint8))
        if shift == 0:
            tokens = job.tokens()
            for name, values in build_continuations(tokens, suffixes, table).sections():
                writer.section(name, values)


def _narrow(suffixes: np.ndarray) -> np.ndarray:
    """Positions int32 or int64 as uint32, in the memory they lie in."""
    narrow = suffixes.view(np.uint32)
    if suffixes.itemsize > 4:
        for start in range(0, suffixes.size, _CHUNK):
            narrow[start : start + _CHUNK] = suffixes[start : start + _CHUNK].astype(np.uint32)
    return narrow[: suffixes.size]
