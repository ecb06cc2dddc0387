"""Work is cut into chunks that change no answer, can be stopped between them, and is bounded."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import truncating
from building import build_engine, shard_budget, small_tokenizer
from corpora import named_corpora, query_patterns
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import NaiveIndex
from parity import compare_with_naive

import gramdex
from gramdex.errors import QueryError, WorkLimitError
from gramdex.fmindex.engines import engine, fm_index, places, stopping, suffix_array
from gramdex.fmindex.engines.stopping import bounded, in_turns, stop_here, stoppable
from gramdex.kernels.jit import JIT_DISABLED

SMALL = {
    "CHUNK_TOKENS": 3, "CHUNK_PATTERNS": 2, "CHUNK_STRINGS": 1, "CHUNK_RANKS": 2,
    "CHUNK_ENTRIES": 2, "_PART_BITS": 2, "_LEAST_PATTERNS": 4, "_LEAST_TOKENS": 7,
    "_LEAST_STRINGS": 1,
}  # fmt: skip


class Stopped(Exception):
    """What a check raises here."""


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a few tokens, and threads for a few more."""
    for module in (engine, fm_index, places, stopping, suffix_array):
        for name, value in SMALL.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)


# --- chunks ---------------------------------------------------------------------------------


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 9), st.booleans())
def test_chunks_make_up_the_range(start: int, size: int, most: int, backwards: bool) -> None:
    parts = list(stopping.chunks(start, start + size, most, backwards))
    assert [i for part in sorted(parts) for i in range(*part)] == [*range(start, start + size)]
    assert len(parts) == max(1, -(-size // most))
    assert parts == sorted(parts, reverse=backwards)


@given(st.lists(st.sampled_from([0, 1, 2, 5, 30, 47, 48, 49, 99]), max_size=30), st.data())
def test_pattern_chunks_make_up_the_patterns(lengths: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(lengths)))
    end = data.draw(st.integers(start, len(lengths)))
    offsets = np.cumsum([0, *lengths])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stopping, "CHUNK_TOKENS", 3)
        patch.setattr(stopping, "CHUNK_PATTERNS", 4)
        parts = list(stopping.pattern_chunks(offsets, start, end))
    assert [i for part in parts for i in range(*part)] == list(range(start, end))
    for low, high in parts:
        assert high - low <= 4
        assert sum(lengths[low:high]) <= 48 or high - low == 1


@settings(deadline=None)  # one example compiles
@given(st.sets(st.integers(0, 99), max_size=60), st.sampled_from([np.uint32, np.int64]), st.data())
def test_positions_are_put_in_order(values: set[int], dtype: type, data: st.DataObject) -> None:
    given = np.array(data.draw(st.permutations(sorted(values))), dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "CHUNK_ENTRIES", 5)
        patch.setattr(places, "_PART_BITS", 3)
        ordered = places.in_order(given, 100)
    assert ordered.dtype == np.int64
    assert ordered.tolist() == sorted(values)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", ["sa", "fm", "fm, dense", "mixed"])
def test_chunks_change_no_answer(name: str, threads: int, tmp_path: Path) -> None:
    for number, corpus in enumerate(named_corpora()):
        if not corpus.documents or number % (20 if JIT_DISABLED else 4) != threads % 4:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        budget = shard_budget(corpus.documents, 2)
        size = corpus.vocabulary_size
        paths = build_engine(folder, corpus.documents, size, budget, name)
        index = gramdex.open(paths, threads=threads)
        naive = NaiveIndex(corpus.documents)
        queries = query_patterns(corpus)[:40]
        with stoppable(lambda: None):
            compare_with_naive(index, naive, queries)
        for query in filter(None, queries):
            found = index.documents(query, 1 << 30)
            assert [(d.number, [m.start for m in d.matches]) for d in found] == (
                naive.documents(query)
            )


# --- stopping -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Text indexes: the same corpus twice, its second half, and documents to take down."""
    folder = tmp_path_factory.mktemp("parts")
    tokenizer = small_tokenizer(folder)

    def build(name: str, engine: str, numbers: range) -> Path:
        texts = [f"line {i} of the small corpus, {'abc' * (i % 5)}" for i in numbers]
        source = folder / f"{name}.jsonl"
        source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        options = {"engine": engine, "shard_tokens": 2000, "workers": 1}
        gramdex.build(source, folder / name, tokenizer, **options)
        return folder / name

    built = {name: build(name, name, range(120)) for name in ("sa", "fm")}
    return built | {
        "more": build("more", "fm", range(120, 200)),
        "less": build("less", "sa", range(55, 58)),
    }


def opened(parts: dict[str, Path], name: str, threads: int) -> gramdex.Index:
    if name == "mixed":
        return gramdex.open([parts["sa"], parts["more"]], threads=threads)
    name, _, takedown = name.partition(" less ")
    return gramdex.open(parts[name], threads=threads, takedown=parts["less"] if takedown else None)


def counting(calls: int, threads: set[int] | None = None) -> Callable[[], None]:
    """A check that raises from its call number ``calls`` on."""
    left = iter(range(calls))

    def check() -> None:
        if threads is not None:
            threads.add(threading.get_ident())
        if next(left, None) is None:
            raise Stopped

    return check


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", ["sa", "fm", "mixed", "sa less some", "fm less some"])
def test_every_query_stops_and_leaves_nothing_broken(
    parts: dict[str, Path], name: str, threads: int
) -> None:
    index = opened(parts, name, threads)
    asked = truncating.questions(index, truncating.text_of(index))
    expected = [truncating.plain(question()) for question in asked]
    stopped = []
    for question, right in zip(asked, expected, strict=True):
        stops = 0
        for calls in (0, 1, 2, 7, 40, 300, 1 << 40):
            try:
                with stoppable(counting(calls)):
                    answer = truncating.plain(question())
            except Stopped:
                stops += 1
            else:
                assert answer == right
                break
            assert stopping._caller.check is None
        stopped.append(stops)
        assert truncating.plain(question()) == right
    assert {number for number, stops in enumerate(stopped) if not stops} <= SINGLE
    assert sum(stops > 2 for stops in stopped) > len(stopped) // 2


