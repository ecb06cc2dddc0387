"""Benchmarks by indexes: every pair checked, and the folder of reports that comes of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gramdex
from gramdex.errors import UsageError
from gramdex.fmindex.format.files import write_file, writing
from gramdex.fmindex.queries.contamination.corpus import NormalizedIndex
from gramdex.fmindex.queries.contamination.definitions import DEFINITIONS, Definition, adjust
from gramdex.fmindex.queries.contamination.judging import MOST_COUNT
from gramdex.fmindex.queries.contamination.normalization import Normalization
from gramdex.rpc.client.target import is_server
from gramdex.tools.arguments import connect
from gramdex.tools.contamination import records
from gramdex.tools.contamination.benchmarks import Benchmark
from gramdex.tools.contamination.page import bulletin_page, checked_page
from gramdex.tools.contamination.records import Checked
from gramdex.tools.contamination.side_index import normalized_index

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

REPORT = "report.html"


@dataclass(frozen=True)
class Settings:
    """How benchmarks are checked.

    Attributes:
        definitions: that are applied, with their parameters.
        normalization: of the side index; None for none.
        cache: folder of side indexes.
        most_count: a window that occurs more often is followed to no document.
        threads: of each index.
        during: entered around each long step, with what is being done.
    """

    definitions: Sequence[Definition] = DEFINITIONS
    normalization: Normalization | None = None
    cache: Path = Path("normalized")
    most_count: int = MOST_COUNT
    threads: int = 1
    during: Callable[[str], AbstractContextManager[object]] = nullcontext


def choose_definitions(only: Sequence[str], settings: Sequence[str]) -> tuple[Definition, ...]:
    """Definitions of these names, or all, with parameters set.

    Raises:
        UsageError: there is no such definition or parameter, or a value has no meaning.
    """
    definitions = adjust(DEFINITIONS, settings)
    known = [definition.name for definition in definitions]
    for name in only:
        if name not in known:
            raise UsageError("--only", repr(name), f"some of {', '.join(known)}")
    return tuple(each for each in definitions if not only or each.name in only)


def check_all(
    indexes: Sequence[str], benchmarks: Sequence[Benchmark], settings: Settings
) -> list[Checked]:
    """Check every benchmark against every index; each index is opened once.

    Raises:
        UsageError: normalization, and an index on a server.
    """
    checked: list[Checked] = []
    names: set[str] = set()
    for path in indexes:
        index = _open(path, settings)
        side: NormalizedIndex | None = None
        if settings.normalization is not None:
            with settings.during(f"index of the normalized text of {path}, made or found"):
                side = normalized_index(
                    index, settings.normalization, settings.cache, settings.threads
                )
        left_out = settings.normalization.names if settings.normalization else ("none",)
        beside = None if side is None else side.index.folders[0]
        about = records.index_record(index, path, beside, ", ".join(left_out))
        for benchmark in benchmarks:
            started = time.perf_counter()
            said = f"{benchmark.name} in {path}, {len(benchmark.examples):,} examples"
            with settings.during(said):
                result = index.contamination(
                    benchmark.examples,
                    definitions=settings.definitions,
                    normalized=side,
                    most_count=settings.most_count,
                )
            name = _free_name(f"{benchmark.name}.{about['name']}", names)
            seconds = time.perf_counter() - started
            checked.append(Checked(benchmark, about, result, seconds, name))
    return checked


def _open(path: str, settings: Settings) -> Index:
    if not is_server(path):
        return gramdex.open(path, settings.threads)
    if settings.normalization is not None:
        expected = "the folder of an index, whose documents are read for it"
        raise UsageError("--normalize", f"a server, {path}", expected, "leave it out")
    return connect(path)


def write_reports(folder: Path, checked: Sequence[Checked], command: str) -> list[Path]:
    """Write everything; the page to open comes first.

    Of each pair: examples as JSON lines, as Parquet where pyarrow is installed, and the documents
    to drop. One pair is one page; several have a page each and one with the table of all.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    written = [folder / REPORT]
    several = len(checked) > 1
    for each in checked:
        rows = [records.example_record(each, judged) for judged in each.result.judged]
        examples = folder / f"{each.name}.examples.jsonl"
        records.write_records(examples, rows)
        written.append(examples)
        table = folder / f"{each.name}.examples.parquet"
        if records.write_parquet(table, rows):
            written.append(table)
        drop = folder / f"{each.name}.drop.jsonl"
        records.write_records(drop, map(records.offender_record, each.result.offenders))
        page = folder / f"{each.name}.html" if several else written[0]
        write_file(page, checked_page(each, command, drop.name).encode())
        written += [drop, page] if several else [drop]
    if several:
        write_file(written[0], bulletin_page(checked, command).encode())
    totals = folder / "report.json"
    write_file(totals, _json(report_record(checked, command)))
    return [*written, totals]


def report_record(checked: Sequence[Checked], command: str) -> dict[str, Any]:
    """Totals of every pair, and how to make them again."""
    return {
        "gramdex": gramdex.__version__,
        "command": command,
        "checked": [records.checked_record(each) for each in checked],
    }


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _free_name(name: str, taken: set[str]) -> str:
    """A name for files that no pair before has."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free
