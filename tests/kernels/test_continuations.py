"""The table of continuations, runs and distributions, against dictionaries of contexts."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest
from corpora import de_bruijn, fibonacci_word, periodic
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.fmindex.engines import continuations as table_code
from gramdex.fmindex.engines.continuations import (
    LIMITS,
    Continuations,
    Limits,
    build_continuations,
    table_memory,
)
from gramdex.fmindex.engines.rows import shard_row
from gramdex.kernels import memory
from gramdex.kernels.suffix_array import columns, continuations, distribution, runs, search

Node = list[tuple[int, int, int]]
"""(Token, first rank, rank after the last) of each run."""


class Text:
    """A text with its suffix array and tables; the text ends with the separator.

    ``room``: entries the table has room for; without it, for all.
    """

    def __init__(
        self, text: list[int], limits: Limits, dtype: type = np.uint16, room: int | None = None
    ) -> None:
        self.text = text
        self.tokens = np.array(text, dtype)
        order = sorted(range(len(text)), key=lambda i: text[i : i + 400])
        self.suffixes = np.array(order, np.uint32)
        counts = np.bincount(text, minlength=max(text) + 2)
        self.buckets = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
        room = 4 * len(text) ** 2 if room is None else room
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(table_code, "_room", lambda size, limits: room)
            self.table = build_continuations(self.tokens, self.suffixes, self.buckets, limits)
        values = shard_row(self.tokens, self.suffixes, self.buckets, 0)
        self.bare = np.array(values, np.int64)
        self.table.enter(values)
        self.row = np.array(values, np.int64)

    def nodes(self) -> dict[tuple[int, ...], Node]:
        """Every node of the table by its context, as lookups find it."""
        found = {}
        for token in range(1, self.buckets.size - 1):
            low, high = (int(v) for v in self.buckets[token : token + 2])
            if low < high:
                self._collect((token,), low, high, found)
        for low, depth, _, last in self.table.nodes.reshape(-1, 4).tolist():
            position = int(self.suffixes[low])
            context = tuple(self.text[position : position + depth])
            self._collect(context, low, int(self.table.run_starts[last]), found)
        return found

    def _collect(self, context: tuple[int, ...], low: int, high: int, found: dict) -> None:
        first, last = continuations.node_of(self.row, low, high, len(context))
        if first < last:
            found[context] = [
                (
                    continuations.run_token(self.row, entry),
                    *continuations.run_bounds(self.row, entry, low, high),
                )
                for entry in range(first, last)
            ]


def naive_nodes(text: list[int], suffixes: list[int], limits: Limits) -> dict:
    """What the table is to hold, from a dictionary of every context."""
    ranks: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for rank, position in enumerate(suffixes):
        end = position
        while text[end] != 0:
            end += 1
            ranks[tuple(text[position:end])].append(rank)
    nodes = {}
    for context, places in ranks.items():
        following: dict[int, list[int]] = defaultdict(list)
        for rank in places:
            following[text[suffixes[rank] + len(context)]].append(rank)
        least = limits.tokens if len(context) == 1 else limits.contexts
        fewest = 1 if len(context) == 1 else max(2, limits.runs)
        if len(places) < least or not fewest <= len(following) <= len(places) // limits.share:
            continue
        nodes[context] = [(t, r[0], r[-1] + 1) for t, r in sorted(following.items())]
    return nodes


def documents(*words: list[int]) -> list[int]:
    return [token for word in words for token in [*word, 0]]


TEXTS = {
    "nothing": [0],
    "separators": [0, 0, 0],
    "all equal": documents([1] * 90, [1] * 20),
    "fibonacci": documents([t + 1 for t in fibonacci_word(200)]),
    "de bruijn": documents([t + 1 for t in de_bruijn(3, 4)]),
    "periodic": documents(periodic([1, 2, 3], 100), periodic([2, 3, 1], 60)),
    "copies": documents(*[[5, 6, 5, 7, 1]] * 20),
}
SMALL = [Limits(2, 3, 2, 1), Limits(3, 3, 3, 1), Limits(4, 9, 2, 2)]


@pytest.mark.parametrize("limits", SMALL)
@pytest.mark.parametrize("name", TEXTS)
def test_nodes_of_known_words(name: str, limits: Limits) -> None:
    text = Text(TEXTS[name], limits)
    expected = naive_nodes(TEXTS[name], text.suffixes.tolist(), limits)
    assert text.nodes() == expected
    assert bool(expected) == (name not in ("nothing", "separators"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    words=st.lists(st.lists(st.integers(1, 4), max_size=30), min_size=1, max_size=5),
    limits=st.sampled_from(SMALL),
)
def test_nodes_of_any_text(words: list[list[int]], limits: Limits, dtype: type) -> None:
    text = Text(documents(*words), limits, dtype)
    assert text.nodes() == naive_nodes(text.text, text.suffixes.tolist(), limits)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.lists(st.lists(st.integers(1, 3), max_size=30), min_size=1, max_size=5),
    st.lists(st.integers(1, 4), min_size=1, max_size=8),
)
def test_searches_with_and_without_the_table_agree(
    words: list[list[int]], pattern: list[int]
) -> None:
    text = Text(documents(*words), SMALL[0])
    ids = np.array(pattern, np.int64)
    with_table, without = (
        search.find_interval(row, ids, 0, ids.size) for row in (text.row, text.bare)
    )
    low, high = without
    if low == high:
        assert with_table[0] == with_table[1]
        return
    assert with_table == without
    for token in range(5):
        a, b = (
            search.extend_interval(row, low, high, ids.size, token) for row in (text.row, text.bare)
        )
        assert a == b or (a[0] == a[1] and b[0] == b[1])
    assert distribute([text.row], [(low, high)], ids.size) == distribute(
        [text.bare], [(low, high)], ids.size
    )


def distribute(rows: list[np.ndarray], intervals: list[tuple[int, int]], depth: int) -> list:
    tokens, counts = np.empty((2, sum(high - low for low, high in intervals)), np.int64)
    found = distribution.next_tokens(
        np.array(rows), np.array(intervals, np.int64), depth, tokens, counts
    )
    return list(zip(tokens[:found].tolist(), counts[:found].tolist(), strict=True))


def test_a_text_of_one_token_makes_no_more_than_the_room_there_is() -> None:
    """Every power of the token is a context of its own: deep, and of two runs each."""
    size = 1 << 18
    tokens = np.ones(size, np.uint16)
    tokens[-1] = 0
    suffixes = np.arange(size - 1, -1, -1, dtype=np.uint32)
    buckets = np.array([0, 1, size], np.uint32)
    table = build_continuations(tokens, suffixes, buckets)
    assert table.limits == LIMITS
    assert 2 <= table.nodes.size // 4 <= 64 * size // LIMITS.contexts + 1
    assert table.run_starts.size <= 3 * (1 + table.nodes.size // 4)
    assert sum(values.nbytes for _, values in table.sections()) < table_memory(size, 2, 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_many_successors_fill_no_more_than_the_room(dtype: type) -> None:
    """Runs of ones cut by tokens that hardly repeat: every power of 1 is a large node."""
    rng = np.random.default_rng(7)
    text = np.where(rng.random(3000) < 0.05, rng.integers(2, 200, 3000), 1).tolist()
    limits = Limits(8, 64, 2, 2)
    small = Text(documents(text), limits, dtype, room=500)
    whole = Text(documents(text), limits, dtype)
    assert small.table.run_starts.size <= 500 < whole.table.run_starts.size
    everything = whole.nodes()
    assert all(everything[context] == node for context, node in small.nodes().items())


def test_copies_are_skipped_in_one_step() -> None:
    text = documents(*[[5, 6, 5, 7, 1, 1, 2]] * 40, [5, 6, 5, 7, 1, 1, 3])
    table = Text(text, Limits(30, 40, 2, 1)).table
    # Before the token that differs: 1 1, and what ends with it.
    assert sorted(table.nodes.reshape(-1, 4)[:, 1].tolist()) == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("size", [0, 1, 5])
def test_room_that_runs_out_leaves_contexts_out(size: int) -> None:
    text = Text(TEXTS["copies"], SMALL[0], room=size)
    expected = naive_nodes(text.text, text.suffixes.tolist(), SMALL[0])
    found = text.nodes()
    assert text.table.run_starts.size <= size
    assert len(found) < len(expected)
    assert all(expected[context] == node for context, node in found.items())


# --- runs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lengths",
    [
        [1] * 300,
        [127, 128, 129, 130, 1, 2, 3],
        [runs.AHEAD - 1, runs.AHEAD, runs.AHEAD + 1] * 5,
        [1000, 1, 500, 1, 1, 1, 255, 256, 257],
        [3000],
        [1],
    ],
)
def test_runs_of_any_length_end_where_they_do(lengths: list[int]) -> None:
    """Occurrences of 1, followed by tokens that stand so often."""
    text = documents(*[[1, 2 + i] for i, length in enumerate(lengths) for _ in range(length)])
    shard = Text(text, Limits(1 << 30, 1 << 30, 2, 1))
    assert shard.table.run_starts.size == 0
    low, high = (int(v) for v in shard.buckets[1:3])
    expected = [(2 + i, length) for i, length in enumerate(lengths)]
    assert distribute([shard.row], [(low, high)], 1) == expected


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    st.lists(
        st.dictionaries(st.integers(0, 40), st.integers(1, 1 << 40), min_size=1),
        min_size=1,
        max_size=9,
    ),
    st.sampled_from([1, 50_000]),
)
def test_equal_tokens_of_shards_are_added_up(lists: list[dict[int, int]], spread: int) -> None:
    """Few tokens, added up in a table of all; and tokens far apart, merged."""
    flat = [(t * spread, c) for counts in lists for t, c in sorted(counts.items())]
    tokens, counts = (np.array(column, np.int64) for column in zip(*flat, strict=True))
    bounds = np.cumsum([0, *map(len, lists)])
    found = distribution.add_equal(tokens, counts, bounds, len(lists))
    expected: Counter[int] = Counter()
    for token, count in flat:
        expected[token] += count
    assert dict(zip(tokens[:found].tolist(), counts[:found].tolist(), strict=True)) == expected
    assert tokens[:found].tolist() == sorted(expected)


# --- values that cannot be ------------------------------------------------------------------


def damaged(**changes: dict[int, int]) -> np.ndarray:
    """A row whose table holds other numbers at the given places."""
    text = Text(TEXTS["periodic"], SMALL[0])
    arrays = {
        name: getattr(text.table, name).copy()
        for name in ("run_starts", "run_tokens", "token_nodes", "nodes")
    }
    for name, values in changes.items():
        for place, value in values.items():
            arrays[name][place] = value
    row = text.bare.tolist()
    table = Continuations(text.table.limits, **arrays)
    table.enter(row)
    KEPT.append((text, table))
    return np.array(row, np.int64)


KEPT: list = []
BIG = (1 << 32) - 1


@pytest.mark.parametrize(
    "changes",
    [
        {"run_starts": {1: BIG}},
        {"run_starts": {1: 0}},
        {"run_starts": {0: 0}},
        {"run_tokens": {0: 9, 1: 9}},
        {"token_nodes": {2: BIG}},
        {"token_nodes": {1: BIG}},
        {"token_nodes": {1: 3, 2: 2}},
    ],
)
def test_tables_that_cannot_be(changes: dict[str, dict[int, int]]) -> None:
    row = damaged(**changes)
    low, high = columns.bucket_bounds(row, 1)
    with pytest.raises(memory.CorruptShard):
        distribute([row], [(low, high)], 1)


@pytest.mark.parametrize("change", [{2: BIG}, {3: BIG}, {2: 5, 3: 4}])
def test_nodes_that_cannot_be(change: dict[int, int]) -> None:
    right = Text(TEXTS["periodic"], SMALL[0]).table
    low, depth, _, last = right.nodes[:4].tolist()
    high = int(right.run_starts[last])
    row = damaged(nodes=change)
    with pytest.raises(memory.CorruptShard):
        continuations.node_of(row, low, high, depth)


def test_no_context_is_longer_than_the_limit() -> None:
    """However far copies agree: following each to its end would take quadratic time."""
    text = documents(*[[1] * 40 + [2 + i % 3] for i in range(30)])
    deep, short = (Text(text, Limits(2, 3, 2, 1, length)) for length in (100, 10))
    depths = {len(context) for context in deep.nodes()}
    assert max(depths) == 40
    assert short.nodes() == {c: runs for c, runs in deep.nodes().items() if len(c) <= 10}


def inside(text: Text) -> tuple[int, int, int, int]:
    """Interval of the context 1, followed by 0 and 2, and the entries of its node."""
    low, high = columns.bucket_bounds(text.row, 1)
    first, last = continuations.token_node(text.row, 1)
    assert last - first == 2
    return low, high, first, last


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("rows", ["row", "bare"])
def test_more_runs_than_there_is_room_for(rows: str, shards: int) -> None:
    """With the table and without: nothing is written past the arrays that were given."""
    text = Text(TEXTS["periodic"], SMALL[0])
    low, high, first, last = inside(text)
    needed = shards * (last - first)
    table = np.array([getattr(text, rows)] * shards)
    intervals = np.array([(low, high)] * shards, np.int64)
    values = np.full((2, needed + 8), -7, np.int64)
    tokens, counts = (row[:needed] for row in values)
    assert distribution.next_tokens(table, intervals, 1, tokens, counts) == last - first
    values[:] = -7
    damage = "table of continuations" if rows == "row" else "suffix array"
    with pytest.raises(memory.CorruptShard, match=damage):
        distribution.next_tokens(table, intervals, 1, tokens[:-1], counts[:-1])
    assert (values[:, needed - 1 :] == -7).all()


@pytest.mark.parametrize("token", [0, 2])
def test_a_run_that_holds_no_suffix(token: int) -> None:
    """A context that the table names occurs; searches never find it an empty interval."""
    low, high, first, _ = inside(Text(TEXTS["periodic"], SMALL[0]))
    row = damaged(run_starts={first + 1: high if token else low})
    if token:
        with pytest.raises(memory.CorruptShard, match="table of continuations"):
            search.find_interval(row, np.array([1, token], np.int64), 0, 2)
    with pytest.raises(memory.CorruptShard, match="table of continuations"):
        search.extend_interval(row, low, high, 1, token)


@pytest.mark.parametrize("start", [0, 1])
def test_the_entry_after_the_last_run_is_no_run(start: int) -> None:
    """Its token may be any; with ``start``, the ranks from it on could be a run."""
    low, high, _, last = inside(Text(TEXTS["periodic"], SMALL[0]))
    row = damaged(run_tokens={last: 3}, run_starts={last: high - start})
    pattern = np.array([1, 3], np.int64)
    assert continuations.descend(row, pattern, 0, 2) == (low, high, 1, True)
    for found in (
        search.find_interval(row, pattern, 0, 2),
        search.extend_interval(row, low, high, 1, 3),
    ):
        assert found[0] == found[1]
