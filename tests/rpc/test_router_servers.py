"""A router over real servers, and a server of that router, against one index of all folders."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from remote import Server
from routing import (
    assert_alike,
    assert_same,
    compare,
    compare_cursors,
    compare_places,
    compare_searches,
    parts_of,
    routed,
)
from texts import FAMILIES, build_text

import gramdex
from gramdex.errors import (
    CorruptIndexError,
    IndexFileError,
    LimitError,
    QueryError,
    UnavailableError,
)
from gramdex.rpc.limits import Limits
from gramdex.rpc.router import RoutedIndex, partial_answers
from gramdex.rpc.server.serving import Serving

TEXTS = [
    "It was the best of times, it was the worst of times. It was the age of wisdom.",
    "the best of times is now, the very best",
    "naïve 東京 the the",
    "",
    "nothing of interest here, but the worst of times may come 🙂🙂",
    "the worst of times",
    "It was the age of foolishness, the best of times",
]
STRINGS = ["the best", "times", "t", "🙂", "nowhere at all", " the", ""]
LIMITS = Limits(documents=100)


@pytest.fixture(scope="module", params=["bytes", "byte-level"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RoutedIndex, gramdex.Index, list[Server]]]:
    folder = tmp_path_factory.mktemp("served")
    tokenizer = FAMILIES[request.param](folder)
    paths = [
        build_text(folder / f"m{i}", part, tokenizer, engine=("sa", "fm")[i % 2], shard_tokens=120)
        for i, part in enumerate(parts_of(TEXTS, (2, 4)))
    ]
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(gramdex.open(path), limits=LIMITS)) for path in paths]
        members = [stack.enter_context(gramdex.connect(server.name)) for server in servers]
        yield stack.enter_context(routed(members)), gramdex.open(paths), servers


def test_counts_and_documents(served: tuple) -> None:
    index, whole, _ = served
    compare(index, whole, STRINGS)
    compare(index, whole, [index.encode(text).tolist() for text in STRINGS[:4]])
    compare_places(index, whole)
    compare_cursors(index, whole, [index.encode(text).tolist() for text in STRINGS[:4]])


@pytest.mark.parametrize("cnf", ["times", "(best OR worst) AND times NEAR/30", [["the"], ["e"]]])
def test_searches(served: tuple, cnf: Any) -> None:
    compare_searches(*served[:2], cnf, (None, 0, 5))


def test_attribution_and_contamination(served: tuple) -> None:
    index, whole, _ = served
    text = "He said it was the best of times, and the worst of times may come."
    for options in ({}, {"min_length": 2, "keep": None, "context": 3}, {"max_documents": 0}):
        assert_alike(index, whole, "attribute", text, **options)
    assert_alike(index, whole, "contamination", [text, "nothing of interest here, but"])


def test_limits_of_members_are_those_of_the_router(served: tuple) -> None:
    """What a server takes as one request, a router over such servers takes too."""
    index, whole, _ = served
    with Server(index, limits=LIMITS) as server, gramdex.connect(server.name) as remote:
        for seed in (None, 4):
            assert_alike(remote, whole, "search", "the", 100, None, seed, 2)
            with pytest.raises(LimitError):
                remote.search("the", 101, None, seed)
        assert_alike(remote, whole, "documents", "the", 98, 2, 2)


def test_a_server_of_a_router(served: tuple) -> None:
    index, whole, _ = served
    with Server(index) as server, gramdex.connect(server.name) as remote:
        for query in STRINGS[:4]:
            for name in ("count", "find", "documents", "infgram_ntd", "match", "search"):
                assert_alike(remote, whole, name, query)
        ids = whole.encode("the best").tolist()
        assert_alike(remote, whole, "count_batch", [ids, ids[:1], []])
        assert_alike(remote, whole, "attribute", "the worst of times", min_length=2)
        assert_alike(remote, whole, "infgram_prob_batch", [ids], ids[:1])


def test_a_server_that_is_stopped(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("stopped")
    paths = [
        build_text(folder / name, [text], "bytes") for name, text in (("a", "abab"), ("b", "ab"))
    ]
    with Server(gramdex.open(paths[0])) as first:
        second = Server(gramdex.open(paths[1]))
        members = [gramdex.connect(server.name, timeout=5) for server in (first, second)]
        with routed(members) as index:
            assert index.count("ab") == 3
            second.stop()
            with pytest.raises(UnavailableError, match="member m1"):
                index.count("ab")
            with partial_answers() as coverage:
                assert index.count("ab") == 2
            assert coverage.missing == ("m1",)
            assert coverage.share == pytest.approx(4 / 6)
        for member in members:
            member.close()


def test_an_index_that_is_exchanged(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("exchanged")
    texts = {"a": ["abab"], "b": ["ab", "b"], "c": ["xx ab", "ab", "ab"]}
    paths = {name: build_text(folder / name, some, "bytes") for name, some in texts.items()}
    with Server(gramdex.open(paths["a"])) as first, Server(gramdex.open(paths["b"])) as second:
        members = [gramdex.connect(server.name) for server in (first, second)]
        with routed(members) as index:
            assert index.document(2).text == "b"
            first.service.serving.exchange(gramdex.open(paths["c"]))
            whole = gramdex.open([paths["c"], paths["b"]])
            for _ in range(2):
                assert_alike(index, whole, "document", 4)
                assert_alike(index, whole, "documents", "ab", 10)
            assert index.document_count == whole.document_count
        for member in members:
            member.close()


@pytest.fixture
def alike(tmp_path: Path) -> list[gramdex.Index]:
    """Indexes that no size tells apart."""
    texts = {"a": "the cat sat", "b": "the cat sit", "c": "the dog sat"}
    return [gramdex.open(build_text(tmp_path / n, [text], "bytes")) for n, text in texts.items()]


def test_refusals_are_told_whichever_thread_asked_before(alike: list[gramdex.Index]) -> None:
    """A thread may know a member by an answer from long ago, and a refusal is no new one."""
    old, new, other = alike
    with Server(other) as first, Server(old) as second, ExitStack() as stack:
        members = [stack.enter_context(gramdex.connect(each.name)) for each in (first, second)]
        index = stack.enter_context(routed(members))
        together = threading.Barrier(16)
        list(index._pool.map(lambda _: (members[1].count("a"), together.wait(30)), range(16)))
        second.service.serving.exchange(new)
        assert index.count("sit") == 1
        for _ in range(24):
            with pytest.raises(QueryError, match="vocabulary"):
                index.count([1_000_000])
            assert index.count_batch([]).size == 0
            assert index.match_batch([]) == []


def test_replicas_that_change_one_after_the_other(alike: list[gramdex.Index]) -> None:
    old, new, other = alike
    with Server(old) as left, Server(old) as right, Server(other) as beside, ExitStack() as stack:
        targets = f"{left.name}|{right.name}", beside.name
        members = [stack.enter_context(gramdex.connect(each)) for each in targets]
        index = stack.enter_context(routed(members))
        assert index.count("sat") == 2
        right.service.serving.exchange(new)
        for _ in range(12):
            found = index.count_batch(["sat", "sit"]).tolist()
            assert found in ([2, 0], [1, 1])


def test_streams_of_a_router_leave_out_what_is_down(alike: list[gramdex.Index]) -> None:
    with Server(alike[0]) as first, Server(alike[1]) as second, ExitStack() as stack:
        members = [
            stack.enter_context(gramdex.connect(each.name, attempts=1)) for each in (first, second)
        ]
        with Server(stack.enter_context(routed(members))) as server:
            remote = stack.enter_context(gramdex.connect(server.name, attempts=1))
            second.stop()
            with pytest.raises(UnavailableError):
                remote.documents("cat")
            for name in ("documents", "search", "find"):
                found = getattr(remote.partial(), name)("cat")
                assert found.coverage.missing == ("m1",)
                assert_same(found.answer, getattr(alike[0], name)("cat"))


def test_damage_of_a_member_is_its_own(alike: list[gramdex.Index]) -> None:
    told: list[IndexFileError] = []
    with Server(alike[0]) as server, gramdex.connect(server.name) as member:
        serving = Serving(routed([member]), told.append)
        server.service.before = _find_damage
        with pytest.raises(CorruptIndexError), serving.lease() as served:
            served.index.count("cat")
        assert not serving.is_damaged
        assert told == []


def test_a_replica_whose_files_are_damaged_is_not_needed(alike: list[gramdex.Index]) -> None:
    with (
        Server(alike[0]) as first,
        Server(alike[0]) as second,
        gramdex.connect(f"{first.name}|{second.name}") as remote,
    ):
        first.service.before = _find_damage
        for _ in range(4):
            assert remote.count("cat") == 1
            assert remote.document(0).text == "the cat sat"
            assert len(remote.documents("cat")) == 1
        second.service.before = _find_damage
        with pytest.raises(CorruptIndexError):
            remote.count("cat")


def _find_damage(method: str) -> None:
    raise CorruptIndexError("a file", "shorter than it was", "as it was")
