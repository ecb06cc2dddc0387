"""The tokens a benchmark runs on, and patterns drawn from them.

Both engines get the same tokens: a prefix of the input, cut to a number of tokens, held in
memory as one flat array and the length of each document.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gramdex.errors import InputError, TokenizerError, UsageError
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.tokenizers import NoTokenizer, Tokenizer, load_tokenizer
from gramdex.indexer.encoding import Encoder, Place, Refused
from gramdex.indexer.readers import ReadOptions, list_inputs, read
from gramdex.indexer.records import BadRecord, Record

HOW_TO_GET_DATA = (
    "make data with gramdex bench prepare SOURCES FOLDER; docs/BENCHMARKS.md says which sources"
)
WIDE_VARIANTS = 4

_ALL_IDS = (1 << 32) - 2


@dataclass(frozen=True)
class Source:
    """Where tokens come from.

    Attributes:
        inputs: anything ``gramdex.build`` takes.
        tokenizer: encodes text, and names the tokenizer of ids; None where there is none.
        read: how inputs are read.
    """

    inputs: Sequence[str | os.PathLike[str]]
    tokenizer: str | os.PathLike[str] | Tokenizer | None
    read: ReadOptions


@dataclass(frozen=True)
class Corpus:
    """Documents of token ids.

    Attributes:
        ids: unsigned integers of `width` bytes, all documents one after the other.
        lengths: int64[documents].
        name: of the input, without its folder.
        tokenizer: what the ids were made with, or None.
        vocabulary_size: ids are below this.
    """

    ids: np.ndarray
    lengths: np.ndarray
    name: str
    tokenizer: Tokenizer | None
    vocabulary_size: int

    @property
    def width(self) -> int:
        """Bytes per token: the largest number of so many bytes is left for the separator."""
        return self.ids.itemsize

    @property
    def separator(self) -> int:
        """The largest number of `width` bytes; ends each document in raw files."""
        return int(np.iinfo(self.ids.dtype).max)

    @property
    def last_document(self) -> list[int]:
        """Ids of the last document."""
        return self.ids[self.ids.size - int(self.lengths[-1]) :].tolist()

    def frequent(self, count: int) -> list[int]:
        """The most frequent ids, the most frequent first."""
        counts = np.bincount(self.ids, minlength=count)
        order = np.argsort(-counts, kind="stable")[:count]
        return [int(token) for token in order if counts[token]]

    def write_raw(self, path: Path) -> ReadOptions:
        """Write ids with a separator after each document; how to read them."""
        ends = np.cumsum(self.lengths)
        np.insert(self.ids, ends, self.separator).tofile(path)
        return ReadOptions(format="raw", dtype=self.ids.dtype.name, separator_id=self.separator)

    def without_long(self, longest: int) -> Corpus:
        """The same without documents of more than ``longest`` tokens.

        Raises:
            UsageError: nothing is left.
        """
        kept = self.lengths <= longest
        ids, lengths = self.ids[np.repeat(kept, self.lengths)], self.lengths[kept]
        if not ids.size:
            raise UsageError("--max-document", f"{longest} tokens", "a length some document has")
        return replace(self, ids=ids, lengths=lengths)

    def prefix(self, tokens: int) -> Corpus:
        """The first ``tokens`` tokens; the last document is cut where it would exceed them."""
        if tokens >= self.ids.size:
            return self
        ends = np.cumsum(self.lengths)
        last = int(np.searchsorted(ends, tokens))
        lengths = self.lengths[: last + 1].copy()
        lengths[-1] -= int(ends[last]) - tokens
        return replace(self, ids=self.ids[:tokens], lengths=lengths)

    def symbols(self) -> np.ndarray:
        """What a suffix sorter gets: ids + 1 with a 0 after each document, as shards hold them."""
        ids = self.ids + self.ids.dtype.type(1)
        return np.insert(ids, np.cumsum(self.lengths), 0)

    def widened(self) -> Corpus:
        """The same text in a 32-bit vocabulary of four times as many entries.

        A token becomes one of four variants, by a hash of the token before it:
        id + (hash(previous) mod 4) · vocabulary size, where hash(p) is the upper two bits of
        p · 2654435761 mod 2^32 and p = 0 at a document's start. What was equal for n tokens
        stays equal for n - 1, and different ids stay different. 32,000 entries become 128,000.

        Raises:
            UsageError: four times the vocabulary is too much for 32 bits.
        """
        size = self.vocabulary_size
        if size * WIDE_VARIANTS >= _ALL_IDS:
            raise UsageError("--widen", f"ids up to {size - 1}", "below 2^30 - 1")
        previous = np.zeros(self.ids.size, np.uint32)
        previous[1:] = self.ids[:-1]
        starts = np.cumsum(self.lengths) - self.lengths
        previous[starts[self.lengths > 0]] = 0
        variant = (previous * np.uint32(2654435761)) >> np.uint32(30)
        ids = self.ids.astype(np.uint32) + variant * np.uint32(size)
        return replace(self, ids=ids, tokenizer=None, vocabulary_size=size * WIDE_VARIANTS)


def load_corpus(source: Source, limit: int) -> Corpus:
    """Read the first ``limit`` tokens; the last document is cut where it would exceed them.

    Raises:
        InputError: the data is missing, cannot be read, or holds no token.
        UsageError, TokenizerError: text without a tokenizer, a raw file without a dtype.
    """
    _check_present(source.inputs)
    tokenizer = None if source.tokenizer is None else load_tokenizer(source.tokenizer)
    encoder = Encoder(tokenizer or NoTokenizer(_ALL_IDS), Vocabulary(_ALL_IDS))
    parts: list[np.ndarray] = []
    lengths = [0]
    left = limit
    for piece in encoder.encode(_records(source)):
        if isinstance(piece, Refused):
            raise piece.error
        parts.append(piece.ranks[:left] - np.uint32(1))
        lengths[-1] += parts[-1].size
        left -= parts[-1].size
        if left == 0:
            break
        if not piece.continues:
            lengths.append(0)
    if left:
        lengths.pop()
    if left == limit:
        raise InputError(str(source.inputs[0]), "no tokens", "a corpus", HOW_TO_GET_DATA)
    return _corpus(source, tokenizer, np.concatenate(parts), lengths)


def draw_patterns(corpus: Corpus, length: int, count: int, seed: int) -> np.ndarray:
    """Patterns int64[count, length] that stand in the corpus, any place as likely as another.

    Raises:
        UsageError: no document is that long.
    """
    places = np.maximum(corpus.lengths - length + 1, 0)
    ends = np.cumsum(places)
    if ends[-1] == 0:
        raise UsageError(corpus.name, f"no document of {length} tokens", "longer documents")
    drawn = np.random.default_rng([seed, length]).integers(0, ends[-1], count)
    document = np.searchsorted(ends, drawn, side="right")
    inside = drawn - (ends - places)[document]
    starts = (np.cumsum(corpus.lengths) - corpus.lengths)[document] + inside
    return corpus.ids[starts[:, None] + np.arange(length)].astype(np.int64)


def _check_present(inputs: Sequence[str | os.PathLike[str]]) -> None:
    if not inputs:
        raise UsageError("data", "none named", "--tokens FILE, or inputs", HOW_TO_GET_DATA)
    for given in (os.fspath(each) for each in inputs):
        local = "://" not in given and not any(character in given for character in "*?[")
        if local and not Path(given).exists():
            raise InputError(given, "no such file or folder", "a corpus", HOW_TO_GET_DATA)


def _records(source: Source) -> Iterator[tuple[Place, Record | BadRecord]]:
    for number, file in enumerate(list_inputs(source.inputs, source.read)):
        for i, record in enumerate(read(file, source.read)):
            if source.tokenizer is None and isinstance(record, Record):
                _refuse_text(record)
            yield Place(number, i), record


def _refuse_text(record: Record) -> None:
    if isinstance(record.data, str):
        raise TokenizerError(
            "--tokenizer",
            f"none, and {record.source} is text",
            "a tokenizer for text",
            "give --tokenizer NAME, for instance --tokenizer bytes",
        )


def _corpus(
    source: Source, tokenizer: Tokenizer | None, ids: np.ndarray, lengths: list[int]
) -> Corpus:
    largest = int(ids.max())
    width = next(w for w in (1, 2, 4) if largest < (1 << 8 * w) - 1)
    return Corpus(
        ids=ids.astype(f"u{width}"),
        lengths=np.array(lengths, np.int64),
        name=", ".join(Path(given).name for given in source.inputs),
        tokenizer=tokenizer,
        vocabulary_size=largest + 1 if tokenizer is None else tokenizer.vocabulary_size,
    )
