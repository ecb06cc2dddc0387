"""Coverings: the sequences of tokens in which a string can stand in a text of tokens.

A string stands in a text either inside one token, or so that its first k bytes end a longer token
and the rest begins at the border after it (k = 0: the string begins at a border). The rest is
covered by whole tokens, one after the other, and a last token that may reach past its end. With k,
the tokens and where they stand, an occurrence is known; each has one covering, so the
coverings that occur can be counted apart and added up.

Tokens without bytes (control tokens) may stand between the tokens of a covering: in the decoded
text what is on both sides of them is adjacent. None stands before the first or after the last.

The tokens that can follow at byte i of the string depend on the string and the vocabulary only;
here they are listed. Extending the intervals of an index by them is the work of its engine:
``kernels/suffix_array/coverings.py`` does it from left to right, ``kernels/fm/coverings.py`` from
right to left.

    HEADS   int64[.., 2]: row k, the endings of longer tokens that are ``string[:k]``, [first, end)
            in TAILS
    NODES   int64[n + 1, 4]: row i, the tokens at byte i: [first, end) of their rows in EDGES, -1
            while they are not known, and [low, high) of the tokens that reach to the end or past it
    EDGES   int64[.., 3 or more]: length in bytes, and [low, high) of the tokens that are these
            bytes
    FOUND   int64[.., 5]: a row for every interval of occurrences: the shard, the ranks [low, high)
            of suffixes that begin with the tokens that hold the string, the bytes of the first of
            these tokens before it, and how many tokens there are. One occurrence that was read in
            the text has its position there as low, and -1 as high. Row 0 counts the rows in its
            first entry, those that do not fit too
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import load_u32
from gramdex.kernels.text.tokens import (
    BYTE_COUNT,
    FIRSTS,
    first_longer,
    first_part,
    first_tail,
    first_token,
)

SPACE = 0x20

# A row of a stack of what is left to extend: ranks [LOW, HIGH) of suffixes that agree on DEPTH
# tokens, and the byte AT of the string that these have reached.
AT, DEPTH, LOW, HIGH = range(4)


@kernel
def with_room(rows, used, more):
    """The rows, or a copy of them of twice the size, with room for ``more`` after ``used``."""
    if used + more <= rows.shape[0]:
        return rows
    larger = np.empty((2 * (used + more), rows.shape[1]), np.int64)
    larger[:used] = rows[:used]
    return larger


@kernel
def report(found, shard, low, high, offset, length):
    """Add a row to FOUND, or count it where there is no room."""
    found[0, 0] += 1
    row = found[0, 0]
    if row < found.shape[0]:
        found[row, 0], found[row, 1], found[row, 2] = shard, low, high
        found[row, 3], found[row, 4] = offset, length


@kernel
def push(stack, top, at, depth, low, high):
    """Put a row on the stack if its interval is not empty; returns the new top."""
    if low >= high:
        return top
    stack[top, AT], stack[top, DEPTH], stack[top, LOW], stack[top, HIGH] = at, depth, low, high
    return top + 1


@kernel
def list_heads(tables, string, heads):
    """Fill HEADS from row 1 on; the endings of tokens that begin with the whole string.

    Returns the first and the end of these endings, and the largest k with ``string[:k]`` at the
    end of a longer token, at most the rows of ``heads`` less one. Each of the endings is an
    occurrence of the string inside a token. O(log vocabulary) per byte.
    """
    low, high, most = 0, tables[BYTE_COUNT], 0
    for k in range(1, string.size + 1):
        byte = np.int64(string[k - 1])
        low = first_tail(tables, low, high, k - 1, byte)
        high = first_tail(tables, low, high, k - 1, byte + 1)
        if low == high:
            return low, low, most
        if k < heads.shape[0]:
            heads[k, 1] = first_tail(tables, low, high, k, 0)
            heads[k, 0] = first_part(tables, low, heads[k, 1])
            if heads[k, 0] < heads[k, 1]:
                most = k
    return low, high, most


@kernel
def list_tokens(tables, string, start, nodes, edges, used):
    """Fill row ``start`` of NODES, with the rows of EDGES from ``used`` on; returns their end.

    EDGES has room for NESTED rows more. O(log vocabulary) per byte of the longest of the tokens.
    """
    byte = np.int64(string[start])
    low, high = load_u32(tables[FIRSTS], byte), load_u32(tables[FIRSTS], byte + 1)
    nodes[start, 0] = used
    depth = 1
    while low < high and start + depth < string.size:
        longer = first_longer(tables, low, high, depth)
        if longer > low:
            edges[used, 0], edges[used, 1], edges[used, 2] = depth, low, longer
            used += 1
        byte = np.int64(string[start + depth])
        low = first_token(tables, longer, high, depth, byte)
        high = first_token(tables, low, high, depth, byte + 1)
        depth += 1
    nodes[start, 1], nodes[start, 2], nodes[start, 3] = used, low, high
    return used
