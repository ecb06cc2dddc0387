"""Compiling every query kernel before it is needed."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from gramdex.fmindex.engines.rows import shard_row
from gramdex.fmindex.engines.suffix_array import SuffixArrayEngine
from gramdex.kernels import jit, positions
from gramdex.kernels.suffix_array import count_batch, distribution, infgram, matching, search

_TEXT = np.array([1, 2, 1, 3, 0], np.uint8)
_SUFFIXES = np.array([4, 0, 2, 1, 3], np.uint32)
_BUCKETS = np.array([0, 1, 3, 4, 5], np.uint32)

QUERY_KERNELS: dict[ModuleType, tuple[str, ...]] = {
    search: ("count", "find_intervals", "prob"),
    count_batch: ("count_batch",),
    distribution: ("next_tokens",),
    infgram: ("longest_suffix", "infgram_prob", "infgram_scores", "advance_along", "prob_after"),
    matching: ("matching_statistics",),
}
PLACE_KERNELS = ("documents_of", "keep_near", "pattern_starts")
"""Of ``kernels/positions.py``, which work on what any engine answers."""


class _SmallShard:
    """Stands in for an opened shard: "abac" and its separator."""

    shift = 0
    ranks = 4
    suffixes = _SUFFIXES
    tokens = _TEXT
    buckets = _BUCKETS
    size = _TEXT.size

    def row(self) -> list[int]:
        return shard_row(_TEXT, _SUFFIXES, _BUCKETS, self.shift)


def warmup() -> None:
    """Compile, or load from the cache, every kernel that queries use.

    Kernels take all widths and shard counts alike, so one small text of one width is enough.

    Raises:
        RuntimeError: a kernel answered wrongly or is still not compiled.
    """
    engine = SuffixArrayEngine([_SmallShard()])  # type: ignore[list-item]
    pattern = np.array([1], np.int64)
    counts = engine.count_batch(pattern, np.array([0, 1], np.int64))
    lengths, _ = engine.matching_statistics(pattern)
    tokens, _ = engine.next_tokens(*engine.find(pattern), 1)
    answers = [engine.count(pattern), *counts, *engine.prob(pattern, 2), *lengths, *tokens]
    answers += [*engine.longest_suffix(pattern)[:2], *engine.infgram_prob(pattern, 3)]
    answers += [*engine.infgram_scores(pattern)[2]]
    suffix = engine.longest_suffix(pattern[:0])
    answers += [*engine.advance(pattern, 0, *suffix), *engine.prob_after(suffix[2], 1, 2)]
    if list(map(int, answers)) != [2, 2, 2, 1, 1, 2, 3, 1, 2, 1, 2, 1, 0, 2, 1, 2, 1, 0]:
        raise RuntimeError(f"kernels answer wrongly on a known text: {answers}")
    _warm_places()
    if jit.JIT_DISABLED:
        return
    for module, names in [*QUERY_KERNELS.items(), (positions, PLACE_KERNELS)]:
        for name in names:
            if not getattr(module, name).signatures:
                raise RuntimeError(f"kernel {module.__name__}.{name} is not compiled")


def _warm_places() -> None:
    """Documents of the two "a" of the small text, those with a "b" near, and where they stand."""
    text, starts = _TEXT[:4].astype(np.int64), np.array([0, _TEXT.size], np.uint32)
    places, documents = np.empty((2, 4), np.int64)
    found = positions.pattern_starts(text, text[:1], places)
    positions.documents_of(places[:found], starts, documents[:found])
    keep = np.ones(found, np.bool_)
    near = positions.keep_near(places[:found], documents[:found], starts, 1, places[1:2] + 1, keep)
    if [*places[:found], *documents[:found], near] != [0, 2, 0, 0, 1]:
        raise RuntimeError("kernels of positions answer wrongly on a known text")
