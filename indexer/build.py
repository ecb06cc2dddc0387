"""Building an index: read, encode, cut into shards, sort them in parallel, publish.

A build can be killed at any moment. Finished shards lie under their final names, everything else
under names that end in ``.tmp``; the manifest comes last. The same command goes on where the
other stopped and ends in the same bytes.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from gramdex.errors import EmptyFileError, InputError, RecordError
from gramdex.fmindex.format.layout import shard_name
from gramdex.fmindex.format.manifest import ShardManifest, read_index_manifest
from gramdex.fmindex.tokenizers import Tokenizer
from gramdex.indexer.encoding import Encoder, Piece, Place, Refused
from gramdex.indexer.executors import Executor, make_executor
from gramdex.indexer.finishing import ShardJob
from gramdex.indexer.memory import MemoryPlan, plan_memory
from gramdex.indexer.options import BuildOptions, BuildSettings
from gramdex.indexer.output import OutputFolder, shard_number
from gramdex.indexer.plan import BuildPlan, make_plan
from gramdex.indexer.readers import check_unchanged, read
from gramdex.indexer.records import BadRecord, Record
from gramdex.indexer.report import BuildReport, BuildState, Progress
from gramdex.indexer.shard_writer import Cursor, ShardWriter, Spool

_EXAMPLES = 3
_TELL_EVERY = 0.1  # seconds


def run_build(options: BuildOptions, progress: Progress | None = None) -> BuildReport:
    """Build an index.

    Args:
        options: what to build.
        progress: told the state of the build several times a second.

    Raises:
        InputError, RecordError: something in the corpus cannot be indexed, and ``on_error`` is
            "raise".
        OutputExistsError: the output holds something else.
        DiskFullError, MemoryBoundError, WorkerDiedError, BuildError: as their names say.
    """
    plan = make_plan(options)
    return run_plan(plan, plan_memory(options, plan.vocabulary.ranks), progress)


def run_plan(plan: BuildPlan, memory: MemoryPlan, progress: Progress | None = None) -> BuildReport:
    """Build what was planned; ``run_build`` in two steps, to say the plan in between."""
    output = OutputFolder(plan)
    with output.locked():
        finished = output.claim()
        build = _Build(plan, output, memory, progress or (lambda state: None))
        if not finished:
            build.run()
        output.release()
        return build.report()


def build(
    inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    tokenizer: str | os.PathLike[str] | Tokenizer | None = "bytes",
    *,
    progress: Progress | None = None,
    **options: Unpack[BuildSettings],
) -> BuildReport:
    """Build an index of a corpus; see ``BuildOptions`` for every option and ``run_build``.

    With ``workers`` above 1 the calling script needs the usual guard of spawned processes,
    ``if __name__ == "__main__":``.

    Returns:
        What was built, and what was left out or changed on the way.
    """
    paths = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    return run_build(BuildOptions(paths, Path(output), tokenizer, **options), progress)


class _Build:
    """One run; its parts are in the order in which they happen."""

    def __init__(
        self, plan: BuildPlan, output: OutputFolder, memory: MemoryPlan, progress: Progress
    ) -> None:
        self.plan = plan
        self.options = plan.options
        self.output = output
        self.memory = memory
        self.shards: dict[int, ShardManifest] = {}
        self.kept = 0
        self.examples: list[str] = []
        self.bad = 0
        self.state = BuildState(input_size=sum(file.size or 0 for file in plan.files))
        self._progress = progress
        self._told = 0.0
        self._started = time.perf_counter()

    def run(self) -> None:
        self.output.remove_leftovers()
        try:
            tokenizer = self.output.write_tokenizer()
            kept = self.output.finished_shards(self._say)
            executor = make_executor(self.memory.workers)
            try:
                tail = self._make_shards(executor, kept)
                for job, manifest in executor.drain():
                    self._publish_shard(job, manifest)
            finally:
                executor.close()
            self._publish_index(tokenizer, tail)
        except BaseException:
            self.output.clean_up()
            raise

    # ── records to shards ───────────────────────────────────────────────────────────────────

    def _make_shards(self, executor: Executor, kept: dict[int, ShardManifest]) -> Counter[str]:
        """Make every shard that is not kept; what was counted after the last document."""
        number, begin = 0, Cursor(0, 0)
        while True:
            while number in kept:
                manifest = kept[number]
                self._count(manifest)
                self.kept += 1
                end = manifest.build["end"]
                if end is None:
                    return Counter()
                number, begin = number + 1, Cursor(**end)
            stop = min((n for n in kept if n > number), default=None)
            number, following, tail = self._make_run(executor, number, begin, stop)
            if following is None:
                return tail
            begin = following

    def _make_run(
        self, executor: Executor, number: int, begin: Cursor, stop: int | None
    ) -> tuple[int, Cursor | None, Counter[str]]:
        """Make the shards from ``number`` up to ``stop``, or to the end of the input."""
        names = iter(range(number, 1 << 62))
        writer = ShardWriter(
            lambda: self.output.temporary(next(names)),
            self.plan.vocabulary.width,
            self.options.shard_tokens,
            begin,
        )
        try:
            for spool, following in self._spools(writer, begin):
                self._submit(executor, spool, number, following)
                number += 1
                if number == stop:
                    return number, following, Counter()
            spool_or_none, tail = writer.finish()
            if spool_or_none is not None:
                self._submit(executor, spool_or_none, number, None)
            return number, None, tail
        finally:
            writer.abandon()

    def _spools(self, writer: ShardWriter, begin: Cursor) -> Iterator[tuple[Spool, Cursor]]:
        encoder = Encoder(self.plan.tokenizer, self.plan.vocabulary)
        left_out = False  # inside a document of which a piece was refused
        for piece in encoder.encode(self._records(begin)):
            if left_out:
                left_out = piece.continues
            elif isinstance(piece, Refused):
                self._refuse(piece.error, writer)
                left_out = piece.continues
            elif not self._leave_out_empty(piece, writer):
                yield from writer.add(piece)
                self.state.tokens += piece.ranks.size
                self.state.documents += not piece.continues
            self._tell()

    def _records(self, begin: Cursor) -> Iterator[tuple[Place, Record | BadRecord]]:
        """Records from ``begin`` on; files before it are not opened."""
        before, self.state.stage = 0, "read"
        for number, file in enumerate(self.plan.files):
            size = file.size or 0
            self.state.input_done = before
            options = replace(self.options.read, on_bytes=partial(self._advance, before + size))
            if number >= begin.file:
                skip = begin.record if number == begin.file else 0
                for i, record in enumerate(read(file, options)):
                    if i >= skip:
                        yield Place(number, i), record
                check_unchanged(file, self.options.read)
            before += size
        self.state.input_done = before
        self.state.stage = "sort"

    def _advance(self, most: int, size: int) -> None:
        """So many more bytes of a file that ends at ``most`` were read."""
        self.state.input_done = min(self.state.input_done + size, most)

    def _refuse(self, error: InputError, writer: ShardWriter) -> None:
        if self.options.on_error == "raise":
            remedy = error.remedy or "mend it"
            raise type(error)(
                error.thing,
                error.found,
                error.expected,
                f"{remedy}; or leave out and count what is bad with --on-error skip",
            ) from error
        if writer.parts:
            raise InputError(
                error.thing,
                f"{error.found}, when parts of this document were in finished shards",
                error.expected,
                "raise --shard-tokens above the length of this document",
            )
        if writer.in_document:
            writer.drop_document()
        writer.tally["skipped_records" if isinstance(error, RecordError) else "skipped_files"] += 1
        self.bad += not isinstance(error, EmptyFileError)
        if len(self.examples) < _EXAMPLES:
            self.examples.append(str(error))
        self.state.skipped += 1

    def _leave_out_empty(self, piece: Piece, writer: ShardWriter) -> bool:
        if piece.ranks.size or piece.continues or writer.in_document:
            return False
        policy = self.options.empty_documents
        if policy == "raise":
            raise RecordError(
                piece.source,
                "an empty document",
                "at least one token",
                "remove it, or leave such documents out with --on-empty skip, or keep them with "
                "--on-empty keep",
            )
        if policy == "skip":
            writer.tally["empty_documents"] += 1
        return policy == "skip"

    # ── shards to an index ──────────────────────────────────────────────────────────────────

    def _submit(self, executor: Executor, spool: Spool, number: int, end: Cursor | None) -> None:
        build = {
            "begin": spool.begin.to_json(),
            "end": end.to_json() if end is not None else None,
            "tally": dict(sorted(spool.tally.items())),
        }
        vocabulary = self.plan.vocabulary
        job = ShardJob(
            spool.folder,
            shard_name(number),
            spool.size,
            spool.documents,
            vocabulary.width,
            vocabulary.ranks,
            self.options.engine,
            self.options.sampling_rate,
            self.options.sorter,
            build,
        )
        self.state.sorting += 1
        self._say(f"{job.name}: sorting {job.size:,} tokens of {job.documents:,} documents")
        for done, manifest in executor.submit(job):
            self._publish_shard(done, manifest)

    def _publish_shard(self, job: ShardJob, manifest: ShardManifest) -> None:
        self.output.publish_shard(job)
        self.state.sorting -= 1
        self._count(manifest)
        self._say(f"{job.name}: finished")

    def _count(self, manifest: ShardManifest) -> None:
        self.shards[shard_number(manifest)] = manifest
        self.state.shards = len(self.shards)

    def _publish_index(self, tokenizer: dict[str, Any], tail: Counter[str]) -> None:
        self.state.stage = "publish"
        self._tell(now=True)
        shards = [self.shards[number] for number in sorted(self.shards)]
        if not shards and self.bad:
            raise InputError(
                "the input",
                f"nothing of it could be indexed; {self.bad:,} times something bad was left out, "
                f"first {self.examples[0]}",
                "at least one document",
                "mend the input or the options it is read with",
            )
        tally = sum((Counter(shard.build["tally"]) for shard in shards), tail)
        self.output.publish_index(tokenizer, shards, tally)

    # ── telling ─────────────────────────────────────────────────────────────────────────────

    def _say(self, message: str) -> None:
        self.state.message = message
        self._tell(now=True)
        self.state.message = ""

    def _tell(self, now: bool = False) -> None:
        if now or time.perf_counter() - self._told > _TELL_EVERY:
            self._told = time.perf_counter()
            self._progress(self.state)

    def report(self) -> BuildReport:
        path = self.output.path
        manifest = read_index_manifest(path)
        totals = Counter(manifest.build)
        return BuildReport(
            path=path,
            token_count=manifest.token_count,
            document_count=manifest.document_count,
            shards=len(manifest.shards),
            kept_shards=self.kept,
            seconds=time.perf_counter() - self._started,
            size=sum(f.stat().st_size for f in path.rglob("*") if f.is_file()),
            skipped_records=totals["skipped_records"],
            skipped_files=totals["skipped_files"],
            examples=self.examples,
            empty_documents=totals["empty_documents"],
            split_parts=totals["split_parts"],
            text_cuts=totals["text_cuts"],
            lossy_records=totals["lossy_records"],
            memory=self.memory.total,
            workers=self.memory.workers,
        )
