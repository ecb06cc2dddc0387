"""What the demo finds out: an index of the Python standard library, and answers from it."""

from __future__ import annotations

import random
import re
import shutil
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gramdex.errors import InputError, OutputExistsError
from gramdex.tools.tokens import Span, maximal_spans

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.fmindex.results import Document, InfgramDistribution

OUTPUT = Path(".demo") / "stdlib.gdx"
"""Where the demo's index goes; the only place it ever removes one from."""

REPORTS = "contamination"
"""What the folder of the contamination report, beside the index, is called after its name."""

STRINGS = (
    "self.",
    "import os",
    "raise ValueError(",
    "lambda x: x",
    "TODO",
    "Guido",
    "import antigravity",
    "goto",
)
PROMPT = "def summon_duck(pond):\n    if not "
CONTEXTS = ("import ", "self.", "except ")
PLACES = ("def shorten(text, width", "def insort_right(", "def ")
SEARCHES = ("xkcd.com", "Dutch", "def ")

INVENTED_BEFORE = "def teleport(sandwich):\n    # none of this line was ever in Python\n"
INVENTED_AFTER = '    return sandwich or "the duck ate the semicolons"\n'

_LEFT_OUT = {"site-packages", "dist-packages", "__pycache__"}
_QUERIES, _PIECES, _QUERY_BYTES = 20_000, 100, 24
_LONGEST = 200
_LINES = 8
_LEAST_MATCH = 20


@dataclass(frozen=True)
class Sources:
    """Files to index.

    Attributes:
        folder: where they lie.
        files: those with something in them, in order.
        empty: number of those without.
    """

    folder: Path
    files: list[Path]
    empty: int


@dataclass(frozen=True)
class Timing:
    """Seconds a count takes, for queries of at most so many bytes out of the corpus."""

    queries: int
    bytes_each: int
    single: float
    batch: float


@dataclass(frozen=True)
class Continuation:
    """What greedy ∞-gram prediction adds to a prompt.

    Attributes:
        added: the text.
        first: the first prediction.
        certain_after: bytes added when only one place of the corpus was left; None if never.
        source: path of that place.
        seconds: per byte.
    """

    prompt: str
    added: str
    first: InfgramDistribution
    certain_after: int | None
    source: str | None
    seconds: float


@dataclass(frozen=True)
class Tracing:
    """A text, what of it is in the corpus, and where."""

    text: str
    ids: np.ndarray
    spans: list[Span]
    sources: list[str]
    seconds: float


def find_sources(folder: Path | None) -> Sources:
    """Python files of the standard library, or of another folder.

    Raises:
        InputError: there is none.
    """
    folder = folder or Path(sysconfig.get_path("stdlib"))
    files = [
        path
        for path in sorted(folder.rglob("*.py"))
        if not _LEFT_OUT.intersection(path.relative_to(folder).parts) and path.is_file()
    ]
    filled = [path for path in files if path.stat().st_size]
    if not filled:
        raise InputError(
            str(folder), "no Python files", "some .py files", "name a folder with --source"
        )
    return Sources(folder, filled, len(files) - len(filled))


def make_room(output: Path) -> None:
    """Remove an earlier demo's index from the place that is the demo's own.

    Raises:
        OutputExistsError: the place is another, or holds more than an index.
    """
    if not output.exists():
        return
    remedy = "remove it yourself, or name another with --output"
    if output != OUTPUT:
        raise OutputExistsError(str(output), "a folder that is there already", "none", remedy)
    known = re.compile(r"manifest\.json|build\.json|tokenizer|shard-\d{5}(\.\d+\.tmp)?")
    strangers = [entry.name for entry in output.iterdir() if not known.fullmatch(entry.name)]
    if strangers:
        raise OutputExistsError(str(output), f"other files ({strangers[0]}, …)", "none", remedy)
    shutil.rmtree(output)


def measure(index: Index) -> Timing:
    """Time counts of pieces of random documents, one by one and in one call."""
    rng = random.Random(1)
    rows: list[list[int]] = []
    for _ in range(_QUERIES // _PIECES):
        text = index.document(rng.randrange(index.document_count)).ids
        last = max(0, text.size - _QUERY_BYTES)
        starts = (rng.randrange(last + 1) for _ in range(_PIECES))
        rows += [text[start : start + _QUERY_BYTES].tolist() for start in starts]
    single = [_timed(partial(index.count, row))[1] for row in rows[::10]]
    _, batch = _timed(lambda: index.count_batch(rows))
    return Timing(len(rows), _QUERY_BYTES, float(np.median(single)), batch / len(rows))


def continue_text(index: Index, prompt: str, longest: int = _LONGEST) -> Continuation:
    """Add the most frequent next byte again and again, to the end of a few lines."""
    text = index.encode(prompt).tolist()
    begin, first, certain = len(text), index.infgram_ntd(prompt), None
    started = time.perf_counter()
    while len(text) - begin < longest and text[begin:].count(ord("\n")) < _LINES:
        found = index.infgram_ntd(text, 1)
        if not found.tokens.size or found.end_count >= found.counts[0]:
            break
        if certain is None and found.context_count == 1:
            certain = len(text) - begin
        text.append(int(found.tokens[0]))
    seconds = (time.perf_counter() - started) / max(1, len(text) - begin)
    added = index.decode(text[begin:])
    last = index.infgram_ntd(text, 1).suffix_length
    where = index.documents(text[len(text) - last :], 1, 0) if last else []
    return Continuation(prompt, added, first, certain, path_of(where), seconds)


def trace(index: Index) -> Tracing:
    """Mix lines of a real function with invented ones, and find the real ones again."""
    text = INVENTED_BEFORE + _real_lines(index) + INVENTED_AFTER
    ids = index.encode(text)
    result, seconds = _timed(lambda: index.match(ids))
    spans = maximal_spans(result.lengths, result.counts, _LEAST_MATCH)
    found = [path_of(index.documents(ids[span.start : span.end], 1, 0)) or "" for span in spans]
    return Tracing(text, ids, spans, found, seconds)


def search(index: Index) -> tuple[str, Document | None]:
    """One document, with the text that was looked for."""
    for query in SEARCHES:
        if found := index.documents(query, 1, 160):
            return query, found[0]
    return SEARCHES[-1], None


def path_of(documents: list[Document]) -> str | None:
    """Path of the first of these documents."""
    return str(documents[0].metadata.get("path")) if documents else None


def _real_lines(index: Index) -> str:
    for place in PLACES:
        for document in index.documents(place, 1, None):
            start = document.matches[0].text_start or 0
            lines = (document.text or "")[start:].splitlines(keepends=True)
            return "".join(lines[1 : _LINES + 1])
    return (index.document(0).text or "")[:_LONGEST] + "\n"


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started
