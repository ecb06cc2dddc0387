"""Drafting from an index along held-out text: latency, and how many tokens it would save.

Stretches of the text are drawn, any place as likely as another. Along each a cursor follows the
text. Latency is that of a draft after every token. Then the stretch is replayed as greedy decoding
by a model that writes this very text: a step drafts a tree, accepts the longest path of it that
the text follows, and writes one token more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import gramdex
from gramdex.decoding import draft
from gramdex.errors import UsageError
from gramdex.fmindex.index import Index
from gramdex.indexer.readers import ReadOptions
from gramdex.kernels.suffix_array.drafting import MOST_NODES
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.corpus import Corpus, Source, load_corpus
from gramdex.tools.bench.turns import Say, silent

STRETCH, BEFORE = 256, 1024
"""Tokens of a stretch; tokens before it, at most, that the cursor has seen."""
_NOTES = (
    "Latency in µs, of a draft after every token of the text with a cursor, and of the cursor's "
    "step; a token's median of all rounds counts.",
    "Accepted: tokens of the longest path that the text follows, per step; a step writes one more. "
    "Expected: what the scores add up to. A step drafts so many tokens.",
)


@dataclass(frozen=True)
class DraftSettings:
    """How much is measured.

    Attributes:
        nodes: sizes of trees, a row each.
        tokens: of held-out text, about.
        rounds: how often each draft is timed.
        seed: of the places in the text.
    """

    nodes: Sequence[int] = (4, 8, 16, 32, 64)
    tokens: int = 20_000
    rounds: int = 3
    seed: int = 0


@dataclass(frozen=True)
class Stretch:
    """Tokens of one document: what the cursor has seen, and the text that is drafted for."""

    before: np.ndarray
    text: np.ndarray


def run_drafts(
    path: Path, held_out: Path, read: ReadOptions, settings: DraftSettings, say: Say = silent
) -> dict[str, Any]:
    """Open the index, draft for the text; what `gramdex bench draft --json` prints.

    Raises:
        GramdexError: the index does not open, or the text is none of its tokens.
    """
    gramdex.warmup()
    index = gramdex.open(path)
    say("reading the held-out text")
    other = load_corpus(Source([held_out], index.tokenizer, read), index.token_count)
    stretches = draw_stretches(other, settings)
    timing.warm_pages(path)
    with timing.one_core() as core:
        rows = [_row(index, stretches, nodes, settings.rounds, say) for nodes in settings.nodes]
    data = {
        "name": path.name,
        "tokens": index.token_count,
        "documents": index.document_count,
        "engines": sorted({shard.manifest.engine for shard in index.shards}),
        "shards": len(index.shards),
        "held_out": other.name,
        "held_out_tokens": sum(stretch.text.size for stretch in stretches),
    }
    return {
        "bench": "draft",
        "machine": machine.describe_machine(),
        "versions": machine.describe_versions(),
        "data": data,
        "settings": {**asdict(settings), "core": core, "page_cache": "warm"},
        "rows": rows,
        "notes": list(_NOTES),
    }


def _row(
    index: Index, stretches: Sequence[Stretch], nodes: int, rounds: int, say: Say
) -> dict[str, Any]:
    say(f"trees of {nodes} tokens")
    drafting, stepping = time_drafts(index, stretches, nodes, rounds)
    return {
        "nodes": nodes,
        "draft": asdict(timing.percentiles(drafting)),
        "extend": asdict(timing.percentiles(stepping)),
        **replay(index, stretches, nodes),
    }


def draw_stretches(held_out: Corpus, settings: DraftSettings) -> list[Stretch]:
    """Stretches that start at any token with equal chance, and end with their document."""
    ends = np.cumsum(held_out.lengths)
    count = max(1, settings.tokens // STRETCH)
    places = np.random.default_rng(settings.seed).integers(0, held_out.ids.size, count)
    ids, found = held_out.ids.astype(np.int64), []
    for place in places.tolist():
        number = int(np.searchsorted(ends, place, side="right"))
        end, first = int(ends[number]), int(ends[number] - held_out.lengths[number])
        before = ids[max(first, place - BEFORE) : place]
        found.append(Stretch(before, ids[place : min(end, place + STRETCH)]))
    return found


def time_drafts(
    index: Index, stretches: Sequence[Stretch], nodes: int, rounds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds of a draft before every token, and of the cursor's step by it."""
    clock = time.perf_counter_ns
    taken: list[list[list[int]]] = []
    for _ in range(rounds):
        drafting, stepping = [], []
        for stretch in stretches:
            cursor = index.cursor(stretch.before)
            for token in stretch.text.tolist():
                start = clock()
                draft(cursor, max_nodes=nodes)
                drafted = clock()
                cursor.extend([token])
                stepped = clock()
                drafting.append(drafted - start)
                stepping.append(stepped - drafted)
        taken.append([drafting, stepping])
    microseconds = np.array(taken) / 1000
    return microseconds[:, 0], microseconds[:, 1]


def replay(index: Index, stretches: Sequence[Stretch], nodes: int) -> dict[str, float]:
    """Means over all steps of greedy decoding that writes the stretches."""
    steps, accepted, drafted, expected = 0, 0, 0, 0.0
    for stretch in stretches:
        cursor, text = index.cursor(stretch.before), stretch.text
        while text.size:
            tree = draft(cursor, max_nodes=nodes)
            taken = tree.accepted(text)
            steps, accepted, drafted = steps + 1, accepted + taken, drafted + tree.tokens.size
            expected += float(tree.scores.sum())
            cursor.extend(text[: taken + 1])
            text = text[taken + 1 :]
    return {
        "steps": steps,
        "accepted": accepted / steps,
        "expected": expected / steps,
        "drafted": drafted / steps,
    }


def read_nodes(text: str) -> tuple[int, ...]:
    """The sizes of trees that an option names.

    Raises:
        UsageError: none that a draft can have.
    """
    parts = [part.strip() for part in text.split(",")]
    sizes = tuple(int(part) for part in parts if part.isascii() and part.isdigit())
    if len(sizes) < len(parts) or not all(1 <= size <= MOST_NODES for size in sizes):
        raise UsageError("--nodes", repr(text), f"numbers from 1 to {MOST_NODES}, such as 8,16")
    return sizes
