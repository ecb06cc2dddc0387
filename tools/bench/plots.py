"""Drawing cost against corpus size: a PNG and an SVG for each kind of cost, on log-log axes.

Engines differ by marker and dash as well as shade, and each line is named at its end, so the
plots can be read without colour and without a legend.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from gramdex.errors import UsageError
from gramdex.tools.output import amount

_STYLES = {
    "gramdex": ("black", "-", "o"),
    "infini-gram": ("0.35", "--", "s"),
    "… sampled": ("0.5", "-.", "^"),
    "… as delivered": ("0.5", ":", "D"),
    "sdsl": ("0.6", (0, (8, 2)), "v"),
}
_OTHER = ("0.4", (0, (3, 1, 1, 1)), "x")
_APART = 15.0
"""Points between the names of two lines, at least."""


@dataclass(frozen=True)
class _Plot:
    """One file: what it shows, and the figure its lines are of."""

    name: str
    title: str
    scale: float
    figure: str


_PLOTS = (
    _Plot("build-time", "Build, CPU seconds on one core", 1.0, "build_cpu_seconds"),
    _Plot("peak-memory", "Peak memory of the build, GB", 1e-9, "build_peak_bytes"),
    _Plot("count", "Count of 5 tokens, µs, median of single calls", 1.0, "count_p50"),
    _Plot("count-batch", "Count of 5 tokens, µs per query in batches", 1.0, "batch_p50"),
    _Plot(
        "distribution",
        "∞-gram distribution, 63 tokens of context, µs, median",
        1.0,
        "distribution_p50",
    ),
    _Plot(
        "distribution-p99",
        "∞-gram distribution, 63 tokens of context, µs, 99th percentile",
        1.0,
        "distribution_p99",
    ),
)


def missing() -> str:
    """Why nothing can be drawn; "" where it can."""
    return "" if find_spec("matplotlib") else "matplotlib is not installed"


def require(folder: Path) -> None:
    """Be sure that there is something to draw with, and make the folder to draw into.

    Raises:
        UsageError: matplotlib is not installed, or files cannot be written into the folder.
    """
    if found := missing():
        remedy = "pip install 'gramdex[plots]', or leave --plots out and draw later with --from"
        raise UsageError("--plots", found, "matplotlib", remedy)
    found = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = f"cannot be made: {error.strerror or error}"
    if not found and not os.access(folder, os.W_OK | os.X_OK):
        found = "cannot be written into"
    if found:
        raise UsageError(f"--plots {folder}", found, "a folder for files", "name another folder")


def draw(result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw what `gramdex bench sizes` measured; the files written.

    Args:
        result: as its ``--json`` prints it.
        folder: made where missing.

    Raises:
        UsageError: as from `require`.
    """
    require(folder)
    import matplotlib as mpl

    mpl.use("agg")
    written: list[Path] = []
    for plot in _PLOTS:
        lines = _lines(result["points"], plot)
        if lines:
            written += _draw(plot, lines, result, folder)
    return written


def _lines(points: Sequence[Mapping[str, Any]], plot: _Plot) -> dict[str, list[tuple[int, float]]]:
    """Tokens and cost of each line, by its name, in the order they are met."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for point in points:
        if point.get(plot.figure) is not None:
            line = lines.setdefault(point["engine"], [])
            line.append((point["tokens"], point[plot.figure] * plot.scale))
    return lines


def _draw(
    plot: _Plot,
    lines: Mapping[str, Sequence[tuple[int, float]]],
    result: Mapping[str, Any],
    folder: Path,
) -> list[Path]:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")
    for name, line in lines.items():
        shade, dash, marker = _STYLES.get(name, _OTHER)
        width = 2.0 if name == "gramdex" else 1.3
        axes.plot(
            *zip(*line, strict=True),
            color=shade,
            linestyle=dash,
            marker=marker,
            markersize=4,
            linewidth=width,
        )
    _axes(axes, plot, sorted({tokens for line in lines.values() for tokens, _ in line}), result)
    _name_lines(figure, axes, lines)
    paths = [folder / f"{plot.name}.{kind}" for kind in ("png", "svg")]
    for path in paths:
        # No date and no random ids: the same figures give the same file.
        metadata = {"Date": None} if path.suffix == ".svg" else {}
        with pyplot.rc_context({"svg.hashsalt": "gramdex"}):
            figure.savefig(path, dpi=150, metadata=metadata)
    pyplot.close(figure)
    return paths


def _axes(axes: Any, plot: _Plot, tokens: Sequence[int], result: Mapping[str, Any]) -> None:
    """Log-log, ticks at the sizes measured, no box."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(plot.title, loc="left", fontsize=11)
    axes.set_xlabel(f"tokens of {result['data']['name']}", fontsize=9)
    axes.set_xticks(_thinned(tokens))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: amount(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    low, high = axes.get_ylim()
    steps = (1.0, 2.0, 5.0) if high / low < 300 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=20))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    axes.tick_params(labelsize=9, length=3)
    axes.spines[["top", "right"]].set_visible(False)


def _thinned(tokens: Sequence[int]) -> list[int]:
    """Sizes far enough apart for their labels not to touch."""
    kept: list[int] = []
    for size in tokens:
        if not kept or size >= 1.5 * kept[-1]:
            kept.append(size)
    return kept


def _name_lines(figure: Any, axes: Any, lines: Mapping[str, Sequence[tuple[int, float]]]) -> None:
    """Write each line's name right of its last point, moved up or down where two would touch."""
    from matplotlib.patheffects import withStroke

    figure.draw_without_rendering()
    heights = {
        n: axes.transData.transform(line[-1])[1] * 72 / figure.dpi for n, line in lines.items()
    }
    for end in {line[-1][0] for line in lines.values()}:
        names = sorted(
            (n for n, line in lines.items() if line[-1][0] == end), key=lambda n: heights[n]
        )
        wanted = np.array([heights[name] for name in names])
        for name, move in zip(names, _spaced(wanted) - wanted, strict=True):
            axes.annotate(
                name.replace("…", "infini-gram,"),
                lines[name][-1],
                xytext=(8, move),
                textcoords="offset points",
                va="center",
                fontsize=9,
                annotation_clip=False,
                path_effects=[withStroke(linewidth=3, foreground="white")],
            )


def _spaced(heights: np.ndarray) -> np.ndarray:
    """Ascending heights moved as little as keeps neighbours apart, in the mean where they were."""
    placed = heights.astype(float).copy()
    for _ in range(200):
        gaps = np.diff(placed)
        close = np.flatnonzero(gaps < _APART - 1e-6)
        if not close.size:
            break
        for i in close:
            shift = max(0.0, (_APART - (placed[i + 1] - placed[i])) / 2)
            placed[i] -= shift
            placed[i + 1] += shift
    return placed
