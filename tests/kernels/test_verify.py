"""The check of a suffix array accepts the right one and nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.kernels.suffix_array import verify


def verdict(text: list[int], suffixes: list[int], values: int) -> int:
    counts = np.bincount(text, minlength=values)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return verify.check_suffix_array(
        np.array(text, np.uint8), np.array(suffixes, np.uint32), starts, np.empty(values, np.int64)
    )[0]


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.integers(0, 2), min_size=2, max_size=12), st.data())
def test_check_accepts_the_suffix_array_and_nothing_else(
    text: list[int], data: st.DataObject
) -> None:
    right = sorted(range(len(text)), key=lambda i: text[i:])
    assert verdict(text, right, 3) == verify.SORTED
    wrong = data.draw(
        st.one_of(
            st.permutations(right),
            st.lists(st.integers(0, len(text) + 1), min_size=len(text), max_size=len(text)),
        )
    )
    assert (verdict(text, wrong, 3) == verify.SORTED) == (wrong == right)
