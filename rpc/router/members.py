"""The indexes that answer together, and asking them in parallel, once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, TypeVar

from gramdex.errors import GramdexError, TokenizerError, UnavailableError, UsageError
from gramdex.fmindex.engines.stopping import stop_here
from gramdex.fmindex.part import PartSizes

T = TypeVar("T")


@dataclass(frozen=True)
class Member:
    """One of the indexes, as it was when its sizes were noted.

    Attributes:
        name: what errors and coverage call it.
        index: has the methods of ``Index``, its ``part``, ``tokenizer`` and ``generation``. The
            generation is that of the last answer the calling thread got from it.
        sizes: what it held.
        first_shard, first_document: numbers of its first ones in the index of all.
    """

    name: str
    index: Any
    sizes: PartSizes
    first_shard: int = 0
    first_document: int = 0

    @property
    def documents(self) -> int:
        """Numbers of documents it takes, those taken down included."""
        return sum(shard.documents for shard in self.sizes.shards)

    def __repr__(self) -> str:
        return f"Member({self.name}, {self.sizes!r})"


class Interrupted(Exception):
    """An attempt at a query ended without an answer.

    Attributes:
        asking: the attempt.
        names: of the members because of which it did.
    """

    def __init__(self, asking: Asking, names: Iterable[str]) -> None:
        self.asking, self.names = asking, list(names)
        super().__init__(self.names)


class MembersChanged(Interrupted):
    """Members answered from another generation than the noted one."""


class MembersLost(Interrupted):
    """Members could not be reached; ``errors`` has the error of each, by its name."""

    def __init__(self, asking: Asking, errors: dict[str, UnavailableError]) -> None:
        super().__init__(asking, errors)
        self.errors = errors


def note_member(name: str, index: Any) -> Member:
    """Ask an index for its sizes; UnavailableError if it cannot be reached."""
    return Member(name, index, index.part.sizes())


def numbered(members: Sequence[Member]) -> tuple[Member, ...]:
    """Members with their shards and documents numbered through.

    Raises:
        TokenizerError: their tokenizers differ.
    """
    first = members[0]
    for member in members:
        this, other = ((m.sizes.fingerprint, m.sizes.vocabulary_size) for m in (member, first))
        if this != other:
            raise TokenizerError(
                member.name,
                f"tokenizer {this[0]} with {this[1]} ids",
                f"that of {first.name}, {other[0]} with {other[1]} ids",
                "serve indexes of different tokenizers one by one",
            )
    shards = accumulate((len(member.sizes.shards) for member in members), initial=0)
    documents = accumulate((member.documents for member in members), initial=0)
    return tuple(
        replace(member, first_shard=shard, first_document=document)
        for member, shard, document in zip(members, shards, documents, strict=False)
    )


def keeps_changing(name: str) -> UnavailableError:
    """The error of an index that is never the same twice."""
    return UnavailableError(
        f"member {name}",
        "its index keeps changing while it is asked",
        "an index that stays while a query is answered",
        "publish indexes less often",
    )


class Asking:
    """Some members, asked until one is lost or has changed: one attempt at a query.

    Args:
        pool: threads that ask.
        members: that take part.
        lost: errors of those that are left out, by name.
    """

    def __init__(
        self, pool: Executor, members: Sequence[Member], lost: dict[str, UnavailableError]
    ) -> None:
        self.members, self.lost = tuple(members), lost
        self._pool = pool

    def all(self, call: Callable[[Any], T]) -> list[T]:
        """Ask every member the same; see ``each``."""
        return self.each([(member, call) for member in self.members])

    def one(self, member: Member, call: Callable[[Any], T]) -> T:
        """Ask one member, that takes part or not; see ``each``."""
        if member.name in self.lost:
            raise MembersLost(self, {member.name: self.lost[member.name]})
        return self.each([(member, call)])[0]

    def each(self, calls: Sequence[tuple[Member, Callable[[Any], T]]]) -> list[T]:
        """Ask members in parallel, and wait for all of them.

        Raises:
            MembersLost: some cannot be reached.
            MembersChanged: some answered from another generation.
            GramdexError: what a member raised, of several the first.
        """
        stop_here()  # a query whose caller is gone takes no further round
        asked = [
            self._pool.submit(copy_context().run, _ask, member, call) for member, call in calls[1:]
        ]
        outcomes = [_ask(*call) for call in calls[:1]]  # the thread that waits can work
        outcomes += [future.result() for future in asked]
        names = [member.name for member, _ in calls]
        both = list(zip(names, outcomes, strict=True))
        changed = [name for name, outcome in both if outcome is _CHANGED]
        lost = {name: out for name, out in both if isinstance(out, UnavailableError)}
        if changed:
            raise MembersChanged(self, changed)
        for outcome in outcomes:
            if isinstance(outcome, GramdexError) and not isinstance(outcome, UnavailableError):
                raise outcome
        if lost:
            raise MembersLost(self, lost)
        return outcomes


_CHANGED = object()


def _ask(member: Member, call: Callable[[Any], Any]) -> Any:
    """What a member answers or raises, or that it is another one by now."""
    try:
        try:
            outcome = call(member.index)
        except UnavailableError:
            raise
        except GramdexError as error:
            outcome = error
            if isinstance(error, UsageError):  # it may be of another one's numbers, and says not
                member.index.part.sizes()
        # Asked after the answer: a member that changes in between is asked again for nothing, and
        # never believed wrongly.
        return outcome if member.index.generation == member.sizes.generation else _CHANGED
    except UnavailableError as error:
        return error
