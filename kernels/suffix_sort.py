"""Suffix arrays of integer texts in linear time, with one word of working memory per token.

Induced sorting (Nong, Zhang and Chan 2009; as refined by libsais, Grebnov 2021): order the LMS
substrings by two scans, name them, sort the shorter text of names by the same means, and induce
all suffixes from it by two more scans. The level below works in what this one leaves free::

    suffixes   | LMS positions, m | names, r | ........ |        m <= n / 2, r <= m
    work       | counts, cursors | positions, r | ..... |

The suffix array of the names takes the room of the LMS positions where those can be restored
from it, else the free end of ``suffixes`` or ``work``; the rest of ``work`` is the working memory
of the level below. Where the tables by symbol do not fit there, doubling takes over, which needs
none: that is so for alphabets of more than a quarter of the text.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels import lms_reduction, lms_substrings, suffix_doubling, suffix_induction

LIMIT = 1 << 31
"""Texts of fewer tokens have 32-bit positions."""


def position_bytes(size: int, limit: int = LIMIT) -> int:
    """Bytes of a position in a text of ``size`` tokens."""
    return 4 if size < limit else 8


def suffix_array(text: np.ndarray, symbols: int, limit: int = LIMIT) -> np.ndarray:
    """Positions of all suffixes in their order.

    Args:
        text: uint8, uint16 or uint32 [n], of symbols below ``symbols``.
        symbols: size of the alphabet. Up to n / 8 symbols cost nothing extra; above n / 4 the
            time is O(n log n), else O(n).
        limit: texts of so many tokens get 64-bit positions.

    Returns:
        int32[n], or int64[n] from ``limit`` tokens on. A suffix that begins another is smaller.

    Raises:
        ValueError: the text is of another type or shape, or holds a symbol that is too large.
        MemoryError: twice the size of the result does not fit.
    """
    if text.ndim != 1 or text.dtype not in (np.uint8, np.uint16, np.uint32):
        raise ValueError(
            f"the text is {text.dtype}{list(text.shape)}; expected uint8, uint16 or uint32 [n]"
        )
    largest = int(text.max(initial=0))
    if largest >= symbols:
        raise ValueError(f"the text holds symbol {largest}; expected symbols below {symbols}")
    dtype = np.int32 if position_bytes(text.size, limit) == 4 else np.int64
    suffixes = np.empty(text.size, dtype)
    sort_suffixes(np.ascontiguousarray(text), symbols, suffixes, np.empty(text.size, dtype))
    return suffixes


def sort_suffixes(text: np.ndarray, symbols: int, suffixes: np.ndarray, work: np.ndarray) -> None:
    """Fill ``suffixes`` with the suffix array of ``text``.

    Args:
        text: unsigned [n] of symbols below ``symbols``.
        suffixes: int32 or int64 [n].
        work: of the same type, n entries at least; overwritten.
    """
    table = 4 * symbols
    if text.size <= 2 or table > work.size:
        _double(text, suffixes, work)
        return
    counts = work[:table]
    lms = lms_substrings.collect_lms(text, suffixes, counts)
    if lms > 1:
        kept = 2 * table <= work.size and table + 2 * lms <= work.size
        _order_substrings(text, suffixes, counts, work[table : 2 * table] if kept else counts, lms)
        _order_lms(suffixes, lms, work[table:] if kept else work)
        if not kept:
            _count(text, counts, 0)
    else:
        suffixes[0] = suffixes[-1]
    _induce(text, suffixes, counts, lms)


def _double(text: np.ndarray, suffixes: np.ndarray, work: np.ndarray) -> None:
    if text.size:
        ranks = work[: text.size]
        ranks[:] = text
        suffix_doubling.double(suffixes, ranks, _mark(suffixes))


def _count(text: np.ndarray, counts: np.ndarray, first: int) -> None:
    """Classes of all positions, but for those up to ``first``, the first LMS suffix, if not 0."""
    counts[:] = 0
    lms_substrings.add_classes(text, text.size - 1, 0, counts, 1)
    lms_substrings.add_classes(text, first, 1, counts, -1)


def _order_substrings(
    text: np.ndarray, suffixes: np.ndarray, counts: np.ndarray, cursors: np.ndarray, lms: int
) -> None:
    """LMS positions to the front of ``suffixes``, by substring; groups of equals end marked.

    ``cursors`` may be ``counts``, which is then left overwritten.
    """
    mark = _mark(suffixes)
    first = int(suffixes[text.size - lms])
    lms_substrings.add_classes(text, first, 1, counts, -1)
    begin, end = lms_substrings.place_seeds(text, suffixes, counts, cursors, lms, mark)
    lms_substrings.induce_l(text, suffixes, cursors, begin, mark)
    if cursors is counts:
        _count(text, counts, first)
    lms_substrings.turn(suffixes, counts, cursors, int(text[first]), begin + 1, mark)
    lms_substrings.induce_s(text, suffixes, cursors, begin + 1, end, mark)
    if cursors is not counts:
        lms_substrings.add_classes(text, first, 1, counts, 1)


def _order_lms(suffixes: np.ndarray, lms: int, work: np.ndarray) -> None:
    """Sort the LMS suffixes in front of ``suffixes``, which are in the order of substrings."""
    mark, n = _mark(suffixes), suffixes.size
    ordered, slots = suffixes[:lms], suffixes[lms : lms + n // 2]
    groups, unique = lms_reduction.scatter_names(ordered, slots, mark)
    if groups == lms:
        lms_reduction.clear_marks(ordered, mark)
        return
    repeated = lms - unique
    if lms + 2 * min(2 * repeated + 1, lms) <= n:
        positions, needed = work[: lms + 1], work[lms + 1 : lms + 1 + groups]
        size, symbols = lms_reduction.collect_needed_names(slots, positions, needed, mark)
        order = suffixes[lms + size : lms + 2 * size]
    else:
        size, symbols = lms_reduction.collect_names(slots, work[: lms + 1], mark), groups
        order = ordered
    positions, names = work[:size], slots[:size]
    sort_suffixes(names.view(f"u{names.itemsize}"), symbols, order, work[size:])
    if order is ordered:
        lms_reduction.take_positions(ordered, positions, order)
    else:
        lms_reduction.merge_order(ordered, positions, order, mark)


def _induce(text: np.ndarray, suffixes: np.ndarray, counts: np.ndarray, lms: int) -> None:
    """Sort all suffixes, given the sorted LMS suffixes in front of ``suffixes``."""
    mark, symbols = _mark(suffixes), counts.size // 4
    begins, ends = counts[2 * symbols : 3 * symbols], counts[3 * symbols :]
    suffix_induction.add_up(text, counts)
    suffix_induction.spread_lms(suffixes, counts, begins, ends, lms)
    suffix_induction.induce_l(text, suffixes, begins, mark)
    suffix_induction.induce_s(text, suffixes, ends, mark)


def _mark(suffixes: np.ndarray) -> int:
    """The sign bit of a position."""
    return int(np.iinfo(suffixes.dtype).min)
