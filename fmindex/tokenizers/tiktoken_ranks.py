"""Tokenizers given by a tiktoken rank file."""

from __future__ import annotations

import os
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers.base import Tokenizer, import_library
from gramdex.fmindex.tokenizers.tiktoken_encodings import ENCODINGS, PublishedEncoding
from gramdex.fmindex.tokenizers.token_bytes import TokenBytes

__all__ = ["TiktokenTokenizer"]

_MAX_THREADS = 8


class TiktokenTokenizer(Tokenizer):
    """Byte-pair encoding by a ``.tiktoken`` file: base64 token, space, rank on each line.

    ``options["encoding"]`` names the published split pattern and special tokens. Special
    tokens have ids and bytes but no text encodes to them. Text is not normalized.

    Raises:
        TokenizerError: the encoding is not a known one.
    """

    kind = "tiktoken"
    file_name = "ranks.tiktoken"

    @property
    def _published(self) -> PublishedEncoding:
        return published_encoding(self.options.get("encoding", ""), self.source)

    @cached_property
    def _ranks(self) -> dict[bytes, int]:
        return parse_ranks(self.files[self.file_name], self.source)

    def _read_table(self) -> TokenBytes:
        special = self._published.special_tokens
        tokens = {rank: token for token, rank in self._ranks.items()}
        for name, token_id in special.items():
            if token_id in tokens:
                raise TokenizerError(
                    self.source,
                    f"a rank {token_id}, which {self.options['encoding']} has for {name}",
                    f"the rank file of {self.options['encoding']}",
                    "name the encoding with tiktoken:NAME:PATH",
                )
            tokens[token_id] = name.encode()
        return TokenBytes.from_ids(tokens, self.source)

    def _load_library(self) -> Any:
        tiktoken = import_library("tiktoken", "tiktoken")
        return tiktoken.Encoding(
            self.options["encoding"],
            pat_str=self._published.pattern,
            mergeable_ranks=self._ranks,
            special_tokens=self._published.special_tokens,
        )

    def _encode_texts(self, texts: list[str]) -> Sequence[Sequence[int]]:
        if len(texts) == 1:
            return [self._library.encode_ordinary(texts[0])]
        threads = min(_MAX_THREADS, os.cpu_count() or 1)
        return self._library.encode_ordinary_batch(texts, num_threads=threads)


def published_encoding(name: str, source: str) -> PublishedEncoding:
    """Pattern and special tokens of an encoding; TokenizerError lists the known names."""
    if name not in ENCODINGS:
        raise TokenizerError(
            source,
            f"unknown encoding {name!r}",
            f"one of {', '.join(ENCODINGS)}",
            "say which with tiktoken:NAME:PATH",
        )
    return ENCODINGS[name]


def parse_ranks(data: bytes, source: str) -> dict[bytes, int]:
    """Token bytes to rank. Linear in the file.

    Raises:
        TokenizerError: a malformed or repeated line, by number; a byte without a token.
    """
    ranks: dict[bytes, int] = {}
    taken: set[int] = set()
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            spelled, digits = line.split()
            token, rank = b64decode(spelled, validate=True), int(digits)
        except (ValueError, Base64Error):
            raise _malformed(source, number, line) from None
        if rank < 0 or not token or rank in taken or token in ranks:
            raise _malformed(source, number, line)
        ranks[token] = rank
        taken.add(rank)
    for value in range(256):
        if bytes([value]) not in ranks:
            found = f"no token for byte 0x{value:02X}"
            raise TokenizerError(source, found, "all 256 single bytes", "use the whole rank file")
    return ranks


def _malformed(source: str, number: int, line: bytes) -> TokenizerError:
    return TokenizerError(
        f"{source}:{number}",
        f"{line[:60]!r}",
        "a base64 token, a space and a rank, both seen once",
        "download the rank file again",
    )
