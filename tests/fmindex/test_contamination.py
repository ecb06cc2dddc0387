"""Every definition of contamination against its oracle, and planted examples."""

from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from building import small_tokenizer
from commanding import write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_contamination import NaiveCorpus, by_any, by_share, normal

import gramdex
from gramdex.errors import QueryError, UsageError
from gramdex.fmindex.queries.contamination.corpus import NormalizedIndex
from gramdex.fmindex.queries.contamination.definitions import DEFINITIONS, adjust
from gramdex.fmindex.queries.contamination.matching import CountedText, MatchedBytes
from gramdex.fmindex.queries.contamination.normalization import (
    Normalization,
    parse_normalization,
)
from gramdex.fmindex.queries.contamination.results import (
    PARTS,
    Contamination,
    Evidence,
    Example,
    Judged,
    Offender,
)
from gramdex.fmindex.queries.contamination.texts import byte_offsets, join_texts

NAMES = [definition.name for definition in DEFINITIONS]
SMALL = adjust(
    DEFINITIONS,
    [
        "windows.characters=9", "ngrams.n=3", "ngram-share.n=2", "sampled.characters=7",
        "token-ngrams.n=4", "longest.least=3", "coverage.longer_than=3",
    ],
)  # fmt: skip

WORDS = st.sampled_from(["a", "bb", "B", "Ca", "x.", "é", "straße", "_", "ca,", "😀", "ΣΑΣ", "(a)"])
SPACES = st.sampled_from([" ", " ", " ", "\n", "  ", "\u2003"])
TEXTS = st.lists(st.tuples(WORDS, SPACES), max_size=14).map(lambda p: "".join(a + b for a, b in p))


def index_of(
    folder: Path, texts: list[str], tokenizer: str | Path = "bytes", engine: str = "sa"
) -> gramdex.Index:
    folder.mkdir(exist_ok=True)
    corpus = write_jsonl(folder / "corpus.jsonl", texts)
    gramdex.build(corpus, folder / "index", tokenizer, on_empty="keep", engine=engine)
    return gramdex.open(folder / "index")


def normalized_of(folder: Path, texts: list[str]) -> NormalizedIndex:
    applied = [Normalization().apply(text) for text in texts]
    return NormalizedIndex(index_of(folder / "side", applied), Normalization())


def expected(name: str, corpus: NaiveCorpus, texts: list[str]) -> tuple[str, int, int]:
    """Verdict, found and total of a definition of SMALL over the texts of a part."""
    counts = []
    for text in texts:
        counts.append(
            {
                "windows": lambda t: corpus.found(corpus.windows(t, 9)),
                "ngrams": lambda t: corpus.found(corpus.ngrams(t, 3)),
                "ngram-share": lambda t: corpus.found(corpus.ngrams(t, 2)),
                "sampled": lambda t: corpus.found(corpus.sampled(t, 7, 3, 0)),
                "token-ngrams": lambda t: corpus.token_ngrams(t, 4),
                "longest": lambda t: corpus.longest(t, 3),
                "coverage": lambda t: corpus.coverage(t, 3),
            }[name](text)
        )
    found, total = (sum(column) for column in zip((0, 0), *counts, strict=True))
    if name in ("ngrams", "sampled", "token-ngrams"):
        return by_any(found, total), found, total
    cuts = (0.7, 0.7) if name == "ngram-share" else (0.8, 0.2)
    return by_share(found, total, *cuts), found, total


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    documents=st.lists(TEXTS, min_size=1, max_size=4),
    fresh=st.lists(TEXTS, min_size=1, max_size=3),
    data=st.data(),
)
def test_definitions_against_the_oracle(
    documents: list[str], fresh: list[str], data: st.DataObject
) -> None:
    examples = []
    for number, text in enumerate(fresh):
        piece = data.draw(st.sampled_from(documents))
        cut = data.draw(st.integers(0, len(piece)))
        join = data.draw(st.sampled_from([None, " ", ""]))
        examples.append(Example(str(number), (text + piece[:cut],), (piece[cut:], text), join))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        index = index_of(folder, documents)
        side = normalized_of(folder, documents)
        for normalized in (None, side):
            for most in (1, 2, 100):
                result = index.contamination(
                    examples, definitions=SMALL, normalized=normalized, most_count=most
                )
                check_against_oracle(result, documents, normalized is not None, most)


