"""The benchmark beside SDSL's index of bytes, on tiny corpora: answers, sizes, pages."""

from __future__ import annotations

import gc
import json
import mmap
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from benching import invoke
from building import build_ids
from commanding import write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

import gramdex
from gramdex.errors import GramdexError, TokenizerError, UsageError
from gramdex.fmindex.tokenizers import load_tokenizer
from gramdex.indexer.readers import ReadOptions
from gramdex.tools.bench import page_cache, page_touches, text
from gramdex.tools.bench.compressed import CompressedSettings, components, run_compressed
from gramdex.tools.bench.compressed_cases import (
    Agreement,
    Sides,
    compressed_cases,
    shard_places,
)
from gramdex.tools.bench.corpus import Corpus, Source, load_corpus
from gramdex.tools.bench.peers import sdsl
from gramdex.tools.bench.peers.interface import WORKS
from gramdex.tools.bench.peers.registry import BYTES, PEERS, find_engine
from gramdex.tools.bench.peers.sdsl_bytes import Batch, BytesBuilder, OpenBytes
from gramdex.tools.bench.queries import QuerySettings, run_case
from gramdex.tools.bench.report import print_report
from gramdex.tools.bench.text import CorpusText
from gramdex.tools.bench.timing import Usage

needs_sdsl = pytest.mark.skipif(bool(BYTES.missing()), reason=f"SDSL: {BYTES.missing()}")
FEW = QuerySettings(queries=20, rounds=2, seconds=0.2)
MERGES = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("c", "a"), ("ca", "t"), ("Ġ", "cat"), ("s", "a")]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory) -> Path:
    """A tokenizer.json of bytes and a few words."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *("".join(pair) for pair in MERGES)]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    path = tmp_path_factory.mktemp("vocabulary") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """Documents in which words come again, not always cut into the same tokens."""
    generator = np.random.default_rng(3)
    words = np.array(["the", "cat", "sat", "thecat", "on", "naïve", "mat"])
    texts = [" ".join(words[generator.zipf(1.4, 120) % 7]) for _ in range(12)]
    return write_jsonl(tmp_path_factory.mktemp("written") / "corpus.jsonl", texts)


@pytest.fixture(scope="module")
def wordy(written, vocabulary) -> Corpus:
    """Those documents in tokens of several bytes."""
    return load_corpus(Source([written], vocabulary, ReadOptions()), 10**6)


@pytest.fixture
def pages_untold(monkeypatch):
    """Pages are counted by tests of their own."""
    monkeypatch.setattr(page_cache, "make_cold", lambda folder: "9% of the pages stayed")


def corpus_of(documents, tokenizer) -> Corpus:
    ids = np.array([token for document in documents for token in document], np.uint16)
    lengths = np.array([len(document) for document in documents], np.int64)
    return Corpus(ids, lengths, "made", tokenizer, tokenizer.vocabulary_size)


def occurrences(text: bytes, pattern: bytes) -> list[int]:
    return [i for i in range(len(text)) if text.startswith(pattern, i)]


# --- the text -------------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 262), max_size=12), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_the_text_is_that_of_its_tokens(vocabulary, documents):
    documents = [*documents, [7]]
    tokenizer = load_tokenizer(vocabulary)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "_STRIDE", 2)
        patch.setattr(text, "_CHUNK", 4)
        found = CorpusText(corpus_of(documents, tokenizer))
        read = found.read(0, found.symbols.size)
        starts = [found.byte_of(place) for place in range(found.symbols.size + 1)]
    end = bytes([found.separator])
    parts = [
        part
        for document in documents
        for part in [*(tokenizer.decode_bytes([token]) for token in document), end]
    ]
    assert read == b"".join(parts)
    assert starts == list(accumulate(map(len, parts), initial=0))
    assert found.size == len(read) - len(documents)
    assert read.count(end) == len(documents)
    assert end != b"\0"
    assert found.zeros == (b"\0" in read)


def test_the_text_is_written_as_it_is_read(wordy, tmp_path, monkeypatch):
    found = CorpusText(wordy)
    digest = found.write(tmp_path / "text")
    assert (tmp_path / "text").read_bytes() == found.read(0, found.symbols.size)
    monkeypatch.setattr(text, "_CHUNK", 1000)
    assert found.write(tmp_path / "again") == digest
    assert (tmp_path / "again").read_bytes() == (tmp_path / "text").read_bytes()


def test_strings_stand_in_the_text_and_are_about_as_long_as_wanted(wordy):
    found = CorpusText(wordy)
    whole = found.read(0, found.symbols.size)
    for wanted in (9, 30):
        strings = found.draw_strings(wanted, 50, 1)
        written = [wordy.tokenizer.decode_bytes(ids) for ids in strings.ids]
        assert all(2 / 3 * wanted <= len(string) <= 4 / 3 * wanted for string in written)
        assert all(string in whole for string in written)
        assert strings.mean_bytes == pytest.approx(np.mean([*map(len, written)]))
        assert strings.label == f"{wanted} bytes, {strings.ids.shape[1]} tokens"
    # One token of the mean length is 1 byte, which many are not.
    assert found.draw_strings(1, 5, 0).label == "1 bytes, 1 token"


def test_places_cover_what_is_read_and_no_document_end(wordy):
    found = CorpusText(wordy)
    places = found.draw_places(40, 60, 0).tolist()
    assert len(places) == 60
    for place, tokens in places:
        assert found.symbols[place : place + tokens].all()
        assert len(found.read(place, tokens - 1)) < 40 <= len(found.read(place, tokens))
    assert found.draw_places(10**5, 20, 0).shape == (0, 2)


def test_places_are_told_by_shard():
    places = np.array([[0, 2], [4, 1], [5, 3], [11, 1]])
    assert shard_places(places, [5, 6, 9]) == [[0, 0, 2], [0, 4, 5], [1, 0, 3], [2, 0, 1]]


def test_a_corpus_without_text_is_refused(corpus):
    with pytest.raises(TokenizerError, match=r"do not add up.*--tokenizer tokenizer.json"):
        CorpusText(corpus)


def test_texts_that_sdsl_cannot_take(vocabulary, monkeypatch):
    monkeypatch.setattr(BYTES, "missing", lambda: "")
    tokenizer = load_tokenizer(vocabulary)
    ids = {tokenizer.decode_bytes([i]): i for i in range(256)}
    all_bytes = [ids[bytes([byte])] for byte in range(256)]
    zero = CorpusText(corpus_of([[ids[b"\0"], ids[b"a"]]], tokenizer))
    assert BYTES.refuses_text(zero) == "the text holds the byte 0, with which SDSL ends texts"
    full = CorpusText(corpus_of([all_bytes[1:]], tokenizer))
    assert full.separator is None
    assert "every byte" in BYTES.refuses_text(full)
    assert not BYTES.refuses_text(CorpusText(corpus_of([all_bytes[1:255]], tokenizer)))


# --- the peer -------------------------------------------------------------------------------


def test_the_peer_of_bytes_takes_part_in_nothing_else(corpus):
    assert find_engine("sdsl-bytes") is BYTES
    assert BYTES not in PEERS
    for work in WORKS:
        why = BYTES.refuses(work, corpus)
        assert why == BYTES.missing() or "measured by gramdex bench compressed" in why


@pytest.fixture(scope="module")
def of_bytes(wordy, tmp_path_factory) -> tuple[bytes, OpenBytes]:
    """A text, and SDSL's index of it."""
    found = CorpusText(wordy)
    builder = BytesBuilder(found, tmp_path_factory.mktemp("sdsl"))
    builder.run()
    return found.read(0, found.symbols.size), BYTES.open(wordy, builder.folder)


