"""Arrays as bytes of little-endian numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gramdex.errors import QueryError
from gramdex.rpc import v1

_WIDTHS: dict[int, np.dtype] = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4")}
_LENGTH = np.dtype("<u4")
_INT64, _FLOAT64 = np.dtype("<i8"), np.dtype("<f8")


def write_tokens(ids: np.ndarray) -> v1.Tokens:
    """Token ids, integers from 0 to 2^32 - 1, as narrow as they are."""
    most = int(ids.max()) if ids.size else 0
    width = 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4
    return v1.Tokens(ids=ids.astype(_WIDTHS[width]).tobytes(), width=width)


def read_tokens(field: str, tokens: v1.Tokens) -> np.ndarray:
    """Token ids, a new int64 array.

    Raises:
        QueryError: a width that is none, or bytes that are no whole number of ids.
    """
    return _numbers(field, tokens).astype(np.int64)


def count_tokens(tokens: v1.Tokens) -> int:
    """How many ids there are, without reading them."""
    return len(tokens.ids) // (tokens.width or 1)


def write_token_batch(sequences: Sequence[np.ndarray]) -> v1.TokenBatch:
    """Sequences of token ids."""
    lengths = np.fromiter(map(len, sequences), _LENGTH, len(sequences))
    ids = np.concatenate(sequences) if sequences else np.empty(0, np.int64)
    return v1.TokenBatch(tokens=write_tokens(ids), lengths=lengths.tobytes())


def read_token_batch(field: str, batch: v1.TokenBatch) -> list[np.ndarray]:
    """Sequences of token ids, views of one int64 array.

    Raises:
        QueryError: lengths that are none, or that do not add up to the tokens.
    """
    ids, offsets = read_token_rows(field, batch)
    return np.split(ids, offsets[1:-1])[: offsets.size - 1]


def read_token_rows(field: str, batch: v1.TokenBatch) -> tuple[np.ndarray, np.ndarray]:
    """Token ids one sequence after the other, int64, and int64[k + 1] where each begins.

    Raises:
        QueryError: as ``read_token_batch``.
    """
    ids = read_tokens(f"{field}.tokens", batch.tokens)
    lengths = _read(f"{field}.lengths", batch.lengths, _LENGTH)
    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if offsets[-1] != ids.size:
        found = f"lengths that add up to {offsets[-1]}"
        raise QueryError(f"{field}.lengths", found, f"{ids.size}, the number of ids")
    return ids, offsets


def write_int64(values: np.ndarray) -> v1.Int64Array:
    """Whole numbers."""
    return v1.Int64Array(values=values.astype(_INT64, copy=False).tobytes())


def read_int64(field: str, array: v1.Int64Array) -> np.ndarray:
    """Whole numbers, a new int64 array; QueryError where the bytes are none."""
    return _read(field, array.values, _INT64).astype(np.int64)


def write_float64(values: np.ndarray) -> v1.Float64Array:
    """Numbers in double precision."""
    return v1.Float64Array(values=values.astype(_FLOAT64, copy=False).tobytes())


def read_float64(field: str, array: v1.Float64Array) -> np.ndarray:
    """Numbers, a new float64 array; QueryError where the bytes are none."""
    return _read(field, array.values, _FLOAT64).astype(np.float64)


def _numbers(field: str, tokens: v1.Tokens) -> np.ndarray:
    width = tokens.width
    if width not in _WIDTHS:
        if not tokens.ids:
            return np.empty(0, np.int64)
        raise QueryError(f"{field}.width", str(width), "1, 2 or 4 bytes")
    return _read(f"{field}.ids", tokens.ids, _WIDTHS[width])


def _read(field: str, data: bytes, dtype: np.dtype) -> np.ndarray:
    if len(data) % dtype.itemsize:
        expected = f"a multiple of {dtype.itemsize}"
        raise QueryError(field, f"{len(data)} bytes", expected)
    return np.frombuffer(data, dtype)
