"""The files and the build of the PyPI package infini-gram, and opening its engine.

What version 2.6 means by its answers, read in its engine and tried (u8, u16, and u32 with
tables sorted here); ``tests/test_infini_gram_oracle.py`` holds it to this:

- count is exact, and so are the counts of prob, and of ntd and infgram_ntd except as below.
- The empty context is every suffix, separators included: its count is tokens + documents, in
  prob and infgram_* too (``suffix_len`` 0), and its ntd has an end for each document.
- A context at a document's end counts in ``prompt_cnt``, so prob is a proper distribution
  with the end. ntd never names the separator: it and the end of the data are both reported
  as ``eos_token_id``, added to that id's own count where the corpus uses it.
- A context that is absent has ``prob`` -1.0. infgram_* back off on the context alone, to its
  longest suffix that occurs, be it only at a document's end; the result has no ``sparse``.
- **ntd is wrong, and not flagged,** for a context of four or more occurrences that ends the
  last document and another one: the end of the data sorts first, the separators last, both
  read as ``eos_token_id``, and a range with one token at both ends is taken to hold only it.
  All the mass is then the document's end.
- Above ``max_support`` occurrences (1,000 unless told) ntd takes one in 2^k of them
  and says ``approx``. `open_engine` sets it so high that nothing is sampled.
- A query may hold the separator, and then matches across documents.
- Suffixes are ordered by the little-endian bytes of their tokens: 256 before 1.
- Build: no data ends in an exception, a single byte in a panic. 32-bit tokens allocate
  2^32 × 8 bytes per sorting process. Parts overlap by 100,000 bytes. With ``cpus`` above 1
  and parts smaller than that the build panics or, worse, writes a table with wrong counts
  (60,000 tokens of period 3 with two processes: 36,667 for 20,000). Suffixes that agree
  for longer than the overlap come out unsorted, so patterns that long are miscounted.
- Paths are searched for "tokenized", "table", … as a whole, and passed to a shell unquoted.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gramdex.errors import BuildError, InputError, UsageError
from gramdex.tools.bench.timing import Usage

if TYPE_CHECKING:
    from infini_gram.engine import InfiniGramEngine

__all__ = [
    "available",
    "build",
    "default_end_token",
    "open_engine",
    "write_table",
    "write_tokens",
]

_DTYPES: dict[int, np.dtype] = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4")}
# Bytes by which its parts overlap (HACK in its indexing.py).
_OVERLAP = 100_000
_OWN_FILES = ("tokenized", "table", "offset", "metadata", "metaoff", "unigram")


def available() -> bool:
    """Whether the package is installed (its engine is Linux-only)."""
    return importlib.util.find_spec("infini_gram") is not None


def default_end_token(width: int) -> int:
    """Return the id `open_engine` has a document's end reported as: the largest it accepts."""
    return int(np.iinfo(_dtype(width)).max) - 1


def write_tokens(
    documents: Sequence[Sequence[int]] | np.ndarray,
    folder: Path | str,
    width: int,
    lengths: Sequence[int] | np.ndarray | None = None,
) -> None:
    """Write ``tokenized.0`` and ``offset.0``, the input of `build`, and drop an old table.

    Args:
        documents: token ids of each document; or, with ``lengths``, those of all documents in
            one array. Ids must be below the separator, the largest number of ``width`` bytes.
        folder: made where missing. No part of its path may contain white space or the name
            of one of the package's files ("table", "offset", …): it takes those for files.
        width: bytes per token: 1, 2 or 4.
        lengths: tokens in each document, where ``documents`` is one flat array.

    Raises:
        InputError: an id needs more than ``width`` bytes, or the lengths do not add up.
        UsageError: the package would misread this folder or width.

    """
    dtype, folder = _dtype(width), _checked(folder)
    if lengths is None:
        lengths = [len(document) for document in documents]
        pieces = [np.asarray(document, dtype=np.int64) for document in documents]
        flat = np.concatenate([np.empty(0, np.int64), *pieces])
    else:
        flat = np.asarray(documents)
    separator = int(np.iinfo(dtype).max)
    starts = np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))])
    if starts[-1] != len(flat):
        raise InputError("lengths", f"they add up to {starts[-1]}", f"{len(flat)} tokens")
    if len(flat) and (int(flat.min()) < 0 or int(flat.max()) >= separator):
        found = f"ids from {flat.min()} to {flat.max()}"
        raise InputError(f"tokens of {width} bytes", found, f"ids from 0 to {separator - 1}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.0").unlink(missing_ok=True)
    starts = starts[:-1]
    np.insert(flat.astype(dtype, copy=False), starts, separator).tofile(folder / "tokenized.0")
    offsets = (starts + np.arange(len(starts))) * width
    offsets.astype("<u8").tofile(folder / "offset.0")


