"""Benchmarks in every format, by every field map that ships, and what is wrong with some."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gramdex.errors import InputError, RecordError, UsageError
from gramdex.tools.contamination.benchmarks import read_benchmark
from gramdex.tools.contamination.fields import read_maps

RECORDS: dict[str, tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]] = {
    "gsm8k": ({"question": "How many?", "answer": "#### 4"}, ("How many?",), ("#### 4",)),
    "humaneval": (
        {"task_id": "HumanEval/0", "prompt": "def f():\n", "canonical_solution": "    return 1\n",
         "test": "", "entry_point": "f"},
        ("def f():\n",), ("    return 1\n",),
    ),
    "mbpp": (
        {"task_id": 11, "text": "Write it.", "code": "x = 1", "test_list": []},
        ("Write it.",), ("x = 1",),
    ),
    "mbpp-sanitized": (
        {"task_id": 11, "prompt": "Write it.", "code": "x = 1"}, ("Write it.",), ("x = 1",),
    ),
    "mmlu": (
        {"question": "Which?", "choices": ["a", "b", "c", "d"], "answer": 2, "subject": "x"},
        ("Which?",), ("c",),
    ),
    "squad": (
        {"id": "5f", "title": "T", "context": "It is so.", "question": "Is it?",
         "answers": {"text": ["so", "so."], "answer_start": [6, 6]}},
        ("It is so.", "Is it?"), ("so",),
    ),
    "arc": (
        {"id": "M1", "question": "Why?", "answerKey": "B",
         "choices": {"text": ["x", "y"], "label": ["A", "B"]}},
        ("Why?",), ("y",),
    ),
    "arc-original": (
        {"id": "M1", "answerKey": "2", "question": {"stem": "Why?", "choices": [
            {"text": "x", "label": "1"}, {"text": "y", "label": "2"}]}},
        ("Why?",), ("y",),
    ),
    "hellaswag": (
        {"ind": 4, "ctx": "He goes", "endings": ["home", "out"], "label": "1"},
        ("He goes",), ("out",),
    ),
    "truthfulqa": (
        {"question": "Is it?", "best_answer": "No", "correct_answers": ["No", "Not"]},
        ("Is it?",), ("No",),
    ),
    "truthfulqa-choices": (
        {"question": "Is it?", "mc1_targets": {"choices": ["No", "Yes"], "labels": [1, 0]}},
        ("Is it?",), ("No",),
    ),
    "plain": ({"text": "Only this."}, ("Only this.",), ()),
}  # fmt: skip


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize("name", RECORDS)
def test_known_formats_are_recognized(name: str, tmp_path: Path) -> None:
    record, question, answer = RECORDS[name]
    path = write(tmp_path / "b.jsonl", record)
    for given in (str(path), f"{name}={path}"):
        read = read_benchmark(given, read_maps())
        assert read.fields.name == name
        assert (read.examples[0].question, read.examples[0].answer) == (question, answer)
    assert read.examples[0].name == str(record.get("task_id", record.get("id", 0)))


def test_every_map_is_tried_here() -> None:
    csv_only = {"mmlu-csv", "truthfulqa-csv"}
    assert set(read_maps()) == set(RECORDS) | csv_only


def test_csv_and_compression(tmp_path: Path) -> None:
    plain = tmp_path / "truth.csv"
    with plain.open("w", newline="", encoding="utf-8-sig") as file:
        rows = csv.writer(file)
        rows.writerow(["Type", "Question", "Best Answer"])
        rows.writerow(["x", 'He said: "is,\nit?"', "No"])
    read = read_benchmark(str(plain), read_maps())
    assert read.fields.name == "truthfulqa-csv"
    assert read.examples[0].question == ('He said: "is,\nit?"',)
    bare = tmp_path / "mmlu.csv"
    bare.write_text('"Which, then?",a,b,c,d,B\n')
    (example,) = read_benchmark(f"mmlu-csv={bare}", read_maps()).examples
    assert (example.question, example.answer) == (("Which, then?",), ("b",))
    tabs = tmp_path / "t.tsv"
    tabs.write_text("question\tanswer\nq\ta\n")
    assert read_benchmark(str(tabs), read_maps()).examples[0].answer == ("a",)
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"question": "q", "answer": "a"}\n\n'))
    read = read_benchmark(str(packed), read_maps())
    assert (read.name, len(read.examples)) == ("b", 1)


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "arc.parquet"
    pq.write_table(pyarrow.Table.from_pylist([RECORDS["arc"][0]] * 40), path)
    read = read_benchmark(str(path), read_maps())
    assert (read.fields.name, len(read.examples)) == ("arc", 40)
    assert read.examples[39].answer == ("y",)


def test_a_map_of_ones_own(tmp_path: Path) -> None:
    maps = tmp_path / "maps.toml"
    maps.write_text('[mine]\nquestion = ["head", "items.*.q"]\nanswer = "solution"\njoin = "\\n"\n')
    record = {"head": "h", "items": [{"q": "a"}, {"q": "b"}], "solution": 4}
    path = write(tmp_path / "b.jsonl", record)
    (example,) = read_benchmark(str(path), read_maps(maps)).examples
    assert (example.question, example.answer) == (("h", "a", "b"), ("4",))
    assert example.texts("both") == ("h\na\nb\n4",)
    for text in ("[mine]\n", "[mine]\nquestion = 3\n", "x = [", "[m]\nquestion='q'\nquestoin='q'\n",
                 "[m]\nquestion = 'q'\nchoices = 'c'\n", "[m]\nquestion='q'\nid=3\n"):  # fmt: skip
        maps.write_text(text)
        with pytest.raises(UsageError):
            read_maps(maps)
    with pytest.raises(UsageError):
        read_maps(tmp_path / "absent.toml")


def test_bad_benchmarks_say_where_and_what(tmp_path: Path) -> None:
    maps = read_maps()
    path = write(tmp_path / "b.jsonl", {"question": "q", "answer": "a"}, {"question": "q"})
    with pytest.raises(RecordError, match=r"b\.jsonl:2: fields 'question'; expected .*'answer'"):
        read_benchmark(str(path), maps)
    read = read_benchmark(str(path), maps, skip_bad=True)
    assert (len(read.examples), read.skipped) == (1, 1)
    assert "b.jsonl:2" in read.first_skipped
    unknown = write(tmp_path / "u.jsonl", {"frage": 1, "antwort": 2})
    with pytest.raises(UsageError, match="'frage', 'antwort'"):
        read_benchmark(str(unknown), maps)
    with pytest.raises(UsageError, match="one of humaneval"):
        read_benchmark(f"gms8k={path}", maps)
    with pytest.raises(UsageError, match="format"):
        read_benchmark(str(tmp_path / "b.docx"), maps)
    with pytest.raises(InputError):
        read_benchmark(str(tmp_path / "absent.jsonl"), maps)
    empty = tmp_path / "e.jsonl"
    empty.write_text("\n \n")
    with pytest.raises(InputError, match="no usable example"):
        read_benchmark(str(empty), maps)
    for name, record in (
        ("gsm8k", {"question": " ", "answer": "a"}),
        ("gsm8k", {"question": {"a": 1}, "answer": "a"}),
        ("gsm8k", {"question": True, "answer": "a"}),
        ("mmlu", {"question": "q", "choices": ["a"], "answer": 4}),
        ("mmlu", {"question": "q", "choices": ["a"], "answer": "?"}),
        ("arc", {"id": "1", "question": "q", "answerKey": "C",
                 "choices": {"text": ["x"], "label": ["A"]}}),
    ):  # fmt: skip
        path = write(tmp_path / "bad.jsonl", record)
        with pytest.raises(RecordError):
            read_benchmark(f"{name}={path}", maps)
        with pytest.raises(InputError, match="1 bad record"):
            read_benchmark(f"{name}={path}", maps, skip_bad=True)
    (tmp_path / "s.jsonl").write_text('{"question": "\\ud800", "answer": "a"}\n')
    with pytest.raises(RecordError, match="surrogate"):
        read_benchmark(str(tmp_path / "s.jsonl"), maps)
    (tmp_path / "r.csv").write_text("question,answer\na,b,c\n")
    with pytest.raises(RecordError, match="3 fields"):
        read_benchmark(str(tmp_path / "r.csv"), maps)
    (tmp_path / "q.csv").write_text('question,answer\n"a\n')
    with pytest.raises(InputError):
        read_benchmark(str(tmp_path / "q.csv"), maps)
