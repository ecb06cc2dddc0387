"""``gramdex build``: options, the plan, warnings, and values as people write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commanding import Command, write_jsonl

import gramdex
from gramdex.errors import UsageError
from gramdex.tools.arguments import parse_amount, parse_size
from gramdex.tools.output import amount, clock, duration, percent, shorten, size


def test_build_states_its_plan_and_reports(command: Command, tmp_path: Path) -> None:
    corpus = write_jsonl(tmp_path / "corpus.jsonl", ["one two", "three"])
    outcome = command("build", corpus, "-o", tmp_path / "index")
    assert outcome.code == 0
    for word in ("input", "tokenizer  bytes", "memory", "disk", "gramdex info"):
        assert word in outcome.err
    assert "tokens     12" in outcome.out
    again = command("build", corpus, "-o", tmp_path / "index")
    assert again.code == 1
    assert "a finished index" in again.err


def test_every_option_reaches_the_build(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    lines = ['{"body": "abc", "a": 1, "b": 2}', "no json", '{"body": "", "a": 1}']
    (folder / "one.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "two.other").write_text("not this")
    output = tmp_path / "index"
    outcome = command(
        *("build", folder, "-o", output, "--include", "*.jsonl", "--text-field", "body"),
        *("--metadata-field", "a", "--on-error", "skip", "--on-empty", "keep", "--json"),
        *("--shard-tokens", "1k", "--memory", "2GiB", "--workers", 1, "--format", "jsonl"),
    )
    report = outcome.json
    assert (report["token_count"], report["document_count"]) == (3, 2)
    assert (report["skipped_records"], report["workers"]) == (1, 1)
    assert report["warnings"]
    assert "warning: 1 bad record" in outcome.err
    metadata = gramdex.open(output).document(0).metadata
    assert metadata["fields"] == {"a": 1}
    none = command("build", folder / "one.jsonl", "-o", tmp_path / "b", "--text-field", "body",
                   "--no-metadata", "--on-error", "skip")  # fmt: skip
    assert none.code == 0
    assert "fields" not in gramdex.open(tmp_path / "b").document(0).metadata


def test_ids_without_a_tokenizer(command: Command, tmp_path: Path) -> None:
    np.array([1, 2, 9, 3, 9], "<u2").tofile(tmp_path / "ids.bin")
    arguments = ["build", tmp_path / "ids.bin", "-o", tmp_path / "index", "--format", "raw"]
    arguments += ["--dtype", "uint16", "--separator-id", 9, "--tokenizer", "none"]
    report = command(*arguments, "--vocabulary-size", 50, "--json").json
    assert (report["token_count"], report["document_count"]) == (3, 2)
    assert gramdex.open(tmp_path / "index").vocabulary_size == 50


@pytest.mark.parametrize(
    "bad",
    [
        ("--shard-tokens", "many"),
        ("--shard-tokens", "1"),
        ("--memory", "4 bananas"),
        ("--memory", "1MB"),
        ("--workers", "0"),
        ("--engine", "magic"),
        ("--on-error", "ignore"),
        ("--format", "docx"),
        ("--text-unit", "word"),
        ("--dtype", "float32"),
        ("--tokenizer", "unknown"),
        ("--no-metadata", "--metadata-field", "a"),
    ],
)
def test_bad_options_are_usage(command: Command, tmp_path: Path, bad: tuple[str, ...]) -> None:
    corpus = write_jsonl(tmp_path / "corpus.jsonl", ["one"])
    outcome = command("build", corpus, "-o", tmp_path / "index", *bad)
    assert outcome.code == 2, outcome
    assert "error: " in outcome.err
    assert not (tmp_path / "index").exists()


def test_numbers_as_people_write_them() -> None:
    for text, value in [("50M", 50_000_000), ("1e8", 10**8), ("1.5k", 1500), ("100_000", 10**5)]:
        assert parse_amount("n", text) == value
    for text, value in [("4GB", 4 * 10**9), ("4GiB", 4 << 30), ("500m", 5 * 10**8), ("7", 7)]:
        assert parse_size("n", text) == value
    for text in ("", "M", "1.5", "4GiB", "-3", "1e999", "nan", "0x10", "1e"):
        with pytest.raises(UsageError):
            parse_amount("n", text)
    for text in ("", "GB", "4XB", "4iB", "-1GB"):
        with pytest.raises(UsageError):
            parse_size("n", text)


def test_numbers_for_people() -> None:
    assert [size(n) for n in (0, 999, 1000, 158e6)] == ["0 bytes", "999 bytes", "1 kB", "158 MB"]
    assert [amount(n) for n in (7, 1234, 123_456, 2.5e6)] == ["7", "1.2k", "123k", "2.5M"]
    assert [clock(s) for s in (0, 65, 3725)] == ["0:00", "1:05", "1:02:05"]
    assert [duration(s) for s in (4.2e-6, 0.0123, 1.5, 125)] == [
        "4.2 µs",
        "12.3 ms",
        "1.5 s",
        "2:05",
    ]
    assert [percent(p) for p in (0, 1e-6, 0.123, 0.99999, 1)] == [
        *("0 %", "<0.01 %", "12.3 %", "100.00 %", "100 %")
    ]
    assert shorten("abc\ndefgh", 6) == "abc\\n…"
