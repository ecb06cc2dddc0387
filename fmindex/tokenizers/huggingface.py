"""Tokenizers given by a tokenizer.json of the Hugging Face tokenizers library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from gramdex.fmindex.tokenizers.base import Tokenizer, import_library
from gramdex.fmindex.tokenizers.huggingface_file import HuggingFaceFile, parse_file
from gramdex.fmindex.tokenizers.token_bytes import TokenBytes

__all__ = ["HuggingFaceTokenizer"]


class HuggingFaceTokenizer(Tokenizer):
    """A ``tokenizer.json``, with truncation, padding, dropout and special tokens off.

    Text that spells a special token is cut like any other text. Added tokens that the file does
    not mark as special stay in force, and stand for their content. Where the decoder is not a
    concatenation of bytes, `lossless_bytes` is False and the library decodes.
    """

    kind = "huggingface"
    file_name = "tokenizer.json"

    @cached_property
    def _parsed(self) -> HuggingFaceFile:
        return parse_file(self.files[self.file_name], self.source)

    @property
    def lossless_bytes(self) -> bool:
        """Whether the file's decoder is a concatenation of bytes known per token."""
        return self._parsed.lossless_bytes

    @property
    def strips_leading_space(self) -> bool:
        """Whether decoding drops one space at a document's start."""
        return self._parsed.strips_leading_space

    def _read_table(self) -> TokenBytes:
        return self._parsed.table

    def _load_library(self) -> Any:
        tokenizers = import_library("tokenizers", "huggingface")
        data = hide_special_pieces(self.files[self.file_name])
        tokenizer = tokenizers.Tokenizer.from_buffer(data)
        tokenizer.encode_special_tokens = True
        tokenizer.no_truncation()
        tokenizer.no_padding()
        if getattr(tokenizer.model, "dropout", None):
            tokenizer.model.dropout = None
        return tokenizer

    def _encode_texts(self, texts: list[str]) -> Sequence[Sequence[int]]:
        encodings = self._library.encode_batch_fast(texts, add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def _decode_by_library(self, ids: list[int]) -> str:
        return self._decoding_library.decode(ids, skip_special_tokens=False)

    @cached_property
    def _decoding_library(self) -> Any:
        tokenizers = import_library("tokenizers", "huggingface")
        return tokenizers.Tokenizer.from_buffer(self.files[self.file_name])


def hide_special_pieces(data: bytes) -> bytes:
    """Respell the special tokens of a Unigram model, so that no text contains them.

    Unigram looks for every piece of its vocabulary in the text, special ones too, whatever
    ``encode_special_tokens`` says; other models only build tokens they have merges for. Ids
    stay as they are. Files of other models are returned unchanged.
    """
    if b'"Unigram"' not in data:
        return data
    file = json.loads(data)
    if file["model"].get("type") != "Unigram":
        return data
    for added in file.get("added_tokens") or ():
        if added["special"]:
            added["content"] = f"\U0010fffe{added['id']}\U0010ffff"
            if added["id"] < len(file["model"]["vocab"]):
                file["model"]["vocab"][added["id"]][0] = added["content"]
    return json.dumps(file).encode()
