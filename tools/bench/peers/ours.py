"""gramdex itself, behind the interface of its peers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import gramdex
from gramdex.errors import GramdexError, UsageError
from gramdex.fmindex.format.layout import ENGINES
from gramdex.fmindex.format.manifest import IndexManifest, read_index_manifest
from gramdex.fmindex.index import Index
from gramdex.indexer.build import build
from gramdex.indexer.options import MAXIMUM_SHARD_TOKENS
from gramdex.indexer.readers import ReadOptions
from gramdex.indexer.suffix_sort import SORTERS, suffix_array
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.measured import WARM_UP, in_child
from gramdex.tools.bench.peers.interface import Asked, Builder, Engine, Sorting
from gramdex.tools.bench.timing import Usage, warm_pages
from gramdex.tools.output import counted


class Gramdex(Engine):
    """What everything else is compared with."""

    name = "gramdex"
    cold_ways = ("gramdex",)
    notes: ClassVar[Mapping[str, str]] = {
        "sort": f"The sorter of gramdex is its usual one, {SORTERS[0]}."
    }

    def version(self) -> str:
        """Of this package."""
        return metadata.version("gramdex")

    def missing(self) -> str:
        """Never: it is running."""
        return ""

    def sorting(self, text: np.ndarray) -> Sorting:
        """With the usual sorter."""
        return _OwnSorting(text)

    def builder(self, corpus: Corpus, work: Path) -> GramdexBuilder:
        """Of one shard where the corpus fits one."""
        return GramdexBuilder(corpus, work)

    def load_build(self, arguments: Mapping[str, Any]) -> None:
        """By building from the first tokens."""
        with tempfile.TemporaryDirectory(prefix="gramdex-bench-") as folder:
            first = Path(folder) / "first.raw"
            with Path(arguments["input"]).open("rb") as file:
                size = WARM_UP * np.dtype(arguments["read"]["dtype"]).itemsize
                first.write_bytes(file.read(size))
            small = {"input": str(first), "output": f"{folder}/index", "workers": 1}
            self.build_here({**arguments, **small})

    def build_here(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call ``gramdex.build``; says what it planned."""
        options = dict(arguments)
        read = ReadOptions(**options.pop("read"))
        source, output = options.pop("input"), options.pop("output")
        tokenizer, options["engine"] = options.pop("tokenizer"), options.pop("kind")
        report = build(source, output, tokenizer, read=read, on_empty="keep", **options)
        return {"planned_bytes": report.memory}

    def open_cold(self, folder: Path, width: int, way: str) -> Callable[[], Mapping[str, Asked]]:
        """Kernels are loaded; the index is not touched before it is opened."""
        gramdex.warmup()

        def opening() -> Mapping[str, Asked]:
            index = gramdex.open(folder)
            return {
                "count": index.count,
                "infgram_ntd": lambda ids: index.infgram_ntd(ids).context_count,
            }

        return opening


class _OwnSorting(Sorting):
    def __init__(self, text: np.ndarray) -> None:
        self.text = text
        self.suffixes = np.empty(0, np.int32)

    def run(self) -> None:
        self.suffixes = suffix_array(self.text, SORTERS[0])

    def positions(self) -> np.ndarray:
        return self.suffixes


class GramdexBuilder(Builder):
    """Builds from a file of raw ids.

    Attributes:
        planned: bytes of memory that the last build stated before it began.

    The index is of ``kind``, one of the engines that `gramdex.build` knows.
    """

    def __init__(
        self, corpus: Corpus, work: Path, shards: int = 1, workers: int = 1, kind: str = ENGINES[0]
    ) -> None:
        self.corpus, self.planned = corpus, 0
        self.folder = work / f"gramdex-{kind}-{shards}-{workers}"
        self.shards = shards
        read = corpus.write_raw(work / "tokens.raw")
        tokenizer = _tokenizer_file(corpus, work)
        size = int(corpus.ids.size + corpus.lengths.size)
        self.arguments = {
            "input": str(work / "tokens.raw"),
            "output": str(self.folder),
            "tokenizer": tokenizer,
            "read": asdict(read),
            "shard_tokens": min(max(-(-size // shards), 2), MAXIMUM_SHARD_TOKENS),
            "vocabulary_size": corpus.vocabulary_size if tokenizer is None else None,
            "workers": workers,
            "kind": kind,
        }

    def run(self, cache: Path | None = None) -> Usage:
        """Build, and check that the index holds the tokens and documents of the corpus.

        Raises:
            GramdexError: it holds more or fewer.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        told = in_child({"work": "build", "engine": "gramdex", **self.arguments}, cache)
        self.planned = told.pop("planned_bytes")
        self._check(read_index_manifest(self.folder))
        return Usage(**told)

    def _check(self, manifest: IndexManifest) -> None:
        """Shards split long documents: the parts add documents and no tokens."""
        found = manifest.token_count, manifest.document_count
        expected = _amounts(self.corpus)
        if found[0] != expected[0] or (self.shards == 1 and found[1] != expected[1]):
            raise GramdexError(
                "the index built",
                _say_amounts(found),
                _say_amounts(expected),
                "do not trust figures of this build; report what was measured",
            )


def open_gramdex(corpus: Corpus, folder: Path) -> Index:
    """Open an index of the corpus, its pages in memory.

    Raises:
        UsageError: it is of another corpus.
    """
    index = gramdex.open(folder)
    found = index.token_count, index.document_count
    expected = _amounts(corpus)
    same = found == expected and index.document(found[1] - 1).ids.tolist() == corpus.last_document
    if not same:
        raise UsageError(
            str(folder),
            _say_amounts(found),
            f"the same {_say_amounts(expected)}",
            "leave --index out, or name the tokens that index was built from",
        )
    warm_pages(folder)
    return index


def text_reader(index: Index) -> Callable[[int, int, int], bytes]:
    """What reads the text of the tokens [start, end) of a shard, which hold no separator."""
    extract, to_ids = index._engine.extract, index.vocabulary.to_ids
    decode = index.tokenizer.decode_bytes
    return lambda shard, start, end: decode(to_ids(extract(shard, start, end)), at_start=False)


def _amounts(corpus: Corpus) -> tuple[int, int]:
    """Tokens and documents."""
    return int(corpus.ids.size), int(corpus.lengths.size)


def _say_amounts(amounts: tuple[int, int]) -> str:
    return f"{amounts[0]:,} tokens in {counted(amounts[1], 'document')}"


def _tokenizer_file(corpus: Corpus, work: Path) -> str | None:
    """A file that names the corpus's tokenizer to another process."""
    tokenizer = corpus.tokenizer
    if tokenizer is None or not tokenizer.files:
        return None if tokenizer is None else tokenizer.kind
    [(name, content)] = tokenizer.files.items()
    (work / name).write_bytes(content)
    encoding = tokenizer.options.get("encoding")
    return f"tiktoken:{encoding}:{work / name}" if encoding else str(work / name)
