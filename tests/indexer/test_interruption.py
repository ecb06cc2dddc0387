"""Builds killed at every step, then run again: same bytes, finished shards kept."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from building import snapshot

import gramdex
from gramdex.errors import IncompleteIndexError, OutputExistsError
from gramdex.indexer.output import OutputFolder
from gramdex.indexer.readers import pieces

SETTINGS: dict[str, Any] = {"shard_tokens": 700, "on_error": "skip", "on_empty": "skip"}
EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate")


@pytest.fixture(scope="module", autouse=True)
def small_pieces() -> Iterator[None]:
    """Texts are cut into pieces, so that shards begin inside records and inside pieces."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "CHARACTERS", 500)
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files with documents of all lengths, some longer than a shard, some bad, some empty."""
    rng = random.Random(4)
    folder = tmp_path_factory.mktemp("corpus")
    lengths = [*(rng.randrange(1, 300) for _ in range(12)), 2500, 10, 699, 700, 0, 698, 1398, 3]
    lines = [json.dumps({"text": "".join(rng.choices("abc ", k=n)), "n": n}) for n in lengths]
    lines.insert(3, "{ no json")
    lines.insert(15, json.dumps({"no": "text"}))
    first, second = folder / "a.jsonl", folder / "b.jsonl"
    first.write_text("\n".join(lines) + "\n")
    second.write_text("\n".join(lines[:7]) + "\n[]\n")
    return [first, second]


@pytest.fixture(scope="module")
def reference(corpus: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("reference") / "index"
    report = gramdex.build(corpus, output, **SETTINGS)
    assert (report.skipped_records, report.skipped_files, report.empty_documents) == (4, 0, 1)
    assert report.split_parts == 4 + 2 + 2
    gramdex.open(output).verify()
    return snapshot(output)


def in_child(work: Callable[[], object]) -> int:
    """Run in a forked process; its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(9)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(event_number: int, output: Path) -> None:
    """Kill this process at its n-th change of something below ``output``."""
    seen = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal seen
        if event in EVENTS and any(str(output) in str(argument) for argument in arguments[:2]):
            seen += 1
            if seen == event_number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def shard_inodes(output: Path) -> dict[str, int]:
    return {p.name: p.stat().st_ino for p in output.glob("shard-?????") if p.is_dir()}


def test_killed_at_every_step(
    corpus: list[Path], reference: dict[str, bytes], tmp_path: Path
) -> None:
    kept_some = 0
    for step in range(1, 10_000):
        output = tmp_path / str(step)

        def build(output: Path = output, step: int = step) -> None:
            killed_at(step, output)
            gramdex.build(corpus, output, **SETTINGS)

        status = in_child(build)
        if status == 0:
            break
        assert status == -signal.SIGKILL
        if (output / "manifest.json").exists():
            gramdex.open(output).verify()
        else:
            with pytest.raises(IncompleteIndexError):
                gramdex.open(output)
        finished = shard_inodes(output)
        if (output / "manifest.json").exists() and not (output / "build.json").exists():
            assert snapshot(output) == reference  # killed after its last change
            continue
        report = gramdex.build(corpus, output, **SETTINGS)
        assert snapshot(output) == reference, step
        after = shard_inodes(output)
        assert {name: after[name] for name in finished} == finished
        kept_some += report.kept_shards > 0
        shutil.rmtree(output)
    assert step > 100
    assert kept_some > 50


def unfinished(corpus: list[Path], output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build whose manifest was not published, with all shards finished."""
    with monkeypatch.context() as patch:
        patch.setattr(OutputFolder, "release", lambda self: None)
        gramdex.build(corpus, output, **SETTINGS)
    (output / "manifest.json").unlink()


def test_any_set_of_finished_shards_is_completed(
    corpus: list[Path],
    reference: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers finish out of order, so gaps may lie anywhere."""
    unfinished(corpus, tmp_path / "whole", monkeypatch)
    shards = sorted(shard_inodes(tmp_path / "whole"))
    assert len(shards) > 8
    rng = random.Random(1)
    choices = [{shards[0]}, {shards[-1]}, set(shards), {shards[3]}, set(shards[4:7])]
    choices += [set(rng.sample(shards, rng.randrange(1, len(shards)))) for _ in range(25)]
    for lost in choices:
        output = tmp_path / "again"
        shutil.copytree(tmp_path / "whole", output)
        for name in lost:
            shutil.rmtree(output / name)
        report = gramdex.build(corpus, output, **SETTINGS)
        assert report.kept_shards == len(shards) - len(lost)
        assert snapshot(output) == reference, lost
        shutil.rmtree(output)


def test_a_damaged_finished_shard_is_made_again(
    corpus: list[Path],
    reference: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unfinished(corpus, tmp_path / "index", monkeypatch)
    target = tmp_path / "index" / "shard-00002" / "suffixes.gdx"
    content = bytearray(target.read_bytes())
    content[4500] ^= 4
    target.write_bytes(content)
    messages = []
    report = gramdex.build(
        corpus, tmp_path / "index", progress=lambda s: messages.append(s.message), **SETTINGS
    )
    assert any("shard-00002 is made again" in message for message in messages)
    assert report.kept_shards == report.shards - 1
    assert snapshot(tmp_path / "index") == reference


@pytest.mark.parametrize("change", ["input", "options"])
def test_another_build_does_not_take_over(
    corpus: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    inputs = [Path(shutil.copy(path, tmp_path)) for path in corpus]
    unfinished(inputs, tmp_path / "index", monkeypatch)
    before = snapshot(tmp_path / "index")
    if change == "input":
        inputs[0].write_text(inputs[0].read_text() + '{"text": "more"}\n')
    settings = SETTINGS | ({"shard_tokens": 701} if change == "options" else {})
    expected = "inputs" if change == "input" else "shard_tokens"
    with pytest.raises(OutputExistsError, match=f"unfinished build with other {expected}"):
        gramdex.build(inputs, tmp_path / "index", **settings)
    assert snapshot(tmp_path / "index") == before


SCRIPT = """
import gramdex, sys
from gramdex.indexer.readers import pieces
pieces.CHARACTERS = 500
if __name__ == "__main__":
    gramdex.build(sys.argv[2:], sys.argv[1], workers=2, shard_tokens=700, on_error="skip",
                  on_empty="skip")
"""


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_the_build(
    corpus: list[Path], reference: dict[str, bytes], tmp_path: Path, kind: signal.Signals
) -> None:
    script, output = tmp_path / "build.py", tmp_path / "index"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(output), *map(str, corpus)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not list(output.glob("shard-?????")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(kind)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode in (-kind, 0), stderr
    assert not descendants_of(output)
    if (output / "build.json").exists():
        gramdex.build(corpus, output, workers=2, **SETTINGS)
    assert snapshot(output) == reference


def descendants_of(output: Path) -> list[str]:
    """Processes that still have a file of the index open, a moment later."""
    time.sleep(0.3)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            links = [str(link.readlink()) for link in (process / "fd").iterdir()]
        except OSError:
            continue
        found += [link for link in links if str(output) in link]
    return found
