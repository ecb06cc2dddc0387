"""Files that put a server on a machine agree with what it is."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from gramdex.rpc.server.settings import Settings
from gramdex.tools.cli import app

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "tools" / "deploy"
FOLDERS = {"gramdex", "kernels", "fmindex", "indexer", "decoding", "rpc", "tools"}


def test_the_container_copies_what_a_wheel_is_made_of() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    copied = set(re.findall(r"(?m)^COPY (\w+) \1$", text))
    assert copied == FOLDERS
    (files,) = re.findall(r"(?m)^COPY (.*) \./$", text)
    assert {"pyproject.toml", "README.md", "LICENSE"} <= set(files.split())
    assert all((ROOT / name).exists() for name in files.split())


def test_the_container_does_not_run_as_root_and_asks_the_default_port() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert re.search(r"(?m)^USER (?!root)", text)
    settings = Settings(("index",))
    assert f"EXPOSE {settings.port} {settings.health_address_port}" in text
    assert f'"gramdex", "health", "127.0.0.1:{settings.health_address_port}"' in text


def test_the_unit_waits_longer_than_the_server_and_lets_kernels_compile() -> None:
    lines = (DEPLOY / "gramdex.service").read_text().splitlines()
    unit = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    assert int(unit["TimeoutStopSec"]) > Settings(("index",)).grace + 5
    assert unit["MemoryDenyWriteExecute"] == "no"
    assert unit["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert unit["DynamicUser"] == "yes"
    command = unit["ExecStart"].split()
    assert command[0].endswith("/gramdex")
    assert command[1] in typer.main.get_command(app).commands  # type: ignore[attr-defined]
