"""Data of a benchmark from a folder of source files: text, a trained tokenizer, raw ids.

Everything follows from the files and the seed, so two machines with the same package of sources
get the same bytes.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import InputError, UsageError
from gramdex.tools.bench.turns import Say, silent

END_TOKEN = "<|endoftext|>"
BATCH = 256
GAP = 50
"""Files left out between the corpus and the held-out text."""


@dataclass(frozen=True)
class PrepareSettings:
    """What to make of the sources.

    Attributes:
        suffixes: of the files to take.
        size: bytes of text in the corpus, at least, if there are as many.
        held_out_size: characters of held-out text.
        vocabulary: tokens to train; one is a document's end that never occurs.
        seed: of the order of the files.
    """

    suffixes: tuple[str, ...] = (".c", ".h")
    size: int = 400_000_000
    held_out_size: int = 8_000_000
    vocabulary: int = 32_000
    seed: int = 0


@dataclass(frozen=True)
class Prepared:
    """What was written into the folder, by name."""

    corpus: str
    held_out: str
    tokenizer: str
    tokens: str
    documents: int
    items: int


def prepare(
    sources: Path,
    folder: Path,
    settings: PrepareSettings,
    say: Say = silent,
) -> Prepared:
    """Write corpus.jsonl, held_out.jsonl, tokenizer.json and tokens.u16 or tokens.u32.

    Raises:
        InputError: there are no such files below ``sources``.
        UsageError: the library ``tokenizers`` is not installed.
    """
    tokenizer, trainer = _new_tokenizer(settings.vocabulary)
    files = _shuffled_files(sources, settings)
    folder.mkdir(parents=True, exist_ok=True)
    say("writing text")
    texts, taken = _write_corpus(files, sources, folder / "corpus.jsonl", settings.size)
    if not texts:
        found = f"no text in files that end in {', '.join(settings.suffixes)}"
        raise InputError(str(sources), found, "source files", "unpack the sources there first")
    others = files[max(len(texts) + GAP, taken) :]
    _write_held_out(others, sources, folder / "held_out.jsonl", settings.held_out_size)
    say("training the tokenizer")
    tokenizer.train_from_iterator(texts[: max(1, len(texts) // 2)], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    wide = tokenizer.get_vocab_size() >= 2**16
    tokens = folder / ("tokens.u32" if wide else "tokens.u16")
    say("encoding")
    items = _write_tokens(tokenizer, texts, tokens, np.uint32 if wide else np.uint16)
    return Prepared(
        "corpus.jsonl", "held_out.jsonl", "tokenizer.json", tokens.name, len(texts), items
    )


def _shuffled_files(sources: Path, settings: PrepareSettings) -> list[str]:
    files = []
    for folder, folders, names in os.walk(sources):
        folders.sort()
        files += [f"{folder}/{name}" for name in sorted(names) if name.endswith(settings.suffixes)]
    random.Random(settings.seed).shuffle(files)
    return files


def _texts(files: Sequence[str], sources: Path) -> Iterator[tuple[int, str, str]]:
    """Number, text and relative path of each file that holds UTF-8 and is not empty."""
    for number, file in enumerate(files):
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # the latter: a link to nowhere
            continue
        if text:
            yield number, text, os.path.relpath(file, sources)


def _write_corpus(
    files: Sequence[str], sources: Path, path: Path, size: int
) -> tuple[list[str], int]:
    """The texts written, and how many files were looked at for them."""
    texts: list[str] = []
    number = -1
    with path.open("w", encoding="utf-8") as out:
        for number, text, name in _texts(files, sources):  # noqa: B007 - used after the loop
            out.write(json.dumps({"text": text, "path": name}) + "\n")
            texts.append(text)
            size -= len(text.encode())
            if size <= 0:
                break
    return texts, number + 1


def _write_held_out(files: Sequence[str], sources: Path, path: Path, size: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        for _, text, name in _texts(files, sources):
            out.write(json.dumps({"text": text, "path": name}) + "\n")
            size -= len(text)
            if size < 0:
                break


def _new_tokenizer(vocabulary: int) -> tuple[Any, Any]:
    """An untrained byte-level BPE and its trainer."""
    try:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    except ImportError as error:
        raise UsageError(
            "training a tokenizer",
            "the library tokenizers is not installed",
            remedy="pip install 'gramdex[huggingface]'",
        ) from error
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[END_TOKEN],
        show_progress=False,
    )
    return tokenizer, trainer


def _write_tokens(
    tokenizer: Any, texts: Sequence[str], path: Path, dtype: type[np.unsignedinteger]
) -> int:
    """Ids of each text and the largest number of the dtype after it; items written."""
    items = 0
    separator: np.ndarray = np.array([np.iinfo(dtype).max], dtype)
    with path.open("wb") as out:
        for i in range(0, len(texts), BATCH):
            for encoding in tokenizer.encode_batch_fast(list(texts[i : i + BATCH])):
                ids = np.concatenate([np.array(encoding.ids, dtype), separator])
                out.write(ids.tobytes())
                items += ids.size
    return items
