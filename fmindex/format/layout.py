"""Where things lie inside the folder of an index, and the files a shard has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gramdex.fmindex.format import metadata

TOKENS_FILE = "tokens.gdx"
SUFFIXES_FILE = "suffixes.gdx"
DOCUMENTS_FILE = "documents.gdx"
METADATA_FILE = "metadata.gdx"
DOCUMENTS = "documents"
SHARD_FILES = {
    TOKENS_FILE: "tokens",
    SUFFIXES_FILE: "suffixes",
    DOCUMENTS_FILE: DOCUMENTS,
    METADATA_FILE: metadata.KIND,
}
"""File name to kind."""

TOKENIZER_FOLDER = "tokenizer"

ENGINES = ("sa",)
"""Engines a shard can have."""


def shard_name(number: int) -> str:
    """Folder of shard ``number``."""
    return f"shard-{number:05d}"


def file_record(path: Path, header: str) -> dict[str, Any]:
    """What a manifest says of a binary file: its size and the checksum of its header page."""
    return {"size": path.stat().st_size, "header": header}
