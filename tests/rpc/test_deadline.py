"""What is asked of servers for a call has the time that is left for it."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from asking import Patient
from serving import Server
from texts import build_text

import gramdex
from gramdex.errors import DeadlineError
from gramdex.rpc.deadline import ending, seconds_of
from gramdex.rpc.server.service import Waiting


def test_the_shorter_time_counts() -> None:
    assert seconds_of(30.0) == 30.0
    with ending(time.monotonic() + 10):
        assert 0 < seconds_of(30.0) <= 10
        assert seconds_of(0.001) == 0.001
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(copy_context().run, seconds_of, 30.0).result() <= 10
            assert pool.submit(seconds_of, 30.0).result() == 30.0
    with ending(time.monotonic() - 1):
        assert seconds_of(30.0) == 0.0
    assert seconds_of(30.0) == 30.0


def test_a_member_that_hangs_holds_a_router_no_longer_than_its_caller_waits(
    tmp_path_factory: Any,
) -> None:
    texts = (["the cat"], ["the hat"])
    folders = [build_text(tmp_path_factory.mktemp("part"), some, "bytes") for some in texts]
    with Server(folders[0]) as first, Server(folders[1]) as second:
        shards = f"localhost:{first.port},localhost:{second.port}"
        with Server("--shards", shards, "--threads", "1") as router:
            index = gramdex.connect(f"localhost:{router.port}", attempts=1)
            assert index.count("the") == 2
            os.kill(second.process.pid, signal.SIGSTOP)
            with pytest.raises(DeadlineError):
                index.with_timeout(0.5).count("the")
            with pytest.raises(DeadlineError):  # and not refused: the only thread is free again
                index.with_timeout(2.0).count("the")
            os.kill(second.process.pid, signal.SIGCONT)
            assert index.count("the") == 2


def test_a_deadline_that_is_now_is_one() -> None:
    class Hurried(Patient):
        def seconds_left(self) -> Any:
            return 0.0

    before = time.monotonic()
    assert Waiting(Patient(), 30).end >= before + 30
    assert Waiting(Hurried(), 30).end <= time.monotonic()
