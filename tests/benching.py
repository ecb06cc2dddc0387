"""Running benchmarks on a tiny corpus, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from gramdex.indexer.readers import ReadOptions
from gramdex.tools.bench.cli import app

RAW = ReadOptions(format="raw", dtype="uint16", separator_id=65535)


def write_tokens(path: Path) -> Path:
    """A file of raw ids: documents that repeat themselves a little."""
    generator = np.random.default_rng(0)
    parts = []
    for _ in range(30):
        words = generator.integers(300, 400, (20, 5))
        parts += [words[generator.zipf(1.5, 40) % 20].reshape(-1), [65535]]
    np.concatenate(parts).astype("<u2").tofile(path)
    return path


def invoke(*arguments, width=80, exit_code=0):
    """What a command of ``gramdex bench`` prints; raises what it raises."""
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": str(width)})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == exit_code, result.output
    return result.stdout


def raw(path):
    """Options that name such a file."""
    return ("--tokens", path, "--dtype", "uint16", "--separator-id", 65535)