SINGLE = {0, 2, 3, 4, 5, 6, 9}
"""Of ``truncating.questions``: counts, distributions and probabilities, of one search each."""


@pytest.mark.skipif(JIT_DISABLED, reason="minutes of plain Python")
@pytest.mark.parametrize("name", ["sa", "fm", "mixed"])
def test_a_large_query_is_stopped_on_the_way(parts: dict[str, Path], name: str) -> None:
    """With chunks as they are: a check that never raises is called often enough."""
    index = opened(parts, name, 1)
    text = np.tile(index.encode("line 7 of the small corpus, abcabc line"), 5000).astype(np.int64)
    engines = 2 if name == "mixed" else 1
    rows = text[: 100 * (text.size // 100)].reshape(-1, 4)
    for question, size, most in [
        (lambda: index.match(text), text.size, stopping.CHUNK_TOKENS),
        (lambda: index.infgram_scores(text), text.size, 32 * stopping.CHUNK_TOKENS),
        (lambda: index.count_batch(rows), len(rows), stopping.CHUNK_PATTERNS),
    ]:
        calls: list[int] = []
        with stoppable(lambda calls=calls: calls.append(1)):
            question()
        assert len(calls) >= engines * (size // most) > 0


@pytest.mark.usefixtures("small_chunks")
def test_helping_threads_ask_the_check_of_the_caller(parts: dict[str, Path]) -> None:
    index = opened(parts, "sa", 3)
    text = index.encode("line 7 of the small corpus, abcabc line").astype(np.int64)
    seen: set[int] = set()
    with stoppable(counting(1 << 40, seen)):
        for _ in range(50):
            index.match(np.tile(text, 30))
    assert len(seen) > 1
    before = len(seen)
    index.match(text)
    assert len(seen) == before  # nothing is asked any more, in no thread


def test_a_check_is_of_its_thread_and_block() -> None:
    outer, inner = counting(1), counting(0)
    with stoppable(outer):
        with pytest.raises(Stopped), stoppable(inner):
            stop_here()
        elsewhere = threading.Thread(target=stop_here)  # no check there
        elsewhere.start()
        elsewhere.join()
        stop_here()
        with pytest.raises(Stopped):
            stop_here()
    stop_here()


def test_items_in_turns_stop_between() -> None:
    def numbers() -> Iterator[int]:
        yield from range(10)

    assert list(in_turns(numbers(), 3)) == list(range(10))
    taken: list[int] = []
    with pytest.raises(Stopped), stoppable(counting(2)):
        taken.extend(in_turns(numbers(), 3))
    assert taken == [0, 1, 2, 3, 4, 5]


# --- bounds ---------------------------------------------------------------------------------


def cost(question: Callable[[], Any], **limits: int) -> str:
    """What a question is refused for under limits, or nothing."""
    try:
        with bounded(**limits):
            question()
    except WorkLimitError as error:
        return error.thing
    return ""


@pytest.mark.parametrize("name", ["sa", "fm", "mixed", "sa less some"])
def test_work_is_bounded(parts: dict[str, Path], name: str) -> None:
    index = opened(parts, name, 2)
    some = index.encode("small corpus").astype(np.int64)
    count = index.count(some)
    located, extracted = "limit of positions located", "limit of tokens extracted"
    found = [
        (lambda: index.find("small corpus"), located),
        (lambda: index.documents(some, 3), located),
        (lambda: index.search([[some], [some[:3]]], 2), located),
        (lambda: index.attribute(some, min_length=3, words=False), located),
        (lambda: index.document(3), extracted),
        (lambda: index.documents(some, 3), extracted),
        (lambda: index.search("small AND corpus", 2), extracted),
        (lambda: index.attribute(some, min_length=3, words=False), extracted),
    ]
    for question, thing in found:
        limits = {"positions": 2} if thing == located else {"tokens": 5}
        assert cost(question, **limits) == thing
        assert cost(question, positions=1 << 40, tokens=1 << 40) == ""
        assert cost(question) == ""
        question()
    for question in (
        lambda: index.count("small"),
        lambda: index.ntd(some),
        lambda: index.match(some),
    ):
        assert cost(question, positions=0, tokens=0) == ""
    assert count >= 115


def test_a_bound_is_for_all_queries_of_the_block(parts: dict[str, Path]) -> None:
    assert issubclass(WorkLimitError, QueryError)
    index = opened(parts, "sa", 1)
    size = index.document(5).token_count
    with bounded(tokens=2 * size):
        index.document(5)
        with bounded(tokens=size):  # its own
            index.document(5)
        index.document(5)
        with pytest.raises(WorkLimitError, match=rf"at most {2 * size:,}\. Remedy: ask for fewer"):
            index.document(5)
        results: list[int] = []
        elsewhere = threading.Thread(target=lambda: results.append(index.document(5).number))
        elsewhere.start()
        elsewhere.join()
        assert results == [5]
    assert index.document(5).number == 5
