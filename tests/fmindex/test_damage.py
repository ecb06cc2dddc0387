"""Damaged, truncated, foreign, newer and edited indexes: refused or found, never believed."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xxhash
from building import build_ids, small_tokenizer, snapshot
from forging import forge, rewrite_header, sign

import gramdex
from gramdex.errors import (
    CorruptIndexError,
    IncompleteIndexError,
    IndexFileError,
    TokenizerError,
    VersionError,
)
from gramdex.fmindex.engines import continuations, suffix_array
from gramdex.fmindex.format import manifest as manifests
from gramdex.fmindex.format import metadata, sections
from gramdex.indexer import suffix_files


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of text with a tokenizer, so that every kind of file is there."""
    folder = tmp_path_factory.mktemp("original")
    lines = [{"text": f"line {i} of the small corpus, {'abc' * (i % 5)}"} for i in range(40)]
    source = folder / "corpus.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(continuations, "LIMITS", continuations.Limits(8, 16, 2, 1))
        gramdex.build(
            source, folder / "index", small_tokenizer(folder), shard_tokens=1000, workers=1
        )
    return folder / "index"


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "index")
    return tmp_path / "index"


def files_of(index: Path) -> list[str]:
    return sorted(snapshot(index))


def open_and_verify(path: Path) -> None:
    index = gramdex.open(path)
    index.tokenizer.encode("x")
    index.verify()


def test_the_original_is_right(original: Path) -> None:
    open_and_verify(original)
    assert len(files_of(original)) == 1 + 2 + 2 * 5


def positions(name: str, size: int) -> list[int]:
    """Every 29th byte, some at random, and every byte of the head of a header page."""
    rng = random.Random(name)
    chosen = set(range(0, size, 29)) | {rng.randrange(size) for _ in range(20)} | {size - 1}
    return sorted(chosen | (set(range(min(64, size))) if name.endswith(".gdx") else set()))


@pytest.mark.parametrize("number", range(13))
def test_every_flip_is_found(original: Path, copy: Path, number: int) -> None:
    name = files_of(original)[number]
    path = copy / name
    content = (original / name).read_bytes()
    places = positions(name, len(content))
    if "tokenizer.json" in name:
        places = places[::8]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(IndexFileError) as error:
            open_and_verify(copy)
        assert error.value.exit_code in (3, 4)
        assert str(error.value), place
    path.write_bytes(content)
    open_and_verify(copy)


