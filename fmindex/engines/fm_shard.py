"""The file of an FM-index shard: the coded lists of successors, samples, and no text.

::

    successors.gdx    kind "successors"
      sampling_rate   uint32  one number: text positions that are its multiples are sampled
      alphabet        uint32  the tokens that have a list, ascending; empty where all ranks have one
      starts          uint32  first rank of each list, and the end
      directory       uint64  a word for each chunk of 256 ranks and one past the last: the value
                              at its first rank above, below the bytes to its second and first half
      groups          uint64  byte of the stream where every 32nd chunk begins
      code_lengths    uint8   of the symbols of each table
      stream          uint8   the coded halves, and zeros that a reader may touch
      sample_counts   uint32  samples before every 8th chunk
      permutation     uint64  sampled positions / rate in the order of ranks, packed
      shortcut_marks  uint64  a bit for each sample
      shortcut_counts uint32  shortcuts before each word of bits, and all
      shortcuts       uint64  packed

``kernels/fm/successors.py``, ``units.py`` and ``permutation.py`` beside it say what they mean. What
is packed has one word more than it needs, so that whole words can be read.
"""

from __future__ import annotations

import mmap

import numpy as np

from gramdex.errors import CorruptIndexError
from gramdex.fmindex.engines.suffix_array import bucket_shift
from gramdex.fmindex.format.layout import MOST_SAMPLING_RATE
from gramdex.fmindex.format.sections import SectionFile
from gramdex.kernels.fm import columns, permutation, units
from gramdex.kernels.memory import SEPARATOR

_SMALL = ("sampling_rate", "alphabet", "starts", "code_lengths")
_WANTED = ("directory", "groups", "starts", "sample_counts", "shortcut_marks", "shortcut_counts")
"""Sections that every query looks into, a tenth of the file: asked for when it is opened."""
_SCATTERED = ("stream", "permutation", "shortcuts")
"""Sections that queries touch in random places: reading ahead would be for nothing."""


