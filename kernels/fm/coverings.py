"""Text in an FM-index of tokens: every covering of a string that occurs, from right to left.

What a covering is, and which tokens can be in one, is in ``kernels/text/coverings.py``. A covering
begins with its last token, one of a range of ranks that begin with what is left of the string:
their suffixes are one interval. Every token that ends at the byte where the interval begins is put
in front, depth first; what does not occur is dropped. The first bytes of the string end the token
before: each token that ends so is put in front too, or, where occurrences are few against these
tokens, each occurrence is located and the token before it read. Where much of the string is left
for few occurrences, all that is before them is read.

A token put in front takes two searches in its list, 0.3 to 0.8 µs; reading what is before a suffix
takes a walk to the sampled position after it and one from that before it, 30 µs and more.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.fm.columns import (
    RATE,
    SIZE,
    field,
    list_bounds,
    range_bounds,
    row_at,
    token_of_rank,
)
from gramdex.kernels.fm.search import extend_left
from gramdex.kernels.fm.successors import (
    chunk_of_target,
    lower_bound,
    prefetch_halves,
    search_chunk,
    successor,
)
from gramdex.kernels.fm.walk import locate_rank, rank_at, walk
from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import SEPARATOR, CorruptShard
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
    LONGEST,
    NESTED,
    agreement,
    corpus_total,
    empty_token,
    ends_with,
    tail,
    token_bounds,
)

# What a search is about: a shard by its number, the largest row of HEADS that is filled, the rows
# of EDGES in use, the first byte whose row of NODES is, and whether documents that begin with the
# string count as without it. Where BYTES_READ bytes are left for each occurrence, occurrences are
# read; HEADS_READ tokens are put in front in the time that reading the one there takes.
SHARD, MOST, USED, LISTED, STRIPS, BYTES_READ, HEADS_READ = range(7)

# The column of EDGES after those of ``list_tokens``: the next row that ends at the same byte, or
# -1. ENDS int64[n + 1] holds the first one of each byte.
NEXT = 3

# A head that is put in front: its number among endings, its token's list, and the chunk to look in.
NUMBER, LIST_FIRST, LIST_LAST, CHUNK = range(4)
LANES = 16

BEFORE = -1
"""Where a row of the stack is that begins with tokens without bytes, then the whole string."""


@kernel
def list_before(tables, string, at, job, nodes, edges, ends):
    """Fill NODES from the first byte on where a token that ends at byte ``at`` may begin.

    Enters their tokens in ENDS; returns EDGES, which may have grown.
    """
    first = max(0, at - tables[LONGEST])
    while job[LISTED] > first:
        job[LISTED] -= 1
        start = job[LISTED]
        edges = with_room(edges, job[USED], tables[NESTED])
        used = list_tokens(tables, string, start, nodes, edges, job[USED])
        for edge in range(job[USED], used):
            end = start + edges[edge, 0]
            edges[edge, NEXT] = ends[end]
            ends[end] = edge
        job[USED] = used
    return edges


@kernel
def read_back(shard, tables, string, at, position):
    """Where the tokens before ``position`` begin that end with ``string[:at]``, 0 < at, or -1.

    And the bytes of the first of them before the string. Text is read from one sampled position to
    the next.
    """
    rate = field(shard, RATE)
    while position > 0:
        start = (position - 1) // rate * rate
        tokens = np.empty(position - start, np.int64)
        walk(shard, rank_at(shard, start), tokens)
        for i in range(tokens.size - 1, -1, -1):
            if tokens[i] == SEPARATOR:
                return -1, 0
            token_start, token_end = token_bounds(tables, tokens[i])
            length = token_end - token_start
            if length > at:
                fitting = ends_with(tables, tokens[i], string, at)
                return (start + i if fitting else -1), length - at
            at -= length
            if agreement(tables, tokens[i], string, at) < 0:
                return -1, 0
            if at == 0:
                return start + i, 0
        position = start
    return -1, 0


@kernel
def read_all(shard, tables, string, job, found, state):
    """Occurrences of the string that end with the tokens of a row of the stack, one by one."""
    count = 0
    for rank in range(state[LOW], state[HIGH]):
        position = locate_rank(shard, rank)
        start, skipped = read_back(shard, tables, string, state[AT], position)
        if start >= 0:
            count += 1
            report(found, job[SHARD], start, -1, skipped, state[DEPTH] + position - start)
    return count


@kernel
def read_before(shard, tables, string, job, found, state):
    """Occurrences of the tokens of a row of the stack after a head, each by the token before it."""
    count, at = 0, state[AT]
    for rank in range(state[LOW], state[HIGH]):
        position = locate_rank(shard, rank)
        if position == 0:
            continue
        token = token_of_rank(shard, rank_at(shard, position - 1))
        if ends_with(tables, token, string, at):
            token_start, token_end = token_bounds(tables, token)
            skipped = token_end - token_start - at
            count += 1
            report(found, job[SHARD], position - 1, -1, skipped, state[DEPTH] + 1)
    return count


@kernel
def aim(shard, tables, number, end, low, lanes):
    """Take the next endings of tokens from ``number`` on whose tokens occur, and prefetch for them.

    Fills a row of ``lanes`` int64[LANES, 4] for each; returns how many, and the ending after them.
    """
    count = 0
    while number < end and count < lanes.shape[0]:
        first, last = list_bounds(shard, tail(tables, number)[2])
        if first < last:
            chunk = chunk_of_target(shard, first, last, low + 1)
            prefetch_halves(shard, chunk)
            lanes[count, NUMBER], lanes[count, CHUNK] = number, chunk
            lanes[count, LIST_FIRST], lanes[count, LIST_LAST] = first, last
            count += 1
        number += 1
    return count, number


@kernel
def put_heads(shard, tables, string, job, heads, found, state):
    """Occurrences of the tokens of a row of the stack after a head, the string's bytes before it.

    ``heads`` is the row of HEADS of these bytes. As ``search.narrow_list``, LANES tokens in turn.
    """
    count, low, high, number = 0, state[LOW], state[HIGH], heads[0]
    if (high - low) * job[HEADS_READ] < heads[1] - number:
        return read_before(shard, tables, string, job, found, state)
    lanes = np.empty((LANES, 4), np.int64)
    while number < heads[1]:
        active, number = aim(shard, tables, number, heads[1], low, lanes)
        for i in range(active):
            first, last = lanes[i, LIST_FIRST], lanes[i, LIST_LAST]
            a, value = search_chunk(shard, lanes[i, CHUNK], first, last, low + 1)
            if a == last or value > high:
                continue
            b = a + 1
            if high - low > 1:
                b = lower_bound(shard, b, min(last, a + high - low), high + 1)[0]
            count += b - a
            tail_start, _, token = tail(tables, lanes[i, NUMBER])
            skipped = tail_start - token_bounds(tables, token)[0]
            report(found, job[SHARD], a, b, skipped, state[DEPTH] + 1)
    return count


@kernel
def finish(shard, job, found, state):
    """Occurrences of a whole covering, less those with which a document begins, where it strips.

    A covering of one token counts as none: what is inside one token is counted apart.
    """
    count, low, high = 0, state[LOW], state[HIGH]
    if state[AT] == 0 and state[DEPTH] > 1:
        count = high - low
        report(found, job[SHARD], low, high, 0, state[DEPTH])
    if job[STRIPS]:
        a, b = extend_left(shard, SEPARATOR, low, high)
        count -= b - a
    return count


@kernel
def extend_all(shard, tables, job, state, ends, edges, stack, top):
    """Put the extensions of ``state`` to the left on the stack; returns it and its top."""
    at, depth, low, high = state[AT], state[DEPTH], state[LOW], state[HIGH]
    bottom = top
    edge = ends[at] if at > 0 else -1
    while edge >= 0:
        length, first, end = edges[edge, 0], edges[edge, 1], edges[edge, 2]
        stack = with_room(stack, top, end - first)
        for token in range(first, end):
            a, b = extend_left(shard, token, low, high)
            top = push(stack, top, at - length, depth + 1, a, b)
        edge = edges[edge, NEXT]
    if at > 0 or job[STRIPS]:
        stack = with_room(stack, top, tables[EMPTY_COUNT])
        for number in range(tables[EMPTY_COUNT]):
            a, b = extend_left(shard, empty_token(tables, number), low, high)
            top = push(stack, top, at if at > 0 else BEFORE, depth + 1, a, b)
    left = high - low
    for row in range(bottom, top):  # every suffix has one token before it
        left -= stack[row, HIGH] - stack[row, LOW]
    if left < 0 or depth > field(shard, SIZE):
        raise CorruptShard("successors")
    return stack, top


@kernel
def search_shard(shard, tables, string, job, heads, nodes, edges, ends, found):
    """Occurrences of the string in several tokens of a shard; and EDGES, which may have grown."""
    count, top = 0, 0
    stack = np.empty((64, 4), np.int64)
    state = np.empty(4, np.int64)
    edges = list_before(tables, string, string.size, job, nodes, edges, ends)
    for at in range(max(0, string.size - tables[LONGEST]), string.size):
        if nodes[at, 2] < nodes[at, 3]:
            low, high = range_bounds(shard, nodes[at, 2], nodes[at, 3])
            stack = with_room(stack, top, 1)
            top = push(stack, top, at, 1, low, high)
    while top > 0:
        top -= 1
        state[:] = stack[top]
        at, size = state[AT], state[HIGH] - state[LOW]
        if at > 0 and not job[STRIPS] and size * job[BYTES_READ] <= at:
            count += read_all(shard, tables, string, job, found, state)
            continue
        if at > 0:
            edges = list_before(tables, string, at, job, nodes, edges, ends)
            if at <= job[MOST]:
                count += put_heads(shard, tables, string, job, heads[at], found, state)
        else:
            count += finish(shard, job, found, state)
        stack, top = extend_all(shard, tables, job, state, ends, edges, stack, top)
    return count, edges


@kernel
def inside_tokens(shards, tables, low, high, found):
    """Occurrences inside one token, given the endings of tokens that begin with the string."""
    if found.shape[0] > 1:
        for number in range(low, high):
            position, _, token = tail(tables, number)
            skipped = position - token_bounds(tables, token)[0]
            for s in range(shards.shape[0]):
                first, end = list_bounds(row_at(shards, s), token)
                if first < end:
                    report(found, s, first, end, skipped, 1)
    return corpus_total(tables, low, high)


@kernel
def begins_with(shard, tables, string):
    """Whether the text of a shard begins with the string; tokens without bytes do not part it."""
    start, rank = 0, rank_at(shard, 0)
    for _ in range(field(shard, SIZE)):
        token = token_of_rank(shard, rank)
        if token == SEPARATOR:
            return False
        length = agreement(tables, token, string, start)
        if length < 0:
            return False
        start += length
        if start == string.size:
            return True
        if rank == 0:
            break
        rank = successor(shard, rank)
    raise CorruptShard("successors")


@kernel
def find_text(shards, tables, string, stripped, limits, found):
    """Occurrences of a string, not empty, in all shards; adds to FOUND where each is.

    Shapes: shards int64[s, COLUMNS], tables int64[COLUMNS of ``kernels.text.tokens``], string
    uint8[n]. ``stripped`` is int64[0], or int64[s] where the decoded text of every document lacks
    the space it begins with: 0 for shards whose first document is an exception. An occurrence that
    begins with such a space is not counted, but is in FOUND. ``limits`` are BYTES_READ and
    HEADS_READ, which decide nothing but the time it takes.
    """
    heads = np.empty((tables[LONGEST] + 1, 2), np.int64)
    low, high, most = list_heads(tables, string, heads)
    count = inside_tokens(shards, tables, low, high, found)
    nodes = np.full((string.size + 1, 4), -1, np.int64)
    edges = np.empty((256, NEXT + 1), np.int64)
    ends = np.full(string.size + 1, -1, np.int64)
    job = np.zeros(HEADS_READ + 1, np.int64)
    job[MOST], job[LISTED] = most, string.size
    job[BYTES_READ], job[HEADS_READ] = limits[0], limits[1]
    job[STRIPS] = stripped.size > 0 and string[0] == SPACE
    for s in range(shards.shape[0]):
        shard = row_at(shards, s)
        job[SHARD] = s
        more, edges = search_shard(shard, tables, string, job, heads, nodes, edges, ends, found)
        count += more
        if job[STRIPS] and stripped[s] and begins_with(shard, tables, string):
            count -= 1
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
