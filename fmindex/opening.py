"""Opening an index: from a folder to something that answers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from gramdex.errors import CorruptIndexError, TokenizerError, UsageError
from gramdex.fmindex.format.layout import ENGINES, TOKENIZER_FOLDER, shard_name
from gramdex.fmindex.format.manifest import IndexManifest, read_index_manifest
from gramdex.fmindex.format.tokenizer_files import read_tokenizer_file
from gramdex.fmindex.format.vocabulary import FILE as VOCABULARY_FILE
from gramdex.fmindex.format.vocabulary import Vocabulary, read_vocabulary
from gramdex.fmindex.index import Index
from gramdex.fmindex.shard import Shard
from gramdex.fmindex.tokenizers import Tokenizer, restore_tokenizer

Paths: TypeAlias = "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]"


def open_index(
    path: Paths, threads: int = 1, takedown: Paths | None = None, copies: str = "all"
) -> Index:
    """Open one index, or several with the same tokenizer as one.

    Checks structure: manifests, sizes, headers, tables that kernels rely on. ``Index.verify``
    checks every byte.

    Args:
        path: folder of an index, or a list of folders; documents are numbered through the list.
        threads: that share the work of one large batch or text, the calling one included; what is
            small stays in the calling one. Callers in several threads share them all.
        takedown: folder of an index, or a list, of documents that are to be ignored: every answer
            is as without them. Each must be a document of the corpus; ``fmindex/takedown.py`` says
            what that means.
        copies: of a document that is taken down: "all" must be listed, or so many go as are
            "listed".

    Raises:
        IncompleteIndexError: no index there, its build has not finished, or a file is missing.
        VersionError: a newer version wrote it.
        CorruptIndexError: something is not as the format says.
        TokenizerError: the indexes of a list have different tokenizers.
        UsageError: no path, ``threads`` is no positive number, or documents to be taken down are
            not in the corpus.
    """
    if takedown is not None and not (isinstance(takedown, (list, tuple)) and not takedown):
        return _open_without(path, threads, takedown, copies)
    paths = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise UsageError("threads", repr(threads), "a whole number from 1 on")
    if not paths:
        raise UsageError("open", "an empty list", "the path of at least one index")
    folders = [Path(p) for p in paths]
    manifests = [read_index_manifest(folder) for folder in folders]
    _check_same_tokens(folders, manifests)
    opened = [
        (_open_tokenizer(folder, manifest), _open_vocabulary(folder, manifest))
        for folder, manifest in zip(folders, manifests, strict=True)
    ]
    tokenizer, vocabulary = opened[0]
    for folder, (_, other) in zip(folders, opened, strict=True):
        if not vocabulary.same_as(other):
            raise _damaged_tokenizer(folder / TOKENIZER_FOLDER, "other ranks", f"of {folders[0]}")
    shards = [
        shard
        for folder, manifest in zip(folders, manifests, strict=True)
        for shard in _open_shards(folder, manifest, vocabulary)
    ]
    return Index(folders, manifests, tokenizer, vocabulary, shards, threads)


def _open_without(path: Paths, threads: int, takedown: Paths, copies: str) -> Index:
    index, taken = open_index(path, threads), open_index(takedown, threads)
    _check_same_tokens([index.folders[0], *taken.folders], [index.manifests[0], *taken.manifests])
    if not index.vocabulary.same_as(taken.vocabulary):
        place = taken.folders[0] / TOKENIZER_FOLDER
        raise _damaged_tokenizer(place, "other ranks", f"of {index.folders[0]}")
    return Index(
        index.folders,
        index.manifests,
        index.tokenizer,
        index.vocabulary,
        index.shards,
        threads,
        (taken, copies),
    )


def _check_same_tokens(folders: Sequence[Path], manifests: Sequence[IndexManifest]) -> None:
    for folder, manifest in zip(folders, manifests, strict=True):
        first, this = (
            (m.tokenizer.get("fingerprint"), m.vocabulary_size) for m in (manifests[0], manifest)
        )
        if this != first:
            raise TokenizerError(
                str(folder),
                f"tokenizer {this[0]} with {this[1]} ids",
                f"that of {folders[0]}, {first[0]} with {first[1]} ids",
                "open indexes of different tokenizers one by one",
            )


def _open_tokenizer(folder: Path, manifest: IndexManifest) -> Tokenizer:
    stored, place = manifest.tokenizer, folder / TOKENIZER_FOLDER
    try:
        files = dict(read_tokenizer_file(place, name) for name in stored["files"])
        tokenizer = restore_tokenizer(
            stored["kind"], stored["options"], files, manifest.vocabulary_size
        )
        fingerprint = tokenizer.fingerprint
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged_tokenizer(place, str(error)) from error
    if fingerprint != stored.get("fingerprint"):
        raise _damaged_tokenizer(place, f"fingerprint {fingerprint}", stored.get("fingerprint"))
    return tokenizer


def _open_vocabulary(folder: Path, manifest: IndexManifest) -> Vocabulary:
    header = manifest.tokenizer.get("vocabulary")
    if header is None:
        return Vocabulary(manifest.vocabulary_size)
    path = folder / TOKENIZER_FOLDER / VOCABULARY_FILE
    return read_vocabulary(path, manifest.vocabulary_size, header)


def _open_shards(folder: Path, manifest: IndexManifest, vocabulary: Vocabulary) -> list[Shard]:
    place = str(folder / "manifest.json")
    if manifest.token_width != vocabulary.width:
        raise CorruptIndexError(place, f"width {manifest.token_width}", str(vocabulary.width))
    shards = []
    for number, shard in enumerate(manifest.shards):
        if shard.name != shard_name(number):
            raise CorruptIndexError(place, f"shard {shard.name!r}", shard_name(number))
        if shard.engine not in ENGINES:
            raise CorruptIndexError(place, f"engine {shard.engine!r}", f"one of {ENGINES}")
        shards.append(Shard(folder / shard.name, shard, vocabulary.width, vocabulary.ranks))
    totals = sum(s.token_count for s in shards), sum(s.documents for s in shards)
    if totals != (manifest.token_count, manifest.document_count):
        raise CorruptIndexError(
            place,
            f"shards with {totals[0]} tokens in {totals[1]} documents",
            f"{manifest.token_count} tokens in {manifest.document_count}",
        )
    return shards


def _damaged_tokenizer(
    place: Path, found: str, expected: str | None = "the tokenizer the index was built with"
) -> CorruptIndexError:
    return CorruptIndexError(str(place), found, str(expected))
