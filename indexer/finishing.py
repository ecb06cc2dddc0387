"""From the tokens of a shard to the whole shard: sort, the engine's files, manifest.

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
from gramdex.fmindex.format.files import require_space, sync_folder, writing
from gramdex.fmindex.format.layout import (
    ENGINE_FILES,
    SAMPLING_RATE,
    SUCCESSORS_FILE,
    TOKENS_FILE,
    file_record,
    shard_files,
)
from gramdex.fmindex.format.manifest import SHARD_MANIFEST, ShardManifest, write_manifest
from gramdex.fmindex.format.sections import PAGE, SectionFile, SectionWriter
from gramdex.indexer.successors import write_successors
from gramdex.indexer.suffix_files import MARGIN, write_suffixes
from gramdex.indexer.suffix_sort import SORTERS, sort_suffixes
from gramdex.kernels.packing import count_symbols

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
        engine: "sa" or "fm".
        sampling_rate: of an FM-index.
        sorter: what sorts its suffixes.
        build: goes into the shard's manifest.
    """

    folder: Path
    name: str
    size: int
    documents: int
    width: int
    ranks: int
    engine: str = "sa"
    sampling_rate: int = SAMPLING_RATE
    sorter: str = SORTERS[0]
    build: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens_path(self) -> Path:
        """The token file."""
        return self.folder / TOKENS_FILE

    def parts(self, tokens: np.ndarray) -> Iterator[np.ndarray]:
        """Read the tokens into an array of ``size``; each part as it is filled, front to back.

        Raises:
            BuildError: the file is too short.
        """
        with self.tokens_path.open("rb") as file:
            file.seek(PAGE)
            for start in range(0, self.size, _CHUNK):
                part = tokens[start : start + _CHUNK]
                if file.readinto(part.view(np.uint8).data) != part.nbytes:
                    left = self.size - start
                    raise BuildError(str(self.tokens_path), f"{left} tokens missing", "all tokens")
                yield part

    def fill(self, tokens: np.ndarray) -> None:
        """Read the tokens into an array of ``size``."""
        for _ in self.parts(tokens):
            pass


def finish_shard(job: ShardJob, threads: int = 1) -> ShardManifest:
    """Sort a shard and write what is missing of it, with so many threads.

    Raises:
        DiskFullError, BuildError: a file cannot be written.
        MemoryError: the machine has less memory than the build was told.
    """
    tokens = np.empty(job.size, f"<u{job.width}")
    counts, checksum = _read(job, tokens)
    if job.engine == "fm":
        _write_fm(job, tokens, counts)
    else:
        _write_suffix_array(job, tokens, counts, threads)
        with SectionWriter.reopen(job.tokens_path, ENGINE_FILES["sa"][TOKENS_FILE]) as writer:
            writer.adopt("tokens", f"u{job.width}", job.size * job.width, checksum)
    return close_shard(job)


def close_shard(job: ShardJob) -> ShardManifest:
    """Write the manifest of a shard whose files are complete."""
    files = {
        name: file_record(job.folder / name, SectionFile(job.folder / name, kind).header)
        for name, kind in shard_files(job.engine).items()
    }
    manifest = ShardManifest(job.name, job.engine, job.size, job.documents, files, job.build)
    write_manifest(job.folder / SHARD_MANIFEST, manifest)
    with writing(job.folder):
        sync_folder(job.folder)
    return manifest


def _write_fm(job: ShardJob, tokens: np.ndarray, counts: np.ndarray) -> None:
    """Sort the tokens and write the lists of successors, which take the place of their file."""
    require_space(job.folder, 2 * job.size * job.width + 4 * job.ranks + MARGIN)
    suffixes, overwritten = sort_suffixes(counts, tokens, job.sorter)
    if overwritten:
        job.fill(tokens)
    path = job.folder / SUCCESSORS_FILE
    write_successors(path, tokens, _narrow(suffixes), counts, job.sampling_rate)
    with writing(job.folder):
        job.tokens_path.unlink()


def _write_suffix_array(
    job: ShardJob, tokens: np.ndarray, counts: np.ndarray, threads: int
) -> None:
    """Sort the tokens, write the suffix array and its tables."""
    require_space(job.folder, 4 * job.size + 4 * job.ranks + MARGIN)
    suffixes, overwritten = sort_suffixes(counts, tokens, job.sorter)

    def read_tokens() -> np.ndarray:
        if overwritten:
            job.fill(tokens)
        return tokens

    write_suffixes(job.folder, _narrow(suffixes), counts, read_tokens, threads)


def _read(job: ShardJob, tokens: np.ndarray) -> tuple[np.ndarray, bytes]:
    """Fill ``tokens``; occurrences of each rank, and the checksum."""
    counts = np.zeros(job.ranks, np.int64)
    digest = xxhash.xxh3_128()
    for part in job.parts(tokens):
        if count_symbols(part, counts) >= 0:
            raise BuildError(str(job.tokens_path), "a rank outside the vocabulary", "valid ranks")
        digest.update(part.view(np.uint8).data)
    return counts, digest.digest()


def _narrow(suffixes: np.ndarray) -> np.ndarray:
    """Positions int32 or int64 as uint32, in the memory they lie in."""
    narrow = suffixes.view(np.uint32)[: suffixes.size]
    if suffixes.itemsize > 4:
        for start in range(0, suffixes.size, _CHUNK):
            narrow[start : start + _CHUNK] = suffixes[start : start + _CHUNK].astype(np.uint32)
    return narrow
