"""The HTML report: one self-contained page, in which all text of others is escaped.

What can be read without a script is written here; the table of examples is drawn by
``report.js`` from JSON in the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import gramdex
from gramdex.fmindex.queries.contamination.results import PARTS, VERDICTS, Judged
from gramdex.tools.contamination import sections
from gramdex.tools.contamination.records import Checked, evidence_record
from gramdex.tools.contamination.sections import escaped

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def checked_page(checked: Checked, command: str, drop_file: str) -> str:
    """The page of one benchmark against one index."""
    title = f"{checked.benchmark.name} in {checked.index['name']}"
    body = [
        f"<h1>{escaped(title)}</h1>",
        sections.lead(checked),
        sections.facts(checked),
        "<h2>How much of it is in the corpus</h2>",
        sections.bars(checked),
        "<h2>Longest matches</h2>",
        sections.histogram(checked),
        "<h2>Examples</h2>",
        sections.examples_table(list(checked.result.definitions)),
        "<h2>Documents to drop</h2>",
        sections.offenders(checked, drop_file),
        "<h2>Definitions</h2>",
        sections.definitions(checked),
        sections.repeat(command, [checked]),
    ]
    return _page(title, body, page_data(checked))


def bulletin_page(checked: Sequence[Checked], command: str) -> str:
    """The page of several benchmarks and indexes, with a link to the page of each pair."""
    body = [
        "<h1>Contamination bulletin</h1>",
        "<p class=lead>Share of the examples, question and answer together, that are dirty by any "
        "definition; each leads to the report of that pair.</p>",
        sections.bulletin_matrix(checked),
        "<h2>By definition</h2>",
        sections.bulletin(checked),
        sections.repeat(command, checked),
    ]
    return _page("Contamination bulletin", body, None)


def page_data(checked: Checked) -> dict[str, Any]:
    """What the script draws."""
    names = list(checked.result.definitions)
    return {
        "parts": list(PARTS),
        "definitions": names,
        "examples": [_row(judged, names) for judged in checked.result.judged],
    }


def _row(judged: Judged, names: Sequence[str]) -> dict[str, Any]:
    measures = [[judged.measures[part][name] for name in names] for part in PARTS]
    return {
        "name": judged.example.name,
        "question": list(judged.example.question),
        "answer": list(judged.example.answer),
        "m": [[[VERDICTS.index(m.verdict), m.found, m.total] for m in row] for row in measures],
        "spans": [[s.part, s.text, s.start, s.end] for s in judged.spans],
        "e": None if judged.evidence is None else evidence_record(judged.evidence),
    }


def _page(title: str, body: Sequence[str], data: dict[str, Any] | None) -> str:
    """Fill the template; every place at once, so that nothing filled in is taken for a place."""
    values = {
        "title": escaped(title),
        "style": _resource("report.css"),
        "body": "\n".join(body),
        "version": escaped(gramdex.__version__),
        "data": "null" if data is None else _script_json(data),
        "script": "" if data is None else _resource("report.js"),
    }
    return _PLACE.sub(lambda match: values[match[1]], _resource("report.html"))


def _script_json(value: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends one or begins a comment."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _resource(name: str) -> str:
    return files("gramdex.tools.contamination").joinpath(name).read_text("utf-8")
