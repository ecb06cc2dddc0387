"""Prefix codes by the book, and packed numbers, for tests of those of the FM-index."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence

import numpy as np


def package_merge(counts: Sequence[int], most: int) -> int:
    """Bits of the best code of at most ``most`` bits: coins of each value, paired and merged."""
    coins = sorted((count, (symbol,)) for symbol, count in enumerate(counts) if count)
    row: list[tuple[int, tuple[int, ...]]] = []
    for _ in range(most):
        row = sorted([*coins, *row])
        row = [(a[0] + b[0], a[1] + b[1]) for a, b in zip(row[0::2], row[1::2], strict=False)]
    lengths: Counter[int] = Counter()
    for _, symbols in row[: len(coins) - 1]:
        lengths.update(symbols)
    return sum(length * counts[symbol] for symbol, length in lengths.items())


def huffman(counts: Sequence[int]) -> tuple[int, int]:
    """Bits of the best code without a limit, and the depth of one of these."""
    heap = [(count, 0) for count in counts if count]
    heapq.heapify(heap)
    bits = 0
    while len(heap) > 1:
        (a, depth), (b, other) = heapq.heappop(heap), heapq.heappop(heap)
        bits += a + b
        heapq.heappush(heap, (a + b, max(depth, other) + 1))
    return bits, heap[0][1]


def best_of_all(counts: Sequence[int], most: int) -> int:
    """Bits of the best code of at most ``most`` bits, from all sequences of lengths."""
    weights = sorted((count for count in counts if count), reverse=True)

    def search(i: int, least: int, space: int) -> int | None:
        if i == len(weights):
            return 0 if space == 0 else None
        found = None
        for length in range(least, most + 1):
            left = space - (1 << (most - length))
            rest = search(i + 1, length, left) if left >= 0 else None
            if rest is not None:
                bits = rest + length * weights[i]
                found = bits if found is None else min(found, bits)
        return found

    found = search(0, 1, 1 << most)
    assert found is not None
    return found


def codewords(lengths: Sequence[int]) -> dict[str, int]:
    """Canonical codes, as strings of bits in the order they are read, to their symbols."""
    code, words = 0, {}
    for length in range(1, max(lengths) + 1):
        code *= 2
        for symbol, found in enumerate(lengths):
            if found == length:
                words[format(code, f"0{length}b")] = symbol
                code += 1
    return words


def packed(numbers: Sequence[int], bits: int) -> np.ndarray:
    """Numbers of ``bits`` bits, the lowest first, in words of 64, and one word more."""
    total = sum(int(number) << (i * bits) for i, number in enumerate(numbers))
    words = -(-len(numbers) * bits // 64) + 1
    return np.frombuffer(total.to_bytes(8 * words, "little"), np.uint64)
