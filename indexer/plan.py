"""What a build is about to do, written down so that a rerun can tell whether it is the same.

``build.json`` lies in the output from the first moment to just after the manifest is published.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import OutputExistsError, UsageError
from gramdex.fmindex.format.files import write_file, writing
from gramdex.fmindex.format.manifest import BUILD_PLAN, MANIFEST, VERSION
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.tokenizers import NoTokenizer, Tokenizer, byte_order_ranks, load_tokenizer
from gramdex.indexer.options import BuildOptions
from gramdex.indexer.readers import InputFile, list_inputs, read
from gramdex.indexer.records import Record


@dataclass(frozen=True)
class BuildPlan:
    """A build with its inputs found and its tokenizer loaded.

    Attributes:
        options: what was asked.
        files: the input files, in order.
        tokenizer: encodes text; kind "none" for ids without a tokenizer.
        vocabulary: ids to ranks.
        tables: (rank_of_id, id_of_rank) uint32 to be stored, or None where rank = id + 1.
    """

    options: BuildOptions
    files: tuple[InputFile, ...]
    tokenizer: Tokenizer
    vocabulary: Vocabulary
    tables: tuple[np.ndarray, np.ndarray] | None

    def identity(self) -> dict[str, Any]:
        """Everything the bytes of the index follow from."""
        options = self.options
        read_options = asdict(options.read)
        return {
            "format_version": VERSION,
            "inputs": [asdict(file) for file in self.files],
            "read": read_options,
            "tokenizer": self.tokenizer.fingerprint,
            "vocabulary_size": self.vocabulary.size,
            "engine": options.engine,
            "shard_tokens": options.shard_tokens,
            "on_error": options.on_error,
            "on_empty": options.empty_documents,
        }


def make_plan(options: BuildOptions) -> BuildPlan:
    """Find the inputs and load the tokenizer.

    Raises:
        InputError, UsageError, TokenizerError: an input or the tokenizer cannot be used.
    """
    files = tuple(list_inputs(options.inputs, options.read))
    tokenizer = _tokenizer(options, files)
    if tokenizer.kind in ("bytes", "none"):
        return BuildPlan(options, files, tokenizer, Vocabulary(tokenizer.vocabulary_size), None)
    table = tokenizer.token_bytes
    assert table is not None  # only kind "none" has no table
    tables = byte_order_ranks(table)
    return BuildPlan(options, files, tokenizer, Vocabulary(len(table), *tables), tables)


def _tokenizer(options: BuildOptions, files: tuple[InputFile, ...]) -> Tokenizer:
    text = [file for file in files if not file.tokenized]
    if options.tokenizer is not None:
        if options.vocabulary_size is not None:
            raise UsageError(
                "vocabulary_size", "stated beside a tokenizer", "only where there is none"
            )
        return load_tokenizer(options.tokenizer)
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
                largest = max(largest, int(record.data.max(initial=0)))
    return largest


def begin(plan: BuildPlan, output: Path) -> bool:
    """Claim the output folder; whether a finished build of the same plan lies there already.

    Raises:
        OutputExistsError: the folder holds something else.
    """
    if output.exists() and not output.is_dir():
        raise OutputExistsError(str(output), "a file", "a folder", "choose another output")
    identity = _canonical(plan.identity())
    stored = _stored(output)
    if stored is None:
        _check_unused(output)
        with writing(output):
            output.mkdir(parents=True, exist_ok=True)
        write_file(output / BUILD_PLAN, identity.encode())
        return False
    if stored != identity:
        raise OutputExistsError(
            str(output),
            f"an unfinished build with other {_difference(stored, identity)}",
            "the same build",
            "run the command that began it, choose another output, or remove the folder",
        )
    return (output / MANIFEST).exists()


def end(output: Path) -> None:
    """Drop the plan once the manifest is published."""
    with writing(output):
        (output / BUILD_PLAN).unlink(missing_ok=True)


def _stored(output: Path) -> str | None:
    path = output / BUILD_PLAN
    with writing(path):
        return path.read_text() if path.exists() else None


def _check_unused(output: Path) -> None:
    if not output.is_dir():
        return
    if (output / MANIFEST).exists():
        raise OutputExistsError(
            str(output), "a finished index", "a new or empty folder", "choose another output"
        )
    with writing(output):
        stranger = next(output.iterdir(), None)
    if stranger is not None and stranger.name != BUILD_PLAN + ".tmp":
        raise OutputExistsError(
            str(output), f"other files ({stranger.name}, …)", "a new or empty folder"
        )


def _canonical(identity: dict[str, Any]) -> str:
    return json.dumps(identity, indent=1, sort_keys=True, default=list) + "\n"


def _difference(stored: str, identity: str) -> str:
    try:
        before, now = json.loads(stored), json.loads(identity)
        names = [name for name in now if before.get(name) != now[name]]
    except (ValueError, AttributeError):
        names = []
    return ", ".join(names) or "settings"
