"""Listing: which files the inputs name, and the format of each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import fsspec.core
from fsspec.utils import glob_translate

from gramdex.errors import InputError, UsageError
from gramdex.indexer.readers.interface import InputFile, Reader, ReadOptions
from gramdex.indexer.readers.opening import failures, split_compression

VERSION_KEYS = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated")
"""Keys under which file systems say which version of a file it is, the best first."""

MAGIC = re.compile(r"[*?[]")


@dataclass(frozen=True)
class _Found:
    """A file: its file system, its name and information there, and its URL for people."""

    fs: Any
    name: str
    info: dict[str, Any]
    url: str


def list_files(
    inputs: Sequence[str | os.PathLike[str]], options: ReadOptions, readers: Sequence[Reader]
) -> list[InputFile]:
    """See `gramdex.indexer.readers.list_inputs`."""
    given = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    if not given:
        raise UsageError("inputs", "none", "files or folders", "name at least one")
    _check_format(options.format, readers)
    found = [file for each in given for file in _expand(os.fsdecode(each), options)]
    _check_distinct(found)
    files = _identify(found, options.format, readers)
    for reader in readers:
        first = next((file for file in files if file.format == reader.name), None)
        if first is not None and reader.check is not None:
            reader.check(first, options)
    return files


def format_names(readers: Sequence[Reader]) -> str:
    """Name the formats there are, for messages."""
    return "one of " + ", ".join(reader.name for reader in readers)


def _check_format(name: str, readers: Sequence[Reader]) -> None:
    if name != "auto" and name not in {reader.name for reader in readers}:
        raise UsageError("format", repr(name), f"auto, or {format_names(readers)}")


def _expand(given: str, options: ReadOptions) -> list[_Found]:
    """Find the files one input stands for."""
    fs, path = _connect(given)
    with failures(given):
        info = _info(fs, path)
    if info is not None and info["type"] == "directory":
        return _folder(given, options.include)
    if info is not None:
        return [_found(fs, info, given)]
    if not MAGIC.search(given):
        raise InputError(given, "no such file or folder", "", "check the path")
    return _glob(given, options.include)


def _connect(url: str) -> tuple[Any, str]:
    try:
        with failures(url):
            return fsspec.core.url_to_fs(url)
    except InputError as error:
        if isinstance(error.__cause__, ValueError | ImportError):  # unknown or not installed
            found = str(error.__cause__)
            raise UsageError(url, found, "a URL fsspec can open", "check the URL") from None
        raise


def _info(fs: Any, path: str) -> dict[str, Any] | None:
    try:
        return fs.info(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _found(fs: Any, info: dict[str, Any], url: str) -> _Found:
    """Look at a file through links.

    Raises:
        UsageError: it is no regular file.
    """
    if info["type"] != "file":
        with failures(url):
            info = fs.info(info["name"])
    if info["type"] != "file":
        raise UsageError(url, "no regular file", "files", "leave it out")
    return _Found(fs, info["name"], info, url)


def _folder(given: str, include: Sequence[str]) -> list[_Found]:
    patterns = [_pattern(text if "/" in text else f"**/{text}") for text in include]

    def wanted(path: str) -> bool:
        return not patterns or any(pattern.match(path) for pattern in patterns)

    found = _search(given, lambda _: True, wanted)
    if not found:
        that = f" that match {' or '.join(include)}" if include else ""
        problem, remedy = f"a folder without files{that}", "check the path and --include"
        raise UsageError(given, problem, "at least one file", remedy)
    return found


def _glob(given: str, include: Sequence[str]) -> list[_Found]:
    """Find the files that match, and in folders that match, the files that match `include`."""
    before, path, after = _split_chain(given)
    magic = MAGIC.search(path)
    base = path[: path.rfind("/", 0, magic.start() if magic else None) + 1]
    steps = path[len(base) :].strip("/").split("/")
    included = [_pattern(text if "/" in text else f"**/{text}") for text in include]

    def matches(path: str, depth: int) -> bool:
        return _pattern("/".join(steps[:depth])).match(path) is not None

    def enter(path: str) -> bool:
        depth = path.count("/") + 1
        return "**" in steps or depth > len(steps) or matches(path, depth)

    def wanted(path: str) -> bool:
        if matches(path, len(steps)):
            return True
        parents = (path[: slash.start()] for slash in re.finditer("/", path))
        below = any(matches(parent, len(steps)) for parent in parents)
        return below and (not included or any(pattern.match(path) for pattern in included))

    found = _search(before + (base or "./") + after, enter, wanted, drop="" if base else "./")
    if not found:
        raise InputError(given, "a glob that matches no file", "", "check the pattern")
    return found


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(glob_translate(text))


def _search(
    given: str, enter: Callable[[str], bool], wanted: Callable[[str], bool], drop: str = ""
) -> list[_Found]:
    """Find wanted files below a folder, by relative path; their URLs go without prefix `drop`."""
    fs, root = _connect(given)
    before, path, after = _split_chain(given)
    prefix = (path if path.endswith("/") else path + "/").removeprefix(drop)
    return [
        _found(fs, info, before + prefix + relative + after)
        for relative, info in sorted(_walk(fs, root, given, enter), key=lambda item: item[0])
        if wanted(relative)
    ]


def _walk(
    fs: Any, root: str, url: str, enter: Callable[[str], bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Relative path and information of every file that is not hidden.

    fsspec's own walk and find leave out the subfolders they cannot list.
    """
    root = root.rstrip("/")
    folders = [root]
    while folders:
        folder = folders.pop()
        with failures(url if folder == root else folder):
            entries = fs.ls(folder, detail=True)
        for info in entries:
            relative = info["name"].removeprefix(root).strip("/")
            # Object stores may list a folder as an entry of itself.
            if info["name"].rstrip("/") == folder or relative.rpartition("/")[2].startswith("."):
                continue
            if not _is_folder(fs, info):
                yield relative, info
            elif enter(relative):
                _refuse_link(info)
                folders.append(info["name"].rstrip("/"))


