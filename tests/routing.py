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
from gramdex.decoding import draft
from gramdex.errors import GramdexError, UnavailableError
from gramdex.fmindex.results import Interval
from gramdex.rpc.client.remote_index import RemoteIndex
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


def over_servers(index: Any) -> bool:
    """Whether an index, or a cursor's, is asked over a network."""
    index = getattr(index, "_index", index)
    members = [member.index for member in getattr(index, "everyone", ())]
    return any(isinstance(each, RemoteIndex) for each in (index, *members))


def assert_alike(routed: Any, whole: Any, name: str, *arguments: Any, **options: Any) -> None:
    """The same query gives the same answer, or is refused in the same words.

    Servers say more: which field of the request it is.
    """
    found = outcome(lambda: getattr(routed, name)(*arguments, **options))
    expected = outcome(lambda: getattr(whole, name)(*arguments, **options))
    if over_servers(routed) and isinstance(expected, tuple):
        assert isinstance(found, tuple), (name, arguments, options, found)
        assert found[0] == expected[0], (name, arguments, options, found)
        return
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


PROPERTIES = ("token_count", "document_count", "vocabulary_size")


def compare(index: RoutedIndex, whole: gramdex.Index, queries: Sequence[Any]) -> None:
    """Everything that can be asked about some queries."""
    for name in PROPERTIES:
        assert getattr(index, name) == getattr(whole, name)
    sizes = [(s.documents, s.token_count, s.size) for s in whole.shards]
    assert [(s.documents, s.token_count, s.size) for s in index.shards] == sizes
    assert_alike(index, whole, "count_batch", list(queries))
    compare_batches(index, whole, queries)
    for query in queries:
        compare_counts(index, whole, query)
        for most, context, skip in ((10, None, 0), (1, 2, 1), (2, 0, 0), (0, None, 0), (3, 1, 2)):
            assert_alike(index, whole, "documents", query, most, context, skip)


def compare_batches(index: Any, whole: Any, queries: Sequence[Any]) -> None:
    tokens = [i % whole.vocabulary_size for i in range(len(queries))]
    for some in (queries, queries[:1], []):
        for name in ("infgram_scores_batch", "match_batch"):
            assert_alike(index, whole, name, some)
        for name in ("ntd_batch", "infgram_ntd_batch"):
            for limit in (None, 1):
                assert_alike(index, whole, name, some, limit)
        for name in ("prob_batch", "infgram_prob_batch"):
            assert_alike(index, whole, name, some, tokens[: len(some)])
        assert_alike(index, whole, "attribute_batch", some, min_length=1)
    assert_alike(index, whole, "ntd_batch", "text")
    assert_alike(index, whole, "prob_batch", queries, tokens[1:])


def compare_drafts(index: Any, whole: gramdex.Index, contexts: Sequence[Any]) -> None:
    for context in contexts:
        for most, depth, score in ((1, None, 0.0), (9, None, 0.0), (16, 2, 0.0), (16, None, 0.4)):
            found = index.draft(context, most, depth, score)
            assert_same(found, draft(whole, context, most, depth, score), f"draft({context})")
    found = outcome(lambda: index.draft([], 1 << 20))
    expected = outcome(lambda: draft(whole, [], 1 << 20))
    assert_same(found, expected)


def compare_counts(index: RoutedIndex, whole: gramdex.Index, query: Any) -> None:
    context, token = (query[:-1], query[-1]) if len(query) else (query, 0)
    assert_alike(index, whole, "count", query)
    assert_alike(index, whole, "find", query)
    for limit in (None, 1, 2):
        assert_alike(index, whole, "ntd", query, limit)
        assert_alike(index, whole, "infgram_ntd", query, limit)
    for name in ("prob", "infgram_prob"):
        assert_alike(index, whole, name, context, token)
    for name in ("infgram_scores", "match"):
        assert_alike(index, whole, name, query)


def compare_searches(index: RoutedIndex, whole: gramdex.Index, cnf: Any, seeds: Sequence) -> None:
    for window in (None, 0, 3):
        for seed in seeds:
            for most, skip, context in ((10, 0, None), (2, 1, 1), (0, 0, None)):
                assert_alike(index, whole, "search", cnf, most, window, seed, context, skip)


def compare_places(index: RoutedIndex, whole: gramdex.Index) -> None:
    """Documents by number and position, intervals located; those that are not there refused."""
    total = sum(shard.documents for shard in whole.shards)
    for number in range(total + 1):
        assert_alike(index, whole, "document", number)
        assert_alike(index, whole, "metadata", number)
    for shard in range(len(whole.shards) + 1):
        size = whole.shards[shard].size if shard < len(whole.shards) else 1
        for position in {0, 1, size // 2, size - 1, size}:
            for context in (None, 1):
                assert_alike(index, whole, "document_at", shard, position, context)
        for low, high in ((0, size), (1, size), (0, size + 1), (size // 2, size // 2)):
            assert_alike(index, whole, "locate", Interval(shard, low, high))


def compare_cursors(index: RoutedIndex, whole: gramdex.Index, queries: Sequence) -> None:
    found, expected = index.cursor(), whole.cursor()
    for query in queries[:6]:
        for cursor in (found, expected):
            cursor.extend(query[:5])
        assert (found.suffix_length, found.count) == (expected.suffix_length, expected.count)
        for limit in (None, 2):
            assert_alike(found, expected, "ntd", limit)
            assert_alike(found.copy(), expected.copy(), "ntd", limit)
        assert_alike(found, expected, "prob", 0)
        filled = [[i for i in cursor.find() if i.count] for cursor in (found, expected)]
        assert_same(*filled)
        assert [i.shard for i in found.find()] == [i.shard for i in expected.find()]
    assert_alike(found, expected, "extend", [whole.vocabulary_size])
    assert_alike(found, expected, "ntd")
