"""A pool of threads does all the work once, at most so many parts at a time, and reports errors."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading

import pytest

from gramdex.fmindex.engines.threads import Threads, beside


@pytest.mark.parametrize("number", [1, 2, 3, 8])
@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 100, 1001])
def test_parts_make_up_the_whole(number: int, size: int) -> None:
    parts: list[tuple[int, int]] = []
    Threads(number).over(size, 10, lambda start, end: parts.append((start, end)))
    assert len(parts) == max(1, min(number, size // 10))
    assert [i for part in sorted(parts) for i in range(*part)] == list(range(size))


def test_parts_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=30)
    Threads(3).over(3, 1, lambda start, end: meeting.wait())
    assert not meeting.broken


def test_the_first_error_is_raised_when_all_have_ended() -> None:
    ended: list[int] = []

    def work(start: int, end: int) -> None:
        if start == 1:
            raise ValueError("part 1")
        ended.append(start)

    with pytest.raises(ValueError, match="part 1"):
        Threads(3).over(3, 1, work)
    assert sorted(ended) == [0, 2]


@pytest.mark.parametrize("threads", [1, 2])
def test_work_beside_a_block_is_done_once(threads: int) -> None:
    done: list[int] = []
    begun = threading.Event()

    def work() -> str:
        begun.set()
        done.append(threading.get_ident())
        return "made"

    with beside(work, threads) as made:
        assert begun.wait(30 if threads > 1 else 0) == (threads > 1)
        assert made() == "made"
    assert len(done) == 1
    assert (done[0] == threading.get_ident()) == (threads == 1)


def test_what_fails_beside_a_block_is_raised_in_it() -> None:
    def work() -> None:
        raise ValueError("beside")

    with beside(work, 2) as made, pytest.raises(ValueError, match="beside"):
        made()


def _summed(threads: Threads) -> int:
    done: list[int] = []
    threads.over(100, 10, lambda start, end: done.append(end - start))
    return sum(done)


def test_a_forked_child_has_threads_of_its_own() -> None:
    threads = Threads(3)
    assert _summed(threads) == 100
    child = multiprocessing.get_context("fork").Process(
        target=lambda: os._exit(_summed(threads) == 100)
    )
    child.start()
    child.join(60)
    child.kill()
    assert child.exitcode == 1


def test_work_is_done_where_no_thread_can_be_had() -> None:
    """As after the end of the main thread, when others still work."""
    code = (
        "import threading, time\n"
        "from gramdex.fmindex.engines.threads import Threads, beside\n"
        "threads = Threads(4)\n"
        "def work():\n"
        "    threading.main_thread().join()\n"
        "    time.sleep(0.2)\n"
        "    done = []\n"
        "    threads.over(100, 10, lambda start, end: done.append(end - start))\n"
        "    with beside(lambda: 'made', 2) as made:\n"
        "        print(sum(done), made())\n"
        "threading.Thread(target=work).start()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["100", "made"], "")
