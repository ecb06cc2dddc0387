"""One opened shard: its engine arrays, its document boundaries and its metadata.

::

    documents.gdx  kind "documents"
      starts       uint32  documents + 1: position of the first token of each document, and the
                           size of the shard; document d is [starts[d], starts[d + 1] - 1), a
                           separator stands at its end
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.engines.fm_shard import FMShard
from gramdex.fmindex.engines.suffix_array import SuffixArrayShard
from gramdex.fmindex.format.layout import (
    DOCUMENTS_FILE,
    METADATA_FILE,
    SUCCESSORS_FILE,
    SUFFIXES_FILE,
    TOKENS_FILE,
    shard_files,
)
from gramdex.fmindex.format.manifest import ShardManifest
from gramdex.fmindex.format.metadata import MetadataFile
from gramdex.fmindex.format.sections import SectionFile


class Shard:
    """A shard as its manifest describes it.

    Args:
        folder: the folder of the shard.
        manifest: what it must hold.
        width: bytes per token.
        ranks: ranks of the vocabulary.

    Raises:
        IncompleteIndexError: a file is missing.
        CorruptIndexError: a file is not what the manifest or its own header says.
        VersionError: a newer version wrote a file.
    """

    def __init__(self, folder: Path, manifest: ShardManifest, width: int, ranks: int) -> None:
        self.folder = folder
        self.manifest = manifest
        self.files = {
            name: _open(folder / name, kind, manifest)
            for name, kind in shard_files(manifest.engine).items()
        }
        self.engine: SuffixArrayShard | FMShard
        if manifest.engine == "fm":
            self.engine = FMShard(self.files[SUCCESSORS_FILE], manifest.size, ranks)
        else:
            self.engine = SuffixArrayShard(
                self.files[TOKENS_FILE], self.files[SUFFIXES_FILE], manifest.size, width, ranks
            )
        self.starts = self.files[DOCUMENTS_FILE].array("starts", np.uint32)
        documents = self.starts.size - 1
        if documents != manifest.documents or self.starts[0] or self.starts[-1] != manifest.size:
            raise CorruptIndexError(
                str(folder / DOCUMENTS_FILE),
                f"{documents} documents, the last ending at {int(self.starts[-1])}",
                f"{manifest.documents} documents ending at {manifest.size}",
            )

    @property
    def name(self) -> str:
        """Folder name."""
        return self.manifest.name

    @property
    def size(self) -> int:
        """Tokens, separators included."""
        return self.manifest.size

    @property
    def documents(self) -> int:
        """Number of documents."""
        return self.manifest.documents

    @property
    def token_count(self) -> int:
        """Tokens, separators not counted."""
        return self.size - self.documents

    @cached_property
    def metadata(self) -> MetadataFile:
        """Metadata by document; opened at first use."""
        return MetadataFile(self.files[METADATA_FILE], self.documents)

    def read_metadata(self, document: int) -> dict[str, Any]:
        """Metadata of one document of this shard."""
        return self.metadata.read(document)

    def document_of(self, positions: np.ndarray) -> np.ndarray:
        """Number, inside the shard, of the document at each text position, int64."""
        return np.searchsorted(self.starts, positions, side="right").astype(np.int64) - 1

    def bounds(self, document: int) -> tuple[int, int]:
        """Text positions [start, end) of a document, its separator not included.

        Raises:
            CorruptIndexError: they do not lie one after the other inside the shard.
        """
        found = self.starts[document : document + 2].tolist() if document >= 0 else []
        if len(found) != 2 or not found[0] < found[1] <= self.size:
            raise CorruptIndexError(
                str(self.folder / DOCUMENTS_FILE),
                f"document {document} from {' to '.join(map(str, found)) or 'nowhere'}",
                f"documents one after the other, up to {self.size}",
            )
        return found[0], found[1] - 1

    def __repr__(self) -> str:
        return f"Shard({self.name!r}, {self.documents} documents, {self.token_count} tokens)"


def _open(path: Path, kind: str, manifest: ShardManifest) -> SectionFile:
    record = manifest.files.get(path.name)
    if not isinstance(record, dict) or not isinstance(record.get("header"), str):
        raise CorruptIndexError(str(path), "not described by the manifest", "a size and a header")
    file = SectionFile(path, kind, record["header"])
    if file.size != record.get("size"):
        raise CorruptIndexError(str(path), f"{file.size} bytes", f"{record.get('size')} bytes")
    return file
