"""Members of routed indexes, and answers compared field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from building import ENGINES, build_ids, shard_budget
from hypothesis import HealthCheck

import gramdex
from gramdex.errors import GramdexError, UnavailableError
from gramdex.rpc.router import RoutedIndex

SETTINGS: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


def assert_same(found: Any, expected: Any, where: str = "answer") -> None:
    """Equal in every field, in the types and dtypes of all; NaN equals NaN."""
    assert type(found) is type(expected), (where, found, expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype, where
        np.testing.assert_array_equal(found, expected, where)
    elif is_dataclass(expected):
        for field in fields(expected):
            name = field.name
            assert_same(getattr(found, name), getattr(expected, name), f"{where}.{name}")
    elif isinstance(expected, dict):
        assert list(found) == list(expected), where
        for key in expected:
            assert_same(found[key], expected[key], f"{where}[{key!r}]")
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected), (where, found, expected)
        for i, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{where}[{i}]")
    else:
        assert found == expected, where


def outcome(call: Callable[[], Any]) -> Any:
    """What a call answers, or the error it raises, as its type and phrases."""
    try:
        return call()
    except GramdexError as error:
        return type(error).__name__, error.thing, error.found, error.expected, error.remedy


def assert_alike(routed: Any, whole: Any, name: str, *arguments: Any, **options: Any) -> None:
    """The same query gives the same answer, or is refused in the same words."""
    found = outcome(lambda: getattr(routed, name)(*arguments, **options))
    expected = outcome(lambda: getattr(whole, name)(*arguments, **options))
    assert_same(found, expected, f"{name}{arguments}{options}")


def parts_of(documents: Sequence[Any], cuts: Iterable[int]) -> list[Sequence[Any]]:
    """Documents cut into runs; equal cuts give runs of nothing."""
    bounds = [0, *sorted(min(cut, len(documents)) for cut in cuts), len(documents)]
    return [documents[a:b] for a, b in pairwise(bounds)]


def build_members(
    folder: Path,
    parts: Sequence[Sequence[Sequence[int]]],
    vocabulary_size: int,
    engines: Sequence[str],
    shards: int = 1,
) -> list[Path]:
    """An index of ids of each part."""
    paths = []
    for i, part in enumerate(parts):
        place = folder / f"member{i}"
        place.mkdir(parents=True)
        options = ENGINES[engines[i % len(engines)]]
        budget = shard_budget(part, shards)
        paths.append(build_ids(place, part, vocabulary_size, budget, **options))
    return paths


class LastFirst(Executor):
    """Runs what it is given when a result is waited for, the last first, in that thread."""

    def __init__(self) -> None:
        self._pending: list[Callable[[], None]] = []

    def submit(self, call: Callable, /, *arguments: Any, **options: Any) -> Future:
        future = Waited(self._run)

        def run() -> None:
            try:
                future.set_result(call(*arguments, **options))
            except BaseException as error:
                future.set_exception(error)

        self._pending.append(run)
        return future

    def _run(self) -> None:
        while self._pending:
            self._pending.pop()()


class Waited(Future):
    def __init__(self, run: Callable[[], None]) -> None:
        super().__init__()
        self._run = run

    def result(self, timeout: float | None = None) -> Any:
        self._run()
        return super().result(timeout)


def names_of(members: Sequence[Any]) -> list[str]:
    return [f"m{i}" for i in range(len(members))]


def routed(members: Sequence[Any], reverse: bool = False) -> RoutedIndex:
    index = RoutedIndex(members, names_of(members))
    if reverse:
        index._pool.shutdown()
        index._pool = LastFirst()
    return index


class Member:
    """A member that is told what to do before each call.

    Attributes:
        calls: names of the methods that were called for queries.
        before: called with the member and the number of the call before it is answered.
    """

    def __init__(self, index: gramdex.Index, before: Callable[[Member, int], None]) -> None:
        self.index, self.before = index, before
        self.calls: list[str] = []
        self.down = False

    @property
    def part(self) -> Any:
        return _Calls(self, lambda: self.index.part)

    @property
    def generation(self) -> int:
        if self.down:
            raise UnavailableError("server", "it does not answer")
        return self.index.generation

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.index, name)
        if callable(attribute):
            return getattr(_Calls(self, lambda: self.index), name)
        return attribute


class _Calls:
    def __init__(self, member: Member, of: Callable[[], Any]) -> None:
        self._member, self._of = member, of

    def __getattr__(self, name: str) -> Any:
        def answered(*arguments: Any, **options: Any) -> Any:
            member = self._member
            if name != "sizes":
                member.calls.append(name)
                member.before(member, len(member.calls))
            if member.down:
                raise UnavailableError("server", "it does not answer")
            return getattr(self._of(), name)(*arguments, **options)

        return answered
