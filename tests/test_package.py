"""What an installation puts on the machine."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("kernels", "fmindex", "indexer", "decoding", "rpc", "tools")

DATA = (
    "rpc/http/page*.[hcj]*", "rpc/v1/*.binpb", "rpc/v1/*.pyi", "rpc/proto/gramdex/v1/*.proto",
    "tools/dashboards/*", "tools/deploy/*",
)  # fmt: skip
"""What lies beside the sources."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, so that both are whole."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_only_gramdex(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top.split("-")[0] for top in tops} == {"gramdex"}
    assert tops == {"gramdex", f"gramdex-{metadata.version('gramdex')}.dist-info"}
    assert not [name for name in names if "test" in name.lower()]


def test_the_wheel_holds_every_source(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = [path for folder in PACKAGES for path in (ROOT / folder).rglob("*.py")]
    sources.remove(ROOT / "rpc" / "proto" / "generate.py")  # for who changes the proto
    assert len(sources) > 40
    expected = {f"gramdex/{path.relative_to(ROOT)}" for path in sources}
    expected |= {f"gramdex/{path.name}" for path in (ROOT / "gramdex").glob("*.py")}
    expected |= {"gramdex/py.typed", "gramdex/tools/bench/peers/sdsl_driver.cpp"}
    report = ("benchmarks.toml", "report.css", "report.html", "report.js")
    expected |= {f"gramdex/tools/contamination/{name}" for name in report}
    for pattern in DATA:
        found = {f"gramdex/{path.relative_to(ROOT)}" for path in ROOT.glob(pattern)}
        assert found, pattern
        expected |= found
    assert expected == {n for n in names if n.startswith("gramdex/")}


def test_the_wheel_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import gramdex; "
        "assert gramdex.__file__.startswith(sys.argv[1]); "
        "open('a.txt', 'w').write('banana'); gramdex.build('a.txt', 'index'); "
        "print(gramdex.open('index').count('an'), len(list(gramdex.__path__)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "site")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["2", "1"], done.stderr


def test_this_installation_adds_only_gramdex() -> None:
    site = sysconfig.get_path("purelib")
    (installed,) = metadata.distributions(name="gramdex", path=[site])
    inside = [str(file) for file in installed.files or () if not str(file).startswith("..")]
    assert inside
    assert all("gramdex" in file for file in inside)


def test_importing_is_light(tmp_path: Path) -> None:
    """Libraries that take long to load wait until something needs them."""
    script = "import gramdex, sys; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    heavy = {"numba", "numpy", "rich", "typer", "fsspec", "tokenizers", "pyarrow", "zstandard"}
    assert "gramdex" in done.stdout.split()
    assert not heavy & set(done.stdout.split())


def test_public_names_are_there() -> None:
    import gramdex

    assert set(gramdex.__all__) <= set(dir(gramdex))
    for name in gramdex.__all__:
        assert getattr(gramdex, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = gramdex.no_such_name
    assert gramdex.__version__ == metadata.version("gramdex")
