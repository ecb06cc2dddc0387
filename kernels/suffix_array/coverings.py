"""Text in a suffix array of tokens: every covering of a string that occurs, from left to right.

What a covering is, and which tokens can be in one, is in ``kernels/text/coverings.py``. For every
k such that some token ends with the first k bytes, the tokens that can follow extend an interval
from byte k on, depth first; what does not occur is dropped. Where an interval has become small, its
occurrences are read in the text instead. The first k bytes end the token before: each occurrence
is looked at where they are few against the tokens that end so, and else each of those tokens is put
before the covering.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import SEPARATOR, CorruptShard
from gramdex.kernels.suffix_array.columns import (
    SHIFT,
    SIZE,
    bucket_bounds,
    prefetch_token,
    suffix_at,
    token_at,
)
from gramdex.kernels.suffix_array.continuations import find_run, node_of, run_start
from gramdex.kernels.suffix_array.runs import first_not_below
from gramdex.kernels.suffix_array.search import extend_interval
from gramdex.kernels.text.coverings import (
    AT,
    DEPTH,
    HIGH,
    LOW,
    SPACE,
    list_heads,
    list_tokens,
    push,
    report,
    with_room,
)
from gramdex.kernels.text.tokens import (
    EMPTY_COUNT,
    EMPTY_END,
    LONGEST,
    NESTED,
    agreement,
    corpus_total,
    empty_token,
    ends_with,
    tail,
    token_bounds,
)

AHEAD = 16  # how many ranks before it is looked at the text of a rank is asked for

# What a walk is about: a shard by its number, the bytes k before the first border, the endings of
# tokens that are these bytes, and the rows of EDGES in use. FEW occurrences are read rather than
# extended; READS are looked at in the time that putting one token before them takes.
SHARD, HEAD, FIRST, END, USED, FEW, READS = range(7)
# A row of the stack: suffixes [LOW, HIGH) agree on DEPTH tokens, which reach to byte AT.


@kernel
def extend_by_range(shard, low, high, depth, first, end):
    """Part of [low, high), suffixes that agree on ``depth`` tokens, whose next is in [first, end).

    Neither interval is empty.
    """
    if end - first == 1:
        return extend_interval(shard, low, high, depth, first)
    if depth == 0:
        low = bucket_bounds(shard, first)[0]
        high = bucket_bounds(shard, end - 1)[1]
        if shard[SHIFT] == 0:
            if low > high:
                raise CorruptShard("prefix table")
            return low, high
    first_entry, last_entry = node_of(shard, low, high, depth)
    if first_entry < last_entry:
        from_entry = find_run(shard, first_entry, last_entry, first)
        to_entry = find_run(shard, from_entry, last_entry, end)
        if from_entry == to_entry:
            return low, low
        start = run_start(shard, from_entry, low, high)
        return start, max(start, run_start(shard, to_entry, low, high))
    low = first_not_below(shard, low, high, depth, first)
    return low, first_not_below(shard, low, high, depth, end)


@kernel
def read_ahead(shard, tables, string, start, position):
    """End of the tokens from ``position`` on that spell ``string[start:]``, or -1."""
    while start < string.size:
        if position >= shard[SIZE]:
            raise CorruptShard("suffix array")
        token = token_at(shard, position)
        if token == SEPARATOR:
            return -1
        length = agreement(tables, token, string, start)
        if length < 0:
            return -1
        start += length
        position += 1
    return position


@kernel
def read_back(shard, tables, string, length, position):
    """Position of the token before ``position`` that ends with ``string[:length]``, or -1.

    Tokens without bytes are passed over.
    """
    while position > 0:
        position -= 1
        token = token_at(shard, position)
        if token == SEPARATOR:
            return -1
        if token >= tables[EMPTY_END]:
            return position if ends_with(tables, token, string, length) else -1
    return -1


@kernel
def read_all(shard, tables, string, job, found, state):
    """Occurrences of the string among the suffixes of a row of the stack, one by one."""
    count = 0
    at, depth, low, high = state[AT], state[DEPTH], state[LOW], state[HIGH]
    for rank in range(low, high):
        if rank + AHEAD < high:
            prefetch_token(shard, suffix_at(shard, rank + AHEAD) - 1)
        position = suffix_at(shard, rank)
        start, skipped = position, 0
        if job[HEAD] > 0:
            start = read_back(shard, tables, string, job[HEAD], position)
            if start < 0:
                continue
            token_start, token_end = token_bounds(tables, token_at(shard, start))
            skipped = token_end - token_start - job[HEAD]
        end = read_ahead(shard, tables, string, at, position + depth)
        if end >= 0:
            count += 1
            report(found, job[SHARD], start, -1, skipped, end - start)
    return count


@kernel
def put_before(shard, tables, job, found, state, first, end):
    """Occurrences of the tokens of a row of the stack, then one of [first, end), after a head.

    Every token that ends with the head is put before them.
    """
    count, depth = 0, state[DEPTH]
    position = suffix_at(shard, state[LOW])
    for number in range(job[FIRST], job[END]):
        tail_start, _, token = tail(tables, number)
        low, high = extend_interval(shard, 0, shard[SIZE], 0, token)
        i = 0
        while i < depth and low < high:
            if position + i >= shard[SIZE]:
                raise CorruptShard("suffix array")
            low, high = extend_interval(shard, low, high, i + 1, token_at(shard, position + i))
            i += 1
        if low < high:
            low, high = extend_by_range(shard, low, high, depth + 1, first, end)
        if low < high:
            count += high - low
            skipped = tail_start - token_bounds(tables, token)[0]
            report(found, job[SHARD], low, high, skipped, depth + 2)
    return count


@kernel
def finish(shard, tables, string, job, found, state, first, end):
    """Occurrences of a covering: the tokens of a row of the stack, then one of [first, end)."""
    low, high = extend_by_range(shard, state[LOW], state[HIGH], state[DEPTH], first, end)
    if low >= high:
        return 0
    if job[HEAD] == 0:
        report(found, job[SHARD], low, high, 0, state[DEPTH] + 1)
        return high - low
    tokens = job[END] - job[FIRST]
    if high - low > job[READS] * tokens and tables[EMPTY_COUNT] == 0:
        return put_before(shard, tables, job, found, state, first, end)
    whole = state.copy()
    whole[AT], whole[LOW], whole[HIGH] = string.size, low, high
    whole[DEPTH] += 1
    return read_all(shard, tables, string, job, found, whole)


@kernel
def extend_all(shard, tables, state, row, edges, stack, top):
    """Put the extensions of ``state`` by whole tokens on the stack; returns it and its top."""
    at, depth, low, high = state[AT], state[DEPTH], state[LOW], state[HIGH]
    for edge in range(row[0], row[1]):
        length, first, end = edges[edge]
        stack = with_room(stack, top, end - first)
        for token in range(first, end):
            a, b = extend_interval(shard, low, high, depth, token)
            top = push(stack, top, at + length, depth + 1, a, b)
    if depth > 0:
        stack = with_room(stack, top, tables[EMPTY_COUNT])
        for number in range(tables[EMPTY_COUNT]):
            a, b = extend_interval(shard, low, high, depth, empty_token(tables, number))
            top = push(stack, top, at, depth + 1, a, b)
    return stack, top


@kernel
def walk(shard, tables, string, job, nodes, edges, found, start):
    """Occurrences of the string by its coverings from the row ``start`` of a stack on.

    Returns their number, and EDGES, which may have grown.
    """
    count, top = 0, 1
    stack = np.empty((32, 4), np.int64)
    stack[0] = start
    state = np.empty(4, np.int64)
    while top > 0:
        top -= 1
        state[:] = stack[top]
        at, depth = state[AT], state[DEPTH]
        if depth > 0 and state[HIGH] - state[LOW] <= job[FEW]:
            count += read_all(shard, tables, string, job, found, state)
            continue
        if nodes[at, 0] < 0:
            edges = with_room(edges, job[USED], tables[NESTED])
            job[USED] = list_tokens(tables, string, at, nodes, edges, job[USED])
        row = nodes[at]
        if row[2] < row[3] and (at > 0 or depth > 0):  # else inside one token: counted apart
            count += finish(shard, tables, string, job, found, state, row[2], row[3])
        stack, top = extend_all(shard, tables, state, row, edges, stack, top)
    return count, edges


@kernel
def inside_tokens(shards, tables, low, high, found):
    """Occurrences inside one token, given the endings of tokens that begin with the string."""
    if found.shape[0] > 1:
        for number in range(low, high):
            position, _, token = tail(tables, number)
            skipped = position - token_bounds(tables, token)[0]
            for s in range(shards.shape[0]):
                first, end = extend_interval(shards[s], 0, shards[s, SIZE], 0, token)
                if first < end:
                    report(found, s, first, end, skipped, 1)
    return corpus_total(tables, low, high)


@kernel
def at_starts(shards, tables, string, stripped, job, nodes, edges):
    """Documents that begin with the string, but for the first of shards that are not ``stripped``.

    Their separators stand first in the suffix array, the last of the shard before all others.
    """
    count, nowhere = 0, np.zeros((1, 5), np.int64)
    start = np.array([0, 1, 1, 0], np.int64)
    job[HEAD] = 0
    for s in range(shards.shape[0]):
        shard = shards[s]
        if stripped[s] and read_ahead(shard, tables, string, 0, 0) >= 0:
            count += 1
        end = bucket_bounds(shard, SEPARATOR)[1]
        if shard[SHIFT] != 0:
            end = first_not_below(shard, 0, end, 0, SEPARATOR + 1)
        start[LOW], start[HIGH] = min(1, end), end
        if start[LOW] < end:
            more, edges = walk(shard, tables, string, job, nodes, edges, nowhere, start)
            count += more
    return count


@kernel
def find_text(shards, tables, string, stripped, limits, found):
    """Occurrences of a string, not empty, in all shards; adds to FOUND where each is.

    Shapes: shards int64[s, COLUMNS], tables int64[COLUMNS of ``kernels.text.tokens``], string
    uint8[n]. ``stripped`` is int64[0], or int64[s] where the decoded text of every document lacks
    the space it begins with: 0 for shards whose first document is an exception. An occurrence that
    begins with such a space is not counted, but is in FOUND. ``limits`` are FEW and READS, which
    decide nothing but the time it takes.
    """
    heads = np.empty((tables[LONGEST] + 1, 2), np.int64)
    low, high, most = list_heads(tables, string, heads)
    count = inside_tokens(shards, tables, low, high, found)
    nodes = np.full((string.size + 1, 4), -1, np.int64)
    edges = np.empty((256, 3), np.int64)
    job, start = np.zeros(READS + 1, np.int64), np.zeros(4, np.int64)
    job[FEW], job[READS] = limits[0], limits[1]
    for s in range(shards.shape[0]):
        shard = shards[s]
        job[SHARD], start[HIGH] = s, shard[SIZE]
        for k in range(min(most, string.size - 1) + 1):
            if k > 0:
                job[FIRST], job[END] = heads[k, 0], heads[k, 1]
                if job[FIRST] == job[END]:
                    continue
            job[HEAD], start[AT] = k, k
            more, edges = walk(shard, tables, string, job, nodes, edges, found, start)
            count += more
    if stripped.size > 0 and string[0] == SPACE:
        count -= at_starts(shards, tables, string, stripped, job, nodes, edges)
    return count


@kernel
def count_texts(shards, tables, strings, offsets, stripped, limits, counts):
    """Occurrences of each ``strings[offsets[i]:offsets[i + 1]]``, not empty, into ``counts``.

    Shapes: strings uint8[t], offsets int64[k + 1], counts int64[k]; the others as in ``find_text``.
    """
    for i in range(counts.size):
        found = np.zeros((1, 5), np.int64)
        string = strings[offsets[i] : offsets[i + 1]]
        counts[i] = find_text(shards, tables, string, stripped, limits, found)