@pytest.mark.parametrize("number", range(13))
def test_every_truncation_is_refused_on_open(original: Path, copy: Path, number: int) -> None:
    name = files_of(original)[number]
    content = (original / name).read_bytes()
    sizes = {0, 1, 63, 64, len(content) // 2, len(content) - 1, len(content) - 64, 4095, 4096}
    for size in sorted(size for size in sizes if 0 <= size < len(content)):
        (copy / name).write_bytes(content[:size])
        if name.endswith(manifests.SHARD_MANIFEST):
            with pytest.raises(IndexFileError):  # the index manifest repeats what opening needs
                gramdex.open(copy).verify()
            continue
        with pytest.raises(IndexFileError, match=Path(name).parts[-1 if ".gdx" in name else 0]):
            gramdex.open(copy)
    (copy / name).unlink()
    with pytest.raises(IndexFileError):
        gramdex.open(copy).verify()


def ask_everything(index: gramdex.Index, rng: random.Random) -> None:
    """Every query; errors of the tree are fine, anything else is not."""
    text = [rng.randrange(index.vocabulary_size) for _ in range(3)]
    some = index.shards[0].engine.tokens
    start = rng.randrange(some.size - 8)
    text += [max(0, min(int(t), index.vocabulary_size) - 1) for t in some[start : start + 8]]
    questions: list[Callable[[], object]] = [
        lambda: index.count(text[:2]),
        lambda: index.count_batch([text[i : i + 3] for i in range(len(text))]),
        lambda: index.ntd(text[3:4]),
        lambda: index.ntd(text[3:5]),
        lambda: index.prob(text[4:5], text[5]),
        lambda: index.ntd([]),
        lambda: index.infgram_ntd(text),
        lambda: index.cursor(text[3:5]).continuations(40),
        lambda: index.cursor(text[3:4]).continuations(),
        lambda: index.cursor().continuations(),
        lambda: index.infgram_prob(text, 1),
        lambda: index.infgram_scores(text),
        lambda: index.match(text),
        lambda: index.documents(text[3:5]),
        lambda: index.search([[text[3:4], text[4:5]], [text[5:6]]], window=5),
        lambda: index.document(rng.randrange(index.document_count)),
    ]
    for question in questions:
        try:
            question()
        except (CorruptIndexError, gramdex.errors.QueryError):
            continue


DAMAGED = [
    ("tokens.gdx", "tokens"),
    ("suffixes.gdx", "suffixes"),
    ("suffixes.gdx", "run_starts"),
    ("suffixes.gdx", "run_tokens"),
    ("suffixes.gdx", "token_nodes"),
    ("suffixes.gdx", "nodes"),
    ("documents.gdx", "starts"),
    ("metadata.gdx", "blocks"),
]


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize(("name", "section_name"), DAMAGED)
def test_damage_that_opening_does_not_see_never_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, section_name: str, width: int
) -> None:
    """Random bytes over an array, under a header that says all is well."""
    monkeypatch.setattr(continuations, "LIMITS", continuations.Limits(2, 3, 2, 1))
    for module in (suffix_array, suffix_files):  # a table for the wide vocabulary too
        monkeypatch.setattr(module, "bucket_shift", lambda ranks, size: 0)
    # As if the file were damaged after opening has checked the small tables.
    if section_name in ("token_nodes", "nodes"):
        monkeypatch.setattr(continuations, "_SMALL", ())
    rng = random.Random(width)
    generator = np.random.default_rng(width)
    documents = [generator.integers(0, 30, 60).tolist() for _ in range(20)]
    path = build_ids(tmp_path, documents, {1: 200, 2: 60_000, 4: 200_000}[width])
    target = path / "shard-00000" / name
    content = bytearray(target.read_bytes())
    section = sections.SectionFile(target, name.removesuffix(".gdx")).sections[section_name]
    for trial in range(40):
        damaged = bytearray(content)
        low, high = section.offset, section.offset + section.size
        if name == "tokens.gdx":
            high -= 1 * width  # the last separator is checked when opening
        for _ in range(1 + trial):
            place = rng.randrange(low, high)
            damaged[place] = rng.randrange(256)
        target.write_bytes(damaged)
        try:
            index = gramdex.open(path)
        except IndexFileError:
            continue
        ask_everything(index, rng)
        if damaged != content:
            with pytest.raises(IndexFileError):
                index.verify()


def swap_suffixes(arrays: dict[str, np.ndarray]) -> None:
    suffixes = arrays["suffixes"]
    suffixes[[200, 201]] = suffixes[[201, 200]]


def repeat_suffix(arrays: dict[str, np.ndarray]) -> None:
    arrays["suffixes"][300] = arrays["suffixes"][301]


def shift_bucket(arrays: dict[str, np.ndarray]) -> None:
    arrays["buckets"][arrays["buckets"].size // 2 :][:-1] += 1


def move_run(arrays: dict[str, np.ndarray]) -> None:
    arrays["run_starts"][2] += 1


def change_run(arrays: dict[str, np.ndarray]) -> None:
    arrays["run_tokens"][2] ^= 1


def change_node(arrays: dict[str, np.ndarray]) -> None:
    arrays["nodes"][1] += 1


def raise_limit(arrays: dict[str, np.ndarray]) -> None:
    arrays["continuation_limits"][0] += 1000


def drop_table(arrays: dict[str, np.ndarray]) -> None:
    for name in continuations.NAMES:
        del arrays[name]


def move_boundary(arrays: dict[str, np.ndarray]) -> None:
    arrays["starts"][3] += 1


def change_token(arrays: dict[str, np.ndarray]) -> None:
    arrays["tokens"][17] ^= 1


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("suffixes.gdx", swap_suffixes, "not the sorted permutation"),
        ("suffixes.gdx", repeat_suffix, "not the sorted permutation"),
        ("suffixes.gdx", shift_bucket, "a prefix table of another text"),
        ("suffixes.gdx", move_run, "run_starts of another text"),
        ("suffixes.gdx", change_run, "run_tokens of another text"),
        ("suffixes.gdx", change_node, "nodes of another text"),
        ("suffixes.gdx", raise_limit, "run_starts of another text"),
        ("suffixes.gdx", drop_table, "no table of continuations"),
        ("documents.gdx", move_boundary, "boundaries that are not the separators"),
        ("tokens.gdx", change_token, "a prefix table of another text"),
    ],
)
def test_forged_arrays_are_found(
    copy: Path, file: str, change: Callable[[dict[str, np.ndarray]], object], said: str
) -> None:
    """The order of the suffixes and the tables are checked, not only the checksums."""
    forge(copy, file, change)
    with pytest.raises(CorruptIndexError, match=said):
        gramdex.open(copy).verify()


