"""Tokenizers given by a SentencePiece model file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers.base import Tokenizer, import_library
from gramdex.fmindex.tokenizers.sentencepiece_file import (
    BYTE,
    CONTROL,
    UNKNOWN,
    SentencePieceModel,
    parse_model,
)
from gramdex.fmindex.tokenizers.token_bytes import TokenBytes

__all__ = ["SentencePieceTokenizer"]

_MAX_THREADS = 8
_SPACE_SYMBOL = "\u2581"


class SentencePieceTokenizer(Tokenizer):
    """A SentencePiece ``.model`` file.

    U+2581 is a space, a byte piece is its byte, control and unknown pieces are empty.
    """

    kind = "sentencepiece"
    file_name = "tokenizer.model"

    @cached_property
    def _model(self) -> SentencePieceModel:
        return parse_model(self.files[self.file_name], self.source)

    @property
    def strips_leading_space(self) -> bool:
        """Whether decoding drops one space at a document's start (the dummy prefix)."""
        return self._model.strips_leading_space

    @property
    def lossless_bytes(self) -> bool:
        """False only where the model rewrites text after decoding."""
        return not self._model.has_denormalizer

    def _read_table(self) -> TokenBytes:
        return TokenBytes.from_tokens(
            _piece_bytes(piece, kind, self.source) for piece, kind in self._model.pieces
        )

    def _load_library(self) -> Any:
        sentencepiece = import_library("sentencepiece", "sentencepiece")
        return sentencepiece.SentencePieceProcessor(model_proto=self.files[self.file_name])

    def _encode_texts(self, texts: list[str]) -> Sequence[Sequence[int]]:
        threads = min(_MAX_THREADS, os.cpu_count() or 1)
        return self._library.encode(
            texts, out_type=int, add_bos=False, add_eos=False, num_threads=threads
        )

    def _decode_by_library(self, ids: list[int]) -> str:
        return self._library.decode(ids)


def _piece_bytes(piece: str, kind: int, source: str) -> bytes:
    if kind in (CONTROL, UNKNOWN):
        return b""
    if kind != BYTE:
        return piece.replace(_SPACE_SYMBOL, " ").encode()
    try:
        return bytes([int(piece[3:5], 16)])
    except ValueError:
        found = f"byte piece {piece!r}"
        raise TokenizerError(source, found, "<0x00> to <0xFF>", "check the model") from None
