"""Run mypy over the package as it is installed: the folders laid side by side under one name."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "gramdex"
        package.mkdir()
        for source in (ROOT / "gramdex").iterdir():
            (package / source.name).symlink_to(source)
        for name in ("kernels", "fmindex", "indexer", "decoding", "rpc", "tools"):
            (package / name).symlink_to(ROOT / name)
        command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
        command += ["--cache-dir", str(ROOT / ".mypy_cache"), "-p", "gramdex"]
        return subprocess.run(
            command, cwd=folder, env=os.environ | {"MYPYPATH": folder}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