@needs_sdsl
def test_sdsl_answers_as_the_text_does(of_bytes):
    whole, opened = of_bytes
    suffixes = sorted(range(len(whole) + 1), key=lambda i: whole[i:])
    generator = np.random.default_rng(0)
    patterns = [whole[i : i + n] for i, n in generator.integers(1, 20, (60, 2)) * (40, 1)]
    patterns += [b"zebra", b"the", b" "]
    counts = [len(occurrences(whole, pattern)) for pattern in patterns]
    assert [opened.count(pattern, len(pattern)) for pattern in patterns] == counts
    assert opened.count_batch(Batch(patterns)).tolist() == counts
    for pattern, count in zip(patterns, counts, strict=True):
        found, rank = opened.find(pattern)
        assert found == count
        places = [opened.locate(rank + i) for i in range(count)]
        assert places == suffixes[rank : rank + count]
        assert sorted(places) == occurrences(whole, pattern)
    ranks = generator.integers(0, len(whole), 50).astype(np.uint64)
    assert opened.locate_batch(ranks).tolist() == [suffixes[rank] for rank in ranks]
    for start in (0, 17, len(whole) - 30):
        assert opened.extract(start, 30) == whole[start : start + 30]
    assert set(opened.sizes()) == {
        "wavelet tree", "samples of the suffix array", "samples of its inverse",
    }  # fmt: skip
    assert all(size > 0 for size in opened.sizes().values())


@needs_sdsl
def test_an_index_of_bytes_that_cannot_be_read_is_an_error(wordy, tmp_path):
    with pytest.raises(GramdexError, match="SDSL"):
        BYTES.open(wordy, tmp_path)