@pytest.mark.parametrize("name", continuations.NAMES)
def test_part_of_a_table_is_refused(copy: Path, name: str) -> None:
    """Left out, of another length, and for the limits of zeros."""
    forge(copy, "suffixes.gdx", lambda arrays: arrays.update({name: arrays[name][:-1]}))
    with pytest.raises(CorruptIndexError, match="continuations of sizes"):
        gramdex.open(copy)
    forge(copy, "suffixes.gdx", lambda arrays: arrays.pop(name))
    with pytest.raises(CorruptIndexError, match=f"'{name}': no such section"):
        gramdex.open(copy)


def test_limits_of_zero_are_refused(copy: Path) -> None:
    forge(copy, "suffixes.gdx", lambda arrays: arrays["continuation_limits"].fill(0))
    with pytest.raises(CorruptIndexError, match="limits from 1 on"):
        gramdex.open(copy)


def test_metadata_that_unpack_to_too_much_are_refused(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "MAXIMUM_BLOCK", 100)
    with pytest.raises(CorruptIndexError, match="a block of"):
        gramdex.open(copy).document(0)


def test_a_forged_file_of_another_shard_is_refused(copy: Path) -> None:
    shutil.copy(copy / "shard-00001" / "tokens.gdx", copy / "shard-00000" / "tokens.gdx")
    with pytest.raises(CorruptIndexError, match=r"tokens\.gdx.*another file"):
        gramdex.open(copy)


@pytest.mark.parametrize(
    ("field", "value"), [("token_count", 5), ("vocabulary_size", 300), ("shards", [])]
)
def test_an_edited_manifest_is_refused(copy: Path, field: str, value: object) -> None:
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest[field] = value
    path.write_text(json.dumps(manifest) + "\n")
    with pytest.raises(CorruptIndexError, match="edited or damaged"):
        gramdex.open(copy)
    path.write_bytes(sign(manifest))
    with pytest.raises(IndexFileError):
        gramdex.open(copy)


def with_shard(change: Callable[[dict], object]) -> Callable[[dict], object]:
    return lambda manifest: change(manifest["shards"][0])


MANIFEST_CHANGES: dict[str, Callable[[dict], object]] = {
    "vocabulary_size": lambda m: m.update(vocabulary_size=None),
    "vocabulary_size as text": lambda m: m.update(vocabulary_size="256"),
    "negative count": lambda m: m.update(token_count=-1),
    "tokenizer": lambda m: m.update(tokenizer=[]),
    "tokenizer options": lambda m: m["tokenizer"].update(options="x"),
    "tokenizer elsewhere": lambda m: m["tokenizer"].update(files=["../manifest.json"]),
    "tokenizer device": lambda m: m["tokenizer"].update(files=["/dev/zero"]),
    "tokenizer surrogate": lambda m: m["tokenizer"].update(files=["\ud800"]),
    "shard elsewhere": with_shard(lambda s: s.update(name="../index/shard-00000")),
    "shard number": with_shard(lambda s: s.update(name=3)),
    "shard twice": lambda m: m.update(
        shards=[m["shards"][0]] * 2,
        token_count=2 * (m["shards"][0]["size"] - m["shards"][0]["documents"]),
        document_count=2 * m["shards"][0]["documents"],
    ),
    "shard null": lambda m: m.update(shards=[None]),
    "files": with_shard(lambda s: s.update(files=3)),
    "file size": with_shard(lambda s: s["files"]["tokens.gdx"].update(size=7)),
    "no header": with_shard(lambda s: s["files"]["tokens.gdx"].update(header=None)),
    "no file": with_shard(lambda s: s["files"].pop("tokens.gdx")),
    "engine": with_shard(lambda s: s.update(engine="fm9")),
}


@pytest.mark.parametrize("name", MANIFEST_CHANGES)
def test_a_forged_manifest_is_refused(copy: Path, name: str) -> None:
    """With a checksum that is right: nothing in it is believed before it is looked at."""
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    MANIFEST_CHANGES[name](manifest)
    path.write_bytes(sign(manifest))
    with pytest.raises(IndexFileError):
        gramdex.open(copy)


