"""The command line: which commands there are, and how every one of them ends.

Exit codes: 0 done, 1 failed, 2 usage, 3 corrupt index, 4 incomplete index, 130 Ctrl-C.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

import gramdex
from gramdex.tools import failures
from gramdex.tools.commands import (
    attributing,
    building,
    checking,
    counting,
    documents,
    matching,
    predicting,
    searching,
    serving,
    top,
)
from gramdex.tools.commands import contamination as contamination_command
from gramdex.tools.commands import decontaminate as decontaminate_command
from gramdex.tools.commands import demo as demo_command
from gramdex.tools.commands import doctor as doctor_command

_BENCH = "gramdex.tools.bench.cli"

app = typer.Typer(
    name="gramdex",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

_COMMANDS = (
    building.build,
    building.convert,
    checking.info,
    checking.verify,
    counting.count,
    documents.documents,
    predicting.prob,
    predicting.ntd,
    predicting.infgram,
    matching.match,
    searching.search,
    attributing.attribute,
    contamination_command.contamination,
    decontaminate_command.decontaminate,
    top.top,
    serving.serve,
    serving.health,
    demo_command.demo,
    doctor_command.doctor,
)
for _command in _COMMANDS:
    app.command()(_command)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", metavar="", help="Print the version.")
    ] = False,
    debug: Annotated[  # taken out of the arguments by run, wherever it stands
        bool, typer.Option("--debug", metavar="", help="With any command: show a traceback.")
    ] = False,
) -> None:
    """Exact n-gram, ∞-gram and suffix-array queries over tokenized corpora."""
    if version:
        sys.stdout.write(f"gramdex {gramdex.__version__}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit(2)


def bench(context: typer.Context) -> None:
    """Measurements, side by side with what the field uses."""
    app = import_module(_BENCH).app
    raise typer.Exit(app(context.args, "gramdex bench", standalone_mode=False) or 0)


if find_spec(_BENCH) is not None:
    # Its own app, imported when it is asked for: it needs what other commands do not.
    app.command(
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(bench)


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # show what it cannot carry, do not fail
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Every failure has been told when this returns."""
    options = list(arguments)
    stop = options.index("--") if "--" in options else len(options)
    debug, as_json = "--debug" in options[:stop], "--json" in options[:stop]
    options = [each for i, each in enumerate(options) if each != "--debug" or i >= stop]
    try:
        # Without a width of its own click sets help for at least 50 columns.
        width = min(shutil.get_terminal_size().columns, 100) - 2
        code = app(options, "gramdex", standalone_mode=False, terminal_width=max(width, 30)) or 0
        if sys.stdout is not None:  # None: it was closed before the start
            sys.stdout.flush()
        return int(code)
    except BrokenPipeError:
        return _closed()
    except SystemExit as end:
        # How typer and rich end when nobody reads on.
        return _closed() if isinstance(end.__context__, BrokenPipeError) else _code(end)
    except (KeyboardInterrupt, typer.Abort):
        return failures.INTERRUPTED
    except Exception as error:
        return failures.tell(error, as_json, debug)


def _closed() -> int:
    """Be quiet when the reader of stdout has had enough (``| head``)."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the rest of the process
    return 0


def _code(end: SystemExit) -> int:
    return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
