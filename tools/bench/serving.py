"""A server under load: latency, rate, what it does with four times what it can.

Server and generator are processes, each on a core of its own where there are two; what the server
takes is counted in its own processor time, so a rate per core is calls by that. Kernels are
compiled and pages read before anything is timed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gramdex
from gramdex.errors import GramdexError
from gramdex.fmindex.index import Index
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.load import Load, in_generator, load_beside
from gramdex.tools.bench.serving_cases import ServingCase, serving_cases
from gramdex.tools.bench.turns import Say, silent

_INFLIGHT = 16
"""Calls at a time by which the most that a server can is found."""


@dataclass(frozen=True)
class ServingSettings:
    """What is measured.

    Attributes:
        seconds: of each measurement.
        runs: of each measurement.
        seed: of patterns and arrivals.
        overload: times the most the server can.
    """

    seconds: float = 5.0
    runs: int = 3
    seed: int = 0
    overload: float = 4.0


def run_serving(
    folder: Path,
    parts: Sequence[Path],
    held_out: str,
    settings: ServingSettings,
    say: Say = silent,
) -> dict[str, Any]:
    """Measure a server of an index, and a router over servers of parts of a corpus.

    Args:
        folder: of the index.
        parts: indexes of one tokenizer; the router is measured beside one server of all of them.
        held_out: a text that is not in them.
        settings: see there.
        say: told what is going on.

    Raises:
        GramdexError: an answer is not that of the index, or a server ends.
    """
    say("opening the indexes")
    index = gramdex.open(folder)
    for each in (folder, *parts):
        timing.warm_pages(each)
    cases = list(serving_cases(index, held_out, settings.seed))
    server_core, generator_core = _cores()
    rows, routed = [], []
    with _server([folder], server_core, ()) as server:
        for case in cases:
            say(f"server: {case.label}")
            case.compare(server.target)
            rows.append(_measure(server, case, settings, generator_core))
    if parts:
        cases = list(serving_cases(gramdex.open(list(parts)), held_out, settings.seed))
        routed = _route(parts, cases, settings, say)
    return {
        "bench": "serving",
        "machine": machine.describe_machine(),
        "versions": machine.describe_versions(),
        "data": _describe(index),
        "settings": asdict(settings)
        | {"server_core": server_core, "generator_core": generator_core},
        "rows": rows,
        "router": routed,
    }


def _describe(index: Index) -> dict[str, Any]:
    names = ", ".join(folder.name for folder in index.folders)
    return {"name": names, "tokens": index.token_count, "documents": index.document_count}


def _cores() -> tuple[int | None, int | None]:
    """A core for the server and one for the generator; None where there are no two to choose."""
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        return None, None
    first, *_, last = sorted(os.sched_getaffinity(0))
    return last, first


@dataclass
class _Server:
    """A server that runs."""

    process: subprocess.Popen[str]
    target: str

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _server(folders: Sequence[Path], core: int | None, options: Sequence[str]) -> Iterator[_Server]:
    """Start ``gramdex serve`` on a port that is free; ended with the block."""
    program = "from gramdex.tools.cli import main; main()"
    if core is not None:
        program = f"import os; os.sched_setaffinity(0, {{{core}}}); {program}"
    command = [sys.executable, "-c", program, "serve", *map(str, folders)]
    command += ["--port", "0", "--health-port", "0", "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise GramdexError("a measured server", f"exit code {process.wait()}", "it is ready")
        yield _Server(process, f"127.0.0.1:{json.loads(line)['port']}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _measure(
    server: _Server, case: ServingCase, settings: ServingSettings, core: int | None
) -> dict[str, Any]:
    """One by one, as many as it can, at half of that, and at several times that."""

    def load(**how: Any) -> Load:
        return in_generator(
            server.target, case.method, case.requests, core=core, seconds=settings.seconds, **how
        )

    row: dict[str, Any] = {"label": case.label, "per_call": case.per_call, "runs": []}
    for run in range(settings.runs):
        alone = load(inflight=1)
        before = server.cpu_seconds()
        most = load(inflight=_INFLIGHT)
        cpu = server.cpu_seconds() - before
        rate = len(most.served) / most.seconds
        found = {
            "alone": _latency(alone.served),
            "rate": rate * case.per_call,
            "rate_per_core": len(most.served) * case.per_call / cpu,
            "half": _paced(load(rate=rate / 2, seed=settings.seed + run), rate / 2),
        }
        if case.overload and shutil.which("h2load"):
            asked = rate * settings.overload
            with load_beside(server.target, case.method, case.requests[0], asked, core):
                found["overload"] = _ended(load(inflight=1, loaded=True), asked)
            load(inflight=1)  # until what was sent then is refused or answered
        row["runs"].append(found)
    return row


def _paced(load: Load, asked: float) -> dict[str, Any]:
    """What became of calls that were sent at a rate."""
    sent = len(load.served) + len(load.refused)
    late = {"late_p99": float(np.percentile(load.late, 99))}
    return _ended(load, asked) | late | {"sent_rate": sent / load.seconds}


def _ended(load: Load, asked: float) -> dict[str, Any]:
    """What became of calls beside a load of so many calls per second."""
    return {
        "asked_rate": asked,
        "served": _latency(load.served),
        "refused": _latency(load.refused),
        "statuses": load.statuses,
    }


def _latency(microseconds: Sequence[float]) -> dict[str, Any] | None:
    return asdict(timing.percentiles(microseconds)) if microseconds else None


def _route(
    folders: Sequence[Path], cases: Sequence[ServingCase], settings: ServingSettings, say: Say
) -> list[dict[str, Any]]:
    """A router over a server of each index, beside one server of all, on all cores."""
    with ExitStack() as stack:
        single = stack.enter_context(_server(folders, None, ()))
        members = [stack.enter_context(_server([folder], None, ())) for folder in folders]
        shards = ",".join(member.target for member in members)
        router = stack.enter_context(_server((), None, ("--shards", shards)))
        rows = []
        for case in cases:
            say(f"router: {case.label}")
            case.compare(router.target)
            row: dict[str, Any] = {"label": case.label, "runs": []}
            for _ in range(settings.runs):
                found = {
                    name: _latency(
                        in_generator(
                            server.target,
                            case.method,
                            case.requests,
                            seconds=settings.seconds,
                            inflight=1,
                        ).served
                    )
                    for name, server in (("single", single), ("router", router))
                }
                row["runs"].append(found)
            rows.append(row)
        return rows
