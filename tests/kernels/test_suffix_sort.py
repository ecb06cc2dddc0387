"""Induced suffix sorting: against plain Python, libdivsufsort and the linear-time check."""

from __future__ import annotations

import re
import sysconfig
import tracemalloc
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora import de_bruijn, fibonacci_word, periodic, thue_morse
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.indexer import suffix_sort as sorters
from gramdex.kernels.jit import JIT_DISABLED
from gramdex.kernels.suffix_array import verify
from gramdex.kernels.suffix_sorting import lms_reduction, suffix_doubling, suffix_sort

WIDTHS = (np.uint8, np.uint16, np.uint32)
LONG = 2_000 if JIT_DISABLED else 200_000


def naive_suffixes(text: list[int]) -> list[int]:
    return sorted(range(len(text)), key=lambda i: text[i:])


def sort(text: list[int] | np.ndarray, width: type = np.uint16, limit: int = 1 << 31) -> np.ndarray:
    """Suffix array, where texts of ``limit`` tokens get 64-bit positions."""
    tokens = np.asarray(text, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suffix_sort, "LIMIT", limit)
        return suffix_sort.suffix_array(tokens, int(tokens.max(initial=0)) + 1)


def is_suffix_array(text: np.ndarray, suffixes: np.ndarray) -> bool:
    counts = np.bincount(text)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    scratch = np.empty(counts.size, np.int64)
    return verify.check_suffix_array(text, suffixes, starts, scratch) == (verify.SORTED, text.size)


