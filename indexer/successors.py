"""Writing the file of an FM-index shard from its tokens and suffix array."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gramdex.fmindex.engines.fm_shard import (
    chunk_count,
    has_all_lists,
    packed_words,
    sample_bits,
)
from gramdex.fmindex.format.layout import SAMPLING_RATE
from gramdex.fmindex.format.sections import SectionWriter
from gramdex.indexer.successor_codes import train_codes
from gramdex.kernels.fm import columns, encode, permutation, units

KIND = "successors"

_WORDS = 1 << 20
"""Of the buffer between coding and the file."""


def coding_memory(size: int, ranks: int, width: int) -> int:
    """Most bytes that coding a shard takes, its tokens and suffix array included."""
    per_token = width + 4 + 4  # and its value
    places = chunk_count(size) * 24 + -(-size // 64) * 16
    return size * per_token + places + 16 * ranks + 8 * _WORDS


def write_successors(
    path: Path,
    tokens: np.ndarray,
    suffixes: np.ndarray,
    counts: np.ndarray,
    rate: int = SAMPLING_RATE,
) -> None:
    """Code a shard.

    Args:
        path: the file.
        tokens: unsigned[n].
        suffixes: uint32[n], their suffix array.
        counts: int64[ranks], occurrences of each rank.
        rate: of sampling.

    Raises:
        DiskFullError, BuildError: the file cannot be written.

    About 45 ns per token, and 4 bytes beside tokens and suffix array.
    """
    heads = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    alphabet = np.empty(0, np.uint32)
    starts = heads
    if not has_all_lists(counts.size, tokens.size):
        alphabet = np.flatnonzero(counts).astype(np.uint32)
        starts = np.append(heads[alphabet], tokens.size)
    values = np.empty(tokens.size, np.uint32)
    encode.list_values(tokens, suffixes, heads[:-1].copy(), values)
    lengths = train_codes(values, starts)
    with SectionWriter(path, KIND) as writer:
        writer.section("sampling_rate", np.array([rate], np.uint32))
        writer.section("alphabet", alphabet)
        writer.section("starts", starts.astype(np.uint32))
        writer.section("code_lengths", lengths.ravel())
        _write_stream(writer, (suffixes, np.uint32(rate)), (values, starts), lengths)


def _packed(numbers: np.ndarray, bits: int) -> np.ndarray:
    words = np.zeros(packed_words(numbers.size, bits), np.uint64)
    encode.pack_bits(numbers, bits, words)
    return words


def _write_stream(
    writer: SectionWriter,
    text: tuple[np.ndarray, np.uint32],
    lists: tuple[np.ndarray, np.ndarray],
    lengths: np.ndarray,
) -> None:
    suffixes, values = text[0], lists[0]
    chunks = chunk_count(suffixes.size)
    codes = np.zeros(lengths.shape, np.int64)
    for table in range(lengths.shape[0]):
        units.canonical_codes(lengths[table], codes[table])
    groups = np.empty(-(-chunks // columns.GROUP), np.uint64)
    pointers, found = np.empty(2 * chunks, np.uint16), np.empty(chunks, np.uint32)
    samples = np.empty(-(-suffixes.size // int(text[1])), np.uint32)
    state = np.zeros(4, np.int64)
    words = np.empty(_WORDS, np.uint64)
    writer.begin("stream", np.uint8)
    while state[encode.CHUNK_DONE] < chunks:
        words[:] = 0
        size = encode.encode_chunks(
            text, lists, (lengths, codes), state, words, (groups, pointers, found), samples
        )
        writer.write(words.view(np.uint8)[:size])
    writer.write(np.zeros(units.MOST_CHUNK_BYTES, np.uint8))
    writer.section("groups", groups)
    writer.section("directory", _directory(values, pointers))
    before = np.cumsum(found, dtype=np.uint64) - found
    writer.section("sample_counts", before[:: columns.SAMPLE_CHUNKS].astype(np.uint32))
    _write_samples(writer, samples)


def _directory(values: np.ndarray, pointers: np.ndarray) -> np.ndarray:
    quarters = np.zeros((chunk_count(values.size) + 1, 4), np.uint16)
    quarters[:-1, :2] = pointers.reshape(-1, 2)
    bases = quarters.view(np.uint32)[:, 1]
    bases[:-1] = values[:: columns.CHUNK]
    bases[-1] = bases.size * columns.CHUNK - columns.CHUNK + 1
    return quarters.view(np.uint64).ravel()


def _write_samples(writer: SectionWriter, samples: np.ndarray) -> None:
    bits = sample_bits(samples.size)
    writer.section("permutation", _packed(samples, bits))
    words = -(-samples.size // permutation.WORD)
    marks, backs = np.zeros(words, np.uint64), np.zeros(samples.size, np.uint32)
    permutation.mark_shortcuts(samples, marks, backs)
    marked = np.unpackbits(marks.view(np.uint8), bitorder="little")[: samples.size].astype(bool)
    per_word = np.add.reduceat(marked, np.arange(0, samples.size, permutation.WORD), dtype=np.int64)
    writer.section("shortcut_marks", marks)
    writer.section("shortcut_counts", np.append(0, np.cumsum(per_word)).astype(np.uint32))
    writer.section("shortcuts", _packed(backs[marked], bits))
