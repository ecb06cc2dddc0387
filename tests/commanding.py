"""Running the command line in this process and in others, for tests."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gramdex.tools import cli


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The only line of stdout."""
        (line,) = self.out.removesuffix("\n").split("\n")
        return json.loads(line)

    @property
    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def json_error(self) -> Any:
        """The last line of stderr."""
        return json.loads(self.err.splitlines()[-1])


class Command:
    """Runs the command line in this process."""

    def __init__(self, monkeypatch: Any, capsys: Any) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: Any, stdin: bytes = b"", columns: int = 80) -> Outcome:
        self._monkeypatch.setenv("COLUMNS", str(columns))
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._capsys.readouterr()
        code = cli.run([str(argument) for argument in arguments])
        said = self._capsys.readouterr()
        return Outcome(code, said.out, said.err)


def child(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
    """Start the command line in a process of its own, in a session of its own."""
    settings: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "start_new_session": True,
    }
    command = [sys.executable, "-m", "gramdex", *map(str, arguments)]
    return subprocess.Popen(command, **(settings | options))


def finish(process: subprocess.Popen[bytes]) -> Outcome:
    """Wait for a child."""
    out, err = process.communicate(timeout=120)
    return Outcome(process.returncode, (out or b"").decode(), (err or b"").decode())


def plain_environment(**more: str) -> dict[str, str]:
    """Environment in which nothing asks for colour."""
    unwanted = {"FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "COLUMNS"}
    return {name: value for name, value in os.environ.items() if name not in unwanted} | more


def write_jsonl(path: Path, texts: list[str]) -> Path:
    """Corpus of texts, with a title each."""
    records = [{"text": text, "title": f"title {i}"} for i, text in enumerate(texts)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
