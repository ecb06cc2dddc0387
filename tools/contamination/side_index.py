"""The side index: a corpus's documents, normalized, as an index of bytes beside the report.

It is made once for an index and a normalization, and found again by the name of its folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
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
    """Write the index under another name, and rename it when it is complete."""
    unfinished = folder.with_suffix(".tmp")
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        write_texts(texts(index), normalization, folder.with_suffix(".raw"), unfinished, progress)
        publish(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_texts(
    given: Iterable[str],
    normalization: Normalization,
    raw: Path,
    folder: Path,
    progress: Callable[[int], object] = lambda documents: None,
) -> None:
    """Index texts, normalized, as bytes; a document each, and an empty one where nothing is left.

    Args:
        given: the texts.
        normalization: of them.
        raw: a file that is written on the way and removed.
        folder: where the index goes.
        progress: told how many texts were written.
    """
    longest = number = -1
    try:
        with writing(raw), raw.open("wb") as file:
            for number, text in enumerate(given):
                data = normalization.apply(text).encode()
                longest = max(longest, len(data))
                file.write(data + bytes([_SEPARATOR]))
                progress(number + 1)
        gramdex.build(
            raw,
            folder,
            shard_tokens=max(_SHARD_TOKENS, longest + 1),
            on_empty="keep",
            on_error="raise" if number >= 0 else "skip",  # a file without texts is no mistake here
            read=ReadOptions("raw", dtype="uint8", separator_id=_SEPARATOR),
        )
    finally:
        with suppress(OSError):
            raw.unlink()


def texts(index: Index) -> Iterator[str]:
    """Text of every document, in order; bytes that are no UTF-8 show as U+FFFD."""
    for number in range(index.document_count):
        document = index.document(number)
        yield document.text if document.text is not None else index.decode(np.asarray(document.ids))
