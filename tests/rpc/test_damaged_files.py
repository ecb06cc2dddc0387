"""Files that are cut off or vanish under a running server: no crash and no wrong number."""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from asking import as_query
from serving import Asker, Server, wait_until
from texts import build_text

import gramdex
from gramdex.errors import CorruptIndexError
from gramdex.rpc import v1
from gramdex.rpc.server.health import ask_health

WORDS = ["the", "cat", "sat", "on", "mats", "and", "hats"]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="mappings are guarded on Linux")


@pytest.fixture(scope="module", params=["sa", "fm"])
def built(request: Any, tmp_path_factory: Any) -> Path:
    rng = random.Random(7)
    texts = [" ".join(rng.choices(WORDS, k=5_000)) for _ in range(20)]
    return build_text(tmp_path_factory.mktemp("built"), texts, "bytes", engine=request.param)


def requests() -> list[tuple[str, Any]]:
    query = as_query("cat sat")
    return [
        ("Count", v1.CountRequest(query=query)),
        ("InfgramNtd", v1.InfgramNtdRequest(context=query)),
        ("Match", v1.MatchRequest(text=as_query("the cat sat on hats"))),
        ("GetDocument", v1.GetDocumentRequest(number=19)),
        ("Attribute", v1.AttributeRequest(text=as_query("cat sat on the mats " * 3))),
    ]


def said_of(ask: Asker, name: str, request: Any) -> Any:
    """The answer without its generation, or the status and text of the error."""
    try:
        answer = ask(name, request)
    except grpc.RpcError as error:
        return error.code().name, error.details()
    answer.generation = 0
    return answer


@LINUX
@pytest.mark.parametrize("share", [0.0, 0.3, 0.97])
def test_files_that_are_cut_off(built: Path, tmp_path: Path, share: float) -> None:
    index = tmp_path / "index"
    shutil.copytree(built, index)
    with Server(index, "--reload-seconds", "1000") as server, Asker(server.port) as ask:
        right = {name: said_of(ask, name, request) for name, request in requests()}
        assert not any(isinstance(said, tuple) for said in right.values())
        for file in sorted(index.glob("shard-*/*.gdx")):
            with file.open("r+b") as opened:
                opened.truncate(int(file.stat().st_size * share) & ~4095)
        lost = 0
        for _ in range(3):
            for name, request in requests():
                said = said_of(ask, name, request)
                if said != right[name]:
                    assert said[0] == "DATA_LOSS", (name, said)
                    assert str(index) in said[1]
                    lost += 1
        assert lost
        assert server.process.poll() is None
        wait_until(lambda: not ask_health(server.health, 5.0))
        with pytest.raises(CorruptIndexError, match="restore the index"):
            gramdex.connect(f"127.0.0.1:{server.port}")
        code, _ = server.end()
        assert code == 0


def test_files_that_vanish(built: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(built, index)
    with Server(index, "--reload-seconds", "0.1") as server, Asker(server.port) as ask:
        right = {name: said_of(ask, name, request) for name, request in requests()}
        shutil.rmtree(index)
        for _ in range(20):
            assert {name: said_of(ask, name, request) for name, request in requests()} == right
        assert ask_health(server.health, 5.0)
