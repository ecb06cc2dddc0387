"""Files mapped for reading, and what becomes of a process when one shrinks or its disk fails.

Touching a page that a file has no longer raises SIGBUS, which ends the process. A process that must
go on, as a server, calls ``guard_mappings`` once: from then on such a page reads as zeros, and the
file is known to be damaged. Kernels make do with any bytes, but what they answer is wrong, so
whoever answers asks ``MappedFiles`` after the work and before the answer is shown. What happens in
the signal handler is in ``kernels/mappings.py``.
"""

from __future__ import annotations

import ctypes
import mmap
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import CorruptIndexError, UnreadableIndexError
from gramdex.kernels import mappings
from gramdex.kernels.jit import JIT_DISABLED

MOST = 1 << 16
"""Files that are mapped at a time; as many ranges of memory as Linux gives a process."""

_SA_SIGINFO, _SA_RESTART = 4, 0x10000000
_TAIL = 1 << 12

_table = np.zeros((MOST, mappings.COLUMNS), np.int64)
_kept = np.zeros(mappings.KEPT_BYTES, np.uint8)
_free: list[int] = []
_unused = count()
_installing = threading.Lock()
_handler: Any = None


class _Action(ctypes.Structure):
    """``struct sigaction`` of Linux."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class Mapping(mmap.mmap):
    """A file mapped for reading, in the table of the signal handler for as long as it is mapped.

    Made by ``map_file``. It is unmapped when nothing refers to it any more, and never closed.
    """

    row = -1

    def __del__(self, table: np.ndarray = _table, free: list[int] = _free) -> None:
        if self.row >= 0:
            table[self.row, mappings.END] = 0  # first: the handler looks at any time
            table[self.row] = 0
            free.append(self.row)


def map_file(path: Path, descriptor: int, size: int) -> Mapping:
    """Map the first ``size`` > 0 bytes of an open file.

    Raises:
        OSError: the system does not map it.
        ValueError: it is not so long.
        UnreadableIndexError: MOST files are mapped.
    """
    mapping = Mapping(descriptor, size, access=mmap.ACCESS_READ)
    row = _free_row(path)
    content = np.frombuffer(mapping, np.uint8)
    begin = content.ctypes.data
    entry = _table[row]
    entry[mappings.HITS], entry[mappings.PROBE] = 0, begin
    entry[mappings.BEGIN] = begin
    entry[mappings.END] = begin + size
    mapping.row = row
    entry[mappings.PROBE] = begin + _last_set(content)
    return mapping


def _free_row(path: Path) -> int:
    try:
        return _free.pop()  # one step, whichever threads open files and whatever is collected
    except IndexError:
        row = next(_unused)
    if row >= MOST:
        raise UnreadableIndexError(
            str(path), f"{MOST:,} files are mapped", "fewer", "close other indexes first"
        )
    return row


def _last_set(content: np.ndarray) -> int:
    """Where the last byte that is not zero stands; 0 if there is none."""
    for end in range(content.size, 0, -_TAIL):
        start = max(0, end - _TAIL)
        found = np.flatnonzero(content[start:end])
        if found.size:
            return start + int(found[-1])
    return 0


def guard_mappings() -> bool:
    """Have this process outlive mapped files that shrink; whether it does from now on.

    Takes the signal SIGBUS, so it is for programs to call and not for libraries; once is enough,
    and more often does no harm. A signal that has another cause goes to the handler there was
    before. Whatever takes SIGBUS later, as ``faulthandler.enable`` does, has it; and where a thread
    blocks it, the system ends the process all the same. A forked child is guarded as its parent is.

    On Linux only, and not where kernels run as plain Python.
    """
    global _handler  # noqa: PLW0603
    if not sys.platform.startswith("linux") or JIT_DISABLED:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    with _installing:
        if _handler is None:
            addresses = _table.ctypes.data, _kept.ctypes.data
            handler = mappings.compile_handler(addresses[0], MOST, mmap.PAGESIZE, addresses[1])
        else:
            handler = _handler
        now = _Action()
        libc.sigaction(signal.SIGBUS, None, ctypes.byref(now))
        if now.handler != handler.address:
            _keep(mappings.BEFORE, now)
            _keep(mappings.DEFAULT, _Action())
            _kept[mappings.HANDED :] = 0
            action = _Action(handler=handler.address, flags=_SA_SIGINFO | _SA_RESTART)
            if libc.sigaction(signal.SIGBUS, ctypes.byref(action), None) != 0:
                return False
        mappings.first_damaged(_table, np.empty(0, np.int64), 0)  # compiled before it is needed
        _handler = handler
        return True


def _keep(place: int, action: _Action) -> None:
    content = np.frombuffer(bytes(action), np.uint8)
    _kept[place : place + content.size] = content


class MappedFiles:
    """The mapped files of an index, and which of them are damaged.

    A file is damaged, for good, from when it was found shorter than it was when it was opened.

    Args:
        files: paths and mappings.
    """

    def __init__(self, files: Iterable[tuple[Path, Mapping]]) -> None:
        self._files = list(files)
        self._rows = np.array([mapping.row for _, mapping in self._files], np.int64)

    def damaged(self) -> list[Path]:
        """Files that are; under a microsecond for few files.

        Where ``guard_mappings`` does not guard, their sizes are compared instead.
        """
        if _handler is None:
            return [path for path, mapping in self._files if mapping.size() < len(mapping)]
        found = []
        place = mappings.first_damaged(_table, self._rows, 0)
        while place >= 0:
            found.append(self._files[place][0])
            place = mappings.first_damaged(_table, self._rows, place + 1)
        return found

    def require_whole(self) -> None:
        """Raise if a file is damaged: then nothing that was read since it was opened is known.

        Raises:
            CorruptIndexError: with the names of the files.
        """
        damaged = self.damaged()
        if damaged:
            raise CorruptIndexError(
                ", ".join(map(str, damaged)),
                "shorter than when it was opened, or not to be read",
                "files that stay as they are while they are open",
                "restore the index from a copy and open it again",
            )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Work whose answers and errors are worth nothing if a file was damaged meanwhile.

        Raises:
            CorruptIndexError: one was; it takes the place of any other error.
        """
        try:
            yield
        finally:
            self.require_whole()
