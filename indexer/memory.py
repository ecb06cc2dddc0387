"""How much memory a build takes, stated before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from gramdex.errors import MemoryBoundError
from gramdex.fmindex.engines.continuations import table_memory
from gramdex.fmindex.format.vocabulary import token_width
from gramdex.indexer.options import BuildOptions
from gramdex.indexer.successors import coding_memory
from gramdex.indexer.suffix_sort import PER_RANK, working_memory
from gramdex.kernels.suffix_sorting.suffix_sort import position_bytes

READING = 768 << 20
"""The interpreter, libraries, a tokenizer, the largest record and the batches worked on."""

WORKER = 256 << 20
"""The interpreter and libraries of a worker process, its buffers, and compiling kernels once."""


@dataclass(frozen=True)
class MemoryPlan:
    """How many shards are sorted at once, and what the build takes at most.

    Attributes:
        workers: shards sorted at once; 1 sorts in the building process.
        sort: bytes that sorting a full shard takes, and what is made from the sorted suffixes.
        total: bytes of all processes together.
    """

    workers: int
    sort: int
    total: int


def shard_memory(size: int, ranks: int, sorter: str, engine: str = "sa") -> int:
    """Most bytes that finishing a shard of ``size`` tokens takes.

    Sorting; then, the sorter's own memory given back, making from the tokens and the suffix array
    the table of continuations, or the coded lists of successors.
    """
    width = token_width(ranks)
    if engine == "fm":
        coding = coding_memory(size, ranks, width) + size * (position_bytes(size) - 4)
        return max(working_memory(size, ranks, sorter), coding)
    table = size * (width + position_bytes(size)) + table_memory(size, ranks, width)
    return max(working_memory(size, ranks, sorter), table + PER_RANK * ranks)


def fit_workers(workers: int, need: int, memory: int) -> tuple[int, int]:
    """At most so many workers, each taking ``need`` bytes; with what all of them take."""
    workers = min(workers, (memory - READING) // (WORKER + need))
    if workers >= 2:
        return workers, READING + workers * (WORKER + need)
    return 1, READING + need


def plan_memory(options: BuildOptions, ranks: int) -> MemoryPlan:
    """Fit as many workers as were asked for into the stated memory.

    Raises:
        MemoryBoundError: not even one full shard fits; names the shard size that would.
    """
    sort = shard_memory(options.shard_tokens, ranks, options.sorter, options.engine)
    memory = options.memory_bytes
    if READING + sort <= memory:
        workers, total = fit_workers(options.workers, sort, memory)
        return MemoryPlan(workers, sort, total)
    raise MemoryBoundError(
        f"memory of {memory:,} bytes",
        f"sorting a shard of {options.shard_tokens:,} tokens takes {READING + sort:,}",
        "at most the stated memory",
        f"give --memory {READING + sort}{_advice(options, ranks, memory)}",
    )


def _advice(options: BuildOptions, ranks: int, memory: int) -> str:
    def takes(size: int) -> int:
        return READING + shard_memory(size, ranks, options.sorter, options.engine)

    low, high = 1, options.shard_tokens
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if takes(middle) <= memory else (low, middle)
    if takes(low) > memory:
        return f"; no shard size fits, a vocabulary of {ranks:,} takes {PER_RANK * ranks:,} alone"
    return f" or --shard-tokens {low}"
