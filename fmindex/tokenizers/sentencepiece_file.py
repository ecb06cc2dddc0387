"""Reading a SentencePiece model file without the library.

A model is one protocol buffer message; only these fields matter here::

    ModelProto       1 pieces (repeated SentencePiece)
                     2 trainer_spec
                     3 normalizer_spec
                     5 denormalizer_spec
    SentencePiece    1 piece (string)   3 type (enum, 1 where absent)
    TrainerSpec      24 treat_whitespace_as_suffix (bool, false where absent)
    NormalizerSpec   2 precompiled_charsmap (bytes)
                     3 add_dummy_prefix, 4 remove_extra_whitespaces (bool, true where absent)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gramdex.errors import TokenizerError

__all__ = ["BYTE", "CONTROL", "UNKNOWN", "SentencePieceModel", "parse_model"]

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class SentencePieceModel:
    """What decides the bytes of ids: pieces with their types, and how whitespace is written."""

    pieces: list[tuple[str, int]]
    strips_leading_space: bool
    has_denormalizer: bool


def parse_model(data: bytes, source: str) -> SentencePieceModel:
    """Pieces and whitespace rules of a model file. Linear in the file.

    Raises:
        TokenizerError: not a SentencePiece model.
    """
    try:
        model = _read_model(data)
    except (IndexError, ValueError) as error:
        raise _not_a_model(source, str(error)) from error
    if not model.pieces:
        raise _not_a_model(source, "no pieces")
    return model


def _not_a_model(source: str, found: str) -> TokenizerError:
    remedy = "check the file; a tiktoken rank file needs tiktoken:NAME:PATH"
    return TokenizerError(source, found, "a SentencePiece model", remedy)


def _read_model(data: bytes) -> SentencePieceModel:
    pieces: list[tuple[str, int]] = []
    suffix = denormalizer = False
    prefix = trim = True
    for field, value in _fields(data):
        if field not in (1, 2, 3, 5):
            continue
        message = dict(_fields(_as_bytes(value)))
        if field == 1:
            pieces.append((_as_bytes(message.get(1, b"")).decode(), _as_int(message.get(3, 1))))
        elif field == 2:
            suffix = bool(message.get(24, 0))
        elif field == 3:
            prefix, trim = bool(message.get(3, 1)), bool(message.get(4, 1))
        else:
            denormalizer = bool(message.get(2, b""))
    return SentencePieceModel(pieces, (prefix or trim) and not suffix, denormalizer)


def _as_bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number where a message belongs")
    return value


def _as_int(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("a message where a number belongs")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of a message: varints as int, everything else as bytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {at}")
        if at + size > end:
            raise ValueError(f"a field of {size} bytes cut off at byte {end}")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError(f"a varint of more than 64 bits at byte {at}")
