"""The JSON files of an index: ``manifest.json`` of the whole and ``shard.json`` of each shard.

Both carry a checksum over everything else in them, so an edit by hand is noticed, and name the
size and header checksum of every binary file, so a file of another index is noticed too. They
hold no time stamp: the same corpus, options and version give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import xxhash

from gramdex.errors import (
    CorruptIndexError,
    IncompleteIndexError,
    UnreadableIndexError,
    VersionError,
)
from gramdex.fmindex.format.files import write_file

MANIFEST = "manifest.json"
SHARD_MANIFEST = "shard.json"
BUILD_PLAN = "build.json"
VERSION = 3
MINIMUM_READER = 3

_TYPES = {"int": int, "str": str, "dict": dict, "list": list}

Manifest = TypeVar("Manifest", bound="IndexManifest | ShardManifest")


@dataclass(frozen=True)
class ShardManifest:
    """What one shard holds, and what the build learned while making it.

    Attributes:
        name: folder of the shard inside the index.
        engine: "sa" or "fm".
        size: tokens in the shard, one separator per document included.
        documents: documents in the shard.
        files: for each binary file its size in bytes and the checksum of its header page.
        build: what a rerun of an interrupted build needs: where this shard's part of the input
            begins and ends, and what was skipped on the way.
    """

    name: str
    engine: str
    size: int
    documents: int
    files: dict[str, dict[str, Any]]
    build: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class IndexManifest:
    """What an index holds; published last.

    Attributes:
        token_count: tokens of the corpus, separators not counted.
        document_count: documents of the corpus.
        token_width: bytes per stored token, 1, 2 or 4.
        vocabulary_size: ids are below this.
        tokenizer: kind, options, fingerprint and files of the tokenizer.
        shards: their manifests, in order.
        build: totals of the build: what was skipped, split or kept unusual.
    """

    token_count: int
    document_count: int
    token_width: int
    vocabulary_size: int
    tokenizer: dict[str, Any]
    shards: list[ShardManifest]
    build: dict[str, Any] = field(default_factory=dict)


def hash_manifests(manifests: Sequence[IndexManifest], more: str) -> int:
    """A 64-bit hash of what manifests say, in their order, and of what is said besides."""
    digest = xxhash.xxh3_64(more.encode())
    for manifest in manifests:
        digest.update(_encode(asdict(manifest)))
    return digest.intdigest()


def write_manifest(path: Path, manifest: IndexManifest | ShardManifest) -> None:
    """Write a manifest atomically."""
    write_file(path, _encode(asdict(manifest)))


def read_index_manifest(folder: Path) -> IndexManifest:
    """Read ``manifest.json`` of an index.

    Raises:
        IncompleteIndexError: there is none, or the build has not finished.
        VersionError: a newer version wrote it.
        CorruptIndexError: it is not what was written.
    """
    path = folder / MANIFEST
    try:
        there = path.is_file()
    except OSError as error:
        raise UnreadableIndexError(str(path), error.strerror or str(error)) from error
    if not there:
        raise _absent(folder)
    content = _decode(path)
    try:
        content["shards"] = [_build(path, ShardManifest, shard) for shard in content["shards"]]
    except (KeyError, TypeError) as error:
        raise _corrupt(path, f"no list of shards ({error})", "a Gramdex manifest") from error
    return _build(path, IndexManifest, content)


def read_shard_manifest(folder: Path) -> ShardManifest:
    """Read ``shard.json`` of a shard; errors as ``read_index_manifest``."""
    path = folder / SHARD_MANIFEST
    return _build(path, ShardManifest, _decode(path))


def _absent(folder: Path) -> IncompleteIndexError:
    if not folder.exists():
        return IncompleteIndexError(
            str(folder), "no such folder", "the folder of an index", "check the path"
        )
    if (folder / BUILD_PLAN).exists():
        return IncompleteIndexError(
            str(folder),
            "a build that has not finished",
            f"a published {MANIFEST}",
            "run the same build command again; finished shards are kept",
        )
    return IncompleteIndexError(
        str(folder), f"no {MANIFEST}", "the folder of an index", "check the path"
    )


def _encode(content: dict[str, Any]) -> bytes:
    content = {"format_version": VERSION, "minimum_reader": MINIMUM_READER, **content}
    content["checksum"] = _checksum(content)
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _checksum(content: dict[str, Any]) -> str:
    plain = {name: value for name, value in content.items() if name != "checksum"}
    encoded = json.dumps(plain, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return xxhash.xxh3_128_hexdigest(encoded.encode())


def _decode(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes()
        content = json.loads(text)
    except FileNotFoundError as error:
        raise IncompleteIndexError(str(path), "no such file", "a published manifest") from error
    except OSError as error:
        raise UnreadableIndexError(
            str(path), f"cannot be read: {error.strerror or error}", "a readable file"
        ) from error
    except (ValueError, RecursionError) as error:
        raise _corrupt(path, f"cannot be read ({error})", "a JSON object") from error
    if not text.endswith(b"\n"):
        raise _corrupt(path, "cut off at its end", "a final newline")
    if not isinstance(content, dict) or not isinstance(content.get("minimum_reader"), int):
        raise _corrupt(path, "no Gramdex manifest", "a JSON object with minimum_reader")
    if content["minimum_reader"] > VERSION:
        raise VersionError(
            str(path),
            f"readable from version {content['minimum_reader']} on",
            f"at most version {VERSION}",
            "install a newer gramdex",
        )
    checksum = _checksum(content)
    if content.get("checksum") != checksum:
        raise _corrupt(
            path, f"checksum {content.get('checksum')}", f"{checksum}: edited or damaged"
        )
    return content


def _build(path: Path, kind: type[Manifest], content: dict[str, Any]) -> Manifest:
    if not isinstance(content, dict):
        raise _corrupt(path, f"a {type(content).__name__}", f"the fields of a {kind.__name__}")
    values: dict[str, Any] = {}
    for field_ in fields(kind):
        expected = _TYPES[str(field_.type).split("[")[0]]
        value = values[field_.name] = content.get(field_.name)
        if type(value) is not expected or (isinstance(value, int) and value < 0):
            raise _corrupt(path, f"{field_.name} is {value!r}", f"{expected.__name__}")
    return kind(**values)


def _corrupt(path: Path, found: str, expected: str) -> CorruptIndexError:
    return CorruptIndexError(str(path), found, expected)
