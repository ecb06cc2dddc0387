"""What a sample says of the whole, with a bound that holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import lgamma, log

import numpy as np

CONFIDENCE = 0.99


def bounds(hits: int, sampled: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Interval for a share of which a uniform sample of ``sampled`` has ``hits``.

    Clopper and Pearson 1934: it holds the share at least as often as stated, whatever the share;
    drawn without replacement, more often.
    """
    rest = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _solve(lambda p: 1 - _below(hits - 1, sampled, p) < rest)
    high = 1.0 if hits == sampled else _solve(lambda p: _below(hits, sampled, p) > rest)
    return low, high


def _solve(smaller: Callable[[float], bool]) -> float:
    """Where a condition on a share in (0, 1) that holds up to some point ends."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if smaller(middle) else (low, middle)
    return (low + high) / 2


def _below(hits: int, sampled: int, share: float) -> float:
    """Probability of at most ``hits`` among ``sampled``."""
    several = np.arange(hits + 1)
    logs = _coefficients(sampled)[: hits + 1] + several * log(share)
    return min(1.0, float(np.exp(logs + (sampled - several) * np.log1p(-share)).sum()))


@cache
def _coefficients(sampled: int) -> np.ndarray:
    """Logarithm of every binomial coefficient of ``sampled``."""
    factorials = np.array([lgamma(k + 1) for k in range(sampled + 1)])
    return factorials[-1] - factorials - factorials[::-1]
