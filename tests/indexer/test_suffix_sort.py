"""Both suffix sorters as the build uses them, against sorting in plain Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from building import build_ids
from corpora import de_bruijn, fibonacci_word, periodic, thue_morse
from hypothesis import given, settings
from hypothesis import strategies as st

import gramdex
from gramdex.errors import UsageError
from gramdex.indexer.suffix_sort import (
    SORTERS,
    sort_suffixes,
    suffix_array,
    symbol_bytes,
    working_memory,
)
from gramdex.kernels import packing
from gramdex.kernels.suffix_array import verify
from gramdex.kernels.suffix_sorting import suffix_sort

DTYPES = {1: np.uint8, 2: np.uint16, 4: np.uint32}


def naive_suffixes(text: list[int]) -> list[int]:
    return sorted(range(len(text)), key=lambda i: text[i:])


def sort(text: list[int], values: int, width: int, sorter: str = "induced") -> list[int]:
    tokens = np.array(text, DTYPES[width])
    counts = np.zeros(values, np.int64)
    assert packing.count_symbols(tokens, counts) == -1
    suffixes, overwritten = sort_suffixes(counts, tokens, sorter)
    assert overwritten or tokens.tolist() == text
    return suffixes.tolist()


def check(text: list[int], suffixes: list[int], values: int, width: int) -> tuple[int, int]:
    counts = np.bincount(text, minlength=values)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return verify.check_suffix_array(
        np.array(text, DTYPES[width]),
        np.array(suffixes, np.uint32),
        starts,
        np.empty(values, np.int64),
    )


WORDS = {
    "one": [0],
    "all equal": [5] * 200 + [0],
    "separators": [0] * 200,
    "fibonacci": [*fibonacci_word(300), 0],
    "thue-morse": [*thue_morse(256), 0],
    "periodic": [*periodic([3, 1, 2], 301), 0],
    "de bruijn": [*de_bruijn(4, 4), 0],
    "descending": [*range(199, 0, -1), 0],
    "ascending": [*range(200)],
}


@pytest.mark.parametrize("sorter", SORTERS)
@pytest.mark.parametrize("width", DTYPES)
@pytest.mark.parametrize("name", WORDS)
def test_words_of_known_structure(name: str, width: int, sorter: str) -> None:
    text = WORDS[name]
    suffixes = sort(text, 200, width, sorter=sorter)
    assert suffixes == naive_suffixes(text)
    assert check(text, suffixes, 200, width) == (verify.SORTED, len(text))


@pytest.mark.parametrize("sorter", SORTERS)
@pytest.mark.parametrize(
    ("distinct", "values", "width"),
    [(256, 300, 2), (257, 300, 2), (1000, 65_536, 2), (257, 1 << 20, 4), (70_000, 1 << 20, 4)],
)
def test_bytes_per_symbol_follow_what_occurs(
    distinct: int, values: int, width: int, sorter: str
) -> None:
    """Values far apart are numbered densely; the order stays that of the values."""
    rng = np.random.default_rng(distinct)
    used = np.sort(rng.choice(values, distinct, replace=False))
    text = rng.permutation(np.concatenate([used, rng.choice(used, 500)])).tolist()
    suffixes = sort(text, values, width, sorter=sorter)
    assert check(text, suffixes, values, width) == (verify.SORTED, len(text))
    if len(text) < 3000:
        assert suffixes == naive_suffixes(text)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_any_text(text: list[int]) -> None:
    expected = naive_suffixes(text)
    assert [sort(text, 4, 1, sorter=sorter) for sorter in SORTERS] == [expected, expected]


@pytest.mark.parametrize(("ranks", "direct"), [(2, True), (100, True), (101, False), (799, False)])
def test_symbols_are_numbered_anew_where_they_are_many(
    ranks: int, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to a rank per eight tokens the text is sorted as it is; else its memory is reused."""
    alphabets: list[int] = []
    kernel = suffix_sort.suffix_array
    monkeypatch.setattr(
        suffix_sort,
        "suffix_array",
        lambda t, symbols: (alphabets.append(symbols), kernel(t, symbols))[1],
    )
    used = np.arange(1, ranks, 2)  # no 0, so that numbers differ from ranks
    text = np.resize(np.random.default_rng(ranks).permutation(used), 800).astype(np.uint16)
    counts, tokens = np.bincount(text, minlength=ranks), text.copy()
    suffixes, overwritten = sort_suffixes(counts, tokens)
    assert suffixes.tolist() == naive_suffixes(text.tolist())
    assert alphabets == [ranks if direct else used.size]
    assert (overwritten, np.array_equal(tokens, text)) == (not direct, direct)
    given = text.copy()
    assert suffix_array(given).tolist() == suffixes.tolist()
    assert np.array_equal(given, text)


