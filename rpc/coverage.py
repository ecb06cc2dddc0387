"""How much of the corpus an answer covers, where shards were missing and that was allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gramdex.rpc import v1

PARTIAL = ("gramdex-partial", "1")
"""Metadata of a call that may be answered without shards that are missing."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The part of a corpus an answer was made from.

    Attributes:
        token_count: tokens of that part, at least.
        total_token_count: tokens of the corpus.
        missing: the shard servers that did not answer.
    """

    token_count: int
    total_token_count: int
    missing: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Of the tokens; of an empty corpus, all."""
        return self.token_count / self.total_token_count if self.total_token_count else 1.0

    @property
    def complete(self) -> bool:
        """Whether nothing was missing."""
        return not self.missing and self.token_count == self.total_token_count

    def __repr__(self) -> str:
        without = f", without {', '.join(self.missing)}" if self.missing else ""
        return f"Coverage({self.share:.2%} of {self.total_token_count:,} tokens{without})"


@dataclass(frozen=True, slots=True)
class Partial:
    """An answer, and how much of the corpus it covers.

    Attributes:
        answer: as it would be from an index of that part alone.
        coverage: which part that is.
    """

    answer: Any
    coverage: Coverage

    def __repr__(self) -> str:
        return f"Partial({self.answer!r}, {self.coverage!r})"


def read_coverage(message: v1.Coverage) -> Coverage:
    """As a router says it."""
    return Coverage(message.token_count, message.total_token_count, tuple(message.missing))


def write_coverage(coverage: Coverage) -> v1.Coverage:
    """As an answer carries it."""
    return v1.Coverage(
        token_count=coverage.token_count,
        total_token_count=coverage.total_token_count,
        missing=coverage.missing,
    )


def common_coverage(parts: Sequence[Coverage]) -> Coverage:
    """What all parts of one answer cover, at least; there is one part or more.

    Parts that missed different servers share what none of them missed.
    """
    missed = {part.missing: part.total_token_count - part.token_count for part in parts}
    total = max(part.total_token_count for part in parts)
    servers = tuple(dict.fromkeys(name for missing in missed for name in missing))
    widest = next((size for missing, size in missed.items() if set(missing) == set(servers)), None)
    size = sum(missed.values()) if widest is None else widest
    return Coverage(max(total - size, 0), total, servers)
