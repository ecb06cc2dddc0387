"""What every index does with its tokenizer alone."""

from __future__ import annotations

import numpy as np

from gramdex.errors import TokenizerError
from gramdex.fmindex.queries.patterns import Ids
from gramdex.fmindex.tokenizers import Tokenizer


class Tokenized:
    """An index of the tokens of a tokenizer.

    Attributes:
        tokenizer: the tokenizer the corpus was encoded with.
    """

    tokenizer: Tokenizer

    def require_tokenizer(self, tokenizer: Tokenizer | str) -> None:
        """Refuse ids of another tokenizer than the one of this index.

        Ids do not say where they come from; whoever brings some can ask first.

        Args:
            tokenizer: the tokenizer that made them, or its fingerprint.

        Raises:
            TokenizerError: it is not the one of this index.
        """
        require_fingerprint(tokenizer, self.tokenizer.kind, self.tokenizer.fingerprint)

    def encode(self, text: str) -> np.ndarray:
        """Ids of a text with the tokenizer of this index, uint32."""
        return self.tokenizer.encode(text)

    def decode(self, ids: Ids) -> str:
        """Text of ids."""
        return self.tokenizer.decode(np.asarray(ids))


def require_fingerprint(tokenizer: Tokenizer | str, kind: str, fingerprint: str) -> None:
    """Refuse a tokenizer, or its fingerprint, that is not the one of an index; TokenizerError."""
    given = tokenizer if isinstance(tokenizer, str) else tokenizer.fingerprint
    if given != fingerprint:
        raise TokenizerError(
            "ids",
            f"made by tokenizer {given}",
            f"the {kind} tokenizer of this index, {fingerprint}",
            "encode with index.tokenizer",
        )
