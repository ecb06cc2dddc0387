"""JSON lines: what is kept, and what a bad line gives."""

import gzip
import json
from itertools import pairwise

import fsspec
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.errors import EmptyFileError, InputError, RecordError
from gramdex.indexer.readers import InputFile, ReadOptions, jsonl, list_inputs, read
from gramdex.indexer.records import BadRecord, Record

FS = fsspec.filesystem("memory")
URL = "memory://c.jsonl"
TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=40), min_size=1, max_size=8)


def records(data, **options):
    FS.pipe("/c.jsonl", data)
    return list(read(InputFile(URL, "jsonl", None, len(data)), ReadOptions(**options)))


def error_of(line, **options):
    """The error of a bad line, which the good one after it survives."""
    bad, good = records(line + b'\n{"text": "good"}\n', **options)
    assert (good.data, good.metadata["line"]) == ("good", 2)
    assert type(bad.error) is RecordError
    assert bad.error.thing == f"{URL}:1"
    assert bad.error.expected
    return bad.error


@settings(derandomize=True, deadline=None, max_examples=80)
@given(
    texts=TEXTS,
    cuts=st.lists(st.integers(0, 400), max_size=3),
    suffix=st.sampled_from(["", ".gz", ".zst"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    ascii_=st.booleans(),
    final=st.booleans(),
)
def test_texts_come_back(texts, cuts, suffix, newline, ascii_, final):
    rows = [json.dumps({"text": text}, ensure_ascii=ascii_) for text in texts]
    data = (newline.join(rows) + newline * final).encode()
    cuts = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    members = [data[a:b] for a, b in pairwise(cuts)]
    compress = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}[suffix]
    FS.pipe(f"/round.jsonl{suffix}", b"".join(map(compress, members)))
    (file,) = list_inputs([f"memory://round.jsonl{suffix}"], ReadOptions())
    assert list(read(file, ReadOptions())) == [
        Record(text, {"path": file.url, "line": k}, f"{file.url}:{k}")
        for k, text in enumerate(texts, 1)
    ]


def test_local_file_streams(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two"}\n')
    (file,) = list_inputs([path], ReadOptions())
    stream = read(file, ReadOptions())
    assert next(stream) == Record("one", {"path": str(path), "line": 1}, f"{path}:1")
    stream.close()


def test_metadata_loses_nothing():
    row = {
        "path": "p",
        "line": [1, {"a": None}],
        "source": 1.5,
        "fields": True,
        "text": "t",
        "é": "ü",
    }
    (record,) = records(json.dumps(row).encode())
    kept = {name: value for name, value in row.items() if name != "text"}
    assert record == Record("t", {"path": URL, "line": 1, "fields": kept}, f"{URL}:1")
    (record,) = records(json.dumps(row).encode(), metadata_fields=("source", "absent"))
    assert record.metadata == {"path": URL, "line": 1, "fields": {"source": 1.5}}
    (record,) = records(json.dumps(row).encode(), metadata_fields=())
    assert record.metadata == {"path": URL, "line": 1}
    (record,) = records(json.dumps(row).encode(), text_field="path", metadata_fields=("text",))
    assert (record.data, record.metadata["fields"]) == ("p", {"text": "t"})


def test_metadata_is_strict_json():
    (record,) = records(
        b'{"text":"", "a": NaN, "b": [-Infinity, 1e999], "c": 2.5, "n": 12345678901234567890123}'
    )
    fields = record.metadata["fields"]
    assert fields == {
        "a": "NaN",
        "b": ["-Infinity", "1e999"],
        "c": 2.5,
        "n": 12345678901234567890123,
    }
    assert json.loads(json.dumps(fields, allow_nan=False)) == fields


def test_accepted_as_it_is():
    assert [r.data for r in records(b'\xef\xbb\xbf{"text": "bom"}')] == ["bom"]
    assert [r.data for r in records(b'{"text": "a", "text": "b"}')] == ["b"]
    assert [r.data for r in records(b'  {"text": ""}  \r\n')] == [""]
    assert [r.data for r in records(b'{"text": "\\ud83d\\ude00 \\u0000"}')] == ["\U0001f600 \0"]
    assert [r.data for r in records('{"text": "\u2028\x85"}\n'.encode())] == ["\u2028\x85"]


def test_blank_lines_are_no_records_but_count():
    found = records(b'\n \t\r\n{"text": "a"}\n\n{"text": "b"}\n\n\n')
    assert [(r.data, r.metadata["line"]) for r in found] == [("a", 3), ("b", 5)]
    (bad,) = records(b"\xef\xbb\xbf\n \n\n")
    assert type(bad.error) in (InputError, EmptyFileError)
    assert bad.error.found == "an empty file"


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (b'{"text": "a"', 13),
        (b'{"text": nope}', 10),
        (b'{"text": "a"} {}', 15),
        (b"text", 1),
        (b'{"text": "\x01"}', 11),
    ],
)
def test_malformed_line_names_the_column(line, column):
    assert error_of(line).found.startswith(f"malformed JSON at column {column}: ")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"[1]", "an array"),
        (b'"a"', "a string"),
        (b"3", "a number"),
        (b"null", "null"),
        (b"true", "true"),
    ],
)
def test_not_an_object(line, kind):
    assert error_of(line).found == f"JSON {kind}"


def test_missing_text_field_lists_those_found():
    error = error_of(b'{"content": "a", "id": 1}')
    assert error.found == "fields 'content', 'id'"
    assert error.expected == "a field 'text'"
    assert error_of(b"{}").found == "fields none"
    many = json.dumps({f"f{k}": k for k in range(50)}).encode()
    assert error_of(many).found.endswith("'f19', …")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("null", "null"),
        ("1", "a number"),
        ("1.5", "a number"),
        ("false", "false"),
        ('["a"]', "an array"),
        ('{"a":1}', "an object"),
    ],
)
def test_text_that_is_no_string(value, kind):
    assert error_of(f'{{"text": {value}}}'.encode()).found == kind


def test_lone_surrogates():
    assert error_of(b'{"text": "a\\ud800b"}').found == "lone surrogate U+D800 in field 'text'"
    assert error_of(b'{"text": "\\uDFFF"}').found == "lone surrogate U+DFFF in field 'text'"
    bad = b'{"text": "a", "m": {"\\udc00": 1}}'
    assert error_of(bad).found == "lone surrogate U+DC00 in a metadata field"
    assert [r.data for r in records(bad, metadata_fields=())] == ["a"]


def test_invalid_utf8():
    assert error_of(b'{"text": "a\xff"}').found == "byte 0xff at byte 12 of the line"
    assert "0xed" in error_of(b'{"text": "\xed\xa0\x80"}').found


def test_nesting_and_digits_beyond_python():
    assert "nested too deeply" in error_of(b'{"text": ' + b"[" * 200_000).found
    assert "digits" in error_of(b'{"text": "", "n": ' + b"9" * 5000 + b"}").found


def test_line_too_long_is_not_held(monkeypatch):
    monkeypatch.setattr(jsonl, "MAX_LINE", 40)
    assert error_of(b'{"text": "' + b"a" * 100_000 + b'"}').found == "a line of more than 40 bytes"


def test_random_bytes_never_raise():
    rng = np.random.default_rng(5)
    for _ in range(200):
        data = rng.integers(0, 256, 60, dtype=np.uint8).tobytes().replace(b"3", b"\n")
        assert all(isinstance(record, BadRecord) for record in records(data))