def test_an_index_of_bytes_is_kept_for_the_same_text(wordy, tmp_path, monkeypatch):
    built = []

    def build(job):
        built.append(Path(job["text"]).read_bytes())
        Path(job["output"]).write_bytes(b"index")
        return {"wall_seconds": float(len(built))}

    monkeypatch.setattr("gramdex.tools.bench.peers.sdsl_bytes.in_child", build)
    first = BytesBuilder(CorpusText(wordy), tmp_path)
    assert first.run_or_keep() == Usage(wall_seconds=1.0)
    assert not first.kept
    again = BytesBuilder(CorpusText(wordy), tmp_path)
    assert again.run_or_keep() == Usage(wall_seconds=1.0)
    assert again.kept
    other = BytesBuilder(CorpusText(wordy.prefix(100)), tmp_path)
    assert other.run_or_keep().wall_seconds == 2
    assert not other.kept
    assert built[0] != built[1]
    (other.folder / "index.sdsl").unlink()
    assert other.run_or_keep().wall_seconds == 3


# --- all of it ------------------------------------------------------------------------------


@needs_sdsl
def test_beside_sdsl(wordy, tmp_path, pages_untold, capsys):
    chosen = CompressedSettings("sa", FEW, tmp_path / "work")
    result = json.loads(json.dumps(run_compressed(wordy, wordy.prefix(500), chosen)))
    assert result["peers"][0]["left_out"] == ""
    work = tmp_path / "work"
    for name, folder in ("gramdex", "gramdex-sa-1-1"), ("sdsl-bytes", "sdsl-bytes"):
        files = [path for path in (work / folder).rglob("*") if path.is_file()]
        assert sum(part["bytes"] for part in result["sizes"][name]) == sum(
            path.stat().st_size for path in files
        )
    rows = {
        (section["title"], row["label"]): row
        for section in result["sections"]
        for row in section["rows"]
    }
    counted = [row for row in rows.values() if "equal_counts" in row]
    assert len(counted) == 6
    for row in counted:
        assert 0 < row["equal_counts"] <= row["compared_counts"] == 20
    for (title, label), row in rows.items():
        asked = [peer["name"] for peer in row["peers"]]
        assert asked == ([] if title.startswith("∞") else ["sdsl-bytes"]), (title, label)
        compared = sum(peer["compared"] for peer in row["peers"])
        assert (compared > 0) == (bool(asked) and "in a row" not in label)
    works = [row["work"] for row in result["summary"]]
    assert works[:2] == ["size, everything included", "build from tokens"]
    size = result["summary"][0]["lines"]
    assert size[1]["ratio"]["median"] == size[1]["figure"]["median"] / size[0]["figure"]["median"]
    assert all(
        line["ratio"]["median"] > 0 for row in result["summary"] for line in row["lines"][1:]
    )
    assert not [note for note in result["build"]["notes"] if "earlier run" in note]
    print_report(result)
    printed = capsys.readouterr().out
    assert "Pages were not counted" in printed
    assert "counts equal" in printed


@pytest.fixture(scope="module")
def sides(wordy, vocabulary, written, of_bytes, tmp_path_factory) -> Sides:
    """Both indexes, open."""
    folder = tmp_path_factory.mktemp("sides") / "index"
    gramdex.build(written, folder, vocabulary)
    return Sides(gramdex.open(folder), of_bytes[1], CorpusText(wordy), FEW)


@needs_sdsl
@pytest.mark.parametrize(
    ("method", "lie", "section"),
    [
        ("count", lambda pattern, size: 0, "count of the same strings"),
        ("count_batch", lambda batch: batch.counts * 0, "count_batch"),
        ("locate", lambda rank: 0, "locate one"),
        ("locate_batch", lambda ranks: ranks * 0, "locate one"),
        ("extract", lambda start, size: b"?" * size, "extract"),
    ],
)
def test_a_wrong_answer_ends_the_benchmark(sides, method, lie, section):
    (case, *_) = [
        case
        for case in compressed_cases(sides, None)
        if case.section.startswith(section) and case.ways[0].call.__name__ == method
    ]
    assert run_case(case, FEW).peers[0].compared > 0
    with pytest.raises(GramdexError, match=section):
        run_case(replace(case, ways=[replace(case.ways[0], call=lie)]), FEW)


def test_agreement_counts_equals_and_refuses_fewer():
    agreement = Agreement()
    assert agreement.at_least((), 3, 3)
    assert agreement.at_least((), np.array([1, 2]), np.array([1, 5], np.uint64))
    assert (agreement.compared, agreement.equal) == (3, 2)
    assert not agreement.at_least((), np.array([1, 2]), np.array([1, 1], np.uint64))


def test_alone_on_bytes_with_pages_in_80_columns(written):
    options = (written, "--tokenizer", "bytes", "--no-peer", "--queries", 20, "--engine", "sa")
    printed = invoke("compressed", *options)
    assert max(map(len, printed.splitlines())) <= 80
    assert "No answers were compared" in printed
    assert "…" not in printed
    assert "Pages are of 4 KiB" in printed or "Pages were not counted" in printed