def check_against_oracle(
    result: Contamination, documents: list[str], normalized: bool, most: int
) -> None:
    plain, folded = NaiveCorpus(documents), NaiveCorpus(list(map(normal, documents)), 1)
    blamed: set[int] = set()
    for judged in result.judged:
        windows: set[str] = set()
        for definition in SMALL:
            name = definition.name
            side = normalized and definition.normalized
            corpus = folded if side else plain
            for part in PARTS:
                texts = list(judged.example.texts(part))
                texts = list(map(normal, texts)) if side else texts
                measure = judged.measures[part][name]
                assert (measure.verdict, measure.found, measure.total) == expected(
                    name, corpus, texts
                ), (name, part)
        if judged.evidence is not None:
            evidence = judged.evidence
            corpus = folded if evidence.normalized else plain
            windows.add(evidence.window)
            assert evidence.count == corpus.count(evidence.window) > 0
            assert evidence.document == corpus.holders(evidence.window)[0]
            assert evidence.context[evidence.start : evidence.end] == evidence.window
            assert evidence.metadata["line"] == evidence.document + 1
            if evidence.span is not None and not evidence.normalized:
                text = getattr(judged.example, evidence.span.part)[evidence.span.text]
                assert text[evidence.span.start : evidence.span.end] == evidence.window
            if evidence.span is not None and evidence.normalized:
                text = getattr(judged.example, evidence.span.part)[evidence.span.text]
                shown = text[evidence.span.start : evidence.span.end]
                whole = evidence.definition != "sampled"  # which may cut a word
                assert (normal(shown) == evidence.window) if whole else normal(shown)
        else:
            assert not judged.spans
        blamed |= naive_offenders(judged, plain, folded, normalized, most)
    assert {offender.number for offender in result.offenders} == blamed


def naive_offenders(
    judged: Judged, plain: NaiveCorpus, folded: NaiveCorpus, normalized: bool, most: int
) -> set[int]:
    """Documents that hold a window, not too frequent, of a definition that says dirty."""
    found: set[int] = set()
    for definition in SMALL:
        name = definition.name
        if all(judged.measures[part][name].verdict != "dirty" for part in PARTS):
            continue
        side = normalized and definition.normalized
        corpus = folded if side else plain
        texts = {text for part in PARTS for text in judged.example.texts(part)}
        for text in map(normal, texts) if side else texts:
            windows = {
                "windows": lambda c, t: c.windows(t, 9),
                "ngrams": lambda c, t: c.ngrams(t, 3),
                "ngram-share": lambda c, t: c.ngrams(t, 2),
                "sampled": lambda c, t: c.sampled(t, 7, 3, 0),
                "token-ngrams": lambda c, t: token_windows(c, t, lambda k: 4 if k >= 4 else 0),
                "longest": lambda c, t: longest_window(c, t, 3),
                "coverage": lambda c, t: token_windows(c, t, lambda k: k if k > 3 else 0),
            }[name](corpus, text)
            for window in windows:
                if corpus.count(window) <= most:
                    found |= set(corpus.holders(window))
    return found


def token_windows(corpus: NaiveCorpus, text: str, size) -> list[str]:  # type: ignore[no-untyped-def]
    from naive_contamination import piece_spans

    pieces, matches = piece_spans(text), corpus.token_matches(text)
    return [
        text[pieces[i][0] : pieces[i + size(k) - 1][1]] for i, k in enumerate(matches) if size(k)
    ]


def longest_window(corpus: NaiveCorpus, text: str, least: int) -> list[str]:
    longest = max(corpus.token_matches(text), default=0)
    if longest < least:
        return []
    return token_windows(corpus, text, lambda k: k if k == longest else 0)[:1]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(TEXTS, st.booleans(), st.booleans(), st.booleans())
def test_normalization_knows_where_characters_came_from(
    text: str, case: bool, punctuation: bool, whitespace: bool
) -> None:
    normalization = Normalization(case, punctuation, whitespace)
    applied, origin = normalization.apply_with_origin(text)
    assert applied == normalization.apply(text)
    assert len(origin) == len(applied)
    assert np.all(np.diff(origin) >= 0)
    for character, place in zip(applied, origin.tolist(), strict=True):
        assert character.isspace() or character in text[place].casefold() + text[place]
    if case and punctuation and whitespace:
        assert applied == normal(text)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=40))