@pytest.mark.parametrize("dtype", [b"(,", b"f4,(", b"O", b"<i4", b"\xff", b""])
def test_dtypes_that_are_none_of_the_format(copy: Path, dtype: bytes) -> None:
    path = copy / "shard-00000" / "tokens.gdx"
    page = bytearray(path.read_bytes())
    page[64 + 24 : 64 + 32] = dtype.ljust(8, b"\0")
    page[48:64] = xxhash.xxh3_128_digest(page[:48] + bytes(16) + page[64 : sections.PAGE])
    path.write_bytes(page)
    with pytest.raises(CorruptIndexError):
        sections.SectionFile(path, "tokens")


def test_no_section_stands_twice(tmp_path: Path) -> None:
    rewrite_header(tmp_path / "x", "tokens", {"tokens": np.zeros(3, np.uint8)})
    with sections.SectionWriter(tmp_path / "y", "tokens") as writer:
        writer.section("tokens", np.zeros(3, np.uint8))
        writer.section("tokens", np.ones(3, np.uint8))
    sections.SectionFile(tmp_path / "x", "tokens").check()
    with pytest.raises(CorruptIndexError):
        sections.SectionFile(tmp_path / "y", "tokens")


def test_a_pipe_in_place_of_a_file_does_not_hang(copy: Path) -> None:
    path = copy / "shard-00000" / "tokens.gdx"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(CorruptIndexError, match="no regular file"):
        gramdex.open(copy)


def test_ranks_of_another_order_are_found(copy: Path) -> None:
    """Ranks that are one id's each, and not in the order of the tokenizer's bytes."""
    path = copy / "tokenizer" / "vocabulary.gdx"
    opened = sections.SectionFile(path, "vocabulary")
    rank_of_id = opened.array("rank_of_id", np.uint16).copy()
    rank_of_id[[5, 6]] = rank_of_id[[6, 5]]
    rewrite_header(path, "vocabulary", {"rank_of_id": rank_of_id})
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["tokenizer"]["vocabulary"] = sections.SectionFile(path, "vocabulary").header
    (copy / "manifest.json").write_bytes(sign(manifest))
    index = gramdex.open(copy)
    with pytest.raises(CorruptIndexError, match="order of the tokenizer's bytes"):
        index.verify()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_manifest_that_is_none_is_refused(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    with pytest.raises(CorruptIndexError):
        gramdex.open(copy)


def test_newer_versions_are_refused(copy: Path) -> None:
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_bytes(sign({**manifest, "minimum_reader": manifests.VERSION + 1}))
    with pytest.raises(VersionError, match="install a newer gramdex"):
        gramdex.open(copy)
    path.write_bytes(sign(manifest))
    tokens = copy / "shard-00000" / "tokens.gdx"
    page = bytearray(tokens.read_bytes())
    page[10] = sections.VERSION + 1
    tokens.write_bytes(page)
    with pytest.raises(VersionError):
        gramdex.open(copy)


def test_a_newer_writer_that_old_readers_can_read_is_accepted(copy: Path) -> None:
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_bytes(sign({**manifest, "format_version": 7, "new_field": 1}))
    assert gramdex.open(copy).document_count == 40


def test_missing_and_foreign_folders(tmp_path: Path) -> None:
    with pytest.raises(IncompleteIndexError, match="no such folder"):
        gramdex.open(tmp_path / "nothing")
    (tmp_path / "other").mkdir()
    with pytest.raises(IncompleteIndexError, match="manifest"):
        gramdex.open(tmp_path / "other")
    (tmp_path / "other" / "build.json").write_text("{}")
    with pytest.raises(IncompleteIndexError, match="not finished"):
        gramdex.open(tmp_path / "other")
    (tmp_path / "file").write_text("x")
    with pytest.raises(IndexFileError):
        gramdex.open(tmp_path / "file")


def test_indexes_of_different_tokenizers_do_not_open_together(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = build_ids(tmp_path / "other", [[1, 2]], 256)
    with pytest.raises(TokenizerError, match="one by one"):
        gramdex.open([copy, other])
    both = gramdex.open([copy, copy])
    assert both.document_count == 80
    assert both.count([1]) == 2 * gramdex.open(copy).count([1])
