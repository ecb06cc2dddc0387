"""Where a text repeats a benchmark: runs of n words that some example holds as well."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import gramdex
from gramdex.errors import UsageError
from gramdex.fmindex.queries.contamination.normalization import Normalization
from gramdex.fmindex.queries.contamination.texts import byte_offsets
from gramdex.tools.contamination.side_index import texts, write_texts

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.tools.contamination.benchmarks import Benchmark

_SPACE = 0x20
_NAMED = 10


@dataclass(frozen=True)
class Offence:
    """Characters [start, end) of a text that stand in examples, and in which, ten at most."""

    start: int
    end: int
    examples: tuple[str, ...]


class Offences:
    """Finds what a benchmark and a text share.

    Args:
        index: of the normalized texts of the benchmark, as bytes.
        names: for each of its documents, the example it is of.
        words: words in a row that are no coincidence.
        normalization: of both sides; with white space, so that words are whole words.
    """

    def __init__(
        self, index: Index, names: Sequence[str], words: int, normalization: Normalization
    ) -> None:
        if words < 1 or not normalization.whitespace:
            raise UsageError("--words", str(words), "at least 1, with white space normalized")
        self._index, self._names, self._words = index, names, words
        self._normalization = normalization
        short = sum(index.document(n).text.count(" ") <= words for n in range(len(names)))  # type: ignore[union-attr]
        self.short_texts = short
        """Texts of fewer words than are looked for: nothing can match them."""

    def find(self, text: str) -> list[Offence]:
        """Every run of that many words that the benchmark holds, merged where they overlap."""
        normal = self._normalization.apply(text)
        runs = self._runs(normal)
        if not runs:
            return []
        again, origin = self._normalization.apply_with_origin(text)
        assert again == normal  # the two are one function
        characters = byte_offsets(normal)
        data = normal.encode()
        offences = []
        for start, end in runs:
            first, last = np.searchsorted(characters, [start + 1, end - 1]).tolist()
            found = Offence(
                int(origin[first]), int(origin[last - 1]) + 1, self._examples(data, start, end)
            )
            offences.append(found)
        return offences

    def _runs(self, normal: str) -> list[tuple[int, int]]:
        """Bytes [start, end), from the space before a run of words to the one after it."""
        data = np.frombuffer(normal.encode(), np.uint8)
        spaces = np.flatnonzero(data == _SPACE)
        if spaces.size <= self._words or not self._any_block(data, spaces):
            return []
        lengths = self._index.match(normal).lengths
        starts, ends = spaces[: -self._words], spaces[self._words :] + 1
        found = lengths[starts] >= ends - starts
        merged: list[tuple[int, int]] = []
        for start, end in zip(starts[found].tolist(), ends[found].tolist(), strict=True):
            if merged and start < merged[-1][1] - 1:
                merged[-1] = merged[-1][0], end
            else:
                merged.append((start, end))
        return merged

    def _any_block(self, data: np.ndarray, spaces: np.ndarray) -> bool:
        """Whether the benchmark holds any of the blocks of words a run must hold one of.

        A run of 2b - 1 words or more holds a whole block of b, wherever blocks begin; most texts
        have none, and counting blocks takes a fraction of matching all of a text.
        """
        borders = spaces[:: (self._words + 1) // 2]
        blocks = [data[a : b + 1] for a, b in pairwise(borders.tolist())]
        return bool(blocks) and bool(self._index.count_batch(blocks).any())

    def _examples(self, data: bytes, start: int, end: int) -> tuple[str, ...]:
        """Examples that hold the first words of a run, and those that hold the last."""
        spaces = [i for i in range(start, end) if data[i] == _SPACE]
        windows = {data[start : spaces[self._words] + 1], data[spaces[-1 - self._words] : end]}
        numbers = {
            document.number
            for window in windows
            for document in self._index.documents(window.decode(), _NAMED, 0)
        }
        return tuple(dict.fromkeys(self._names[number] for number in sorted(numbers)))[:_NAMED]


@contextmanager
def offences_of(
    benchmarks: Sequence[Benchmark | Path],
    words: int,
    normalization: Normalization,
    threads: int = 1,
) -> Iterator[Offences]:
    """Index benchmarks, read from files or lying there as indexes, for as long as it is needed."""
    names: list[str] = []
    given: list[str] = []
    for benchmark in benchmarks:
        for name, text in _texts(benchmark):
            names.append(name)
            given.append(text)
    with tempfile.TemporaryDirectory(prefix="gramdex-") as folder:
        place = Path(folder)
        write_texts(given, normalization, place / "texts.raw", place / "index")
        yield Offences(gramdex.open(place / "index", threads), names, words, normalization)


def _texts(benchmark: Benchmark | Path) -> Iterator[tuple[str, str]]:
    if isinstance(benchmark, Path):
        for number, text in enumerate(texts(gramdex.open(benchmark))):
            yield f"{benchmark.name}:{number}", text
        return
    for example in benchmark.examples:
        for text in example.texts("question") + example.texts("answer"):
            yield f"{benchmark.name}:{example.name}", text
