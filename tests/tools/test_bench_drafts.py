"""``gramdex bench draft``: figures of a text whose drafts are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benching import invoke
from building import open_ids

from gramdex.errors import UsageError
from gramdex.tools.bench import drafts
from gramdex.tools.bench.drafts import DraftSettings, Stretch, draw_stretches, read_nodes, replay


@pytest.fixture
def texts(tmp_path: Path) -> tuple[Path, Path]:
    """An index of a text, and the same text as ids to draft for."""
    rng = np.random.default_rng(1)
    documents = [rng.integers(0, 50, 300).tolist() for _ in range(4)]
    (index,) = open_ids(tmp_path, documents, 50).folders
    np.save(tmp_path / "held.npy", np.array([*documents[1], 50, *documents[2], 50], np.uint32))
    return index, tmp_path / "held.npy"


def test_bench_draft(texts: tuple[Path, Path]) -> None:
    index, held_out = texts
    options = ("draft", index, "--held-out", held_out, "--separator-id", 50, "--count", 300)
    result = json.loads(invoke(*options, "--nodes", "2,16", "--rounds", 2, "--json"))
    assert result["data"]["tokens"] == 1200
    assert result["data"]["engines"] == ["sa"]
    small, large = result["rows"]
    assert (small["nodes"], large["nodes"]) == (2, 16)
    assert large["accepted"] > small["accepted"] > 0.5
    assert large["steps"] < small["steps"]
    for row in result["rows"]:
        assert row["draft"]["p50"] > 0
        assert row["draft"]["count"] == result["data"]["held_out_tokens"]
        assert 0 < row["accepted"] <= row["drafted"] <= row["nodes"]
        assert 0 < row["expected"] <= row["drafted"]
    printed = invoke(*options, "--nodes", "4", "--rounds", 1, width=100)
    assert "accepted" in printed


def test_replay_accepts_what_the_corpus_says(tmp_path: Path) -> None:
    document = list(range(100))
    index = open_ids(tmp_path, [document, [200, 201]], 300)
    known = Stretch(np.array(document[:10]), np.array(document[10:60]))
    assert replay(index, [known], 9) == {
        "steps": 5, "accepted": 9.0, "expected": 9.0, "drafted": 9.0,
    }  # fmt: skip
    foreign = Stretch(np.array([], np.int64), np.array([250, 251, 252]))
    assert replay(index, [foreign], 4)["accepted"] == 0


def test_stretches_are_parts_of_documents(texts: tuple[Path, Path]) -> None:
    from gramdex.indexer.readers import ReadOptions
    from gramdex.tools.bench.corpus import Source, load_corpus

    corpus = load_corpus(Source([texts[1]], None, ReadOptions(separator_id=50)), 10_000)
    stretches = draw_stretches(corpus, DraftSettings(tokens=drafts.STRETCH * 20))
    assert len(stretches) == 20
    documents = [corpus.ids[:300].tolist(), corpus.ids[300:].tolist()]
    for stretch in stretches:
        whole = [*stretch.before.tolist(), *stretch.text.tolist()]
        assert any(document[: len(whole)] == whole for document in documents)
        assert stretch.text.size


@pytest.mark.parametrize("text", ["", "0", "8,", "a", "4097", "-1", "1.5"])
def test_sizes_of_trees_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--nodes"):
        read_nodes(text)
