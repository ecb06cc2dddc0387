"""``gramdex top``: what a server is doing, as it does it."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from gramdex.errors import UnavailableError
from gramdex.tools.arguments import AsJson
from gramdex.tools.output import print_json, stdout
from gramdex.tools.top_view import Screen

if TYPE_CHECKING:
    from gramdex.rpc.observing.reading import Reading, Traffic

_TOKEN = "GRAMDEX_TOKEN"
_FIRST = 1.0
"""Seconds to the first view, where --seconds is more."""


def top(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="Where a server tells its metrics: http://host:port.",
            show_default=False,
        ),
    ],
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="S", min=0.1, help="Look every S seconds.")
    ] = 2.0,
    once: Annotated[
        bool, typer.Option("--once", metavar="", help="Look for S seconds, and end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Watch a server: calls, how long they take, load and index.

    Latencies are of the calls that ended since the last look. A token is taken from the
    environment, GRAMDEX_TOKEN. Ctrl-C ends.
    """
    from gramdex.tools.scraping import Scraper

    scraper, screen = Scraper(target, os.environ.get(_TOKEN, "")), Screen(target, seconds)
    console = stdout()
    try:
        if once:
            _show(console, screen, _once(scraper, seconds), as_json)
        elif console.is_terminal and not as_json:
            screen.fits = True
            with Live(screen, console=console, screen=True, auto_refresh=False) as live:
                for screen.traffic, screen.trouble in _watch(scraper, seconds):
                    live.refresh()
        else:
            for traffic, screen.trouble in _watch(scraper, seconds):
                _show(console, screen, traffic, as_json)
    except KeyboardInterrupt:
        return


def _once(scraper: Any, seconds: float) -> Traffic:
    from gramdex.rpc.observing.reading import compare

    before = scraper.read()
    time.sleep(seconds)
    return compare(before, scraper.read())


def _watch(scraper: Any, seconds: float) -> Iterator[tuple[Traffic | None, str]]:
    """What happened since the last look, and why there was none; at once, then every while."""
    from gramdex.rpc.observing.reading import compare

    before: Reading = scraper.read()  # who cannot be reached at first is a mistake to be told
    traffic: Traffic | None = None
    yield traffic, ""
    wait = min(seconds, _FIRST)
    while True:
        time.sleep(wait)
        wait, trouble = seconds, ""
        try:
            after = scraper.read()
            traffic, before = compare(before, after), after
        except UnavailableError as error:
            trouble = error.found
        yield traffic, trouble


def _show(console: Console, screen: Screen, traffic: Traffic | None, as_json: bool) -> None:
    if as_json:
        if screen.trouble:
            print_json({"trouble": screen.trouble})
        elif traffic is not None:
            print_json(_record(asdict(traffic)))
    elif traffic is not None or screen.trouble:
        screen.traffic = traffic
        console.print(screen)
    sys.stdout.flush()


def _record(value: Any) -> Any:
    """JSON has no infinity; a latency beyond the last bucket is "Infinity" in quotes."""
    if isinstance(value, dict):
        return {name: _record(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_record(each) for each in value]
    return "Infinity" if isinstance(value, float) and math.isinf(value) else value
