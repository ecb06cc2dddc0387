"""What a figure depends on besides the code: the machine, the versions, the data."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from gramdex.fmindex.engines.threads import usable_cores
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.doctor import installed_version

PACKAGES = ("gramdex", "numpy", "numba", "llvmlite", "pydivsufsort", "infini-gram")


def describe(corpus: Corpus, held_out: Corpus | None = None) -> dict[str, Any]:
    """All of it: the machine, the versions, the data."""
    return {
        "machine": describe_machine(),
        "versions": describe_versions(),
        "data": describe_data(corpus, held_out),
    }


def describe_data(corpus: Corpus, held_out: Corpus | None = None) -> dict[str, Any]:
    """What the figures are of."""
    return {
        "name": corpus.name,
        "tokens": int(corpus.ids.size),
        "documents": int(corpus.lengths.size),
        "longest_document": int(corpus.lengths.max()),
        "bytes_per_token": corpus.width,
        "vocabulary_size": corpus.vocabulary_size,
        "held_out": None if held_out is None else held_out.name,
        "held_out_tokens": None if held_out is None else int(held_out.ids.size),
    }


def describe_machine() -> dict[str, str | int]:
    """Processor, cores this process may use, memory, system."""
    usable = usable_cores()
    return {
        "cpu": _cpu_model(),
        "cores": usable or 1,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}",
    }


def describe_versions() -> dict[str, str]:
    """Versions of Python and of every package that takes part."""
    found = {package: installed_version(package) or "not installed" for package in PACKAGES}
    return {"python": platform.python_version(), **found}


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
