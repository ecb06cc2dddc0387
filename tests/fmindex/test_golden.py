"""Indexes of every released version of the format open and answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gramdex
from gramdex.fmindex.format import manifest, sections

GOLDEN = Path(__file__).parent.parent / "golden"
TEXTS = [
    "the cat sat on the mat",
    "the cat sat on the dog",
    "",
    "naïve café 東京 🙂",
    "a dog sat on the mat and the cat",
]


SUFFIX_ARRAYS = range(1, manifest.VERSION + 1)
FM_INDEXES = range(3, manifest.VERSION + 1)
ALL = [f"{v}-{n}" for v in SUFFIX_ARRAYS for n in ("bytes", "bpe")]
ALL += [f"{v}-fm-{n}" for v in FM_INDEXES for n in ("bytes", "bpe")]
"""Versions, each with what was built: the suffix array, and since version 3 the FM-index."""


def test_every_version_has_its_indexes() -> None:
    names = {path.name for path in GOLDEN.iterdir() if (path / "manifest.json").exists()}
    assert names == {f"v{version}" for version in ALL}
    assert sections.VERSION == manifest.VERSION


@pytest.mark.parametrize("version", [version for version in ALL if version.endswith("bytes")])
def test_bytes(version: str) -> None:
    index = gramdex.open(GOLDEN / f"v{version}")
    index.verify()
    assert len(index.shards) == 2
    assert [index.document(i).text for i in range(5)] == TEXTS
    assert [index.document(i).metadata["fields"] for i in range(5)] == [{"n": i} for i in range(5)]
    assert index.count("the cat") == 3
    assert index.count("") == sum(len(text.encode()) for text in TEXTS)
    assert index.ntd("the ").tokens.tolist() == [ord("c"), ord("m"), ord("d")]
    assert index.ntd("the cat").end_count == 1
    assert index.infgram_prob("xyz sat on the", " ").suffix_length == len(" sat on the")


@pytest.mark.parametrize("name", ["bytes", "bpe"])
def test_tables_of_continuations_since_version_2(name: str) -> None:
    first, second = (gramdex.open(GOLDEN / f"v{version}-{name}") for version in (1, 2))
    assert {shard.engine.continuations for shard in first.shards} == {None}
    assert any(shard.engine.continuations.nodes.size > 0 for shard in second.shards)
    for context in [*([t] for t in range(first.vocabulary_size)), first.encode("the "), [116, 104]]:
        old, new = first.ntd(context), second.ntd(context)
        assert old.tokens.tolist() == new.tokens.tolist()
        assert old.counts.tolist() == new.counts.tolist()
        assert old.end_count == new.end_count


@pytest.mark.parametrize("version", [version for version in ALL if version.endswith("bpe")])
def test_bpe(version: str) -> None:
    index = gramdex.open(GOLDEN / f"v{version}")
    index.verify()
    assert index.manifests[0].token_width == 2
    assert [index.document(i).text for i in range(5)] == TEXTS
    assert index.vocabulary_size == 293
    cat = index.encode(" cat")
    assert index.count(cat) == 3
    ids = index.encode("the cat sat on the mat")
    assert index.match(ids).lengths[0] == len(ids)
    assert index.infgram_scores(ids).suffix_lengths.tolist() == list(range(len(ids)))


def test_equal_counts_are_in_the_order_of_ids() -> None:
    """Ids, not the ranks that tokens are stored as."""
    index = gramdex.open(GOLDEN / "v1-bpe")
    found = index.ntd([])
    order = list(zip((-found.counts).tolist(), found.tokens.tolist(), strict=True))
    assert order == sorted(order)
    ranks = index.vocabulary.to_ranks(found.tokens.copy())
    ties = [ranks[found.counts == count] for count in set(found.counts.tolist())]
    assert any((np.diff(tie) < 0).any() for tie in ties)  # by rank the order would be another


@pytest.mark.parametrize("name", ["bytes", "bpe"])
def test_versions_open_together(name: str) -> None:
    versions = [version for version in ALL if version.endswith(name)]
    together = gramdex.open([GOLDEN / f"v{version}" for version in versions])
    together.verify()
    one = gramdex.open(GOLDEN / f"v1-{name}")
    for text in ("the cat", " mat", "naïve"):
        ids = one.encode(text)
        assert together.count(ids) == len(versions) * one.count(ids) > 0
