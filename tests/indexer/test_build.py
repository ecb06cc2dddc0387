"""Builds from readers to an opened index: what goes in comes out, and what is bad is named."""

from __future__ import annotations

import gzip
import json
import os
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from building import build_ids, small_tokenizer, snapshot
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

import gramdex
from gramdex import errors
from gramdex.indexer import encoding
from gramdex.indexer.memory import READING, WORKER, plan_memory, shard_memory
from gramdex.indexer.options import BuildOptions
from gramdex.indexer.readers import ReadOptions, arrays, jsonl, pieces, text

TEXTS = ["hello world", "naïve café — 東京 🙂", "x", "line one\nline two\r\n", "hello again"]


def write_jsonl(path: Path, records: list[Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_text_metadata_and_order_survive(tmp_path: Path) -> None:
    records = [{"text": t, "id": i, "tags": ["a", None]} for i, t in enumerate(TEXTS)]
    write_jsonl(tmp_path / "in.jsonl", records)
    report = gramdex.build(tmp_path / "in.jsonl", tmp_path / "index", shard_tokens=40)
    index = gramdex.open(tmp_path / "index")
    assert report.shards == len(index.shards) > 1
    assert report.document_count == index.document_count == len(TEXTS)
    assert report.token_count == sum(len(t.encode()) for t in TEXTS)
    assert report.warnings() == []
    for i, text_in in enumerate(TEXTS):
        document = index.document(i)
        assert document.text == text_in
        assert document.metadata["line"] == i + 1
        assert document.metadata["path"] == str(tmp_path / "in.jsonl")
        assert document.metadata["fields"] == {"id": i, "tags": ["a", None]}
    assert index.count("hello") == 2
    assert index.count("é") == 1
    assert index.count("two\r\nhello") == 0


def test_same_bytes_whatever_the_workers_and_compression(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    records = [{"text": "".join(rng.choice(list("abcde "), 300))} for _ in range(40)]
    write_jsonl(tmp_path / "in.jsonl", records)
    outputs = []
    for workers in (1, 2):
        output = tmp_path / str(workers)
        gramdex.build(tmp_path / "in.jsonl", output, shard_tokens=2000, workers=workers)
        outputs.append(snapshot(output))
    assert outputs[0] == outputs[1]
    assert sum(name.endswith("tokens.gdx") for name in outputs[0]) == 7


def test_input_from_another_file_system(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/corpus/a.jsonl.gz", gzip.compress(b'{"text": "from memory"}\n'))
    memory.pipe("/corpus/b.txt", "plain – text".encode())
    try:
        gramdex.build("memory://corpus", tmp_path / "index")
    finally:
        memory.rm("/corpus", recursive=True)
    index = gramdex.open(tmp_path / "index")
    assert [index.document(i).text for i in range(2)] == ["from memory", "plain – text"]


def test_documents_longer_than_a_shard_are_split_and_said_so(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": "short"}, {"text": "0123456789" * 3}])
    report = gramdex.build(tmp_path / "in.jsonl", tmp_path / "index", shard_tokens=11)
    index = gramdex.open(tmp_path / "index")
    assert report.split_parts == 3
    assert "no match crosses" in " ".join(report.warnings())
    parts = [index.document(i) for i in range(1, 4)]
    assert [part.text for part in parts] == ["0123456789"] * 3
    assert [(p.metadata["part"], p.metadata["last_part"]) for p in parts] == [
        (1, False),
        (2, False),
        (3, True),
    ]
    assert "part" not in index.document(0).metadata


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
@pytest.mark.parametrize("tokenizer", ["bytes", "bpe"])
def test_large_texts_are_cut_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, tokenizer: str
) -> None:
    monkeypatch.setattr(text, "PIECE", 64)
    monkeypatch.setattr(pieces, "CHARACTERS", 64)
    content = "some words on a line\n" * 20 + "x" * 200
    record = json.dumps({"text": content}) + "\n"
    (tmp_path / name).write_text(record if name == "a.jsonl" else content)
    spec = small_tokenizer(tmp_path) if tokenizer == "bpe" else tokenizer
    report = gramdex.build(tmp_path / name, tmp_path / "index", spec)
    assert report.text_cuts == (10 if tokenizer == "bpe" else 0)
    assert gramdex.open(tmp_path / "index").document(0).text == content
    gramdex.build(tmp_path / name, tmp_path / "split", spec, shard_tokens=50)
    index = gramdex.open(tmp_path / "split")
    parts = [index.document(i).text for i in range(index.document_count)]
    assert "".join(part or "" for part in parts) == content
    assert len(parts) > 5


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_batches_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(encoding, "BATCH_RECORDS", batch)
    write_jsonl(tmp_path / "in.jsonl", [{"text": t} for t in TEXTS])
    gramdex.build(tmp_path / "in.jsonl", tmp_path / "index")
    index = gramdex.open(tmp_path / "index")
    assert [index.document(i).text for i in range(len(TEXTS))] == TEXTS


def test_texts_a_tokenizer_changes_are_counted(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "hello": 1, "x": 2}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    write_jsonl(tmp_path / "in.jsonl", [{"text": t} for t in ("hello", "Hello", "other", "x")])
    report = gramdex.build(tmp_path / "in.jsonl", tmp_path / "index", tmp_path / "tokenizer.json")
    assert report.lossy_records == 2
    index = gramdex.open(tmp_path / "index")
    assert index.count(index.encode("hello")) == 2


BAD_RECORDS = {
    "malformed JSON": ('{"text": "a"', "in.jsonl:2"),
    "no object": ("[1]", "in.jsonl:2"),
    "missing field": ('{"body": "a"}', "body"),
    "not a string": ('{"text": 5}', "in.jsonl:2"),
    "lone surrogate": ('{"text": "\\ud800"}', "in.jsonl:2"),
    "empty document": ('{"text": ""}', "empty document"),
}


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_bad_records_stop_the_build_or_are_counted(tmp_path: Path, name: str) -> None:
    line, said = BAD_RECORDS[name]
    path = tmp_path / "in.jsonl"
    path.write_text(f'{{"text": "good"}}\n{line}\n{{"text": "also good"}}\n')
    output = tmp_path / "index"
    with pytest.raises(errors.RecordError) as error:
        gramdex.build(path, output)
    assert said in str(error.value)
    assert "--on-e" in error.value.remedy
    assert not output.exists()
    report = gramdex.build(path, output, on_error="skip")
    assert report.document_count == 2
    assert report.skipped_records + report.empty_documents == 1
    assert gramdex.open(output).count("good") == 2


def test_invalid_utf8_and_empty_and_broken_files(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "bad.txt").write_bytes(b"abc\xff")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "good.txt").write_text("good")
    (folder / "cut.jsonl.gz").write_bytes(gzip.compress(b'{"text": "cut"}\n' * 50)[:-9])
    report = gramdex.build(folder, tmp_path / "index", on_error="skip")
    assert report.skipped_records == 1
    assert report.skipped_files == 1
    assert report.empty_documents == 1
    assert len(report.examples) == 2
    for name in ("bad.txt", "empty.txt", "cut.jsonl.gz"):
        with pytest.raises(errors.InputError, match=name):
            gramdex.build(folder / name, tmp_path / "other")
        assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("line", ['{"body": "x"}', "no json"])
def test_nothing_but_bad_input_is_no_success(tmp_path: Path, line: str) -> None:
    (tmp_path / "in.jsonl").write_text(f"{line}\n" * 3)
    with pytest.raises(errors.InputError, match=r"3 times something bad.*in\.jsonl:1"):
        gramdex.build(tmp_path / "in.jsonl", tmp_path / "index", on_error="skip")
    assert not (tmp_path / "index").exists()


def test_an_output_inside_the_input_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    for output in (tmp_path / "index", tmp_path / "deep" / "index", tmp_path):
        with pytest.raises(errors.UsageError, match="inside the input folder"):
            gramdex.build(tmp_path, output)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_ids_beyond_any_vocabulary_are_named(tmp_path: Path) -> None:
    np.save(tmp_path / "ids.npy", np.array([1, 2, 1 << 40], np.int64))
    with pytest.raises(errors.InputError, match=rf"ids\.npy.*token id {1 << 40}"):
        gramdex.build(tmp_path / "ids.npy", tmp_path / "index", None)


def test_empty_documents_can_be_kept(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": ""}, {"text": "a"}, {"text": ""}])
    (tmp_path / "z.txt").write_bytes(b"")
    inputs = [tmp_path / "in.jsonl", tmp_path / "z.txt"]
    report = gramdex.build(inputs, tmp_path / "index", on_empty="keep")
    assert (report.document_count, report.token_count) == (4, 1)
    index = gramdex.open(tmp_path / "index")
    assert [index.document(i).text for i in range(4)] == ["", "a", "", ""]


@pytest.mark.parametrize("documents", [[], [[]], [[], [], []]])
def test_corpora_without_tokens_answer(tmp_path: Path, documents: list[list[int]]) -> None:
    index = gramdex.open(build_ids(tmp_path, documents, 10))
    assert index.token_count == 0
    assert index.document_count == len(documents)
    assert index.count([]) == index.count([1]) == 0
    assert index.infgram_prob([1], 2).prob is None
    assert np.isnan(index.infgram_scores([1, 2]).probs).all()
    assert index.ntd([]).complete
    index.verify()


def test_ids_outside_the_vocabulary_are_named(tmp_path: Path) -> None:
    np.save(tmp_path / "ids.npy", np.array([1, 2, 300, 4], np.uint16))
    with pytest.raises(errors.RecordError, match=r"ids\.npy.*token id 300.*0 to 254"):
        gramdex.build(tmp_path / "ids.npy", tmp_path / "index")
    with pytest.raises(errors.RecordError, match="token id 300"):
        gramdex.build(tmp_path / "ids.npy", tmp_path / "index", None, vocabulary_size=300)
    gramdex.build(tmp_path / "ids.npy", tmp_path / "index", None)
    index = gramdex.open(tmp_path / "index")
    assert index.vocabulary_size == 301
    with pytest.raises(errors.QueryError, match="token id 301"):
        index.count([301])


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("in.jsonl", {"tokenizer": "no-such"}, errors.TokenizerError),
        ("in.jsonl", {"tokenizer": None}, errors.UsageError),
        ("ids.bin", {}, errors.UsageError),
        ("ids.bin", {"read": ReadOptions(dtype="uint16"), "tokenizer": None}, errors.InputError),
        ("missing.jsonl", {}, errors.InputError),
        ("strange.xyz", {}, errors.UsageError),
        ("in.jsonl", {"shard_tokens": 1}, errors.UsageError),
        ("in.jsonl", {"workers": 0}, errors.UsageError),
        ("in.jsonl", {"engine": "btree"}, errors.UsageError),
        ("in.jsonl", {"on_error": "ignore"}, errors.UsageError),
        ("in.jsonl", {"vocabulary_size": 7}, errors.UsageError),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    tmp_path: Path, name: str, options: dict[str, Any], kind: type[Exception]
) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": "a"}])
    (tmp_path / "ids.bin").write_bytes(b"\1\2\3")
    (tmp_path / "strange.xyz").write_text("a")
    with pytest.raises(kind) as error:
        gramdex.build(tmp_path / name, tmp_path / "index", **options)
    assert isinstance(error.value, errors.GramdexError)
    assert not (tmp_path / "index").exists()


def test_a_document_that_breaks_off_is_left_out_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A negative id deep inside a document that is read in pieces."""
    monkeypatch.setattr(arrays, "PIECE", 4)
    bad = [*range(1, 11), -5, 1, 2]
    np.save(tmp_path / "ids.npy", np.array([7, 8, 99, *bad, 99, 9, 9, 99], np.int32))
    options = ReadOptions(separator_id=99)
    report = gramdex.build(
        tmp_path / "ids.npy",
        tmp_path / "index",
        None,
        read=options,
        on_error="skip",
        vocabulary_size=50,
    )
    index = gramdex.open(tmp_path / "index")
    assert report.skipped_records == 1
    assert [index.document(i).ids.tolist() for i in range(index.document_count)] == [[7, 8], [9, 9]]
    index.verify()


@pytest.mark.parametrize("place", [0, 5, 11])
def test_a_document_with_a_piece_that_is_refused_is_left_out_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setattr(arrays, "PIECE", 4)
    bad = [*range(1, 13)]
    bad[place] = 70
    np.save(tmp_path / "ids.npy", np.array([7, 8, 99, *bad, 99, 9, 9, 99, 70, 99, 3], np.int32))
    report = gramdex.build(
        tmp_path / "ids.npy",
        tmp_path / "index",
        None,
        read=ReadOptions(separator_id=99),
        on_error="skip",
        vocabulary_size=50,
        shard_tokens=14,
    )
    index = gramdex.open(tmp_path / "index")
    found = [index.document(i).ids.tolist() for i in range(index.document_count)]
    assert found == [[7, 8], [9, 9], [3]]
    assert report.skipped_records == 2


def test_input_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "BATCH_RECORDS", 1)
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": "abc" * 30}] * 20)

    def change(state: object) -> None:
        if getattr(state, "message", "") and path.stat().st_mtime_ns != 1000:
            path.write_text(path.read_text().replace("abc", "xyz"))
            os.utime(path, ns=(1000, 1000))

    with pytest.raises(errors.InputError, match="changed while it was read"):
        gramdex.build(path, tmp_path / "index", shard_tokens=200, progress=change)
    assert not (tmp_path / "index" / "manifest.json").exists()


def test_lines_too_long_for_the_memory_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE", 50)
    write_jsonl(tmp_path / "in.jsonl", [{"text": "a"}, {"text": "a" * 100}])
    with pytest.raises(errors.RecordError, match=r"in\.jsonl:2.*more than 50 bytes"):
        gramdex.build(tmp_path / "in.jsonl", tmp_path / "index")


def test_workers_are_as_many_as_fit_the_memory() -> None:
    options = BuildOptions(["x"], Path("y"), shard_tokens=1_000_000, workers=8)
    one = shard_memory(1_000_000, 60_000, "induced")
    for workers in (2, 3, 8, 20):
        memory = READING + workers * (WORKER + one)
        for spare, expected in ((0, workers), (-1, workers - 1)):
            plan = plan_memory(replace(options, memory=memory + spare), 60_000)
            assert plan.workers == min(8, expected)
            assert plan.total <= memory + spare
            assert plan.sort == one
    assert plan_memory(replace(options, memory=READING + one), 60_000).workers == 1


def test_output_that_exists_is_left_alone(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": "a"}])
    gramdex.build(tmp_path / "in.jsonl", tmp_path / "index")
    before = snapshot(tmp_path / "index")
    with pytest.raises(errors.OutputExistsError, match="a finished index"):
        gramdex.build(tmp_path / "in.jsonl", tmp_path / "index")
    assert snapshot(tmp_path / "index") == before
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("keep me")
    for output in (tmp_path / "folder", tmp_path / "folder" / "mine"):
        with pytest.raises(errors.OutputExistsError):
            gramdex.build(tmp_path / "in.jsonl", output)
    assert (tmp_path / "folder" / "mine").read_text() == "keep me"
    (tmp_path / "empty").mkdir()
    assert gramdex.build(tmp_path / "in.jsonl", tmp_path / "empty").document_count == 1


def test_the_stated_memory_is_checked_before_the_work(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": "abc"}])
    memory = READING + 1_000_000
    with pytest.raises(errors.MemoryBoundError) as error:
        gramdex.build(tmp_path / "in.jsonl", tmp_path / "index", memory=memory)
    assert not (tmp_path / "index").exists()
    advice = int(error.value.remedy.rsplit(" ", 1)[1])
    with pytest.raises(errors.MemoryBoundError):
        gramdex.build(
            tmp_path / "in.jsonl", tmp_path / "index", memory=memory, shard_tokens=advice + 1
        )
    report = gramdex.build(
        tmp_path / "in.jsonl", tmp_path / "index", memory=memory, shard_tokens=advice
    )
    assert report.memory <= memory


@pytest.mark.parametrize("limit", [5000, 20_000, 60_000, 100_000])
def test_a_full_disk_is_named_and_leaves_nothing_half(tmp_path: Path, limit: int) -> None:
    """A file size limit refuses writes as a full disk does, and has its own remedy."""
    rng = np.random.default_rng(0)
    documents = [rng.integers(0, 9, 500).tolist() for _ in range(60)]
    reference = tmp_path / "reference"
    reference.mkdir()
    build_ids(reference, documents, 10)
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            gramdex.build(
                reference / "tokens.npy",
                tmp_path / "index",
                None,
                vocabulary_size=10,
                read=ReadOptions(separator_id=10),
            )
        except errors.DiskFullError as error:
            own = "File too large while writing" in str(error) and "ulimit -f" in error.remedy
            os._exit(7 if own and "--shard-tokens" in error.remedy else 8)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert not (tmp_path / "index" / "manifest.json").exists()
    assert not list(tmp_path.glob("index/*.tmp"))


def test_no_room_is_foreseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(errors.DiskFullError, match=r"1,000 bytes free.*for the next shard"):
        build_ids(tmp_path, [[1, 2, 3]], 10)
    assert not (tmp_path / "index").exists()


def test_two_builds_into_one_folder(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", [{"text": "abc"}])
    seen = []

    def build_another(state: object) -> None:
        if not seen:
            seen.append(state)
            with pytest.raises(errors.OutputExistsError, match="another build"):
                gramdex.build(tmp_path / "in.jsonl", tmp_path / "index")

    gramdex.build(tmp_path / "in.jsonl", tmp_path / "index", progress=build_another)
    assert seen
    assert gramdex.open(tmp_path / "index").count("abc") == 1


def test_a_worker_that_dies_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gramdex.indexer import executors

    monkeypatch.setattr(executors, "finish_shard", dies)
    write_jsonl(tmp_path / "in.jsonl", [{"text": "abc" * 100}] * 4)
    with pytest.raises(errors.WorkerDiedError, match="lower --memory"):
        gramdex.build(tmp_path / "in.jsonl", tmp_path / "index", shard_tokens=350, workers=2)
    assert not (tmp_path / "index").exists()


def dies(job: object, threads: int) -> None:
    os._exit(1)
