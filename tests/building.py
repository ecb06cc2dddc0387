"""Small indexes of known documents, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import gramdex
from gramdex.indexer.readers import ReadOptions


def token_file(folder: Path, documents: Sequence[Sequence[int]], vocabulary_size: int) -> Path:
    """Documents as one .npy of ids, each followed by the id ``vocabulary_size``."""
    flat = [token for document in documents for token in [*document, vocabulary_size]]
    path = folder / "tokens.npy"
    np.save(path, np.array(flat, np.uint32))
    return path


def build_ids(
    folder: Path,
    documents: Sequence[Sequence[int]],
    vocabulary_size: int,
    shard_tokens: int = 1 << 20,
    **options: Any,
) -> Path:
    """Index of documents of ids; the empty corpus is an empty file, left out."""
    inputs = token_file(folder, documents, vocabulary_size)
    settings: dict[str, Any] = {
        "on_empty": "keep",
        "on_error": "raise" if documents else "skip",
        "read": ReadOptions(separator_id=vocabulary_size),
        "vocabulary_size": vocabulary_size,
        "shard_tokens": shard_tokens,
    }
    gramdex.build(inputs, folder / "index", None, **(settings | options))
    return folder / "index"


ENGINES: dict[str, dict[str, Any]] = {
    "sa": {"engine": "sa"},
    "fm": {"engine": "fm"},
    "fm, dense": {"engine": "fm", "sampling_rate": 2},
}
"""Options of a build, by what tests call the engine; "mixed" stands for one index of each."""


def open_ids(
    folder: Path,
    documents: Sequence[Sequence[int]],
    vocabulary_size: int,
    shard_tokens: int = 1 << 20,
    engine: str = "sa",
) -> gramdex.Index:
    """Documents of ids in an opened index; see ``build_engine``."""
    return gramdex.open(build_engine(folder, documents, vocabulary_size, shard_tokens, engine))


def build_engine(
    folder: Path,
    documents: Sequence[Sequence[int]],
    vocabulary_size: int,
    shard_tokens: int = 1 << 20,
    engine: str = "sa",
) -> list[Path]:
    """Indexes to open together, in order; "mixed" are two halves."""
    parts = {engine: documents}
    if engine == "mixed":
        half, turn = len(documents) // 2, len(documents) % 2
        names = ["sa", "fm, dense"][:: -1 if turn else 1]
        parts = {names[0]: documents[:half], names[1]: documents[half:]}
    paths = []
    for name, part in parts.items():
        (folder / name).mkdir()
        paths.append(build_ids(folder / name, part, vocabulary_size, shard_tokens, **ENGINES[name]))
    return paths


def shard_budget(documents: Sequence[Sequence[int]], shards: int) -> int:
    """Shard size that cuts the documents into about so many shards and splits none."""
    longest = max((len(document) for document in documents), default=0) + 1
    total = sum(len(document) + 1 for document in documents)
    return max(longest, -(-total // shards), 2)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def small_tokenizer(folder: Path) -> Path:
    """A tokenizer.json of the 256 bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path