def chunk_count(size: int) -> int:
    """Chunks of a shard of ``size`` tokens."""
    return -(-size // columns.CHUNK)


def sample_bits(samples: int) -> int:
    """Bits of a sampled position / rate."""
    return max(1, (samples - 1).bit_length())


def packed_words(count: int, bits: int) -> int:
    """Words of 64 bits that ``count`` numbers of ``bits`` take, and one to read over the end."""
    return -(-count * bits // 64) + 1


def has_all_lists(ranks: int, size: int) -> bool:
    """Whether every rank of the vocabulary has a list, if only an empty one.

    They have unless the vocabulary is out of proportion to the shard.
    """
    return bucket_shift(ranks, size) == 0


class FMShard:
    """The mapped arrays of one shard, checked as far as kernels rely on them.

    Args:
        file: the file of kind "successors".
        size: tokens the manifest says there are.
        ranks: ranks of the vocabulary.

    Raises:
        CorruptIndexError: a section is missing, has another length or is a damaged table.
    """

    def __init__(self, file: SectionFile, size: int, ranks: int) -> None:
        self.folder = file.path.parent
        self._path = str(file.path)
        self.size, self.ranks = size, ranks
        for name in _SMALL:
            if name in file.sections:  # else it is missed below
                file.check_section(name)
        rates = file.array("sampling_rate", np.uint32)
        self.rate = int(rates[0]) if rates.size == 1 else 0
        if size < 1 or not 1 <= self.rate <= MOST_SAMPLING_RATE:
            expected = f"tokens, and a rate from 1 to {MOST_SAMPLING_RATE}"
            raise self._corrupt(f"{size} tokens, sampling rates {rates.tolist()}", expected)
        self.alphabet = file.array("alphabet", np.uint32)
        self.starts = file.array("starts", np.uint32)
        self.directory = file.array("directory", np.uint64)
        self.groups = file.array("groups", np.uint64)
        self.stream = file.array("stream", np.uint8)
        self.sample_counts = file.array("sample_counts", np.uint32)
        self.permutation = file.array("permutation", np.uint64)
        self.shortcut_marks = file.array("shortcut_marks", np.uint64)
        self.shortcut_counts = file.array("shortcut_counts", np.uint32)
        self.shortcuts = file.array("shortcuts", np.uint64)
        self._check_sizes()
        self._check_lists()
        self.decoders = self._decoders(file.array("code_lengths", np.uint8))
        for names, advice in ((_SCATTERED, mmap.MADV_RANDOM), (_WANTED, mmap.MADV_WILLNEED)):
            for name in names:
                file.advise(name, advice)

    @property
    def samples(self) -> int:
        """Sampled positions."""
        return -(-self.size // self.rate)

    def row(self) -> list[int]:
        """Addresses and sizes in the columns of ``kernels.fm.columns``."""
        row = [0] * columns.COLUMNS
        row[columns.SIZE], row[columns.SLOTS] = self.size, self.starts.size - 1
        row[columns.STREAM_BYTES] = self.stream.size - units.MOST_CHUNK_BYTES
        row[columns.RATE], row[columns.SAMPLES] = self.rate, self.samples
        row[columns.SAMPLE_BITS] = sample_bits(self.samples)
        row[columns.SHORTCUT_TOTAL] = self.shortcut_total
        if self.alphabet.size:
            row[columns.ALPHABET] = self.alphabet.ctypes.data
        for column, array in (
            (columns.STARTS, self.starts),
            (columns.DIRECTORY, self.directory),
            (columns.GROUPS, self.groups),
            (columns.STREAM, self.stream),
            (columns.DECODERS, self.decoders),
            (columns.SAMPLE_COUNTS, self.sample_counts),
            (columns.PERMUTATION, self.permutation),
            (columns.SHORTCUT_MARKS, self.shortcut_marks),
            (columns.SHORTCUT_COUNTS, self.shortcut_counts),
            (columns.SHORTCUTS, self.shortcuts),
        ):
            row[column] = array.ctypes.data
        return row

    def token_starts(self) -> np.ndarray | None:
        """The starts of all lists, where every token has one."""
        return None if self.alphabet.size else self.starts

    def _check_sizes(self) -> None:
        chunks, samples = chunk_count(self.size), self.samples
        marks = -(-samples // permutation.WORD)
        lists = self.ranks if has_all_lists(self.ranks, self.size) else self.alphabet.size
        self.shortcut_total = int(self.shortcut_counts[-1]) if self.shortcut_counts.size else 0
        expected = {
            "alphabet": 0 if lists == self.ranks else lists,
            "starts": lists + 1,
            "directory": chunks + 1,
            "groups": -(-chunks // columns.GROUP),
            "sample_counts": -(-chunks // columns.SAMPLE_CHUNKS),
            "permutation": packed_words(samples, sample_bits(samples)),
            "shortcut_marks": marks,
            "shortcut_counts": marks + 1,
            "shortcuts": packed_words(self.shortcut_total, sample_bits(samples)),
        }
        found = {name: getattr(self, name).size for name in expected}
        if found != expected or self.stream.size <= units.MOST_CHUNK_BYTES:
            raise self._corrupt(f"sections of lengths {found}", f"{expected}")

    def _check_lists(self) -> None:
        starts = self.starts.astype(np.int64)
        tokens = self.alphabet.astype(np.int64)
        ascending = np.all(np.diff(starts) >= 0) and np.all(np.diff(tokens) > 0)
        if not ascending or starts[0] != 0 or starts[-1] != self.size:
            raise self._corrupt("lists that are not side by side", f"lists of {self.size} ranks")
        if tokens.size and (tokens[0] != SEPARATOR or tokens[-1] >= self.ranks):
            raise self._corrupt(f"tokens up to {tokens[-1]}", f"ranks below {self.ranks}")
        if starts[1] == 0:
            raise self._corrupt("no separator", "one at the end of each document")

    def _decoders(self, lengths: np.ndarray) -> np.ndarray:
        """Decoding tables uint32[TABLES << CODE_BITS]; tables that are not stored are the first."""
        tables = lengths.size // units.SYMBOLS
        if not 1 <= tables <= units.TABLES or lengths.size % units.SYMBOLS:
            raise self._corrupt(f"{lengths.size} code lengths", f"{units.SYMBOLS} for each table")
        decoders = np.zeros((units.TABLES, 1 << units.CODE_BITS), np.uint32)
        for table, found in enumerate(lengths.reshape(tables, units.SYMBOLS)):
            if not units.decoding_table(found, decoders[table]):
                raise self._corrupt(f"lengths in table {table} that are no code", "a prefix code")
        decoders[tables:] = decoders[0]
        return decoders.ravel()

    def _corrupt(self, found: str, expected: str) -> CorruptIndexError:
        return CorruptIndexError(
            self._path, found, expected, "run gramdex verify on the index, or build it again"
        )
