"""``gramdex decontaminate``: nothing is lost that is not in the ledger."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
import zstandard
from commanding import Command
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_contamination import shares_ngram

import gramdex
from gramdex.fmindex.queries.contamination.normalization import Normalization
from gramdex.fmindex.queries.contamination.results import Example
from gramdex.tools.contamination.benchmarks import Benchmark
from gramdex.tools.contamination.fields import FieldMap
from gramdex.tools.contamination.offences import offences_of

WORDS = st.sampled_from(["a", "B", "b", "c.", "--", "é", "straße", "(d)", "😀"])
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from([" ", "  ", "\n"])), max_size=12).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


def invented(seed: int, words: int) -> str:
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(words))


QUESTION, ANSWER = invented(1, 20), invented(2, 20)


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    path = tmp_path / "problems.jsonl"
    records = [{"question": QUESTION, "answer": ANSWER}, {"question": "short", "answer": "1"}]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def clean(command: Command, *arguments: Any) -> Any:
    outcome = command("decontaminate", *arguments, "--json")
    assert outcome.code == 0, outcome
    return outcome.json


def ledger_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(record["ledger"]).read_text().splitlines()]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.lists(TEXTS, min_size=1, max_size=3), st.lists(TEXTS, max_size=6), st.integers(1, 4))
def test_offences_against_the_oracle(theirs: list[str], ours: list[str], words: int) -> None:
    benchmark = Benchmark(
        "b", "b", FieldMap("b", ("q",)), [Example(str(n), (t,)) for n, t in enumerate(theirs)]
    )
    with offences_of([benchmark], words, Normalization()) as offences:
        for text in ours:
            found = offences.find(text)
            assert bool(found) == shares_ngram(text, theirs, words)
            for offence in found:
                piece = text[offence.start : offence.end]
                assert shares_ngram(piece, theirs, words)
                for name in offence.examples:
                    other = theirs[int(name.removeprefix("b:"))]
                    assert shares_ngram(piece, [other], words)
            rest = text
            for offence in reversed(found):
                rest = rest[: offence.start] + "\n… " * 9 + "Ω\n" + rest[offence.end :]
            assert not shares_ngram(rest, theirs, words)


def test_documents_go_and_the_rest_stays_byte_for_byte(
    command: Command, problems: Path, tmp_path: Path
) -> None:
    lines = [
        b'{"id": 1e5, "text": "one \\u0041  two"  }\n',
        b" \n",
        json.dumps({"text": f"Before. {QUESTION.upper()}! After."}).encode() + b"\n",
        b'{"text": "\xc3\xa9", "n": NaN}\r\n',
        json.dumps({"text": " ".join(ANSWER.split()[:12])}).encode() + b"\n",
        json.dumps({"text": " ".join(ANSWER.split()[3:16])}).encode() + b"\n",
        b'{"text": "no end of line"}',
    ]
    corpus = tmp_path / "in" / "corpus.jsonl"
    corpus.parent.mkdir()
    corpus.write_bytes(b"".join(lines))
    record = clean(command, corpus, "-b", problems, "-o", tmp_path / "out")
    kept = (tmp_path / "out" / "corpus.jsonl").read_bytes()
    assert kept == b"".join(line for n, line in enumerate(lines) if n not in (2, 5))
    assert (record["documents"], record["untouched"], record["removed"]) == (6, 4, 2)
    first, second = ledger_of(record)
    assert (first["line"], first["action"], second["line"]) == (3, "document", 6)
    (span,) = first["spans"]
    assert span["text"] == QUESTION.upper()
    assert span["examples"] == ["problems:0"]
    assert span["start"] == len("Before. ")


def test_spans_are_cut_until_nothing_is_left(
    command: Command, problems: Path, tmp_path: Path
) -> None:
    words = QUESTION.split()
    nested = " ".join([*words[:10], *ANSWER.split(), *words[10:]])
    texts = [f"Keep this. {QUESTION} And this.", nested, QUESTION, "untouched"]
    corpus = tmp_path / "corpus.jsonl"
    records = [{"text": text, "id": n, "x": float("nan")} for n, text in enumerate(texts)]
    corpus.write_text("".join(json.dumps(record) + "\n" for record in records))
    record = clean(command, corpus, "-b", problems, "-o", tmp_path / "out", "--remove", "spans")
    kept = [json.loads(line) for line in (tmp_path / "out" / "corpus.jsonl").open()]
    assert [each["id"] for each in kept] == [0, 3]
    assert kept[0]["text"] == "Keep this.  And this."
    assert '"x": NaN' in (tmp_path / "out" / "corpus.jsonl").read_text()
    assert (record["cut"], record["removed"], record["untouched"]) == (1, 2, 1)
    ledger = ledger_of(record)
    assert [(each["line"], each["action"]) for each in ledger] == [
        (1, "span"), (2, "document"), (3, "document"),
    ]  # fmt: skip
    assert [span["round"] for span in ledger[1]["spans"]] == [1, 2]
    assert ledger[1]["spans"][1]["text"].split() == words


def test_what_stands_between_two_spans_stays(
    command: Command, problems: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps({"text": f"{QUESTION} x {ANSWER}"}) + "\n")
    record = clean(command, corpus, "-b", problems, "-o", tmp_path / "out", "--remove", "spans")
    assert [entry["text"] for entry in ledger_of(record)] == [QUESTION, ANSWER]
    assert json.loads((tmp_path / "out" / "corpus.jsonl").read_text())["text"] == " x "


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_stay_compressed(
    command: Command, problems: Path, tmp_path: Path, suffix: str
) -> None:
    data = f"a line\n{QUESTION}\r\nthe last".encode()
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    packed = gzip.compress(data) if suffix == ".gz" else zstandard.compress(data)
    (folder / f"lines.txt{suffix}").write_bytes(packed)
    (folder.parent / "other.jsonl").write_text('{"text": "x"}\n')
    options = ("-b", problems, "-o", tmp_path / "out", "--text-unit", "line")
    record = clean(command, folder.parent, *options)
    written = (tmp_path / "out" / "deep" / f"lines.txt{suffix}").read_bytes()
    zst = zstandard.ZstdDecompressor().decompressobj().decompress
    unpack = gzip.decompress if suffix == ".gz" else zst
    assert unpack(written) == b"a line\nthe last"
    assert (record["files"], record["documents"], record["removed"]) == (2, 4, 1)


def test_text_files_as_documents(command: Command, problems: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.txt").write_text("nothing here\n")
    (folder / "bad.txt").write_text(f"line\n{ANSWER}\nline\n")
    record = clean(command, folder, "-b", problems, "-o", tmp_path / "a")
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["good.txt", "ledger.jsonl"]
    assert ledger_of(record)[0]["path"] == str(folder / "bad.txt")
    clean(command, folder, "-b", problems, "-o", tmp_path / "b", "--remove", "spans")
    assert (tmp_path / "b" / "bad.txt").read_text() == "line\n\nline\n"


def test_an_index_as_benchmark(command: Command, problems: Path, tmp_path: Path) -> None:
    gramdex.build(problems, tmp_path / "b.gdx", read=gramdex.ReadOptions(text_field="question"))
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps({"text": QUESTION}) + "\n" + json.dumps({"text": ANSWER}) + "\n")
    record = clean(command, corpus, "-b", tmp_path / "b.gdx", "-o", tmp_path / "out")
    (entry,) = ledger_of(record)
    assert (entry["line"], entry["spans"][0]["examples"]) == (1, ["b.gdx:0"])


def test_what_is_cleaned_is_clean(command: Command, problems: Path, tmp_path: Path) -> None:
    rng = random.Random(3)
    texts = [invented(n, 30) for n in range(10, 20)]
    for number in (1, 4, 7):
        at = rng.randrange(20)
        texts[number] = f"{texts[number]} {' '.join(QUESTION.title().split()[: 13 + at // 4])}"
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    for remove in ("documents", "spans"):
        out = tmp_path / remove
        clean(command, corpus, "-b", problems, "-o", out, "--remove", remove)
        gramdex.build(out / "corpus.jsonl", tmp_path / f"{remove}.gdx")
        report = command(
            "contamination", tmp_path / f"{remove}.gdx", problems, "-o", tmp_path / f"r-{remove}",
            "--normalize", "all", "--json",
        ).json  # fmt: skip
        assert report["checked"][0]["totals"]["both"]["ngrams"]["dirty"] == 0


def test_bad_records_stop_or_are_kept(command: Command, problems: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    lines = b'{"text": "a"}\nno json\n{"body": "b"}\n{"text": "\xff"}\n'
    corpus.write_bytes(lines)
    out = tmp_path / "out"
    stopped = command("decontaminate", corpus, "-b", problems, "-o", out)
    assert stopped.code == 1
    assert "corpus.jsonl:2" in stopped.err
    assert "--on-error keep" in stopped.err
    assert not list(out.iterdir())
    record = clean(command, corpus, "-b", problems, "-o", out, "--on-error", "keep")
    assert (out / "corpus.jsonl").read_bytes() == lines
    assert (record["unreadable"], record["untouched"]) == (3, 1)
    assert [each["line"] for each in ledger_of(record)] == [2, 3, 4]
    assert {each["action"] for each in ledger_of(record)} == {"kept"}


def test_bad_arguments(command: Command, problems: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"text": "a"}\n')
    arrays = tmp_path / "ids.npy"
    arrays.write_bytes(b"")
    out = tmp_path / "out"
    for arguments, code in [
        ((corpus, "-o", out), 2),
        ((tmp_path / "absent.jsonl", "-o", out, "-b", problems), 1),
        ((arrays, "-o", out, "-b", problems), 2),
        ((corpus, "-o", out, "-b", problems, "--words", 0), 2),
        ((corpus, "-o", out, "-b", problems, "--normalize", "none"), 2),
        ((corpus, "-o", out, "-b", problems, "--normalize", "case"), 2),
        ((corpus, "-o", out, "-b", problems, "--remove", "lines"), 2),
        ((corpus, "-o", out, "-b", problems, "--on-error", "skip"), 2),
        ((corpus, "-o", tmp_path, "-b", problems), 1),
    ]:
        outcome = command("decontaminate", *arguments)
        assert outcome.code == code, (arguments, outcome)
        assert "Traceback" not in outcome.err
    shown = command("decontaminate", corpus, "-o", out, "-b", problems)
    assert shown.code == 0
    assert "2 texts of the benchmarks: fewer than 13 words" in shown.err
    assert "untouched" in shown.out
