"""The table of continuations of a shard: what follows the contexts that occur most.

::

    suffixes.gdx   sections, in a shard whose prefix table has an entry per token
      continuation_limits  uint32[5]    what makes a context a node, see ``Limits``
      run_starts           uint32       rank where each run of each node starts, and its end
      run_tokens           uint8|16|32  the token that follows in each run, 0 at each node's end
      token_nodes          uint32       first entry of each token's node; one more for the end
      nodes                uint32[4n]   longer contexts: first rank, length, first and last entry

``kernels/suffix_array/continuations.py`` draws it, ``continuations_build.py`` beside it says how
large it gets.
Files of version 1 have none, and are searched without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.engines.rows import shard_row
from gramdex.fmindex.format.sections import SectionFile
from gramdex.kernels.suffix_array import columns, continuations_build

NAMES = ("continuation_limits", "run_starts", "run_tokens", "token_nodes", "nodes")
_SMALL = ("continuation_limits", "token_nodes", "nodes")


class Limits(NamedTuple):
    """Which contexts are nodes; stored with the table, so that it can be made again and compared.

    Attributes:
        tokens: occurrences a token must have.
        contexts: occurrences a longer context must have, at least as many.
        runs: runs a longer context must have.
        share: occurrences there must be for each run.
        length: tokens a context may have.
    """

    tokens: int
    contexts: int
    runs: int
    share: int
    length: int = 256


LIMITS = Limits(tokens=256, contexts=1 << 14, runs=2, share=4)
"""Of the tables that are built."""

_QUEUE = 64
"""The longer contexts looked at are at most so many times those that could lie side by side."""


@dataclass(frozen=True, eq=False)
class Continuations:
    """The table of one shard; the arrays are the sections of the file.

    Attributes:
        limits: which contexts are nodes.
        run_starts: uint32[r].
        run_tokens: unsigned[r].
        token_nodes: uint32[tokens + 1].
        nodes: uint32[4 * n].
    """

    limits: Limits
    run_starts: np.ndarray
    run_tokens: np.ndarray
    token_nodes: np.ndarray
    nodes: np.ndarray

    def sections(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names and arrays, in the order of the file."""
        yield NAMES[0], np.array(self.limits, np.uint32)
        for name in NAMES[1:]:
            yield name, getattr(self, name)

    def enter(self, row: list[int]) -> None:
        """Put addresses and sizes into the columns of ``kernels.memory``."""
        row[columns.RUN_STARTS] = self.run_starts.ctypes.data
        row[columns.RUN_TOKENS] = self.run_tokens.ctypes.data
        row[columns.RUN_COUNT] = self.run_starts.size
        row[columns.TOKEN_NODES] = self.token_nodes.ctypes.data
        row[columns.NODES] = self.nodes.ctypes.data
        row[columns.NODE_COUNT] = self.nodes.size // 4
        row[columns.NODE_LEAST] = self.limits.contexts


def open_continuations(file: SectionFile, width: int, bounds: int) -> Continuations | None:
    """The table in ``file``, or None where it has none.

    Args:
        file: of kind "suffixes".
        width: bytes per token.
        bounds: entries of the prefix table, one more than there are tokens.

    Raises:
        CorruptIndexError: a part is missing, sizes do not fit each other, or a small section is
            damaged. The runs themselves are checked as they are used.
    """
    if not any(name in file.sections for name in NAMES):
        return None
    limits = file.array(NAMES[0], np.uint32)
    dtypes = (np.uint32, f"u{width}", np.uint32, np.uint32)
    arrays = [file.array(name, dtype) for name, dtype in zip(NAMES[1:], dtypes, strict=True)]
    sizes = [limits.size, *(array.size for array in arrays)]
    fitting = [len(LIMITS), sizes[1], sizes[1], bounds, sizes[4] // 4 * 4]
    if sizes != fitting or limits.min() == 0:
        raise CorruptIndexError(
            str(file.path),
            f"continuations of sizes {sizes}, limits {limits.tolist()}",
            f"sizes {fitting}, limits from 1 on",
        )
    for name in _SMALL:
        file.check_section(name)
    return Continuations(Limits(*limits.tolist()), *arrays)


def table_memory(size: int, ranks: int, width: int) -> int:
    """Most bytes that making the table of a shard takes, and that the table itself has.

    Address space: pages that no run needs are never touched.
    """
    return _room(size, LIMITS) * (4 + width) + _queue_room(size, LIMITS) * 64 + 4 * (ranks + 1)


def build_continuations(
    tokens: np.ndarray, suffixes: np.ndarray, buckets: np.ndarray, limits: Limits | None = None
) -> Continuations:
    """The table of a shard whose prefix table has an entry per token.

    Args:
        tokens: unsigned[n].
        suffixes: uint32[n], the suffix array of ``tokens``.
        buckets: uint32[tokens + 1], the prefix table.
        limits: LIMITS if None.

    About 5 ns per token: one look at the text of each suffix whose first token is frequent.
    """
    limits = LIMITS if limits is None else limits
    room, queue_room = _room(tokens.size, limits), _queue_room(tokens.size, limits)
    run_starts, run_tokens = np.empty(room, np.uint32), np.empty(room, tokens.dtype)
    token_nodes, queue = np.empty(buckets.size, np.uint32), np.empty((queue_room, 3), np.int64)
    nodes = np.empty((queue_room, 4), np.uint32)
    row = np.array(shard_row(tokens, suffixes, buckets, 0), np.int64)
    numbers = np.array(limits, np.int64)
    runs, queued = continuations_build.token_continuations(
        row, numbers, run_tokens, run_starts, token_nodes, queue
    )
    runs, found = continuations_build.long_continuations(
        row, numbers, run_tokens, run_starts, runs, queue, queued, nodes
    )
    nodes = nodes[:found]
    nodes = nodes[np.lexsort((nodes[:, 1], nodes[:, 0]))]
    return Continuations(limits, run_starts[:runs], run_tokens[:runs], token_nodes, nodes.ravel())


def _room(size: int, limits: Limits) -> int:
    """Entries of all nodes: of single tokens all there can be, and a quarter on top."""
    return 5 * (size // limits.share) // 4 + 2 * (size // limits.tokens) + 1


def _queue_room(size: int, limits: Limits) -> int:
    return min(_QUEUE * size // limits.contexts, size) + 1
