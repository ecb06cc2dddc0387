"""A benchmark against an index as records: JSON lines, Parquet, and the totals of both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramdex.fmindex.format.files import write_file, writing
from gramdex.fmindex.queries.contamination.results import (
    PARTS,
    VERDICTS,
    Contamination,
    Evidence,
    Judged,
    Offender,
)
from gramdex.rpc.client.target import is_server
from gramdex.tools.contamination.side_index import fingerprint

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.tools.contamination.benchmarks import Benchmark


@dataclass(frozen=True)
class Checked:
    """One benchmark against one index.

    Attributes:
        benchmark: what was looked for.
        index: what is said of the index it was looked for in.
        result: what was found.
        seconds: it took, the side index not counted.
        name: of its files, without suffix.
    """

    benchmark: Benchmark
    index: dict[str, Any]
    result: Contamination
    seconds: float
    name: str


def index_record(index: Index, path: str, side: Path | None, normalization: str) -> dict[str, Any]:
    """What tells an index apart, and how its text was normalized."""
    name = Path(path).name.removesuffix(".gdx")
    if is_server(path):  # also part of a file name
        name = re.sub(r"[^\w.]+", "-", path.partition("://")[2]).strip("-")
    return {
        "name": name,
        "path": path,
        "fingerprint": f"{index.generation:016x}" if is_server(path) else fingerprint(index),
        "tokenizer": index.tokenizer.kind,
        "token_count": index.token_count,
        "document_count": index.document_count,
        "normalization": normalization,
        "side_index": None if side is None else str(side),
    }


def benchmark_record(benchmark: Benchmark) -> dict[str, Any]:
    """What was read, and what was left out."""
    return {
        "name": benchmark.name,
        "path": benchmark.path,
        "fields": {name: value for name, value in asdict(benchmark.fields).items() if value},
        "examples": len(benchmark.examples),
        "skipped": benchmark.skipped,
        "first_skipped": benchmark.first_skipped,
    }


def totals_record(result: Contamination) -> dict[str, dict[str, dict[str, int]]]:
    """By part, by definition, how many examples have each verdict."""
    return {
        part: {
            name: {verdict: counter[verdict] for verdict in VERDICTS}
            for name, counter in result.totals(part).items()
        }
        for part in PARTS
    }


def dirty_by_any(checked: Checked) -> int:
    """Examples that some definition calls dirty, question and answer together."""
    return sum(judged.verdict() == "dirty" for judged in checked.result.judged)


def checked_record(checked: Checked) -> dict[str, Any]:
    """Everything but the examples."""
    result = checked.result
    return {
        "benchmark": benchmark_record(checked.benchmark),
        "index": checked.index,
        "totals": totals_record(result),
        "dirty_by_any": dirty_by_any(checked),
        "unavailable": result.unavailable,
        "definitions": result.definitions,
        "documents_to_drop": len(result.offenders),
        "windows_not_followed": result.not_followed,
        "seconds": round(checked.seconds, 3),
    }


def example_record(checked: Checked, judged: Judged) -> dict[str, Any]:
    """One example with every number."""
    example = judged.example
    return {
        "benchmark": checked.benchmark.name,
        "index": checked.index["name"],
        "example": example.name,
        "verdict": judged.verdict(),
        "question": list(example.question),
        "answer": list(example.answer),
        "measures": {
            part: {
                name: {
                    "verdict": measure.verdict,
                    "found": measure.found,
                    "total": measure.total,
                    "share": measure.share,
                }
                for name, measure in measures.items()
            }
            for part, measures in judged.measures.items()
        },
        "spans": [asdict(span) for span in judged.spans],
        "evidence": None if judged.evidence is None else evidence_record(judged.evidence),
    }


def evidence_record(evidence: Evidence) -> dict[str, Any]:
    """The rarest window that was found."""
    return asdict(evidence)


def offender_record(offender: Offender) -> dict[str, Any]:
    """A document to drop."""
    return {
        "document": offender.number,
        "metadata": offender.metadata,
        "examples": offender.examples,
        "window": offender.window,
        "window_count": offender.count,
    }


def write_records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write JSON lines."""
    lines = (json.dumps(record, ensure_ascii=False, allow_nan=False) for record in records)
    write_file(path, "".join(line + "\n" for line in lines).encode())


def write_parquet(path: Path, records: Iterable[dict[str, Any]]) -> bool:
    """Write a row per example, a column per number; False where pyarrow is missing."""
    if find_spec("pyarrow") is None:
        return False
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pylist([_flat(record) for record in records])
    temporary = path.with_name(path.name + ".tmp")
    with writing(path):
        pyarrow.parquet.write_table(table, temporary)
        temporary.replace(path)
    return True


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """An example as columns; what has no fixed form is JSON."""
    row = {
        name: record[name]
        for name in ("benchmark", "index", "example", "verdict", "question", "answer")
    }
    for part, measures in record["measures"].items():
        for name, measure in measures.items():
            for number, value in measure.items():
                row[f"{part}_{name.replace('-', '_')}_{number}"] = value
    evidence = record["evidence"]
    row["evidence_count"] = None if evidence is None else evidence["count"]
    row["evidence_document"] = None if evidence is None else evidence["document"]
    for name in ("spans", "evidence"):
        row[name] = json.dumps(record[name], ensure_ascii=False)
    return row
