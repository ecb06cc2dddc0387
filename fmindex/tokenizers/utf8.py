"""Bytes as tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gramdex.fmindex.tokenizers.base import Tokenizer, check_text
from gramdex.fmindex.tokenizers.token_bytes import TokenBytes, check_ids

__all__ = ["ByteTokenizer"]

# 0xFF never occurs in UTF-8, so 255 ids and the document separator fit 8 bits.
_VOCABULARY_SIZE = 255


class ByteTokenizer(Tokenizer):
    """A token is one byte of the text's UTF-8, its id the byte's value."""

    kind = "bytes"

    def _read_table(self) -> TokenBytes:
        return TokenBytes.from_tokens(bytes([value]) for value in range(_VOCABULARY_SIZE))

    def encode(self, text: str) -> NDArray[np.uint32]:
        """UTF-8 of a text, uint32[n]. TokenizerError for lone surrogates."""
        check_text(text, "text")
        return np.frombuffer(text.encode(), np.uint8).astype(np.uint32)

    def decode_bytes(self, ids: ArrayLike, *, at_start: bool = True) -> bytes:
        """Bytes these ids are. QueryError for an id outside ``[0, 255)``."""
        return check_ids(ids, _VOCABULARY_SIZE).astype(np.uint8).tobytes()

    def _encode_texts(self, texts: list[str]) -> Sequence[Sequence[int]]:
        return [np.frombuffer(text.encode(), np.uint8) for text in texts]  # type: ignore[misc]
