"""A corpus copied without what offends: files in, files out, and a ledger of what went.

Lines that stay are copied byte for byte. Every line that was read is written, or is in the
ledger.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard

from gramdex.errors import InputError, OutputExistsError, RecordError, UsageError
from gramdex.fmindex.format.files import publish, writing
from gramdex.indexer.readers import ReadOptions, list_inputs
from gramdex.indexer.readers.interface import InputFile
from gramdex.indexer.readers.jsonl import MAX_LINE, parse_line
from gramdex.indexer.readers.opening import lines, open_stream
from gramdex.tools.contamination.offences import Offence, Offences

LEDGER = "ledger.jsonl"
REMOVE = ("documents", "spans")
ON_ERROR = ("raise", "keep")


@dataclass
class Tally:
    """What became of documents; ``documents`` is the sum of the first four others.

    Attributes:
        documents: that were read; blank lines of JSONL are copied and not counted.
        untouched, cut, removed: copied as they were, copied without some spans, left out.
        unreadable: copied as they were because they could not be read.
        spans: that were cut out.
        files: that were read.
    """

    documents: int = 0
    untouched: int = 0
    cut: int = 0
    removed: int = 0
    unreadable: int = 0
    spans: int = 0
    files: int = 0


@dataclass
class Cleaner:
    """Copies files without what offends.

    Attributes:
        offences: finds what offends.
        output: folder to fill; it must not hold anything.
        remove: "documents" that offend as a whole, or only the "spans".
        on_error: "raise" on a record that is bad, or "keep" it as it is.
        read: how files are found and read.
        tally: what became of it all so far.
    """

    offences: Offences
    output: Path
    remove: str = "documents"
    on_error: str = "raise"
    read: ReadOptions = field(default_factory=ReadOptions)
    tally: Tally = field(default_factory=Tally)

    def run(self, files: Sequence[InputFile], progress: Callable[[str], object]) -> None:
        """Copy all files; the ledger appears when everything is done.

        Raises:
            UsageError: two files would have the same name.
            OutputExistsError: there is something in the output.
            InputError, RecordError: something cannot be read.
        """
        names = _output_names([file.url for file in files])
        with writing(self.output):
            self.output.mkdir(parents=True, exist_ok=True)
        if any(self.output.iterdir()):
            raise OutputExistsError(
                str(self.output), "a folder that is not empty", "none, or empty"
            )
        with _written(self.output / LEDGER, None) as ledger:
            for file, name in zip(files, names, strict=True):
                progress(file.url)
                self._copy(file, self.output / name, ledger)
                self.tally.files += 1

    def files(self, inputs: Sequence[str]) -> list[InputFile]:
        """List the files of all inputs.

        Raises:
            UsageError: a format other than JSONL and text, or an option that has no meaning.
            InputError: a path is missing.
        """
        for name, value, known in (
            ("--remove", self.remove, REMOVE),
            ("--on-error", self.on_error, ON_ERROR),
        ):
            if value not in known:
                raise UsageError(name, repr(value), " or ".join(known))
        files = list_inputs(inputs, self.read)
        for file in files:
            if file.format not in ("jsonl", "text"):
                raise UsageError(file.url, f"format {file.format}", "JSONL or text", "convert it")
        return files

    def _copy(self, file: InputFile, target: Path, ledger: BinaryIO) -> None:
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        whole = file.format == "text" and self.read.text_unit == "file"
        if whole:
            with open_stream(file, self.read) as stream:
                data = self._clean(stream.read(), file, None, ledger)
            if data is not None:
                with _written(target, file.compression) as output:
                    output.write(data)
            return
        with open_stream(file, self.read) as stream, _written(target, file.compression) as output:
            for number, line in lines(stream, MAX_LINE):
                if line is None:
                    found = f"a line of more than {MAX_LINE} bytes"
                    raise InputError(f"{file.url}:{number}", found, "shorter lines", "split it")
                kept = self._clean(line, file, number, ledger)
                if kept is not None:
                    output.write(kept)

    def _clean(
        self, data: bytes, file: InputFile, line: int | None, ledger: BinaryIO
    ) -> bytes | None:
        """A document as it is to be written; None where it is left out."""
        place = file.url if line is None else f"{file.url}:{line}"
        is_json = file.format == "jsonl"
        if is_json and not data.strip():
            return data
        self.tally.documents += 1
        try:
            text = self._text(data, place) if is_json else _decoded(data, place)
        except RecordError as error:
            if self.on_error == "raise":
                remedy = f"{error.remedy}; or copy such records with --on-error keep"
                raise RecordError(error.thing, error.found, error.expected, remedy) from None
            self.tally.unreadable += 1
            _enter(ledger, file, line, {"action": "kept", "why": str(error)})
            return data
        offences = self.offences.find(text)
        if not offences:
            self.tally.untouched += 1
            return data
        rest, entries = self._cut(text, offences)
        if self.remove == "documents" or not rest.strip():
            self.tally.removed += 1
            entry = {"action": "document", "characters": len(text), "spans": entries}
            _enter(ledger, file, line, entry)
            return None
        self.tally.cut += 1
        self.tally.spans += len(entries)
        for entry in entries:
            _enter(ledger, file, line, {"action": "span"} | entry)
        return self._with_text(data, rest) if is_json else rest.encode()

    def _cut(self, text: str, offences: list[Offence]) -> tuple[str, list[dict[str, Any]]]:
        """The text without them, and what they were.

        What a cut brings together may offend anew, so cutting goes on until nothing does; the
        offsets of an entry are those in the text of its round.
        """
        entries, round_ = [], 1
        while offences:
            for offence in offences:
                entry = {
                    "round": round_,
                    "start": offence.start,
                    "end": offence.end,
                    "text": text[offence.start : offence.end],
                    "examples": list(offence.examples),
                }
                entries.append(entry)
            for offence in reversed(offences):
                text = text[: offence.start] + text[offence.end :]
            if self.remove == "documents":
                break
            offences, round_ = self.offences.find(text), round_ + 1
        return text, entries

    def _text(self, data: bytes, place: str) -> str:
        return parse_line(_without_mark(data), place, self.read)[0]

    def _with_text(self, data: bytes, text: str) -> bytes:
        """A line with another text; it has been read before, so it can be."""
        record = json.loads(_without_mark(data)) | {self.read.text_field: text}
        return (json.dumps(record, ensure_ascii=False) + "\n").encode()


def _without_mark(data: bytes) -> bytes:
    return data.removeprefix(b"\xef\xbb\xbf")


def _decoded(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at byte offset {error.start}"
        raise RecordError(place, found, "UTF-8", "convert it to UTF-8") from None


def _enter(ledger: BinaryIO, file: InputFile, line: int | None, entry: dict[str, Any]) -> None:
    """Write a line of the ledger."""
    place: dict[str, Any] = {"path": file.url} | ({} if line is None else {"line": line})
    ledger.write((json.dumps(place | entry, ensure_ascii=False) + "\n").encode())


@contextmanager
def _written(path: Path, compression: str | None) -> Iterator[BinaryIO]:
    """Write a file, compressed as the one it comes from; it appears when it is complete."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with writing(path), temporary.open("wb") as file:
            if compression == "gzip":
                with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            elif compression == "zstd":
                compressor = zstandard.ZstdCompressor()
                with compressor.stream_writer(file, closefd=False) as packed_:
                    yield cast(BinaryIO, packed_)
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        publish(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _output_names(urls: Sequence[str]) -> list[str]:
    """Path of each file below the output: what is left without the folders all have in common.

    Raises:
        UsageError: two files would have the same, or one that of the ledger.
    """
    paths = [url.rpartition("://")[2].lstrip("/") for url in urls]
    common = os.path.commonpath([str(Path(path).parent) for path in paths]) if paths else ""
    names = [os.path.relpath(path, common or ".") for path in paths]
    for name in names:
        if names.count(name) > 1 or name == LEDGER or name.startswith(".."):
            raise UsageError(name, "no place of its own in the output", "files of other names")
    return names
