"""The indexes that answer together, and asking them in parallel, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, TypeVar

from gramdex.errors import GramdexError, TokenizerError, UnavailableError

T = TypeVar("T")

_NOTED = 4
"""How often the sizes of a member are asked for again where it changes in between."""


@dataclass(frozen=True)
class Member:
    """One of the indexes, as it was when its sizes were noted.

    Attributes:
        name: what errors and coverage call it.
        index: has the methods of ``Index``, its ``part`` and its ``generation``. The generation is
            that of the last answer the calling thread got from it.
        generation: of the sizes.
        token_count, document_count: of its corpus, without what is taken down.
        shards: with ``documents``, ``token_count`` and ``size``, in its order.
        takedown: whether documents are taken down.
        fingerprint: of its tokenizer.
        vocabulary_size: ids are below this.
        first_shard, first_document: numbers of its first ones in the index of all.
    """

    name: str
    index: Any
    generation: int
    token_count: int
    document_count: int
    shards: tuple[Any, ...]
    takedown: bool
    fingerprint: str
    vocabulary_size: int
    first_shard: int = 0
    first_document: int = 0

    @property
    def documents(self) -> int:
        """Numbers of documents it takes, those taken down included."""
        return sum(shard.documents for shard in self.shards)

    def __repr__(self) -> str:
        return f"Member({self.name}, {len(self.shards)} shards, generation {self.generation:x})"


class MembersLost(Exception):
    """Members could not be reached.

    Attributes:
        asking: who asked them.
        errors: of each, by its name.
    """

    def __init__(self, asking: Asking, errors: dict[str, UnavailableError]) -> None:
        super().__init__(asking, errors)
        self.asking, self.errors = asking, errors


class MembersChanged(Exception):
    """Members answered from another generation than the noted one.

    Attributes:
        asking: who asked them.
        names: which.
    """

    def __init__(self, asking: Asking, names: list[str]) -> None:
        super().__init__(asking, names)
        self.asking, self.names = asking, names


def note_member(name: str, index: Any) -> Member:
    """Ask an index for its sizes, all of one generation.

    Raises:
        UnavailableError: it cannot be reached, or is another one whenever it is asked.
    """
    for _ in range(_NOTED):
        generation = index.generation
        member = Member(
            name=name,
            index=index,
            generation=generation,
            token_count=index.token_count,
            document_count=index.document_count,
            shards=tuple(index.shards),
            takedown=getattr(index, "takedown", None) is not None,
            fingerprint=index.tokenizer.fingerprint,
            vocabulary_size=index.vocabulary_size,
        )
        if index.generation == generation:
            return member
    raise keeps_changing(name)


def numbered(members: Sequence[Member]) -> tuple[Member, ...]:
    """Members with their shards and documents numbered through.

    Raises:
        TokenizerError: their tokenizers differ.
    """
    first = members[0]
    for member in members:
        this, other = ((m.fingerprint, m.vocabulary_size) for m in (member, first))
        if this != other:
            raise TokenizerError(
                member.name,
                f"tokenizer {this[0]} with {this[1]} ids",
                f"that of {first.name}, {other[0]} with {other[1]} ids",
                "serve indexes of different tokenizers one by one",
            )
    shards = accumulate((len(member.shards) for member in members), initial=0)
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
        # Asked after the answer: a member that changes in between is asked again for nothing, and
        # never believed wrongly.
        return outcome if member.index.generation == member.generation else _CHANGED
    except UnavailableError as error:
        return error
