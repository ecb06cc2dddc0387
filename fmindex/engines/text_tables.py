"""The bytes of a vocabulary in the tables that text queries search."""

from __future__ import annotations

from copy import copy
from itertools import pairwise

import numpy as np

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.tokenizers import TokenBytes
from gramdex.kernels.text import tokens as columns

_STEP = 7
"""Bytes of an ending that are compared at a time: with how many there are, they fill a word."""


class TextTables:
    """The tables of ``kernels/text/tokens.py``; any engine searches with them.

    About 21 bytes for each byte of the vocabulary, and a pass of sorting over them.

    Args:
        vocabulary: ids and ranks of the index.
        token_bytes: bytes of every id.
        counts: int64[ranks], occurrences of each rank in all shards.
        stripped: int64[0] where decoded documents are the bytes of their tokens; else, for
            each shard, if its first document loses the space it begins with, as all others do.

    Raises:
        CorruptIndexError: ranks are not in the order of their bytes.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        token_bytes: TokenBytes,
        counts: np.ndarray,
        stripped: np.ndarray,
    ) -> None:
        ids = vocabulary.to_ids(np.arange(1, vocabulary.ranks))
        lengths = token_bytes.lengths(ids.astype(np.uint32))
        self.bytes = token_bytes.gather(ids)
        self.starts = np.zeros(vocabulary.ranks + 1, np.uint32)
        np.cumsum(lengths, out=self.starts[2:])
        self.stripped = np.ascontiguousarray(stripped, np.int64)
        tokens = _tokens(self.bytes, self.starts)
        if any(a > b for a, b in pairwise(tokens)):
            raise CorruptIndexError("vocabulary", "ranks out of order", "ranks in order of bytes")
        self.owners = np.repeat(np.arange(1, vocabulary.ranks, dtype=np.uint32), lengths)
        begins, ends = (self.starts[self.owners + i].astype(np.int64) for i in (0, 1))
        self.tails = sorted_tails(self.bytes, begins, ends)
        self.totals = np.zeros(self.tails.size + 1, np.int64)
        np.cumsum(counts[self.owners[self.tails]], out=self.totals[1:])
        self.empty_end = int(np.searchsorted(self.starts, 0, side="right")) - 1
        self.empties = np.flatnonzero(counts[: self.empty_end])
        self.empties = np.ascontiguousarray(self.empties[self.empties > 0], np.int64)
        first_bytes = self.bytes[self.starts[self.empty_end : -1]]
        self.firsts = self.empty_end + np.searchsorted(first_bytes, np.arange(257))
        self.firsts = self.firsts.astype(np.uint32)
        self.row = self._row(int(lengths.max(initial=0)), _most_nested(tokens))

    def part(self, shards: np.ndarray, counted: bool) -> TextTables:
        """The same for some of the shards, int64[k].

        Occurrences inside one token, which are known of all shards together, are 0 unless
        ``counted``.
        """
        part = copy(self)
        if self.stripped.size:
            part.stripped = self.stripped[shards]
        if not counted:
            part.totals, part.row = np.zeros_like(self.totals), self.row.copy()
            part.row[columns.TOTALS] = part.totals.ctypes.data
        return part

    def _row(self, longest: int, nested: int) -> np.ndarray:
        row = np.zeros(columns.COLUMNS, np.int64)
        arrays: dict[int, np.ndarray] = {
            columns.BYTES: self.bytes,
            columns.STARTS: self.starts,
            columns.FIRSTS: self.firsts,
            columns.TAILS: self.tails,
            columns.OWNERS: self.owners,
            columns.TOTALS: self.totals,
            columns.EMPTIES: self.empties,
        }
        for column, array in arrays.items():
            row[column] = array.ctypes.data
        row[columns.BYTE_COUNT], row[columns.RANKS] = self.bytes.size, self.starts.size - 1
        row[columns.LONGEST], row[columns.NESTED] = longest, nested
        row[columns.EMPTY_END], row[columns.EMPTY_COUNT] = self.empty_end, self.empties.size
        return row


def sorted_tails(data: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Positions of uint8[n] in the order of the bytes from each to its end, uint32[n].

    Of equal ones the whole tokens come first.

    Args:
        data: the bytes of all tokens.
        begins: int64[n], where the token of each byte begins.
        ends: int64[n], where it ends.

    A step sorts by the next bytes of those that are still equal and have more.
    """
    order = np.argsort(np.arange(data.size) != begins, kind="stable")
    groups, depth, open_ = np.zeros(data.size, np.int64), 0, np.arange(data.size)
    while open_.size:
        positions = order[open_]
        keys = _keys(data, positions + depth, ends[positions])
        sorting = np.lexsort((keys, groups[open_]))
        order[open_], keys = positions[sorting], keys[sorting]
        changes = np.flatnonzero(
            (np.diff(keys, prepend=keys[:1]) != 0) | (np.diff(groups[open_], prepend=-1) != 0)
        )
        sizes = np.diff(changes, append=open_.size)
        groups[open_] = np.repeat(open_[changes], sizes)
        open_ = open_[(np.repeat(sizes, sizes) > 1) & ((keys & 0xFF) > _STEP)]
        depth += _STEP
    return order.astype(np.uint32)


def _keys(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The next bytes from each start on, and how many there are, as numbers in their order."""
    keys = np.zeros(starts.size, np.uint64)
    for i in range(_STEP):
        inside = starts + i < ends
        keys = (keys << np.uint64(8)) | np.where(inside, data[np.where(inside, starts + i, 0)], 0)
    left = np.minimum(ends - starts, _STEP + 1).astype(np.uint64)
    return (keys << np.uint64(8)) | left


def _tokens(data: np.ndarray, starts: np.ndarray) -> list[bytes]:
    """The bytes of every rank."""
    joined, bounds = data.tobytes(), starts.tolist()
    return [joined[a:b] for a, b in pairwise(bounds)]


def _most_nested(tokens: list[bytes]) -> int:
    """Most different tokens of which each begins with the one before."""
    open_: list[bytes] = []
    most = 0
    for token in tokens:
        while open_ and not token.startswith(open_[-1]):
            open_.pop()
        if token and (not open_ or open_[-1] != token):
            open_.append(token)
        most = max(most, len(open_))
    return most
