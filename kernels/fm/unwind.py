"""All of a shard, rank by rank and position by position: to check it, and to take it apart."""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import (
    CHUNK,
    HALF,
    RATE,
    SIZE,
    base_at,
    field,
    row_at,
    token_of_rank,
)
from gramdex.kernels.fm.permutation import preimage
from gramdex.kernels.fm.successors import (
    decoder_at,
    prefetch_directory,
    prefetch_halves,
    successor,
    unit_at,
    units_start,
)
from gramdex.kernels.fm.units import TABLE_BITS
from gramdex.kernels.fm.walk import rank_of_sample
from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import CorruptShard

LANES = 16

RIGHT, ORDER, REPEATED, PADDING = range(4)
"""Verdicts of ``check_lists``."""


@kernel
def decode_chunk(shard, chunk, values):
    """The values at the ranks of a chunk and at the first of the next, into int64[CHUNK + 1]."""
    values[0], values[CHUNK] = base_at(shard, chunk), base_at(shard, chunk + 1)
    for half in range(2):
        at, stop, sign = (CHUNK, HALF, -1) if half else (0, HALF - 1, 1)
        value = values[at]
        address, bit = units_start(shard, chunk, half)
        decoder = decoder_at(shard, address, bit)
        bit += TABLE_BITS
        while at != stop:
            value, run, bit = unit_at(decoder, address, bit, value, sign)
            for _ in range(min(run, sign * (stop - at))):
                at += sign
                values[at] = value
                value += sign
            value -= sign


@kernel
def check_lists(shards, s, starts, seen):
    """Whether every list ascends and every successor is in one list once; a verdict and the rank.

    Shapes: starts uint32[slots + 1] of the lists, seen bool[size + 1], False everywhere.
    """
    shard = row_at(shards, s)
    size = field(shard, SIZE)
    values = np.empty(CHUNK + 1, np.int64)
    slot, below = 0, -1
    for chunk in range((size + CHUNK - 1) // CHUNK):
        decode_chunk(shard, chunk, values)
        for k in range(CHUNK):
            rank, value = chunk * CHUNK + k, values[k]
            if rank >= size:
                if value != rank + 1:
                    return PADDING, rank
                continue
            while starts[slot] <= rank:
                below = -1
                slot += 1
            if value <= below:
                return ORDER, rank
            if value > size or seen[value] or (value == 0) != (rank == 0):
                return REPEATED, rank
            seen[value] = True
            below = value
        if chunk * CHUNK + CHUNK >= size and values[CHUNK] != chunk * CHUNK + CHUNK + 1:
            return PADDING, size
    return RIGHT, 0


@kernel
def ranks_of_positions(shards, s, first, last, ranks):
    """Ranks of the suffixes at text positions, from sample ``first`` up to sample ``last``.

    Fills ranks int64[positions], and checks that each walk ends where the next begins. LANES walks
    take turns.
    """
    shard = row_at(shards, s)
    rate = field(shard, RATE)
    lanes = np.empty((LANES, 3), np.int64)  # rank, text position from the first, where it ends
    sample, active = first, 0
    while active > 0 or sample < last:
        while active < LANES and sample < last:
            start = (sample - first) * rate
            lanes[active, 0] = rank_of_sample(shard, preimage(shard, sample))
            lanes[active, 1], lanes[active, 2] = start, min(start + rate, ranks.size)
            active, sample = active + 1, sample + 1
        for i in range(active):
            prefetch_halves(shard, lanes[i, 0] // CHUNK)
        i = 0
        while i < active:
            rank, at = lanes[i, 0], lanes[i, 1]
            ranks[at] = rank
            at += 1
            end = first * rate + at == field(shard, SIZE)
            if (rank == 0) != end:
                raise CorruptShard("successors")
            if not end:
                rank = successor(shard, rank)
            if at < lanes[i, 2]:
                prefetch_directory(shard, rank)
                lanes[i, 0], lanes[i, 1] = rank, at
                i += 1
                continue
            following = first + at // rate
            if not end and rank != rank_of_sample(shard, preimage(shard, following)):
                raise CorruptShard("samples")
            active -= 1
            lanes[i] = lanes[active]


@kernel
def place_tokens(shards, s, ranks, start, tokens, suffixes):
    """Put the tokens at positions from ``start`` on, and the positions, where they belong.

    Shapes: ranks int64[k] of the positions, tokens unsigned[n], suffixes uint32[n].
    """
    shard = row_at(shards, s)
    for i in range(ranks.size):
        tokens[start + i] = token_of_rank(shard, ranks[i])
        suffixes[ranks[i]] = start + i
