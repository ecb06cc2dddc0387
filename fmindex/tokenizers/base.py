"""What every tokenizer of an index can do."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import xxhash
from numpy.typing import ArrayLike, NDArray

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers.token_bytes import TokenBytes, check_ids, flatten

__all__ = ["Tokenizer"]

_SPACE = 0x20


class Tokenizer(ABC):
    """Text to token ids and back.

    Construction only keeps its arguments. The token table is read from the file at first use
    and needs no library; the library is imported at the first text encoded.

    Attributes:
        kind: "bytes", "huggingface", "tiktoken", "sentencepiece" or "none".
        options: what is needed beside the files, JSON-able.
        files: file name to contents, to be copied into an index.
        source: how error messages name this tokenizer.
    """

    kind: ClassVar[str]
    file_name: ClassVar[str] = ""

    def __init__(
        self,
        files: dict[str, bytes] | None = None,
        options: dict[str, str] | None = None,
        vocabulary_size: int | None = None,
        source: str = "",
    ) -> None:
        self.files = dict(files or {})
        self.options = dict(options or {})
        self.source = source or self.file_name or self.kind
        self._stated_size = vocabulary_size
        if self.file_name and self.file_name not in self.files:
            raise TokenizerError(
                f"{self.kind} tokenizer",
                f"files {sorted(self.files)}",
                f"a file {self.file_name}",
                "restore it with the files that were stored",
            )

    def __reduce__(self) -> tuple[Any, ...]:
        from gramdex.fmindex.tokenizers import restore_tokenizer

        return restore_tokenizer, (self.kind, self.options, self.files, self._stated_size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r}, {self.options})"

    # ── identity ────────────────────────────────────────────────────────────────────────────

    @property
    def vocabulary_size(self) -> int:
        """Every id is in ``[0, vocabulary_size)``; some ids may have no token."""
        return len(self._table) if self._stated_size is None else self._stated_size

    @cached_property
    def fingerprint(self) -> str:
        """xxh3-128 over kind, options and file bytes, 32 hex digits; equal on every machine."""
        digest = xxhash.xxh3_128()
        parts = [self.kind.encode(), json.dumps(self.options, sort_keys=True).encode()]
        for name in sorted(self.files):
            parts += [name.encode(), self.files[name]]
        for part in parts:
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
        return digest.hexdigest()

    @cached_property
    def _table(self) -> TokenBytes:
        table = self._read_table()
        if self._stated_size not in (None, len(table)):
            raise TokenizerError(
                self.source,
                f"{len(table)} ids",
                f"{self._stated_size} ids, as the index says",
                "restore the tokenizer file this index was built with",
            )
        return table

    @property
    def token_bytes(self) -> TokenBytes | None:
        """Bytes of every id; None where no tokenizer is known.

        Where `lossless_bytes` is False these are the vocabulary's spelling of each token,
        which orders tokens but does not add up to the text.
        """
        return self._table

    @property
    def lossless_bytes(self) -> bool:
        """Whether the text of ids is the concatenation of their bytes."""
        return True

    @property
    def strips_leading_space(self) -> bool:
        """Whether encoding puts a space before each document that decoding takes away."""
        return False

    # ── text to ids ─────────────────────────────────────────────────────────────────────────

    def encode(self, text: str) -> NDArray[np.uint32]:
        """Ids of a text, uint32[n], without special tokens.

        Text that spells a special token is ordinary text.

        Raises:
            TokenizerError: not a string of Unicode scalar values, the library is not
                installed, or it cannot encode this text.
        """
        check_text(text, "text")
        return np.asarray(self._guarded([text], "text")[0], np.uint32)

    def encode_batch(self, texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Ids of many texts: flat uint32[n] and int64[len(texts) + 1] offsets into it.

        Raises:
            TokenizerError: as `encode`, naming the position of the text in the batch.
        """
        if isinstance(texts, str):
            raise TokenizerError("texts", "one string", "a sequence of strings", "use encode")
        for i, text in enumerate(texts):
            check_text(text, f"text {i} of the batch")
        return flatten(self._guarded(list(texts), "batch"))

    def prepare(self) -> None:
        """Read the token table and load the library now, so that errors come early.

        Raises:
            TokenizerError: the file is malformed, or the library is not installed.
        """
        _ = self._table, self._library

    @cached_property
    def _library(self) -> Any:
        """The library's tokenizer, made at first use."""
        try:
            return self._load_library()
        except BaseException as error:
            if not _is_library_error(error):
                raise
            raise TokenizerError(
                self.source,
                f"its library refuses the file ({error})",
                f"a {self.kind} tokenizer",
                "check that the file is whole",
            ) from error

    def _guarded(self, texts: list[str], thing: str) -> Sequence[Sequence[int]]:
        """Run the library; whatever it raises, Rust panics too, becomes a TokenizerError."""
        try:
            return self._encode_texts(texts)
        except BaseException as error:
            if not _is_library_error(error):
                raise
            if len(texts) > 1:
                for i, text in enumerate(texts):
                    self._guarded([text], f"text {i} of the batch")
            size = sum(map(len, texts))
            raise TokenizerError(
                f"{thing}, {size} characters",
                f"{self.source} cannot encode it ({error})",
                "text this tokenizer can encode",
                "split the document or leave it out",
            ) from error

    # ── ids to text ─────────────────────────────────────────────────────────────────────────

    def decode_bytes(self, ids: ArrayLike, *, at_start: bool = True) -> bytes:
        """Bytes of these ids; they may begin or end inside a character.

        Args:
            ids: flat integers. Ids without a token stand for no bytes.
            at_start: whether the ids begin a document, where `strips_leading_space` applies.

        Raises:
            QueryError: an id is outside the vocabulary.
        """
        if not self.lossless_bytes:
            return self.decode(ids).encode("utf-8", "replace")
        data = self._table.gather(ids)
        if at_start and self.strips_leading_space and len(data) and data[0] == _SPACE:
            data = data[1:]
        return data.tobytes()

    def decode(self, ids: ArrayLike, *, at_start: bool = True) -> str:
        """Text of these ids; U+FFFD where they cut a character. Errors as `decode_bytes`."""
        if not self.lossless_bytes:
            return self._decode_by_library(check_ids(ids, self.vocabulary_size).tolist())
        return self.decode_bytes(ids, at_start=at_start).decode("utf-8", "replace")

    # ── what a tokenizer adds ───────────────────────────────────────────────────────────────

    @abstractmethod
    def _read_table(self) -> TokenBytes:
        """Token table from `files`, without any library."""

    def _load_library(self) -> Any:
        """Make the library's own tokenizer; None where there is no library."""
        return None

    @abstractmethod
    def _encode_texts(self, texts: list[str]) -> Sequence[Sequence[int]]:
        """Ids of each text, as lists or integer arrays."""

    def _decode_by_library(self, ids: list[int]) -> str:
        raise NotImplementedError


def _is_library_error(error: BaseException) -> bool:
    """Whether a library failed on its input; a Rust panic is no Exception."""
    if isinstance(error, (TokenizerError, MemoryError)):
        return False
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def check_text(text: object, thing: str) -> None:
    """Refuse what is not a string of Unicode scalar values, with a TokenizerError."""
    if not isinstance(text, str):
        raise TokenizerError(thing, f"a {type(text).__name__}", "a string", "decode it as UTF-8")
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"a lone surrogate U+{ord(text[error.start]):04X} at character {error.start}"
        remedy = "replace it; it cannot be written as UTF-8"
        raise TokenizerError(thing, found, "Unicode text", remedy) from error


def import_library(module: str, extra: str) -> ModuleType:
    """Import an optional library; TokenizerError with the install command where it is missing."""
    try:
        return import_module(module)
    except ImportError as error:
        raise TokenizerError(
            f"{extra} tokenizer",
            f"the library {module} is not installed",
            f"{module} to encode text",
            f"pip install gramdex[{extra}]",
        ) from error
