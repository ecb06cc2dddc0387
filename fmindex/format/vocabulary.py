"""The vocabulary as stored: ids of the tokenizer to ranks in byte order, and back.

Rank 0 is the separator that ends each document. Where no tokenizer is known, and for bytes, the
rank of an id is the id + 1 and nothing is stored.

::

    vocabulary.gdx  kind "vocabulary"
      rank_of_id  uint8|16|32  vocabulary_size: rank of each id, 0 where it stands for no token

Up to version 2 it was of uint32, and the inverse was stored with it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gramdex.errors import CorruptIndexError, QueryError
from gramdex.fmindex.format.mappings import MappedFiles
from gramdex.fmindex.format.sections import SectionFile, SectionWriter
from gramdex.fmindex.tokenizers.ranks import NO_ID
from gramdex.kernels.packing import translate_ids

KIND = "vocabulary"
FILE = "vocabulary.gdx"


def token_width(ranks: int) -> int:
    """Bytes per token for a vocabulary of ``ranks`` ranks, the separator included."""
    return 1 if ranks <= 1 << 8 else 2 if ranks <= 1 << 16 else 4


class Vocabulary:
    """Translates ids to ranks and back.

    Args:
        size: ids are in [0, size).
        rank_of_id: uint32[size], or None for rank = id + 1.
        id_of_rank: uint32[ranks], or None likewise.
    """

    def __init__(
        self,
        size: int,
        rank_of_id: np.ndarray | None = None,
        id_of_rank: np.ndarray | None = None,
    ) -> None:
        self.size = size
        self._rank_table = np.empty(0, np.uint32) if rank_of_id is None else rank_of_id
        self._id_of_rank = id_of_rank

    @property
    def ranks(self) -> int:
        """Number of ranks, the separator included."""
        return self.size + 1 if self._id_of_rank is None else self._id_of_rank.size

    @property
    def width(self) -> int:
        """Bytes per stored token."""
        return token_width(self.ranks)

    @property
    def ids_by_rank(self) -> np.ndarray:
        """uint32[ranks], the id of each rank but the separator's; empty where it is rank - 1."""
        return self._rank_table if self._id_of_rank is None else self._id_of_rank

    def to_ranks(self, ids: np.ndarray) -> np.ndarray:
        """Turn a contiguous int64 array of ids into their ranks, in place; returns it.

        Raises:
            QueryError: an id outside the vocabulary, or one that stands for no token.
        """
        refused = translate_ids(ids, self._rank_table, self.size)
        if refused >= 0:
            raise self._refuse(int(ids[refused]))
        return ids

    def to_ids(self, ranks: np.ndarray) -> np.ndarray:
        """Ids, int64, of ranks that are not the separator.

        Raises:
            CorruptIndexError: a rank the vocabulary does not have.
        """
        if ranks.size and (ranks.min() < 1 or ranks.max() >= self.ranks):
            raise CorruptIndexError(
                "stored tokens",
                f"ranks from {int(ranks.min())} to {int(ranks.max())}",
                f"ranks from 1 to {self.ranks - 1}",
                "run gramdex verify on the index",
            )
        if self._id_of_rank is None:
            return ranks.astype(np.int64) - 1
        return self._id_of_rank[ranks].astype(np.int64)

    def equals(self, rank_of_id: np.ndarray, id_of_rank: np.ndarray) -> bool:
        """Whether these are the stored tables."""
        return (
            self._id_of_rank is not None
            and np.array_equal(self._rank_table, rank_of_id)
            and np.array_equal(self._id_of_rank, id_of_rank)
        )

    def same_as(self, other: Vocabulary) -> bool:
        """Whether both give every id the same rank."""
        if self._id_of_rank is None or other._id_of_rank is None:
            return self._id_of_rank is other._id_of_rank and self.size == other.size
        return self.equals(other._rank_table, other._id_of_rank)

    def _refuse(self, token: int) -> QueryError:
        if 0 <= token < self.size:
            return QueryError(
                f"token id {token}",
                "the vocabulary has no token of this id",
                "ids of existing tokens",
                "check which tokenizer the ids come from",
            )
        return QueryError(
            f"token id {token}",
            "not in the vocabulary of this index",
            f"ids from 0 to {self.size - 1}",
            "check which tokenizer the ids come from; separators cannot be queried",
        )


def write_vocabulary(path: Path, rank_of_id: np.ndarray) -> None:
    """Write the rank of each id, as narrow as tokens are stored."""
    width = token_width(int(rank_of_id.max(initial=0)) + 1)
    with SectionWriter(path, KIND) as writer:
        writer.section("rank_of_id", rank_of_id.astype(f"u{width}"))


def read_vocabulary(path: Path, size: int, header: str) -> Vocabulary:
    """Open the table, and check that every rank is that of one id.

    Raises:
        CorruptIndexError: they are not, or the file is damaged.
    """
    file = SectionFile(path, KIND, header)
    file.check()
    section = file.sections.get("rank_of_id")
    dtype = np.dtype(np.uint32) if section is None else section.dtype
    rank_of_id = file.array("rank_of_id", dtype).astype(np.uint32)
    MappedFiles([(path, file.mapping)]).require_whole()  # it was copied after it was checked
    present = np.flatnonzero(rank_of_id)
    id_of_rank = np.full(present.size + 1, NO_ID, np.uint32)
    if rank_of_id.max(initial=0) == present.size:
        id_of_rank[rank_of_id[present]] = present
    single = present.size == 0 or NO_ID not in id_of_rank[1:]
    if rank_of_id.size != size or rank_of_id.max(initial=0) != present.size or not single:
        raise CorruptIndexError(
            str(path), "ranks that are not one id's each", f"{size} ids and their ranks"
        )
    return Vocabulary(size, rank_of_id, id_of_rank)
