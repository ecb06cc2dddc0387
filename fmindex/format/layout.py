"""Where things lie inside the folder of an index, and the files a shard has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gramdex.fmindex.format import metadata

TOKENS_FILE = "tokens.gdx"
SUFFIXES_FILE = "suffixes.gdx"
DOCUMENTS_FILE = "documents.gdx"
METADATA_FILE = "metadata.gdx"
SUCCESSORS_FILE = "successors.gdx"
DOCUMENTS = "documents"

COMMON_FILES = {DOCUMENTS_FILE: DOCUMENTS, METADATA_FILE: metadata.KIND}
"""Of every shard: file name to kind."""

ENGINE_FILES = {
    "sa": {TOKENS_FILE: "tokens", SUFFIXES_FILE: "suffixes"},
    "fm": {SUCCESSORS_FILE: "successors"},
}
"""Of each engine: file name to kind."""

ENGINES = tuple(ENGINE_FILES)
"""Engines a shard can have: suffix array, FM-index."""

TOKENIZER_FOLDER = "tokenizer"

SAMPLING_RATE = 64
"""Of an FM-index, unless another is asked for: one text position in so many is stored."""
MOST_SAMPLING_RATE = 1 << 16


def shard_name(number: int) -> str:
    """Folder of shard ``number``."""
    return f"shard-{number:05d}"


def shard_files(engine: str) -> dict[str, str]:
    """File name to kind, of a shard of an engine."""
    return {**ENGINE_FILES[engine], **COMMON_FILES}


def file_record(path: Path, header: str) -> dict[str, Any]:
    """What a manifest says of a binary file: its size and the checksum of its header page."""
    return {"size": path.stat().st_size, "header": header}