@cache
def adversarial(length: int) -> dict[str, np.ndarray]:
    """Texts on which sorting by comparison takes quadratic time, or tables overflow."""
    rng = np.random.default_rng(0)
    half = rng.integers(0, 200, length // 2)
    saw = np.where(np.arange(length // 2) % 2, half // 2, 100 + half // 2)
    texts = {
        "all equal": np.full(length, 7),
        "period 2": np.array(periodic([1, 0], length)),
        "period 3, then another": np.array([5, 6, 9, *periodic([3, 1, 2], length), 1]),
        "random, then period 2": np.concatenate([half, np.tile([1, 2], length // 4)]),
        "fibonacci": np.array(fibonacci_word(length)),
        "thue-morse": np.array(thue_morse(length)),
        "de bruijn": np.array(de_bruijn(4, 5 if length < 1000 else 7)[:length]),
        "runs of separators": np.repeat(half % 3, 1 + half % 5)[:length],
        "separators, then text": np.concatenate([np.zeros(length // 2, np.int64), half]),
        "ascending": np.sort(half),
        "descending": np.sort(half)[::-1],
        "twice the same": np.concatenate([half, half]),
        "twice the same, up and down": np.concatenate([saw, saw]),
        "square of squares": np.tile(half[: length // 16], 8),
        "two symbols at random": half % 2,
    }
    return {name: text.astype(np.int64) for name, text in texts.items()}


@pytest.mark.parametrize("name", adversarial(64))
@pytest.mark.parametrize("limit", [1 << 31, 1], ids=["32-bit", "64-bit"])
@pytest.mark.parametrize("width", WIDTHS)
def test_short_adversarial_texts(name: str, width: type, limit: int) -> None:
    for length in (4, 16, 64, 320):
        text = adversarial(length)[name]
        suffixes = sort(text, width, limit)
        assert suffixes.dtype == (np.int32 if limit > text.size else np.int64)
        assert suffixes.tolist() == naive_suffixes(text.tolist())


@pytest.mark.parametrize("name", adversarial(64))
def test_long_adversarial_texts_take_levels_of_half_the_size(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each level is linear, and no more than half of the one above: so is the whole."""
    levels: list[int] = []
    one_level = suffix_sort.sort_suffixes

    def counted(text: np.ndarray, *rest: object) -> None:
        levels.append(text.size)
        one_level(text, *rest)  # type: ignore[arg-type]

    doubled: list[int] = []
    double = suffix_doubling.double
    monkeypatch.setattr(suffix_sort, "sort_suffixes", counted)
    monkeypatch.setattr(
        suffix_doubling, "double", lambda s, *rest: (doubled.append(s.size), double(s, *rest))
    )
    text = adversarial(LONG)[name].astype(np.uint16)
    assert is_suffix_array(text, sort(text))
    assert all(below <= above // 2 for above, below in pairwise(levels))
    assert sum(doubled) <= 100 or (name == "twice the same, up and down" and doubled[0] <= LONG)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.data())
def test_any_text(data: st.DataObject) -> None:
    width = data.draw(st.sampled_from(WIDTHS))
    most = data.draw(st.sampled_from([0, 1, 2, 5, 255]))
    word = st.lists(st.integers(0, most), min_size=1, max_size=12)
    parts = data.draw(st.lists(st.tuples(word, st.integers(1, 6)), max_size=8))
    text = [symbol for part, times in parts for symbol in part * times]
    limit = data.draw(st.sampled_from([1, 1 << 31]))
    assert sort(text, width, limit).tolist() == naive_suffixes(text)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.lists(st.integers(0, 40), min_size=3, max_size=120),
    st.integers(0, 200),
    st.sampled_from([np.int32, np.int64]),
)
def test_any_working_memory_from_a_word_per_token_on(
    text: list[int], more: int, positions: type
) -> None:
    """The alphabet decides what fits: both tables, one, or none."""
    tokens = np.array(text, np.uint8)
    suffixes, work = np.empty(tokens.size, positions), np.empty(tokens.size + more, positions)
    suffix_sort.sort_suffixes(tokens, int(tokens.max()) + 1, suffixes, work)
    assert suffixes.tolist() == naive_suffixes(text)


def test_a_symbol_of_its_own_at_the_start_of_the_shorter_text() -> None:
    """The first symbol of the shorter text is left out if it is unique: nothing comes before it."""
    text = [3, 2, 4, 0, 3, 1, 2, 4, 0, 3, 1, 2, 2]
    suffixes, work = np.empty(13, np.int32), np.empty(40, np.int32)
    suffix_sort.sort_suffixes(np.array(text, np.uint8), 5, suffixes, work)
    assert suffixes.tolist() == naive_suffixes(text)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.lists(st.integers(0, 4), max_size=8),
    st.lists(st.integers(0, 4), min_size=1, max_size=8),
    st.integers(1, 4),
    st.lists(st.integers(0, 4), max_size=8),
)
def test_repeats_between_other_text(
    prefix: list[int], word: list[int], times: int, tail: list[int]
) -> None:
    text = [*prefix, *word * times, *tail]
    for more in (0, 27, 100):
        suffixes = np.empty(len(text), np.int32)
        work = np.empty(len(text) + more, np.int32)
        suffix_sort.sort_suffixes(np.array(text, np.uint8), 5, suffixes, work)
        assert suffixes.tolist() == naive_suffixes(text)


@pytest.mark.parametrize("alphabet", [LONG // 9, LONG // 5, LONG // 3, LONG])
def test_large_alphabets(alphabet: int) -> None:
    """Tables are kept, made again, or do without."""
    rng = np.random.default_rng(alphabet)
    half = rng.integers(0, alphabet, LONG // 2).astype(np.uint32)
    for text in (half, np.concatenate([half, half]), np.concatenate([half, half[::-1]])):
        assert is_suffix_array(text, sort(text, np.uint32))


def partly_repeated(alphabet: int, share: float, shape: str) -> np.ndarray:
    """2000 tokens: some twice, then ``share`` of the whole once; LMS are n / 2, / 3 or / 4."""
    once = int(2_000 * share) // 4 * 4
    text = np.random.default_rng(alphabet).integers(0, alphabet, 1_000 + once // 2)
    if shape == "climbs":
        text = np.sort(text.reshape(-1, 4)).ravel()
    if shape == "saw":
        text = np.where(np.arange(text.size) % 2, (text + alphabet) // 2, text // 2)
    text[3] = alphabet - 1
    twice = text[: 1_000 - once // 2]
    return np.concatenate([twice, twice, text[twice.size :]]).astype(np.uint32)


@pytest.mark.parametrize(
    ("share", "shape", "path"),
    [
        (0.0, "random", "collect_names"),
        (0.6, "random", "collect_needed_names"),
        (0.2, "climbs", "collect_names"),
        (0.4, "climbs", "collect_needed_names"),
        (0.4, "saw", "collect_names"),  # unique ones enough, but no room for the others
        (0.8, "saw", "collect_needed_names"),
    ],
)
@pytest.mark.parametrize("part", [20, 9, 5, 4.1, 3.9, 3])
def test_unique_substrings_and_alphabet_decide_the_path(
    part: float, share: float, shape: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alphabets of n / part: tables are kept, made again, or do without from a quarter on."""
    text = partly_repeated(int(2_000 / part), share, shape)
    calls: list[tuple[str, int]] = []

    def watch(module: object, name: str) -> None:
        watched = getattr(module, name)

        def called(first: np.ndarray, *rest: object) -> object:
            calls.append((name, first.size))
            return watched(first, *rest)

        monkeypatch.setattr(module, name, called)

    watch(lms_reduction, "collect_names")
    watch(lms_reduction, "collect_needed_names")
    watch(suffix_doubling, "double")
    watch(suffix_sort, "_count")
    assert sort(text, np.uint32).tolist() == naive_suffixes(text.tolist())
    names = [name for name, slots in calls if name.startswith("collect") and slots == 1_000]
    assert names == ([path] if part > 4 else [])
    assert (("double", 2_000) in calls) == (part < 4)
    kept = part >= {"climbs": 9, "random": 20, "saw": 2_000}[shape]
    assert calls.count(("_count", 2_000)) == (0 if kept or part < 4 else 2)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257])
def test_doubling_takes_a_round_per_power_of_two(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All as plain Python, so that a kernel can be watched from within another."""
    monkeypatch.setattr(suffix_doubling, "load", lambda array, i: array[i])
    monkeypatch.setattr(suffix_doubling, "store", lambda array, i, value: array.put(i, value))
    double, split, *others = (
        getattr(compiled, "py_func", compiled)
        for compiled in (
            suffix_doubling.double,
            suffix_doubling.split_group,
            suffix_doubling.sort_group,
            suffix_doubling.key_of,
        )
    )
    for plain in others:
        monkeypatch.setattr(suffix_doubling, plain.__name__, plain)
    depths: list[int] = []

    def counted(*arguments: Any) -> None:
        depths.append(arguments[4])
        split(*arguments)

    monkeypatch.setattr(suffix_doubling, "split_group", counted)
    suffixes = np.empty(size, np.int32)
    double(suffixes, np.zeros(size, np.int32), -(1 << 31))
    assert suffixes.tolist() == list(range(size - 1, -1, -1))
    assert len(depths) <= np.log2(size) + 2


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_doubling(text: list[int]) -> None:
    suffixes = np.empty(len(text), np.int32)
    suffix_doubling.double(suffixes, np.array(text, np.int32), -(1 << 31))
    assert suffixes.tolist() == naive_suffixes(text)


def real_text() -> bytes:
    """Source of the standard library, on every machine."""
    folder = Path(sysconfig.get_path("stdlib"))
    files = sorted(folder.glob("*.py"))
    return b"\0".join(path.read_bytes() for path in files)[: 30 * LONG] + b"\0"


@pytest.mark.skipif(JIT_DISABLED, reason="too slow as plain Python")
@pytest.mark.parametrize("width", WIDTHS)
def test_real_text_as_libdivsufsort_sorts_it(width: type) -> None:
    text = np.frombuffer(real_text(), np.uint8)
    if width is not np.uint8:  # words for symbols: a few thousand, or with their place far more
        words, numbers = np.unique(re.findall(rb"\w+|\W+", real_text()), return_inverse=True)
        text = numbers if width is np.uint16 else numbers * 7 + np.arange(numbers.size) % 7
        assert words.size < 1 << 16
        assert width is np.uint16 or np.unique(text).size > 1 << 16
    text = text.astype(width)
    assert np.array_equal(sorters.suffix_array(text), sorters.suffix_array(text, "divsufsort"))


@pytest.mark.skipif(JIT_DISABLED, reason="too slow as plain Python")
def test_large_text_is_sorted() -> None:
    """Words drawn as in a language, with long copies, so that every path is taken."""
    rng = np.random.default_rng(1)
    words = np.minimum(rng.zipf(1.3, 1_500_000), 30_000).astype(np.uint16)
    text = np.concatenate([words, words[200_000:900_000], words[:50_000], [0]]).astype(np.uint16)
    assert is_suffix_array(text, sort(text))


def test_memory_is_two_words_per_token() -> None:
    text = np.random.default_rng(2).integers(0, 300, LONG).astype(np.uint16)
    sort(text)
    tracemalloc.start()
    try:
        sort(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * text.size + 20_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (np.zeros(3, np.int64), r"the text is int64\[3\]; expected uint8, uint16 or uint32"),
        (np.zeros((2, 2), np.uint8), r"the text is uint8\[2, 2\]"),
        (np.array([1, 5], np.uint8), "symbol 5; expected symbols below 5"),
    ],
)
def test_wrong_texts(text: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        suffix_sort.suffix_array(text, 5)


def test_symbols_that_positions_cannot_hold() -> None:
    with pytest.raises(ValueError, match="number them densely"):
        suffix_sort.suffix_array(np.array([1, 2], np.uint32), (1 << 31) + 1)
