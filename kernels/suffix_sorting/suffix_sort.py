"""Suffix arrays of integer texts, with one word of working memory per token.

Induced sorting (Nong, Zhang and Chan 2009; as refined by libsais, Grebnov 2021): order the LMS
substrings by two scans, name them, sort the shorter text of names by the same means, and induce
all suffixes from it by two more scans. The level below works in what this one leaves free::

    suffixes   | LMS positions, m | names, r | ............ |        m <= n / 2, r <= m
    work       | counts | positions of names, r | ........ |

The suffix array of the names goes to what is free of ``suffixes``, or where names stand for all
LMS positions over those. The working memory of the level below is the rest of ``work``, or all of
it: counts and positions can be had from the text again.

That takes linear time. A level needs four words per symbol; where those do not fit doubling takes
over, which needs none and O(n log n) expected time: on alphabets above a quarter of the text, and
below the first level on texts of as many names, such as two copies of one that goes up and down
at every step, with some more of the kind.
"""

from __future__ import annotations

import numpy as np

from gramdex.kernels.suffix_sorting import (
    lms_reduction,
    lms_substrings,
    suffix_doubling,
    suffix_induction,
)

LIMIT = 1 << 31
"""Texts of fewer tokens have 32-bit positions."""


def position_bytes(size: int) -> int:
    """Bytes of a position in a text of ``size`` tokens."""
    return 4 if size < LIMIT else 8


def suffix_array(text: np.ndarray, symbols: int) -> np.ndarray:
    """Positions of all suffixes in their order.

    Args:
        text: uint8, uint16 or uint32 [n], of symbols below ``symbols``.
        symbols: size of the alphabet. Up to n / 8 symbols cost nothing extra, up to n / 4 more
            passes over the text; above, and on rare texts below, time is not linear, see above.

    Returns:
        int32[n], or int64[n] from 2^31 tokens on. A suffix that begins another is smaller.

    Raises:
        ValueError: the text is of another type or shape, or holds a symbol that is too large, or
            there are more symbols than a position can tell apart.
        MemoryError: twice the size of the result does not fit.
    """
    if text.ndim != 1 or text.dtype not in (np.uint8, np.uint16, np.uint32):
        raise ValueError(
            f"the text is {text.dtype}{list(text.shape)}; expected uint8, uint16 or uint32 [n]"
        )
    largest = int(text.max(initial=0))
    if text.size and largest >= symbols:
        raise ValueError(f"the text holds symbol {largest}; expected symbols below {symbols}")
    dtype = np.dtype(f"i{position_bytes(text.size)}")
    if symbols > np.iinfo(dtype).max:
        raise ValueError(f"{symbols} symbols; expected as many as positions, number them densely")
    suffixes = np.empty(text.size, dtype)
    sort_suffixes(np.ascontiguousarray(text), symbols, suffixes, np.empty(text.size, dtype))
    return suffixes


def sort_suffixes(text: np.ndarray, symbols: int, suffixes: np.ndarray, work: np.ndarray) -> None:
    """Fill ``suffixes`` with the suffix array of ``text``.

    Args:
        text: unsigned [n].
        symbols: size of the alphabet.
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
        held = table if table + max(table, 2 * lms + 1) <= work.size else 0
        _order_substrings(text, suffixes, counts, work[held : held + table], lms)
        _order_lms(text, suffixes, counts, work, lms, held)
        if not held:
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
    mark, shared = _mark(suffixes), np.shares_memory(counts, cursors)
    first = int(suffixes[text.size - lms])
    lms_substrings.add_classes(text, first, 1, counts, -1)
    begin, end = lms_substrings.place_seeds(text, suffixes, counts, cursors, lms, mark)
    lms_substrings.induce_l(text, suffixes, cursors, begin, mark)
    if shared:
        _count(text, counts, first)
    lms_substrings.turn(suffixes, counts, cursors, int(text[first]), begin + 1, mark)
    lms_substrings.induce_s(text, suffixes, cursors, begin + 1, end, mark)
    if not shared:
        lms_substrings.add_classes(text, first, 1, counts, 1)


def _order_lms(
    text: np.ndarray,
    suffixes: np.ndarray,
    counts: np.ndarray,
    work: np.ndarray,
    lms: int,
    held: int,
) -> None:
    """Sort the LMS suffixes in front of ``suffixes``, which are in the order of substrings.

    The first ``held`` entries of ``work`` are counts to be kept; they are there afterwards.
    """
    mark, n, free = _mark(suffixes), text.size, work[held:]
    assert min(free.size, suffixes.size) >= 2 * lms  # LMS positions are two or more apart
    ordered, slots = suffixes[:lms], suffixes[lms : lms + n // 2]
    groups, alone = lms_reduction.scatter_names(ordered, slots, mark)
    if groups == lms:
        lms_reduction.clear_marks(ordered, mark)
        return
    positions = free[: lms + 1]
    if 4 * alone > lms and lms + 2 * min(2 * (lms - alone), lms) <= n:
        needed = free[lms + 1 : lms + 1 + groups]
        size, symbols = lms_reduction.collect_needed_names(slots, positions, needed, mark)
        order = suffixes[lms + size : lms + 2 * size]
        sort_suffixes(_as_text(slots[:size]), symbols, order, free[size:])
        lms_reduction.merge_order(ordered, positions, order, mark)
        return
    lms_reduction.collect_names(slots, positions, mark)
    names = _as_text(slots[:lms])
    if 4 * groups <= free.size - lms:
        sort_suffixes(names, groups, ordered, free[lms:])
    else:  # what is held can be had again, and so can the positions, of all LMS suffixes
        sort_suffixes(names, groups, ordered, work)
        lms_substrings.collect_lms(text, suffixes, counts)
        positions = suffixes[n - lms :]
    lms_reduction.take_positions(ordered, positions, ordered)


def _as_text(names: np.ndarray) -> np.ndarray:
    return names.view(f"u{names.itemsize}")


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
