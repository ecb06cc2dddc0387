"""The examples of docs/HTTP.md, run."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from http_serving import serving

import gramdex
from gramdex.rpc.http import json_reading
from gramdex.rpc.server.service import Service
from gramdex.rpc.server.serving import Serving

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "HTTP.md").read_text()
EXAMPLES = re.findall(r"```console\n\$ (.+)\n((?:.+\n)+?)```", TEXT)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_the_examples_say_what_they_say() -> None:
    assert len(EXAMPLES) == TEXT.count("```console") == 6
    with serving(Service(Serving(gramdex.open(ROOT / "tests" / "golden" / "v3-bpe")))) as site:
        for command, said in EXAMPLES:
            here = command.replace("localhost:8080", f"localhost:{site.port}")
            here = here.replace("curl -s", "curl -s -4 --noproxy '*'")
            done = subprocess.run(
                ["sh", "-c", here], capture_output=True, text=True, check=True, timeout=60
            )
            assert done.stdout == said


def test_the_forms_are_those_of_the_code() -> None:
    for name in ("Query", "TokenChoice", "Int64Array", "TokenBatch", "Float64Array", "fixed64"):
        assert f"`{name}`" in TEXT
        assert name in (json_reading.__doc__ or "")
