"""``gramdex info`` and ``gramdex verify``: what an index is, and whether it is whole."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

import gramdex
from gramdex.tools.arguments import AsJson, IndexPath
from gramdex.tools.output import counted, duration, facts, print_json, size, stdout
from gramdex.tools.progress import ShardProgress

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

_SAMPLES, _SAMPLE = 64, 1 << 12


def info(index: IndexPath, as_json: AsJson = False) -> None:
    """Say what an index holds and what it weighs."""
    record = describe(gramdex.open(index))
    if as_json:
        print_json(record)
    else:
        stdout().print(facts(_info_rows(record)))


def verify(index: IndexPath, as_json: AsJson = False) -> None:
    """Check every byte of an index, and its order.

    Checksums of all files, that every suffix array is the sorted permutation it claims to be,
    and that tables and documents agree with it. Ends with exit code 3, naming the file, at the
    first thing that is wrong.
    """
    from gramdex.fmindex.verification import verify_index

    started = time.perf_counter()
    opened = gramdex.open(index)
    with ShardProgress("checking", len(opened.shards)) as progress:
        checked = verify_index(opened, progress)
    record: dict[str, Any] = {
        "path": str(index),
        "shards": checked.shards,
        "files": checked.files,
        "bytes": checked.size,
        "suffixes": checked.tokens,
        "documents": opened.document_count,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if as_json:
        print_json(record)
        return
    console = stdout()
    console.print(Text.assemble(("ok  ", "bold green"), str(index)))
    rows = [
        ("checksums", f"{counted(checked.files, 'file')}, {size(checked.size)}"),
        ("order", f"{checked.tokens:,} suffixes in {counted(checked.shards, 'shard')}"),
        ("documents", f"{opened.document_count:,}: borders and metadata"),
        ("time", duration(record["seconds"])),
    ]
    console.print(facts(rows))


def describe(index: Index) -> dict[str, Any]:
    """Everything ``info`` says."""
    from gramdex.fmindex.format.manifest import MANIFEST

    folder, manifest = index.folders[0], index.manifests[0]
    files = _file_sizes(index)
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    raw, exact = _raw_size(index)
    stored = json.loads((folder / MANIFEST).read_bytes())
    return {
        "path": str(folder),
        "format_version": stored["format_version"],
        "document_count": index.document_count,
        "token_count": index.token_count,
        "vocabulary_size": index.vocabulary_size,
        "token_bytes": manifest.token_width,
        "engine": manifest.shards[0].engine if manifest.shards else None,
        "shards": len(index.shards),
        "tokenizer": {
            "kind": index.tokenizer.kind,
            "fingerprint": index.tokenizer.fingerprint,
            "options": index.tokenizer.options,
        },
        "bytes": total,
        "bytes_by_file": files,
        "bytes_per_token": total / max(index.token_count, 1),
        "raw_bytes": raw,
        "raw_bytes_exact": exact,
        "build": manifest.build,
    }


def _file_sizes(index: Index) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for shard in index.shards:
        for name, file in shard.files.items():
            kind = Path(name).stem
            sizes[kind] = sizes.get(kind, 0) + file.size
    return sizes


def _raw_size(index: Index) -> tuple[int | None, bool]:
    """Bytes of the text that was indexed, and whether that is exact or from a sample.

    A sample spreads over each shard; a small shard is counted whole.
    """
    if index.tokenizer.kind == "bytes":
        return index.token_count, True
    table = index.tokenizer.token_bytes
    if table is None or not index.tokenizer.lossless_bytes or not index.token_count:
        return None, False
    tokens = size = 0
    for shard in index.shards:
        step = max(_SAMPLE, shard.size // _SAMPLES)
        for start in range(0, shard.size, step):
            ranks = np.asarray(shard.engine.tokens[start : start + _SAMPLE], np.int64)
            ids = index.vocabulary.to_ids(ranks[ranks != 0])
            tokens += ids.size
            size += int(table.lengths(ids.astype(np.uint32)).sum())
    exact = tokens == index.token_count and not index.tokenizer.strips_leading_space
    return round(size / max(tokens, 1) * index.token_count), exact


def _info_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    tokenizer, count = record["tokenizer"], max(record["token_count"], 1)
    options = ", ".join(f"{name} {value}" for name, value in tokenizer["options"].items())
    width = record["token_bytes"]
    rows = [
        ("index", record["path"]),
        ("documents", f"{record['document_count']:,}"),
        ("tokens", f"{record['token_count']:,}"),
        ("tokenizer", tokenizer["kind"] + (f" ({options})" if options else "")),
        ("", tokenizer["fingerprint"]),
        ("ids", f"below {record['vocabulary_size']:,}, in {counted(width, 'byte')} each"),
        ("engine", f"{record['engine']}, {counted(record['shards'], 'shard')}"),
        ("format", f"version {record['format_version']}"),
        ("size", f"{size(record['bytes'])}, {record['bytes_per_token']:.2f} bytes per token"),
    ]
    rows += [
        ("  " + kind, f"{size(weight)}, {weight / count:.2f} bytes per token")
        for kind, weight in record["bytes_by_file"].items()
    ]
    if record["raw_bytes"]:
        about = "" if record["raw_bytes_exact"] else "about, from a sample: "
        times = record["bytes"] / record["raw_bytes"]
        rows.append(("text", f"{about}{size(record['raw_bytes'])}; index / text = {times:.2f}"))
    rows += [(name.replace("_", " "), f"{value:,}") for name, value in record["build"].items()]
    return rows