_BUILD = """
import argparse, json, resource, sys, time
from infini_gram.indexing import build_sa
arguments = json.loads(sys.argv[1])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
started, cpu_before = time.perf_counter(), time.process_time()
build_sa(argparse.Namespace(**arguments))
wall, own_cpu = time.perf_counter() - started, time.process_time() - cpu_before
# VmHWM, not ru_maxrss: the latter begins with the size of the process that forked this one.
with open("/proc/self/status") as status:
    own_peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
children = resource.getrusage(resource.RUSAGE_CHILDREN)
usage = {
    "wall_seconds": wall,
    "cpu_seconds": own_cpu + children.ru_utime + children.ru_stime,
    "peak_rss_bytes": 1024 * max(own_peak, children.ru_maxrss),
}
print(json.dumps(usage))
"""


def build(folder: Path | str, width: int, cpus: int = 1, memory_gib: int = 1) -> Usage:
    """Run infini-gram's indexing step on what `write_tokens` wrote; writes ``table.0``.

    Args:
        folder: with ``tokenized.0``.
        width: bytes per token: 1, 2 or 4.
        cpus: sorting processes at a time.
        memory_gib: an eighth of it (a twelfth for width 1) is the most bytes of tokens that
            one process sorts; more tokens are sorted in rounds.

    Raises:
        BuildError: the step failed; the error carries the end of what it printed.
        UsageError: there are fewer bytes per process than its parts overlap by.

    """
    folder = _checked(folder)
    _dtype(width)
    size = (folder / "tokenized.0").stat().st_size
    least = cpus * (_OVERLAP + cpus * width)
    if cpus > 1 and size < least:
        raise UsageError(f"cpus={cpus}", f"{size} bytes of tokens", f"{least}", "use cpus=1")
    arguments = {
        "save_dir": str(folder),
        "temp_dir": str(folder),
        "worker_id": 0,
        "workers": 1,
        "shards": 1,
        "cpus": cpus,
        "mem": memory_gib,
        "token_width": width,
    }
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not (folder / "table.0").exists():
        found = (done.stdout + done.stderr)[-600:]
        raise BuildError(f"infini-gram's build in {folder}", found)
    return Usage(**json.loads(done.stdout.splitlines()[-1]))


def write_table(folder: Path | str, width: int) -> None:
    """Write ``table.0`` by plain sorting, as `build` would: for small corpora of 32-bit tokens."""
    folder = _checked(folder)
    text = (folder / "tokenized.0").read_bytes()
    pointer_bytes = max(1, ((len(text) - 1).bit_length() + 7) // 8)
    pointers = sorted(range(0, len(text), width), key=lambda pointer: text[pointer:])
    table = b"".join(pointer.to_bytes(pointer_bytes, "little") for pointer in pointers)
    (folder / "table.0").write_bytes(table)


def open_engine(
    folder: Path | str, width: int, end_token: int | None = None, **options: Any
) -> InfiniGramEngine:
    """Open the index in ``folder``; its engine reports a document's end as ``end_token``.

    Args:
        folder: with ``tokenized.0``, ``offset.0`` and ``table.0``.
        width: bytes per token: 1, 2 or 4.
        end_token: an id the corpus does not use; `default_end_token` where None.
        options: further arguments of ``InfiniGramEngine``; ``max_support`` is the number of
            occurrences above which it samples next tokens, here 2^40 so that it never does.

    Raises:
        UsageError: a file is missing, or the sizes of tokens and table do not fit together.
            (The engine would end the process.)

    """
    folder = _checked(folder)
    dtype = _dtype(width)
    missing = [n for n in ("tokenized.0", "offset.0", "table.0") if not (folder / n).is_file()]
    if missing:
        raise UsageError(str(folder), f"no {missing[0]}", remedy="run write_tokens and build")
    tokens = (folder / "tokenized.0").stat().st_size // width
    if tokens == 0 or (folder / "table.0").stat().st_size % tokens:
        raise UsageError(str(folder), "a table of another length than the tokens'")
    from infini_gram.engine import InfiniGramEngine

    arguments = {"version": 4, "vocab_size": int(np.iinfo(dtype).max), "max_support": 2**40}
    return InfiniGramEngine(
        index_dir=str(folder),
        eos_token_id=default_end_token(width) if end_token is None else end_token,
        token_dtype=f"u{8 * width}",
        **(arguments | options),
    )


def _dtype(width: int) -> np.dtype:
    if width not in _DTYPES:
        raise UsageError("token width", f"{width} bytes", "1, 2 or 4")
    return _DTYPES[width]


def _checked(folder: Path | str) -> Path:
    """``folder``, absolute, unless infini-gram would take its name for that of a file."""
    path = Path(folder).absolute()
    misread = [name for name in _OWN_FILES if name in str(path)]
    if misread or any(character.isspace() for character in str(path)):
        what = f"{misread[0]!r} in the path" if misread else "white space in the path"
        raise UsageError(str(path), what, remedy="choose another folder")
    return path
