"""The files of the tokenizer that travels with an index, compressed since version 3."""

from __future__ import annotations

from pathlib import Path

import zstandard

from gramdex.fmindex.format.files import write_file

LEVEL = 17
SUFFIX = ".zst"
_MOST_BYTES = 1 << 30


def write_tokenizer_file(folder: Path, name: str, content: bytes) -> str:
    """Write a file of a tokenizer; the name it is stored under.

    Raises:
        DiskFullError, BuildError: it cannot be written.
    """
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    write_file(folder / (name + SUFFIX), compressor.compress(content))
    return name + SUFFIX


def read_tokenizer_file(folder: Path, stored: str) -> tuple[str, bytes]:
    """Name and content of a file of a tokenizer, compressed or, as before version 3, not.

    Raises:
        OSError: it is no file that lies in the folder itself, or cannot be read.
        ValueError: it is damaged.
    """
    path = folder / stored
    if path.parent != folder or not path.is_file():
        raise OSError(f"{stored!r} is no file of this folder")
    content = path.read_bytes()
    if not stored.endswith(SUFFIX):
        return stored, content
    try:
        size = zstandard.frame_content_size(content)
        if not 0 <= size <= _MOST_BYTES:
            raise ValueError(f"{stored}: content of {size} bytes")
        return stored.removesuffix(SUFFIX), zstandard.ZstdDecompressor().decompress(content)
    except zstandard.ZstdError as error:
        raise ValueError(f"{stored}: {error}") from error
