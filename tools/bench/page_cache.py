"""Whether pages of files are in memory, and having the system forget them."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

COLD = 0.01
"""Share of pages that may stay in memory of an index that counts as cold."""


def make_cold(folder: Path) -> str:
    """Drop the pages of all files below a folder; why that failed, or "".

    The files must be written to disk already and in no process's memory map.
    """
    if not hasattr(os, "posix_fadvise"):
        return "this system has no posix_fadvise"
    for path in _files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    return drop_pages(folder)


def drop_pages(folder: Path) -> str:
    """The same of files that are on disk already."""
    for path in _files(folder):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    try:
        share = resident_share(folder)
    except OSError as error:
        return f"whether pages are in memory is not told: {error}"
    return "" if share <= COLD else f"{share:.0%} of the pages stayed in memory"


def resident_share(folder: Path) -> float:
    """Share of the bytes below a folder, in whole pages, that are in the page cache.

    Raises:
        OSError: the system does not tell.
    """
    resident, total = resident_pages(folder)
    return resident / max(total, 1)


def resident_pages(folder: Path) -> tuple[int, int]:
    """Pages of the files below a folder that are in the page cache, and all their pages.

    Raises:
        OSError: the system does not tell.
    """
    resident = total = 0
    for path in _files(folder):
        found, pages = _resident(path)
        resident, total = resident + found, total + pages
    return resident, total


def advise_mapped(folder: Path, advice: int) -> None:
    """Give advice (madvise) on all maps of this process of files below a folder.

    Nothing is written through maps of an index, so even MADV_DONTNEED loses nothing.

    Raises:
        OSError: the system has no list of maps (Linux has), or refuses.
    """
    within = f"{folder.resolve()}{os.sep}"
    libc = ctypes.CDLL(None, use_errno=True)
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, *_, name = line.split(maxsplit=5)
        if name.startswith(within):
            start, end = (int(address, 16) for address in span.split("-"))
            if libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size)


def _resident(path: Path) -> tuple[int, int]:
    """Pages of a file in memory, and all its pages (mincore)."""
    pages = -(-path.stat().st_size // mmap.PAGESIZE)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        told = (ctypes.c_ubyte * pages)()
        start = ctypes.c_char.from_buffer(mapped)
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.mincore(
            ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(mapped)), told
        )
        del start  # a map with a pointer into it cannot be closed
    if failed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
    return int(np.count_nonzero(np.frombuffer(bytes(told), np.uint8) & 1)), pages
