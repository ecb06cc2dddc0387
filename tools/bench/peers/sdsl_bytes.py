"""SDSL's FM-index of the bytes of a text: the field's reference for compressed text."""

from __future__ import annotations

import ctypes
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.measured import in_child
from gramdex.tools.bench.peers.interface import WORKS, Builder, Opened
from gramdex.tools.bench.peers.sdsl import Sdsl, failed, load_driver
from gramdex.tools.bench.text import CorpusText
from gramdex.tools.bench.timing import Usage

PARTS = ("wavelet tree", "samples of the suffix array", "samples of its inverse")

_ONLY = "an index of bytes: measured by gramdex bench compressed"


class SdslBytes(Sdsl):
    """``csa_wt<wt_huff<rrr_vector<127>>, 32, 64>``, on one core."""

    name = "sdsl-bytes"
    cannot: ClassVar[Mapping[str, str]] = dict.fromkeys(WORKS, _ONLY)
    notes: ClassVar[Mapping[str, str]] = {}

    def refuses(self, work: str, corpus: Corpus) -> str:
        """It takes any size."""
        return self.missing() or self.cannot.get(work, "")

    def refuses_text(self, text: CorpusText) -> str:
        """Why it cannot take a text; "" where it can."""
        if self.missing():
            return self.missing()
        if text.zeros:
            return "the text holds the byte 0, with which SDSL ends texts"
        return "" if text.separator else "every byte is in the text; none is left as separator"

    def builder(self, corpus: Corpus, work: Path) -> BytesBuilder:
        """Of the decoded text."""
        return BytesBuilder(CorpusText(corpus), work)

    def build_here(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Construct the index, sorting as the library does by default, and write it."""
        paths = (arguments[name].encode() for name in ("text", "folder", "output"))
        if load_driver().sdsl_bytes_build(*paths):
            raise failed()
        return {}

    def open(self, corpus: Corpus, folder: Path) -> OpenBytes:
        """Read the index into memory."""
        return OpenBytes(folder / "index.sdsl")


class BytesBuilder(Builder):
    """Builds from a file of the text, and keeps what it built with the digest of the text.

    Attributes:
        kept: whether the last ``run`` found the index of this text, built before.
    """

    def __init__(self, text: CorpusText, work: Path) -> None:
        self.folder, self.text = work / "sdsl-bytes", work / "text"
        self._record, self.kept = work / "sdsl-bytes.json", False
        self.folder.mkdir(parents=True, exist_ok=True)
        self._digest = text.write(self.text)

    def run(self, cache: Path | None = None) -> Usage:
        """Build, whatever is there."""
        self._record.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as temporary:
            job = {
                "work": "build",
                "engine": "sdsl-bytes",
                "text": str(self.text),
                "folder": temporary,
                "output": str(self.folder / "index.sdsl"),
            }
            usage = Usage(**in_child(job))
        self._record.write_text(json.dumps({"text": self._digest, "usage": asdict(usage)}))
        return usage

    def run_or_keep(self) -> Usage:
        """What the build of the index of this text took that is there; else build it."""
        self.kept = False
        if self._record.exists() and (self.folder / "index.sdsl").exists():
            told = json.loads(self._record.read_text())
            if told["text"] == self._digest:
                self.kept = True
                return Usage(**told["usage"])
        return self.run()


class OpenBytes(Opened):
    """An index of bytes; positions and ranks count bytes, rank 0 is the end of the text."""

    def __init__(self, path: Path) -> None:
        self.driver = load_driver()
        self.index = self.driver.sdsl_bytes_open(str(path).encode())
        if not self.index:
            raise failed()

    def __del__(self) -> None:
        self.driver.sdsl_bytes_close(self.index)

    def sizes(self) -> dict[str, int]:
        """Bytes of its parts in memory."""
        told = np.zeros(len(PARTS), np.uint64)
        self.driver.sdsl_bytes_sizes(self.index, told.ctypes.data)
        return dict(zip(PARTS, told.tolist(), strict=True))

    def count(self, pattern: bytes, size: int) -> int:
        """Occurrences of ``size`` bytes."""
        return self.driver.sdsl_bytes_count(self.index, pattern, size)

    def count_batch(self, batch: Batch) -> np.ndarray:
        """Occurrences of each, a loop in C++; the array is the batch's own."""
        self.driver.sdsl_bytes_count_batch(self.index, *batch.addresses)
        return batch.counts

    def find(self, pattern: bytes) -> tuple[int, int]:
        """Occurrences, and the rank of the first."""
        first = ctypes.c_uint64()
        found = self.driver.sdsl_bytes_find(
            self.index, pattern, len(pattern), ctypes.addressof(first)
        )
        return found, first.value

    def locate(self, rank: int) -> int:
        """The text position of a rank."""
        return self.driver.sdsl_bytes_locate(self.index, rank)

    def locate_batch(self, ranks: np.ndarray) -> np.ndarray:
        """The text positions of ranks uint64[k], a loop in C++."""
        positions = np.empty(ranks.size, np.uint64)
        self.driver.sdsl_bytes_locate_batch(
            self.index, ranks.ctypes.data, ranks.size, positions.ctypes.data
        )
        return positions

    def extract(self, start: int, size: int) -> bytes:
        """The text [start, start + size)."""
        buffer = ctypes.create_string_buffer(size)
        self.driver.sdsl_bytes_extract(self.index, start, size, buffer)
        return buffer.raw


class Batch:
    """Patterns one after the other, laid out before the clock starts.

    Attributes:
        counts: uint64[k], filled by ``count_batch``.
        addresses: of the patterns, where each begins, how many, and of ``counts``.
    """

    def __init__(self, patterns: Sequence[bytes]) -> None:
        self._text = b"".join(patterns)
        self._starts = np.zeros(len(patterns) + 1, np.uint64)
        np.cumsum([len(pattern) for pattern in patterns], out=self._starts[1:])
        self.counts = np.empty(len(patterns), np.uint64)
        starts, counts = self._starts.ctypes.data, self.counts.ctypes.data
        self.addresses = (self._text, starts, len(patterns), counts)
