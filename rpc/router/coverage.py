"""Answers without the members that are down, given only where the caller allows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from gramdex.rpc.coverage import Coverage

_LEAVE: ContextVar[Leave | None] = ContextVar("leave", default=None)


class Leave:
    """What is missing from the answers given since partial ones were allowed.

    Of several answers a member counts as missing if it is missing from any.
    """

    def __init__(self) -> None:
        self._said: dict[object, tuple[int, dict[str, int]]] = {}

    def add(self, index: object, token_count: int, missing: Mapping[str, int]) -> None:
        """Note an answer of an index of so many tokens, and the tokens of each missing member."""
        _, before = self._said.get(index, (0, {}))
        self._said[index] = token_count, {**before, **missing}

    @property
    def coverage(self) -> Coverage:
        """Of all these answers."""
        total = sum(count for count, _ in self._said.values())
        lost = [(n, tokens) for _, missing in self._said.values() for n, tokens in missing.items()]
        names = tuple(dict.fromkeys(name for name, _ in lost))
        return Coverage(total - sum(tokens for _, tokens in lost), total, names)

    @property
    def share(self) -> float:
        """See ``Coverage``."""
        return self.coverage.share

    @property
    def complete(self) -> bool:
        """See ``Coverage``."""
        return self.coverage.complete

    @property
    def missing(self) -> tuple[str, ...]:
        """See ``Coverage``."""
        return self.coverage.missing

    def __repr__(self) -> str:
        return repr(self.coverage)


@contextmanager
def partial_answers(leave: Leave | None = None) -> Iterator[Leave]:
    """Allow answers without the members that are down, in this thread, inside the block.

    What it yields says of all queries in the block together what they cover, and of those of other
    blocks that were given the same ``leave``.
    """
    leave = leave or Leave()
    token = _LEAVE.set(leave)
    try:
        yield leave
    finally:
        _LEAVE.reset(token)


def leave_given() -> Leave | None:
    """What notes partial answers, where they are allowed."""
    return _LEAVE.get()
