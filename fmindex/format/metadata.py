"""Metadata of documents: JSON lines in zstandard blocks, any document read by decompressing one.

::

    metadata.gdx  kind "metadata"
      blocks           uint8   zstandard frames one after the other; a frame holds the JSON of
                               consecutive documents, one a line
      block_offsets    uint64  blocks + 1: where each frame begins in ``blocks``
      block_documents  uint32  blocks + 1: first document of each frame
"""

from __future__ import annotations

import json
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.format.sections import SectionFile, SectionWriter

KIND = "metadata"
BLOCK_BYTES = 1 << 16
MAXIMUM_BLOCK = (1 << 30) + (1 << 20)
"""Bytes of the largest block that is decompressed: the metadata of one document may be large."""

LEVEL = 3


class MetadataWriter:
    """Appends the metadata of documents in order."""

    def __init__(self, path: Path) -> None:
        self._writer = SectionWriter(path, KIND)
        self._writer.begin("blocks", np.uint8)
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self._lines: list[bytes] = []
        self._size = 0
        self._offsets = [0]
        self._documents = [0]

    def append(self, metadata: dict[str, Any]) -> None:
        """Add the metadata of the next document."""
        line = json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode()
        self._lines.append(line)
        self._size += len(line) + 1
        if self._size >= BLOCK_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is left, the tables and the header."""
        self._flush()
        self._writer.section("block_offsets", np.array(self._offsets, np.uint64))
        self._writer.section("block_documents", np.array(self._documents, np.uint32))
        self._writer.close()

    def abandon(self) -> None:
        """Close without publishing."""
        self._writer.abandon()

    def _flush(self) -> None:
        if not self._lines:
            return
        frame = self._compressor.compress(b"\n".join(self._lines))
        self._writer.write(frame)
        self._offsets.append(self._offsets[-1] + len(frame))
        self._documents.append(self._documents[-1] + len(self._lines))
        self._lines, self._size = [], 0


class MetadataFile:
    """Metadata of the documents of one shard, by number.

    Raises:
        CorruptIndexError: the tables do not fit each other or ``documents``.
    """

    def __init__(self, file: SectionFile, documents: int) -> None:
        self._path = file.path
        self._blocks = file.array("blocks", np.uint8)
        self._offsets = file.array("block_offsets", np.uint64).astype(np.int64)
        self._documents = file.array("block_documents", np.uint32).astype(np.int64)
        tables = (self._offsets, self._documents)
        ends = (self._blocks.size, documents)
        for table, end in zip(tables, ends, strict=True):
            if not table.size or table[0] or table[-1] != end or (np.diff(table) <= 0).any():
                raise CorruptIndexError(str(self._path), "a block table that does not ascend")
        if self._offsets.size != self._documents.size:
            raise CorruptIndexError(str(self._path), "block tables of different lengths")
        # Of arrays, not of self: that would be a cycle, and the file mapped until it is collected.
        arrays = self._blocks, self._offsets, self._documents
        self._block = lru_cache(maxsize=8)(partial(_read_block, self._path, *arrays))

    def read(self, document: int) -> dict[str, Any]:
        """Metadata of a document, which must exist.

        Raises:
            CorruptIndexError: its block does not decompress to what the table says.
        """
        block = int(np.searchsorted(self._documents, document, side="right")) - 1
        line = self._block(block)[document - int(self._documents[block])]
        try:
            metadata = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorruptIndexError(
                str(self._path), f"metadata of document {document} is no JSON ({error})"
            ) from error
        if not isinstance(metadata, dict):
            raise CorruptIndexError(str(self._path), f"metadata of document {document}: {line!r}")
        return metadata


def _read_block(
    path: Path, blocks: np.ndarray, offsets: np.ndarray, documents: np.ndarray, block: int
) -> list[bytes]:
    start, end = offsets[block : block + 2]
    frame = blocks[start:end].tobytes()
    try:
        size = zstandard.frame_content_size(frame)
        if not 0 <= size <= MAXIMUM_BLOCK:
            raise zstandard.ZstdError(f"a block of {size} bytes")
        text = zstandard.ZstdDecompressor().decompress(frame)
    except (zstandard.ZstdError, MemoryError) as error:
        raise CorruptIndexError(
            str(path), f"block {block} does not decompress ({error})"
        ) from error
    lines = text.split(b"\n")
    expected = int(documents[block + 1] - documents[block])
    if len(lines) != expected:
        raise CorruptIndexError(
            str(path), f"block {block} holds {len(lines)} documents", str(expected)
        )
    return lines
