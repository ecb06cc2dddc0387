"""What a fresh process costs: importing gramdex, and its first answer."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import gramdex
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.turns import Say, in_turns, silent

_WARMUP = """
import json, time
import gramdex
started = time.perf_counter()
gramdex.warmup()
print(json.dumps(time.perf_counter() - started))
"""
_FIRST_QUERY = """
import sys
import gramdex
index = gramdex.open(sys.argv[1])
print(index.count([int(token) for token in sys.argv[2].split()]))
"""
_SAMPLE = "\n".join(f"{n} squared is {n * n}." for n in range(2000))


def time_kernels(cache: Path) -> dict[str, float]:
    """Seconds of ``gramdex.warmup()`` in fresh processes: compiling, and loading what was kept.

    Args:
        cache: an empty or missing folder for the compiled kernels.
    """
    compiling, loading = (json.loads(timing.run_python("-c", _WARMUP, cache=cache)) for _ in "12")
    return {"compile_seconds": compiling, "load_seconds": loading}


def run_startup(index: Path | None, processes: int, say: Say = silent) -> dict[str, Any]:
    """Time fresh processes; what `gramdex bench startup --json` prints.

    Args:
        index: to ask; None for a small one made here.
        processes: of each kind, taking turns.
        say: told what is being done.
    """
    with tempfile.TemporaryDirectory(prefix="gramdex-bench-") as folder:
        work = Path(folder)
        path = index or _small_index(work)
        opened = gramdex.open(path)
        timing.warm_pages(path)
        query = " ".join(map(str, opened.document(0).ids[:5].tolist()))
        kinds = {
            "python -c pass": ["-c", "pass"],
            "import gramdex": ["-c", "import gramdex"],
            "first count": ["-c", _FIRST_QUERY, str(path), query],
        }
        say("compiling kernels into an empty cache")
        cold = _seconds(kinds["first count"], work / "kernels")
        tasks = {n: partial(_seconds, kind, work / "kernels") for n, kind in kinds.items()}
        taken = in_turns(tasks, processes, say)
    return {
        "bench": "startup",
        "machine": machine.describe_machine(),
        "versions": machine.describe_versions(),
        "data": {
            "name": path.name if index else "a small generated index",
            "tokens": opened.token_count,
            "documents": opened.document_count,
        },
        "settings": {"processes": processes, "page_cache": "warm"},
        "seconds": {kind: asdict(timing.spread(values)) for kind, values in taken.items()},
        "first_count_cold_kernels_seconds": cold,
    }


def _seconds(arguments: list[str], cache: Path) -> float:
    started = time.perf_counter()
    timing.run_python(*arguments, cache=cache)
    return time.perf_counter() - started


def _small_index(work: Path) -> Path:
    (work / "sample.txt").write_text(_SAMPLE)
    gramdex.build(work / "sample.txt", work / "index")
    return work / "index"
