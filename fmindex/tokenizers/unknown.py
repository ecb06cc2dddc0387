"""The tokenizer of a corpus that came as ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from numpy.typing import ArrayLike

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers.base import Tokenizer
from gramdex.fmindex.tokenizers.token_bytes import TokenBytes

__all__ = ["NoTokenizer"]


class NoTokenizer(Tokenizer):
    """Stands for a tokenizer nobody named: ids have a range but no text.

    Args:
        vocabulary_size: ids are in ``[0, vocabulary_size)``; part of the fingerprint.
    """

    kind = "none"

    def __init__(self, vocabulary_size: int) -> None:
        if vocabulary_size < 1:
            raise TokenizerError("vocabulary size", str(vocabulary_size), "at least 1")
        super().__init__({}, {"vocabulary_size": str(vocabulary_size)}, vocabulary_size)

    @property
    def token_bytes(self) -> None:
        """None: the bytes of ids are not known."""
        return None

    @property
    def lossless_bytes(self) -> bool:
        """False: ids have no text."""
        return False

    def decode_bytes(self, ids: ArrayLike, *, at_start: bool = True) -> NoReturn:
        """Raise TokenizerError: ids have no text."""
        raise _refusal("decode ids")

    def decode(self, ids: ArrayLike, *, at_start: bool = True) -> NoReturn:
        """Raise TokenizerError: ids have no text."""
        raise _refusal("decode ids")

    def prepare(self) -> None:
        """Nothing to prepare."""

    def _read_table(self) -> TokenBytes:
        raise _refusal("list its tokens")

    def _encode_texts(self, texts: list[str]) -> Sequence[Sequence[int]]:
        raise _refusal("encode text")


def _refusal(work: str) -> TokenizerError:
    return TokenizerError(
        f"cannot {work}",
        "the corpus was indexed as ids and names no tokenizer",
        "an index built with a tokenizer",
        "query with ids, or build the index with --tokenizer",
    )
