"""Strings as queries: counted, found and shown wherever they stand in the decoded documents."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from building import ENGINES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import NaiveTexts
from texts import FAMILIES, HAND_CUT, build_cut, build_text, hand_cut
from tokenizers import Tokenizer, decoders, models

import gramdex
from gramdex.errors import CorruptIndexError, IndexFileError, QueryError, TokenizerError
from gramdex.fmindex.engines import continuations
from gramdex.fmindex.engines.engine import Engine
from gramdex.fmindex.engines.fm_index import FMEngine
from gramdex.fmindex.engines.suffix_array import SuffixArrayEngine
from gramdex.fmindex.engines.text_tables import TextTables, sorted_tails
from gramdex.fmindex.format import sections
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.queries import text as module
from gramdex.fmindex.tokenizers import TokenBytes
from gramdex.indexer.readers import ReadOptions
from gramdex.kernels.fm import coverings as fm_coverings
from gramdex.kernels.suffix_array import coverings

TEXTS = [
    "the suffix array of the corpus",
    " the index",
    "aaaaaaaa aaa aaaa",
    "naïve données, 数据 索引 🙂🙂 e\u0301",
    "",
    "  the  index\t\tthe\nthe ",
    "\x00the\x00 a\x00",
    "x",
    "the",
    "ZЖz the <|endoftext|> <0x61> ▁the",
    "aaaa",
]
QUERIES = [
    *("a", "aa", "aaaaa", " ", "  ", "the", " the", "he", "t", "e", "th", "x", "x ", "\n", "\t\t"),
    *("ffix arr", "é", "ï", "数", "据", "🙂", "🙂🙂", "\u0301", "\x00", "\x00 a", "corpus the"),
    *("the suffix array of the corpus", "the suffix array of the corpus.", "s the", "Ж", "zz", "▁"),
    *("index\t\tthe\nthe", "<|endoftext|>", "<0x61>", "нет", "aaaaaaaaaaaaaaaa", "the" * 400),
]


MOST = 1 << 40
WAYS = [
    (SuffixArrayEngine.text_limits, FMEngine.text_limits),
    ((1, 0), (MOST, MOST)),
    ((MOST, MOST), (0, 0)),
    ((3, 1), (MOST, 0)),
]
"""Limits of both engines: as they are; to extend intervals where there is a choice; to read every
occurrence; some of both."""


def decoded(index: gramdex.Index) -> list[bytes]:
    """Bytes of every document, as ``Document.text`` shows them."""
    documents = [index.document(number) for number in range(index.document_count)]
    return [
        index.tokenizer.decode_bytes(d.ids, at_start=d.metadata.get("part", 1) == 1)
        for d in documents
    ]


def places(index: gramdex.Index, text: str) -> list[tuple[int, int]]:
    """(Document, byte) of every occurrence by ``find``."""
    found = index.find(text)
    table = index.tokenizer.token_bytes.tolist()
    places = []
    for shard, number, start, end, offset in zip(
        *(getattr(found, name).tolist() for name in found.__slots__), strict=True
    ):
        document = index.document(number)
        before = sum(index.shards[s].documents for s in range(shard))
        first = index.shards[shard].bounds(number - before)[0]
        tokens = [table[i] for i in document.ids.tolist()]
        whole = index.tokenizer.decode_bytes(
            document.ids, at_start=document.metadata.get("part", 1) == 1
        )
        byte = sum(map(len, tokens[: start - first])) + offset
        assert b"".join(tokens[start - first : end - first])[offset:].startswith(text.encode())
        assert offset < len(tokens[start - first])
        assert offset + len(text.encode()) > sum(map(len, tokens[start - first : end - first - 1]))
        places.append((number, byte - sum(map(len, tokens)) + len(whole)))
    assert found.count == len(places)
    return places


def set_limits(patch: pytest.MonkeyPatch, way: tuple[tuple[int, ...], ...]) -> None:
    for engine, limits in zip((SuffixArrayEngine, FMEngine), way, strict=True):
        patch.setattr(engine, "text_limits", limits)


def compare(index: gramdex.Index, queries: list[str]) -> None:
    documents = decoded(index)
    naive = NaiveTexts(documents)
    expected = [naive.occurrences(query) for query in queries]
    for way in WAYS:
        with pytest.MonkeyPatch.context() as patch:
            set_limits(patch, way)
            counts = [len(occurrences) for occurrences in expected]
            assert [index.count(query) for query in queries] == counts
            assert index.count_batch(queries).tolist() == counts
            assert [places(index, query) for query in queries] == expected
    for query, occurrences in zip(queries, expected, strict=True):
        compare_shown(index, query, documents, occurrences)


def compare_shown(
    index: gramdex.Index, query: str, documents: list[bytes], occurrences: list[tuple[int, int]]
) -> None:
    shown = index.documents(query, max_documents=len(documents))
    with pytest.MonkeyPatch.context() as patch:
        for engine in (Engine, FMEngine):  # by reading documents, where they suffice
            patch.setattr(engine, "first_taken", 0)
        read = index.documents(query, max_documents=len(documents))
    assert [(d.number, d.matches) for d in read] == [(d.number, d.matches) for d in shown]
    assert [d.number for d in shown] == sorted({number for number, _ in occurrences})
    for document in shown:
        starts = [start for number, start in occurrences if number == document.number]
        whole = documents[document.number]
        assert document.text == whole.decode("utf-8", "replace")
        assert len(document.matches) == len(starts)
        if "\ufffd" not in document.text:
            firsts = [len(whole[:start].decode()) for start in starts]
            assert [(m.text_start, m.text_end) for m in document.matches] == [
                (first, first + len(query)) for first in firsts
            ]


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_families_of_tokenizers(family: str, shards: int, tmp_path: Path) -> None:
    tokenizer = FAMILIES[family](tmp_path)
    size, paths = 1 << 20 if shards == 1 else 40, {}
    for name in ("sa", "fm", "fm, dense"):
        options = {"shard_tokens": size} | ENGINES[name]
        paths[name] = build_text(tmp_path / name, TEXTS, tokenizer, **options)
        index = gramdex.open(paths[name])
        assert len(index.shards) >= shards
        if name != "fm":
            compare(index, QUERIES)
    compare(gramdex.open([paths["sa"], paths["sa"]]), QUERIES[:12])
    compare(gramdex.open([paths["fm"], paths["sa"], paths["fm, dense"]]), QUERIES[:12])


@pytest.mark.parametrize("engine", ["sa", "fm"])
def test_every_short_string_of_a_text(engine: str, tmp_path: Path) -> None:
    """Windows at every byte of the text, whatever tokens they cut."""
    tokenizer = FAMILIES["byte-level"](tmp_path)
    index = gramdex.open(build_text(tmp_path, TEXTS, tokenizer, engine=engine))
    naive = NaiveTexts(decoded(index))
    strings = {t[i : i + n] for t in TEXTS for i in range(len(t)) for n in (1, 2, 3, 7, 20)}
    queries = sorted(strings)[::3]
    assert index.count_batch(queries).tolist() == [naive.count(query) for query in queries]


@pytest.mark.parametrize("engine", ["sa", "fm"])
@pytest.mark.parametrize("strips", [False, True])
def test_documents_split_over_shards(strips: bool, engine: str, tmp_path: Path) -> None:
    """Only the first part of a document loses the space it begins with."""
    size = len(HAND_CUT)
    hand_cut(tmp_path, strips)
    ids = [[7, 8, 0, 7, 7, 8, 4] * 5, [24, 7, 0, 7], [7, 0], [24, 25], [8, 8, 8], [7] * 9]
    flat = [token for document in ids for token in [*document, size]]
    np.save(tmp_path / "tokens.npy", np.array(flat, np.uint32))
    gramdex.build(
        tmp_path / "tokens.npy",
        tmp_path / "index",
        tmp_path / "tokenizer.json",
        read=ReadOptions(separator_id=size),
        shard_tokens=8,
        engine=engine,
    )
    index = gramdex.open(tmp_path / "index")
    parts = [index.document(i).metadata.get("part") for i in range(index.document_count)]
    assert {2, 3, None} <= set(parts)
    compare(index, [" ", " a", "  ", "  a", "a ", " a  ", "a", "   "])


@pytest.mark.parametrize("engine", ["sa", "fm", "mixed"])
def test_a_text_that_is_only_stripped(engine: str, tmp_path: Path) -> None:
    tokenizer = hand_cut(tmp_path, True)
    index = build_cut(tmp_path, [[8, 4], [7], [24, 8], [24]], tokenizer, engine=engine)
    assert [index.document(number).text for number in range(4)] == ["ab", "", "a", ""]
    compare(index, [" ", " a", " ab", "a", "ab"])


CUT_BY = ["sa", "fm", "fm, dense", "mixed"]
BYTES = st.sampled_from(["a", "b", " ", "é", "🙂", "数", "\x00", "ab", "aa", " a"])


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_cutting(data: st.DataObject) -> None:
    """Equal tokens, tokens without bytes, characters in pieces, any order of them."""
    some = data.draw(st.lists(st.integers(0, len(HAND_CUT) - 1), min_size=1, max_size=8))
    documents = data.draw(st.lists(st.lists(st.sampled_from(some), max_size=25), max_size=6))
    queries = data.draw(st.lists(st.lists(BYTES, min_size=1, max_size=5).map("".join), max_size=6))
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = hand_cut(Path(folder), data.draw(st.booleans()))
        shards, engine = data.draw(st.integers(1, 3)), data.draw(st.sampled_from(CUT_BY))
        index = build_cut(Path(folder), documents, tokenizer, shards, engine)
        texts = [text.decode("utf-8", "ignore") for text in decoded(index)]
        queries += [text[1:-1] for text in texts if text[1:-1]] + [text for text in texts if text]
        compare(index, queries[:10])


def test_windows_around_text(tmp_path: Path) -> None:
    """Windows are whole characters; the match in them is the text, wherever tokens were cut."""
    text = "🙂é 数据 🙂naïve aé🙂 données数"
    index = gramdex.open(build_text(tmp_path, [text], FAMILIES["byte-level"](tmp_path)))
    for query, context in product(["ve", "🙂", "数据 ", "é", "naïve aé🙂", "s数"], range(6)):
        (document,) = index.documents(query, context=context)
        assert "\ufffd" not in document.text
        assert document.text in text
        assert document.matches
        for match in document.matches:
            assert document.text[match.text_start : match.text_end] == query
            assert document.start <= match.start < match.end <= document.end


@pytest.mark.parametrize("engine", ["sa", "fm"])
def test_first_documents_however_many_occurrences(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["the " * (i % 7) + "index the" * (i % 3) for i in range(60)]
    tokenizer = FAMILIES["byte-level"](tmp_path)
    index = gramdex.open(build_text(tmp_path, texts, tokenizer, engine=engine))
    for query in ("the", "he", " t", "e i", "zz"):
        everything = index.documents(query, max_documents=100)
        assert [d.number for d in everything] == [i for i, t in enumerate(texts) if query in t]
        for most, reads in product((0, 1, 2, 5, 20, 59, 100), (True, False)):
            with monkeypatch.context() as patch:
                patch.setattr(Engine, "first_taken", 3)
                patch.setattr(FMEngine, "first_taken", 3)
                if not reads:
                    patch.setattr(module.TextReader, "_read_first", lambda *_: None)
                found = index.documents(query, max_documents=most)
            assert [(d.number, d.matches) for d in found] == [
                (d.number, d.matches) for d in everything[:most]
            ]


@pytest.mark.parametrize("engine", ["sa", "fm"])
def test_batches_of_text_and_ids(engine: str, tmp_path: Path) -> None:
    path = build_text(tmp_path, TEXTS, FAMILIES["byte-level"](tmp_path), engine=engine)
    index = gramdex.open(path)
    ids = index.encode("the suffix")
    batch = ["he", ids, "the", [], "", "zz", ids[:1].tolist(), "\n"]
    assert index.count_batch(batch).tolist() == [index.count(query) for query in batch]
    assert index.count("") == index.token_count
    assert index.count_batch(iter(["he"])).tolist() == [index.count("he")]
    several = gramdex.open(path, threads=3)
    queries = [query for query in QUERIES for _ in range(4)]
    assert several.count_batch(queries).tolist() == index.count_batch(queries).tolist()


def test_results_are_said_in_a_line(tmp_path: Path) -> None:
    for tokenizer in ("bytes", FAMILIES["byte-level"](tmp_path)):
        folder = tmp_path / str(tokenizer)[:5].strip("/")
        index = gramdex.open(build_text(folder, ["the the", "x", "the"], tokenizer))
        assert repr(index.find("the")) == "TextMatches(3 occurrences in 2 documents)"
        assert index.find("zz").count == 0
        assert index.documents("zz") == []


def test_texts_that_have_no_answer(tmp_path: Path) -> None:
    index = gramdex.open(build_text(tmp_path, TEXTS, FAMILIES["byte-level"](tmp_path)))
    for ask in (index.find, index.documents):
        with pytest.raises(QueryError, match="empty string"):
            ask("")
    for ask in (index.count, index.find, index.documents, lambda text: index.count_batch([text])):
        with pytest.raises(TokenizerError, match="lone surrogate"):
            ask("a\ud800")
    with pytest.raises(QueryError):
        index.count_batch("text")


def test_tokens_whose_bytes_are_not_the_text(tmp_path: Path) -> None:
    """A WordPiece decoder puts spaces between tokens: there strings are refused."""
    pieces = ["[UNK]", "the", "index", "##es"]
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    index = build_cut(tmp_path, [[1, 2, 3]], tmp_path / "tokenizer.json")
    for ask in (index.count, index.find, index.documents):
        with pytest.raises(QueryError, match="encode it first"):
            ask("index")
    assert index.count(index.encode("indexes")) == 1


@pytest.mark.parametrize("engine", ["sa", "fm"])
def test_a_vocabulary_out_of_proportion_to_the_shard(engine: str, tmp_path: Path) -> None:
    """Its prefix table shares entries between tokens; lists have those tokens only that occur."""
    pieces = [*HAND_CUT, *(f"x{i:06}" for i in range(140_000))]
    tokenizer = hand_cut(tmp_path, True, pieces)
    rng = np.random.default_rng(3)
    documents = [rng.choice([*range(29), 100, 90_000, 140_000], 40).tolist() for _ in range(12)]
    index = build_cut(tmp_path, documents, tokenizer, 2, engine)
    assert all(shard.engine.token_starts() is None for shard in index.shards)
    compare(index, ["a", "aa", " ", " a", "x0", "000071", "1x", "é", "x000071 ", "ab a", "数"])


@pytest.mark.parametrize("engine", ["sa", "fm"])
def test_text_that_repeats(engine: str, tmp_path: Path) -> None:
    """Many coverings of one string, and more rows than there is room for at first."""
    rng = np.random.default_rng(4)
    documents = [rng.choice([0, 1, 2, 24, 15], 120).tolist() for _ in range(4)]
    index = build_cut(tmp_path, documents, hand_cut(tmp_path), 2, engine)
    compare(index, ["a", "aaa", "a" * 20, "a" * 100])


TOKENS = st.lists(st.binary(max_size=12) | st.text("ab\0", max_size=30).map(str.encode), max_size=9)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(TOKENS)
def test_endings_of_tokens_in_their_order(tokens: list[bytes]) -> None:
    lengths = [len(token) for token in tokens]
    ends = np.repeat(np.cumsum(lengths, dtype=np.int64), lengths)
    begins = ends - np.repeat(np.array(lengths, np.int64), lengths)
    data = b"".join(tokens)
    order = sorted_tails(np.frombuffer(data, np.uint8), begins, ends).tolist()
    keys = [(data[at : ends[at]], begins[at] != at) for at in order]
    assert sorted(order) == list(range(len(data)))
    assert keys == sorted(keys)


def test_ranks_out_of_order_are_noticed() -> None:
    table = TokenBytes.from_tokens([b"a", b"b"])
    swapped = Vocabulary(2, np.array([2, 1], np.uint32), np.array([1 << 32 - 1, 1, 0], np.uint32))
    with pytest.raises(CorruptIndexError, match="out of order"):
        TextTables(swapped, table, np.zeros(3, np.int64), np.empty(0, np.int64))


@pytest.mark.parametrize("engine", ["sa", "fm"])
def test_text_queries_compile_nothing_after_warming_up(engine: str, tmp_path: Path) -> None:
    gramdex.warmup()
    tokenizer = FAMILIES["byte-level"](tmp_path)
    index = gramdex.open(build_text(tmp_path, TEXTS, tokenizer, engine=engine))
    index.count_batch(["the", "e"])
    index.find("the")
    for kernels in (coverings, fm_coverings):
        for kernel in (kernels.count_texts, kernels.find_text):
            assert len(getattr(kernel, "signatures", [])) <= 1


DAMAGED = {
    "sa": ["tokens", "suffixes", "run_starts", "run_tokens", "starts"],
    "fm": ["stream", "directory", "groups", "sample_counts", "permutation", "shortcuts"],
}


@pytest.mark.parametrize(("engine", "section"), [(e, s) for e in DAMAGED for s in DAMAGED[e]])
def test_damage_that_opening_does_not_see_never_crashes(
    tmp_path: Path, engine: str, section: str
) -> None:
    """Random bytes over an array, under a header that says all is well."""
    rng = np.random.default_rng(7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(continuations, "LIMITS", continuations.Limits(2, 3, 2, 1))
        documents = [rng.integers(0, len(HAND_CUT), 60).tolist() for _ in range(20)]
        build_cut(tmp_path, documents, hand_cut(tmp_path, True), engine=engine)
    kind = {"tokens": "tokens", "starts": "documents"}.get(section, "suffixes")
    kind = "successors" if engine == "fm" else kind
    path = tmp_path / "index" / "shard-00000" / f"{kind}.gdx"
    content = path.read_bytes()
    place = sections.SectionFile(path, kind).sections[section]
    for trial in range(25 if engine == "sa" else 10):
        damaged = np.frombuffer(content, np.uint8).copy()
        places = rng.integers(place.offset, place.offset + place.size - 1, 1 + 4 * trial)
        damaged[places] = rng.integers(0, 256, places.size)
        path.write_bytes(damaged.tobytes())
        for query, way in product(["a", " a", "aaa", "é", "ba a", "\x00", "数b"], WAYS):
            with suppress(IndexFileError), pytest.MonkeyPatch.context() as patch:
                set_limits(patch, way)
                index = gramdex.open(tmp_path / "index")
                index.count_batch([query, "aab"])
                index.find(query)
                index.documents(query, 3, 2)
