"""Arrays of ids: npy and raw, cut into documents and pieces."""

import gzip
import io

import fsspec
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.errors import EmptyFileError, InputError, RecordError, UsageError
from gramdex.indexer.readers import InputFile, ReadOptions, arrays, list_inputs, read
from gramdex.indexer.records import BadRecord, Record

FS = fsspec.filesystem("memory")
URL = "memory://a"
COMPRESS = {None: bytes, "gzip": gzip.compress, "zstd": zstandard.compress}


def npy(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array), version, allow_pickle=False)
    return out.getvalue()


def records(data, format_="npy", compression=None, **options):
    data = COMPRESS[compression](data)
    FS.pipe("/a", data)
    file = InputFile(URL, format_, compression, len(data))
    return list(read(file, ReadOptions(**options)))


def documents(found):
    """Lists of ids, after checks of what all records have to be."""
    done, pieces = [], []
    for record in found:
        assert isinstance(record, Record)
        assert record.metadata == {"path": URL, "document": len(done)}
        assert record.source == f"{URL}: document {len(done)}"
        assert record.data.ndim == 1
        assert record.data.dtype.isnative
        assert record.data.size <= arrays.PIECE
        assert record.data.size > 0 or not (pieces or record.continues)
        pieces.extend(record.data.tolist())
        if not record.continues:
            done.append(pieces)
            pieces = []
    assert pieces == []
    return done


def split(ids, separator):
    """Documents that `separator` ends, the last perhaps not ended."""
    done, current = [], []
    for token in ids:
        if token == separator:
            done.append(current)
            current = []
        else:
            current.append(token)
    return done + [current] * bool(current)


def only_error(found):
    (bad,) = found
    assert type(bad.error) in (InputError, EmptyFileError)
    assert bad.error.thing == URL
    return bad.error


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    ids=st.lists(st.sampled_from([0, 1, 1, 1, 2, 3]), min_size=1, max_size=60),
    separator=st.sampled_from([None, 0, 1, 9]),
    piece=st.integers(1, 12),
    dtype=st.sampled_from(["u1", "<u2", ">u2", "<u4", ">u4", "u8", "<i4", ">i8"]),
    compression=st.sampled_from([None, "gzip", "zstd"]),
    raw=st.booleans(),
)
def test_documents_as_naively_split(ids, separator, piece, dtype, compression, raw):
    array = np.array(ids, dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "PIECE", piece)
        data = array.tobytes() if raw else npy(array)
        options = {"separator_id": separator, "dtype": dtype}
        found = records(data, "raw" if raw else "npy", compression, **options)
        expected = split(ids, separator) if separator is not None else [ids]
        assert documents(found) == expected
        assert {record.data.dtype for record in found} <= {array.dtype.newbyteorder("=")}
        # A document is cut only where the next part would not fit.
        sizes = [(record.data.size, record.continues) for record in found]
        assert all(size + piece > piece for size, continues in sizes if continues)
        assert all(
            not record.continues
            for record in found
            if len(expected[record.metadata["document"]]) <= piece
        )


@settings(derandomize=True, deadline=None, max_examples=100)
@given(rows=st.integers(0, 6), columns=st.integers(0, 9), piece=st.integers(1, 12))
def test_rows_of_a_matrix(rows, columns, piece):
    matrix = np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "PIECE", piece)
        found = records(npy(matrix))
        if rows == 0:
            assert only_error(found).found == "an empty file"
        else:
            assert documents(found) == matrix.tolist()


def test_matrix_with_separator_is_one_stream():
    matrix = np.array([[1, 2, 0], [3, 4, 5], [6, 0, 0]], np.int32)
    assert documents(records(npy(matrix), separator_id=0)) == [[1, 2], [3, 4, 5, 6], []]


def test_separators_at_the_borders():
    def cut(ids):
        return documents(
            records(np.array(ids, np.uint16).tobytes(), "raw", dtype="u2", separator_id=0)
        )

    assert cut([0]) == [[]]
    assert cut([0, 0, 5, 0]) == [[], [], [5]]
    assert cut([5, 6]) == [[5, 6]]
    assert cut([5, 0, 6]) == [[5], [6]]


