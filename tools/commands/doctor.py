"""``gramdex doctor``: whether this machine can work, and what would help."""

from __future__ import annotations

import typer
from rich.text import Text

from gramdex.tools.arguments import AsJson
from gramdex.tools.output import one_line, print_json, stdout
from gramdex.tools.progress import Waiting


def doctor(as_json: AsJson = False) -> None:
    """Check this machine: versions, cores, memory, disk, kernels.

    Ends with exit code 0 where Gramdex can work, 1 where it cannot.
    """
    from gramdex.tools.doctor import checks

    with Waiting("looking; compiles kernels the first time"):
        found = list(checks())
    works = all(check.works for check in found)
    if as_json:
        parts = {
            check.name: {"works": check.works, "advice": check.advice, **check.data}
            for check in found
        }
        print_json({"works": works, "checks": parts})
    else:
        console = stdout()
        for check in found:
            mark = ("ok  ", "green") if check.works else ("FAIL", "bold red")
            if check.works and check.advice:
                mark = ("note", "yellow")
            console.print(Text.assemble(mark, (f"  {check.name}: ", "bold"), one_line(check.value)))
            if check.advice:
                console.print(Text(f"      {check.advice}", "dim"))
        console.print(Text("able to work" if works else "not able to work", "bold"))
    raise typer.Exit(0 if works else 1)
