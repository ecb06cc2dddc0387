"""Benchmarks of all engines on a tiny corpus: structure, equality checks, what takes no part."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from typer.testing import CliRunner

from gramdex.errors import GramdexError, InputError, UsageError
from gramdex.indexer.readers import ReadOptions
from gramdex.indexer.suffix_sort import SORTERS, suffix_array
from gramdex.tools.bench import page_cache, plots, queries, sorts, threads, timing
from gramdex.tools.bench.builds import temporary_builds
from gramdex.tools.bench.cli import app
from gramdex.tools.bench.cold import run_cold
from gramdex.tools.bench.corpus import Corpus, Source, load_corpus
from gramdex.tools.bench.full import FullSettings, run_all
from gramdex.tools.bench.peers import registry, sdsl
from gramdex.tools.bench.peers.divsufsort import Divsufsort
from gramdex.tools.bench.peers.interface import WORKS, Engine, Opened, Sorting, Way
from gramdex.tools.bench.peers.ours import Gramdex
from gramdex.tools.bench.peers.sdsl import Sdsl
from gramdex.tools.bench.queries import QuerySettings, run_queries
from gramdex.tools.bench.summary import summarize

RAW = ReadOptions(format="raw", dtype="uint16", separator_id=65535)
SDSL_MISSING = Sdsl().missing()
needs_sdsl = pytest.mark.skipif(bool(SDSL_MISSING), reason=f"SDSL: {SDSL_MISSING}")
needs_matplotlib = pytest.mark.skipif(
    bool(plots.missing()), reason=f"matplotlib: {plots.missing()}"
)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory) -> Path:
    """A file of raw ids: documents that repeat themselves a little."""
    generator = np.random.default_rng(0)
    parts = []
    for _ in range(30):
        words = generator.integers(300, 400, (20, 5))
        parts += [words[generator.zipf(1.5, 40) % 20].reshape(-1), [65535]]
    path = tmp_path_factory.mktemp("data") / "tokens.u16"
    np.concatenate(parts).astype("<u2").tofile(path)
    return path


@pytest.fixture
def corpus(tokens) -> Corpus:
    return load_corpus(Source([tokens], None, RAW), 10**6)


def invoke(*arguments, width=80):
    result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": str(width)})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def raw(path):
    return ("--tokens", path, "--dtype", "uint16", "--separator-id", 65535)


class Liar(Engine):
    """A peer that is wrong about one pattern in a hundred, and sorts backwards."""

    name = "liar"
    cannot = MappingProxyType({"build": "it lies only about answers", "cold": "it has no files"})

    def version(self):
        return "1"

    def missing(self):
        return ""

    def sorting(self, text):
        return Backwards(text)

    def builder(self, corpus, work):
        return Gramdex().builder(corpus, work)

    def open(self, corpus, folder):
        return OpenLiar()


class Backwards(Sorting):
    def __init__(self, text):
        self.text = text

    def run(self):
        self.found = suffix_array(self.text)[::-1]

    def positions(self):
        return self.found


class OpenLiar(Opened):
    def count(self, asked):
        return [Way("liar", lambda ids: -1, same=lambda query, ours, theirs: ours == theirs)]


# --- the interface --------------------------------------------------------------------------


@pytest.mark.parametrize("engine", [registry.GRAMDEX, *registry.PEERS], ids=lambda e: e.name)
def test_every_engine_says_what_it_can_do(engine, corpus):
    assert set(engine.cannot) < set(WORKS)
    assert engine.version() or engine.missing()
    assert registry.find_engine(engine.name) is engine
    for work, why in engine.cannot.items():
        assert engine.refuses(work, corpus) == (engine.missing() or why)


def test_peers_are_chosen_by_name():
    assert [peer.name for peer in registry.choose_peers("divsufsort")] == ["divsufsort"]
    for names in ("nobody", "gramdex"):
        with pytest.raises(UsageError, match="infini-gram, divsufsort, sdsl"):
            registry.choose_peers(names)


def test_a_peer_that_is_not_installed_is_named_with_the_remedy(corpus, monkeypatch):
    monkeypatch.setattr(sdsl, "_HEADERS", (Path("nowhere"),))
    assert "sdsl" not in [peer.name for peer in registry.choose_peers(None)]
    with pytest.raises(UsageError, match="apt install libsdsl-dev"):
        registry.choose_peers("sdsl")
    told = {peer["name"]: peer for peer in registry.describe_peers([], "sort", corpus)}
    assert "libsdsl-dev" in told["sdsl"]["left_out"]
    assert told["divsufsort"]["left_out"] == "not asked for"
    assert "build" in told["infini-gram"]["left_out"]


def test_wide_tokens_are_refused_by_name(corpus):
    infini_gram = registry.find_engine("infini-gram")
    if not infini_gram.missing():
        assert "32-bit" in infini_gram.refuses("build", corpus.widened())


# --- sorting --------------------------------------------------------------------------------


@pytest.mark.parametrize("sorter", SORTERS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_sorters_sort(sorter, dtype):
    text = np.random.default_rng(0).integers(0, 5, 300).astype(dtype)
    expected = sorted(range(300), key=lambda i: text[i:].tolist())
    assert suffix_array(text, sorter).tolist() == expected
    with pytest.raises(ValueError, match="induced, divsufsort"):
        suffix_array(text, "bogo")


def test_sorts_of_all_engines_are_equal(tokens):
    result = json.loads(invoke("sort", *raw(tokens), "--runs", 1, "--widen", "--json"))
    names = {"gramdex", "divsufsort"} | (set() if SDSL_MISSING else {"sdsl"})
    assert set(result["engines"]) == names
    assert set(result["ratios"]) == names - {"gramdex"}
    assert result["settings"]["tokens"] == 30 * 201
    assert result["data"]["bytes_per_token"] == 4
    for runs in result["runs"].values():
        for run in runs:
            assert run["tokens_per_cpu_second"] == pytest.approx(30 * 201 / run["cpu_seconds"])
            assert run["peak_rss_bytes"] > run["peak_above_empty_bytes"] >= 0
    assert result["kernels"]["compile_seconds"] > 0


def test_a_sorter_that_lies_is_found_out(corpus, monkeypatch):
    said = {}

    def child(job, cache, threads):
        engine = {"gramdex": Divsufsort(), "liar": Liar()}[job["engine"]]
        sorting = engine.sorting(np.fromfile(job["text"], job["dtype"]))
        sorting.run()
        if job["output"]:
            sorting.positions().astype(np.uint32).tofile(job["output"])
        said[job["engine"]] = threads
        return dict.fromkeys(("wall_seconds", "cpu_seconds", "peak_rss_bytes", "load_seconds"), 1.0)

    monkeypatch.setattr(sorts, "in_child", child)
    with pytest.raises(GramdexError, match="the suffix array of liar"):
        sorts.run_sorts(corpus, [Liar()], 1)
    assert said == {"gramdex": 1, "liar": 1}


# --- answers --------------------------------------------------------------------------------


def test_a_peer_that_lies_is_found_out(corpus):
    settings = QuerySettings(20, 1, 0.1, 0, ("count",))
    with (
        temporary_builds(corpus, [Liar()]) as builds,
        pytest.raises(GramdexError, match=r"gramdex says \d+, liar -1"),
    ):
        run_queries(builds, None, settings)


@needs_sdsl
def test_sdsl_answers_as_gramdex_does(corpus):
    settings = QuerySettings(100, 2, 5.0, 0, ("count", "count_batch", "locate"))
    with temporary_builds(corpus, [Sdsl()]) as builds:
        result = run_queries(builds, None, settings)
        assert builds.bytes_per_token()["sdsl"]["index.sdsl"] > 1
    rows = [row for section in result["sections"] for row in section["rows"]]
    assert len(rows) == 4 + 8 + 1
    for row in rows:
        (peer,) = row["peers"]
        assert peer["name"] == "sdsl"
        assert peer["compared"] > 0
        assert len(peer["latency"]["rounds"]["p50"]) == 2


@needs_sdsl
def test_a_driver_that_does_not_compile_says_why(monkeypatch, tmp_path):
    (tmp_path / "driver.cpp").write_text("int main() { return undeclared; }")
    monkeypatch.setattr(sdsl, "DRIVER", tmp_path / "driver.cpp")
    with pytest.raises(GramdexError, match="undeclared"):
        sdsl._compile()


@needs_sdsl
def test_an_index_that_sdsl_cannot_read_is_an_error(tmp_path, corpus):
    with pytest.raises(GramdexError, match="SDSL"):
        Sdsl().open(corpus, tmp_path)


# --- pages ----------------------------------------------------------------------------------


def test_pages_are_told_and_dropped(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    (tmp_path / "empty").touch()
    try:
        assert page_cache.resident_share(tmp_path) == 1
    except OSError as error:
        pytest.skip(f"the system does not tell: {error}")
    if why := page_cache.make_cold(tmp_path):
        pytest.skip(why)  # such as a file system in memory
    assert page_cache.resident_share(tmp_path) == 0


def test_an_index_that_stays_warm_is_not_measured(corpus, monkeypatch):
    monkeypatch.setattr(page_cache, "make_cold", lambda folder: "9% of the pages stayed")
    with temporary_builds(corpus, []) as builds:
        result = run_cold(builds, 1)
    assert result["could_not_be_made_cold"] == {"gramdex": "9% of the pages stayed"}
    assert result["rows"] == []


# --- everything -----------------------------------------------------------------------------


@pytest.fixture
def kept_kernels(monkeypatch):
    """Kernels are compiled by tests of their own."""
    seconds = {"compile_seconds": 1.0, "load_seconds": 0.1}
    monkeypatch.setattr(queries, "time_kernels", lambda cache: seconds)


def test_all_parts_in_one_run_and_printed(corpus, kept_kernels, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    settings = FullSettings(("cold", "sort", "build", "queries"), 1, QuerySettings(20, 2, 0.1))
    peers = registry.choose_peers("divsufsort")
    result = json.loads(json.dumps(run_all(corpus, None, peers, settings)))
    assert list(result["parts"]) == ["sort", "build", "queries", "cold"]
    assert [part["bench"] for part in result["parts"].values()] == list(result["parts"])
    works = [row["work"] for row in result["summary"]]
    assert works[:2] == ["build, 16-bit", "sort, 16-bit, one core"]
    for word in ("count, one call", "count_batch", "∞-gram distribution", "worst"):
        assert any(word in work for work in works), word
    for row in result["summary"]:
        first, *others = row["lines"]
        assert first["ratio"] is None
        assert first["figure"]["low"] <= first["figure"]["median"] <= first["figure"]["high"]
        assert all(line["ratio"]["median"] > 0 for line in others if line["ratio"])
    from gramdex.tools.bench.report import print_report

    print_report(result)
    printed = capsys.readouterr().out
    summary = printed[printed.index("summary:") : printed.index("sort, 16-bit tokens")]
    assert max(map(len, summary.splitlines())) <= 66
    assert not re.search(r"\w…", printed)  # nothing is cut, whatever the width
    assert printed.index("summary:") < printed.index("sort, 16-bit tokens")


def test_a_summary_of_nothing_is_empty():
    assert summarize({}) == []


def test_a_summary_says_where_a_peer_was_asked_less():
    def latency(count):
        taken = np.full((2, count), 10.0 / count)
        return asdict(timing.percentiles(taken))

    peer = {"name": "slow", "latency": latency(5), "gramdex": latency(10)}
    row = {"label": "corpus", "gramdex": latency(200), "peers": [peer]}
    section = {"title": "∞-gram distribution", "unit": "µs", "rows": [row]}
    median, tail = summarize({"queries": {"sections": [section]}})
    assert median["lines"][1]["note"] == tail["lines"][1]["note"] == "5 of 200 queries"
    assert median["lines"][1]["ratio"]["median"] == 2
    assert tail["lines"][1]["figure"] is None


def test_wrong_input_to_all(tokens):
    with pytest.raises(UsageError, match="sort, sort_wide, build"):
        invoke("all", *raw(tokens), "--parts", "sort,bild")
    with pytest.raises(UsageError, match="one of the two"):
        invoke("all", *raw(tokens), "--no-peer", "--peers", "sdsl")
    with pytest.raises(InputError, match="gramdex bench prepare"):
        invoke("all", "--tokens", "none.u16", "--dtype", "uint16")


def test_threads_do_each_work_both_ways(corpus, monkeypatch):
    monkeypatch.setattr(threads, "PATTERNS", 100)
    monkeypatch.setattr(threads, "TEXTS", 50)
    with temporary_builds(corpus, []) as builds:
        rows = threads.run_threads(builds, 1)["rows"]
    assert [row["label"].split()[0] for row in rows] == [
        "build",
        "count_batch",
        "match",
        "infgram_scores",
    ]
    for row in rows:
        assert [name.partition(" ")[2] for name in row["engines"]] == ["at a time"] * 2


def test_an_interrupted_run_leaves_nothing(tokens, tmp_path):
    code = (
        "import sys, os, signal\n"
        "from gramdex.tools.bench import measured, timing\n"
        "run = timing.run_python\n"
        "def stop(*arguments, **options):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return run(*arguments, **options)\n"
        "timing.run_python = stop\n"
        "from gramdex.tools.cli import run as main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    arguments = ["bench", "sort", *map(str, raw(tokens)), "--peers", "divsufsort"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(Path.home())},
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("gramdex-*"))


# --- sizes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(tokens, tmp_path_factory) -> Path:
    """What ``sizes`` prints of two sizes, with the peers up to the first."""
    options = ("--sizes", "2k,6k,1M", "--peer-limit", "2k", "--queries", 20, "--row-seconds", 0.1)
    path = tmp_path_factory.mktemp("sizes") / "sizes.json"
    peers = () if not registry.find_engine("infini-gram").missing() else ("--no-peer",)
    peers = peers or ("--peers", "infini-gram")
    path.write_text(invoke("sizes", *raw(tokens), *options, *peers, "--json"))
    return path


def test_sizes_are_measured_as_far_as_the_corpus_goes(measured):
    result = json.loads(measured.read_text())
    assert result["settings"]["sizes"] == [2000, 6000]
    own = [point for point in result["points"] if point["engine"] == "gramdex"]
    assert [point["tokens"] for point in own] == [2000, 6000]
    for point in own:
        assert point["build_cpu_seconds"] > 0
        assert point["count_p50"] > 0
        assert point["distribution_p99"] is None  # of one query
    others = {point["tokens"] for point in result["points"] if point["engine"] != "gramdex"}
    assert others <= {2000}
    notes = " ".join(result["notes"])
    assert "up to 2,000 tokens" in notes
    assert "Larger than the corpus: 1,000,000" in notes


@needs_matplotlib
def test_sizes_are_drawn_from_what_was_measured(measured, tmp_path):
    printed = invoke("sizes", "--from", measured, "--plots", tmp_path / "one")
    assert "cost against corpus size" in printed
    assert max(map(len, printed.splitlines())) <= 80
    invoke("sizes", "--from", measured, "--plots", tmp_path / "two", "--json")
    drawn = sorted(path.name for path in (tmp_path / "one").iterdir())
    names = ("build-time", "count", "count-batch", "distribution", "peak-memory")
    assert drawn == sorted(f"{name}.{kind}" for name in names for kind in ("png", "svg"))
    for name in drawn:
        content = (tmp_path / "one" / name).read_bytes()
        assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
        assert content == (tmp_path / "two" / name).read_bytes()


def test_names_of_lines_keep_apart():
    placed = plots._spaced(np.array([0.0, 1.0, 2.0, 100.0]))
    assert (np.diff(placed) > 14).all()
    assert placed[3] == 100
    assert placed[:3].mean() == pytest.approx(1.0, abs=0.5)


def test_wrong_input_to_sizes(tokens, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="none up to 6,000 tokens"):
        invoke("sizes", *raw(tokens), "--sizes", "1M", "--no-peer")
    (tmp_path / "other.json").write_text('{"bench": "sort"}')
    (tmp_path / "torn.json").write_text("{")
    for name in ("other.json", "torn.json", "none.json"):
        with pytest.raises(InputError, match="gramdex bench sizes --json"):
            invoke("sizes", "--from", tmp_path / name)
    monkeypatch.setattr(plots, "missing", lambda: "matplotlib is not installed")
    with pytest.raises(UsageError, match=r"gramdex\[plots\]"):
        invoke("sizes", *raw(tokens), "--plots", tmp_path / "plots")
    assert not (tmp_path / "plots").exists()
