"""What finishing a shard takes: stated for the longer of its two steps."""

from __future__ import annotations

import pytest

from gramdex.fmindex.engines.continuations import table_memory
from gramdex.fmindex.format.vocabulary import token_width
from gramdex.indexer.memory import shard_memory
from gramdex.indexer.suffix_sort import working_memory


@pytest.mark.parametrize(
    ("size", "ranks", "sorter"),
    [
        (1_000_000, 200, "divsufsort"),
        (1_000_000_000, 256, "divsufsort"),
        (1 << 31, 256, "divsufsort"),
        (1_000, 65_536, "induced"),
    ],
)
def test_the_table_may_take_more_than_sorting(size: int, ranks: int, sorter: str) -> None:
    """Tokens, suffix array and tables by rank are there while the table is made."""
    width, positions = token_width(ranks), 4 if size < 1 << 31 else 8
    table = size * (width + positions) + table_memory(size, ranks, width) + 16 * ranks
    assert shard_memory(size, ranks, sorter) == table > working_memory(size, ranks, sorter)


def test_coding_an_fm_index_takes_tokens_suffix_array_and_successors() -> None:
    size = 1_000_000_000
    need = shard_memory(size, 50_000, "induced", "fm")
    assert 10 * size <= need < 10.5 * size


@pytest.mark.parametrize("sorter", ["induced", "divsufsort"])
def test_sorting_may_take_more_than_the_table(sorter: str) -> None:
    for size in (1_000_000, 1_000_000_000):
        assert shard_memory(size, 50_000, sorter) == working_memory(size, 50_000, sorter)
