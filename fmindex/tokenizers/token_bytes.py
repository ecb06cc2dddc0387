"""The bytes behind every token id, as two flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gramdex.errors import QueryError, TokenizerError

__all__ = ["MAX_VOCABULARY", "TokenBytes", "check_ids", "flatten"]

MAX_VOCABULARY = 1 << 24
"""No tokenizer has larger ids: one that seems to is a damaged file."""

_CHUNK = 1 << 16  # ids gathered at a time: keeps the index arrays inside the cache


class TokenBytes:
    """Bytes of every id of a vocabulary.

    Attributes:
        blob: uint8[n], the bytes of all tokens in the order of their ids.
        offsets: int64[vocabulary_size + 1]; token ``i`` is ``blob[offsets[i]:offsets[i + 1]]``.
        has: bool[vocabulary_size]; False where no token has this id (its bytes are empty).
            A token that stands for no text (a control token) has empty bytes and True.
    """

    __slots__ = ("blob", "has", "offsets")

    def __init__(
        self, blob: NDArray[np.uint8], offsets: NDArray[np.int64], has: NDArray[np.bool_]
    ) -> None:
        self.blob, self.offsets, self.has = blob, offsets, has

    @classmethod
    def from_tokens(cls, tokens: Iterable[bytes | None]) -> TokenBytes:
        """Table of the tokens of ids 0, 1, …; None is an id without a token."""
        listed = list(tokens)
        present = [token or b"" for token in listed]
        offsets = np.zeros(len(listed) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, present), np.int64, len(present)), out=offsets[1:])
        blob = np.frombuffer(b"".join(present), np.uint8)
        has = np.fromiter((token is not None for token in listed), np.bool_, len(listed))
        return cls(blob, offsets, has)

    @classmethod
    def from_ids(cls, tokens: dict[int, bytes], source: str) -> TokenBytes:
        """Table of a mapping from id to bytes; ids below the largest that it lacks are holes.

        Raises:
            TokenizerError: no tokens, or an id outside ``[0, MAX_VOCABULARY)``.
        """
        low, high = min(tokens, default=-1), max(tokens, default=-1)
        if low < 0 or high >= MAX_VOCABULARY:
            found = f"token id {low if low < 0 else high}" if tokens else "no tokens"
            raise TokenizerError(source, found, f"ids in [0, {MAX_VOCABULARY})")
        return cls.from_tokens(tokens.get(i) for i in range(high + 1))

    def __len__(self) -> int:
        return len(self.has)

    def __getitem__(self, token: int) -> bytes:
        """Bytes of one id. Raises QueryError where it is outside the vocabulary."""
        check_ids([token], len(self))
        return self.blob[self.offsets[token] : self.offsets[token + 1]].tobytes()

    def __repr__(self) -> str:
        return f"TokenBytes({len(self)} ids, {int(self.has.sum())} tokens, {len(self.blob)} bytes)"

    def tolist(self) -> list[bytes]:
        """List the bytes of every id, in the order of ids; holes are empty."""
        blob, ends = self.blob.tobytes(), self.offsets.tolist()
        return [blob[ends[i] : ends[i + 1]] for i in range(len(self))]

    def lengths(self, ids: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Byte length of each of these ids, int64[len(ids)]; ids must be in range."""
        return self.offsets[1:][ids] - self.offsets[ids]

    def gather(self, ids: ArrayLike) -> NDArray[np.uint8]:
        """Bytes of these ids one after another, uint8; linear in the output.

        Raises:
            QueryError: an id is outside the vocabulary.
        """
        checked = check_ids(ids, len(self))
        lengths = self.lengths(checked)
        ends = np.cumsum(lengths)
        out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
        done = 0
        for start in range(0, len(checked), _CHUNK):
            part = slice(start, start + _CHUNK)
            size = int(ends[part][-1]) - done
            # Output byte j of token t comes from blob byte j + offsets[t] - (t's output start).
            shift = self.offsets[checked[part]] - (ends[part] - lengths[part])
            source = np.repeat(shift, lengths[part])
            source += np.arange(done, done + size)
            np.take(self.blob, source, out=out[done : done + size])
            done += size
        return out


def check_ids(ids: ArrayLike, vocabulary_size: int) -> NDArray[np.uint32]:
    """Return these ids as uint32[n], each below ``vocabulary_size``.

    Raises:
        QueryError: not a flat sequence of integers, or an id outside ``[0, vocabulary_size)``.
    """
    array = np.asarray(ids)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        found = f"an array of {array.dtype} with {array.ndim} dimensions"
        raise QueryError("token ids", found, "a flat sequence of integers", "pass one list of ids")
    if array.size:
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >= vocabulary_size:
            raise QueryError(
                "token ids",
                f"id {low if low < 0 else high}",
                f"ids in [0, {vocabulary_size})",
                "use ids of this index's tokenizer",
            )
    return array.astype(np.uint32, copy=False)


def flatten(lists: Sequence[Sequence[int]]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Join lists of ids into one flat uint32 array, with int64[len(lists) + 1] offsets."""
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum([len(ids) for ids in lists], out=offsets[1:])
    flat = np.empty(int(offsets[-1]), np.uint32)
    for ids, start, end in zip(lists, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        flat[start:end] = ids
    return flat, offsets
