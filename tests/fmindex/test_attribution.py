"""Attribution: spans against the quadratic definition, their documents, novelty by n."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from pathlib import Path

import evidence
import numpy as np
import pytest
from building import build_ids, open_ids, shard_budget, small_tokenizer
from corpora import corpora
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import NaiveIndex

import gramdex
from gramdex.errors import QueryError
from gramdex.fmindex.queries import attribution as module
from gramdex.fmindex.queries.attribution import maximal_spans
from gramdex.fmindex.queries.bm25 import bm25, words_of
from gramdex.fmindex.queries.borders import text_borders


def build(folder: Path, texts: list[str], **options: object) -> gramdex.Index:
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    gramdex.build(source, folder / "index", **options)
    return gramdex.open(folder / "index")


def spans_of(result: gramdex.fmindex.evidence.Attribution) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in result.spans]


@pytest.mark.parametrize("engine", ["sa", "fm", "mixed"])
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_spans_of_any_text_over_any_corpus(engine: str, data: st.DataObject) -> None:
    documents, size = data.draw(corpora())
    used = sorted({token for document in documents for token in document} | {0})
    text = data.draw(st.lists(st.sampled_from(used), max_size=24))
    least = data.draw(st.integers(1, 4))
    with tempfile.TemporaryDirectory() as folder:
        budget = shard_budget(documents, data.draw(st.integers(1, 3)))
        index = open_ids(Path(folder), documents, size, budget, engine)
        naive = NaiveIndex(documents)
        found = index.attribute(text, min_length=least, keep=None, context=None)
        border = [True] * (len(text) + 1)
        nowhere = [False] * (len(text) + 1)
        expected = evidence.maximal_spans(naive, text, least, border, nowhere)
        assert spans_of(found) == expected
        assert found.found == len(expected)
        for span in found.spans:
            tokens = text[span.start : span.end]
            assert span.count == naive.count(tokens)
            assert span.log_probability == pytest.approx(evidence.log_probability(naive, tokens))
            numbers = [number for number, _ in naive.documents(tokens)]
            shown = [source.document.number for source in span.sources]
            assert len(shown) == len(set(shown)) == min(10, len(numbers))
            assert set(shown) <= set(numbers)
            for source in span.sources:
                assert source.document.ids.tolist() == documents[source.document.number]
                assert source.document.matches
        assert found.novelty.tolist() == pytest.approx(evidence.novelty(naive, text))
        assert found.uniqueness.tolist() == pytest.approx(evidence.uniqueness(naive, text))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_spans_between_borders(data: st.DataObject) -> None:
    documents = data.draw(st.lists(st.lists(st.integers(0, 1), max_size=12), max_size=4))
    text = data.draw(st.lists(st.integers(0, 1), max_size=16))
    flags = st.lists(st.booleans(), min_size=len(text) + 1, max_size=len(text) + 1)
    border, sentence = data.draw(flags), data.draw(flags)
    least = data.draw(st.integers(1, 3))
    naive = NaiveIndex(documents)
    found = maximal_spans(
        np.array(naive.match(text).lengths, np.int64), np.array(border), np.array(sentence), least
    )
    assert found == evidence.maximal_spans(naive, text, least, border, sentence)


TEXT = "The cat sat. The dog's 3.14 pies! naïve 日本語。東京\nend"


@pytest.mark.parametrize("kind", ["bytes", "huggingface"])
def test_borders_of_words_and_sentences(kind: str, tmp_path: Path) -> None:
    tokenizer = gramdex.load_tokenizer("bytes" if kind == "bytes" else small_tokenizer(tmp_path))
    ids = np.asarray(tokenizer.encode(TEXT)).astype(np.int64)
    cut, ends = text_borders(tokenizer, ids, True, True)
    at = {len(TEXT[:i].encode()): i for i in range(len(TEXT) + 1)}
    for border in range(ids.size + 1):
        before, after = TEXT[: at.get(border, 0)][-1:], TEXT[at.get(border, 0) :][:1]
        latin = (before + after).replace("ï", "i").isascii()
        word = latin and before.isalnum() and after.isalnum()
        assert cut[border] == (border in at and not word), border
    sentences = [TEXT[at[int(border)] :] for border in np.flatnonzero(ends)]
    assert [rest[:4] for rest in sentences] == [" The", " naï", "東京\ne", "end"]
    cut, ends = text_borders(tokenizer, ids, False, False)
    assert cut.all()
    assert not ends.any()


def test_borders_of_bytes_that_are_no_text() -> None:
    tokenizer = gramdex.load_tokenizer("bytes")
    ids = np.array([*b"ab \xe9\xe9 c"], np.int64)
    cut, _ = text_borders(tokenizer, ids, True, False)
    assert cut.tolist() == [True, False, True, True, False, True, True, True]


CORPUS = [
    "It was the best of times, it was the worst of times. It was the age of wisdom.",
    "the best of times is now",
    "nothing of interest here, but the worst of times may come",
    "the worst of times",
]


@pytest.fixture(scope="module", params=["sa", "fm"])
def index(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> gramdex.Index:
    return build(tmp_path_factory.mktemp("dickens"), CORPUS, engine=request.param)


def test_spans_of_words(index: gramdex.Index) -> None:
    text = "Surely the worst of times. It was thesis"
    found = index.attribute(text, min_length=8, keep=None)
    assert [span.text for span in found.spans] == [" the worst of times. It was "]
    found = index.attribute(text, min_length=4, keep=None, words=False)
    assert [span.text for span in found.spans] == [" the worst of times. It was the"]
    found = index.attribute(text, min_length=8, keep=None, sentences=True)
    assert [span.text for span in found.spans] == [" the worst of times.", " It was "]
    assert found.merged == tuple((s.start, s.end) for s in found.spans)


def test_the_least_probable_are_kept(index: gramdex.Index) -> None:
    text = "it was the worst of interest here, the age of times"
    everything = index.attribute(text, min_length=3, keep=None)
    assert len(everything.spans) > 3
    for keep in (0.01, 0.05, 0.06, 1):
        kept = index.attribute(text, min_length=3, keep=keep)
        most = math.ceil(keep * len(text))
        by_chance = sorted(everything.spans, key=lambda s: s.log_probability)[:most]
        assert spans_of(kept) == sorted((s.start, s.end) for s in by_chance)
        assert kept.found == len(everything.spans)
    assert repr(kept).startswith(f"Attribution({len(kept.spans)} of {kept.found} spans, ")


def test_rare_spans_only(index: gramdex.Index) -> None:
    text = "the best of times and the worst of times"
    found = index.attribute(text, min_length=4, keep=None)
    rare = index.attribute(text, min_length=4, keep=None, max_count=1)
    assert spans_of(rare) == [(s.start, s.end) for s in found.spans if s.count <= 1]
    assert 0 < len(rare.spans) < len(found.spans)


def test_sources_are_ranked(index: gramdex.Index) -> None:
    text = "nothing is worse than the worst of times"
    found = index.attribute(text, min_length=8, keep=None, context=5)
    (span,) = [span for span in found.spans if "worst" in span.text]
    assert span.sources[0].document.number == 2
    scores = [source.score for source in span.sources]
    assert scores == sorted(scores, reverse=True)
    assert {source.document.number for source in span.sources} == {0, 2}
    document = span.sources[0].document
    (match,) = document.matches
    assert document.text[match.text_start : match.text_end] == span.text
    assert document.end - document.start <= span.length + 10
    assert "sources" in repr(span)
    assert repr(span.sources[0]).startswith("Source(")
    assert index.attribute(text, 8, max_documents=0, keep=None).spans[0].sources == ()


def test_documents_are_drawn_where_there_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{number} the quick brown fox {number}" for number in range(60)]
    index = build(tmp_path, [*texts, "the quick brown fox " * 100], shard_tokens=1200)
    monkeypatch.setattr(module, "_LOOKED_AT", (3, 80))
    drawn = set()
    for seed in range(12):
        (span,) = index.attribute("the quick brown fox", seed=seed, min_length=9).spans
        numbers = [source.document.number for source in span.sources]
        assert len(set(numbers)) == len(numbers) == 10
        drawn.update(numbers)
        (again,) = index.attribute("the quick brown fox", seed=seed, min_length=9).spans
        assert [s.document.number for s in again.sources] == numbers
    assert len(drawn) > 30


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.text("abc ", max_size=20), max_size=6), st.text("abcd ", max_size=12))
def test_bm25(texts: list[str], query: str) -> None:
    documents = [words_of(text) for text in texts]
    found = bm25(words_of(query), [Counter(document) for document in documents])
    assert found == pytest.approx(evidence.bm25(words_of(query), documents))


def test_spans_that_overlap_are_merged(tmp_path: Path) -> None:
    index = gramdex.open(build_ids(tmp_path, [[1, 2, 3, 4], [3, 4, 5, 6], [7, 8]], 10))
    found = index.attribute([1, 2, 3, 4, 5, 6, 7, 8, 9], min_length=2, keep=None)
    assert spans_of(found) == [(0, 4), (2, 6), (6, 8)]
    assert found.merged == ((0, 6), (6, 8))
    assert found.covered == 8
    assert [span.text for span in found.spans] == [None] * 3
    assert found.spans[0].sources[0].score > 0


def test_taken_down_documents_are_no_sources(tmp_path: Path) -> None:
    documents = [[1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [2, 3, 4, 5]]
    for name, some in (("corpus", documents), ("taken", documents[:1])):
        (tmp_path / name).mkdir()
        build_ids(tmp_path / name, some, 10)
    index = gramdex.open(tmp_path / "corpus" / "index", takedown=tmp_path / "taken" / "index")
    found = index.attribute([1, 2, 3, 4, 5], min_length=2, keep=None)
    naive = NaiveIndex(documents[1:])
    assert spans_of(found) == [(0, 4), (1, 5)]
    for span in found.spans:
        tokens = [1, 2, 3, 4, 5][span.start : span.end]
        assert span.count == naive.count(tokens)
        assert span.log_probability == pytest.approx(evidence.log_probability(naive, tokens))
        assert 0 not in [source.document.number for source in span.sources]
    assert found.novelty.tolist() == pytest.approx(evidence.novelty(naive, [1, 2, 3, 4, 5]))


def test_options_without_meaning(tmp_path: Path) -> None:
    index = gramdex.open(build_ids(tmp_path, [[1, 2, 3]], 10))
    for options in (
        {"min_length": 0},
        {"max_count": 0},
        {"keep": 0},
        {"keep": 1.5},
        {"keep": "all"},
        {"keep": True},
        {"max_documents": -1},
        {"context": -1},
        {"seed": None},
        {"words": True},
        {"sentences": True},
    ):
        with pytest.raises(QueryError):
            index.attribute([1, 2], **options)
    with pytest.raises(QueryError):
        index.attribute([10])
    nothing = index.attribute([])
    assert (nothing.spans, nothing.covered, nothing.novelty.size) == ((), 0, 0)
    assert nothing.uniqueness.size == 0
    assert index.attribute([9, 9]).spans == ()


def test_a_text_over_an_empty_index(tmp_path: Path) -> None:
    index = gramdex.open(build_ids(tmp_path, [], 10))
    found = index.attribute([1, 2])
    assert (found.spans, found.novelty.tolist()) == ((), [1.0, 1.0])
