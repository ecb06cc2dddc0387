"""What a build is asked to do, checked before any work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from gramdex.errors import UsageError
from gramdex.fmindex.format.layout import ENGINES, MOST_SAMPLING_RATE, SAMPLING_RATE
from gramdex.fmindex.tokenizers import Tokenizer
from gramdex.indexer.readers import ReadOptions
from gramdex.indexer.suffix_sort import SORTERS
from gramdex.kernels.fm.columns import CHUNK

SHARD_TOKENS = 100_000_000
MAXIMUM_SHARD_TOKENS = (1 << 32) - 1
ON_ERROR = ("raise", "skip")
ON_EMPTY = ("raise", "skip", "keep")


class BuildSettings(TypedDict, total=False):
    """The options of ``BuildOptions`` beside inputs, output and tokenizer."""

    engine: str
    shard_tokens: int
    workers: int
    memory: int | None
    read: ReadOptions
    on_error: str
    on_empty: str | None
    vocabulary_size: int | None
    sorter: str
    sampling_rate: int


@dataclass(frozen=True)
class BuildOptions:
    """A build.

    Attributes:
        inputs: files, folders, globs, at any URL fsspec knows.
        output: folder of the index; new, empty, or holding the same build, interrupted.
        tokenizer: anything ``load_tokenizer`` takes; None for pre-tokenized input without one.
        engine: "sa", a suffix array, or "fm", an FM-index.
        shard_tokens: most tokens of a shard, each document counting one more for its separator.
        workers: processes that sort shards; 1 sorts in this process.
        memory: bytes the whole build may take; None for half of the machine's.
        read: how input files are found and read.
        on_error: "raise" stops at the first bad record or file, "skip" leaves it out and counts.
        on_empty: what to do with documents without tokens; None follows ``on_error``.
        vocabulary_size: ids are below this; None takes it from the tokenizer, or from the
            largest id of pre-tokenized input.
        sorter: "induced" or "divsufsort"; the index is the same, time and memory are not.
        sampling_rate: of an FM-index: one text position in so many is stored with its rank;
            smaller is larger and faster to locate and extract.

    Raises:
        UsageError: a value has no meaning.
    """

    inputs: Sequence[str | os.PathLike[str]]
    output: Path
    tokenizer: str | os.PathLike[str] | Tokenizer | None = "bytes"
    engine: str = "sa"
    shard_tokens: int = SHARD_TOKENS
    workers: int = 1
    memory: int | None = None
    read: ReadOptions = field(default_factory=ReadOptions)
    on_error: str = "raise"
    on_empty: str | None = None
    vocabulary_size: int | None = None
    sorter: str = "induced"
    sampling_rate: int = SAMPLING_RATE

    def __post_init__(self) -> None:
        _one_of("engine", self.engine, ENGINES)
        _one_of("sorter", self.sorter, SORTERS)
        _one_of("on_error", self.on_error, ON_ERROR)
        if self.on_empty is not None:
            _one_of("on_empty", self.on_empty, ON_EMPTY)
        most = MAXIMUM_SHARD_TOKENS - (2 * CHUNK if self.engine == "fm" else 0)
        _in_range("shard_tokens", self.shard_tokens, 2, most)
        _in_range("workers", self.workers, 1, 4096)
        check_sampling_rate(self.sampling_rate)
        if self.memory is not None:
            _in_range("memory", self.memory, 1, 1 << 62)
        if self.vocabulary_size is not None:
            _in_range("vocabulary_size", self.vocabulary_size, 1, (1 << 32) - 1)

    @property
    def empty_documents(self) -> str:
        """What happens to documents without tokens: "raise", "skip" or "keep"."""
        return self.on_empty or self.on_error

    @property
    def memory_bytes(self) -> int:
        """The stated bound, or half of the machine's memory."""
        return half_of_memory() if self.memory is None else self.memory


def half_of_memory() -> int:
    """Half the bytes of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def check_sampling_rate(rate: int) -> None:
    """Refuse what is no rate of sampling.

    Raises:
        UsageError: it is none.
    """
    _in_range("sampling_rate", rate, 1, MOST_SAMPLING_RATE)


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise UsageError(name, repr(value), f"one of {', '.join(allowed)}")


def _in_range(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        raise UsageError(name, repr(value), f"a whole number from {low} to {high}")
