"""From one engine to the other and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import build_ids, shard_budget, snapshot

import gramdex
from gramdex.errors import CorruptIndexError, MemoryBoundError, OutputExistsError, UsageError
from gramdex.indexer import conversion
from gramdex.indexer.conversion import convert

DOCUMENTS = [[(i * j) % 37 for j in range(i)] for i in range(60)]


def small(folder: Path, engine: str, size: int = 40, **options: object) -> Path:
    """An index at ``folder``, built from a file beside it, whose path the metadata hold."""
    (folder.parent / "input").mkdir(exist_ok=True)
    budget = shard_budget(DOCUMENTS, 3)
    path = build_ids(folder.parent / "input", DOCUMENTS, size, budget, engine=engine, **options)
    return path.rename(folder)


@pytest.mark.parametrize(
    ("size", "workers"), [(40, 1), (300, 1), (300, 2), (100_000, 1), (1 << 21, 1)]
)
def test_there_and_back_gives_the_same_bytes(tmp_path: Path, size: int, workers: int) -> None:
    sa = small(tmp_path / "1", "sa", size)
    fm = small(tmp_path / "2", "fm", size)
    convert(sa, tmp_path / "fm", "fm", workers=workers)
    convert(fm, tmp_path / "sa", "sa", workers=workers)
    assert snapshot(tmp_path / "fm") == snapshot(fm)
    assert snapshot(tmp_path / "sa") == snapshot(sa)
    gramdex.open([tmp_path / "fm", tmp_path / "sa"]).verify()


def test_another_sampling_rate(tmp_path: Path) -> None:
    fm = small(tmp_path / "1", "fm", sampling_rate=1)
    report = convert(fm, tmp_path / "2" / "fm", "fm", sampling_rate=64)
    assert report.shards == 4
    assert report.size < sum(p.stat().st_size for p in fm.rglob("*") if p.is_file())
    assert snapshot(report.path) == snapshot(small(tmp_path / "3", "fm", sampling_rate=64))


def test_an_empty_index(tmp_path: Path) -> None:
    path = build_ids(tmp_path, [], 5)
    assert convert(path, tmp_path / "fm", "fm").shards == 0
    assert gramdex.open(tmp_path / "fm").count([1]) == 0


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    sa = small(tmp_path / "1", "sa")
    with pytest.raises(UsageError, match="'bwt'"):
        convert(sa, tmp_path / "out", "bwt")
    with pytest.raises(UsageError, match="sampling_rate"):
        convert(sa, tmp_path / "out", "fm", sampling_rate=0)
    with pytest.raises(OutputExistsError):
        convert(sa, sa, "fm")
    with pytest.raises(MemoryBoundError):
        convert(sa, tmp_path / "out", "fm", memory=1000)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1", "input"]


def test_a_damaged_source_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    sa = small(tmp_path / "1", "sa")
    path = sa / "shard-00001" / "suffixes.gdx"
    content = bytearray(path.read_bytes())
    content[4100] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptIndexError, match="checksum"):
        convert(sa, tmp_path / "out", "fm")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1", "input"]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    sa = small(tmp_path / "1", "sa")
    monkeypatch.setattr(conversion, "write_successors", stop)
    with pytest.raises(KeyboardInterrupt):
        convert(sa, tmp_path / "out", "fm")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1", "input"]
