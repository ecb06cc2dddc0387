"""The output folder of a build: claimed, filled under temporary names, published, cleaned up.

``build.json`` lies in it from the first moment to just after the manifest is published, and says
which build this is. Finished shards lie under their final names, everything else under names
that end in ``.tmp``.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gramdex.errors import GramdexError, OutputExistsError
from gramdex.fmindex.format.files import publish, sync_folder, write_file, writing
from gramdex.fmindex.format.layout import TOKENIZER_FOLDER, shard_name
from gramdex.fmindex.format.manifest import (
    BUILD_PLAN,
    MANIFEST,
    IndexManifest,
    ShardManifest,
    read_shard_manifest,
    write_manifest,
)
from gramdex.fmindex.format.sections import SectionFile
from gramdex.fmindex.format.tokenizer_files import write_tokenizer_file
from gramdex.fmindex.format.vocabulary import FILE as VOCABULARY_FILE
from gramdex.fmindex.format.vocabulary import KIND as VOCABULARY_KIND
from gramdex.fmindex.format.vocabulary import write_vocabulary
from gramdex.fmindex.shard import Shard
from gramdex.fmindex.verification import check_bytes
from gramdex.indexer.finishing import ShardJob
from gramdex.indexer.plan import BuildPlan


class OutputFolder:
    """Where one build writes.

    Args:
        plan: the build.
    """

    def __init__(self, plan: BuildPlan) -> None:
        self.path = plan.options.output
        self._plan = plan

    def claim(self) -> bool:
        """Take the folder for this build; whether it is finished in it already.

        Raises:
            OutputExistsError: the folder holds something else.
        """
        output, identity = self.path, self._plan.identity()
        stored = self._stored_plan()
        if stored is None:
            self._check_unused()
            write_file(output / BUILD_PLAN, identity.encode())
            return False
        if stored != identity:
            raise OutputExistsError(
                str(output),
                f"an unfinished build with other {_difference(stored, identity)}",
                "the same build",
                "run the command that began it, choose another output, or remove the folder",
            )
        return (output / MANIFEST).exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and keep other builds away; an empty folder is removed at the end.

        Raises:
            OutputExistsError: it is a file, or another build is writing here.
        """
        with writing(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise OutputExistsError(str(self.path), "a file", "a folder")
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDONLY)
        try:
            self._lock(descriptor)
            yield
        finally:
            with suppress(OSError):
                self.path.rmdir()
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        with suppress(OSError):  # the folder may be gone again: the build that made it removed it
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), self.path.stat()):
                return
        raise OutputExistsError(
            str(self.path), "another build is writing here", "one at a time", "wait for it"
        )

    def temporary(self, number: int) -> Path:
        """Folder of a shard until it is finished; no other process uses the same."""
        return self.path / f"{shard_name(number)}.{os.getpid()}.tmp"

    def write_tokenizer(self) -> dict[str, Any]:
        """Copy the tokenizer and its ranks; what the manifest says of them."""
        plan, folder = self._plan, self.path / TOKENIZER_FOLDER
        header, stored = None, []
        if plan.tokenizer.files or plan.tables:
            with writing(folder):
                folder.mkdir(exist_ok=True)
        for name, content in plan.tokenizer.files.items():
            stored.append(write_tokenizer_file(folder, name, content))
        if plan.tables is not None:
            temporary = folder / (VOCABULARY_FILE + ".tmp")
            write_vocabulary(temporary, plan.tables[0])
            header = SectionFile(temporary, VOCABULARY_KIND).header
            publish(temporary, folder / VOCABULARY_FILE)
        return plan.describe_tokenizer(sorted(stored), header)

    def finished_shards(self, say: Callable[[str], None]) -> dict[int, ShardManifest]:
        """Shards that an interrupted run finished and whose every byte is right."""
        vocabulary, kept = self._plan.vocabulary, {}
        for folder in sorted(self.path.glob("shard-*")):
            try:
                manifest = read_shard_manifest(folder)
                if manifest.name != folder.name:
                    raise OutputExistsError(str(folder), f"shard {manifest.name}", folder.name)
                check_bytes(Shard(folder, manifest, vocabulary.width, vocabulary.ranks))
                kept[shard_number(manifest)] = manifest
            except GramdexError as error:
                say(f"{folder.name} is made again: {error}")
                with writing(folder):
                    shutil.rmtree(folder)
        return kept

    def publish_shard(self, job: ShardJob) -> None:
        """Give a finished shard its final name."""
        publish(job.folder, self.path / job.name)

    def publish_index(
        self, tokenizer: dict[str, Any], shards: list[ShardManifest], tally: Counter[str]
    ) -> None:
        """Write the manifest; from here on there is an index."""
        documents = sum(shard.documents for shard in shards)
        with writing(self.path):
            sync_folder(self.path)
        manifest = IndexManifest(
            token_count=sum(shard.size for shard in shards) - documents,
            document_count=documents,
            token_width=self._plan.vocabulary.width,
            vocabulary_size=self._plan.vocabulary.size,
            tokenizer=tokenizer,
            shards=shards,
            build=dict(sorted(tally.items())),
        )
        write_manifest(self.path / MANIFEST, manifest)

    def release(self) -> None:
        """Drop the plan once the manifest is published."""
        with writing(self.path):
            (self.path / BUILD_PLAN).unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """Remove what an interrupted run left under temporary names."""
        with writing(self.path):
            for leftover in self.path.glob("*.tmp"):
                if leftover.is_dir():
                    shutil.rmtree(leftover)
                else:
                    leftover.unlink()

    def clean_up(self) -> None:
        """After a failure leave finished shards, or nothing at all."""
        with suppress(GramdexError, OSError):
            self.remove_leftovers()
            if not any(self.path.glob("shard-*")):
                self.release()
                shutil.rmtree(self.path / TOKENIZER_FOLDER, ignore_errors=True)

    def _stored_plan(self) -> str | None:
        path = self.path / BUILD_PLAN
        with writing(path):
            return path.read_text() if path.exists() else None

    def _check_unused(self) -> None:
        if (self.path / MANIFEST).exists():
            raise OutputExistsError(
                str(self.path), "a finished index", "a new or empty folder", "choose another output"
            )
        with writing(self.path):
            strangers = {entry.name for entry in self.path.iterdir()} - {BUILD_PLAN + ".tmp"}
        if strangers:
            raise OutputExistsError(
                str(self.path),
                f"other files ({min(strangers)}, …)",
                "a new or empty folder",
                "choose another output",
            )


def shard_number(manifest: ShardManifest) -> int:
    """Number of a shard, from its name."""
    return int(manifest.name.removeprefix("shard-"))


def _difference(stored: str, identity: str) -> str:
    try:
        before, now = json.loads(stored), json.loads(identity)
        names = [name for name in now if before.get(name) != now[name]]
    except (ValueError, AttributeError):
        names = []
    return ", ".join(names) or "settings"