def test_negative_separator_is_one():
    ids = np.array([4, -1, 5, 6, -1], np.int32)
    assert documents(records(npy(ids), separator_id=-1)) == [[4], [5, 6]]


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_header_versions(version):
    data = npy(np.arange(9, dtype=">u4"), version)
    assert data[6] == version[0]
    assert documents(records(data)) == [list(range(9))]


def test_numpy_save_and_tofile_on_disk(tmp_path):
    ids = np.arange(1000, dtype=np.uint32)
    np.save(tmp_path / "a.npy", ids)
    ids.tofile(tmp_path / "b.u32")
    options = ReadOptions(dtype="uint32")
    files = list_inputs([tmp_path], options)
    assert [file.tokenized for file in files] == [True, True]
    for file in files:
        (record,) = read(file, options)
        assert record.metadata == {"path": file.url, "document": 0}
        np.testing.assert_array_equal(record.data, ids, strict=True)


@pytest.mark.parametrize("piece", [2, 3, 1 << 20])
def test_negative_ids_spoil_one_document(monkeypatch, piece):
    monkeypatch.setattr(arrays, "PIECE", piece)
    ids = np.array([1, 2, 0, 3, 3, 3, 3, 3, -7, 3, -8, 0, 4, 0], np.int64)
    found = records(npy(ids), separator_id=0)
    (bad,) = [record for record in found if isinstance(record, BadRecord)]
    assert type(bad.error) is RecordError
    assert bad.error.thing == f"{URL}: document 1"
    assert bad.error.found == "id -7 at position 8 of the file"
    where = found.index(bad)
    assert all(record.continues for record in found[1:where])
    assert [record.data.tolist() for record in (found[0], *found[where + 1 :])] == [[1, 2], [4]]
    assert found[-1].metadata["document"] == 2


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros(3), "dtype float64"),
        (np.zeros(3, bool), "dtype bool"),
        (np.zeros(3, "S2"), "dtype |S2"),
        (np.zeros(3, [("a", "i4")]), "dtype [('a', '<i4')]"),
        (np.array(3), "shape ()"),
        (np.zeros((1, 2, 3), int), "shape (1, 2, 3)"),
        (np.asfortranarray(np.ones((3, 4), int)), "a 2-D array in Fortran order"),
    ],
)
def test_arrays_that_hold_no_documents(array, found):
    assert only_error(records(npy(array))).found == found


def test_pickles_are_never_loaded():
    out = io.BytesIO()
    np.save(out, np.array([print], dtype=object), allow_pickle=True)
    assert only_error(records(out.getvalue())).found == "dtype object"


@pytest.mark.parametrize("change", ["magic", "version", "header", "cut header"])
def test_bad_header(change):
    data = bytearray(npy(np.arange(4)))
    if change == "magic":
        data[0] = 0
    elif change == "version":
        data[6] = 9
    elif change == "header":
        data[12:20] = b"[(((((((("[:8]
    else:
        del data[20:]
    assert only_error(records(bytes(data))).found


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_sizes_that_disagree_with_the_header(monkeypatch, compression):
    monkeypatch.setattr(arrays, "PIECE", 4)
    data = npy(np.arange(10, dtype=np.uint16))
    *pieces, bad = records(data[:-3], "npy", compression)
    assert bad.error.found == "8 ids of the 10 of its header"
    assert all(piece.continues for piece in pieces)
    *pieces, bad = records(data + b"\0", "npy", compression)
    assert bad.error.found == "bytes after the 10 ids of its header"
    assert all(piece.continues for piece in pieces)
    assert only_error(records(npy(np.zeros((3, 0), int)) + b"x")).found.startswith("bytes after")


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
def test_raw_size_that_is_no_multiple(compression):
    error = only_error(records(b"12345", "raw", compression, dtype="<u4", separator_id=0))
    assert error.found == "5 bytes"
    assert error.expected == "a multiple of the 4 bytes of uint32"


@pytest.mark.parametrize("separator", [-1, 65536])
@pytest.mark.parametrize("format_", ["npy", "raw"])
def test_separator_that_cannot_occur(separator, format_):
    ids = np.arange(4, dtype=np.uint16)
    data = npy(ids) if format_ == "npy" else ids.tobytes()
    error = only_error(records(data, format_, dtype="uint16", separator_id=separator))
    assert error.found == f"dtype uint16, which cannot hold separator {separator}"


def test_raw_without_dtype_never_reads():
    with pytest.raises(UsageError, match="no dtype"):
        records(b"12", "raw")
