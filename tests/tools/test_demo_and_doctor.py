"""``gramdex demo`` on a small folder, and ``gramdex doctor``."""

from __future__ import annotations

from pathlib import Path

import pytest
from commanding import Command

from gramdex.tools import doctor

FUNCTION = '''def shorten(text, width):
    """Cut a text to a width, for a demonstration."""
    if len(text) <= width:
        return text
    return text[: width - 1] + "..."
'''


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What might be a standard library."""
    folder = tmp_path / "lib"
    (folder / "site-packages").mkdir(parents=True)
    (folder / "site-packages" / "other.py").write_text("import nothing_of_this\n")
    (folder / "empty.py").write_text("")
    (folder / "latin.py").write_bytes(b"# caf\xe9\n")
    (folder / "tools.py").write_text(FUNCTION)
    (folder / "more.py").write_text("import os\nimport sys\nself.a = 1\nraise ValueError(\n" * 9)
    return folder


def test_demo(
    command: Command, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ("demo", "--source", source)
    outcome = command(*arguments, columns=40)
    assert outcome.code == 0, outcome
    assert "1 empty file" in outcome.err
    assert "1 file that is not UTF-8" in outcome.err
    assert "tools.py" in outcome.out
    assert "«" in outcome.out
    assert [line for line in outcome.out.splitlines() if len(line.rstrip()) > 40] == []
    report = Path(".demo") / "stdlib-contamination" / "report.html"
    assert outcome.out.splitlines()[-1].strip() == str(report)
    assert report.is_file()
    again = command(*arguments, "--json")
    assert "--fresh" in again.err
    record = again.json
    assert record["documents"] == 2
    assert record["counts"]["raise ValueError("] == 9
    totals = record["contamination"]["totals"]["both"]["windows"]
    assert (totals["dirty"], totals["clean"]) == (1, 4)
    assert record["report"] == str(report)
    assert record["spans"][0]["source"].endswith("tools.py")
    assert "indexing" in command(*arguments, "--fresh", "--json").err
    (tmp_path / ".demo" / "stdlib.gdx" / "thesis.txt").write_text("mine")
    refused = command(*arguments, "--fresh")
    assert refused.code == 1
    assert "other files (thesis.txt" in refused.err
    assert (tmp_path / ".demo" / "stdlib.gdx" / "thesis.txt").read_text() == "mine"


def test_demo_leaves_other_folders_alone(command: Command, source: Path, tmp_path: Path) -> None:
    outcome = command("demo", "--source", source, "-o", source, "--fresh")
    assert outcome.code == 1
    assert (source / "tools.py").exists()
    project = tmp_path / "project"
    project.mkdir()
    (project / "manifest.json").write_text("{}")
    assert command("demo", "--source", source, "-o", project, "--fresh").code == 1
    assert (project / "manifest.json").exists()
    assert command("demo", "--source", source, "-o", tmp_path / "index", "--json").code == 0
    assert command("demo", "--source", tmp_path / "b", "-o", tmp_path / "index").code == 1
    (tmp_path / "none").mkdir()
    assert command("demo", "--source", tmp_path / "none", "-o", tmp_path / "x").code == 1


def test_doctor(command: Command) -> None:
    record = command("doctor", "--json").json
    assert record["works"]
    for name in ("python", "numpy", "numba", "tokenizers", "cores", "memory", "kernels", "output"):
        assert record["checks"][name]["works"]
    assert record["checks"]["cores"]["usable"] >= 1
    assert record["checks"]["kernels"]["seconds"] >= 0
    shown = command("doctor", columns=40)
    assert shown.code == 0
    assert "able to work" in shown.out


def test_doctor_says_what_is_missing(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CORE", ("numpy", "a_package_that_is_not_there"))
    monkeypatch.setattr(doctor, "EXTRAS", {"nor_is_this": "parquet"})
    outcome = command("doctor")
    assert outcome.code == 1
    assert "pip install a_package_that_is_not_there" in outcome.out
    assert "pip install 'gramdex[parquet]'" in outcome.out
    assert "not able to work" in outcome.out
