"""What this machine offers Gramdex, looked at part by part."""

from __future__ import annotations

import importlib
import importlib.metadata
import locale
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gramdex
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.tools.output import duration, size

CORE = ("numpy", "numba", "pydivsufsort", "fsspec", "xxhash", "zstandard", "typer", "rich")
EXTRAS = {
    "tokenizers": "huggingface",
    "tiktoken": "tiktoken",
    "sentencepiece": "sentencepiece",
    "pyarrow": "parquet",
}
_PROTOCOLS = ("file", "http", "s3", "gs", "abfs", "hf", "hdfs", "ssh")
_LEAST_FREE = 1 << 30


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        value: what was found, for people.
        works: False where Gramdex cannot work so.
        advice: what to do, where something could be better.
        data: what was found, for programs.
    """

    name: str
    value: str
    works: bool = True
    advice: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def checks() -> Iterator[Check]:
    """Look at everything, one by one; the last takes seconds where kernels are not compiled."""
    yield _python()
    yield from (_package(name) for name in CORE)
    yield from (_extra(name, extra) for name, extra in EXTRAS.items())
    yield _cores()
    yield _memory()
    yield _disk("disk here", Path.cwd())
    if _works("gramdex.kernels.jit"):
        yield from _cache()
        yield _warmup()
    yield _protocols()
    yield _terminal()


def _python() -> Check:
    version = platform.python_version()
    works = sys.version_info >= (3, 11)
    value = f"{version}, gramdex {gramdex.__version__}, {platform.system()} {platform.machine()}"
    data = {"version": version, "gramdex": gramdex.__version__, "platform": platform.platform()}
    return Check("python", value, works, "" if works else "install Python 3.11 or newer", data)


def _package(name: str) -> Check:
    found = installed_version(name)
    if found is None or not _works(name):
        return Check(name, found or "missing", False, f"pip install {name}", {"version": found})
    return Check(name, found, data={"version": found})


def _extra(name: str, extra: str) -> Check:
    found = installed_version(name)
    advice = "" if found else f"for {extra}: pip install 'gramdex[{extra}]'"
    return Check(name, found or "not installed", True, advice, {"version": found, "extra": extra})


def installed_version(name: str) -> str | None:
    """Version of a package, or None where it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _works(module: str) -> bool:
    try:
        importlib.import_module(module)
    except Exception:
        return False
    return True


def _cores() -> Check:
    usable = usable_cores()
    value = f"{usable} usable of {os.cpu_count()}"
    return Check("cores", value, data={"usable": usable, "total": os.cpu_count()})


def _memory() -> Check:
    page = os.sysconf("SC_PAGE_SIZE")
    total = page * os.sysconf("SC_PHYS_PAGES")
    free = page * os.sysconf("SC_AVPHYS_PAGES") if "SC_AVPHYS_PAGES" in os.sysconf_names else None
    with suppress(OSError, IndexError, ValueError):  # counts what caches would give back
        lines = Path("/proc/meminfo").read_text().splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable"))
        free = int(line.split()[1]) * 1024
    said = f"{size(total)}" + (f", {size(free)} free" if free is not None else "")
    return Check("memory", said, data={"total": total, "available": free})


def _disk(name: str, folder: Path) -> Check:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    usage = shutil.disk_usage(existing)
    advice = "" if usage.free >= _LEAST_FREE else "little room: an index takes 5 bytes a token"
    value = f"{size(usage.free)} free at {folder}"
    return Check(name, value, True, advice, {"path": str(folder), "free": usage.free})


def _cache() -> Iterator[Check]:
    from gramdex.kernels import jit

    if jit.JIT_DISABLED:
        advice = "unset NUMBA_DISABLE_JIT, queries are slow without compiled kernels"
        yield Check("kernel cache", "not used", True, advice, {"path": None, "writable": False})
    elif jit.CACHE_DIRECTORY is None:
        advice = "set GRAMDEX_CACHE_DIR to a folder that can be written, else every process "
        advice += "compiles its kernels again"
        yield Check("kernel cache", "not writable", True, advice, {"path": None, "writable": False})
    else:
        path = Path(jit.CACHE_DIRECTORY)
        yield Check("kernel cache", str(path), data={"path": str(path), "writable": True})
        yield _disk("disk of cache", path)


def _warmup() -> Check:
    started = time.perf_counter()
    try:
        gramdex.warmup()
    except Exception as error:
        return Check("kernels", f"{type(error).__name__}: {error}", False, "reinstall gramdex")
    seconds = time.perf_counter() - started
    data = {"seconds": round(seconds, 3)}
    return Check("kernels", f"ready in {duration(seconds)}, and they answer rightly", data=data)


def _protocols() -> Check:
    if not _works("fsspec"):
        return Check("protocols", "no fsspec", False, "pip install fsspec")
    usable = [name for name in _PROTOCOLS if _opens(name)]
    lacking = [name for name in _PROTOCOLS if name not in usable]
    advice = f"to read from {', '.join(lacking)}, install what fsspec asks for" if lacking else ""
    return Check("protocols", ", ".join(usable), True, advice, {"usable": usable})


def _opens(protocol: str) -> bool:
    import fsspec

    try:
        fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError):
        return False
    return True


def _terminal() -> Check:
    encoding = sys.stdout.encoding or "unknown"
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns
    value = f"{locale.getlocale()[0] or 'C'}, {encoding}, "
    value += f"terminal of {width} columns" if terminal else "no terminal"
    unicode = encoding.lower().replace("-", "") == "utf8"
    advice = "" if unicode else "set LANG=C.UTF-8 to see every character"
    data = {"encoding": encoding, "terminal": terminal, "columns": width}
    return Check("output", value, True, advice, data)
