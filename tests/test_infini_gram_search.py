"""Boolean search against the PyPI package infini-gram, where both mean the same.

With two clauses in one document they do: the rarer clause is the anchor, and distances are between
beginnings. Over several documents it misses matches whose nearest neighbour lies in another
document; with three clauses, or phrases of one clause that begin at one place, it counts otherwise.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import building
import evidence
import pytest

import gramdex
from gramdex.tools.bench.peers import infini_gram_index as infini_gram

pytest.importorskip("infini_gram")

CLAUSES = [
    [[[1]], [[2]]],
    [[[1, 2]], [[3]]],
    [[[1], [2]], [[3]]],
    [[[1], [2, 3]], [[3], [4]]],
    [[[5, 6], [8]], [[3, 4], [7]]],
]


@pytest.fixture
def folder():
    """A folder whose path, unlike pytest's own, holds no name of infini-gram's files."""
    path = Path(tempfile.mkdtemp(prefix="parity-"))
    yield path
    shutil.rmtree(path)


def test_two_clauses_in_one_document(folder):
    rng = random.Random(2)
    documents = [[rng.randrange(12) for _ in range(900)]]
    infini_gram.write_tokens(documents, folder, 2)
    infini_gram.write_table(folder, 2)
    engine = infini_gram.open_engine(folder, 2, 500)
    index = gramdex.open(building.build_ids(folder, documents, 12))
    for cnf in CLAUSES:
        for window in (1, 2, 3, 5, 10, 1000):
            theirs = engine.count_cnf(cnf, max_clause_freq=10**6, max_diff_tokens=window)
            assert index.search(cnf, window=window).count == theirs["count"], (cnf, window)
            assert evidence.search(documents, cnf, window).count == theirs["count"], (cnf, window)
