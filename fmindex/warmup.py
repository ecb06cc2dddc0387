"""Compiling every query kernel before it is needed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from gramdex.fmindex.engines.drafting import Suffix, TreeLimits
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.fm_index import FMEngine
from gramdex.fmindex.engines.fm_shard import FMShard
from gramdex.fmindex.engines.rows import shard_row
from gramdex.fmindex.engines.suffix_array import SuffixArrayEngine
from gramdex.fmindex.engines.text_tables import TextTables
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.tokenizers import TokenBytes
from gramdex.kernels import jit, positions
from gramdex.kernels.fm import count_batch as fm_count_batch
from gramdex.kernels.fm import coverings as fm_coverings
from gramdex.kernels.fm import infgram as fm_infgram
from gramdex.kernels.fm import matching as fm_matching
from gramdex.kernels.fm import next_tokens, units, unwind, walk
from gramdex.kernels.fm import search as fm_search
from gramdex.kernels.suffix_array import (
    count_batch,
    coverings,
    distribution,
    drafting,
    infgram,
    matching,
    search,
)

_TEXT = np.array([1, 2, 1, 3, 0], np.uint8)
_SUFFIXES = np.array([4, 0, 2, 1, 3], np.uint32)
_BUCKETS = np.array([0, 1, 3, 4, 5], np.uint32)

_STREAM = [4, 16, 16, 64, 4, 0, 0, 0, 28, 0, 0, 0, 96, 0, 0, 0, 0, 72, 2, 97, 78]
_CODES = {0: 4, 1: 4, 7: 3, 31: 2, 272: 2, 273: 2}

_NAMES = ("count", "find_intervals", "prob")
_TEXTS = ("count_texts", "find_text")
_INFGRAM = ("longest_suffix", "infgram_prob", "advance_along", "prob_after")

QUERY_KERNELS: dict[ModuleType, tuple[str, ...]] = {
    search: _NAMES,
    count_batch: ("count_batch",),
    coverings: _TEXTS,
    distribution: ("next_tokens",),
    drafting: ("grow_tree",),
    infgram: (*_INFGRAM, "infgram_scores"),
    matching: ("matching_statistics",),
    fm_search: _NAMES,
    fm_count_batch: ("count_batch",),
    fm_coverings: _TEXTS,
    next_tokens: ("next_tokens",),
    fm_infgram: _INFGRAM,
    fm_matching: ("matching_statistics", "infgram_scores"),
    walk: ("locate", "extract"),
    unwind: ("ranks_of_positions",),
}
PLACE_KERNELS = ("documents_of", "keep_near", "pattern_starts", "count_parts", "scatter")
"""Of ``kernels/positions.py``, which work on what any engine answers."""


class _SmallShard:
    """Stands in for an opened shard: "abac" and its separator."""

    folder = Path("warmup")
    shift = 0
    ranks = 4
    suffixes = _SUFFIXES
    tokens = _TEXT
    buckets = _BUCKETS
    size = _TEXT.size

    def row(self) -> list[int]:
        return shard_row(_TEXT, _SUFFIXES, _BUCKETS, self.shift)

    def token_starts(self) -> np.ndarray:
        return _BUCKETS


def small_fm_shard() -> FMShard:
    """The same as a shard of an FM-index, every second position sampled."""
    lengths = np.zeros(units.SYMBOLS, np.uint8)
    lengths[list(_CODES)] = list(_CODES.values())
    decoder = np.zeros(1 << units.CODE_BITS, np.uint32)
    units.decoding_table(lengths, decoder)
    none = np.zeros(1, np.uint64)
    shard = object.__new__(FMShard)
    shard.folder, shard.size, shard.ranks, shard.rate = Path("warmup"), _TEXT.size, 4, 2
    shard.alphabet, shard.starts = np.empty(0, np.uint32), _BUCKETS
    shard.stream = np.array(_STREAM + [0] * units.MOST_CHUNK_BYTES, np.uint8)
    shard.groups, shard.directory = none, np.array([0x130000, 0x101 << 32], np.uint64)
    shard.decoders = np.tile(decoder, units.TABLES)
    shard.sample_counts, shard.shortcut_counts = np.zeros((2, 2), np.uint32)
    shard.permutation, shard.shortcut_marks = np.array([0x12, 0], np.uint64), none
    shard.shortcuts, shard.shortcut_total = none, 0
    return shard


def warmup() -> None:
    """Compile, or load from the cache, every kernel that queries of either engine use.

    Kernels take all widths and shard counts alike, so one small text of one width is enough.

    Raises:
        RuntimeError: a kernel answered wrongly or is still not compiled.
    """
    fm_engine = FMEngine([small_fm_shard()])
    for engine in (SuffixArrayEngine([_SmallShard()]), fm_engine):
        answers = _ask(engine)
        if answers != [2, 2, 2, 1, 1, 2, 3, 1, 2, 1, 2, 1, 0, 2, 1, 2, 1, 0, 2, 3]:
            raise RuntimeError(f"kernels answer wrongly on a known text: {answers}")
        texts = _text_answers(engine)
        if texts != [1, 1]:
            raise RuntimeError(f"kernels find a known text wrongly: {texts}")
    places = fm_engine.locate(0, 0, 5).tolist(), fm_engine.first_positions(0, 0, 5, 1).tolist()
    read = fm_engine.extract(0, 1, 5).tolist()
    if (places, read) != (([0, 1, 2, 3, 4], [0]), [2, 1, 3, 0]):
        raise RuntimeError(f"kernels read a known text wrongly: {places}, {read}")
    _warm_places()
    if jit.JIT_DISABLED:
        return
    for module, names in [*QUERY_KERNELS.items(), (positions, PLACE_KERNELS)]:
        for name in names:
            if not getattr(module, name).signatures:
                raise RuntimeError(f"kernel {module.__name__}.{name} is not compiled")


def _ask(engine: Engine) -> list[int]:
    pattern = np.array([1], np.int64)
    counts = engine.count_batch(pattern, np.array([0, 1], np.int64))
    lengths, _ = engine.matching_statistics(pattern)
    tokens, _ = engine.next_tokens(*engine.find(pattern), 1)
    answers = [engine.count(pattern), *counts, *engine.prob(pattern, 2), *lengths, *tokens]
    answers += [*engine.longest_suffix(pattern)[:2], *engine.infgram_prob(pattern, 3)]
    answers += [*engine.infgram_scores(pattern)[2]]
    suffix = engine.longest_suffix(pattern[:0])
    answers += [*engine.advance(pattern, 0, *suffix), *engine.prob_after(suffix[2], 1, 2)]
    tree = engine.continuations(
        Suffix(pattern, *engine.find(pattern)), TreeLimits(2, 2, 1), np.empty(0, np.uint32)
    )
    return list(map(int, [*answers, *tree[0]]))


def _warm_places() -> None:
    """Documents of the two "a" of the small text, those with a "b" near, and where they stand."""
    text, starts = _TEXT[:4].astype(np.int64), np.array([0, _TEXT.size], np.uint32)
    places, documents = np.empty((2, 4), np.int64)
    found = positions.pattern_starts(text, text[:1], places)
    positions.documents_of(places[:found], starts, documents[:found])
    keep = np.ones(found, np.bool_)
    near = positions.keep_near(places[:found], documents[:found], starts, 1, places[1:2] + 1, keep)
    parts = np.zeros(2, np.int64)
    for given in (text.astype(np.uint32), text):
        positions.count_parts(given, 1, parts)
        positions.scatter(given, 1, np.array([0, 2]), given.copy())
    positions.scatter(text, 1, np.array([0, 2]), places)
    if [*places, *parts, *documents[:found], near] != [1, 1, 2, 3, 4, 4, 0, 0, 1]:
        raise RuntimeError("kernels of positions answer wrongly on a known text")


def _text_answers(engine: Engine) -> list[int]:
    """The text "ab", where tokens are letters: its count, and in how many rows it is found."""
    nothing = np.empty(0, np.int64)
    letters = TokenBytes.from_tokens([b"a", b"b", b"c"])
    tables = TextTables(Vocabulary(3), letters, engine.token_counts(4), nothing)
    counts = engine.count_texts(tables, b"ab", np.array([0, 2], np.int64))
    return [int(counts[0]), len(engine.find_text(tables, b"ab"))]
