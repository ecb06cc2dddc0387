"""A router over real servers: over the network it answers as one index of all their folders."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from routing import assert_alike, assert_same
from serving import Server
from texts import build_text, byte_level

import gramdex
from gramdex.decoding import draft
from gramdex.errors import QueryError, RefusedError, UnavailableError

WORDS = "the cat sat on a mat and ran to see who had not been at home".split()  # noqa: SIM905
PARTS = 3


def texts_of(seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(1, 40))) for _ in range(12)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: Any) -> list[Path]:
    tokenizer = byte_level(tmp_path_factory.mktemp("tokenizer"))
    engines = ("sa", "fm", "sa")
    return [
        build_text(tmp_path_factory.mktemp("part"), texts_of(i), tokenizer, engine=engines[i])
        for i in range(PARTS)
    ]


@contextmanager
def fleet(folders: list[Path], *options: str) -> Iterator[tuple[Server, list[Server]]]:
    """A router, and a server of each folder."""
    with ExitStack() as stack:
        members = [stack.enter_context(Server(folder)) for folder in folders]
        shards = ",".join(f"127.0.0.1:{member.port}" for member in members)
        yield stack.enter_context(Server("--shards", shards, *options)), members


@pytest.fixture(scope="module")
def router(folders: list[Path]) -> Iterator[Server]:
    with fleet(folders) as (serving, _):
        yield serving


@pytest.fixture(scope="module")
def whole(folders: list[Path]) -> gramdex.Index:
    return gramdex.open(folders)


@pytest.fixture(scope="module")
def remote(router: Server) -> Iterator[Any]:
    with gramdex.connect(f"127.0.0.1:{router.port}") as index:
        yield index


TEXT = "the cat sat on a mat and the dog ran to see who had not been at home at all"


def test_sizes(remote: Any, whole: gramdex.Index) -> None:
    for name in ("token_count", "document_count", "vocabulary_size"):
        assert getattr(remote, name) == getattr(whole, name)
    assert remote.tokenizer.fingerprint == whole.tokenizer.fingerprint
    assert [s.documents for s in remote.shards] == [s.documents for s in whole.shards]


def test_every_query(remote: Any, whole: gramdex.Index) -> None:
    ids = whole.encode(TEXT).tolist()
    for query in ("the", "cat sat", " a", "zebra", "", ids[:2], ids[3:5], [], [10**6]):
        for name in ("count", "find", "documents"):
            assert_alike(remote, whole, name, query)
        for limit in (None, 1, 3):
            assert_alike(remote, whole, "ntd", query, limit)
            assert_alike(remote, whole, "infgram_ntd", query, limit)
        assert_alike(remote, whole, "prob", query, ids[0])
        assert_alike(remote, whole, "infgram_prob", query, ids[0])
        assert_alike(remote, whole, "infgram_scores", query)
        assert_alike(remote, whole, "match", query)
        assert_alike(remote, whole, "attribute", query)
    assert_alike(remote, whole, "count_batch", ["the", "cat", ids[:1], []])
    assert_alike(remote, whole, "count_batch", [ids[:1], ids[1:4], []])


@pytest.mark.parametrize("skip", [0, 3, 11, 40])
def test_documents_and_pages(remote: Any, whole: gramdex.Index, skip: int) -> None:
    assert_alike(remote, whole, "documents", "the", 5, 3, skip)
    assert_alike(remote, whole, "search", '"the" AND cat', 5, None, None, 4, skip)
    assert_alike(remote, whole, "search", '"the" AND cat NEAR/6', 5, None, 7, None, skip)


def test_single_documents(remote: Any, whole: gramdex.Index) -> None:
    for number in (0, 11, 12, 35, 36):
        assert_alike(remote, whole, "document", number)
        assert_alike(remote, whole, "metadata", number)
    for shard in range(4):
        assert_alike(remote, whole, "document_at", shard, 2, 3)
    for interval in whole.find(whole.encode("the")):
        assert_alike(remote, whole, "locate", interval)


def test_attribution_and_contamination(remote: Any, whole: gramdex.Index) -> None:
    options: dict[str, Any] = {"min_length": 2, "keep": None, "max_documents": 2, "seed": 5}
    assert_alike(remote, whole, "attribute", TEXT, **options)
    examples = [TEXT, (texts_of(0)[0], texts_of(1)[1]), "nothing of this is in there"]
    assert_same(remote.contamination(examples), whole.contamination(examples))


@pytest.mark.parametrize("nodes", [0, 1, 7, 30])
def test_drafts(remote: Any, whole: gramdex.Index, nodes: int) -> None:
    for context in ("the cat", "sat on a", "zebra", ""):
        for options in ({}, {"max_depth": 2}, {"min_score": 0.2}):
            found = draft(remote, context, nodes, **options)
            assert_same(found, draft(whole, context, nodes, **options))


def test_a_router_is_no_part(router: Server) -> None:
    with gramdex.connect(f"127.0.0.1:{router.port}") as index, pytest.raises(RefusedError):
        index.part.documents_found("the", 3)


def test_bad_queries_are_told_as_by_one_index(remote: Any) -> None:
    with pytest.raises(QueryError, match="token id 1000000"):
        remote.count([10**6])


def test_a_shard_that_is_killed_under_load(folders: list[Path], whole: gramdex.Index) -> None:
    """Every answer is right or an error, partial ones say what they cover, and it comes back."""
    right = whole.count("the")
    parts = [gramdex.open(folder) for folder in folders]
    without = right - parts[1].count("the")
    with fleet(folders) as (router, members):
        index = gramdex.connect(f"127.0.0.1:{router.port}", attempts=1)
        answers: list[Any] = []
        ended = threading.Event()

        def load() -> None:
            while not ended.is_set():
                try:
                    answers.append(index.count("the"))
                except UnavailableError as error:
                    answers.append(str(error))

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        while len(answers) < 50:
            ended.wait(0.01)
        os.kill(members[1].process.pid, signal.SIGKILL)
        while not isinstance(answers[-1], str):
            ended.wait(0.01)
        partial = index.partial().count("the")
        ended.set()
        for thread in threads:
            thread.join()
        assert {each for each in answers if isinstance(each, int)} == {right}
        assert all(f":{members[1].port}" in each for each in answers if isinstance(each, str))
        assert partial.answer == without
        assert partial.coverage.token_count == whole.token_count - parts[1].token_count
        assert partial.coverage.total_token_count == whole.token_count
        assert partial.coverage.missing == (f"127.0.0.1:{members[1].port}",)
        with Server(folders[1], "--port", str(members[1].port), "--health-port", "0"):
            again = gramdex.connect(f"127.0.0.1:{router.port}", attempts=8)
            assert again.count("the") == right
            assert again.partial().count("the").coverage.complete


def test_a_replica_takes_over(folders: list[Path], whole: gramdex.Index) -> None:
    right = whole.count("cat")
    with ExitStack() as stack:
        first, second = (stack.enter_context(Server(folders[0])) for _ in range(2))
        others = [stack.enter_context(Server(folder)) for folder in folders[1:]]
        groups = [f"127.0.0.1:{first.port}|127.0.0.1:{second.port}"]
        groups += [f"127.0.0.1:{other.port}" for other in others]
        router = stack.enter_context(Server("--shards", ",".join(groups)))
        with gramdex.connect(f"127.0.0.1:{router.port}") as index:
            assert index.count("cat") == right
            os.kill(first.process.pid, signal.SIGKILL)
            assert [index.count("cat") for _ in range(30)] == [right] * 30
