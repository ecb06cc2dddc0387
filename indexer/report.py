"""What a build has done, and what it is doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias


@dataclass(frozen=True)
class BuildReport:
    """A finished build.

    Attributes:
        path: folder of the index.
        token_count: tokens, separators not counted.
        document_count: documents.
        shards: number of shards.
        kept_shards: shards that an interrupted run had finished and that were kept.
        seconds: wall time of this run.
        size: bytes of the index.
        skipped_records, skipped_files: left out under ``on_error="skip"``; a file is left out
            from the place on where it could not be read.
        examples: the first few of them that this run met, as messages.
        empty_documents: documents without tokens left out.
        split_parts: parts of documents longer than a shard; no match crosses from one to the
            next.
        text_cuts: places where a text too large to hold was cut before it was encoded.
        lossy_records: texts whose tokens do not decode to exactly the text that was read.
        memory: the bound the plan kept to, in bytes.
        workers: shards sorted at once.
    """

    path: Path
    token_count: int
    document_count: int
    shards: int
    kept_shards: int
    seconds: float
    size: int
    skipped_records: int
    skipped_files: int
    examples: list[str]
    empty_documents: int
    split_parts: int
    text_cuts: int
    lossy_records: int
    memory: int
    workers: int

    def __repr__(self) -> str:
        return (
            f"BuildReport({self.path}: {self.document_count:,} documents, "
            f"{self.token_count:,} tokens, {self.shards} shards, {self.seconds:.1f} s, "
            f"{self.skipped_records} records skipped)"
        )

    def warnings(self) -> list[str]:
        """What a reader of the index's numbers should know, in sentences."""
        said = []
        if self.skipped_records:
            said.append(f"{self.skipped_records:,} bad records left out")
        if self.skipped_files:
            said.append(f"{self.skipped_files:,} files left out, in whole or from a bad place on")
        said += [f"for instance {example}" for example in self.examples]
        if self.empty_documents:
            said.append(f"{self.empty_documents:,} documents without tokens left out")
        if self.split_parts:
            said.append(
                f"{self.split_parts:,} parts of documents longer than a shard; "
                "no match crosses from one part to the next"
            )
        if self.text_cuts:
            said.append(f"{self.text_cuts:,} cuts in large texts before they were encoded")
        if self.lossy_records:
            said.append(f"{self.lossy_records:,} texts do not decode to exactly what was read")
        return said


@dataclass
class BuildState:
    """A build under way; one object, changed as it goes on.

    Attributes:
        stage: "read", "sort" or "publish".
        input_size: bytes of all input files, 0 where unknown.
        input_done: bytes of them that were read.
        documents, tokens, skipped: so far.
        sorting: shards written and not sorted yet.
        shards: finished shards.
        message: what just happened, empty most of the time.
    """

    stage: str = "read"
    input_size: int = 0
    input_done: int = 0
    documents: int = 0
    tokens: int = 0
    skipped: int = 0
    sorting: int = 0
    shards: int = 0
    message: str = ""


Progress: TypeAlias = Callable[[BuildState], Any]
