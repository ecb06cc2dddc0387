"""Index files that are changed and whose checksums are right all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xxhash

from gramdex.fmindex.format import sections


def rewrite_header(path: Path, kind: str, arrays: dict[str, np.ndarray]) -> None:
    """Write a file whose checksums are right, whatever its arrays say."""
    with sections.SectionWriter(path, kind) as writer:
        for name, values in arrays.items():
            writer.section(name, values)


def forge(index: Path, file: str, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    """Change arrays of a shard's file and mend every checksum above it."""
    path = index / "shard-00000" / file
    kind = file.removesuffix(".gdx")
    opened = sections.SectionFile(path, kind)
    arrays = {name: opened.array(name, s.dtype).copy() for name, s in opened.sections.items()}
    change(arrays)
    rewrite_header(path, kind, arrays)
    manifest = json.loads((index / "manifest.json").read_text())
    record = manifest["shards"][0]["files"][file]
    record["header"] = sections.SectionFile(path, kind).header
    record["size"] = path.stat().st_size
    (index / "manifest.json").write_bytes(sign(manifest))
    shard = {**json.loads((index / "shard-00000" / "shard.json").read_text())}
    (index / "shard-00000" / "shard.json").write_bytes(sign({**shard, **manifest["shards"][0]}))


def sign(manifest: dict) -> bytes:
    plain = {name: value for name, value in manifest.items() if name != "checksum"}
    encoded = json.dumps(plain, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    checksum = xxhash.xxh3_128_hexdigest(encoded.encode())
    return json.dumps({**plain, "checksum": checksum}).encode() + b"\n"
