"""An index beside a compressed index of the same text's bytes: size, answers, build, pages."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gramdex.errors import GramdexError
from gramdex.fmindex.format.layout import ENGINES
from gramdex.fmindex.format.manifest import read_index_manifest
from gramdex.fmindex.format.sections import PAGE, SectionFile
from gramdex.tools.bench import machine, timing
from gramdex.tools.bench.cases import WINDOW, Case
from gramdex.tools.bench.compressed_cases import (
    COUNTED,
    EXTRACTED,
    LOCATED,
    Sides,
    StringCase,
    compressed_cases,
    shard_places,
)
from gramdex.tools.bench.corpus import Corpus, draw_patterns
from gramdex.tools.bench.page_touches import measure_pages
from gramdex.tools.bench.peers.ours import GramdexBuilder, open_gramdex
from gramdex.tools.bench.peers.registry import BYTES, GRAMDEX
from gramdex.tools.bench.peers.sdsl_bytes import BytesBuilder
from gramdex.tools.bench.queries import QuerySettings, run_case
from gramdex.tools.bench.summary import latency_lines, run_lines
from gramdex.tools.bench.text import CorpusText
from gramdex.tools.bench.timing import Usage, spread
from gramdex.tools.bench.turns import Say, compare, silent, times_better

PAGES_ASKED = 200
"""Queries of each kind whose pages are counted, at most."""
PAGES_BATCH = 100

_BUILD_NOTE = (
    "gramdex: from raw ids to a published index, positions of documents, tokenizer and checksums "
    "included. SDSL: from a file of the decoded text, one byte after each document; it sorts with "
    "libdivsufsort, its default. One run each, on one core, code loaded before."
)
_SIZE_NOTE = "Share: of the bytes of all documents. gramdex: every file of the index's folder."


@dataclass(frozen=True)
class CompressedSettings:
    """What is measured.

    Attributes:
        engine: gramdex's, one of those that `gramdex.build` knows.
        queries: how much of these.
        work: a folder where the peer's index stays for other runs; None for one that goes.
        peer: whether there is one.
    """

    engine: str = ENGINES[-1]
    queries: QuerySettings = field(default_factory=QuerySettings)
    work: Path | None = None
    peer: bool = True


def run_compressed(
    corpus: Corpus, held_out: Corpus | None, settings: CompressedSettings, say: Say = silent
) -> dict[str, Any]:
    """Build, measure, compare; what `gramdex bench compressed --json` prints.

    Raises:
        GramdexError: the engines disagree.
        TokenizerError: tokens of the corpus have no bytes.
    """
    say("decoding the corpus")
    text = CorpusText(corpus)
    left_out = BYTES.refuses_text(text) if settings.peer else "not asked for"
    with _folder(settings.work) as work, timing.one_core() as core:
        bench = _Bench(text, work, settings, not left_out)
        built = bench.build(say)
        pages = bench.pages(say)
        sections, sizes = bench.ask(held_out, say)
    asked = asdict(settings.queries)
    asked.pop("questions")
    return {
        "bench": "compressed",
        **machine.describe(corpus, held_out),
        "peers": [{"name": BYTES.name, "version": BYTES.version(), "left_out": left_out}],
        "settings": {"engine": settings.engine, **asked, "core": core, "page_cache": "warm"},
        "text_bytes": text.size,
        "summary": list(_summary(built, sizes, sections, text.size)),
        "build": built,
        "sizes": sizes,
        "sections": sections,
        "pages": pages,
        "notes": [_SIZE_NOTE],
    }


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The folder given, made where it is missing, or one that goes."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="gramdex-bench-") as folder:
        yield Path(folder)


class _Bench:
    """Both indexes of one text below a folder."""

    def __init__(self, text: CorpusText, work: Path, settings: CompressedSettings, peer: bool):
        self.text, self.work, self.settings = text, work, settings
        self.ours = GramdexBuilder(text.corpus, work, kind=settings.engine)
        self.peer = BytesBuilder(text, work) if peer else None

    def build(self, say: Say) -> dict[str, Any]:
        """Build both, unless the peer's index is kept; `compare`, per byte of text."""
        say(f"building gramdex's index, engine {self.settings.engine}")
        done = {GRAMDEX.name: [self._per_byte(self.ours.run())]}
        notes = [_BUILD_NOTE]
        if self.peer is not None:
            say(f"building {BYTES.name}'s index")
            done[BYTES.name] = [self._per_byte(self.peer.run_or_keep())]
            if self.peer.kept:
                notes.append(f"{BYTES.name} was built in an earlier run; the figures are of that.")
        return {**compare(done), "planned_bytes": self.ours.planned, "notes": notes}

    def _per_byte(self, usage: Usage) -> dict[str, float]:
        size = self.text.size
        return {
            **asdict(usage),
            "cpu_ns_per_byte": 1e9 * usage.cpu_seconds / size,
            "peak_per_byte": usage.peak_rss_bytes / size,
        }

    def pages(self, say: Say) -> dict[str, Any]:
        """Pages that queries touch; ``failed`` where the system cannot tell."""
        say("pages of gramdex's index")
        try:
            return measure_pages(self.ours.folder, self._asked(), self.work)
        except (GramdexError, OSError) as error:
            say(f"pages were not counted: {error}")
            return {"failed": str(error)}

    def _asked(self) -> dict[str, Any]:
        """Kinds of queries: the question, and the arguments of each."""
        text, queries = self.text, self.settings.queries
        count = min(PAGES_ASKED, queries.queries)
        asked: dict[str, Any] = {}
        for wanted in COUNTED:
            ids = text.draw_strings(wanted, count, queries.seed).ids.tolist()
            asked[f"count, {wanted} bytes"] = ["count", [[each] for each in ids]]
        ids = text.draw_strings(LOCATED, count, queries.seed).ids.tolist()
        batches = [ids[at : at + PAGES_BATCH] for at in range(0, len(ids), PAGES_BATCH)]
        asked[f"count_batch of {len(batches[0])}"] = ["count_batch", [[b] for b in batches]]
        asked["locate one"] = ["locate", [[each] for each in ids]]
        places = text.draw_places(EXTRACTED, count, queries.seed)
        if len(places):
            sizes = [shard.size for shard in read_index_manifest(self.ours.folder).shards]
            asked[f"extract {EXTRACTED} bytes"] = ["extract", shard_places(places, sizes)]
        windows = draw_patterns(text.corpus, WINDOW, count, queries.seed).tolist()
        asked["∞-gram probability"] = ["infgram_prob", [[w[:-1], w[-1]] for w in windows]]
        asked["∞-gram distribution"] = ["infgram_ntd", [[w[:-1]] for w in windows]]
        return asked

    def ask(self, held_out: Corpus | None, say: Say) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Sections of latencies, and the sizes of both indexes."""
        index = open_gramdex(self.text.corpus, self.ours.folder)
        peer = None if self.peer is None else BYTES.open(self.text.corpus, self.peer.folder)
        sides = Sides(index, peer, self.text, self.settings.queries)
        sections = _sections(compressed_cases(sides, held_out), self.settings.queries, say)
        sizes: dict[str, Any] = {GRAMDEX.name: components(self.ours.folder)}
        if self.peer is not None and peer is not None:
            parts = peer.sizes()
            whole = (self.peer.folder / "index.sdsl").stat().st_size
            parts["the rest"] = whole - sum(parts.values())
            sizes[BYTES.name] = _listed(parts)
        return sections, sizes


def components(folder: Path) -> list[dict[str, Any]]:
    """Bytes of every file below the folder of an index, sections of ours apart, shards added up.

    All of them add up to the bytes of all files.
    """
    sizes: dict[str, int] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        for name, size in _parts(path):
            sizes[name] = sizes.get(name, 0) + size
    return _listed(dict(sorted(sizes.items(), key=lambda item: -item[1])))


def _listed(sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"file": name, "bytes": size} for name, size in sizes.items()]


def _parts(path: Path) -> Iterator[tuple[str, int]]:
    if path.suffix != ".gdx":
        yield path.name, path.stat().st_size
        return
    with path.open("rb") as file:
        kind = file.read(32)[16:].rstrip(b"\0").decode("latin-1")
    for section in SectionFile(path, kind).sections.values():
        yield f"{path.name}: {section.name}", section.end - section.offset
    yield "headers", PAGE


def _sections(cases: Iterable[Case], settings: QuerySettings, say: Say) -> list[dict[str, Any]]:
    sections: dict[str, dict[str, Any]] = {}
    for case in cases:
        say(f"{case.section}: {case.label}")
        empty: dict[str, Any] = {"title": case.section, "unit": case.unit, "notes": [], "rows": []}
        section = sections.setdefault(case.section, empty)
        row = asdict(run_case(case, settings))
        section["notes"] += [note for note in case.notes if note not in section["notes"]]
        if isinstance(case, StringCase):
            row |= _of_strings(case)
            section["notes"] += _said(case, row)
        section["rows"].append(row)
    return list(sections.values())


def _of_strings(case: StringCase) -> dict[str, Any]:
    assert case.strings is not None
    assert case.agreement is not None
    return {
        "tokens": int(case.strings.ids.shape[1]),
        "mean_bytes": case.strings.mean_bytes,
        "compared_counts": case.agreement.compared,
        "equal_counts": case.agreement.equal,
    }


def _said(case: StringCase, row: Mapping[str, Any]) -> Iterator[str]:
    """What the strings of a row are, how many counts were equal, and the time of a token."""
    said = [f"{case.label}: {row['mean_bytes']:.1f} bytes on average"]
    if row["compared_counts"]:
        said.append(f"{row['equal_counts']:,} of {row['compared_counts']:,} counts equal")
    if case.question == "count_batch":
        said.append(f"{1000 * row['gramdex']['p50'] / row['tokens']:.0f} ns per token")
        for peer in row["peers"]:
            each = 1000 * peer["latency"]["p50"] / row["mean_bytes"]
            said.append(f"SDSL {each:.0f} ns per byte")
    yield ", ".join(said) + "."


def _summary(
    built: Mapping[str, Any],
    sizes: Mapping[str, Sequence[Mapping[str, Any]]],
    sections: Sequence[Mapping[str, Any]],
    text_bytes: int,
) -> Iterator[dict[str, Any]]:
    """Rows of the first table, as those of a full run."""
    shares = {
        name: sum(part["bytes"] for part in parts) / text_bytes for name, parts in sizes.items()
    }
    lines = [
        {
            "engine": name,
            "figure": asdict(spread([share])),
            "ratio": times_better([shares[GRAMDEX.name]], [share]) if name == BYTES.name else None,
        }
        for name, share in shares.items()
    ]
    yield {"work": "size, everything included", "unit": "of the text", "lines": lines}
    for work, key, unit in (
        ("build from tokens", "cpu_ns_per_byte", "CPU ns per byte of text"),
        ("peak memory of that build", "peak_per_byte", "bytes per byte of text"),
    ):
        yield {"work": work, "unit": unit, "lines": run_lines(built, key)}
    for section in sections:
        yield from (latency_lines(section, row, "p50") for row in section["rows"])
