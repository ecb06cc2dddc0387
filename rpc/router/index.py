"""Several indexes that answer as one, while some of them change or go down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock, local
from typing import Any, TypeVar, cast

import xxhash

from gramdex.errors import UnavailableError, UsageError
from gramdex.fmindex.queries.patterns import Query
from gramdex.fmindex.tokenizers import Tokenizer
from gramdex.rpc.coverage import Partial
from gramdex.rpc.router.answers import Answers
from gramdex.rpc.router.coverage import leave_given, partial_answers
from gramdex.rpc.router.cursor import RoutedCursor
from gramdex.rpc.router.evidence import RoutedPlaces
from gramdex.rpc.router.members import (
    Asking,
    Interrupted,
    Member,
    MembersChanged,
    MembersLost,
    keeps_changing,
    note_member,
    numbered,
)

T = TypeVar("T")

QUERIES = frozenset(
    {
        "count", "count_batch", "find", "locate", "prob", "ntd", "infgram_prob", "infgram_ntd",
        "infgram_scores", "match", "documents", "search", "attribute", "document", "metadata",
        "document_at", "contamination", "count_flat", "draft", "prob_batch", "ntd_batch",
        "infgram_prob_batch", "infgram_ntd_batch", "infgram_scores_batch", "match_batch",
        "attribute_batch",
    }
)  # fmt: skip
"""Methods that ask members."""

_BEGUN = 4
"""How often a query is begun again because members change."""

_THREADS = 8
"""Queries that are asked at the same time without waiting for each other."""


class View(Answers):
    """Queries over the members that take part in one attempt at a query."""

    def __init__(self, asking: Asking, everyone: tuple[Member, ...], tokenizer: Tokenizer) -> None:
        self.asking, self._everyone = asking, everyone
        self.part = RoutedPlaces(asking)
        self.tokenizer = tokenizer

    @property
    def everyone(self) -> tuple[Member, ...]:
        """All members, those that cannot be reached included."""
        return self._everyone

    def begun(self, query: Callable[[Any], T]) -> T:
        """Go on in this attempt."""
        return query(self)


class RoutedIndex(Answers):
    """Members that answer as one index: each query is what one index of all their folders says.

    Members are asked in parallel, one call each a round. Shards and documents are numbered through
    the members. Their sizes are noted when this is made, so numbers stay while a member is down.
    Where a member's generation is not the one that was noted, sizes are noted again and the query
    is begun again, so no answer is mixed from two states of a member. May be asked in several
    threads at once.

    Args:
        members: each has the methods of ``Index``, its ``part`` and its ``generation``.
        names: of the members, for errors and coverage; all different.

    Raises:
        UsageError: no member, or names that do not fit.
        TokenizerError: members have different tokenizers.
        UnavailableError: a member cannot be reached. So does every query, unless partial answers
            are allowed, by ``partial`` or ``partial_answers``; then if none can be reached, or not
            the one that holds what is asked for.
    """

    def __init__(self, members: Sequence[Any], names: Sequence[str]) -> None:
        if not members or len(members) != len(names) or len(set(names)) != len(names):
            found = f"{len(members)} members named {', '.join(names) or 'nothing'}"
            raise UsageError("members", found, "at least one, each with a name of its own")
        self._pool = ThreadPoolExecutor(_THREADS * len(members), "gramdex-router")
        self._lock, self._closed, self._answered = Lock(), False, local()
        try:
            self._everyone = numbered(list(self._pool.map(note_member, names, members)))
        except BaseException:
            self.close()
            raise
        self.tokenizer = members[0].tokenizer

    @property
    def everyone(self) -> tuple[Member, ...]:
        """All members, as they were noted last."""
        return self._everyone

    @property
    def generation(self) -> int:
        """Names what the members hold, 64 bits: of the last answer to the thread that asks.

        Where it has got none, of when they were noted last.
        """
        return getattr(self._answered, "generation", _generation(self._everyone))

    def partial(self) -> PartialIndex:
        """The same index, with leave to answer without the members that are down."""
        return PartialIndex(self)

    def cursor(self, tokens: Query = ()) -> RoutedCursor:
        """As ``Index.cursor``; every step asks the members for the whole stream."""
        cursor = RoutedCursor(self)
        cursor.extend(tokens)
        return cursor

    def require_undamaged(self) -> None:
        """Nothing: members look at their files themselves."""

    def refresh(self) -> None:
        """Note the sizes of all members again."""
        for member in self._everyone:
            self._note(member.name)

    def close(self) -> None:
        """Let the threads go that ask members; every query after this is a UsageError.

        A query that is being answered fails where it has to ask again.
        """
        self._closed = True
        self._pool.shutdown(wait=False)

    def __enter__(self) -> RoutedIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begun(self, query: Callable[[Any], T]) -> T:
        """What a query answers over members none of which changes or is lost on the way."""
        if self._closed:
            raise UsageError("routed index", "it is closed", "an open one", "make another")
        leave, changes = leave_given(), 0
        lost: dict[str, UnavailableError] = {}
        pinned: dict[str, Member] = {}
        while True:
            everyone = self._noted(pinned)
            present = [member for member in everyone if member.name not in lost]
            asking = Asking(self._pool, present, dict(lost))
            try:
                answer = query(View(asking, everyone, self.tokenizer))
            except Interrupted as found:
                if found.asking is not asking:
                    raise
                changes += isinstance(found, MembersChanged)
                if changes > _BEGUN:
                    raise keeps_changing(found.names[0]) from None
                missing = self._missing(found, pinned)
                if missing and (leave is None or missing.keys() <= lost.keys()):
                    raise _unreachable(missing) from None
                lost |= missing
                if len(lost) == len(everyone):
                    raise _unreachable(lost) from None
            else:
                if leave is not None:
                    counts = {m.name: m.sizes.token_count for m in everyone if m.name in lost}
                    leave.add(self, sum(m.sizes.token_count for m in everyone), counts)
                self._answered.generation = _generation(everyone)
                return answer

    def _noted(self, pinned: dict[str, Member]) -> tuple[Member, ...]:
        """All members; those that are pinned as they were then."""
        if not pinned:
            return self._everyone
        return numbered([pinned.get(member.name, member) for member in self._everyone])

    def _missing(
        self, found: Interrupted, pinned: dict[str, Member]
    ) -> dict[str, UnavailableError]:
        """Errors of members that cannot be reached; those that have changed are noted again.

        Of these one server each is asked from then on, as ``pinned`` says, for replicas do not
        change at the same time. Where it is lost, another one may be there.
        """
        if isinstance(found, MembersLost):
            left = [name for name in found.names if pinned.pop(name, None) is not None]
            return {} if left else found.errors
        lost: dict[str, UnavailableError] = {}
        for name in found.names:
            try:
                pinned[name] = self._note(name)
            except UnavailableError as error:
                lost[name] = error
        return lost

    def _note(self, name: str) -> Member:
        """Note the sizes of a member by one of its servers; the member, asked of that one."""
        index = next(member.index for member in self._everyone if member.name == name)
        noted = note_member(name, index.pinned() if hasattr(index, "pinned") else index)
        kept = replace(noted, index=index)
        with self._lock:
            self._everyone = numbered([kept if m.name == name else m for m in self._everyone])
        return noted

    def __repr__(self) -> str:
        names = ", ".join(member.name for member in self._everyone)
        return (
            f"RoutedIndex({names}: {self.document_count:,} documents, {self.token_count:,} tokens, "
            f"{len(self.shards)} shards, {self.tokenizer.kind})"
        )


class PartialIndex:
    """A routed index whose queries answer ``Partial``: without the members that are down.

    Whatever asks no member is as it is there. A cursor asks at every step, so leave is given
    around its steps, by ``partial_answers``.
    """

    def __init__(self, index: RoutedIndex) -> None:
        self._index = index

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._index, name)
        if name not in QUERIES:
            return attribute
        method = cast(Callable[..., Any], attribute)

        def answered(*arguments: Any, **options: Any) -> Partial:
            with partial_answers() as leave:
                answer = method(*arguments, **options)
            return Partial(answer, leave.coverage)

        return answered

    def __repr__(self) -> str:
        return f"PartialIndex({self._index!r})"


def _generation(members: Sequence[Member]) -> int:
    said = " ".join(f"{member.sizes.generation:x}" for member in members)
    return xxhash.xxh3_64_intdigest(said.encode())


def _unreachable(errors: dict[str, UnavailableError]) -> UnavailableError:
    """The error of members that are down, by their names."""
    first = next(iter(errors.values()))
    names = ("member " if len(errors) == 1 else "members ") + ", ".join(errors)
    return UnavailableError(names, f"{first.thing}: {first.found}", "an answer", first.remedy)
