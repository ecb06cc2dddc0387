"""Token ranks: what an index stores in place of ids.

Rank 0 separates documents; tokens have ranks 1 … K in the order of their bytes, so that all
tokens which begin with given bytes are one range of ranks and suffixes are in text order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gramdex.fmindex.tokenizers.token_bytes import TokenBytes

__all__ = ["NO_ID", "byte_order_ranks", "identity_ranks"]

NO_ID = 0xFFFFFFFF
"""``id_of_rank[0]``: the separator is no token."""


def byte_order_ranks(
    token_bytes: TokenBytes,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Ranks of the K tokens of a vocabulary by their bytes, equal bytes by id.

    Returns:
        rank_of_id: uint32[vocabulary_size], 1 … K, and 0 where no token has this id.
        id_of_rank: uint32[K + 1], with `NO_ID` at 0.

    O(V log V) comparisons of byte strings.
    """
    tokens = token_bytes.tolist()
    ids = np.flatnonzero(token_bytes.has).tolist()
    ids.sort(key=tokens.__getitem__)
    id_of_rank = np.empty(len(ids) + 1, np.uint32)
    id_of_rank[0] = NO_ID
    id_of_rank[1:] = ids
    rank_of_id = np.zeros(len(token_bytes), np.uint32)
    rank_of_id[id_of_rank[1:]] = np.arange(1, len(ids) + 1, dtype=np.uint32)
    return rank_of_id, id_of_rank


def identity_ranks(vocabulary_size: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Ranks where no tokenizer is known: rank is id + 1. Shapes as `byte_order_ranks`."""
    rank_of_id = np.arange(1, vocabulary_size + 1, dtype=np.uint32)
    id_of_rank = np.empty(vocabulary_size + 1, np.uint32)
    id_of_rank[0] = NO_ID
    id_of_rank[1:] = rank_of_id - 1
    return rank_of_id, id_of_rank
