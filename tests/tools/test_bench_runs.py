"""Whole benchmarks on a tiny corpus: from disk, everything in one run, threads, sizes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from benching import invoke, raw

import gramdex
from gramdex.errors import GramdexError, InputError, UsageError
from gramdex.tools.bench import cold, full, page_cache, plots, queries, threads, timing
from gramdex.tools.bench.builds import temporary_builds
from gramdex.tools.bench.cold import run_cold
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.full import FullSettings, run_all
from gramdex.tools.bench.peers import registry
from gramdex.tools.bench.peers.ours import GramdexBuilder
from gramdex.tools.bench.queries import QuerySettings
from gramdex.tools.bench.report import print_report
from gramdex.tools.bench.summary import summarize

needs_matplotlib = pytest.mark.skipif(
    bool(plots.missing()), reason=f"matplotlib: {plots.missing()}"
)


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


def test_an_index_that_comes_back_into_memory_is_not_measured(corpus, monkeypatch):
    """The second time, when the first run is about to be timed."""
    said = iter(["", "9% of the pages stayed"])
    monkeypatch.setattr(page_cache, "make_cold", lambda folder: next(said))
    with (
        temporary_builds(corpus, []) as builds,
        pytest.raises(GramdexError, match=r"gramdex's index on disk: 9%.*Remedy"),
    ):
        run_cold(builds, 1)


def test_a_count_from_disk_that_differs_is_named(corpus, monkeypatch):
    counts = iter([[5] * 100, [5] * 7 + [6] * 93])
    monkeypatch.setattr(page_cache, "make_cold", lambda folder: "")
    monkeypatch.setattr(
        cold, "in_child", lambda job: {"answers": next(counts), "queries": job["queries"]}
    )
    with (
        temporary_builds(corpus, []) as builds,
        pytest.raises(GramdexError, match=r"of \[3.*gramdex counts 5, gramdex 6.*Remedy"),
    ):
        run_cold(builds, 2)


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
    with pytest.raises(UsageError, match="'bild', 'x'; expected some of sort, sort_wide, build"):
        invoke("all", *raw(tokens), "--parts", "bild,sort,x")
    with pytest.raises(UsageError, match="--parts: ''; expected"):
        invoke("all", *raw(tokens), "--parts", "")
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


def test_threads_build_shards_that_split_documents(tmp_path):
    """A document longer than a shard becomes parts, which are documents of the index."""
    ids = np.tile(np.arange(50, dtype=np.uint16), 40)
    corpus = Corpus(ids, np.array([1990, 10]), "one long document", None, 50)
    builder = GramdexBuilder(corpus, tmp_path, threads.SHARDS)
    builder.run()
    index = gramdex.open(builder.folder)
    assert index.token_count == 2000
    assert index.document_count > 2


@pytest.mark.parametrize("shards", [1, 4])
def test_an_index_of_other_amounts_is_refused(corpus, tmp_path, shards):
    builder = GramdexBuilder(corpus, tmp_path, shards)
    builder.corpus = corpus.prefix(450)
    with pytest.raises(GramdexError, match=r"6,000 tokens in 3\d documents.*450 .*in 3 .*Remedy"):
        builder.run()


def test_a_part_that_fails_loses_no_other(tokens, monkeypatch, capsys):
    def failing(builds, runs, say):
        raise GramdexError("the part threads", "has failed", "luck", "try again")

    monkeypatch.setattr(full, "run_threads", failing)
    options = (*raw(tokens), "--no-peer", "--runs", 1, "--parts", "threads,sort")
    result = json.loads(invoke("all", *options, "--json", exit_code=1))
    why = "the part threads: has failed; expected luck. Remedy: try again"
    assert result["parts"]["threads"] == {"failed": why}
    assert result["parts"]["sort"]["bench"] == "sort"
    assert "All suffix arrays were equal." not in result["parts"]["sort"]["notes"]
    print_report(result)
    printed = capsys.readouterr().out
    assert "sort, 16-bit, one core" in printed
    assert "failed: threads" in printed
    assert why in printed


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


def test_a_result_of_sizes_that_lacks_something_says_what(measured, tmp_path):
    path = tmp_path / "bad.json"
    path.write_text('{"bench": "sizes", "points": [{"a": 1}]}')
    names = r"without machine, versions, data, settings, notes, points\[0\].tokens, points\[0\]"
    with pytest.raises(InputError, match=names + ".*--json > FILE first"):
        invoke("sizes", "--from", path)
    whole = json.loads(measured.read_text())
    for part, found in ({"points": []}, "points"), ({"data": {}}, "data.name, data.tokens"):
        path.write_text(json.dumps(whole | part))
        with pytest.raises(InputError, match=f"without {found}"):
            invoke("sizes", "--from", path)


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
        with pytest.raises(InputError, match="Remedy: run gramdex bench sizes --json > FILE first"):
            invoke("sizes", "--from", tmp_path / name)
    with pytest.raises(UsageError, match="--sizes: '0'; expected at least 1"):
        invoke("sizes", "--tokens", "none.u16", "--sizes", "0,1k")
    monkeypatch.setattr(plots, "missing", lambda: "")
    with pytest.raises(UsageError, match="--plots /dev/null/x: cannot be made: Not a directory"):
        invoke("sizes", "--tokens", "none.u16", "--plots", "/dev/null/x")
    monkeypatch.setattr(plots, "missing", lambda: "matplotlib is not installed")
    with pytest.raises(UsageError, match=r"gramdex\[plots\]"):
        invoke("sizes", *raw(tokens), "--plots", tmp_path / "plots")
    assert not (tmp_path / "plots").exists()
