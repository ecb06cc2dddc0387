"""Every benchmark on a tiny corpus: what it reports, not how fast anything was."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import gramdex
from gramdex.errors import GramdexError, InputError, TokenizerError, UsageError
from gramdex.indexer.readers import ReadOptions
from gramdex.kernels import jit
from gramdex.tools.bench import queries, startup, timing
from gramdex.tools.bench.cases import Case
from gramdex.tools.bench.cli import app
from gramdex.tools.bench.corpus import Source, draw_patterns, load_corpus
from gramdex.tools.bench.figures import figure
from gramdex.tools.bench.peers import infini_gram, infini_gram_index
from gramdex.tools.bench.peers.interface import Way
from gramdex.tools.bench.queries import QuerySettings, run_case

needs_peer = pytest.mark.skipif(
    not infini_gram_index.available(), reason="infini-gram not installed"
)
RAW = ReadOptions(format="raw", dtype="uint16", separator_id=65535)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with tokens.u16 and held.u16 of documents that repeat themselves a little."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    for name, documents in (("tokens.u16", 30), ("held.u16", 4)):
        parts = []
        for _ in range(documents):
            words = generator.integers(300, 400, (20, 5))
            parts += [words[generator.zipf(1.5, 40) % 20].reshape(-1), [65535]]
        np.concatenate(parts).astype("<u2").tofile(folder / name)
    return folder


@pytest.fixture(autouse=True)
def kept_kernels(monkeypatch):
    """Kernels from the cache this run uses: compiling all of them anew takes long."""
    time_kernels = startup.time_kernels
    monkeypatch.setattr(queries, "time_kernels", lambda cache: time_kernels(jit._cache_root()))


def invoke(*arguments, terminal_width=80):
    result = CliRunner().invoke(
        app, list(map(str, arguments)), env={"COLUMNS": str(terminal_width)}
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def raw(folder, name="tokens.u16"):
    return ("--tokens", folder / name, "--dtype", "uint16", "--separator-id", 65535)


def quick(*arguments):
    return (*arguments, "--queries", 20, "--row-seconds", 0.1)


def peer_rows(result):
    rows = [row for section in result["sections"] for row in section["rows"]]
    return [(row, peer) for row in rows for peer in row["peers"]]


def assert_figures(percentiles):
    assert percentiles["p50"] > 0
    assert (percentiles["p90"] is None) == (percentiles["count"] < 10)
    assert (percentiles["p99"] is None) == (percentiles["count"] < 100)
    if percentiles["p90"] is not None:
        assert percentiles["p50"] <= percentiles["p90"]


# --- queries --------------------------------------------------------------------------------


@needs_peer
def test_queries_beside_the_peer(data):
    result = json.loads(
        invoke(
            "queries",
            *quick(*raw(data), "--held-out", data / "held.u16"),
            "--peers",
            "infini-gram",
            "--json",
        )
    )
    assert result["data"]["tokens"] == 30 * 200
    assert result["data"]["held_out_tokens"] == 4 * 200
    assert {peer["name"]: peer["left_out"] for peer in result["peers"]}["infini-gram"] == ""
    titles = " ".join(section["title"] for section in result["sections"])
    words = (
        "count, one",
        "count_batch",
        "probability",
        "distribution",
        "worst",
        "texts",
        "documents",
    )
    for word in words:
        assert word in titles
    for section in result["sections"]:
        for origin in ("corpus", "held-out") if "worst" not in section["title"] else ():
            assert any(row["label"].startswith(origin) for row in section["rows"])
        assert all(row["gramdex"]["count"] > 0 for row in section["rows"])
    for row, peer in peer_rows(result):
        assert_figures(row["gramdex"])
        assert_figures(peer["latency"])
        assert peer["ratio"] == pytest.approx(peer["latency"]["p50"] / peer["gramdex"]["p50"])
    exact = [peer for _, peer in peer_rows(result) if peer["name"] == "infini-gram"]
    assert all(peer["compared"] > 0 for peer in exact)
    assert set(result["bytes_per_token"]) >= {"gramdex", "infini-gram"}
    assert result["kernels"]["compile_seconds"] > 0


def test_queries_alone_on_a_given_index_fit_80_columns(data, tmp_path):
    gramdex.build(data / "tokens.u16", tmp_path / "i.gdx", None, read=RAW)
    printed = invoke("queries", *quick(*raw(data)), "--no-peer", "--index", tmp_path / "i.gdx")
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    assert "No answers were compared" in printed


def test_an_index_of_other_tokens_is_refused(data, tmp_path):
    gramdex.build(data / "held.u16", tmp_path / "i.gdx", None, read=RAW)
    with pytest.raises(UsageError, match="the same 6,000 tokens"):
        invoke("queries", *quick(*raw(data)), "--no-peer", "--index", tmp_path / "i.gdx")


def test_a_wrong_answer_stops_the_benchmark():
    way = Way("peer", lambda x: x + (x == 7), same=lambda query, ours, theirs: ours == theirs)
    numbers = [(x,) for x in range(10)]
    settings = QuerySettings(queries=10, rounds=1)
    with pytest.raises(GramdexError, match=r"\(7,\).*gramdex says 7, peer 8"):
        run_case(Case("sums", "all", "asked", lambda x: x, numbers, [way]), settings)
    row = run_case(Case("sums", "few", "asked", lambda x: x, numbers[:7], [way]), settings)
    assert (row.peers[0].compared, row.gramdex.count) == (7, 7)


def test_an_engine_that_changes_its_queries_is_found_out():
    def count(query):
        query[0] += 1
        return query[0]

    way = Way("peer", lambda query: 1, same=lambda query, ours, theirs: ours == theirs)
    case = Case("counts", "all", "asked", count, [([0],)], [way])
    with pytest.raises(GramdexError, match="gramdex says"):
        run_case(case, QuerySettings(queries=1))


def test_queries_the_peer_cannot_take_are_counted():
    way = Way("peer", lambda x: x, takes=lambda answer: answer % 2 == 0)
    case = Case("sums", "all", "asked", lambda x: x, [(x,) for x in range(9)], [way])
    (peer,) = run_case(case, QuerySettings(queries=9, rounds=1)).peers
    assert (peer.latency.count, peer.refused, peer.compared) == (5, 4, 0)


# --- build ----------------------------------------------------------------------------------


@needs_peer
def test_build_beside_the_peer(data):
    options = (*raw(data), "--runs", 2, "--peers", "infini-gram", "--json")
    result = json.loads(invoke("build", *options))
    runs = result["runs"]
    assert len(runs["gramdex"]) == len(runs["infini-gram"]) == 2
    for name, ratio in result["ratios"]["infini-gram"].items():
        pairs = [
            theirs[name] / ours[name]
            for ours, theirs in zip(runs["gramdex"], runs["infini-gram"], strict=True)
        ]
        better = 1 / np.array(pairs) if name == "tokens_per_cpu_second" else pairs
        assert ratio["median"] == pytest.approx(np.median(better))
        median = result["engines"]["gramdex"][name]["median"]
        assert median == pytest.approx(np.median([run[name] for run in runs["gramdex"]]))
    for run in runs["gramdex"]:
        assert run["tokens_per_cpu_second"] == pytest.approx(6000 / run["cpu_seconds"])
        assert run["process_wall_seconds"] >= run["wall_seconds"]
    assert result["bytes_per_token"]["gramdex"]["tokens.gdx"] > 2
    assert result["bytes_per_token"]["infini-gram"]["table.0"] >= 2


def test_a_wide_build_has_no_peer_and_states_its_plan(data):
    printed = invoke("build", *raw(data), "--runs", 1, "--widen", "--no-peer")
    assert "32-bit tokens" in " ".join(printed.split())
    assert "Planned by gramdex, at most" in printed
    assert max(map(len, printed.splitlines())) <= 80


# --- startup --------------------------------------------------------------------------------


def test_startup():
    result = json.loads(invoke("startup", "--processes", 1, "--json"))
    assert set(result["seconds"]) == {"python -c pass", "import gramdex", "first count"}
    warm = result["seconds"]["first count"]
    assert 0 < warm["median"] < result["first_count_cold_kernels_seconds"]


# --- data -----------------------------------------------------------------------------------


def test_missing_data_says_how_to_get_it(tmp_path):
    with pytest.raises(InputError, match="gramdex bench prepare"):
        invoke("queries", "--tokens", tmp_path / "none.u16", "--dtype", "uint16")
    with pytest.raises(UsageError, match="gramdex bench prepare"):
        invoke("build")


def test_text_without_a_tokenizer_says_what_to_give(tmp_path):
    (tmp_path / "corpus.jsonl").write_text('{"text": "abc"}\n')
    with pytest.raises(TokenizerError, match=r"corpus\.jsonl.* is text.*--tokenizer bytes"):
        invoke("sort", tmp_path / "corpus.jsonl")


def test_prepare_makes_what_the_others_read(tmp_path):
    pytest.importorskip("tokenizers")
    sources = tmp_path / "sources"
    sources.mkdir()
    generator = random.Random(0)
    for n in range(70):
        lines = (f"int value_{generator.randrange(99)} = {n};\n" for _ in range(20))
        (sources / f"file{n}.c").write_text("".join(lines))
    (sources / "latin.c").write_bytes(b"\xff\xfe")
    options = ("--size", "4kB", "--held-out-size", "1kB", "--vocabulary", 300, "--json")
    for folder in ("one", "two"):
        written = json.loads(invoke("prepare", sources, tmp_path / folder, *options))
    for name in ("corpus.jsonl", "held_out.jsonl", "tokenizer.json", "tokens.u16"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    folder = tmp_path / "one"
    ids = load_corpus(Source([folder / "tokens.u16"], None, RAW), 10**6)
    text = load_corpus(
        Source([folder / "corpus.jsonl"], folder / "tokenizer.json", ReadOptions()), 10**6
    )
    np.testing.assert_array_equal(ids.ids, text.ids)
    np.testing.assert_array_equal(ids.lengths, text.lengths)
    assert ids.ids.size + ids.lengths.size == written["items"]
    names = [
        {json.loads(line)["path"] for line in (folder / name).read_text().splitlines()}
        for name in ("corpus.jsonl", "held_out.jsonl")
    ]
    assert names[1]
    assert not names[0] & names[1]


def test_a_corpus_is_cut_inside_a_document(data):
    corpus = load_corpus(Source([data / "tokens.u16"], None, RAW), 450)
    assert corpus.lengths.tolist() == [200, 200, 50]
    assert corpus.ids.size == 450
    assert corpus.last_document == corpus.ids[400:].tolist()
    whole = load_corpus(Source([data / "tokens.u16"], None, RAW), 400)
    assert whole.lengths.tolist() == [200, 200]


def test_patterns_stand_in_one_document():
    corpus = load_corpus_of([[1, 2, 3], [], [4], [5, 6, 7, 8]])
    drawn = {tuple(pattern) for pattern in draw_patterns(corpus, 3, 200, 0).tolist()}
    assert drawn == {(1, 2, 3), (5, 6, 7), (6, 7, 8)}
    assert {n for (n,) in draw_patterns(corpus, 1, 500, 0).tolist()} == {1, 2, 3, 4, 5, 6, 7, 8}
    with pytest.raises(UsageError, match="no document of 5 tokens"):
        draw_patterns(corpus, 5, 1, 0)


def test_widening_merges_no_two_ids():
    corpus = load_corpus_of([[5, 7, 5, 7, 5], [7, 5, 7, 9]])
    wide = corpus.widened()
    assert (wide.width, wide.vocabulary_size) == (4, 40)
    assert (wide.ids % 10).tolist() == corpus.ids.tolist()
    # What follows the same token is the same variant; the start of a document follows 0.
    assert wide.ids[1] == wide.ids[3]
    variant = [((p * 2654435761) % 2**32) >> 30 for p in (0, 5, 7, 5, 7, 0, 7, 5, 7)]
    assert (wide.ids // 10).tolist() == variant
    with pytest.raises(UsageError, match="--widen"):
        replace(corpus, vocabulary_size=1 << 31).widened()


def test_a_prefix_is_what_reading_less_would_be(data):
    corpus = load_corpus(Source([data / "tokens.u16"], None, RAW), 10**6)
    for size in (1, 200, 450, 6000, 10**6):
        cut = corpus.prefix(size)
        read = load_corpus(Source([data / "tokens.u16"], None, RAW), size)
        assert cut.ids.tolist() == read.ids.tolist()
        assert cut.lengths.tolist() == read.lengths.tolist()


def test_symbols_are_ids_and_separators():
    corpus = load_corpus_of([[1, 2], [], [3]])
    assert corpus.symbols().tolist() == [2, 3, 0, 0, 4, 0]
    assert corpus.symbols().dtype == np.uint16
    assert load_corpus_of([[1, 2, 2], [3, 3, 3]]).frequent(2) == [3, 2]


def test_long_documents_are_left_out():
    corpus = load_corpus_of([[1, 2], [], [3, 4, 5], [6]]).without_long(2)
    assert (corpus.ids.tolist(), corpus.lengths.tolist()) == ([1, 2, 6], [2, 0, 1])
    with pytest.raises(UsageError, match="--max-document"):
        load_corpus_of([[1, 2]]).without_long(1)


def load_corpus_of(documents):
    from gramdex.tools.bench.corpus import Corpus

    ids = np.array([token for document in documents for token in document], np.uint16)
    lengths = np.array([len(document) for document in documents])
    return Corpus(ids, lengths, "made up", None, int(ids.max()) + 1)


def test_the_end_token_is_one_the_corpus_does_not_use():
    assert infini_gram.unused_id(load_corpus_of([[1, 65532, 65534, 65533]])) == 65531
    assert infini_gram.unused_id(load_corpus_of([[0, 1]])) == 65534


# --- stopwatches ----------------------------------------------------------------------------


def test_percentiles_and_spread():
    of = timing.percentiles(range(1, 102))
    assert (of.p50, of.p90, of.p99, of.count) == (51, 91, 100, 101)
    few = timing.percentiles([3, 1, 2])
    assert (few.p50, few.p90, few.p99) == (2, None, None)
    assert timing.spread([3.0, 1.0, 2.0]) == timing.Spread(2.0, 1.0, 3.0, 3)


def test_a_query_counts_with_the_median_of_its_rounds():
    asked = []
    times = timing.time_calls(asked.append, [(1,), (2,)], 3)
    assert asked == [1, 2] * 3
    assert times.shape == (3, 2)
    of = timing.percentiles([[1, 5], [2, 9], [3, 7]])
    assert (of.p50, of.worst, of.rounds["worst"]) == (4.5, 7, [5, 9, 7])


def test_children_are_billed():
    with timing.children_usage() as usage:
        timing.run_python("-c", "sum(range(3_000_000))")
    assert usage.cpu_seconds > 0
    assert usage.wall_seconds > 0
    with pytest.raises(GramdexError, match="no such luck"):
        timing.run_python("-c", "raise SystemExit('no such luck')")
    assert timing.peak_memory() > 1 << 20


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123, "0.0123"),
        (4.5678, "4.57"),
        (12.0, "12.0"),
        (123.4, "123"),
        (12345.6, "12,300"),
        (999.9, "1,000"),
    ],
)
def test_three_digits(value, text):
    assert figure(value) == text
