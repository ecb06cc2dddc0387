"""Documents: every link leads somewhere, every path and command named in them exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
).stdout.splitlines()
DOCUMENTS = sorted(
    ROOT / name for name in TRACKED if name.endswith(".md") and (ROOT / name).is_file()
) or sorted(path for path in ROOT.glob("*.md"))
FOLDERS = "kernels|fmindex|indexer|rpc|decoding|tools|tests|docs|gramdex"
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./*-]*)`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?m)^(?:\$ )?gramdex ([a-z]+)")


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"(?m)^#+ (.+)$", path.read_text())
    plain = [re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


def test_there_are_documents() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in DOCUMENTS}
    assert names >= {
        "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/FORMAT.md", "docs/LOG.md",
    }  # fmt: skip


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text()):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file) if file else path
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_exist(path: Path) -> None:
    for name in PATH.findall(path.read_text()):
        assert list(ROOT.glob(name.rstrip("/"))), name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_exist(path: Path) -> None:
    import typer

    from gramdex.tools.cli import app

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert set(COMMAND.findall(path.read_text())) <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_machine_paths(path: Path) -> None:
    assert not re.search(r"/(?:root|work|tmp|home)/", path.read_text())


def test_every_folder_has_its_section() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for folder in ("kernels", "fmindex", "indexer", "decoding", "rpc", "tools", "tests"):
        assert re.search(rf"(?m)^## `{folder}/`.*\?$", text), folder


@pytest.mark.parametrize("folder", ["kernels", "fmindex/engines", "indexer", "tools/bench"])
def test_every_file_is_named(folder: str) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    names = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py")}
    files = {name for name in names if not name.endswith("/__init__.py")}
    assert files
    assert files <= set(PATH.findall(text))


def test_format_document_names_every_section() -> None:
    text = (ROOT / "docs" / "FORMAT.md").read_text()
    names = ["tokens", "suffixes", "buckets", "shift", "starts", "blocks", "block_offsets"]
    names += ["block_documents", "rank_of_id", "id_of_rank", "sampling_rate", "alphabet"]
    names += ["code_lengths", "stream", "groups", "directory", "sample_counts", "permutation"]
    names += ["shortcut_marks", "shortcut_counts", "shortcuts"]
    for name in names:
        assert f"`{name}`" in text, name
