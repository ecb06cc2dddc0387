"""What a build is about to do: inputs found, tokenizer loaded, vocabulary ranked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import InputError, UsageError
from gramdex.fmindex.format.manifest import VERSION
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.tokenizers import NoTokenizer, Tokenizer, byte_order_ranks, load_tokenizer
from gramdex.indexer.options import BuildOptions
from gramdex.indexer.readers import InputFile, list_inputs, read
from gramdex.indexer.records import Record

LARGEST_ID = (1 << 28) - 1
"""Largest id where no vocabulary is stated: tables take 16 bytes for every id below it."""


@dataclass(frozen=True)
class BuildPlan:
    """A build with its inputs found and its tokenizer loaded.

    Attributes:
        options: what was asked.
        files: the input files, in order.
        tokenizer: encodes text; kind "none" for ids without a tokenizer.
        vocabulary: ids to ranks.
        tables: (rank_of_id, id_of_rank) uint32, or None where rank = id + 1.
    """

    options: BuildOptions
    files: tuple[InputFile, ...]
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    tables: tuple[np.ndarray, np.ndarray] | None

    def identity(self) -> str:
        """JSON of everything the bytes of the index follow from."""
        options = self.options
        content = {
            "format_version": VERSION,
            "inputs": [asdict(file) for file in self.files],
            "read": {
                option.name: getattr(options.read, option.name)
                for option in fields(options.read)
                if option.compare
            },
            "tokenizer": self.tokenizer.fingerprint,
            "vocabulary_size": self.vocabulary.size,
            "engine": options.engine,
            "sampling_rate": options.sampling_rate if options.engine == "fm" else None,
            "shard_tokens": options.shard_tokens,
            "on_error": options.on_error,
            "on_empty": options.empty_documents,
        }
        return json.dumps(content, indent=1, sort_keys=True, default=list) + "\n"

    def describe_tokenizer(self, files: list[str], vocabulary: str | None) -> dict[str, Any]:
        """What the manifest says of it; ``vocabulary`` is the header checksum of the table."""
        return {
            "kind": self.tokenizer.kind,
            "options": self.tokenizer.options,
            "files": files,
            "fingerprint": self.tokenizer.fingerprint,
            "vocabulary": vocabulary,
        }


def make_plan(options: BuildOptions) -> BuildPlan:
    """Find the inputs and load the tokenizer.

    Raises:
        InputError, UsageError, TokenizerError: an input or the tokenizer cannot be used.
    """
    _check_output(options)
    files = tuple(list_inputs(options.inputs, options.read))
    tokenizer = _tokenizer(options, files)
    if tokenizer.kind in ("bytes", "none"):
        return BuildPlan(options, files, tokenizer, Vocabulary(tokenizer.vocabulary_size), None)
    table = tokenizer.token_bytes
    assert table is not None  # only kind "none" has no table
    tables = byte_order_ranks(table)
    return BuildPlan(options, files, tokenizer, Vocabulary(len(table), *tables), tables)


def _check_output(options: BuildOptions) -> None:
    """A rerun would take an index below a folder of the input for input."""
    for path in options.inputs:
        folder = Path(path)
        if folder.is_dir() and options.output.resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                str(options.output),
                f"an output inside the input folder {path}",
                "an output elsewhere",
                "choose another output",
            )


def _tokenizer(options: BuildOptions, files: tuple[InputFile, ...]) -> Tokenizer:
    text = [file for file in files if not file.tokenized]
    if options.tokenizer is not None:
        if options.vocabulary_size is not None:
            raise UsageError(
                "vocabulary_size", "stated beside a tokenizer", "only where there is none"
            )
        return load_tokenizer(options.tokenizer, to_encode=bool(text))
    if text:
        raise UsageError(
            text[0].url,
            "text, and no tokenizer",
            "token ids",
            "name one with --tokenizer, for instance bytes",
        )
    return NoTokenizer(options.vocabulary_size or _largest_id(options, files) + 1)


def _largest_id(options: BuildOptions, files: tuple[InputFile, ...]) -> int:
    """Largest id in pre-tokenized files; bad records are left to the build to report."""
    largest = 0
    for file in files:
        for record in read(file, options.read):
            if isinstance(record, Record) and isinstance(record.data, np.ndarray):
                most = int(record.data.max(initial=0))
                if most > LARGEST_ID:
                    raise InputError(
                        record.source,
                        f"token id {most}",
                        f"ids up to {LARGEST_ID}",
                        "check the dtype; or state --vocabulary-size and leave such documents "
                        "out with --on-error skip",
                    )
                largest = max(largest, most)
    return largest
