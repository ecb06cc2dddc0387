"""Compiling every query kernel before it is needed."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from gramdex.fmindex.engines.rows import shard_row
from gramdex.fmindex.engines.suffix_array import SuffixArrayEngine
from gramdex.fmindex.engines.text_tables import TextTables
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.tokenizers import TokenBytes
from gramdex.kernels import jit
from gramdex.kernels.suffix_array import (
    count_batch,
    coverings,
    distribution,
    infgram,
    matching,
    search,
)

_TEXT = np.array([1, 2, 1, 3, 0], np.uint8)
_SUFFIXES = np.array([4, 0, 2, 1, 3], np.uint32)
_BUCKETS = np.array([0, 1, 3, 4, 5], np.uint32)

QUERY_KERNELS: dict[ModuleType, tuple[str, ...]] = {
    search: ("count", "find_intervals", "prob"),
    count_batch: ("count_batch",),
    coverings: ("count_texts", "find_text"),
    distribution: ("next_tokens",),
    infgram: ("longest_suffix", "infgram_prob", "infgram_scores", "advance_along", "prob_after"),
    matching: ("matching_statistics",),
}


_ANSWERS = [2, 2, 2, 1, 1, 2, 3, 1, 2, 1, 2, 1, 0, 2, 1, 2, 1, 0, 1, 0, 0, -1, 0, 2]


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
    answers += _text_answers(engine)
    if list(map(int, answers)) != _ANSWERS:
        raise RuntimeError(f"kernels answer wrongly on a known text: {answers}")
    if jit.JIT_DISABLED:
        return
    for module, names in QUERY_KERNELS.items():
        for name in names:
            if not getattr(module, name).signatures:
                raise RuntimeError(f"kernel {module.__name__}.{name} is not compiled")


def _text_answers(engine: SuffixArrayEngine) -> list[int]:
    """The text "ab", where tokens are letters: its count, and where it stands."""
    nothing = np.empty(0, np.int64)
    letters = TokenBytes.from_tokens([b"a", b"b", b"c"])
    tables = TextTables(Vocabulary(3), letters, engine.token_counts(4), nothing)
    counts = engine.count_texts(tables, b"ab", np.array([0, 2], np.int64))
    return [*counts, *engine.find_text(tables, b"ab")[0]]
