"""An FM-index shard as the ranks of its text positions: to check it, and to take it apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.engines.fm_shard import FMShard
from gramdex.kernels.fm import unwind
from gramdex.kernels.memory import CorruptShard

_POSITIONS = 1 << 20

_VERDICTS = {
    unwind.ORDER: "a list of successors that does not ascend, as seen at rank {}",
    unwind.REPEATED: "a successor that is in no list or in two, as seen at rank {}",
    unwind.PADDING: "values after the last rank that do not go on, as seen at rank {}",
}


def ranks_of_positions(shard: FMShard) -> Iterator[tuple[int, np.ndarray]]:
    """Ranks of the suffixes at all text positions: (first position, int64[k]), ascending.

    Raises:
        CorruptIndexError: a walk does not lead from one sampled position to the next.
    """
    rows = np.array([shard.row()], np.int64)
    step = max(1, _POSITIONS // shard.rate)
    for first in range(0, shard.samples, step):
        last = min(first + step, shard.samples)
        start = first * shard.rate
        ranks = np.empty(min(last * shard.rate, shard.size) - start, np.int64)
        try:
            unwind.ranks_of_positions(rows, 0, first, last, ranks)
        except CorruptShard as error:
            raise _corrupt(
                shard,
                f"{error} that do not lead from position {start} to {start + ranks.size}",
                "a walk through all positions",
            ) from error
        yield start, ranks


def check_lists(shard: FMShard) -> None:
    """Check that the successors are a permutation, in ascending lists.

    Raises:
        CorruptIndexError: they are not.
    """
    rows = np.array([shard.row()], np.int64)
    try:
        verdict, rank = unwind.check_lists(rows, 0, shard.starts, np.zeros(shard.size + 1, bool))
    except CorruptShard as error:
        raise _corrupt(shard, f"a {error} that cannot be", "coded lists") from error
    if verdict != unwind.RIGHT:
        raise _corrupt(shard, _VERDICTS[verdict].format(rank), "every rank in one ascending list")


def decode(shard: FMShard, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of ``width`` bytes and suffix array uint32 of a shard, [n] each.

    Raises:
        CorruptIndexError: the lists do not describe a text.
    """
    rows = np.array([shard.row()], np.int64)
    tokens, suffixes = np.empty(shard.size, f"<u{width}"), np.empty(shard.size, np.uint32)
    check_lists(shard)
    for start, ranks in ranks_of_positions(shard):
        unwind.place_tokens(rows, 0, ranks, start, tokens, suffixes)
    return tokens, suffixes


def _corrupt(shard: FMShard, found: str, expected: str) -> CorruptIndexError:
    return CorruptIndexError(str(shard.folder / "successors.gdx"), found, expected)
