"""``gramdex info`` and ``gramdex verify``: what an index is, and whether it is whole."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

import gramdex
from gramdex.rpc.client.target import is_server
from gramdex.tools.arguments import AsJson, IndexFolder, IndexPath, connect, require_folder
from gramdex.tools.output import counted, duration, facts, print_json, size, stdout
from gramdex.tools.progress import ShardProgress

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index


def info(index: IndexPath, as_json: AsJson = False) -> None:
    """Say what an index holds and what it weighs."""
    if is_server(index):
        served = describe_server(connect(index))
        if as_json:
            print_json(served)
        else:
            stdout().print(facts(_served_rows(served)))
        return
    record = describe(gramdex.open(index))
    if as_json:
        print_json(record)
    else:
        stdout().print(facts(_info_rows(record)))


def verify(index: IndexFolder, as_json: AsJson = False) -> None:
    """Check every byte of an index, and its order.

    Checksums of all files, that every suffix array is the sorted permutation it claims to be,
    and that tables and documents agree with it. Ends with exit code 3, naming the file, at the
    first thing that is wrong.
    """
    from gramdex.fmindex.verification import verify_index

    started = time.perf_counter()
    opened = gramdex.open(require_folder("verify", index))
    with ShardProgress("checking", len(opened.shards)) as progress:
        checked = verify_index(opened, progress)
    record: dict[str, Any] = {
        "path": index,
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
    console.print(Text.assemble(("ok  ", "bold green"), index))
    rows = [
        ("checksums", f"{counted(checked.files, 'file')}, {size(checked.size)}"),
        ("order", f"{checked.tokens:,} suffixes in {counted(checked.shards, 'shard')}"),
        ("documents", f"{opened.document_count:,}: borders and metadata"),
        ("time", duration(record["seconds"])),
    ]
    console.print(facts(rows))


def describe_server(index: Any) -> dict[str, Any]:
    """What ``info`` says of an index on a server: what the server says of it."""
    info = index.info
    return {
        "target": index.target,
        "server_version": info.version,
        "description": info.description,
        "generation": f"{info.generation:016x}",
        "document_count": info.document_count,
        "token_count": info.token_count,
        "vocabulary_size": info.vocabulary_size,
        "tokenizer": {"kind": info.tokenizer_kind, "fingerprint": info.tokenizer_fingerprint},
        "shards": [
            {
                "name": shard.name,
                "engine": shard.engine,
                "tokens": shard.token_count,
                "documents": shard.documents,
            }
            for shard in index.shards
        ],
        "takedown": info.takedown,
        "serves_documents": info.serves_documents,
        "limits": dict(sorted(info.limits.items())),
    }


def _served_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    tokenizer, shards = record["tokenizer"], record["shards"]
    engines = ", ".join(sorted({shard["engine"] for shard in shards})) or "none"
    limits = ", ".join(f"{name} {value:,}" for name, value in record["limits"].items())
    rows = [
        ("server", f"{record['target']}, gramdex {record['server_version']}"),
        ("serves", record["description"]),
        ("documents", f"{record['document_count']:,}"),
        ("tokens", f"{record['token_count']:,}"),
        ("tokenizer", tokenizer["kind"]),
        ("", tokenizer["fingerprint"]),
        ("ids", f"below {record['vocabulary_size']:,}"),
        ("engine", f"{engines}, {counted(len(shards), 'shard')}"),
        ("generation", record["generation"]),
        ("taken down", "some documents" if record["takedown"] else "nothing"),
        ("texts", "given out" if record["serves_documents"] else "kept"),
        ("limits", limits),
    ]
    return [row for row in rows if row[1]]


def describe(index: Index) -> dict[str, Any]:
    """Everything ``info`` says."""
    from gramdex.fmindex.format.manifest import MANIFEST

    folder, manifest = index.folders[0], index.manifests[0]
    tree = _size_tree(index)
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
        "bytes_by_file": {name: sum(sizes.values()) for name, sizes in tree.items()},
        "bytes_by_section": tree,
        "bytes_per_token": total / max(index.token_count, 1),
        "raw_bytes": raw,
        "raw_bytes_exact": exact,
        "build": manifest.build,
    }


def _size_tree(index: Index) -> dict[str, dict[str, int]]:
    """Bytes of each section of each binary file, all shards together; headers and padding too."""
    tree: dict[str, dict[str, int]] = {}
    for shard in index.shards:
        for name, file in shard.files.items():
            sizes = tree.setdefault(Path(name).stem, {})
            for section in file.sections.values():
                sizes[section.name] = sizes.get(section.name, 0) + section.size
            rest = file.size - sum(section.size for section in file.sections.values())
            sizes["headers, padding"] = sizes.get("headers, padding", 0) + rest
    return tree


def _raw_size(index: Index) -> tuple[int | None, bool]:
    """Bytes of the text that was indexed, and whether that is exact."""
    if index.tokenizer.kind == "bytes":
        return index.token_count, True
    table = index.tokenizer.token_bytes
    if table is None or not index.tokenizer.lossless_bytes:
        return None, False
    tokens = index.ntd(())
    size = int((table.lengths(tokens.tokens) * tokens.counts).sum())
    return size, not index.tokenizer.strips_leading_space


def _info_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    tokenizer = record["tokenizer"]
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
    rows += _size_rows(record)
    if record["raw_bytes"]:
        about = "" if record["raw_bytes_exact"] else "about "
        times = record["bytes"] / record["raw_bytes"]
        rows.append(("text", f"{about}{size(record['raw_bytes'])}; index / text = {times:.4f}"))
    rows += [(name.replace("_", " "), f"{value:,}") for name, value in record["build"].items()]
    return rows


def _size_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    """The tree of sizes: bytes, bytes per token and share of the text of every component."""

    def say(weight: int) -> str:
        share = f", {weight / record['raw_bytes']:.4f} of the text" if record["raw_bytes"] else ""
        return f"{size(weight)}, {weight / max(record['token_count'], 1):.3f} per token{share}"

    rows = []
    for name, sections in record["bytes_by_section"].items():
        rows.append((f"  {name}", say(sum(sections.values()))))
        rows += [(f"    {section}", say(weight)) for section, weight in sections.items()]
    rest = record["bytes"] - sum(sum(each.values()) for each in record["bytes_by_section"].values())
    return [*rows, ("  tokenizer, manifests", say(rest))]
