"""Whether ids decode to the text they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers.base import Tokenizer
from gramdex.fmindex.tokenizers.token_bytes import TokenBytes

__all__ = ["roundtrips"]


def roundtrips(
    tokenizer: Tokenizer,
    ids: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    texts: Sequence[str],
) -> NDArray[np.bool_]:
    """For each text, whether the bytes of its ids are its UTF-8.

    One gather and one comparison for the whole batch; single texts are looked at only where
    these differ.

    Args:
        tokenizer: what made the ids.
        ids: ids of all texts, as `Tokenizer.encode_batch` returns them.
        offsets: where in them each text begins, and the end.
        texts: the texts.

    Returns:
        bool[len(texts)].

    Raises:
        TokenizerError: no tokenizer is known, or a text has a lone surrogate.
        QueryError: an id is outside the vocabulary.
    """
    if len(offsets) != len(texts) + 1:
        found = f"{len(offsets)} offsets for {len(texts)} texts"
        raise TokenizerError("round trip", found, f"{len(texts) + 1} offsets")
    if not tokenizer.lossless_bytes or tokenizer.token_bytes is None:
        bounds = pairwise(offsets.tolist())
        decoded = (tokenizer.decode(ids[start:end]) for start, end in bounds)
        return np.array([a == b for a, b in zip(decoded, texts, strict=True)], np.bool_)
    data, ends = _document_bytes(tokenizer.token_bytes, ids, offsets)
    if tokenizer.strips_leading_space:
        data, ends = _strip_spaces(data, ends)
    return _same(data.tobytes(), ends, [text.encode() for text in texts])


def _document_bytes(
    table: TokenBytes, ids: NDArray[np.uint32], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes of all ids, and where in them each document begins, with the end appended."""
    data = table.gather(ids)
    ends = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(table.lengths(ids), out=ends[1:])
    return data, ends[offsets]


def _strip_spaces(
    data: NDArray[np.uint8], ends: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Take the leading space from every document that has one."""
    stripped = ends[1:] > ends[:-1]
    stripped[stripped] = data[ends[:-1][stripped]] == ord(" ")
    moved = ends.copy()
    moved[1:] -= np.cumsum(stripped)
    return np.delete(data, ends[:-1][stripped]), moved


def _same(data: bytes, ends: NDArray[np.int64], texts: list[bytes]) -> NDArray[np.bool_]:
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    if np.array_equal(np.diff(ends), sizes) and data == b"".join(texts):
        return np.ones(len(texts), np.bool_)
    bounds = pairwise(ends.tolist())
    same = [data[a:b] == text for (a, b), text in zip(bounds, texts, strict=True)]
    return np.array(same, np.bool_)
