"""The C++ library SDSL as a peer: its suffix sorter for integers, and an FM-index of tokens.

The driver beside this file is compiled against the headers that the Debian package libsdsl-dev
installs, once per run, and called through ctypes, so that what is timed is what a Python program
would wait for.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from gramdex.errors import GramdexError
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.measured import in_child
from gramdex.tools.bench.peers.interface import Builder, Engine, Opened, Sorting, Way
from gramdex.tools.bench.timing import Usage

DRIVER = Path(__file__).with_name("sdsl_driver.cpp")
MOST_SYMBOLS = (1 << 31) - 2
LOCATED = 100
"""Positions that are asked for at most."""

_COMPILED = "GRAMDEX_BENCH_SDSL"
_HEADERS = (Path("/usr/include"), Path("/usr/local/include"))
_FLAGS = ("-std=c++11", "-O3", "-march=native", "-DNDEBUG", "-shared", "-fPIC")
_LIBRARIES = ("-lsdsl", "-ldivsufsort", "-ldivsufsort64")
_HANDLE, _LONG, _TEXT = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_char_p
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "sdsl_error": (ctypes.c_char_p,),
    "sdsl_sort": (_HANDLE, _HANDLE, _LONG, _LONG),
    "sdsl_words": (_HANDLE, _HANDLE),
    "sdsl_free_words": (None, _HANDLE),
    "sdsl_build": (ctypes.c_int64, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p),
    "sdsl_open": (_HANDLE, ctypes.c_char_p),
    "sdsl_close": (None, _HANDLE),
    "sdsl_count": (_LONG, _HANDLE, _HANDLE, _LONG),
    "sdsl_count_batch": (None, _HANDLE, _HANDLE, _LONG, _LONG, _HANDLE),
    "sdsl_locate": (_LONG, _HANDLE, _HANDLE, _LONG, _LONG, _HANDLE),
    "sdsl_bytes_build": (ctypes.c_int64, _TEXT, _TEXT, _TEXT),
    "sdsl_bytes_open": (_HANDLE, _TEXT),
    "sdsl_bytes_close": (None, _HANDLE),
    "sdsl_bytes_sizes": (None, _HANDLE, _HANDLE),
    "sdsl_bytes_count": (_LONG, _HANDLE, _TEXT, _LONG),
    "sdsl_bytes_count_batch": (None, _HANDLE, _TEXT, _HANDLE, _LONG, _HANDLE),
    "sdsl_bytes_find": (_LONG, _HANDLE, _TEXT, _LONG, _HANDLE),
    "sdsl_bytes_locate": (_LONG, _HANDLE, _LONG),
    "sdsl_bytes_locate_batch": (None, _HANDLE, _HANDLE, _LONG, _HANDLE),
    "sdsl_bytes_extract": (None, _HANDLE, _LONG, _LONG, _TEXT),
}


class Sdsl(Engine):
    """The reference among compressed indexes."""

    name = "sdsl"
    cannot: ClassVar[Mapping[str, str]] = {
        "cold": "it reads its whole index into memory when it opens"
    }
    notes: ClassVar[Mapping[str, str]] = {
        "sort": "SDSL: qsufsort on words of 32 bits, the library's sorter for integers.",
        "build": "SDSL: an FM-index of the tokens, from a file of them (Huffman-shaped wavelet "
        "tree on plain bits, suffix array sampled every 32, its inverse every 64). It sorts with "
        "qsufsort on bit-packed integers, as the library does.",
        "queries": "SDSL: an FM-index, called through ctypes on patterns that are arrays "
        "already. Its queries count and locate; it has no next-token distributions.",
    }

    def version(self) -> str:
        """Of the Debian package, where dpkg knows it."""
        if not _header() or shutil.which("dpkg-query") is None:
            return "unknown" if _header() else ""
        query = ["dpkg-query", "--show", "--showformat=${Version}", "libsdsl-dev"]
        return subprocess.run(query, capture_output=True, text=True, check=False).stdout or "?"

    def missing(self) -> str:
        """It is compiled here."""
        if not _header():
            return "its headers are not installed (apt install libsdsl-dev)"
        return "" if shutil.which("g++") else "no compiler g++ (apt install g++)"

    def refuses(self, work: str, corpus: Corpus) -> str:
        """Its words hold signed 32-bit numbers."""
        size = corpus.ids.size + corpus.lengths.size
        large = f"{size:,} tokens; words of 32 bits sort {MOST_SYMBOLS:,}"
        return super().refuses(work, corpus) or (large if size > MOST_SYMBOLS else "")

    def prepare(self) -> None:
        """Compile the driver."""
        load_driver()

    def sorting(self, text: np.ndarray) -> Sorting:
        """With its sorter for integers."""
        return _SdslSorting(text)

    def builder(self, corpus: Corpus, work: Path) -> Builder:
        """Of an FM-index."""
        return _SdslBuilder(corpus, work / "sdsl")

    def build_here(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Construct the index and write it."""
        paths = (arguments[name].encode() for name in ("text", "folder", "output"))
        if load_driver().sdsl_build(*paths):
            raise failed()
        return {}

    def open(self, corpus: Corpus, folder: Path) -> Opened:
        """Read the index into memory."""
        return _OpenSdsl(folder / "index.sdsl")


