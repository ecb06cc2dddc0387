"""Runs: the parts of a suffix-array interval that go on with one token each.

The suffixes of an interval agree on some tokens and are ordered by the next, so equal next tokens
stand together. Where a run ends is found by looking at one rank after the other while it is
short, with the text of later ranks on its way, and by galloping once it is long: a run of length r
costs about min(r, NEAR + 2 log r) looks, near ones a few nanoseconds each.
"""

from __future__ import annotations

from gramdex.kernels.jit import kernel
from gramdex.kernels.suffix_array.columns import prefetch_token, suffix_at, token_after

NEAR = 64  # ranks looked at one by one before a run is galloped over
AHEAD = 64  # how many ranks before it is looked at the text of a rank is asked for


@kernel
def first_not_below(shard, low, high, depth, token):
    """First rank in [low, high) whose suffix has a token >= ``token`` at ``depth``."""
    while low < high:
        middle = (low + high) >> 1
        if token_after(shard, middle, depth) < token:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def run_end(shard, low, high, depth, token):
    """End of the run of suffixes that starts at ``low`` and has ``token`` at ``depth``.

    Gallops, so a run of length r costs O(log r), near its start.
    """
    step = 1
    while low + step < high and token_after(shard, low + step, depth) == token:
        low += step
        step *= 2
    return first_not_below(shard, low + 1, min(low + step, high), depth, token + 1)


@kernel
def prefetch_runs(shard, low, high, depth):
    """Ask for what ``following_run`` looks at first in [low, high)."""
    for rank in range(low, min(low + AHEAD, high)):
        prefetch_token(shard, suffix_at(shard, rank) + depth)


@kernel
def following_run(shard, low, high, depth, token):
    """End of the run that starts at ``low`` < ``high`` with ``token`` at ``depth``.

    The text of the first AHEAD ranks has been asked for, and is so again for the next run.
    """
    near = min(low + NEAR, high)
    rank = low + 1
    while rank < near:
        if rank + AHEAD - 1 < high:
            prefetch_token(shard, suffix_at(shard, rank + AHEAD - 1) + depth)
        if token_after(shard, rank, depth) != token:
            return rank
        rank += 1
    if rank == high:
        return high
    step = NEAR
    while rank - 1 + step < high and token_after(shard, rank - 1 + step, depth) == token:
        rank += step
        step *= 2
    end = first_not_below(shard, rank, min(rank - 1 + step, high), depth, token + 1)
    prefetch_runs(shard, end, high, depth)
    return end
