"""What an engine is to a benchmark: what it can do, and how it is asked to.

A further peer is one subclass of `Engine` with the methods of the work it does, and its line in
`gramdex.tools.bench.peers.registry`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np

from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.timing import Usage

WORKS = ("sort", "build", "queries", "cold")
"""Kinds of work: sorting suffixes, building an index, answering, answering from disk."""

Same: TypeAlias = Callable[[tuple, Any, Any], bool]
"""Of the query, gramdex's answer and the peer's: whether they agree."""

Asked: TypeAlias = Callable[[list[int]], int]
"""A query from disk, answered with the count that every engine must agree on."""


@dataclass(frozen=True)
class Way:
    """One way of asking a peer.

    Attributes:
        name: as printed.
        call: called with each query's arguments.
        queries: where it wants other arguments than gramdex.
        same: whether an answer of gramdex's agrees with its; None where they mean two things.
        takes: whether it can be asked, told from gramdex's answer.
    """

    name: str
    call: Callable[..., Any]
    queries: Sequence[tuple] | None = None
    same: Same | None = None
    takes: Callable[[Any], bool] = lambda answer: True


class Sorting(ABC):
    """One sort; made, run and read in a process of its own, where only ``run`` is timed."""

    @abstractmethod
    def run(self) -> None:
        """Sort."""

    @abstractmethod
    def positions(self) -> np.ndarray:
        """The suffix array, integers[n]."""


class Builder(ABC):
    """Builds of one corpus; made with the input written as the engine wants it.

    Attributes:
        folder: holds the index once ``run`` returned, and maybe its input.
    """

    folder: Path

    @abstractmethod
    def run(self, cache: Path | None = None) -> Usage:
        """Build anew in a process of its own, which keeps its kernels in ``cache``."""


class Opened:
    """An open index: a method for each question it can be asked, named like the question.

    Each takes the queries as gramdex gets them and returns the ways of asking them here, the
    engine's best first.
    """

    def ways(self, question: str, queries: Sequence[tuple]) -> list[Way]:
        """Ways of asking a question; none where it has no such query."""
        found = getattr(self, question, None)
        return [] if found is None else found(queries)


class Engine(ABC):
    """What can be measured.

    Attributes:
        name: as printed and as ``--peers`` takes it.
        cannot: kinds of work it does not do, each with the reason.
        notes: what a reader of figures of a kind of work has to know.
        cold_ways: ways of asking it from disk, its best first.
    """

    name: ClassVar[str]
    cannot: ClassVar[Mapping[str, str]] = {}
    notes: ClassVar[Mapping[str, str]] = {}
    cold_ways: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def version(self) -> str:
        """Of what is installed; "" where it is not."""

    @abstractmethod
    def missing(self) -> str:
        """Why it cannot take part on this machine, and the remedy; "" where it can."""

    def refuses(self, work: str, corpus: Corpus) -> str:
        """Why it does not do this work on this corpus; "" where it does."""
        return self.missing() or self.cannot.get(work, "")

    def prepare(self) -> None:  # noqa: B027 - most have nothing to do
        """What has to be done once before processes of this engine are started."""

    def sorting(self, text: np.ndarray) -> Sorting:
        """A sort of symbols uint8, uint16 or uint32[n]."""
        raise NotImplementedError

    def builder(self, corpus: Corpus, work: Path) -> Builder:
        """Builds of the corpus below ``work``."""
        raise NotImplementedError

    def load_build(self, arguments: Mapping[str, Any]) -> None:  # noqa: B027 - as above
        """Load, in this process, all code that ``build_here`` will run."""

    def build_here(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Build in this process, as a `Builder` told it to; what else there is to say."""
        raise NotImplementedError

    def open(self, corpus: Corpus, folder: Path) -> Opened:
        """Open what its builder built of the corpus."""
        raise NotImplementedError

    def open_cold(self, folder: Path, width: int, way: str) -> Callable[[], Mapping[str, Asked]]:
        """Load all code, then return what opens the index and says how questions are asked."""
        raise NotImplementedError
