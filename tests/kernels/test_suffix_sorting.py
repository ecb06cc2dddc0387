"""Suffix sorting, packing and the check of a suffix array, against sorting in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from corpora import de_bruijn, fibonacci_word, periodic, thue_morse
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.indexer.suffix_sort import sort_suffixes, symbol_bytes, working_memory
from gramdex.kernels import packing, verify

DTYPES = {1: np.uint8, 2: np.uint16, 4: np.uint32}


def naive_suffixes(text: list[int]) -> list[int]:
    return sorted(range(len(text)), key=lambda i: text[i:])


def sort(text: list[int], values: int, width: int, chunk: int = 3) -> list[int]:
    tokens = np.array(text, DTYPES[width])
    counts = np.zeros(values, np.int64)
    assert packing.count_symbols(tokens, counts) == -1
    chunks = [tokens[i : i + chunk] for i in range(0, tokens.size, chunk)]
    return sort_suffixes(counts, tokens.size, lambda: chunks).tolist()


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


@pytest.mark.parametrize("width", DTYPES)
@pytest.mark.parametrize("name", WORDS)
def test_words_of_known_structure(name: str, width: int) -> None:
    text = WORDS[name]
    suffixes = sort(text, 200, width)
    assert suffixes == naive_suffixes(text)
    assert check(text, suffixes, 200, width) == (verify.SORTED, len(text))


@pytest.mark.parametrize(
    ("distinct", "values", "width"),
    [(256, 300, 2), (257, 300, 2), (1000, 65_536, 2), (257, 1 << 20, 4), (70_000, 1 << 20, 4)],
)
def test_bytes_per_symbol_follow_what_occurs(distinct: int, values: int, width: int) -> None:
    """Values far apart are numbered densely; the order stays that of the values."""
    rng = np.random.default_rng(distinct)
    used = np.sort(rng.choice(values, distinct, replace=False))
    text = rng.permutation(np.concatenate([used, rng.choice(used, 500)])).tolist()
    suffixes = sort(text, values, width, chunk=1 << 16)
    assert check(text, suffixes, values, width) == (verify.SORTED, len(text))
    if len(text) < 3000:
        assert suffixes == naive_suffixes(text)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_any_text(text: list[int]) -> None:
    suffixes = sort(text, 4, 1)
    assert suffixes == naive_suffixes(text)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.integers(0, 2), min_size=2, max_size=12), st.data())
def test_check_accepts_the_suffix_array_and_nothing_else(
    text: list[int], data: st.DataObject
) -> None:
    right = naive_suffixes(text)
    assert check(text, right, 3, 1)[0] == verify.SORTED
    wrong = data.draw(
        st.one_of(
            st.permutations(right),
            st.lists(st.integers(0, len(text) + 1), min_size=len(text), max_size=len(text)),
        )
    )
    assert (check(text, wrong, 3, 1)[0] == verify.SORTED) == (wrong == right)


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
    million = 1_000_000
    tables = 12
    assert working_memory(million, 200) == 5 * million + tables * 200
    assert working_memory(million, 50_000) == 10 * million + tables * 50_000
    assert working_memory(million, 100_000) == 15 * million + tables * 100_000
    assert working_memory(1 << 30, 50_000) == 18 * (1 << 30) + tables * 50_000


def test_a_text_that_changes_while_it_is_sorted_is_noticed() -> None:
    counts = np.array([1, 2], np.int64)
    with pytest.raises(RuntimeError, match="2 tokens, 3 were counted"):
        sort_suffixes(counts, 3, lambda: [np.array([1, 0], np.uint8)])


def test_64_bit_suffixes_are_compacted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of 2^31 bytes and more come back with 64-bit positions."""
    import pydivsufsort

    narrow = pydivsufsort.divsufsort
    monkeypatch.setattr(pydivsufsort, "divsufsort", lambda t: narrow(t, force64=True))
    text = [*np.random.default_rng(0).integers(1, 400, 500).tolist(), 0]
    assert sort(text, 400, 2) == naive_suffixes(text)


@pytest.mark.parametrize("shift", [0, 1, 3])
def test_prefix_table(shift: int) -> None:
    counts = np.array([2, 0, 3, 1, 0, 0, 4, 0, 1], np.int64)
    table = np.empty(((counts.size - 1) >> shift) + 2, np.uint32)
    packing.prefix_table(counts, shift, table)
    starts = np.concatenate([[0], np.cumsum(counts)])
    width = 1 << shift
    expected = [int(starts[min(i * width, counts.size)]) for i in range(table.size)]
    assert table.tolist() == expected


def test_translate_ids() -> None:
    table = np.array([2, 0, 1], np.uint32)
    empty = np.empty(0, np.uint32)
    for ranks, expected in ((table, [2, 1, 2]), (empty, [1, 3, 1])):
        ids = np.array([0, 2, 0], np.int64)
        assert packing.translate_ids(ids, ranks, 3) == -1
        assert ids.tolist() == expected
    for wrong in (1, 3, -1):
        ids = np.array([0, wrong, 0], np.int64)
        assert packing.translate_ids(ids, table, 3) == 1
        assert ids.tolist() == [2, wrong, 0]
