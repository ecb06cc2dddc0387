"""Benchmarks of all engines on a tiny corpus: structure, equality checks, what takes no part."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from benching import invoke, raw

from gramdex.errors import GramdexError, UsageError
from gramdex.indexer.suffix_sort import SORTERS, suffix_array
from gramdex.tools.bench import sorts
from gramdex.tools.bench.builds import temporary_builds
from gramdex.tools.bench.peers import registry, sdsl
from gramdex.tools.bench.peers.divsufsort import Divsufsort
from gramdex.tools.bench.peers.interface import WORKS, Engine, Opened, Sorting, Way
from gramdex.tools.bench.peers.ours import Gramdex
from gramdex.tools.bench.peers.sdsl import Sdsl
from gramdex.tools.bench.queries import QuerySettings, run_queries

SDSL_MISSING = Sdsl().missing()
needs_sdsl = pytest.mark.skipif(bool(SDSL_MISSING), reason=f"SDSL: {SDSL_MISSING}")


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
    assert "All suffix arrays were equal." in result["notes"]
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
