"""Reading a tokenizer.json without the library: the bytes of each id.

The decoder in the file says how tokens become text. These are concatenations of bytes known
per token, and understood here, alone or in a Sequence:

========================  ====================================================================
ByteLevel                 each character of a token stands for one byte (GPT-2's table)
Metaspace                 the replacement character is a space, the first one is dropped
Replace of a string       as it says; after Fuse only of a single character
ByteFallback              ``<0xNN>`` is that byte
Fuse                      nothing
Strip of one space        at the start, after Fuse: the leading space is dropped
========================  ====================================================================

Any other decoder (WordPiece, BPEDecoder, CTC, none) is left to the library.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers.token_bytes import TokenBytes

__all__ = ["HuggingFaceFile", "parse_file"]

_BYTE_PIECE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@dataclass
class Decoder:
    """How one token becomes bytes, and whether the first space of a text is dropped."""

    replacements: list[tuple[str, str]] = field(default_factory=list)
    byte_level: bool = False
    byte_fallback: bool = False
    fused: bool = False
    strips: bool = False

    def token_bytes(self, token: str) -> bytes:
        """Bytes of a token of the model's vocabulary."""
        if self.byte_fallback and (match := _BYTE_PIECE.fullmatch(token)):
            return bytes([int(match[1], 16)])
        for pattern, content in self.replacements:
            token = token.replace(pattern, content)
        if not self.byte_level:
            return token.encode()
        try:
            return bytes(map(byte_of_character().__getitem__, token))
        except KeyError:
            return token.encode()


@dataclass(frozen=True)
class HuggingFaceFile:
    """Bytes of every id, whether they add up to the text, and the dummy prefix."""

    table: TokenBytes
    lossless_bytes: bool
    strips_leading_space: bool


def parse_file(data: bytes, source: str) -> HuggingFaceFile:
    """Token bytes of a tokenizer.json. Linear in the file.

    Raises:
        TokenizerError: not a tokenizer.json.
    """
    try:
        return _read_file(json.loads(data), source)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, TokenizerError):
            raise
        raise TokenizerError(
            source,
            f"{type(error).__name__}: {error}",
            "a tokenizer.json of the tokenizers library",
            "save it again with Tokenizer.save",
        ) from error


def _read_file(file: dict[str, Any], source: str) -> HuggingFaceFile:
    decoder = read_decoder(file.get("decoder"))
    spell = decoder.token_bytes if decoder else str.encode
    tokens = {token_id: spell(token) for token, token_id in _vocabulary(file["model"])}
    for added in file.get("added_tokens") or ():
        tokens[added["id"]] = added["content"].encode()
    table = TokenBytes.from_ids(tokens, source)
    if decoder is None:
        return HuggingFaceFile(table, False, False)
    strips = decoder.strips or _adds_prefix_space(file.get("pre_tokenizer"))
    return HuggingFaceFile(table, True, strips)


def _vocabulary(model: dict[str, Any]) -> Iterator[tuple[str, int]]:
    vocabulary = model["vocab"]
    if isinstance(vocabulary, dict):
        yield from vocabulary.items()
    else:
        for token_id, (piece, _score) in enumerate(vocabulary):
            yield piece, token_id


def read_decoder(spec: dict[str, Any] | None) -> Decoder | None:
    """Find the rule for single tokens; None where the library has to decode."""
    decoder = Decoder()
    steps = list(_steps(spec, "decoders"))
    if not steps:
        return None
    for step in steps:
        understand = _UNDERSTOOD.get(step["type"])
        if understand is None or not understand(decoder, step):
            return None
    if decoder.byte_level and decoder.byte_fallback:
        return None
    return decoder


def _steps(spec: dict[str, Any] | None, inner: str) -> Iterator[dict[str, Any]]:
    """Yield the parts of a decoder or pre-tokenizer, Sequences unrolled."""
    if spec is None:
        return
    if spec["type"] != "Sequence":
        yield spec
        return
    for part in spec[inner]:
        yield from _steps(part, inner)


def _adds_prefix_space(pre_tokenizer: dict[str, Any] | None) -> bool:
    return any(
        step["type"] == "ByteLevel" and step.get("add_prefix_space", True)
        for step in _steps(pre_tokenizer, "pretokenizers")
    )


# ── one function per decoder: take note of it, or return False ─────────────────────────────


def _byte_level(decoder: Decoder, step: dict[str, Any]) -> bool:
    if decoder.fused:
        return False
    decoder.byte_level = decoder.fused = True
    return True


def _metaspace(decoder: Decoder, step: dict[str, Any]) -> bool:
    if decoder.fused:
        return False
    decoder.replacements.append((step["replacement"], " "))
    never = step.get("prepend_scheme", "always") == "never"
    decoder.strips = not never and step.get("add_prefix_space") is not False
    return True


def _replace(decoder: Decoder, step: dict[str, Any]) -> bool:
    pattern = step["pattern"].get("String", "")
    if not pattern or decoder.strips or decoder.byte_level:
        return False
    decoder.replacements.append((pattern, step["content"]))
    return len(pattern) == 1 or not decoder.fused


def _byte_fallback(decoder: Decoder, step: dict[str, Any]) -> bool:
    decoder.byte_fallback = True
    return not decoder.fused


def _fuse(decoder: Decoder, step: dict[str, Any]) -> bool:
    decoder.fused = True
    return True


def _strip(decoder: Decoder, step: dict[str, Any]) -> bool:
    decoder.strips = True
    return decoder.fused and (step["content"], step["start"], step["stop"]) == (" ", 1, 0)


_UNDERSTOOD = {
    "ByteLevel": _byte_level,
    "Metaspace": _metaspace,
    "Replace": _replace,
    "ByteFallback": _byte_fallback,
    "Fuse": _fuse,
    "Strip": _strip,
}


@lru_cache(maxsize=1)
def byte_of_character() -> dict[str, int]:
    """GPT-2's table: printable Latin-1 stands for itself, other bytes for U+0100 and up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(256) if byte not in set(printable))
    return table | {chr(0x100 + i): byte for i, byte in enumerate(others)}
