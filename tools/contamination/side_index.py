"""The side index: a corpus's documents, normalized, as an index of bytes beside the report.

It is made once for an index and a normalization, and found again by the name of its folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xxhash

import gramdex
from gramdex.fmindex.format.files import publish, writing
from gramdex.fmindex.format.manifest import MANIFEST
from gramdex.fmindex.queries.contamination.corpus import NormalizedIndex
from gramdex.fmindex.queries.contamination.normalization import Normalization
from gramdex.indexer.readers import ReadOptions

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

_SEPARATOR = 0xFF  # never occurs in UTF-8
_SHARD_TOKENS = 100_000_000
_VERSION = 1
"""Of what ``Normalization.apply`` does; another number makes side indexes again."""


def fingerprint(index: Index) -> str:
    """Hexadecimal digits that differ between indexes: xxh3 of their manifests."""
    digest = xxhash.xxh3_128()
    for folder in index.folders:
        digest.update((folder / MANIFEST).read_bytes())
    return digest.hexdigest()


def normalized_index(
    index: Index,
    normalization: Normalization,
    beside: Path,
    threads: int = 1,
    progress: Callable[[int], object] = lambda documents: None,
) -> NormalizedIndex:
    """Open the side index of an index, or make it.

    Args:
        index: whose documents are normalized.
        normalization: what is left out of them.
        beside: folder that holds side indexes.
        threads: of the index that is opened.
        progress: told how many documents were written.
    """
    name = f"{fingerprint(index)[:16]}-{'-'.join(normalization.names) or 'nothing'}-{_VERSION}.gdx"
    folder = beside / name
    if not (folder / MANIFEST).is_file():
        _make(index, normalization, folder, progress)
    return NormalizedIndex(gramdex.open(folder, threads), normalization)


def _make(
    index: Index, normalization: Normalization, folder: Path, progress: Callable[[int], object]
) -> None:
    """Write the normalized documents to one file, and build the index of it."""
    unfinished, raw = folder.with_suffix(".tmp"), folder.with_suffix(".raw")
    try:
        with writing(raw):
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(unfinished, ignore_errors=True)
            longest = _write(index, normalization, raw, progress)
        gramdex.build(
            raw,
            unfinished,
            shard_tokens=max(_SHARD_TOKENS, longest + 1),
            on_empty="keep",
            read=ReadOptions("raw", dtype="uint8", separator_id=_SEPARATOR),
        )
        publish(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        with suppress(OSError):
            raw.unlink()


def _write(
    index: Index, normalization: Normalization, raw: Path, progress: Callable[[int], object]
) -> int:
    """Every document and a separator; bytes of the longest."""
    longest = 0
    with raw.open("wb") as file:
        for number, text in enumerate(texts(index)):
            data = normalization.apply(text).encode()
            longest = max(longest, len(data))
            file.write(data + bytes([_SEPARATOR]))
            progress(number + 1)
    return longest


def texts(index: Index) -> Iterator[str]:
    """Text of every document, in order; bytes that are no UTF-8 show as U+FFFD."""
    for number in range(index.document_count):
        document = index.document(number)
        yield document.text if document.text is not None else index.decode(np.asarray(document.ids))
