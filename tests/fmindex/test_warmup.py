"""Compiling every query kernel ahead of use."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gramdex
from gramdex.fmindex import warmup as module
from gramdex.kernels.suffix_array import search

ENGINE = Path(__file__).parent.parent.parent / "fmindex" / "engines" / "suffix_array.py"


def test_warmup_compiles_every_kernel_the_engine_calls() -> None:
    gramdex.warmup()
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(ENGINE.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    modules = {m.__name__.rsplit(".", 1)[1]: names for m, names in module.QUERY_KERNELS.items()}
    called = {tuple(c.split(".")) for c in calls if c.split(".")[0] in modules}
    assert called == {(name, kernel) for name, kernels in modules.items() for kernel in kernels}


def test_warmup_notices_a_kernel_that_answers_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "count", lambda shards, pattern: 3)
    with pytest.raises(RuntimeError, match="answer wrongly"):
        gramdex.warmup()
