"""Index files that are cut off while they are open: no crash, and no number made of zeros."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import truncating
from building import build_ids, small_tokenizer

import gramdex
from gramdex.errors import CorruptIndexError, UnreadableIndexError
from gramdex.fmindex.engines import continuations
from gramdex.fmindex.format import mappings
from gramdex.fmindex.format.sections import SectionFile
from gramdex.kernels.jit import JIT_DISABLED

compiled = pytest.mark.skipif(
    JIT_DISABLED or not sys.platform.startswith("linux"), reason="nothing guards here"
)


def lines(numbers: range) -> list[dict[str, object]]:
    return [
        {"text": f"line {i} of the small corpus, {'abc' * (i % 5)} {i * 7919 % 1000}", "n": i}
        for i in numbers
    ]


def build(folder: Path, engine: str, name: str, numbers: range) -> Path:
    """A text index of several shards, each of some pages a file, with all tables."""
    source = folder / f"{name}.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines(numbers)))
    options = {"engine": engine, "shard_tokens": 9000, "workers": 1}
    gramdex.build(source, folder / name, small_tokenizer(folder), **options)
    return folder / name


@pytest.fixture(scope="module", params=["sa", "fm"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(continuations, "LIMITS", continuations.Limits(8, 16, 2, 1))
        return build(folder, request.param, "index", range(400))


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def run_code(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run("-c", code, *arguments)


@compiled
def test_every_file_cut_at_many_sizes(original: Path, tmp_path: Path) -> None:
    done = run(truncating.__file__, original, tmp_path / "copy")
    assert (done.returncode, done.stderr) == (0, "")
    refused, answered = map(int, done.stdout.split())
    assert refused > answered > 100


@compiled
def test_files_cut_while_threads_ask(original: Path, tmp_path: Path) -> None:
    done = run(truncating.__file__, "--while-asked", original, tmp_path / "copy")
    assert (done.returncode, done.stderr) == (0, "")


@compiled
def test_a_takedown_index_that_is_cut(original: Path, tmp_path: Path) -> None:
    """Its files are among those that are asked about."""
    engine = "fm" if (original / "shard-00000" / "successors.gdx").exists() else "sa"
    less = build(tmp_path, engine, "less", range(50, 60))
    code = (
        "import os, sys, gramdex\n"
        "from gramdex.fmindex.format.mappings import guard_mappings\n"
        "assert guard_mappings()\n"
        "index = gramdex.open(sys.argv[1], takedown=sys.argv[2])\n"
        "index.files.require_whole()\n"
        "os.truncate(sys.argv[2] + '/shard-00000/' + sys.argv[3], 4096)\n"
        "try:\n"
        "    with index.files.reading():\n"
        "        index.count_batch([[i] for i in range(256)])\n"
        "except gramdex.errors.CorruptIndexError as error:\n"
        "    print(error.thing)\n"
    )
    name = "successors.gdx" if engine == "fm" else "tokens.gdx"
    done = run_code(code, original, less, name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{less / 'shard-00000' / name}\n"


@compiled
def test_files_that_vanish_go_on(original: Path, tmp_path: Path) -> None:
    shutil.copytree(original, tmp_path / "copy")
    index = gramdex.open(tmp_path / "copy")
    asked = truncating.questions(index, truncating.text_of(index))
    shutil.rmtree(tmp_path / "copy")
    assert index.files.damaged() == []
    whole = gramdex.open(original)
    again = truncating.questions(whole, truncating.text_of(whole))
    for question, other in zip(asked, again, strict=True):
        assert truncating.plain(question()) == truncating.plain(other())
    index.files.require_whole()


def test_sizes_are_compared_where_nothing_guards(original: Path, tmp_path: Path) -> None:
    if mappings._handler is not None:
        pytest.skip("this process is guarded already")
    shutil.copytree(original, tmp_path / "copy")
    index = gramdex.open(tmp_path / "copy")
    index.files.require_whole()
    path = tmp_path / "copy" / "shard-00001" / "documents.gdx"
    os.truncate(path, path.stat().st_size - 1)
    assert index.files.damaged() == [path]
    with pytest.raises(CorruptIndexError, match=r"shard-00001.documents\.gdx.*shorter"):
        index.files.require_whole()
    with pytest.raises(CorruptIndexError), index.files.reading():
        raise KeyError  # an error that zeros have led to


def test_a_file_that_shrinks_while_it_is_opened(original: Path, tmp_path: Path) -> None:
    path = tmp_path / "tokens.gdx"
    shutil.copy(original / "shard-00000" / "documents.gdx", path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SectionFile, "_parse", lambda *_: os.truncate(path, 4100) or [])
        with pytest.raises(CorruptIndexError, match="not mapped"):
            SectionFile(path, "documents")


# --- the table ------------------------------------------------------------------------------


def rows_in_use() -> int:
    gc.collect()
    return int(np.count_nonzero(mappings._table[:, 0]))


def test_rows_are_used_again(tmp_path: Path) -> None:
    """Opened thousands of times, arrays kept longer than the index, from several threads."""
    path = build_ids(tmp_path, [[1, 2, 3], [2, 3]], 10)
    before = rows_in_use()
    index = gramdex.open(path)
    files = rows_in_use() - before
    assert files == 4
    starts = index.shards[0].starts
    del index
    assert rows_in_use() == before + 1  # of the file of ``starts``
    del starts
    assert rows_in_use() == before

    def reopen() -> None:
        for _ in range(60):
            assert gramdex.open(path).count([2, 3]) == 2

    threads = [threading.Thread(target=reopen) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows_in_use() == before
    assert int(np.flatnonzero(mappings._table[:, 0]).max(initial=0)) < before + 40 * files


def test_a_full_table_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build_ids(tmp_path, [[1, 2, 3]], 10)
    monkeypatch.setattr(mappings, "MOST", 0)
    monkeypatch.setattr(mappings, "_free", [])
    with pytest.raises(UnreadableIndexError, match="files are mapped"):
        gramdex.open(path)
    monkeypatch.undo()
    assert gramdex.open(path).count([1]) == 1


@pytest.mark.parametrize("content", [b"\1", b"\1" + bytes(9000), bytes(4096) + b"\1", bytes(5000)])
def test_the_probe_is_the_last_byte_that_is_set(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with (tmp_path / "file").open("rb") as file:
        mapping = mappings.map_file(tmp_path / "file", file.fileno(), len(content))
    begin, end, hits, probe = mappings._table[mapping.row].tolist()
    assert (end - begin, hits) == (len(content), 0)
    assert probe - begin == max(content.rfind(1), 0)


# --- the signal -----------------------------------------------------------------------------

GUARD = (
    "import ctypes, faulthandler, mmap, os, signal, sys\n"
    "from pathlib import Path\n"
    "from gramdex.fmindex.format import mappings\n"
)
OUTSIDE = (
    "path = Path(sys.argv[1])\n"
    "path.write_bytes(bytes(8192))\n"
    "foreign = mmap.mmap(os.open(path, os.O_RDONLY), 0, access=mmap.ACCESS_READ)\n"
    "os.truncate(path, 0)\n"
    "foreign[5000]\n"
)


@compiled
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("", "", ""),
        ("faulthandler.enable()", "", "Fatal Python error: Bus error"),
        ("", "faulthandler.enable()", "Fatal Python error: Bus error"),
        ("", "faulthandler.enable(); mappings.guard_mappings()", "Fatal Python error: Bus error"),
        ("signal.signal(signal.SIGBUS, signal.SIG_IGN)", "", ""),
    ],
)
@pytest.mark.parametrize("cause", [OUTSIDE, "os.kill(os.getpid(), signal.SIGBUS)\n"])
def test_signals_of_other_causes_end_the_process(
    before: str, after: str, said: str, cause: str, tmp_path: Path
) -> None:
    """As they would have without the guard, after what was to be said about it."""
    code = f"{GUARD}{before}\nassert mappings.guard_mappings()\n{after}\n{cause}\nprint('alive')"
    done = run_code(code, tmp_path / "file")
    ignored = "SIG_IGN" in before and "kill" in cause
    assert done.returncode == (0 if ignored else -signal.SIGBUS)
    assert done.stdout == ("alive\n" if ignored else "")
    assert done.stderr.startswith(said)
    assert bool(done.stderr) == bool(said)


@compiled
def test_guarding_is_done_once_and_takes_the_signal_back(tmp_path: Path) -> None:
    """From faulthandler, which pytest enables too; and hits are counted where they belong."""
    code = GUARD + (
        "def mapped(name, size):\n"
        "    path = Path(sys.argv[1]) / name\n"
        "    path.write_bytes(b'\\1' * size)\n"
        "    with path.open('rb') as file:\n"
        "        return path, mappings.map_file(path, file.fileno(), size)\n"
        "files = [mapped(str(i), 5 * mmap.PAGESIZE + i) for i in range(4)]\n"
        "faulthandler.enable()\n"
        "assert mappings.guard_mappings() and mappings.guard_mappings()\n"
        "faulthandler.enable()\n"
        "watch = mappings.MappedFiles(files)\n"
        "assert watch.damaged() == []\n"
        "os.truncate(files[1][0], 2 * mmap.PAGESIZE + 5)\n"
        "os.truncate(files[3][0], 0)\n"
        "content = [file[:] for _, file in files]\n"
        "assert [c.count(1) for c in content] == [\n"
        "    5 * mmap.PAGESIZE, 2 * mmap.PAGESIZE + 5, 5 * mmap.PAGESIZE + 2, 0]\n"
        "hits = [int(mappings._table[file.row, 2]) for _, file in files]\n"
        "assert hits == [0, 1, 0, 1], hits\n"
        "assert watch.damaged() == [files[1][0], files[3][0]]\n"
        "files[3][0].write_bytes(b'\\1' * 90000)\n"
        "assert watch.damaged() == [files[1][0], files[3][0]]\n"
        "print('guarded')\n"
    )
    done = run_code(code, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "guarded\n", "")


def test_plain_python_is_not_guarded() -> None:
    code = "from gramdex.fmindex.format import mappings\nprint(mappings.guard_mappings())\n"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )
    assert (done.stdout, done.stderr) == ("False\n", "")
