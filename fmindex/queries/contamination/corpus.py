"""The corpus as definitions see it: its index, and perhaps one of its normalized text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gramdex.errors import UsageError
from gramdex.fmindex.queries.contamination.definitions import Definition
from gramdex.fmindex.queries.contamination.matching import (
    CountedText,
    Matched,
    MatchedBytes,
    MatchedTokens,
)
from gramdex.fmindex.queries.contamination.normalization import Normalization
from gramdex.fmindex.queries.contamination.texts import join_texts
from gramdex.fmindex.queries.patterns import Query

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.fmindex.results import Document

VERBATIM, NORMALIZED, TOKENS = "verbatim", "normalized", "tokens"
"""The forms in which texts are looked for."""

_NEAR_BYTES, _NEAR_TOKENS = 240, 50


@dataclass(frozen=True)
class NormalizedIndex:
    """An index of the bytes of a corpus's documents, normalized.

    Attributes:
        index: with the same documents in the same order; those with nothing left are empty.
        normalization: that was applied, by ``Normalization.apply``.
    """

    index: Index
    normalization: Normalization


class Corpus:
    """An index and its normalized twin.

    Args:
        index: of the corpus.
        normalized: of its normalized text.

    Raises:
        UsageError: the index has no tokenizer, so texts cannot be looked for; or the other is no
            index of bytes of as many documents.
    """

    def __init__(self, index: Index, normalized: NormalizedIndex | None = None) -> None:
        self.index, self.normalized = index, normalized
        if index.tokenizer.kind == "none":
            expected = "an index with a tokenizer"
            remedy = "name the --tokenizer of the ids when the index is built"
            raise UsageError("contamination", "an index of ids without one", expected, remedy)
        if normalized is not None:
            side = normalized.index
            documents = f"{side.document_count} documents of {side.tokenizer.kind}{_less(side)}"
            expected = f"{index.document_count} documents of bytes{_less(index)}"
            if documents != expected:
                raise UsageError("the normalized index", documents, expected, "make it again")

    @cached_property
    def counts_text(self) -> bool:
        """Whether the index counts strings, however its tokenizer cut them."""
        try:
            self.index.count("a")
        except UsageError:
            return False
        return True

    def form(self, definition: Definition) -> str | None:
        """The form a definition looks at; None where the index has none that would do."""
        if definition.normalized and self.normalized is not None:
            return NORMALIZED
        if self.index.tokenizer.kind == "bytes":
            return VERBATIM
        if not definition.needs_text:
            return TOKENS
        return VERBATIM if self.counts_text else None

    def describe(self, form: str) -> str:
        """A form in words, for reports."""
        if form == NORMALIZED and self.normalized is not None:
            names = ", ".join(self.normalized.normalization.names) or "nothing"
            return f"normalized text ({names})"
        if form == TOKENS:
            return f"tokens of the index ({self.index.tokenizer.kind})"
        return "verbatim text"

    def match(self, form: str, texts: Sequence[str]) -> Matched:
        """Look for texts in one form."""
        if form == NORMALIZED and self.normalized is not None:
            joined = join_texts(texts, self.normalized.normalization)
            return MatchedBytes(self.normalized.index, joined)
        if form == TOKENS:
            return MatchedTokens(self.index, texts)
        kind = MatchedBytes if self.index.tokenizer.kind == "bytes" else CountedText
        return kind(self.index, join_texts(texts, None))

    def metadata(self, number: int) -> dict[str, Any]:
        """Metadata of a document of the corpus."""
        return self.index.metadata(number)

    def documents(self, form: str, query: Query, most: int, near: bool) -> list[Document]:
        """The first documents that hold a query, with what is ``near`` the match or nothing.

        Their numbers are those of the corpus; text and metadata are of the form.
        """
        index = self.index
        if form == NORMALIZED and self.normalized is not None:
            index = self.normalized.index
        context = _NEAR_BYTES if index.tokenizer.kind == "bytes" else _NEAR_TOKENS
        return index.documents(query, most, context if near else 0)


def _less(index: Index) -> str:
    """Documents keep their numbers when some are taken down, so both must lack the same ones."""
    return "" if index.takedown is None else " with some taken down"
