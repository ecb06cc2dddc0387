"""Codes, bits and the permutation of the FM-index, against plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefix_codes import best_of_all, codewords, huffman, package_merge, packed

from gramdex.indexer.successor_codes import limited_lengths
from gramdex.kernels.fm import columns, encode, permutation, units
from gramdex.kernels.memory import CorruptShard

deterministic = settings(derandomize=True, deadline=None, max_examples=60)


# --- prefix codes ---------------------------------------------------------------------------


def cost(counts: list[int], most: int) -> int:
    """Bits that the counts take in their code, which is complete and short enough."""
    lengths = limited_lengths(np.array(counts, np.int64), most)
    assert [length > 0 for length in lengths] == [count > 0 for count in counts]
    assert lengths.max() <= most
    assert sum(1 << (most - int(length)) for length in lengths if length) == 1 << most
    return sum(int(length) * count for length, count in zip(lengths, counts, strict=True))


@deterministic
@given(st.lists(st.integers(0, 40), min_size=2, max_size=6), st.integers(3, 5))
def test_no_code_of_few_symbols_is_shorter(counts: list[int], most: int) -> None:
    counts = [*counts, 1, 3]
    assert cost(counts, most) == best_of_all(counts, most)


@deterministic
@given(
    st.lists(st.integers(0, 12).map(lambda power: 3**power), min_size=2, max_size=64),
    st.integers(6, 11),
)
def test_codes_cost_what_package_merge_says(counts: list[int], most: int) -> None:
    assert cost(counts, most) == package_merge(counts, most)


@deterministic
@given(st.lists(st.integers(0, 1 << 40), min_size=2, max_size=60))
def test_codes_are_huffmans_where_the_limit_is_far(counts: list[int]) -> None:
    counts = [*counts, 1, 1]
    bits, depth = huffman(counts)
    if depth <= 30:
        assert cost(counts, 30) == bits
    assert cost(counts, 11) >= bits


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 256, 257])
def test_codes_of_equal_counts_and_of_as_many_as_fit(size: int, count: int) -> None:
    assert cost([count] * size, 11) == huffman([count] * size)[0]
    full = (size - 1).bit_length()
    assert cost([count] * (1 << full), full) == full * count << full
    fibonacci = [1, 1]
    while len(fibonacci) < min(size, 40):
        fibonacci.append(sum(fibonacci[-2:]))
    assert cost(fibonacci, 11) == package_merge(fibonacci, 11)


def test_lengths_that_are_no_code_are_refused() -> None:
    entries = np.zeros(1 << units.CODE_BITS, np.uint32)
    lengths = np.zeros(units.SYMBOLS, np.uint8)
    assert not units.decoding_table(lengths, entries)  # none at all
    lengths[[3, 9]] = 1
    assert units.decoding_table(lengths, entries)
    for symbol, length in [(4, 1), (4, 11), (3, 0), (3, 2), (9, 11), (3, 12), (3, 255)]:
        wrong = lengths.copy()
        wrong[symbol] = length
        assert not units.decoding_table(wrong, entries), (symbol, length)
    wrong = np.zeros(units.SYMBOLS, np.uint8)
    wrong[:256] = 255  # too long, all of them
    assert not units.decoding_table(wrong, entries)


def some_code(rng: np.random.Generator, used: int) -> np.ndarray:
    counts = np.zeros(units.SYMBOLS, np.int64)
    chosen = rng.choice(units.SYMBOLS, used, replace=False)
    counts[chosen] = rng.zipf(1.4, used) % (1 << 40) + 1
    return limited_lengths(counts, units.CODE_BITS)


@pytest.mark.parametrize("used", [2, 3, 40, units.SYMBOLS])
def test_every_entry_of_a_decoding_table(used: int) -> None:
    lengths = some_code(np.random.default_rng(used), used)
    entries = np.zeros(1 << units.CODE_BITS, np.uint32)
    assert units.decoding_table(lengths, entries)
    words = codewords(lengths.tolist())
    for bits, entry in enumerate(entries.tolist()):
        read = format(bits, f"0{units.CODE_BITS}b")[::-1]  # the lowest bit is read first
        (symbol,) = [words[read[:n]] for n in range(1, units.CODE_BITS + 1) if read[:n] in words]
        jump, run = symbol // units.RUNS, symbol % units.RUNS
        new, rest = jump == units.NEW_LIST, max(jump - 1, 0)
        rest = units.VALUE_BITS if new else rest
        length = int(lengths[symbol])
        assert entry & 63 == length + rest + units.RUN_BITS[run]
        assert entry >> units.CODE_SHIFT & 15 == length
        assert entry >> units.JUMP_SHIFT & 63 == rest
        assert entry >> units.RUN_SHIFT & 7 == units.RUN_BITS[run]
        assert entry >> units.FIRST_SHIFT & 63 == units.RUN_FIRST[run]
        assert entry >> units.LONG_SHIFT & 1 == (0 < jump < units.NEW_LIST)
        assert entry >> units.VALUE_SHIFT == new


def test_classes_of_runs_and_bits_of_numbers() -> None:
    for run in range(1, columns.HALF + 1):
        found = units.run_class(run)
        first, bits = int(units.RUN_FIRST[found]), int(units.RUN_BITS[found])
        assert first <= run < first + (1 << bits)
    for number in [0, 1, 2, 3, 4, 255, 256, (1 << 32) - 1, 1 << 32]:
        assert units.bit_length(number) == number.bit_length()
    longest = units.CODE_BITS + units.VALUE_BITS + int(units.RUN_BITS.max())
    assert longest == units.MOST_UNIT_BITS <= 57  # what one load is sure to hold


# --- bits -----------------------------------------------------------------------------------


@deterministic
@given(st.lists(st.integers(0, 57).flatmap(
    lambda bits: st.tuples(st.integers(0, (1 << bits) - 1), st.just(bits))
), max_size=40), st.integers(0, 70))  # fmt: skip
def test_bits_are_put_one_after_the_other(numbers: list[tuple[int, int]], start: int) -> None:
    words = np.zeros((start + sum(bits for _, bits in numbers)) // 64 + 2, np.uint64)
    bit, expected = start, 0
    for number, bits in numbers:
        expected |= number << bit
        assert encode.put_bits(words, bit, number, bits) == bit + bits
        bit += bits
    assert int.from_bytes(words.tobytes(), "little") == expected


@deterministic
@given(st.integers(1, 57), st.data())
def test_packed_numbers_are_loaded_again(bits: int, data: st.DataObject) -> None:
    edge = st.sampled_from([0, 1, (1 << bits) - 1, 1 << (bits - 1)])
    numbers = data.draw(st.lists(edge | st.integers(0, (1 << bits) - 1), min_size=1, max_size=70))
    expected = packed(numbers, bits)
    words = np.zeros(expected.size, np.uint64)
    encode.pack_bits(np.array(numbers, np.int64), bits, words)
    assert np.array_equal(words, expected)
    address = words.ctypes.data
    assert [columns.load_bits(address, i, bits) for i in range(len(numbers))] == numbers


@deterministic
@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_population(word: int) -> None:
    ones = (word & ((1 << 64) - 1)).bit_count()
    assert permutation.population(np.int64(word)) == ones


def test_population_of_prefixes() -> None:
    for bits in range(64):
        assert permutation.population(np.int64((1 << bits) - 1)) == bits
    assert permutation.population(np.int64(-1)) == 64
    assert permutation.population(np.int64(-(1 << 63))) == 1


# --- the permutation ------------------------------------------------------------------------


class Permutation:
    """Values with the way back, in a row of addresses."""

    def __init__(self, values: np.ndarray) -> None:
        size = values.size
        self.values = values.astype(np.uint32)
        self.marks = np.zeros(-(-size // permutation.WORD), np.uint64)
        self.backs = np.zeros(size, np.uint32)
        permutation.mark_shortcuts(self.values, self.marks, self.backs)
        marks = [int(word) >> bit & 1 for word in self.marks for bit in range(permutation.WORD)]
        self.marked = [element for element in range(size) if marks[element]]
        assert sum(marks) == len(self.marked)  # none past the end
        before = [sum(marks[: 64 * word]) for word in range(self.marks.size + 1)]
        self.counts = np.array(before, np.uint32)
        bits = max(1, (size - 1).bit_length())
        self.words = packed(self.values.tolist(), bits)
        self.shortcuts = packed(self.backs[self.marked].tolist(), bits)
        row = np.zeros((1, columns.COLUMNS), np.int64)
        row[0, columns.SAMPLES], row[0, columns.SAMPLE_BITS] = size, bits
        row[0, columns.SHORTCUT_TOTAL] = len(self.marked)
        row[0, columns.PERMUTATION] = self.words.ctypes.data
        row[0, columns.SHORTCUT_MARKS] = self.marks.ctypes.data
        row[0, columns.SHORTCUT_COUNTS] = self.counts.ctypes.data
        row[0, columns.SHORTCUTS] = self.shortcuts.ctypes.data
        self.rows, self.row = row, columns.row_at(row, 0)


def cycles(size: int, length: int) -> np.ndarray:
    """Cycles of one length over shuffled elements; the last may be shorter."""
    order = np.random.default_rng(length).permutation(size)
    values = np.empty(size, np.int64)
    for start in range(0, size, length):
        cycle = order[start : start + length]
        values[cycle] = np.roll(cycle, -1)
    return values


PERMUTATIONS = {
    "identity": np.arange,
    "random": lambda size: np.random.default_rng(size).permutation(size),
    "one cycle": lambda size: cycles(size, size),
    "rotation": lambda size: np.roll(np.arange(size), 1),
    "reversed": lambda size: np.arange(size)[::-1],
    "cycles of 2": lambda size: cycles(size, 2),
    "cycles of 16": lambda size: cycles(size, 16),
    "cycles of 17": lambda size: cycles(size, 17),
    "cycles of 33": lambda size: cycles(size, 33),
}


@pytest.mark.parametrize("name", PERMUTATIONS)
@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 32, 63, 64, 65, 128, 1000])
def test_a_permutation_both_ways(name: str, size: int) -> None:
    known = Permutation(PERMUTATIONS[name](size))
    inverse = np.argsort(known.values)
    for element in range(size):
        assert permutation.image(known.row, element) == known.values[element]
        assert permutation.preimage(known.row, element) == inverse[element]


@pytest.mark.parametrize("name", PERMUTATIONS)
def test_shortcuts_lead_back_along_the_cycle(name: str) -> None:
    known = Permutation(PERMUTATIONS[name](1000))
    for element in range(1000):
        cycle, at = [element], int(known.values[element])
        while at != element:
            cycle.append(at)
            at = int(known.values[at])
        back = permutation.shortcut(known.row, element)
        if len(cycle) <= permutation.SHORTCUT:
            assert back == -1
        else:  # one among every 16, and none leads back further
            assert any(e in known.marked for e in cycle[: permutation.SHORTCUT])
            assert back == -1 or back in cycle[-permutation.SHORTCUT :]
        assert (back == -1) == (element not in known.marked)


def test_a_permutation_that_is_none_is_noticed() -> None:
    known = Permutation(cycles(100, 100))
    known.words = packed([5] * 100, 7)
    known.rows[0, columns.PERMUTATION] = known.words.ctypes.data
    for value in range(100):
        if value != 5:
            with pytest.raises(CorruptShard):
                permutation.preimage(known.row, value)
    known.words = packed([127] * 100, 7)
    known.rows[0, columns.PERMUTATION] = known.words.ctypes.data
    with pytest.raises(CorruptShard):
        permutation.image(known.row, 3)
    known = Permutation(cycles(100, 100))
    known.shortcuts = packed([127] * len(known.marked), 7)
    known.rows[0, columns.SHORTCUTS] = known.shortcuts.ctypes.data
    with pytest.raises(CorruptShard):
        permutation.shortcut(known.row, known.marked[0])
    known.counts[:] = 200
    with pytest.raises(CorruptShard):
        permutation.shortcut(known.row, known.marked[-1])
