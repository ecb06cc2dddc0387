"""The oracle and the index against the PyPI package infini-gram, and where that differs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import building
import corpora
import naive
import parity
import pytest

import gramdex
from gramdex.errors import BuildError, InputError, UsageError
from gramdex.tools.bench.peers import infini_gram_index as infini_gram

pytest.importorskip("infini_gram")

BY_BYTES = [
    "all_equal",
    "de_bruijn_2_7",
    "ends_everywhere",
    "last_document_empty",
    "small_vocabularies",
    "vocabulary_255",
]
BY_TWO = [
    "all_equal_documents",
    "fibonacci",
    "thue_morse",
    "periodic",
    "only_empty_documents",
    "empty_documents_between",
    "one_token",
    "one_token_documents",
    "identical_documents",
    "prefix_documents",
    "suffix_documents",
    "ends_everywhere",
    "border_lookalike",
    "last_document_empty",
    "skewed",
    "byte_order",
    "vocabulary_65535",
]
BY_FOUR = ["skewed", "vocabulary_65536", "vocabulary_65537", "vocabulary_1048576", "sparse_ids"]


@pytest.fixture
def folder():
    """A folder whose path, unlike pytest's own, holds no name of infini-gram's files."""
    path = Path(tempfile.mkdtemp(prefix="parity-"))
    yield path
    shutil.rmtree(path)


def unused_id(corpus: corpora.Corpus, width: int) -> int:
    used = {token for document in corpus.documents for token in document}
    return next(n for n in range(infini_gram.default_end_token(width), -1, -1) if n not in used)


def compare(corpus: corpora.Corpus, folder: Path, width: int) -> None:
    end_token = unused_id(corpus, width)
    engine = infini_gram.open_engine(folder, width, end_token)
    queries = [q for q in corpora.query_patterns(corpus) if end_token not in q]
    budget = building.shard_budget(corpus.documents, shards=2)
    built = building.build_ids(folder, corpus.documents, corpus.vocabulary_size, budget)
    for index in (naive.NaiveIndex(corpus.documents), gramdex.open(built)):
        left_out = parity.compare_with_infini_gram(
            index, engine, queries, end_token, corpus.documents[-1]
        )
        assert left_out < len(queries)


@pytest.mark.parametrize("name", BY_BYTES)
def test_one_byte(name, folder):
    corpus = corpora.by_name(name)
    infini_gram.write_tokens(corpus.documents, folder, 1)
    infini_gram.build(folder, 1)
    compare(corpus, folder, 1)


@pytest.mark.parametrize("name", BY_TWO)
def test_two_bytes(name, folder):
    corpus = corpora.by_name(name)
    infini_gram.write_tokens(corpus.documents, folder, 2)
    infini_gram.build(folder, 2)
    compare(corpus, folder, 2)


@pytest.mark.parametrize("name", BY_FOUR)
def test_four_bytes_sorted_plainly(name, folder):
    """Its own sorting of 32-bit tokens wants 34 GB; its engine reads any table."""
    corpus = corpora.by_name(name)
    infini_gram.write_tokens(corpus.documents, folder, 4)
    infini_gram.write_table(folder, 4)
    compare(corpus, folder, 4)


# --- writing and building -------------------------------------------------------------------


def test_tokens_and_offsets(folder):
    infini_gram.write_tokens([[1, 2], [], [3]], folder, 2)
    assert (folder / "tokenized.0").read_bytes().hex() == "ffff01000200ffffffff0300"
    offsets = b"".join(n.to_bytes(8, "little") for n in (0, 6, 8))
    assert (folder / "offset.0").read_bytes() == offsets


def test_flat_tokens_are_written_as_documents_are(folder):
    infini_gram.write_tokens([[1, 2], [], [3]], folder / "a", 1)
    infini_gram.write_tokens([1, 2, 3], folder / "b", 1, lengths=[2, 0, 1])
    for name in ("tokenized.0", "offset.0"):
        assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()


@pytest.mark.parametrize("width", [1, 2])
def test_plain_sorting_gives_its_own_table(width, folder):
    corpus = corpora.by_name("skewed")
    infini_gram.write_tokens(corpus.documents, folder, width)
    usage = infini_gram.build(folder, width)
    table = (folder / "table.0").read_bytes()
    infini_gram.write_table(folder, width)
    assert (folder / "table.0").read_bytes() == table
    assert 0 < usage.wall_seconds < 60
    assert 0 < usage.cpu_seconds < 60
    assert 1 << 20 < usage.peak_rss_bytes < 1 << 30


def test_what_it_would_misread_is_refused(folder):
    with pytest.raises(InputError, match="ids from 0 to 254"):
        infini_gram.write_tokens([[255]], folder, 1)
    with pytest.raises(InputError, match="3 tokens"):
        infini_gram.write_tokens([1, 2, 3], folder, 1, lengths=[1, 1])
    with pytest.raises(UsageError, match="'table' in the path"):
        infini_gram.write_tokens([[1]], folder / "vegetables", 1)
    with pytest.raises(UsageError, match="white space"):
        infini_gram.write_tokens([[1]], folder / "a b", 1)
    infini_gram.write_tokens([[1, 2]], folder, 2)
    with pytest.raises(UsageError, match=r"no table\.0"):
        infini_gram.open_engine(folder, 2)


def test_too_little_for_several_processes_is_refused(folder):
    """Its own check lets this through, and the table it writes counts 36,667 for 20,000."""
    infini_gram.write_tokens([[1, 2, 3] * 20_000], folder, 2)
    with pytest.raises(UsageError, match="cpus=2: 120002 bytes"):
        infini_gram.build(folder, 2, cpus=2)


def test_a_failed_build_says_so(folder):
    infini_gram.write_tokens([], folder, 2)
    with pytest.raises(BuildError, match="infini-gram's build"):
        infini_gram.build(folder, 2)


# --- where it differs -----------------------------------------------------------------------


@pytest.fixture
def engine(folder):
    corpus = corpora.by_name("ends_everywhere")
    infini_gram.write_tokens(corpus.documents, folder, 2)
    infini_gram.build(folder, 2)
    return infini_gram.open_engine(folder, 2)


def test_the_empty_context_counts_separators(engine):
    assert engine.count([])["count"] == 15 + 5
    assert engine.prob([], 1) == {"prompt_cnt": 20, "cont_cnt": 6, "prob": 0.3}


def test_a_query_may_hold_the_separator(engine):
    assert engine.count([0xFFFF])["count"] == 5
    assert engine.count([2, 0xFFFF, 1])["count"] == 1


def test_an_unseen_context_has_probability_minus_one(engine):
    assert engine.prob([5], 1) == {"prompt_cnt": 0, "cont_cnt": 0, "prob": -1.0}


def test_a_distribution_is_wrong_where_the_data_ends(engine):
    """1 2 is followed by 1, 3, 4 and three ends, one of them the end of the data."""
    index = naive.NaiveIndex(corpora.by_name("ends_everywhere").documents)
    assert index.ntd([1, 2]) == (6, [1, 3, 4], [1, 1, 1], 3, True)
    ends = {65534: {"cont_cnt": 6, "prob": 1.0}}
    assert engine.ntd([1, 2])["result_by_token_id"] == ends
    assert not engine.ntd([1, 2])["approx"]