def _is_folder(fs: Any, info: dict[str, Any]) -> bool:
    if info["type"] == "other":  # what the local file system calls a link
        with failures(info["name"]):
            info = _info(fs, info["name"]) or info
    return info["type"] == "directory"


def _refuse_link(info: dict[str, Any]) -> None:
    """Refuse a link to a folder: it may lead back up, and would then never end."""
    if info["type"] != "directory":
        remedy = "name the folder it leads to as an input"
        raise UsageError(info["name"], "a link to a folder, inside a folder", "files", remedy)


def _split_chain(url: str) -> tuple[str, str, str]:
    """Split a chained URL into what stands before the path, the path, and what stands after.

    ``zip://a/b::file.zip`` has its path first, ``simplecache::s3://a/b`` last.
    """
    links = url.split("::")
    k = next((k for k, link in enumerate(links) if "://" in link), len(links) - 1)
    before, after = links[:k], links[k + 1 :]
    return "".join(f"{link}::" for link in before), links[k], "".join(f"::{link}" for link in after)


def _check_distinct(found: list[_Found]) -> None:
    seen: dict[tuple[Any, str], str] = {}
    for file in found:
        local = getattr(file.fs, "local_file", False)
        key = (file.fs, os.path.normpath(file.name) if local else file.name)
        if key in seen:
            where = f"given twice, the first time as {seen[key]}"
            raise UsageError(file.url, where, "each file once", "remove one of the inputs")
        seen[key] = file.url


def _identify(found: list[_Found], name: str, readers: Sequence[Reader]) -> list[InputFile]:
    formats = [_format(file.url, name, readers) for file in found]
    strangers = [file.url for file, format_ in zip(found, formats, strict=True) if format_ is None]
    if strangers:
        more = f", nor has any of {len(strangers) - 1} more" if len(strangers) > 1 else ""
        expected = "one of " + " ".join(suffix for reader in readers for suffix in reader.suffixes)
        remedy = "state the format with --format, or pick files of a folder with --include"
        raise UsageError(strangers[0], f"no known suffix{more}", expected, remedy)
    return [
        _input_file(file, *format_)
        for file, format_ in zip(found, formats, strict=True)
        if format_ is not None
    ]


def _format(url: str, name: str, readers: Sequence[Reader]) -> tuple[str, str | None] | None:
    """Format and compression of a file; None where its suffix says nothing."""
    path = _split_chain(url)[1]
    if path.startswith(("http://", "https://")):
        path = path.partition("?")[0]
    path = path.lower()
    stem, compression = split_compression(path)
    for reader in readers:
        if reader.compressible and name in ("auto", reader.name):
            if name == reader.name or stem.endswith(reader.suffixes):
                return reader.name, compression
        elif name == reader.name or (name == "auto" and path.endswith(reader.suffixes)):
            return reader.name, None
    return None


def _input_file(file: _Found, name: str, compression: str | None) -> InputFile:
    try:
        file.url.encode("utf-8")
    except UnicodeEncodeError:
        found = "a file name that is not UTF-8"
        raise InputError(ascii(file.url), found, "UTF-8", "rename it") from None
    values = (file.info.get(key) for key in VERSION_KEYS)
    modified = next((value for value in values if value is not None), None)
    if isinstance(modified, datetime):
        modified = modified.isoformat()
    return InputFile(
        file.url,
        name,
        compression,
        file.info.get("size"),
        None if modified is None else str(modified),
    )
