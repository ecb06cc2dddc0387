"""Plain text by file and by line."""

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.errors import EmptyFileError, InputError, RecordError
from gramdex.indexer.readers import InputFile, ReadOptions, opening, read, text
from gramdex.indexer.records import Record

FS = fsspec.filesystem("memory")
URL = "memory://a.txt"
LINE = ReadOptions(text_unit="line")
TEXT = st.text(st.sampled_from("ab\n\r é\u20ac\U0001f600\ufeff"), min_size=1, max_size=60)


def records(data, options=None):
    FS.pipe("/a.txt", data)
    return list(read(InputFile(URL, "text", None, len(data)), options or ReadOptions()))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(content=TEXT, piece=st.integers(4, 20), buffer=st.sampled_from([1, 5, 1 << 20]))
def test_pieces_make_up_the_text(content, piece, buffer):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "PIECE", piece)
        patch.setattr(text, "BUFFER", buffer)
        found = records(content.encode())
    assert "".join(record.data for record in found) == content
    assert [record.continues for record in found] == [True] * (len(found) - 1) + [False]
    for record in found:
        size = len(record.data.encode())
        assert record.metadata == {"path": URL}
        assert 0 < size <= piece
        if record.continues and not record.data.endswith("\n"):
            assert "\n" not in record.data
            assert size > piece - 4


def test_a_file_of_one_piece_is_one_record(monkeypatch):
    content = "\ufeffone\r\ntwo\rthree\n\n"
    size = len(content.encode())
    for piece in (size, size + 1):
        monkeypatch.setattr(text, "PIECE", piece)
        assert records(content.encode()) == [Record(content, {"path": URL}, URL)]
    monkeypatch.setattr(text, "PIECE", size - 1)
    assert [r.data for r in records(content.encode())] == ["\ufeffone\r\ntwo\rthree\n", "\n"]


@pytest.mark.parametrize("piece", [4, 7, 100])
@pytest.mark.parametrize("buffer", [1, 3, 1 << 20])
@pytest.mark.parametrize(
    ("data", "byte", "offset"),
    [
        (b"good \xff bad", 0xFF, 5),
        (b"0123456789012345678\xc3", 0xC3, 19),
        ("ééééé".encode() + b"\xe2\x82", 0xE2, 10),
        (b"a" * 30 + b"\xed\xa0\x80", 0xED, 30),
    ],
)
def test_invalid_bytes_give_one_error_and_no_piece(monkeypatch, piece, buffer, data, byte, offset):
    monkeypatch.setattr(text, "PIECE", piece)
    monkeypatch.setattr(text, "BUFFER", buffer)
    (bad,) = records(data)
    assert type(bad.error) is RecordError
    assert bad.error.thing == URL
    assert bad.error.found == f"byte 0x{byte:02x} at byte offset {offset} of the file"


def test_file_that_changes_between_the_passes(monkeypatch):
    monkeypatch.setattr(text, "PIECE", 8)
    monkeypatch.setattr(text, "_find_bad_byte", lambda *_: None)
    *pieces, bad = records(b"0123456\n\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80")
    assert [(piece.data, piece.continues) for piece in pieces] == [("0123456\n", True)]
    assert type(bad.error) in (InputError, EmptyFileError)
    assert "changed" in bad.error.found


@settings(derandomize=True, deadline=None, max_examples=150)
@given(content=TEXT)
def test_lines(content):
    expected = content.split("\n")
    ended = expected[:-1]
    expected = [line.removesuffix("\r") for line in ended] + [expected[-1]] * bool(expected[-1])
    assert records(content.encode(), LINE) == [
        Record(line, {"path": URL, "line": k}, f"{URL}:{k}") for k, line in enumerate(expected, 1)
    ]


def test_bad_lines(monkeypatch):
    monkeypatch.setattr(text, "MAX_LINE", 12)
    monkeypatch.setattr(opening, "BUFFER", 16)
    found = records(b"one\nt\xffo\n" + b"x" * 1000 + b"\n\nfive", LINE)
    assert [getattr(record, "data", None) for record in found] == ["one", None, None, "", "five"]
    assert str(found[1].error).startswith(f"{URL}:2: byte 0xff at byte offset 1 of the line")
    assert str(found[2].error).startswith(f"{URL}:3: a line of more than 12 bytes")
