"""How a failure ends a command: a message on stderr and an exit code, no traceback."""

from __future__ import annotations

import sys
import traceback
from contextlib import suppress
from typing import Any

import typer
from rich.text import Text

from gramdex.errors import GramdexError, UsageError
from gramdex.tools.output import print_json, stderr, visible

INTERRUPTED = 130

# typer brings click along under a name of its own that changes from version to version.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]
COMMAND_LINE_ERROR: type[Exception] = _USAGE_ERROR.__bases__[0]


_OPTIONS = frozenset(
    [
        "engine",
        "shard_tokens",
        "workers",
        "memory",
        "on_error",
        "on_empty",
        "vocabulary_size",
        "format",
        "text_field",
        "include",
        "text_unit",
        "dtype",
        "separator_id",
        "tokenizer",
        "limit",
        "max_documents",
        "context",
        "window",
        "seed",
        "min_length",
        "max_count",
        "keep",
        "copies",
    ]
)
"""Arguments in Python that are options here, with dashes."""


class Interrupted(Exception):
    """Ctrl-C in work that can go on later; says how."""

    def __init__(self, thing: str, remedy: str) -> None:
        super().__init__(thing, remedy)
        self.thing, self.remedy = thing, remedy


def tell(error: BaseException, as_json: bool, debug: bool) -> int:
    """Say what went wrong.

    Args:
        error: what a command raised.
        as_json: one JSON object instead of lines for people.
        debug: with the traceback.

    Returns:
        The exit code.
    """
    record = describe(error)
    with suppress(OSError):
        if debug:
            traceback.print_exception(error, file=sys.stderr)
        if as_json:
            print_json(record, sys.stderr)
        else:
            _print(record, error, debug)
    return int(record["exit_code"])


def describe(error: BaseException) -> dict[str, Any]:
    """The parts of an error, as ``--json`` prints them."""
    name = thing = type(error).__name__
    found, expected, remedy, code = str(error), "", "", 1
    if isinstance(error, GramdexError):
        thing, found, expected, remedy = error.thing, error.found, error.expected, error.remedy
        code = error.exit_code
        if isinstance(error, UsageError) and thing in _OPTIONS:
            thing = "--" + thing.replace("_", "-")
    elif isinstance(error, Interrupted):
        thing, found, remedy, code = error.thing, "interrupted", error.remedy, INTERRUPTED
    elif isinstance(error, COMMAND_LINE_ERROR):
        name, context = "UsageError", getattr(error, "ctx", None)
        thing = context.command_path if context else "gramdex"
        found = error.format_message()  # type: ignore[attr-defined]
        remedy, code = f"see {thing} --help", int(getattr(error, "exit_code", 2))
    elif isinstance(error, MemoryError):
        thing, found = "memory", "this machine has no more"
        remedy = "close other programs, or give a build a lower --memory or --shard-tokens"
    elif isinstance(error, OSError):
        thing, found = error.filename or type(error).__name__, error.strerror or str(error)
    return {
        "error": name,
        "thing": str(thing),
        "found": found,
        "expected": expected,
        "remedy": remedy,
        "exit_code": code,
    }


def _print(record: dict[str, Any], error: BaseException, debug: bool) -> None:
    unexpected = not isinstance(error, (GramdexError, Interrupted, COMMAND_LINE_ERROR))
    if unexpected and not record["remedy"]:
        record["remedy"] = "" if debug else "run again with --debug to see where"
    console = stderr()
    lead = ("stopped: ", "yellow") if isinstance(error, Interrupted) else ("error: ", "bold red")
    said = f"{record['thing']}: {record['found']}" if record["found"] else record["thing"]
    soft = not console.is_terminal
    console.print(Text.assemble(lead, visible(said)), soft_wrap=soft)
    for name in ("expected", "remedy"):
        if record[name]:
            line = Text.assemble((f"  {name + ':':10}", "dim"), visible(record[name]))
            console.print(line, soft_wrap=soft)
