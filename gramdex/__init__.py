"""Exact n-gram, ∞-gram and suffix-array queries over tokenized corpora.

>>> import gramdex
>>> report = gramdex.build("corpus.jsonl.zst", "corpus.gdx")      # doctest: +SKIP
>>> index = gramdex.open("corpus.gdx")                            # doctest: +SKIP
>>> index.count("suffix array")                                   # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramdex import errors

__version__ = "0.1.0"

if (_checkout := Path(__file__).parent.parent).joinpath("pyproject.toml").is_file():
    # In a checkout the packages lie beside this folder, not in it.
    __path__.append(str(_checkout))

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.fmindex.opening import open_index as open
    from gramdex.fmindex.tokenizers import load_tokenizer
    from gramdex.fmindex.warmup import warmup
    from gramdex.indexer.build import build
    from gramdex.indexer.readers import ReadOptions
    from gramdex.rpc.client.connecting import connect

__all__ = [
    "Index",
    "ReadOptions",
    "build",
    "connect",
    "errors",
    "load_tokenizer",
    "open",
    "warmup",
]

_HOMES = {
    "Index": ("gramdex.fmindex.index", "Index"),
    "ReadOptions": ("gramdex.indexer.readers", "ReadOptions"),
    "build": ("gramdex.indexer.build", "build"),
    "connect": ("gramdex.rpc.client.connecting", "connect"),
    "load_tokenizer": ("gramdex.fmindex.tokenizers", "load_tokenizer"),
    "open": ("gramdex.fmindex.opening", "open_index"),
    "warmup": ("gramdex.fmindex.warmup", "warmup"),
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that ``import gramdex`` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gramdex' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
