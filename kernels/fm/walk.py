"""Between ranks and text positions: walks along successors from and to sampled positions.

Every position that is a multiple of RATE is sampled, so a walk takes fewer than RATE steps; more
are taken for damage.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import (
    CHUNK,
    HALF,
    RATE,
    SAMPLE_CHUNKS,
    SAMPLE_COUNTS,
    SAMPLES,
    SIZE,
    field,
    row_at,
    token_of_rank,
)
from gramdex.kernels.fm.permutation import image, preimage
from gramdex.kernels.fm.successors import (
    bits_at,
    half_start,
    prefetch_directory,
    prefetch_halves,
    sample_count,
    successor,
)
from gramdex.kernels.fm.units import OFFSET_BITS
from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import SEPARATOR, CorruptShard, load_u32

LANES = 16


@kernel
def samples_before(shard, chunk, half):
    """Sampled ranks before a half of a chunk."""
    group = chunk // SAMPLE_CHUNKS
    samples = load_u32(field(shard, SAMPLE_COUNTS), group)
    for before in range(2 * group * SAMPLE_CHUNKS, 2 * chunk + half):
        samples += sample_count(half_start(shard, before >> 1, before & 1))[0]
    return samples


@kernel
def sample_of_rank(shard, rank):
    """Number of a rank among the sampled ones, or -1."""
    chunk, half, offset = rank // CHUNK, (rank // HALF) & 1, rank % HALF
    address = half_start(shard, chunk, half)
    samples, bit = sample_count(address)
    for i in range(samples):
        found = bits_at(address, bit + OFFSET_BITS * i) & (HALF - 1)
        if found >= offset:
            return samples_before(shard, chunk, half) + i if found == offset else -1
    return -1


@kernel
def rank_of_sample(shard, sample):
    """The ``sample``-th of the sampled ranks; always < SIZE."""
    chunks = (field(shard, SIZE) + CHUNK - 1) // CHUNK
    low, high = 0, (chunks + SAMPLE_CHUNKS - 1) // SAMPLE_CHUNKS
    while high - low > 1:  # the last group with at most ``sample`` of them before it
        middle = (low + high) >> 1
        if load_u32(field(shard, SAMPLE_COUNTS), middle) <= sample:
            low = middle
        else:
            high = middle
    left = sample - load_u32(field(shard, SAMPLE_COUNTS), low)
    for place in range(2 * low * SAMPLE_CHUNKS, 2 * min((low + 1) * SAMPLE_CHUNKS, chunks)):
        address = half_start(shard, place >> 1, place & 1)
        samples, bit = sample_count(address)
        if 0 <= left < samples:
            rank = place * HALF + (bits_at(address, bit + OFFSET_BITS * left) & (HALF - 1))
            if rank < field(shard, SIZE):
                return rank
        left -= samples
    raise CorruptShard("samples")


@kernel
def position_of_sample(shard, sample, steps):
    """Text position of a suffix that is ``steps`` tokens longer than a sampled one."""
    if not 0 <= sample < field(shard, SAMPLES):
        raise CorruptShard("samples")
    position = image(shard, sample) * field(shard, RATE) - steps
    if position < 0 or position >= field(shard, SIZE):
        raise CorruptShard("samples")
    return position


@kernel
def locate_rank(shard, rank):
    """Text position of the suffix of ``rank``."""
    for steps in range(min(field(shard, RATE), field(shard, SIZE))):
        if rank == 0:
            return field(shard, SIZE) - 1 - steps
        sample = sample_of_rank(shard, rank)
        if sample >= 0:
            return position_of_sample(shard, sample, steps)
        rank = successor(shard, rank)
    raise CorruptShard("samples")


@kernel
def locate(shards, s, low, high, positions):
    """Text positions of the ranks [low, high) of a shard into int64[high - low], in their order.

    LANES walks take turns, each loading what it needs while the others step.
    """
    shard = row_at(shards, s)
    lanes = np.empty((LANES, 3), np.int64)  # rank, steps, which
    waiting, active = low, 0
    while active < min(LANES, high - low):
        lanes[active, 0], lanes[active, 1], lanes[active, 2] = waiting, 0, waiting - low
        waiting += 1
        active += 1
    while active > 0:
        for i in range(active):
            prefetch_halves(shard, lanes[i, 0] // CHUNK)
        i = 0
        while i < active:
            rank, steps, which = lanes[i, 0], lanes[i, 1], lanes[i, 2]
            sample = 0 if rank == 0 else sample_of_rank(shard, rank)
            if sample < 0:
                if steps >= min(field(shard, RATE), field(shard, SIZE) - 1):
                    raise CorruptShard("samples")
                rank = successor(shard, rank)
                prefetch_directory(shard, rank)
                lanes[i, 0], lanes[i, 1] = rank, steps + 1
                i += 1
                continue
            if rank == 0:
                positions[which] = field(shard, SIZE) - 1 - steps
            else:
                positions[which] = position_of_sample(shard, sample, steps)
            if waiting < high:
                lanes[i, 0], lanes[i, 1], lanes[i, 2] = waiting, 0, waiting - low
                waiting += 1
                i += 1
            else:
                active -= 1
                lanes[i] = lanes[active]


@kernel
def rank_at(shard, position):
    """Rank of the suffix at a text position < SIZE."""
    sample = position // field(shard, RATE)
    if sample >= field(shard, SAMPLES):
        raise CorruptShard("samples")
    rank = rank_of_sample(shard, preimage(shard, sample))
    for _ in range(position % field(shard, RATE)):
        rank = successor(shard, rank)
    return rank


@kernel
def walk(shard, rank, tokens):
    """The first tokens of the suffix of ``rank``, into int64[n]; the rank after them.

    Past the end of the text tokens are SEPARATOR.
    """
    for i in range(tokens.size):
        if rank == 0:
            tokens[i:] = SEPARATOR
            return 0
        tokens[i] = token_of_rank(shard, rank)
        rank = successor(shard, rank)
    return rank


@kernel
def extract(shards, s, start, end, tokens):
    """Tokens at the text positions [start, end) of a shard into int64[end - start]."""
    shard = row_at(shards, s)
    if start < end:
        walk(shard, rank_at(shard, start), tokens)
