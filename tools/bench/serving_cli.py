"""``gramdex bench serving``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gramdex.tools.arguments import AsJson, IndexFolder
from gramdex.tools.bench.options import Runs, Seed, finish
from gramdex.tools.output import note

_MOST_TEXT = 4 << 20
"""Characters of held-out text that are drawn from."""


def serving(
    index: IndexFolder,
    *,
    part: Annotated[
        list[Path] | None,
        typer.Option(
            "--part", metavar="FOLDER", help="Of a corpus, for the router; again for more."
        ),
    ] = None,
    held_out: Annotated[
        Path, typer.Option("--held-out", metavar="FILE", help="Text that is attributed.")
    ],
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.2, help="Of each measurement.")
    ] = 5.0,
    runs: Runs = 3,
    seed: Seed = 0,
    overload: Annotated[
        float, typer.Option("--overload", min=1.0, help="Times what the server can.")
    ] = 4.0,
    as_json: AsJson = False,
) -> None:
    """Put load on a server of an index, and on a router over a server of each part of a corpus.

    Overload is made by h2load (Debian: nghttp2-client), and left out where it is not installed.
    """
    from gramdex.tools.bench.serving import ServingSettings, run_serving

    text = held_out.read_text(errors="replace")[:_MOST_TEXT]
    settings = ServingSettings(seconds, runs, seed, overload)
    finish(run_serving(Path(index), part or [], text, settings, note), as_json)
