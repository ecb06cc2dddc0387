"""What is asked of an index and of a compressed index of the same text's bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gramdex.fmindex.index import Index
from gramdex.fmindex.results import Interval
from gramdex.tools.bench.cases import BATCH, Case, all_cases
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.peers.interface import Same, Way
from gramdex.tools.bench.peers.ours import text_reader
from gramdex.tools.bench.peers.registry import BYTES
from gramdex.tools.bench.peers.sdsl_bytes import Batch, OpenBytes
from gramdex.tools.bench.queries import QuerySettings
from gramdex.tools.bench.text import CorpusText, Strings

COUNTED = (9, 30, 90)
"""Bytes of the strings that are counted, about."""
LOCATED = 30
EXTRACTED = 256

_READS, _RUNS = 10, 100
"""Divisors of ``QuerySettings.queries`` for what is slower."""

_COUNT_NOTE = (
    "Strings of the corpus cut at borders of its tokens: gramdex is asked the tokens, SDSL, "
    "through ctypes, their bytes, which occur at least as often: wherever the text is cut into "
    "other tokens as well."
)
_BATCH_NOTE = "gramdex: a 2-D array a call. SDSL: a loop in C++ a call."
_LOCATE_NOTE = (
    f"The first rank of strings of {LOCATED} bytes. One call: SDSL through ctypes. A loop: gramdex "
    "in Python, SDSL in C++; by rank. In a row: a call for consecutive ranks, SDSL a loop in C++; "
    "by rank, and other ranks for SDSL, whose suffixes are of bytes."
)
_INFGRAM_NOTE = "gramdex alone: SDSL has no such query."
_EXTRACT_NOTE = (
    "From a token's border anywhere in a document: gramdex extracts as many tokens as cover the "
    "bytes, and decodes them."
)


class Agreement:
    """How many counts of two engines were compared, and how many were equal.

    Bytes of a string occur wherever its tokens do, and may occur cut into other tokens as well.
    """

    def __init__(self) -> None:
        self.compared = self.equal = 0

    def at_least(self, query: tuple, ours: Any, theirs: Any) -> bool:
        """Whether the bytes were counted at least as often as the tokens."""
        own, other = np.atleast_1d(ours), np.atleast_1d(theirs).astype(np.int64)
        self.compared += own.size
        self.equal += int(np.count_nonzero(own == other))
        return bool((own <= other).all())


@dataclass(frozen=True)
class StringCase(Case):
    """A row of counts.

    Attributes:
        strings: that are counted.
        agreement: filled when the row is measured.
    """

    strings: Strings | None = None
    agreement: Agreement | None = None


@dataclass(frozen=True)
class Sides:
    """Both indexes, open, and what they are of.

    Attributes:
        index: gramdex's.
        peer: of the bytes; None where it takes no part.
        text: that was indexed.
        settings: how many queries, and the seed.
    """

    index: Index
    peer: OpenBytes | None
    text: CorpusText
    settings: QuerySettings

    def ways(self, call: str, queries: Sequence[tuple], same: Same | None = None) -> list[Way]:
        """One way of asking the peer, by its method ``call``; none without a peer."""
        if self.peer is None:
            return []
        return [Way(BYTES.name, getattr(self.peer, call), queries, same)]

    def bytes_of(self, ids: np.ndarray) -> list[bytes]:
        """Bytes of each row."""
        return [self.text.tokenizer.decode_bytes(row, at_start=False) for row in ids]

    def sizes(self) -> list[int]:
        """Tokens of each shard, separators included."""
        return [shard.size for shard in self.index.shards]


def compressed_cases(sides: Sides, held_out: Corpus | None) -> Iterator[Case]:
    """Every row, in the order of the tables."""
    yield from _counts(sides)
    yield from _batches(sides)
    yield from _locating(sides)
    yield from _runs(sides)
    yield from _extracting(sides)
    settings = replace(sides.settings, questions=("infgram_prob", "infgram_ntd"))
    for case in all_cases(sides.index, [], sides.text.corpus, held_out, settings):
        yield replace(case, notes=[_INFGRAM_NOTE])


def shard_places(places: np.ndarray, sizes: Sequence[int]) -> list[list[int]]:
    """Shard, start and end in it of text positions and token counts int64[k, 2]."""
    starts = np.concatenate([[0], np.cumsum(sizes)])
    shards = np.searchsorted(starts, places[:, 0], side="right") - 1
    local = places[:, 0] - starts[shards]
    return np.stack([shards, local, local + places[:, 1]], axis=1).tolist()


def _counts(sides: Sides) -> Iterator[Case]:
    for wanted in COUNTED:
        strings = sides.text.draw_strings(wanted, sides.settings.queries, sides.settings.seed)
        asked = [(pattern, len(pattern)) for pattern in sides.bytes_of(strings.ids)]
        agreement = Agreement()
        yield StringCase(
            "count of the same strings, one call",
            strings.label,
            "count",
            sides.index.count,
            [(ids,) for ids in strings.ids.tolist()],
            sides.ways("count", asked, agreement.at_least),
            notes=[_COUNT_NOTE],
            strings=strings,
            agreement=agreement,
        )


def _batches(sides: Sides) -> Iterator[Case]:
    for wanted in COUNTED:
        strings = sides.text.draw_strings(wanted, sides.settings.queries, sides.settings.seed)
        parts = _split(strings.ids)
        agreement = Agreement()
        batches = [(Batch(sides.bytes_of(part)),) for part in parts]
        yield StringCase(
            f"count_batch of {len(parts[0])} strings, per query",
            strings.label,
            "count_batch",
            sides.index.count_batch,
            [(part,) for part in parts],
            sides.ways("count_batch", batches, agreement.at_least),
            per_call=len(parts[0]),
            answers=len(parts[0]),
            notes=[_BATCH_NOTE],
            strings=strings,
            agreement=agreement,
        )


def _split(values: Any) -> list[Any]:
    """Batches of equal length; what is left over is dropped."""
    size = min(BATCH, len(values))
    return [values[at : at + size] for at in range(0, len(values) - size + 1, size)]


@dataclass(frozen=True)
class _Located:
    """What must be found at the first rank of a string.

    Attributes:
        symbols: its tokens.
        text: its bytes.
        once: both engines count it once, so they name the same place.
        rank: SDSL's.
    """

    symbols: list[int]
    text: bytes
    once: bool
    rank: int


class _Locating:
    """The same strings at their first ranks in both indexes."""

    def __init__(self, sides: Sides) -> None:
        settings = sides.settings
        count = max(1, settings.queries // _READS)
        ids = sides.text.draw_strings(LOCATED, count, settings.seed + 1).ids
        self.sides = sides
        found = [self._find(*each) for each in zip(ids, sides.bytes_of(ids), strict=True)]
        self.strings = dict(found)
        self.intervals = [interval for interval, _ in found]
        self.ranks = [string.rank for _, string in found]

    def _find(self, ids: np.ndarray, text: bytes) -> tuple[Interval, _Located]:
        found = self.sides.index.find(ids)
        first = next(interval for interval in found if interval.count)
        theirs, rank = (0, 0) if self.sides.peer is None else self.sides.peer.find(text)
        once = theirs == sum(interval.count for interval in found) == 1
        string = _Located((ids + 1).tolist(), text, once, rank)
        return Interval(first.shard, first.low, first.low + 1), string

    def same(self, query: tuple, ours: Any, theirs: Any) -> bool:
        """Whether the string stands where each engine says; of one or of a batch."""
        (asked,) = query
        if isinstance(asked, Interval):
            return self._same(asked, int(ours[0]), int(theirs))
        return all(self._same(*each) for each in zip(asked, ours, theirs, strict=True))

    def _same(self, interval: Interval, ours: Any, theirs: Any) -> bool:
        string, text = self.strings[interval], self.sides.text
        place = int(ours) + sum(self.sides.sizes()[: interval.shard])
        found = text.symbols[place : place + len(string.symbols)].tolist() == string.symbols
        assert self.sides.peer is not None
        other = self.sides.peer.extract(int(theirs), len(string.text)) == string.text
        return found and other and (not string.once or text.byte_of(place) == int(theirs))


def _locating(sides: Sides) -> Iterator[Case]:
    locating = _Locating(sides)
    locate = sides.index.locate
    yield Case(
        "locate one occurrence",
        "one call",
        "locate",
        locate,
        [(interval,) for interval in locating.intervals],
        sides.ways("locate", [(rank,) for rank in locating.ranks], locating.same),
        notes=[_LOCATE_NOTE],
    )
    loops, ranks = _split(locating.intervals), _split(np.array(locating.ranks, np.uint64))
    yield Case(
        "locate one occurrence",
        f"a loop of {len(loops[0])}",
        "locate",
        lambda intervals: [int(locate(interval)[0]) for interval in intervals],
        [(loop,) for loop in loops],
        sides.ways("locate_batch", [(loop,) for loop in ranks], locating.same),
        per_call=len(loops[0]),
        answers=len(loops[0]),
    )


def _runs(sides: Sides) -> Iterator[Case]:
    """Ranks in a row: no two engines have the same."""
    size = min(BATCH, sides.sizes()[0] - 1)
    count = max(1, sides.settings.queries // _RUNS)
    generator = np.random.default_rng([sides.settings.seed, size])
    lows = generator.integers(0, sides.sizes()[0] - size, count).tolist()
    others = generator.integers(1, sides.text.size - size, count).tolist()
    ranks = [(np.arange(low, low + size, dtype=np.uint64),) for low in others]
    yield Case(
        "locate one occurrence",
        f"{size} in a row",
        "locate",
        sides.index.locate,
        [(Interval(0, low, low + size),) for low in lows],
        sides.ways("locate_batch", ranks),
        per_call=size,
    )


def _extracting(sides: Sides) -> Iterator[Case]:
    count = max(1, sides.settings.queries // _READS)
    places = sides.text.draw_places(EXTRACTED, count, sides.settings.seed)
    read = text_reader(sides.index)
    if len(places):
        starts = [(sides.text.byte_of(place), EXTRACTED) for place in places[:, 0].tolist()]
        yield Case(
            f"extract {EXTRACTED} bytes of text",
            "anywhere",
            "extract",
            lambda shard, start, end: read(shard, start, end)[:EXTRACTED],
            [tuple(place) for place in shard_places(places, sides.sizes())],
            sides.ways("extract", starts, lambda query, ours, it: ours == it),
            notes=[_EXTRACT_NOTE],
        )
