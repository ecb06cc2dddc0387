"""Readers: how files become documents.

`list_inputs` finds the files, `read` streams the documents of one of them. One file per format
(`jsonl`, `parquet`, `text`, `arrays`); `opening` gives them decompressed bytes.

To add a format, write a module with a `Reader` and name it in `READERS`; if its records hold
token ids, name the format in `interface.TOKENIZED_FORMATS` as well. The reader's `read`
streams: it yields a `Record` per document, a `BadRecord` for one that is bad, and raises
InputError when the file cannot be read on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from os import PathLike

from gramdex.errors import EmptyFileError, InputError, UsageError
from gramdex.indexer.readers import arrays, jsonl, listing, parquet, pieces, text
from gramdex.indexer.readers.interface import InputFile, ReadOptions
from gramdex.indexer.records import BadRecord, Record

__all__ = ["InputFile", "ReadOptions", "check_unchanged", "list_inputs", "read"]

READERS = (jsonl.READER, parquet.READER, text.READER, arrays.NPY, arrays.RAW)


def list_inputs(inputs: Sequence[str | PathLike[str]], options: ReadOptions) -> list[InputFile]:
    """Find the files of `inputs`: files, folders and globs, local or at any URL fsspec knows.

    The order is that of `inputs`, and by relative path inside a folder or glob. A folder is
    searched to any depth. Names that begin with ``.`` in it are passed over, and folders of
    such names; anything else that `ReadOptions.include` does not leave out has to be readable.
    A glob that matches a folder means all files in it. A path that exists is taken as it is,
    even if it looks like a glob.

    Raises:
        InputError: a path is missing or cannot be listed.
        UsageError: there is no file, a file whose format is not known, one given twice, a link
            to a folder inside a folder, an option that is missing, or an unknown format.
    """
    return listing.list_files(inputs, options, READERS)


def check_unchanged(file: InputFile, options: ReadOptions) -> None:
    """Refuse a file that is not as it was when it was listed.

    Raises:
        InputError: its size or version is another, or it is gone.
    """
    options = replace(options, format=file.format, include=())
    (now,) = list_inputs([file.url], options)
    if (now.size, now.modified) != (file.size, file.modified):
        raise InputError(
            file.url,
            "it changed while it was read",
            "a file at rest",
            "build again when nothing writes to it",
        )


def read(file: InputFile, options: ReadOptions) -> Iterator[Record | BadRecord]:
    """Stream the documents of a file, in order and in bounded memory.

    Bad content does not raise. A bad record gives a `BadRecord` with a RecordError, and reading
    goes on. A file that cannot be read on, or holds no document at all, gives one with another
    InputError, and is over. A `BadRecord` after a `Record` with `continues` stands for the rest
    of that document, which is to be dropped.

    Raises:
        UsageError: the format is unknown, or cannot be read with these options.
    """
    reader = next((reader for reader in READERS if reader.name == file.format), None)
    if reader is None:
        raise UsageError(file.url, f"format {file.format!r}", listing.format_names(READERS))
    found = False
    try:
        for record in reader.read(file, options):
            found = True
            yield from pieces.cut(record)
    except InputError as error:
        yield BadRecord(error)
        return
    if not found:
        said = "an empty file", "at least one document", "leave it out"
        yield BadRecord(EmptyFileError(file.url, *said))