@cache
def load_driver() -> ctypes.CDLL:
    """The compiled driver; compiled here unless the process that started this one did.

    Raises:
        GramdexError: the compiler refused it.
    """
    library = ctypes.CDLL(os.environ.get(_COMPILED) or _compile())
    for name, (result, *arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _compile() -> str:
    """Compile into a folder that goes when this process ends, and let its children know."""
    folder = tempfile.mkdtemp(prefix="gramdex-sdsl-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = f"{folder}/driver.so"
    command = ["g++", *_FLAGS, str(DRIVER), "-o", path, *_LIBRARIES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GramdexError("g++ on the SDSL driver", done.stderr[-800:], "a library")
    os.environ[_COMPILED] = path
    return path


def _header() -> bool:
    return any((folder / "sdsl" / "suffix_arrays.hpp").exists() for folder in _HEADERS)


def failed() -> GramdexError:
    """What the library said last."""
    return GramdexError("SDSL", load_driver().sdsl_error().decode(), "no exception")


class _SdslSorting(Sorting):
    def __init__(self, text: np.ndarray) -> None:
        self.driver = load_driver()
        self.text, self.words = text, None

    def run(self) -> None:
        self.words = self.driver.sdsl_sort(
            self.text.ctypes.data, self.text.itemsize, self.text.size
        )

    def positions(self) -> np.ndarray:
        if not self.words:
            raise failed()
        words = ctypes.cast(self.driver.sdsl_words(self.words), ctypes.POINTER(ctypes.c_uint32))
        copied = np.ctypeslib.as_array(words, (self.text.size,)).copy()
        self.driver.sdsl_free_words(self.words)
        return copied


class _SdslBuilder(Builder):
    def __init__(self, corpus: Corpus, folder: Path) -> None:
        self.folder, self.text = folder, folder.with_name("sdsl-text")
        folder.mkdir(parents=True, exist_ok=True)
        (corpus.symbols().astype("<u4") + np.uint32(1)).tofile(self.text)

    def run(self, cache: Path | None = None) -> Usage:
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as temporary:
            job = {
                "work": "build",
                "engine": "sdsl",
                "text": str(self.text),
                "folder": temporary,
                "output": str(self.folder / "index.sdsl"),
            }
            return Usage(**in_child(job))


class _OpenSdsl(Opened):
    """An index of symbols id + 2: 0 ends SDSL's text, 1 each document."""

    def __init__(self, path: Path) -> None:
        self.driver = load_driver()
        self.index = self.driver.sdsl_open(str(path).encode())
        if not self.index:
            raise failed()

    def __del__(self) -> None:
        self.driver.sdsl_close(self.index)

    def count(self, queries: Sequence[tuple]) -> list[Way]:
        """Occurrences of patterns laid out before."""
        return [Way("sdsl", self._count, _arrays(queries), lambda query, ours, it: ours == it)]

    def _count(self, pattern: np.ndarray, address: int, size: int) -> int:
        return self.driver.sdsl_count(self.index, address, size)

    def count_batch(self, queries: Sequence[tuple]) -> list[Way]:
        """A loop in C++ over patterns laid out before."""
        counts = np.empty(max(len(patterns) for (patterns,) in queries), np.uint64)

        def ask(patterns: np.ndarray, address: int, size: int) -> list[int]:
            length = patterns.shape[1]
            self.driver.sdsl_count_batch(
                self.index, address, length, size // length, counts.ctypes.data
            )
            return counts[: size // length].tolist()

        return [Way("sdsl", ask, _arrays(queries), lambda query, ours, it: ours.tolist() == it)]

    def locate(self, queries: Sequence[tuple]) -> list[Way]:
        """Positions in the text, in the order of their suffixes."""
        positions = np.empty(LOCATED, np.uint64)

        def ask(pattern: np.ndarray, address: int, size: int) -> np.ndarray:
            found = self.driver.sdsl_locate(
                self.index, address, size, LOCATED, positions.ctypes.data
            )
            return positions[: min(found, LOCATED)].copy()

        def same(query: tuple, ours: np.ndarray, theirs: np.ndarray) -> bool:
            return ours.tolist() == np.sort(theirs).tolist()

        few = lambda answer: answer.size <= LOCATED  # noqa: E731
        return [Way("sdsl", ask, _arrays(queries), same, few)]


def _arrays(queries: Sequence[tuple]) -> list[tuple[np.ndarray, int, int]]:
    """Patterns as SDSL reads them, with their addresses, so that none is converted when asked."""
    arrays = [np.asarray(ids, np.uint64) + np.uint64(2) for ids, *_ in queries]
    return [(array, array.ctypes.data, array.size) for array in arrays]
