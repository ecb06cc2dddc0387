"""Query commands: answers, JSON, and what they say of bad questions."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from commanding import Command, write_jsonl

import gramdex
from gramdex.tools.queries_input import form_of, parse_ids
from gramdex.tools.tokens import covered, maximal_spans

ERROR_FIELDS = {"error", "thing", "found", "expected", "remedy", "exit_code"}


def test_count_says_what_the_library_says(command: Command, texts: Path) -> None:
    assert command("count", texts, "cat").out == "4  cat\n"
    many = command("count", texts, "cat", "the ", "zebra").out.splitlines()
    assert many == [f"{4:12}  cat", f"{7:12}  the ", f"{0:12}  zebra"]
    assert command("count", texts, "cat", "--json").json == {"query": "cat", "count": 4}
    assert command("count", texts, "--", "--json").out == "0  --json\n"


def test_many_queries_by_stdin_and_file(command: Command, texts: Path, tmp_path: Path) -> None:
    lines = [text for text in ("cat", "the ", " sat ", "é", "zebra") for _ in range(2000)]
    stdin = "".join(f"{line}\n" for line in lines).encode()
    found = command("count", texts, "--queries", "-", "--json", stdin=stdin).json_lines
    expected = gramdex.open(texts).count_batch(lines).tolist()
    assert [line["count"] for line in found] == expected
    assert [line["query"] for line in found] == lines
    assert [line["line"] for line in found] == list(range(1, len(lines) + 1))
    queries = tmp_path / "queries.jsonl"
    queries.write_text('"cat"\n[99, 97, 116]\n{"text": "cat", "id": 3}\n{"ids": [99]}\n""\n')
    counts = [
        line["count"] for line in command("count", texts, "--queries", queries, "--json").json_lines
    ]
    index = gramdex.open(texts)
    assert counts == [4, 4, 4, index.count([99]), index.token_count]


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("text", "\n"),
        ("text", "\xff"),
        ("ids", "12 x"),
        ("ids", "-3"),
        ("json", "{"),
        ("json", "[1.5]"),
        ("json", "[true]"),
        ("json", '{"text": "a", "ids": [1]}'),
        ("json", "{}"),
        ("json", "null"),
        ("ids", "5000"),
    ],
)
def test_a_bad_line_is_named(command: Command, texts: Path, form: str, line: str) -> None:
    good = {"text": b"cat\n", "ids": b"99\n", "json": b'"cat"\n'}[form]
    arguments = ("count", texts, "--queries", "-", "--queries-format", form)
    outcome = command(*arguments, stdin=good + line.encode("latin-1"))
    assert outcome.code == 2
    assert "stdin:2" in outcome.err
    assert "Traceback" not in outcome.err


def test_text_on_an_index_of_tokens(command: Command, words: Path) -> None:
    queries = ["the cat", "e c", "ca", "at o", "zebra"]
    index = gramdex.open(words)
    texts = [str(index.document(number).text) for number in range(index.document_count)]
    wanted = [sum(text.count(query) for text in texts) for query in queries]
    found = command("count", words, *queries, "--json").json_lines
    assert found == [{"query": q, "count": n} for q, n in zip(queries, wanted, strict=True)]
    ids = index.encode("the cat").tolist()
    encoded = command("count", words, "the cat", "--encode", "--json")
    assert encoded.json == {"query": "the cat", "count": index.count(ids), "ids": ids}
    assert "tokenizer" in encoded.err
    by_ids = command("count", words, "--ids", " ".join(map(str, ids)), "--json").json
    assert by_ids == {"query": ids, "count": index.count(ids)}
    assert "the cat" in command("documents", words, "the cat", "--encode").out
    shown = command("documents", words, "e c", "--json").json
    assert (shown["query"], shown["count"]) == ("e c", wanted[1])
    for document in shown["documents"]:
        for match in document["matches"]:
            assert document["text"][match["text_start"] : match["text_end"]] == "e c"
    assert "th«e c»at sat" in command("documents", words, "e c").out


def test_text_on_an_index_of_ids(command: Command, numbers: Path) -> None:
    refused = command("count", numbers, "the cat")
    assert refused.code == 2
    assert "without a tokenizer" in refused.err


def test_probabilities(command: Command, texts: Path, numbers: Path) -> None:
    expected = gramdex.open(texts).prob("ca", "t")
    record = command("prob", texts, "ca", "t", "--json").json
    assert record == {
        "context": "ca",
        "context_ids": [99, 97],
        "encoded": True,
        "token": "t",
        "prob": expected.prob,
        "context_count": 4,
        "count": 4,
    }
    assert command("prob", texts, "ca", "t").out.startswith("1  4 of the 4 times")
    assert command("prob", texts, "zzz", "t", "--json").json["prob"] is None
    assert "does not occur" in command("prob", texts, "zzz", "t").out
    record = command("prob", numbers, "1,2", "3", "--ids", "--json").json
    assert (record["prob"], record["token"], record["encoded"]) == (1 / 3, 3, False)
    assert command("prob", texts, "ca", "tt").code == 2
    assert command("prob", numbers, "1", "2,3", "--ids").code == 2
    assert command("prob", numbers, "text", "2").code == 2


def test_distributions(command: Command, texts: Path, numbers: Path) -> None:
    record = command("ntd", texts, "the ", "--limit", 1, "--json").json
    assert record["complete"] is False
    (top,) = record["tokens"]
    assert top == {"token": ord("c"), "text": "c", "count": 3, "prob": 3 / 7}
    full = command("ntd", texts, "the ", "--limit", 0, "--json").json
    assert full["complete"]
    total = sum(token["count"] for token in full["tokens"]) + full["end_count"]
    assert total == full["context_count"] == 7
    assert "--limit 0" in command("ntd", texts, "the ", "--limit", 1).out
    partial = command("ntd", texts, "na", "--limit", 0, "--json").json["tokens"]
    assert partial[0]["text"] is None  # the first byte of ï
    assert "b'\\xc3'" in command("ntd", texts, "na").out
    end = command("ntd", numbers, "1 2", "--ids", "--json").json
    assert (end["context_count"], end["end_count"]) == (3, 1)
    assert all(token["text"] is None for token in end["tokens"])
    assert "1 at the end of a document" in command("ntd", numbers, "1 2", "--ids").out
    assert command("ntd", texts, "the ", "--limit", -1).code == 2


def test_infgram(command: Command, texts: Path) -> None:
    expected = gramdex.open(texts).infgram_ntd("zebra cat")
    record = command("infgram", texts, "zebra cat", "--json").json
    assert record["suffix_length"] == expected.suffix_length == len("a cat") - 1
    assert record["context_count"] == expected.context_count
    assert (
        "the last 4 of 9 tokens occur 3 times: ' cat'" in command("infgram", texts, "zebra cat").out
    )
    one = command("infgram", texts, "zebra cat", " ", "--json").json
    assert one["prob"] == gramdex.open(texts).infgram_prob("zebra cat", " ").prob
    scores = command("infgram", texts, "the cat zzz", "--scores", "--json").json
    library = gramdex.open(texts).infgram_scores("the cat zzz")
    assert scores["probs"] == library.probs.tolist()
    assert scores["suffix_lengths"] == library.suffix_lengths.tolist()
    assert scores["zero_count"] == 3
    assert math.isfinite(scores["perplexity_of_seen"])
    assert "3 with share 0" in command("infgram", texts, "the cat zzz", "--scores").out
    assert command("infgram", texts, "a", "b", "--scores").code == 2


def test_match_reports_spans_in_no_longer_span(
    command: Command, texts: Path, tmp_path: Path
) -> None:
    text = "Lo, the cat sat on the sofa"
    record = command("match", texts, text, "--min-length", 8, "--json").json
    library = gramdex.open(texts).match(text)
    assert record["lengths"] == library.lengths.tolist()
    assert [span["text"] for span in record["spans"]] == [" the cat", "the cat sat on the "]
    assert record["covered"] == len(" the cat sat on the ")
    shown = command("match", texts, text, "--min-length", 8).out
    assert shown.startswith("Lo,« the cat sat on the »sofa")
    file = tmp_path / "text.txt"
    file.write_text(text)
    assert command("match", texts, "--file", file, "--min-length", 8).out == shown
    stdin = command("match", texts, "--file", "-", "--min-length", 8, stdin=text.encode())
    assert stdin.out == shown
    assert "no match of 20 tokens or more" in command("match", texts, "qqq").out
    assert command("match", texts).code == 2
    assert command("match", texts, "--file", tmp_path / "absent").code == 2


def test_match_of_tokens(command: Command, words: Path, numbers: Path) -> None:
    shown = command("match", words, "Lo, the cat sat on the sofa", "--min-length", 2).out
    assert "«" in shown
    assert shown.replace("«", "").replace("»", "").startswith("Lo, the cat sat on the sofa")
    assert "« 1 2 3 »" in command("match", numbers, "9 1 2 3 9", "--ids", "--min-length", 2).out


def test_spans_are_maximal_and_merge() -> None:
    import numpy as np

    lengths = np.array([0, 4, 3, 3, 2, 1, 0, 1])
    spans = maximal_spans(lengths, np.arange(8), 1)
    assert [(s.start, s.end, s.count) for s in spans] == [(1, 5, 1), (3, 6, 3), (7, 8, 7)]
    assert covered(spans) == [(1, 6), (7, 8)]
    assert [s.start for s in maximal_spans(lengths, lengths, 3)] == [1, 3]


def test_documents(command: Command, texts: Path, numbers: Path) -> None:
    record = command("documents", texts, "again", "--context", 4, "--json").json
    assert record["count"] == 3
    (document,) = record["documents"]
    assert document["number"] == 3
    assert document["metadata"]["line"] == 4
    match = document["matches"][0]
    assert document["text"][match["text_start"] : match["text_end"]] == "again"
    shown = command("documents", texts, "again").out
    assert shown.count("«again»") == 3
    assert "title: title 3" in shown
    assert "the first 1 document" in command("documents", texts, "cat", "--max-documents", 1).out
    assert "the first" not in command("documents", texts, "again", "--max-documents", 1).out
    whole = command("documents", texts, "--number", 2, "--json").json
    assert whole["text"] == "a dog and the cat; naïve \N{GRINNING FACE} data"
    ids = command("documents", numbers, "--ids", "1 2", "--json").json["documents"]
    assert [document["ids"] for document in ids] == [[1, 2, 3, 1, 2], [1, 2, 4]]
    assert "«1» «2» 3" in command("documents", numbers, "--ids", "1 2").out
    assert command("documents", texts, "--number", 99).code == 2
    assert command("documents", texts).code == 2
    assert command("documents", texts, "").code == 2


def test_info_and_verify(command: Command, texts: Path, words: Path, numbers: Path) -> None:
    record = command("info", texts, "--json").json
    index = gramdex.open(texts)
    assert (record["token_count"], record["document_count"]) == (index.token_count, 4)
    assert record["tokenizer"]["kind"] == "bytes"
    assert (record["raw_bytes"], record["raw_bytes_exact"]) == (index.token_count, True)
    assert set(record["bytes_by_file"]) == {"tokens", "suffixes", "documents", "metadata"}
    assert record["format_version"] >= 1
    about = command("info", words, "--json").json
    assert (about["raw_bytes"], about["raw_bytes_exact"]) == (record["raw_bytes"], True)
    assert command("info", numbers, "--json").json["raw_bytes"] is None
    assert "index / text" in command("info", texts).out
    checked = command("verify", texts, "--json")
    assert checked.json["suffixes"] == index.token_count + 4
    assert command("verify", texts).out.startswith("ok  ")


def test_an_error_is_one_object_under_json(command: Command, texts: Path, tmp_path: Path) -> None:
    for arguments, code, kind in [
        (("count", tmp_path / "absent", "a"), 4, "IncompleteIndexError"),
        (("count", texts, "--ids", "x"), 2, "QueryError"),
        (("count", texts, "--ids", "999"), 2, "QueryError"),
        (("count", texts), 2, "UsageError"),
        (("count", texts, "a", "--unknown"), 2, "UsageError"),
        (("nothing",), 2, "UsageError"),
        (("build", tmp_path / "absent.jsonl", "-o", tmp_path / "out"), 1, "InputError"),
    ]:
        outcome = command(*arguments, "--json")
        assert (outcome.code, outcome.out) == (code, "")
        error = outcome.json_error
        assert set(error) == ERROR_FIELDS
        assert (error["error"], error["exit_code"]) == (kind, code)
        assert error["thing"]
        assert error["found"]
        plain = command(*arguments)
        assert plain.code == code
        assert plain.err.count("error: ") == 1
        assert "Traceback" not in plain.err
        assert "Traceback" in command(*arguments, "--debug").err


def test_corpus_text_commands_no_terminal(command: Command, texts: Path) -> None:
    for arguments in [
        ("documents", texts, "bold"),
        ("match", texts, "the [bold]cat[/bold] sat\x1b[31m on \u202ethe hat\n"),
        ("count", texts, "\x1b[31m"),
        ("ntd", texts, "sat"),
        ("infgram", texts, "x\x1b[31m"),
        ("infgram", texts, "t\x1b[31m", "--scores"),
    ]:
        out = command(*arguments).out
        assert "\x1b" not in out
        assert "\u202e" not in out
    assert "[«bold»]cat[/«bold»]" in command("documents", texts, "bold").out
    assert "\\x1b[31m" in command("documents", texts, "bold").out


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(command: Command, texts: Path, columns: int) -> None:
    for arguments in [
        ("--help",),
        ("build", "--help"),
        ("count", "--help"),
        ("info", texts),
        ("verify", texts),
        ("ntd", texts, "the "),
        ("infgram", texts, "this is a long context that ends in the cat", "--limit", 3),
        ("infgram", texts, "the cat", "--scores"),
        ("match", texts, "I say: the cat sat on the mat again and again, my dog"),
        ("documents", texts, "cat"),
        ("prob", texts, "the ", "c"),
    ]:
        lines = command(*arguments, columns=columns).out.splitlines()
        assert lines
        assert [line for line in lines if len(line.rstrip()) > columns] == []


def test_ids_as_people_write_them() -> None:
    for text in ("12,5,9", "12 5 9", " 12, 5 ,9 ", "[12, 5, 9]", "12\t5  9"):
        assert parse_ids(text) == [12, 5, 9]
    assert parse_ids("") == parse_ids("[]") == []
    assert form_of("a.jsonl", None, True) == "json"
    assert form_of("-", None, True) == "ids"
    assert form_of("a.jsonl", "text", False) == "text"


def test_json_survives_every_text(command: Command, tmp_path: Path) -> None:
    wild = 'quote " backslash \\ tab \t nul \0 line\u2028sep \x9b31m \N{GRINNING FACE}'
    output = tmp_path / "index"
    gramdex.build(write_jsonl(tmp_path / "c.jsonl", [wild]), output)
    outcome = command("documents", output, "--number", 0, "--json")
    assert outcome.json["text"] == wild
    assert "\N{GRINNING FACE}" in outcome.out
    assert not {"\0", "\u2028", "\x9b"}.intersection(outcome.out)
