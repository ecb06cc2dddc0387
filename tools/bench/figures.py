"""Figures as they are printed."""

from __future__ import annotations

from collections.abc import Sequence

from gramdex.tools.bench.timing import spread


def figure(value: float) -> str:
    """Three significant digits, no exponent: ``0.0123``, ``4.56``, ``12,300``."""
    if value >= 999.5:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:#.3g}".rstrip(".")


def interval(values: Sequence[float]) -> str:
    """Median of some runs, and in brackets the least and the greatest."""
    of = spread(values)
    return f"{figure(of.median)} ({figure(of.low)}–{figure(of.high)})"