def test_byte_offsets(text: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    want = [len(clean[:n].encode()) for n in range(len(clean) + 1)]
    assert byte_offsets(clean).tolist() == want


def test_counting_strings_finds_what_matching_finds(tmp_path: Path) -> None:
    """On an index of bytes both ways are open; blocks only spare questions."""
    rng = random.Random(5)
    words = ["".join(rng.choices("abcde", k=4)) for _ in range(300)]
    documents = [" ".join(rng.choices(words, k=60)) for _ in range(20)]
    index = index_of(tmp_path, documents)
    pieces = [document[10:150] for document in documents[:6]]
    texts = join_texts([a + " zz " + b for a, b in pairwise(pieces)], None)
    both = MatchedBytes(index, texts), CountedText(index, texts)
    starts = np.arange(0, len(texts.text) - 70)
    inside = texts.starts[1:][np.searchsorted(texts.starts, starts, "right") - 1]
    for size in (1, 23, 24, 30, 49, 70):
        ends = starts + size
        spans = np.stack([starts, ends], axis=1)[ends <= inside]
        found, counted = (each.found(spans) for each in both)
        assert 0 < found.sum() < found.size or size == 1
        assert np.array_equal(counted, found)
        assert np.array_equal(both[0].counts(spans) > 0, found)


def invented(rng: random.Random, words: int) -> str:
    """Words no other text has."""
    return " ".join("".join(rng.choices("abcdefghijklmnop", k=6)) for _ in range(words))


PLANTS = ("verbatim", "case", "truncated", "answer", "question", "split", "clean", "clean too")


@cache
def planted() -> tuple[list[str], list[Example]]:
    """Documents, and an example for each of PLANTS."""
    rng = random.Random(11)
    documents = [invented(rng, 80) for _ in range(20)]
    examples = [Example(name, (invented(rng, 40),), (invented(rng, 30),)) for name in PLANTS]
    text = {each.name: (each.question[0], each.answer[0]) for each in examples}
    question, answer = text["split"]
    plants = [
        " ".join(text["verbatim"]),
        "\n".join(text["case"]).upper(),
        " ".join(text["truncated"][0].split()[:20]),
        text["answer"][1],
        text["question"][0],
        " ".join(question.split()[:20]) + " " + " ".join(answer.split()[:15]),
        " ".join(question.split()[20:]) + " " + " ".join(answer.split()[15:]),
    ]
    for number, plant in enumerate(plants):
        documents[2 * number] += f" {invented(rng, 5)} {plant} {invented(rng, 5)}"
    return documents, examples


# Of question and answer together, in the order of NAMES, looking at normalized text.
VERDICTS = {
    "verbatim": "dirty dirty dirty dirty dirty dirty dirty",
    "case": "clean dirty dirty dirty clean clean clean",
    "truncated": "suspicious dirty clean * dirty suspicious suspicious",
    "answer": "suspicious dirty clean dirty dirty suspicious suspicious",
    "question": "suspicious dirty clean dirty dirty suspicious suspicious",
    "split": "suspicious dirty dirty * dirty suspicious dirty",
    "clean": "clean clean clean clean clean clean clean",
    "clean too": "clean clean clean clean clean clean clean",
}


@pytest.fixture(scope="module")
def planted_result(tmp_path_factory: pytest.TempPathFactory) -> Contamination:
    folder = tmp_path_factory.mktemp("planted")
    documents, examples = planted()
    index, side = index_of(folder, documents), normalized_of(folder, documents)
    return index.contamination(examples, normalized=side)


@pytest.mark.parametrize("name", PLANTS)
def test_planted_contamination(planted_result: Contamination, name: str) -> None:
    judged = planted_result.judged[PLANTS.index(name)]
    for definition, verdict in zip(NAMES, VERDICTS[name].split(), strict=True):
        if verdict != "*":  # a matter of which windows were drawn
            assert judged.verdict("both", definition) == verdict, definition
    alone = {"answer": "question", "question": "answer"}
    if name in alone:
        for definition in NAMES:
            assert judged.verdict(name, definition) == "dirty"
            assert judged.verdict(alone[name], definition) == "clean"
    assert (judged.evidence is None) == name.startswith("clean")


def test_planted_documents_are_the_ones_to_drop(planted_result: Contamination) -> None:
    assert [each.number for each in planted_result.offenders] == [0, 2, 4, 6, 8, 10, 12]
    names = [each.examples for each in planted_result.offenders]
    assert names == [[name] for name in (*PLANTS[:5], "split", "split")]
    assert planted_result.not_followed == 0


def test_both_engines_say_the_same(tmp_path: Path, planted_result: Contamination) -> None:
    documents, examples = planted()
    compressed = index_of(tmp_path, documents, engine="fm")
    result = compressed.contamination(examples, normalized=normalized_of(tmp_path, documents))
    assert result.definitions == planted_result.definitions
    for one, other in zip(result.judged, planted_result.judged, strict=True):
        assert (one.measures, one.spans) == (other.measures, other.spans)
        assert nameless(one.evidence) == nameless(other.evidence)
    assert list(map(nameless, result.offenders)) == list(map(nameless, planted_result.offenders))


def nameless(found: Evidence | Offender | None) -> object:
    """All but the metadata, which names the file of the corpus."""
    return None if found is None else replace(found, metadata={})


def test_without_normalization_case_hides(tmp_path: Path) -> None:
    documents, examples = planted()
    result = index_of(tmp_path, documents).contamination(examples)
    verdicts = {each.example.name: each.verdict() for each in result.judged}
    assert verdicts["case"] == "clean"
    assert verdicts["verbatim"] == "dirty"
    assert result.definitions["ngrams"]["looks_at"] == "verbatim text"


def test_windows_in_many_documents_are_counted_not_followed(tmp_path: Path) -> None:
    text = invented(random.Random(1), 20)
    index = index_of(tmp_path, [f"{n} {text}" for n in range(5)])
    one = adjust(DEFINITIONS, [])[1:2]
    few = index.contamination([text], definitions=one, most_count=4)
    assert (few.offenders, few.not_followed) == ([], 8)
    all_ = index.contamination([text], definitions=one, most_count=5)
    assert [each.number for each in all_.offenders] == [0, 1, 2, 3, 4]
    assert all_.not_followed == 0
    # A rare window after frequent ones is followed, though they are not.
    index = index_of(tmp_path / "more", [*[text] * 5, f"{text} and more"])
    rare = index.contamination([f"{text} and"], definitions=one, most_count=4)
    assert [each.number for each in rare.offenders] == [5]


def test_a_window_that_also_stands_without_the_one_before_it_is_followed(tmp_path: Path) -> None:
    index = index_of(tmp_path, ["a b c d", "a b c", "b c d", "c d"])
    three = adjust(DEFINITIONS, ["ngrams.n=3"])[1:2]
    result = index.contamination(["a b c d"], definitions=three)
    assert [(each.number, each.window) for each in result.offenders] == [
        (0, "a b c"), (1, "a b c"), (2, "b c d"),
    ]  # fmt: skip


def test_an_index_of_tokens(tmp_path: Path) -> None:
    """Token definitions look at ids; the others need strings to be counted."""
    documents, examples = planted()
    index = index_of(tmp_path, documents, small_tokenizer(tmp_path))
    result = index.contamination(examples, definitions=adjust(DEFINITIONS, ["longest.least=30"]))
    judged = {each.example.name: each for each in result.judged}
    assert set(result.definitions) | set(result.unavailable) == set(NAMES)
    assert result.definitions["longest"]["looks_at"].startswith("tokens of the index")
    for name in ("longest", "coverage", "token-ngrams"):
        assert judged["verbatim"].verdict("both", name) == "dirty"
        assert judged["clean"].verdict("both", name) == "clean"
    whole = judged["verbatim"].measures["question"]["longest"]
    assert whole.found == whole.total == index.encode(examples[0].question[0]).size
    evidence = judged["question"].evidence
    assert evidence is not None
    assert evidence.window == examples[4].question[0]
    assert evidence.context[evidence.start : evidence.end] == evidence.window
    assert evidence.span is not None
    assert (evidence.span.start, evidence.span.end) == (0, len(evidence.window))
    assert [each.number for each in result.offenders if "question" in each.examples] == [8]


def test_bad_input(tmp_path: Path) -> None:
    index = index_of(tmp_path, ["a b c"])
    with pytest.raises(QueryError):
        index.contamination([])
    with pytest.raises(QueryError):
        index.contamination(["a"], definitions=())
    with pytest.raises(QueryError):
        index.contamination([3])
    with pytest.raises(QueryError):
        index.contamination([("a", 3)])
    assert index.contamination([("", "")]).judged[0].verdict() == "short"
    assert index.contamination(["...", " \n"]).judged[1].verdict() == "short"
    for setting in ("x.n=1", "ngrams.m=1", "ngrams.n=0", "ngrams.n=x", "windows.dirty=2",
                    "ngrams.normalized=maybe", "ngrams"):  # fmt: skip
        with pytest.raises(UsageError):
            adjust(DEFINITIONS, [setting])
    assert parse_normalization("none") is None
    assert parse_normalization("case,whitespace") == Normalization(True, False, True)
    with pytest.raises(UsageError):
        parse_normalization("cases")
    other = NormalizedIndex(index_of(tmp_path / "other", ["a", "b"]), Normalization())
    with pytest.raises(UsageError):
        index.contamination(["a"], normalized=other)
