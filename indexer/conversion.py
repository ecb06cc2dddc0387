"""From one engine's index to the other's, without the corpus.

The text and its order are the same in both, so nothing is sorted again: an FM-index is coded from
the suffix array, and a suffix array is what walks through an FM-index come by.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gramdex.errors import MemoryBoundError, OutputExistsError, UsageError
from gramdex.fmindex.engines.fm_shard import FMShard
from gramdex.fmindex.engines.unwinding import decode
from gramdex.fmindex.format.files import publish, sync_folder, writing
from gramdex.fmindex.format.layout import (
    COMMON_FILES,
    ENGINE_FILES,
    ENGINES,
    SAMPLING_RATE,
    SUCCESSORS_FILE,
    TOKENIZER_FOLDER,
    TOKENS_FILE,
)
from gramdex.fmindex.format.manifest import (
    MANIFEST,
    ShardManifest,
    read_index_manifest,
    write_manifest,
)
from gramdex.fmindex.format.sections import SectionWriter
from gramdex.fmindex.index import Index
from gramdex.fmindex.opening import open_index
from gramdex.fmindex.shard import Shard
from gramdex.fmindex.verification import check_bytes
from gramdex.indexer.executors import make_executor
from gramdex.indexer.finishing import ShardJob, close_shard
from gramdex.indexer.memory import fit_workers, shard_memory
from gramdex.indexer.options import check_sampling_rate, half_of_memory
from gramdex.indexer.successors import write_successors
from gramdex.indexer.suffix_files import write_suffixes
from gramdex.kernels.packing import count_symbols


@dataclass(frozen=True)
class ConversionReport:
    """What was converted.

    Attributes:
        path: the new index.
        engine: its engine.
        shards: how many there are.
        size: bytes of the new index.
        seconds: it took.
    """

    path: Path
    engine: str
    shards: int
    size: int
    seconds: float


@dataclass(frozen=True)
class ConversionJob(ShardJob):
    """A shard to be made from that of another index.

    Attributes:
        source: folder of that shard.
        manifest: its manifest.
    """

    source: Path = Path()
    manifest: ShardManifest | None = None


def convert(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    engine: str,
    *,
    sampling_rate: int = SAMPLING_RATE,
    workers: int = 1,
    memory: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> ConversionReport:
    """Make an index of another engine that answers as ``source`` does.

    Args:
        source: folder of an index.
        output: folder of the new one; new or empty.
        engine: "sa" or "fm".
        sampling_rate: of an FM-index.
        workers: processes; 1 works in this one.
        memory: bytes that may be taken; None for half of the machine's.
        progress: told the name of each shard before it is converted.

    Raises:
        UsageError: a value has no meaning.
        OutputExistsError: the output holds something.
        CorruptIndexError: the source is damaged.
        DiskFullError, MemoryBoundError, BuildError: as their names say.
    """
    started = time.perf_counter()
    if engine not in ENGINES:
        raise UsageError("engine", repr(engine), f"one of {', '.join(ENGINES)}")
    check_sampling_rate(sampling_rate)
    final = Path(output)
    _check_unused(final)
    temporary = final.with_name(f"{final.name}.{os.getpid()}.tmp")
    try:
        with writing(temporary):
            temporary.mkdir(parents=True)
        shards = _convert_into(
            Path(source), temporary, (engine, sampling_rate), workers, memory, progress
        )
        publish(temporary, final)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    size = sum(path.stat().st_size for path in final.rglob("*") if path.is_file())
    return ConversionReport(final, engine, shards, size, time.perf_counter() - started)


def _check_unused(output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise OutputExistsError(
            str(output), "something there", "a new or empty folder", "choose another output"
        )


def _convert_into(
    source: Path,
    folder: Path,
    target: tuple[str, int],
    workers: int,
    memory: int | None,
    progress: Callable[[str], None] | None,
) -> int:
    """Write the whole new index; how many shards it has."""
    index = open_index(source)
    manifest = read_index_manifest(source)
    largest = max((shard.size for shard in index.shards), default=1)
    need = shard_memory(largest, index.vocabulary.ranks, "induced", target[0])
    memory = half_of_memory() if memory is None else memory
    workers, total = fit_workers(workers, need, memory)
    if total > memory:
        raise MemoryBoundError(
            f"memory of {memory:,} bytes",
            f"converting a shard of {largest:,} tokens takes {total:,}",
            "at most the stated memory",
            f"give --memory {total}",
        )
    made = _convert_shards(index, folder, target, workers, progress)
    if (source / TOKENIZER_FOLDER).exists():
        with writing(folder):
            shutil.copytree(source / TOKENIZER_FOLDER, folder / TOKENIZER_FOLDER)
    shards = [made[shard.name] for shard in manifest.shards]
    write_manifest(folder / MANIFEST, replace(manifest, shards=shards))
    with writing(folder):
        sync_folder(folder)
    return len(shards)


def _convert_shards(
    index: Index,
    folder: Path,
    target: tuple[str, int],
    workers: int,
    progress: Callable[[str], None] | None,
) -> dict[str, ShardManifest]:
    """Convert all shards, some at a time; manifests by name."""
    made: dict[str, ShardManifest] = {}
    ranks, width = index.vocabulary.ranks, index.vocabulary.width
    executor = make_executor(workers, convert_shard)
    try:
        for shard in index.shards:
            given = shard.manifest
            if progress is not None:
                progress(given.name)
            job = ConversionJob(
                folder / f"{given.name}.tmp", given.name, given.size, given.documents, width,
                ranks, *target, build=given.build, source=shard.folder, manifest=given,
            )  # fmt: skip
            _publish(executor.submit(job), made)
        _publish(executor.drain(), made)
    finally:
        executor.close()
    return made


def _publish(
    finished: Iterable[tuple[ShardJob, ShardManifest]], made: dict[str, ShardManifest]
) -> None:
    for job, manifest in finished:
        publish(job.folder, job.folder.with_name(manifest.name))
        made[manifest.name] = manifest


def convert_shard(job: ConversionJob, threads: int = 1) -> ShardManifest:
    """Write a shard of the other engine from one whose bytes are all right.

    Raises:
        CorruptIndexError: they are not.
        DiskFullError, BuildError: a file cannot be written.
    """
    assert job.manifest is not None
    shard = Shard(job.source, job.manifest, job.width, job.ranks)
    check_bytes(shard)
    with writing(job.folder):
        job.folder.mkdir()
        for name in COMMON_FILES:
            shutil.copyfile(job.source / name, job.folder / name)
    if isinstance(shard.engine, FMShard):
        tokens, suffixes = decode(shard.engine, job.width)
    else:
        tokens, suffixes = shard.engine.tokens, shard.engine.suffixes
    counts = np.zeros(job.ranks, np.int64)
    count_symbols(tokens, counts)
    if job.engine == "fm":
        path = job.folder / SUCCESSORS_FILE
        write_successors(path, tokens, suffixes, counts, job.sampling_rate)
    else:
        write_suffixes(job.folder, suffixes, counts, lambda: tokens, threads)
        with SectionWriter(job.tokens_path, ENGINE_FILES["sa"][TOKENS_FILE]) as writer:
            writer.section("tokens", tokens)
    return close_shard(job)
