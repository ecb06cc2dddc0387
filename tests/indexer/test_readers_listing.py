"""Which files the inputs name, and in what format."""

import os
import zipfile
from pathlib import Path

import fsspec
import pytest

from gramdex.errors import InputError, UsageError
from gramdex.indexer.readers import InputFile, ReadOptions, list_inputs, read

AUTO = ReadOptions()


@pytest.fixture
def memory():
    fs = fsspec.filesystem("memory")
    for name in fs.find("/"):
        fs.rm(name)
    return fs


def fill(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x\n")


def urls(files):
    return [file.url for file in files]


@pytest.mark.parametrize(
    ("name", "format_", "compression"),
    [
        ("a.jsonl", "jsonl", None),
        ("a.ndjson.gz", "jsonl", "gzip"),
        ("a.json.zst", "jsonl", "zstd"),
        ("A.JSONL.GZ", "jsonl", "gzip"),
        ("a.parquet", "parquet", None),
        ("a.npy", "npy", None),
        ("a.npy.zst", "npy", "zstd"),
        ("a.bin", "raw", None),
        ("a.u16", "raw", None),
        ("a.u32.gz", "raw", "gzip"),
        ("a.raw", "raw", None),
        ("a.txt", "text", None),
        ("a.b.text.zst", "text", "zstd"),
        ("README.md", "text", None),
        ("a.rst.gz", "text", "gzip"),
    ],
)
def test_suffix_says_format_and_compression(tmp_path, name, format_, compression):
    fill(tmp_path, name)
    (file,) = list_inputs([tmp_path / name], ReadOptions(dtype="uint16"))
    assert (file.url, file.format, file.compression) == (
        str(tmp_path / name),
        format_,
        compression,
    )
    assert file.size == 2
    assert file.modified == str((tmp_path / name).stat().st_mtime)
    assert file.tokenized == (format_ in ("npy", "raw"))


def test_folder_is_deep_and_sorted_by_relative_path(tmp_path):
    fill(tmp_path, "b.txt", "a/z.txt", "a.txt", "a/b/c.md", "B.txt")
    files = list_inputs([tmp_path], AUTO)
    assert urls(files) == [
        f"{tmp_path}/{name}" for name in ["B.txt", "a.txt", "a/b/c.md", "a/z.txt", "b.txt"]
    ]


def test_relative_paths_stay_relative(tmp_path, monkeypatch):
    fill(tmp_path, "corpus/a.txt", "corpus/b/c.txt", "d.txt")
    monkeypatch.chdir(tmp_path)
    assert urls(list_inputs(["corpus"], AUTO)) == ["corpus/a.txt", "corpus/b/c.txt"]
    assert urls(list_inputs(["./corpus/"], AUTO)) == ["./corpus/a.txt", "./corpus/b/c.txt"]
    assert urls(list_inputs(["*.txt"], AUTO)) == ["d.txt"]
    assert urls(list_inputs(["corpus/*/*.txt"], AUTO)) == ["corpus/b/c.txt"]
    assert urls(list_inputs([Path("d.txt")], AUTO)) == ["d.txt"]
    assert [r.data for r in read(list_inputs(["d.txt"], AUTO)[0], AUTO)] == ["x\n"]


def test_file_url_stays_one(tmp_path):
    fill(tmp_path, "a.txt")
    assert urls(list_inputs([f"file://{tmp_path}"], AUTO)) == [f"file://{tmp_path}/a.txt"]


def test_memory_folder_and_glob(memory):
    for name in ("/c/b.txt", "/c/a/x.txt", "/c/.hidden/y.txt", "/c/n.md"):
        memory.pipe(name, b"t")
    folder = list_inputs(["memory://c"], AUTO)
    assert urls(folder) == ["memory://c/a/x.txt", "memory://c/b.txt", "memory://c/n.md"]
    assert folder[0].size == 1
    assert urls(list_inputs(["memory://c/*.txt"], AUTO)) == ["memory://c/b.txt"]
    assert urls(list_inputs(["memory://c/**/*.txt"], AUTO)) == urls(folder)[:2]
    assert urls(list_inputs(["memory://"], AUTO)) == urls(folder)
    assert [r.data for file in folder for r in read(file, AUTO)] == ["t", "t", "t"]


def test_chained_urls(tmp_path):
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("in/a.txt", "alpha")
        archive.writestr("in/b.txt", "beta")
    files = list_inputs([f"zip://in::{tmp_path}/c.zip"], AUTO)
    assert urls(files) == [f"zip://in/{name}::{tmp_path}/c.zip" for name in ("a.txt", "b.txt")]
    assert [r.data for file in files for r in read(file, AUTO)] == ["alpha", "beta"]
    glob = list_inputs([f"zip://in/b*::{tmp_path}/c.zip"], AUTO)
    assert urls(glob) == [f"zip://in/b.txt::{tmp_path}/c.zip"]


def test_hidden_names_in_folders_are_passed_over_but_not_when_given(tmp_path):
    fill(tmp_path, ".DS_Store", ".git/a.txt", "a.txt", ".b.txt")
    assert urls(list_inputs([tmp_path], AUTO)) == [f"{tmp_path}/a.txt"]
    assert urls(list_inputs([f"{tmp_path}/*"], AUTO)) == [f"{tmp_path}/a.txt"]
    assert urls(list_inputs([tmp_path / ".b.txt"], AUTO)) == [f"{tmp_path}/.b.txt"]
    assert urls(list_inputs([tmp_path / ".git"], AUTO)) == [f"{tmp_path}/.git/a.txt"]


def test_include_picks_by_name_or_by_relative_path(tmp_path):
    fill(tmp_path, "a.txt", "x/b.txt", "x/y/c.txt", "x/d.csv", "w.csv")

    def included(*patterns):
        files = list_inputs([tmp_path], ReadOptions(include=patterns, format="text"))
        return [file.url.removeprefix(f"{tmp_path}/") for file in files]

    assert included("*.txt") == ["a.txt", "x/b.txt", "x/y/c.txt"]
    assert included("x/*.txt") == ["x/b.txt"]
    assert included("x/**") == ["x/b.txt", "x/d.csv", "x/y/c.txt"]
    assert included("**/*.csv", "a.*") == ["a.txt", "w.csv", "x/d.csv"]
    with pytest.raises(UsageError, match=r"without files that match \*\.gz"):
        included("*.gz")


def test_glob_that_matches_a_folder_means_its_files(tmp_path):
    fill(tmp_path, "s1/a.txt", "s1/deep/b.txt", "s2/c.txt", "t/d.txt", "s0.txt")
    files = list_inputs([f"{tmp_path}/s*"], AUTO)
    assert urls(files) == [
        f"{tmp_path}/{name}" for name in ["s0.txt", "s1/a.txt", "s1/deep/b.txt", "s2/c.txt"]
    ]
    files = list_inputs([f"{tmp_path}/s*"], ReadOptions(include=("b.*",)))
    assert urls(files) == [f"{tmp_path}/s0.txt", f"{tmp_path}/s1/deep/b.txt"]


def test_path_that_looks_like_a_glob_but_exists(tmp_path):
    fill(tmp_path, "a[1].txt", "a1.txt", "d[0]/e.txt")
    (file,) = list_inputs([tmp_path / "a[1].txt"], AUTO)
    assert file.url == f"{tmp_path}/a[1].txt"
    assert [record.data for record in read(file, AUTO)] == ["x\n"]
    assert urls(list_inputs([tmp_path / "d[0]"], AUTO)) == [f"{tmp_path}/d[0]/e.txt"]


def test_explicit_format_takes_every_file(tmp_path):
    fill(tmp_path, "a.log", "b", "c.gz")
    files = list_inputs([tmp_path], ReadOptions(format="text"))
    assert files == [
        InputFile(f"{tmp_path}/a.log", "text", None, 2, files[0].modified),
        InputFile(f"{tmp_path}/b", "text", None, 2, files[1].modified),
        InputFile(f"{tmp_path}/c.gz", "text", "gzip", 2, files[2].modified),
    ]


def test_strangers_are_named_and_counted(tmp_path):
    fill(tmp_path, "a.txt", "b.exe", "c.csv", "d.parquet.gz")
    with pytest.raises(UsageError) as caught:
        list_inputs([tmp_path], AUTO)
    assert caught.value.thing == f"{tmp_path}/b.exe"
    assert caught.value.found == "no known suffix, nor has any of 2 more"
    assert "--include" in caught.value.remedy
    assert "--format" in caught.value.remedy
    with pytest.raises(UsageError, match=r"b\.exe: no known suffix; .*--format"):
        list_inputs([tmp_path / "b.exe"], AUTO)


@pytest.mark.parametrize("name", ["nowhere.txt", "nowhere", "a.txt/below", "no*.txt"])
def test_missing_path(tmp_path, name):
    fill(tmp_path, "a.txt")
    with pytest.raises(InputError, match=r"no such file|matches no file") as caught:
        list_inputs([tmp_path / name], AUTO)
    assert caught.value.thing == f"{tmp_path}/{name}"
    assert caught.value.remedy


def test_no_files(tmp_path):
    with pytest.raises(UsageError, match="a folder without files"):
        list_inputs([tmp_path], AUTO)
    with pytest.raises(UsageError, match="inputs: none"):
        list_inputs([], AUTO)


def test_file_given_twice(tmp_path):
    fill(tmp_path, "a.txt", "s/b.txt")
    with pytest.raises(UsageError) as caught:
        list_inputs([tmp_path, f"{tmp_path}/s/../a.txt"], AUTO)
    assert caught.value.thing == f"{tmp_path}/s/../a.txt"
    assert caught.value.found == f"given twice, the first time as {tmp_path}/a.txt"


def test_one_path_is_not_a_list_of_letters(tmp_path):
    fill(tmp_path, "a.txt")
    assert urls(list_inputs(str(tmp_path), AUTO)) == [f"{tmp_path}/a.txt"]


def test_links(tmp_path):
    fill(tmp_path, "real/a.txt", "other/o.txt")
    (tmp_path / "real/b.txt").symlink_to(tmp_path / "other/o.txt")
    files = list_inputs([tmp_path / "real"], AUTO)
    assert urls(files) == [f"{tmp_path}/real/a.txt", f"{tmp_path}/real/b.txt"]
    assert files[1].size == 2
    (tmp_path / "real/loop").symlink_to(tmp_path)
    for options in (AUTO, ReadOptions(include=("*.txt",))):
        with pytest.raises(UsageError, match="a link to a folder"):
            list_inputs([tmp_path / "real"], options)
    assert len(list_inputs([f"{tmp_path}/real/*.txt"], AUTO)) == 2
    (tmp_path / "real/loop").unlink()
    (tmp_path / "real/gone.txt").symlink_to(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"gone\.txt: no such file"):
        list_inputs([tmp_path / "real"], AUTO)


def test_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    for given in (tmp_path, tmp_path / "pipe.txt"):
        with pytest.raises(UsageError, match=r"pipe\.txt: no regular file"):
            list_inputs([given], AUTO)


def test_subfolder_that_cannot_be_listed_is_not_left_out(tmp_path, monkeypatch):
    fill(tmp_path, "a.txt", "locked/b.txt")
    local = type(fsspec.filesystem("file"))
    ls = local.ls

    def refuse(self, path, **keywords):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return ls(self, path, **keywords)

    monkeypatch.setattr(local, "ls", refuse)
    for given in (tmp_path, f"{tmp_path}/**"):
        with pytest.raises(InputError, match="locked: permission denied"):
            list_inputs([given], AUTO)
    assert len(list_inputs([f"{tmp_path}/*.txt"], AUTO)) == 1


def test_name_that_is_not_utf8(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.txt"
    try:
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    except OSError:
        pytest.skip("the file system wants UTF-8 names")
    with pytest.raises(InputError, match="a file name that is not UTF-8"):
        list_inputs([tmp_path], AUTO)


def test_protocols_that_cannot_be_used():
    with pytest.raises(UsageError, match="a URL fsspec can open"):
        list_inputs(["gopher2://x/a.txt"], AUTO)


@pytest.mark.parametrize(
    ("values", "thing"),
    [
        ({"text_unit": "word"}, "text_unit"),
        ({"dtype": "float32"}, "dtype"),
        ({"dtype": "int8"}, "dtype"),
        ({"dtype": "no such"}, "dtype"),
        ({"include": "*.txt"}, "include"),
        ({"metadata_fields": "url"}, "metadata_fields"),
    ],
)
def test_options_without_meaning(values, thing):
    with pytest.raises(UsageError) as caught:
        ReadOptions(**values)
    assert caught.value.thing == thing
    assert caught.value.expected


def test_unknown_format(tmp_path):
    fill(tmp_path, "a.txt")
    with pytest.raises(UsageError, match="format: 'csv'; expected auto, or one of jsonl"):
        list_inputs([tmp_path], ReadOptions(format="csv"))
    with pytest.raises(UsageError, match="format 'csv'"):
        list(read(InputFile("a.csv", "csv"), AUTO))


def test_raw_needs_a_dtype(tmp_path):
    fill(tmp_path, "a.bin", "b.txt")
    with pytest.raises(UsageError, match=r"a\.bin: no dtype; .*--dtype"):
        list_inputs([tmp_path], AUTO)
