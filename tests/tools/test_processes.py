"""The command line as a process: exit codes, signals, pipes, and what it imports."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from building import snapshot
from commanding import Command, child, finish, plain_environment, write_jsonl

import gramdex
from gramdex.tools import cli


def test_help_starts_light() -> None:
    code = (
        "import sys; from gramdex.tools import cli; cli.run(['--help'])\n"
        "heavy = {'numba', 'fsspec', 'pydivsufsort'} & set(sys.modules)\n"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert (process.returncode, process.stderr) == (0, "")
    names = ("build", "info", "verify", "count", "prob", "ntd", "infgram", "match", "documents")
    for name in (*names, "doctor", "demo"):
        assert f"  {name} " in process.stdout


def test_exit_codes_of_processes(texts: Path, tmp_path: Path) -> None:
    corrupt, incomplete = tmp_path / "corrupt", tmp_path / "incomplete"
    shutil.copytree(texts, corrupt)
    tokens = corrupt / "shard-00000" / "tokens.gdx"
    tokens.write_bytes(tokens.read_bytes()[:-1] + b"x")
    shutil.copytree(texts, incomplete)
    (incomplete / "manifest.json").rename(incomplete / "build.json")
    children = [
        (0, child("count", texts, "cat")),
        (2, child("count", texts, "cat", "--unknown")),
        (3, child("verify", corrupt)),
        (4, child("count", incomplete, "cat")),
    ]
    for code, process in children:
        outcome = finish(process)
        assert outcome.code == code, outcome
        assert "Traceback" not in outcome.err
        assert bool(outcome.out) == (code == 0)


def test_usage_of_the_whole(command: Command) -> None:
    assert command("--version").out == f"gramdex {gramdex.__version__}\n"
    assert command().code == 2
    assert "Usage" in command().out
    assert command("--help").code == 0
    assert command("unheard-of").code == 2


def test_an_unexpected_error_is_short(
    command: Command, texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(gramdex, "open", fail)
    outcome = command("info", texts)
    assert outcome.code == 1
    assert outcome.err.splitlines()[0] == "error: RuntimeError: no such luck"
    assert "--debug" in outcome.err
    assert "Traceback" in command("info", texts, "--debug").err
    assert command("info", texts, "--json").json_error["error"] == "RuntimeError"


@pytest.mark.parametrize("json", [False, True])
def test_a_reader_that_goes_away_ends_it_quietly(texts: Path, tmp_path: Path, json: bool) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("cat\n" * 200_000)
    more = ["--json"] if json else []
    process = child("count", texts, "--queries", queries, *more)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(60) == 0


def test_a_layout_that_nobody_reads_ends_quietly(texts: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = child("documents", texts, "cat", stdout=writing)
    os.close(writing)
    outcome = finish(process)
    assert (outcome.code, outcome.err) == (0, "")


def build_arguments(corpus: Path, output: Path) -> list[object]:
    return ["build", corpus, "-o", output, "--shard-tokens", "1M", "--workers", "2"]


def test_a_build_stopped_by_ctrl_c_goes_on(tmp_path: Path) -> None:
    texts = [f"document {i} " + "lorem ipsum dolor sit amet " * 400 for i in range(1500)]
    corpus, output = write_jsonl(tmp_path / "corpus.jsonl", texts), tmp_path / "index"
    process = child(*build_arguments(corpus, output), "--json")
    deadline = time.monotonic() + 60
    while not list(output.glob("shard-?????")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    outcome = finish(process)
    assert outcome.code == 130
    assert "Traceback" not in outcome.err
    assert "finished shard" in outcome.json_error["remedy"]
    assert not list(output.glob("*.tmp"))
    kept = len(list(output.glob("shard-?????")))
    assert kept
    assert finish(child("info", output)).code == 4
    report = finish(child(*build_arguments(corpus, output), "--json")).json
    assert report["kept_shards"] == kept
    whole = tmp_path / "whole"
    assert finish(child(*build_arguments(corpus, whole))).code == 0
    assert snapshot(output) == snapshot(whole)


def on_a_terminal(*arguments: object, **environment: str) -> str:
    """What a command prints on a terminal of 60 columns, stdout and stderr together."""
    master, slave = pty.openpty()
    settings = plain_environment(COLUMNS="60", TERM="xterm-256color", **environment)
    process = child(*arguments, stdin=slave, stdout=slave, stderr=slave, env=settings)
    os.close(slave)
    said = b""
    while True:
        try:
            part = os.read(master, 1 << 16)
        except OSError:  # Linux: the other end is closed
            part = b""
        if not part:
            break
        said += part
    os.close(master)
    assert process.wait(60) == 0
    return said.decode()


def test_colour_is_for_terminals_that_want_it(texts: Path) -> None:
    colours = ("\x1b[36m", "\x1b[1;36m")
    assert any(code in on_a_terminal("documents", texts, "cat") for code in colours)
    assert not any(
        code in on_a_terminal("documents", texts, "cat", NO_COLOR="1") for code in colours
    )
    piped = finish(child("documents", texts, "cat", env=plain_environment()))
    assert "\x1b" not in piped.out + piped.err


def test_progress_moves_on_a_terminal_only(tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "corpus.jsonl", ["lorem ipsum"] * 2000)
    moving = on_a_terminal("build", corpus, "-o", tmp_path / "a")
    assert "\x1b[2K" in moving
    assert "22,000" in moving
    plain = finish(child("build", corpus, "-o", tmp_path / "b", env=plain_environment()))
    assert "\x1b" not in plain.err + plain.out
    assert "sorting 24,000 tokens" in plain.err
    assert "22,000" in plain.out


def test_bench_is_a_group_of_its_own() -> None:
    if "bench" not in {each.name or each.callback.__name__ for each in cli.app.registered_commands}:
        pytest.skip("no benchmarks here")
    outcome = finish(child("bench", "--help"))
    assert outcome.code == 0
    assert "gramdex bench" in outcome.out
    assert finish(child("bench", "unheard-of")).code == 2