def test_symbol_bytes() -> None:
    assert [symbol_bytes(n) for n in (0, 1, 256, 257, 65_536, 65_537, 1 << 24, 1 + (1 << 24))] == [
        1,
        1,
        1,
        2,
        2,
        3,
        3,
        4,
    ]


def test_working_memory_per_token() -> None:
    """Tokens, result and working memory, and tables by rank."""
    million, tables = 1_000_000, 16
    for ranks, induced, bytewise in ((200, 9, 6), (50_000, 10, 12), (100_000, 12, 19)):
        table = tables * ranks
        assert working_memory(million, ranks) == induced * million + table
        assert working_memory(million, ranks, "divsufsort") == bytewise * million + table
    billion = 1 << 30
    assert working_memory(billion, 50_000) == 10 * billion + tables * 50_000
    assert working_memory(2 * billion, 50_000) == 18 * 2 * billion + tables * 50_000
    assert working_memory(billion, 50_000, "divsufsort") == 20 * billion + tables * 50_000


def test_64_bit_suffixes_are_compacted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of 2^31 bytes and more come back with 64-bit positions."""
    import pydivsufsort

    narrow = pydivsufsort.divsufsort
    monkeypatch.setattr(pydivsufsort, "divsufsort", lambda t: narrow(t, force64=True))
    text = [*np.random.default_rng(0).integers(1, 400, 500).tolist(), 0]
    assert sort(text, 400, 2, sorter="divsufsort") == naive_suffixes(text)


def test_texts_in_memory() -> None:
    text = np.array([7, 9, 7, 70_000, 0], np.uint32)
    for sorter in SORTERS:
        assert suffix_array(text, sorter).tolist() == [4, 0, 2, 1, 3]
        assert suffix_array(text[:0], sorter).size == 0
    with pytest.raises(UsageError, match="induced, divsufsort"):
        suffix_array(text, "bubble")


@pytest.mark.parametrize("size", [200, 60_000, 200_000])
def test_every_sorter_and_width_of_positions_gives_the_same_index(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(size)
    documents = [(rng.integers(0, 40, 150) * 7919 % size).tolist() for _ in range(6)]
    folders = [tmp_path / name for name in ("induced", "divsufsort", "64-bit")]
    for folder, sorter in zip(folders, ("induced", "divsufsort", "induced"), strict=True):
        folder.mkdir()
        if folder.name == "64-bit":
            monkeypatch.setattr(suffix_sort, "LIMIT", 300)
        path = build_ids(folder, documents, size, shard_tokens=310, sorter=sorter)
        gramdex.open(path).verify()
    first, *others = [
        [file.read_bytes() for file in sorted((folder / "index").rglob("suffixes.gdx"))]
        for folder in folders
    ]
    assert len(first) == 3
    assert others == [first, first]


def test_a_sorter_there_is_none_of(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="sorter: 'bubble'; expected one of induced, divsufsort"):
        build_ids(tmp_path, [[1]], 2, sorter="bubble")
