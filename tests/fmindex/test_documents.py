"""Documents: text, offsets in characters and tokens, windows, order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import gramdex
from gramdex.errors import QueryError
from gramdex.fmindex.queries.documents import _CharacterMap, _whole_characters
from gramdex.fmindex.results import Interval

OPTIONS: dict[str, object] = {}


@pytest.fixture(scope="module", autouse=True, params=["sa", "fm"])
def engine(request: pytest.FixtureRequest) -> str:
    """Everything once with each engine, the FM-index sampled more sparsely than most documents."""
    OPTIONS.update(engine=request.param, sampling_rate=64)
    return request.param


TEXTS = ["aé🙂b é", "東京 東京都 東", "plain", "🙂🙂🙂🙂", "x é"]


def build(folder: Path, texts: list[str], **options: object) -> gramdex.Index:
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    gramdex.build(source, folder / "index", **(OPTIONS | options))
    return gramdex.open(folder / "index")


@pytest.mark.parametrize("query", ["é", "東京", "🙂", "a", "b é", "n"])
def test_offsets_in_characters_point_at_the_match(tmp_path: Path, query: str) -> None:
    index = build(tmp_path, TEXTS, shard_tokens=40)
    found = index.documents(query, max_documents=100)
    assert [d.number for d in found] == [i for i, t in enumerate(TEXTS) if query in t]
    for document in found:
        text = document.text
        assert text == TEXTS[document.number]
        starts = [i for i in range(len(text)) if text.startswith(query, i)]
        assert [(m.text_start, m.text_end) for m in document.matches] == [
            (s, s + len(query)) for s in starts
        ]


def test_a_match_inside_a_character_counts_it_whole(tmp_path: Path) -> None:
    index = build(tmp_path, ["ab🙂c"])
    (document,) = index.documents(list("🙂".encode())[1:3])
    (match,) = document.matches
    assert (match.start, match.end) == (3, 5)
    assert (match.text_start, match.text_end) == (2, 3)


@pytest.mark.parametrize("context", range(12))
def test_windows_never_cut_a_character(tmp_path: Path, context: int) -> None:
    index = build(tmp_path, ["🙂é東x🙂é東"])
    (document,) = index.documents("x", context=context)
    whole = index.document(0)
    assert "\ufffd" not in document.text
    assert document.text in whole.text
    assert document.end - document.start == len(document.ids)
    assert document.ids.tolist() == whole.ids[document.start : document.end].tolist()
    (match,) = document.matches
    assert document.text[match.text_start : match.text_end] == "x"
    assert document.start == max(0, 9 - context)
    assert document.end == min(19, 10 + context)


def test_window_is_around_the_first_match_and_lists_those_inside(tmp_path: Path) -> None:
    index = build(tmp_path, ["....ab..ab......................ab"])
    (document,) = index.documents("ab", context=5)
    assert document.text == "....ab..ab."
    assert [m.start for m in document.matches] == [4, 8]
    (document,) = index.documents("ab", context=3)  # ends inside the second match
    assert document.text == "...ab..a"
    assert [m.start for m in document.matches] == [4]


@pytest.mark.parametrize("engine", ["sa", "fm"])
def test_first_documents_are_the_same_however_many_occurrences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    texts = ["a" * (i % 17) + "b" for i in range(200)]
    index = build(tmp_path, texts, shard_tokens=700, engine=engine, sampling_rate=16)
    everything = index.documents("a", max_documents=1000)
    assert [d.number for d in everything] == [i for i, t in enumerate(texts) if "a" in t]
    monkeypatch.setattr(type(index._engine), "first_taken", 2)
    for most in (*range(40), 188, 189):
        found = index.documents("a", max_documents=most)
        assert [(d.number, d.matches) for d in found] == [
            (d.number, d.matches) for d in everything[:most]
        ]


def test_a_space_the_tokenizer_adds_is_no_text(tmp_path: Path) -> None:
    pieces = {"▁": 0, "▁the": 1, "▁cat": 2, "s": 3, "t": 4, "h": 5, "e": 6, "c": 7, "a": 8}
    merges = [("▁", "t"), ("▁t", "h"), ("▁th", "e"), ("▁", "c"), ("▁c", "a"), ("▁ca", "t")]
    pieces |= {a + b: 9 + i for i, (a, b) in enumerate(merges) if a + b not in pieces}
    tokenizer = Tokenizer(models.BPE(pieces, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    index = build(tmp_path, ["the cats", "cat the"], tokenizer=tmp_path / "tokenizer.json")
    assert [index.document(i).text for i in range(2)] == ["the cats", "cat the"]
    first, second = index.documents([pieces["▁cat"]])
    assert [(m.text_start, m.text_end) for m in first.matches] == [(3, 7)]
    assert [(m.text_start, m.text_end) for m in second.matches] == [(0, 3)]


def test_small_numpy_numbers_do_not_wrap(tmp_path: Path) -> None:
    index = build(tmp_path, ["x" * 300 + "ab" + "y" * 300])
    (document,) = index.documents("ab", np.uint8(5), np.uint8(250))
    assert document.text == "x" * 250 + "ab" + "y" * 250


def test_parts_of_a_split_document_show_no_half_characters(tmp_path: Path) -> None:
    index = build(tmp_path, ["日本語テキスト" * 3], shard_tokens=12)
    texts = [index.document(i).text for i in range(index.document_count)]
    assert len(texts) > 4
    assert not any("\ufffd" in text for text in texts)


def test_results_share_nothing_with_the_index(tmp_path: Path) -> None:
    index = build(tmp_path, ["aaaa"])
    index.ntd("").counts[0] = 77
    assert index.ntd("").counts.tolist() == [4]


def test_document_at_a_position(tmp_path: Path) -> None:
    index = build(tmp_path, ["abc", "defg", "hij"])
    (interval,) = index.find(list(b"ef"))
    assert interval.count == 1
    (position,) = index.locate(interval)
    document = index.document_at(interval.shard, int(position))
    assert (document.number, document.text) == (1, "defg")
    assert [(m.start, m.end) for m in document.matches] == [(1, 2)]
    assert index.document_at(0, 4, context=1).text == "de"
    for shard, place in [(0, 3), (0, 99), (1, 0), (-1, 0), (0, -1)]:
        with pytest.raises(QueryError):
            index.document_at(shard, place)


def test_questions_that_have_no_answer(tmp_path: Path) -> None:
    index = build(tmp_path, ["abc"])
    for question in (
        lambda: index.document(1),
        lambda: index.document(-1),
        lambda: index.documents(""),
        lambda: index.documents("a", max_documents=-1),
        lambda: index.documents("a", context=-1),
    ):
        with pytest.raises(QueryError):
            question()
    for wrong in (1.5, "1", None, True):
        with pytest.raises(QueryError):
            index.document(wrong)
        with pytest.raises(QueryError):
            index.documents("a", max_documents=wrong)
        with pytest.raises(QueryError):
            index.document_at(0, wrong)
        with pytest.raises(QueryError):
            index.locate(Interval(0, 0, wrong))
    assert index.documents("zzz") == []
    assert "Document(0, 3 tokens, 1 matches, 'abc')" in repr(index.documents("b"))


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=12), st.data())
def test_character_map(text: str, data: st.DataObject) -> None:
    encoded = text.encode()
    start = data.draw(st.integers(0, len(encoded)))
    end = data.draw(st.integers(start, len(encoded)))
    bounds = [len(text[:i].encode()) for i in range(len(text) + 1)]
    first, last = _CharacterMap(encoded).span(start, end)
    expected_first = max(i for i, b in enumerate(bounds) if b <= start)
    expected_last = min(i for i, b in enumerate(bounds) if b >= end)
    assert first == expected_first
    assert last == max(expected_first, expected_last)


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=12), st.data())
def test_whole_characters(text: str, data: st.DataObject) -> None:
    encoded = text.encode()
    start = data.draw(st.integers(0, len(encoded)))
    end = data.draw(st.integers(start, len(encoded)))
    kept, front = _whole_characters(encoded[start:end], start == 0, end == len(encoded))
    bounds = [len(text[:i].encode()) for i in range(len(text) + 1)]
    whole = [c for i, c in enumerate(text) if start <= bounds[i] and bounds[i + 1] <= end]
    assert kept.decode() == "".join(whole)
    assert encoded[start + front : start + front + len(kept)] == kept


def test_pages_are_parts_of_one_order(tmp_path: Path) -> None:
    texts = [("ab " if i % 3 else "xy ") * (1 + i % 4) for i in range(60)]
    index = build(tmp_path, texts, shard_tokens=150)
    assert len(index.shards) > 2
    for query in ("ab", index.encode("ab")):
        everything = [d.number for d in index.documents(query, max_documents=1000)]
        assert everything == [i for i, text in enumerate(texts) if "ab" in text]
        for size in (1, 7, 100):
            pages = [index.documents(query, size, skip=skip) for skip in range(0, 60, size)]
            assert [d.number for page in pages for d in page] == everything
    for seed in (None, 5):
        pages = [index.search("ab", 7, seed=seed, skip=skip).documents for skip in range(0, 60, 7)]
        found = [d.number for page in pages for d in page]
        assert sorted(found) == everything
        assert (found == everything) == (seed is None)
