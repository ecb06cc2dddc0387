"""The demo's benchmark: problems in the format of HumanEval, some of them from the corpus."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramdex.fmindex.format.files import write_file
from gramdex.tools.contamination.benchmarks import read_benchmark
from gramdex.tools.contamination.checking import Settings, check_all, write_reports
from gramdex.tools.contamination.fields import read_maps
from gramdex.tools.contamination.records import Checked, checked_record

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

_PROBLEMS = "problems.jsonl"
_REAL, _LOOKED_AT = 6, 60
_LINES = range(5, 31)

_INVENTED = (
    (
        "def quack_count(pond):\n"
        '    """Sum the quacks of every duck in a pond that is not asleep."""\n',
        '    return sum(duck["quacks"] for duck in pond if not duck["asleep"])\n',
    ),
    (
        "def braid(left, right):\n"
        '    """Alternate the letters of two ropes; the longer one keeps its tail."""\n',
        "    pairs = [a + b for a, b in zip(left, right)]\n"
        "    shorter = min(len(left), len(right))\n"
        '    return "".join(pairs) + left[shorter:] + right[shorter:]\n',
    ),
    (
        "def teapot_order(guests):\n"
        '    """Say in which order to pour: the thirstiest guest first, the host last."""\n',
        '    thirsty = sorted(guests, key=lambda guest: -guest["thirst"])\n'
        '    return [guest["name"] for guest in thirsty if not guest["host"]] + ["host"]\n',
    ),
    (
        "def lighthouse(blinks, period):\n"
        '    """Whether a lamp that blinks at these seconds shows the same face each period."""\n',
        "    faces = {}\n"
        "    for blink in blinks:\n"
        "        faces.setdefault(blink // period, set()).add(blink % period)\n"
        "    return len(set(map(frozenset, faces.values()))) <= 1\n",
    ),
)


def contamination(index: Index, index_path: Path, folder: Path) -> tuple[Checked, Path]:
    """Check the problems against the demo's index; what was found, and the report."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _PROBLEMS
    lines = "".join(json.dumps(problem) + "\n" for problem in problems(index))
    write_file(path, lines.encode())
    benchmark = read_benchmark(f"humaneval={path}", read_maps())
    checked = check_all([str(index_path)], [benchmark], Settings())
    command = f"gramdex contamination {index_path} humaneval={path} --output {folder}"
    return checked[0], write_reports(folder, checked, command)[0]


def record(checked: Checked, report: Path) -> dict[str, Any]:
    """What was found, for JSON."""
    return {"contamination": checked_record(checked), "report": str(report)}


def problems(index: Index) -> Iterator[dict[str, Any]]:
    """Functions of the corpus, then invented ones."""
    for number, (name, prompt, solution) in enumerate(_functions(index)):
        if number == _REAL:
            break
        yield _problem(f"Corpus/{number}", name, prompt, solution)
    for number, (prompt, solution) in enumerate(_INVENTED):
        name = prompt.split("(")[0].removeprefix("def ")
        yield _problem(f"Invented/{number}", name, prompt, solution)


def _problem(task: str, name: str, prompt: str, solution: str) -> dict[str, Any]:
    return {"task_id": task, "prompt": prompt, "canonical_solution": solution, "entry_point": name}


def _functions(index: Index) -> Iterator[tuple[str, str, str]]:
    """Name, signature with docstring, and body; at most one function of a document."""
    for document in index.documents('):\n    """', _LOOKED_AT):
        text = document.text or ""
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        lines = text.splitlines(keepends=True)
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef) or not ast.get_docstring(node):
                continue
            middle, end = node.body[0].end_lineno or 0, node.end_lineno or 0
            if end - node.lineno + 1 in _LINES and middle < end:
                prompt, solution = lines[node.lineno - 1 : middle], lines[middle:end]
                yield node.name, "".join(prompt), "".join(solution)
                break
