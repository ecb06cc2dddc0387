"""Load on a server from a process of its own: calls one by one, many at a time, or at a rate.

At a rate calls are sent when they are due, whatever has become of those before, and a latency is
counted from then: a server that falls behind is not asked less. The parent calls `in_generator`;
the generator is this module run as a program.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.rpc.methods import METHODS
from gramdex.tools.bench import timing

CHANNELS = 4
_WARM_UP = 50
_PATIENCE = 60.0
"""Seconds after which a call counts as lost."""


@dataclass
class Load:
    """What became of calls.

    Attributes:
        seconds: from the first sent to the last answered.
        served: microseconds of each call that was answered.
        refused: microseconds of each that ended with another status.
        statuses: how many ended with each.
        late: microseconds after it was due that a call was sent; the generator's own fault.
    """

    seconds: float = 0.0
    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)


def in_generator(target: str, method: str, requests: Sequence[bytes], **how: Any) -> Load:
    """Send requests in turn from a fresh process.

    Args:
        target: host and port.
        method: name of a method with one message each way.
        requests: that are sent again and again.
        how: ``core`` to run on, ``seconds`` to go on for, ``seed``; and ``inflight``, calls at a
            time, 1 for one after the other, or ``rate``, calls per second; ``loaded`` where others
            load the server, so that there is no warm-up.
    """
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        sizes = np.array([len(each) for each in requests])
        np.savez(file, sizes=sizes, data=np.frombuffer(b"".join(requests), np.uint8))
        file.flush()
        job = {"target": target, "method": method, "requests": file.name, **how}
        said = timing.run_python("-m", "gramdex.tools.bench.load", json.dumps(job))
    return Load(**json.loads(said.splitlines()[-1]))


@contextmanager
def load_beside(
    target: str, method: str, request: bytes, rate: float, core: int | None
) -> Iterator[None]:
    """Have h2load send one request at a rate, on many streams, while the block is done.

    It sends many times what a generator in Python can, and tells nothing of single calls.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\0" + len(request).to_bytes(4, "big") + request)
        file.flush()
        command = ["h2load", f"-c{CHANNELS}", "-m1000", "-t1", f"--rps={rate / CHANNELS:.0f}"]
        command += ["-D3600", "-d", file.name, "-H", "content-type: application/grpc"]
        command += ["-H", "te: trailers", f"http://{target}{METHODS[method].path}"]
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        process = subprocess.Popen([*pinned, *command], stdout=subprocess.DEVNULL)
        try:
            time.sleep(1.0)
            yield
        finally:
            process.terminate()
            process.wait()


class _Generator:
    """Sends the calls of one job."""

    def __init__(self, target: str, method: str, requests: list[bytes], loaded: bool) -> None:
        import grpc

        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._channels = [
            grpc.insecure_channel(target, [*options, ("gramdex.channel", number)])
            for number in range(CHANNELS)
        ]
        self._stubs = [each.unary_unary(METHODS[method].path) for each in self._channels]
        self._requests, self._statuses = requests, Counter[str]()
        self.load = Load()
        for number in range(0 if loaded else _WARM_UP):
            self._warm(number)

    def _warm(self, number: int) -> None:
        """One call that is not measured; again where a load before it still is being refused."""
        from grpc import RpcError, StatusCode

        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._stubs[number % CHANNELS](self._request(number), wait_for_ready=True)
                return
            except RpcError as error:
                if error.code() != StatusCode.RESOURCE_EXHAUSTED or time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _request(self, number: int) -> bytes:
        return self._requests[number % len(self._requests)]

    def one_by_one(self, seconds: float) -> None:
        """Each call when the one before has ended."""
        from grpc import RpcError

        end, number = time.perf_counter() + seconds, 0
        while (start := time.perf_counter()) < end:
            try:
                self._stubs[0](self._request(number), timeout=_PATIENCE)
                self._tell("OK", start)
            except RpcError as error:
                self._tell(error.code().name, start)
            number += 1

    def many(self, seconds: float, inflight: int) -> None:
        """So many calls at a time."""
        room, end, number = threading.Semaphore(inflight), time.perf_counter() + seconds, 0
        while (now := time.perf_counter()) < end:
            room.acquire()
            self._send(number, now, room)
            number += 1
        for _ in range(inflight):
            room.acquire()

    def paced(self, seconds: float, rate: float, seed: int) -> None:
        """Calls at random moments, so many per second on average."""
        gaps = np.random.default_rng(seed).exponential(1 / rate, int(seconds * rate))
        room, start = threading.Semaphore(0), time.perf_counter()
        for number, due in enumerate((start + np.cumsum(gaps)).tolist()):
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            self.load.late.append((time.perf_counter() - due) * 1e6)
            self._send(number, due, room)
        for _ in range(gaps.size):
            room.acquire()

    def _send(self, number: int, due: float, room: threading.Semaphore) -> None:
        call = self._stubs[number % CHANNELS].future(self._request(number), timeout=_PATIENCE)

        def done(ended: Any) -> None:
            self._tell(ended.code().name, due)
            room.release()

        call.add_done_callback(done)

    def _tell(self, status: str, since: float) -> None:
        took = (time.perf_counter() - since) * 1e6
        (self.load.served if status == "OK" else self.load.refused).append(took)
        self._statuses[status] += 1

    def finish(self, started: float) -> Load:
        """What became of the calls."""
        self.load.seconds = time.perf_counter() - started
        self.load.statuses = dict(self._statuses)
        return self.load


def main(job: dict[str, Any]) -> None:
    """Do a job and print what became of its calls."""
    if job.get("core") is not None:
        os.sched_setaffinity(0, {job["core"]})
    with np.load(Path(job["requests"])) as stored:
        parts = np.split(stored["data"], np.cumsum(stored["sizes"])[:-1])
    data = [part.tobytes() for part in parts]
    generator = _Generator(job["target"], job["method"], data, job.get("loaded", False))
    started = time.perf_counter()
    if "rate" in job:
        generator.paced(job["seconds"], job["rate"], job.get("seed", 0))
    elif job["inflight"] == 1:
        generator.one_by_one(job["seconds"])
    else:
        generator.many(job["seconds"], job["inflight"])
    sys.stdout.write(json.dumps(asdict(generator.finish(started))) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