def test_a_peer_that_is_not_installed_is_named(wordy, pages_untold, monkeypatch):
    monkeypatch.setattr(sdsl, "_HEADERS", (Path("nowhere"),))
    result = run_compressed(wordy, None, CompressedSettings("sa", FEW))
    assert "libsdsl-dev" in result["peers"][0]["left_out"]
    assert set(result["sizes"]) == {"gramdex"}
    assert "9% of the pages stayed" in result["pages"]["failed"]
    assert not any(row["peers"] for section in result["sections"] for row in section["rows"])


def test_an_engine_that_there_is_not(written):
    with pytest.raises(UsageError, match="--engine: 'bwt'; expected sa"):
        invoke("compressed", written, "--tokenizer", "bytes", "--engine", "bwt")


# --- sizes and pages ------------------------------------------------------------------------


def test_parts_of_an_index_add_up(tmp_path):
    documents = [[1, 2, 3, 1, 2] * 5, [1, 2, 4] * 9, [300, 7]]
    folder = build_ids(tmp_path, documents, 1000, shard_tokens=30)
    parts = {part["file"]: part["bytes"] for part in components(folder)}
    assert len(gramdex.open(folder).shards) > 1
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(parts.values()) == sum(path.stat().st_size for path in files)
    assert {"tokens.gdx: tokens", "suffixes.gdx: suffixes", "headers"} <= set(parts)
    assert list(parts.values()) == sorted(parts.values(), reverse=True)


@pytest.fixture
def on_disk(tmp_path) -> Path:
    """An index whose pages can be dropped and counted."""
    generator = np.random.default_rng(0)
    documents = [generator.integers(0, 900, 4000).tolist() for _ in range(10)]
    folder = build_ids(tmp_path, documents, 1000)
    try:
        page_cache.resident_pages(folder)
    except OSError as error:
        pytest.skip(f"the system does not tell: {error}")
    if why := page_cache.make_cold(folder):
        pytest.skip(why)
    if not Path("/proc/self/maps").exists():
        pytest.skip("no list of maps")
    return folder


def test_mapped_pages_are_forgotten_and_read_again(on_disk):
    index = gramdex.open(on_disk)
    pattern = index.document(3).ids[:4]
    before = index.count(pattern)
    pages = page_touches._Pages(on_disk)
    assert pages.resident() > 0
    for advice in (mmap.MADV_NORMAL, mmap.MADV_RANDOM):
        page_cache.advise_mapped(on_disk, advice)
        pages.forget()
        assert pages.resident() == 0
        assert index.count(pattern) == before
        assert 0 < pages.resident() <= pages.total


def test_pages_that_queries_touch(on_disk, tmp_path):
    index = gramdex.open(on_disk)
    ids = index.document(3).ids[:8].tolist()
    asked = {
        "count": ["count", [[ids]] * 3],
        "batch": ["count_batch", [[[ids] * 4]]],
        "locate": ["locate", [[ids]] * 3],
        "prob": ["infgram_prob", [[ids[:-1], ids[-1]]]],
        "ntd": ["infgram_ntd", [[ids]]],
    }
    del index
    gc.collect()  # nothing may have the files mapped
    told = page_touches.measure_pages(on_disk, asked, tmp_path)
    assert told["index_pages"] == sum(
        -(-path.stat().st_size // mmap.PAGESIZE) for path in on_disk.rglob("*") if path.is_file()
    )
    assert set(told["kinds"]) == set(asked)
    assert 0 < told["opened"]["pages"] <= told["index_pages"]
    for name, of in told["kinds"].items():
        assert of["queries"] == len(asked[name][1])
        touched, read = of["pages_touched"], of["pages_read"]
        assert 0 < touched["p50"] <= touched["worst"] <= told["index_pages"]
        assert touched["p50"] <= read["p50"] <= told["index_pages"]
        assert of["first"]["pages"] >= touched["p50"]
        assert min(of["ms_read"]["p50"], of["limited_read"]["ms"], of["first"]["ms"]) > 0
    # One entry of the suffix array is one page; a search reads more.
    assert told["kinds"]["locate"]["pages_touched"]["worst"] == 1
    assert told["kinds"]["count"]["pages_touched"]["p50"] > 1


def test_no_more_than_a_share_stays_in_memory(on_disk):
    index = gramdex.open(on_disk)
    pages = page_touches._Pages(on_disk)
    pages.limit = 1
    pages.read_no_more_than_touched()
    queries = [(index.document(i).ids[:6],) for i in range(10)]
    of = page_touches._limited(pages, index.count, queries, "touched")["limited_touched"]
    assert of["evictions"] == 10
    assert pages.resident() == 0
