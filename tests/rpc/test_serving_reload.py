"""Serving another index without dropping a call; in this process."""

from __future__ import annotations

import gc
import os
import shutil
import threading
import weakref
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from building import build_ids
from serving import WAIT, Asker, answering, build_texts, count_request, wait_until

import gramdex
from gramdex.errors import GramdexError, IncompleteIndexError, TokenizerError, UnavailableError
from gramdex.rpc.server.answering import Answering
from gramdex.rpc.server.reloading import Reloader, identity_of
from gramdex.rpc.server.serving import Serving

QUICK = {"reload_seconds": 0.02}


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two of bytes, with other counts of "cat"."""
    folder = tmp_path_factory.mktemp("reload")
    return [build_texts(folder / str(n), ["a cat and a cat"] * (n + 1)) for n in range(2)]


@pytest.fixture
def link(indexes: list[Path], tmp_path: Path) -> Path:
    link = tmp_path / "current"
    link.symlink_to(indexes[0])
    return link


class Reloads:
    """What is told of exchanges."""

    def __init__(self) -> None:
        self.told: list[Exception | None] = []


@pytest.fixture
def reloads(monkeypatch: pytest.MonkeyPatch) -> Reloads:
    observer, tell = Reloads(), Answering._reloaded

    def told(part: Answering, error: Exception | None) -> None:
        tell(part, error)
        observer.told.append(error)

    monkeypatch.setattr(Answering, "_reloaded", told)
    return observer


def turn(link: Path, target: Path) -> None:
    """Have the link lead elsewhere, in one step."""
    new = link.with_name("new")
    new.symlink_to(target)
    new.replace(link)


def mapped(path: Path) -> bool:
    return str(path) in Path("/proc/self/maps").read_text()


def ask_until(ended: threading.Event, port: int, answers: list[tuple[int, int]]) -> None:
    """Generation and count, over and over."""
    with Asker(port) as ask:
        while not ended.is_set():
            answer = ask("Count", count_request("cat"))
            answers.append((answer.generation, answer.count))


def test_a_turned_link_is_followed_without_dropping_a_call(
    indexes: list[Path], link: Path, reloads: Reloads
) -> None:
    right = {(gramdex.open(path).generation, gramdex.open(path).count("cat")) for path in indexes}
    assert {count for _, count in right} == {2, 4}
    answers: list[list[tuple[int, int]]] = [[], []]
    ended = threading.Event()
    with answering(link, **QUICK) as (part, port, told):
        askers = [threading.Thread(target=ask_until, args=(ended, port, each)) for each in answers]
        for each in askers:
            each.start()
        for times in range(1, 7):
            turn(link, indexes[times % 2])
            wait_until(lambda: len(reloads.told) == times)  # noqa: B023
            seen = [len(each) for each in answers]
            wait_until(lambda: all(len(e) > n + 3 for e, n in zip(answers, seen)))  # noqa: B023, B905
        ended.set()
        for each in askers:
            each.join(WAIT)
        assert reloads.told == [None] * 6
        assert told.said == [True] * 7
        assert part._serving.now is not None
    for each in answers:
        assert set(each) == right
        assert len({a for a, b in pairwise(each) if a != b}) == 2


def test_the_files_of_the_old_index_are_let_go_with_the_last_call(
    indexes: list[Path], link: Path, tmp_path: Path, reloads: Reloads
) -> None:
    first = tmp_path.resolve() / "first"  # that nothing else has mapped
    shutil.copytree(indexes[0], first)
    turn(link, first)
    gc.disable()  # it must not take a collection
    try:
        with answering(link, **QUICK) as (part, _, _told):
            held = part._serving.lease()
            old = weakref.ref(held.__enter__().index)
            assert mapped(first)
            turn(link, indexes[1])
            wait_until(lambda: reloads.told == [None])
            assert mapped(indexes[1].resolve())
            assert mapped(first)
            held.__exit__(None, None, None)
            del held
            assert old() is None
            assert not mapped(first)
    finally:
        gc.enable()


def test_a_replaced_manifest_is_seen(indexes: list[Path], tmp_path: Path, reloads: Reloads) -> None:
    published = tmp_path / "published"
    shutil.copytree(indexes[0], published)
    with answering(published, **QUICK) as (_, port, _told), Asker(port) as ask:
        assert ask.count("cat") == 2
        for path in indexes[1].rglob("*.*"):  # shards first, the manifest last
            if path.name != "manifest.json":
                target = published / path.relative_to(indexes[1])
                shutil.copy(path, target.with_name("new"))
                target.with_name("new").replace(target)
        assert ask.count("cat") == 2
        shutil.copy(indexes[1] / "manifest.json", published / "new")
        (published / "new").replace(published / "manifest.json")
        wait_until(lambda: None in reloads.told)
        assert ask.count("cat") == 4


def test_a_broken_index_leaves_the_old_one_serving_and_is_tried_again(
    indexes: list[Path], link: Path, tmp_path: Path, reloads: Reloads
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(indexes[1], broken)
    (broken / "shard-00000" / "tokens.gdx").unlink()
    with answering(link, **QUICK) as (part, port, told), Asker(port) as ask:
        turn(link, broken)
        wait_until(lambda: len(reloads.told) >= 2)
        assert {type(each) for each in reloads.told} == {IncompleteIndexError}
        assert (ask.count("cat"), told.said, part._is_ready()) == (2, [True], True)
        shutil.copy(indexes[1] / "shard-00000" / "tokens.gdx", broken / "shard-00000")
        wait_until(lambda: reloads.told[-1] is None)
        assert ask.count("cat") == 4


def test_an_index_of_another_tokenizer_is_not_served(
    link: Path, tmp_path: Path, reloads: Reloads, caplog: pytest.LogCaptureFixture
) -> None:
    other = build_ids(tmp_path, [[1, 2, 3]], 10)
    with answering(link, **QUICK) as (_, port, _told), Asker(port) as ask:
        turn(link, other)
        wait_until(lambda: reloads.told)
        assert isinstance(reloads.told[0], TokenizerError)
        assert ask.count("cat") == 2
    assert "the old one stays" in caplog.text


def test_a_link_that_leads_nowhere_is_no_reason_to_stop(
    indexes: list[Path], link: Path, tmp_path: Path, reloads: Reloads
) -> None:
    with answering(link, **QUICK) as (_, port, _told), Asker(port) as ask:
        turn(link, tmp_path / "nowhere")
        wait_until(lambda: reloads.told)
        assert isinstance(reloads.told[0], IncompleteIndexError)
        assert ask.count("cat") == 2
        turn(link, indexes[0])  # what is served: nothing is to be done
        turn(link, indexes[1])
        wait_until(lambda: reloads.told[-1] is None)
        assert ask.count("cat") == 4


def test_a_look_can_be_forced_and_failures_are_tried_less_and_less_often(tmp_path: Path) -> None:
    serving, told, made = Serving(), [], threading.Semaphore(0)
    work: list[Callable[[], gramdex.Index]] = []

    def make() -> gramdex.Index:
        made.release()
        return work[0]()

    def fail() -> gramdex.Index:
        raise UnavailableError("disk", "away")

    def break_down() -> gramdex.Index:
        raise OSError("surprise")

    work.append(fail)
    reloader = Reloader(serving, [str(tmp_path)], identity_of([]), make, 0.01, told.append)
    try:
        for _ in range(3):
            assert made.acquire(timeout=WAIT)
        wait_until(lambda: len(told) >= 3)
        assert reloader._pause > 0.03
        reloader._again = float("inf")
        work[0] = break_down
        reloader.look_now()
        wait_until(lambda: isinstance(told[-1], OSError))
        assert all(isinstance(each, (GramdexError, OSError)) for each in told)
        assert serving.now is None
    finally:
        reloader.close()


def test_identity_is_of_what_links_lead_to(indexes: list[Path], link: Path) -> None:
    before = identity_of([str(link)])
    assert before == identity_of([str(indexes[0])])
    turn(link, indexes[1])
    assert identity_of([str(link)]) != before
    os.utime(indexes[1] / "manifest.json")
    assert identity_of([str(link)]) != identity_of([str(indexes[0])])
    assert identity_of(["/nowhere/at/all"])[0][1] is None
