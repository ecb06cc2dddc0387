"""Parquet: columns, values as JSON, and files that are none."""

import datetime
import decimal
import json
import sys

import fsspec
import pytest

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402

from gramdex.errors import EmptyFileError, InputError, RecordError, UsageError  # noqa: E402
from gramdex.indexer.readers import (  # noqa: E402
    InputFile,
    ReadOptions,
    list_inputs,
    parquet,
    read,
)
from gramdex.indexer.records import Record  # noqa: E402

URL = "memory://c.parquet"
FS = fsspec.filesystem("memory")


def store(table, **options):
    with FS.open("/c.parquet", "wb") as out:
        pq.write_table(table, out, **options)


def records(table=None, write=None, **options):
    if table is not None:
        store(table if isinstance(table, pa.Table) else pa.table(table), **(write or {}))
    return list(read(InputFile(URL, "parquet"), ReadOptions(**options)))


def fields_of(column, **options):
    (record,) = records({"text": ["t"], "m": column}, **options)
    fields = record.metadata["fields"]
    assert json.loads(json.dumps(fields, allow_nan=False)) == fields
    return fields["m"]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
)
@pytest.mark.parametrize("batch", [1, 3, 256])
def test_texts_over_row_groups_and_batches(monkeypatch, kind, batch):
    monkeypatch.setattr(parquet, "BATCH_ROWS", batch)
    texts = [f"text {k} é" * (k % 4) for k in range(23)]
    table = pa.table({"id": range(23), "text": pa.array(texts).cast(kind)})
    found = records(table, {"row_group_size": 5})
    assert found == [
        Record(
            text,
            {"path": URL, "document": k, "fields": {"id": k}},
            f"{URL}: document {k}",
        )
        for k, text in enumerate(texts)
    ]


def test_local_file(tmp_path):
    pq.write_table(pa.table({"text": ["a", "b"]}), tmp_path / "a.parquet")
    (file,) = list_inputs([tmp_path], ReadOptions())
    assert [record.data for record in read(file, ReadOptions())] == ["a", "b"]


def test_columns_kept():
    table = {"a": [1], "text": ["t"], "path": ["p"], "body": ["u"]}
    (record,) = records(table)
    assert record.metadata["fields"] == {"a": 1, "path": "p", "body": "u"}
    (record,) = records(table, metadata_fields=())
    assert record.metadata == {"path": URL, "document": 0}
    (record,) = records(table, text_field="body", metadata_fields=("path",))
    assert (record.data, record.metadata["fields"]) == ("u", {"path": "p"})


@pytest.mark.parametrize("options", [{"text_field": "content"}, {"metadata_fields": ("content",)}])
def test_missing_column_lists_those_found(options):
    (bad,) = records({"text": ["a"], "id": [1]}, **options)
    assert type(bad.error) in (InputError, EmptyFileError)
    assert bad.error.thing == URL
    assert bad.error.found == "columns 'text', 'id'"
    assert bad.error.expected == "a column 'content'"


@pytest.mark.parametrize("values", [[1], [b"a"], [["a"]], pa.array([None], pa.null())])
def test_column_that_is_no_text(values):
    (bad,) = records({"text": values})
    assert type(bad.error) in (InputError, EmptyFileError)
    assert bad.error.found.startswith("column 'text' of type ")


def test_columns_of_one_name():
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    (bad,) = records(table)
    assert bad.error.found == "several columns 'text'"


def test_null_and_broken_texts_are_records():
    broken = pa.Array.from_buffers(
        pa.string(), 4, pa.array([b"ok", None, b"\xff!", b"end"], pa.binary()).buffers()
    )
    a, null, invalid, b = records({"text": broken})
    assert (a.data, b.data, b.metadata["document"]) == ("ok", "end", 3)
    assert type(null.error) is type(invalid.error) is RecordError
    assert null.error.thing == f"{URL}: document 1"
    assert null.error.found == "null in column 'text'"
    assert invalid.error.thing == f"{URL}: document 2"
    assert "not UTF-8 at byte offset 0" in invalid.error.found


def test_values_as_json():
    assert (
        fields_of(pa.array([datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=datetime.UTC)]))
        == "2024-05-06T07:08:09+00:00"
    )
    assert fields_of(pa.array([datetime.date(2024, 5, 6)])) == "2024-05-06"
    assert fields_of(pa.array([datetime.time(1, 2, 3)])) == "01:02:03"
    assert fields_of(pa.array([1714979289123456789], pa.timestamp("ns"))).startswith("2024-05-06")
    assert fields_of(pa.array([2**49], pa.timestamp("ms"))).startswith("19809-")
    assert str(2**50) in fields_of(pa.array([2**50], pa.timestamp("ms")))
    assert fields_of(pa.array([b"\x00\xff"])) == "AP8="
    assert fields_of(pa.array([decimal.Decimal("1.20")])) == "1.20"
    assert fields_of(pa.array([float("nan")])) == "NaN"
    assert fields_of(pa.array([[1.5, float("-inf")]])) == [1.5, "-Infinity"]
    assert fields_of(pa.array([{"a": [True, None], "b": {"c": b""}}])) == {
        "a": [True, None],
        "b": {"c": ""},
    }
    assert fields_of(pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8()))) == [["k", 1]]
    assert fields_of(pa.array([None], pa.null())) is None


@pytest.mark.parametrize("damage", ["text", "magic", "cut", "footer"])
def test_not_a_parquet_file(damage):
    store(pa.table({"text": ["some text"] * 9}))
    data = FS.cat("/c.parquet")
    broken = {
        "text": b"not a parquet file, but longer than its footer",
        "magic": b"PAR1",
        "cut": data[:-20],
        "footer": data[:-200] + bytes(192) + data[-8:],
    }
    FS.pipe("/c.parquet", broken[damage])
    (bad,) = records()
    assert type(bad.error) in (InputError, EmptyFileError)
    assert bad.error.found.startswith("cannot be read: ")


def test_damaged_page_ends_the_file_after_the_good_ones():
    rows = [f"{k:0100}" for k in range(2000)]
    store(pa.table({"text": rows}), row_group_size=1000, compression="zstd")
    data = bytearray(FS.cat("/c.parquet"))
    middle = len(data) // 2
    data[middle + 100 : middle + 900] = bytes(800)
    FS.pipe("/c.parquet", bytes(data))
    *good, bad = records()
    assert [record.data for record in good] == rows[: len(good)]
    assert type(bad.error) in (InputError, EmptyFileError)


def test_no_rows():
    (bad,) = records({"text": pa.array([], pa.string())})
    assert bad.error.found == "an empty file"


def test_without_pyarrow(monkeypatch):
    store(pa.table({"text": ["a"]}))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    for attempt in (lambda: list_inputs([URL], ReadOptions()), records):
        with pytest.raises(UsageError, match=r"pip install 'gramdex\[parquet\]'"):
            attempt()
