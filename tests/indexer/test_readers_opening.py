"""Compressed streams, file systems that fail, and files that are over."""

import gzip
import io
import pickle
import random

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.errors import EmptyFileError, InputError, RecordError
from gramdex.indexer.readers import InputFile, ReadOptions, list_inputs, opening, read
from gramdex.indexer.readers.opening import lines, open_stream
from gramdex.indexer.records import BadRecord, Record

FS = fsspec.filesystem("memory")
COMPRESS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}
SKIPPABLE = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"


def stored(data, compression=None, format_="text"):
    FS.pipe("/opening", data)
    return InputFile("memory://opening", format_, compression, len(data))


def whole(data, compression):
    with open_stream(stored(data, compression), ReadOptions()) as stream:
        return stream.read()


def the_error(file, options=None):
    *records, last = read(file, options or ReadOptions())
    assert isinstance(last, BadRecord)
    assert all(not isinstance(record, BadRecord) for record in records)
    assert type(last.error) in (InputError, EmptyFileError)
    assert last.error.thing == file.url
    assert last.error.remedy
    return last.error


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    parts=st.lists(st.binary(max_size=200), max_size=6),
    compression=st.sampled_from(["gzip", "zstd"]),
    buffer=st.sampled_from([1, 3, 64, 1 << 20]),
)
def test_every_member_and_frame_is_read(parts, compression, buffer):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "BUFFER", buffer)
        patch.setattr(opening, "ZSTD_FEED", 7)
        data = b"".join(map(COMPRESS[compression], parts))
        assert whole(data, compression) == b"".join(parts)


def test_zstd_skippable_frames_streamed_frames_and_checksums():
    streamed = io.BytesIO()
    with zstandard.ZstdCompressor(write_checksum=True).stream_writer(
        streamed, closefd=False
    ) as out:
        out.write(b"no content size")
    data = SKIPPABLE + streamed.getvalue() + SKIPPABLE + COMPRESS["zstd"](b" two") + SKIPPABLE
    assert whole(data, "zstd") == b"no content size two"


def test_zstd_long_window():
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    streamed = io.BytesIO()
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    with compressor.stream_writer(streamed, closefd=False) as out:
        out.write(b"abc" * 1000)
    assert whole(streamed.getvalue(), "zstd") == b"abc" * 1000


def test_zstd_that_expands_much_comes_in_bounded_pieces(monkeypatch):
    data = COMPRESS["zstd"](bytes(200 << 20))
    sizes = []
    decompress = opening._ZstdFrames._decompress

    def spy(self):
        piece = decompress(self)
        sizes.append(len(piece))
        return piece

    monkeypatch.setattr(opening._ZstdFrames, "_decompress", spy)
    with open_stream(stored(data, "zstd"), ReadOptions()) as stream:
        total = sum(map(len, iter(lambda: stream.read(1 << 20), b"")))
    assert total == 200 << 20
    assert max(sizes) <= 32 << 20


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("members", [1, 2])
def test_truncated_at_every_byte(compression, members):
    member = COMPRESS[compression](random.Random(3).randbytes(40))
    data = member * members
    whole_members = {len(member) * k for k in range(members + 1)}
    for end in range(1, len(data)):
        if end in whole_members:
            continue
        with pytest.raises(InputError, match=r"ends early|damaged") as caught:
            whole(data[:end], compression)
        assert caught.value.thing == "memory://opening"


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_damage_is_an_error(compression):
    text = b"some text, some more text and some text again\n" * 50
    data = zstandard.ZstdCompressor(write_checksum=True).compress(text)
    data = data if compression == "zstd" else gzip.compress(text)
    flipped = bytearray(data)
    flipped[-5] ^= 1  # in the checksum of either
    flipped[-3] ^= 1
    error = the_error(stored(bytes(flipped), compression))
    assert f"its {compression} stream is damaged" in error.found
    error = the_error(stored(data + b"tail of junk", compression))
    assert f"its {compression} stream is damaged" in error.found
    assert f"its {compression} stream is damaged" in the_error(stored(text, compression)).found


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
@pytest.mark.parametrize("format_", ["jsonl", "parquet", "npy", "raw"])
def test_empty_file(format_, compression):
    data = b"" if compression is None else COMPRESS[compression](b"")
    if format_ == "parquet":
        data = b""
    error = the_error(stored(data, compression, format_), ReadOptions(dtype="uint16"))
    assert error.found == "an empty file"
    assert the_error(stored(b"", compression, format_), ReadOptions(dtype="uint16"))


@pytest.mark.parametrize("format_", ["jsonl", "parquet", "text", "npy", "raw"])
def test_missing_file_and_refused_permission(format_, monkeypatch):
    options = ReadOptions(dtype="uint16")
    assert the_error(InputFile("memory://absent", format_), options).found.startswith("no such")

    def refuse(self, path, mode="rb", **_):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(MemoryFileSystem, "_open", refuse)
    assert the_error(stored_name(format_), options).found == "permission denied"


def stored_name(format_):
    return InputFile("memory://opening", format_)


class Flaky(io.BytesIO):
    """A file whose network is gone after so many bytes."""

    limit = 1000

    def read(self, size=-1):
        if self.tell() >= self.limit:
            raise ConnectionResetError("the peer went away")
        return super().read(min(size, self.limit - self.tell()))


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_file_system_that_fails_midway(monkeypatch, compression):
    rows = [
        b'{"text": "%d %s"}\n' % (k, random.Random(k).randbytes(30).hex().encode())
        for k in range(99)
    ]
    data = b"".join(rows)
    data = data if compression is None else COMPRESS[compression](data)
    assert len(data) > Flaky.limit
    monkeypatch.setattr(MemoryFileSystem, "_open", lambda *_, **__: Flaky(data))
    monkeypatch.setattr(opening, "BUFFER", 100)
    error = the_error(InputFile("memory://opening", "jsonl", compression))
    assert error.found == "cannot be read: the peer went away"
    if compression is None:
        records = list(read(InputFile("memory://opening", "jsonl"), ReadOptions()))
        assert len(records) > 5


def test_lines_over_the_limit_are_passed_over(monkeypatch):
    monkeypatch.setattr(opening, "BUFFER", 4)
    data = b"12345\n123456\n\n" + b"x" * 50 + b"\n1234\r\n123456"
    assert list(lines(io.BufferedReader(io.BytesIO(data)), 5)) == [
        (1, b"12345\n"),
        (2, None),
        (3, b"\n"),
        (4, None),
        (5, b"1234\r\n"),
        (6, None),
    ]


def test_errors_cross_processes():
    for error in (the_error(stored(b"junk", "gzip")), RecordError("a:1", "b", "c", "d")):
        copy = pickle.loads(pickle.dumps(BadRecord(error))).error
        assert (type(copy), str(copy)) == (type(error), str(error))


@pytest.mark.parametrize("format_", ["jsonl", "text", "npy", "parquet"])
def test_bytes_are_told_as_they_are_read(format_, tmp_path):
    path = tmp_path / f"file.{ {'text': 'txt'}.get(format_, format_) }"
    if format_ == "parquet":
        pq.write_table(pa.table({"text": ["some text"] * 1000}), path)
    elif format_ == "npy":
        np.save(path, np.arange(3_000_000, dtype=np.uint16))
    else:
        path.write_text('{"text": "some text"}\n' * 100_000)
    told = []
    options = ReadOptions(on_bytes=told.append)
    (file,) = list_inputs([path], options)
    assert all(isinstance(record, Record) for record in read(file, options))
    assert 0.9 * path.stat().st_size <= sum(told) <= 2.1 * path.stat().st_size
