"""Text positions: sorting them, their documents, which lie near others, where a phrase stands.

Two lists of positions are intersected by galloping (Bentley and Yao 1976): the place of each
element of the shorter list is looked for in steps that double, from the place of the one before.
So a list of m against one of n takes about m · log(n / m) comparisons, and no more than m + n.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.jit import kernel
from gramdex.kernels.memory import CorruptShard


@kernel
def first_from(values, start, least):
    """First index from ``start`` on of ascending ``values`` whose value is ``least`` or more."""
    low, step = start, 1
    while low + step < values.size and values[low + step] < least:
        low += step
        step *= 2
    high = min(low + step, values.size)
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < least:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def documents_of(positions, starts, documents):
    """Number of the document of each position, into ``documents`` int64[n].

    ``positions`` int64[n] ascend, each below the last of ``starts`` uint32[d + 1], the first of
    which is 0; CorruptShard where ``starts`` are not so.
    """
    document = 0
    for i in range(positions.size):
        document = first_from(starts, document, positions[i] + 1) - 1
        if not 0 <= document < starts.size - 1:
            raise CorruptShard("boundaries of documents")
        documents[i] = document


@kernel
def keep_near(anchors, documents, starts, window, others, keep):
    """Clear ``keep`` bool[n] of anchors without one of ``others`` near; how many are left.

    Near is: in the same document, and at most ``window`` tokens before or after it; -1 for
    anywhere in it. ``anchors`` int64[n] and ``others`` int64[m] ascend; ``documents`` int64[n]
    are those of the anchors, which begin at ``starts`` uint32[d + 1].
    """
    place, left = 0, 0
    for i in range(anchors.size):
        if not keep[i]:
            continue
        low = starts[documents[i]] + 0
        high = starts[documents[i] + 1] - 1
        if window >= 0:
            low, high = max(low, anchors[i] - window), min(high, anchors[i] + window)
        place = first_from(others, place, low)
        if place < others.size and others[place] <= high:
            left += 1
        else:
            keep[i] = False
    return left


@kernel
def pattern_starts(text, pattern, found):
    """Where ``pattern`` int64[m], m > 0, stands in ``text`` int64[n], into ``found`` int64[n].

    Returns how many places there are. About n comparisons but for texts of repeats.
    """
    count = 0
    for i in range(text.size - pattern.size + 1):
        length = 0
        while length < pattern.size and text[i + length] == pattern[length]:
            length += 1
        if length == pattern.size:
            found[count] = i
            count += 1
    return count


@kernel
def count_parts(values, shift, counts):
    """Count ``values`` by their bits from ``shift`` on, into ``counts`` int64[b]."""
    for i in range(values.size):
        counts[np.uint64(values[i]) >> np.uint64(shift)] += 1


@kernel
def scatter(values, shift, places, scattered):
    """Put each of ``values`` at the next place of those that share its bits from ``shift`` on.

    ``places`` int64[b] holds the next place for each such part, below the size of ``scattered``,
    and is moved on.
    """
    for i in range(values.size):
        part = np.uint64(values[i]) >> np.uint64(shift)
        scattered[places[part]] = values[i]
        places[part] += 1
