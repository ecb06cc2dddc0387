"""Compiling every query kernel ahead of use."""

from __future__ import annotations

import ast
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

import gramdex
from gramdex.fmindex import warmup as module
from gramdex.fmindex.engines import suffix_array
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.fm_index import FMEngine
from gramdex.fmindex.engines.fm_shard import FMShard
from gramdex.fmindex.engines.suffix_array import SuffixArrayEngine
from gramdex.fmindex.format.sections import SectionFile
from gramdex.indexer.successors import KIND, write_successors

ENGINES = Path(__file__).parent.parent.parent / "fmindex" / "engines"


def test_warmup_compiles_every_kernel_the_engines_call() -> None:
    gramdex.warmup()
    called = set()
    for engine in (SuffixArrayEngine, FMEngine):
        for kernel in astuple(engine.kernels):
            called.add((kernel.py_func.__module__, kernel.py_func.__name__))
    for file, folder in (("fm_index.py", "fm"), ("suffix_array.py", "suffix_array")):
        for node in ast.walk(ast.parse((ENGINES / file).read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                place, name = ast.unparse(node.func).rsplit(".", 1)
                if place in ("walk", "unwind", "drafting"):
                    called.add((f"gramdex.kernels.{folder}.{place}", name))
    modules = module.QUERY_KERNELS.items()
    assert called == {(m.__name__, name) for m, names in modules for name in names}


@pytest.mark.parametrize("engine", [SuffixArrayEngine, FMEngine])
def test_warmup_notices_a_kernel_that_answers_wrongly(
    engine: type[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels = suffix_array.Kernels(*astuple(engine.kernels))
    object.__setattr__(kernels, "count", lambda shards, pattern: 3)
    monkeypatch.setattr(engine, "kernels", kernels)
    with pytest.raises(RuntimeError, match="answer wrongly"):
        gramdex.warmup()


def test_the_small_shard_is_what_a_build_writes(tmp_path: Path) -> None:
    text, suffixes = np.array([1, 2, 1, 3, 0], np.uint8), np.array([4, 0, 2, 1, 3], np.uint32)
    write_successors(tmp_path / "x", text, suffixes, np.array([1, 2, 1, 1], np.int64), rate=2)
    written = FMShard(SectionFile(tmp_path / "x", KIND), 5, 4)
    small = module.small_fm_shard()
    names = ["starts", "stream", "groups", "directory", "permutation", "decoders", "alphabet"]
    for name in names:
        assert getattr(small, name).tolist() == getattr(written, name).tolist(), name
    assert small.samples == written.samples
