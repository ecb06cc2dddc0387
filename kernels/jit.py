"""The one decorator of every kernel, and where its compiled code is kept.

``NUMBA_DISABLE_JIT=1`` runs kernels as plain Python (for coverage).
``GRAMDEX_CHECK_BOUNDS=1`` compiles them with a check before every load.
``GRAMDEX_CACHE_DIR`` moves the compiled code; the default is the user's cache directory.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

_config: Any = numba.config

CHECK_BOUNDS = os.environ.get("GRAMDEX_CHECK_BOUNDS", "0") not in ("", "0")
JIT_DISABLED = bool(_config.DISABLE_JIT)

_FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": CHECK_BOUNDS}


def _cache_root() -> Path:
    if configured := os.environ.get("GRAMDEX_CACHE_DIR"):
        return Path(configured)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "gramdex"


def _cache_key() -> str:
    """Hash of every kernel source and flag.

    numba notices a change in the file of a kernel, but not in another file whose function
    was inlined into it, nor in the flags.
    """
    digest = hashlib.sha256(repr(sorted(_FLAGS.items())).encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        name = source.relative_to(Path(__file__).parent).as_posix()
        digest.update(name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _cache_directory() -> str | None:
    """A directory that can be written, or None where compiled code cannot be kept."""
    try:
        directory = _cache_root() / "kernels" / _cache_key()
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return None
    return str(directory)


CACHE_DIRECTORY = None if JIT_DISABLED else _cache_directory()


def kernel(function: Callable, **flags: Any) -> Any:
    """Compile ``function`` on first call, without the GIL, and keep the machine code."""
    if CACHE_DIRECTORY is None:
        return numba.njit(**_FLAGS, **flags)(function)
    others, _config.CACHE_DIR = _config.CACHE_DIR, CACHE_DIRECTORY
    try:
        return numba.njit(cache=True, **_FLAGS, **flags)(function)
    finally:
        _config.CACHE_DIR = others


def inlined(function: Callable) -> Any:
    """As ``kernel``, and copied into every kernel that calls it.

    For helpers of hot loops that take arrays: a call that is not inlined counts the references
    to each of them, with atomic instructions.
    """
    return kernel(function, inline="always")


def callback(signature: str) -> Any:
    """Compile a function that C calls, at once and for this process alone; it must not raise.

    Unlike kernels it may hold addresses of this process, so it is not kept.
    """
    return numba.cfunc(signature, error_model="numpy")
