"""Progress on stderr: a moving display on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.text import Text

from gramdex.indexer.report import BuildState
from gramdex.tools.output import amount, clock, counted, stderr, visible

PLAIN_EVERY = 5.0
"""Seconds between plain lines."""

_RATE_WINDOW = 0.5


class _Display:
    """What moves on a terminal; without one, lines through ``_say``.

    Subclasses say what stands there.
    """

    def __init__(self) -> None:
        self._console = stderr()
        self._live: Live | None = None
        self._started = self._told = time.monotonic()
        if self._console.is_terminal:
            self._live = Live(
                self,
                console=self._console,
                refresh_per_second=5,
                transient=True,
                redirect_stdout=False,
            )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        raise NotImplementedError

    def _say(self, message: str) -> None:
        """Print a line that stays; a closed stderr does not stop the work."""
        with suppress(OSError):
            self._console.print(Text(visible(message)), soft_wrap=self._live is None)
            sys.stderr.flush()

    def _due(self) -> bool:
        """Whether it is time for another plain line."""
        now = time.monotonic()
        if self._live is not None or now - self._told < PLAIN_EVERY:
            return False
        self._told = now
        return True


class BuildProgress(_Display):
    """A build under way; called with its state.

    Args:
        messages: whether to print what happens to each shard.
    """

    def __init__(self, messages: bool = True) -> None:
        super().__init__()
        self._messages = messages
        self._state = BuildState()
        self._mark = (self._started, 0, 0)
        self._rates = (0.0, 0.0)

    def __call__(self, state: BuildState) -> None:
        """Take note of a new state."""
        self._state = state
        self._measure()
        if state.message and self._messages:
            self._say(state.message)
        elif self._due():
            self._say(self._line())

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        share, width = self._share(), min(options.max_width, 100)
        yield Text.assemble((self._stage(), "bold"), f"  {self._clock()}")
        yield ProgressBar(
            total=1.0 if share is not None else None,
            completed=share or 0.0,
            width=width,
            pulse=share is None,
            animation_time=time.monotonic(),
        )
        yield Segment.line()
        yield Text(self._numbers())

    def _measure(self) -> None:
        """Rates of documents and tokens, smoothed; a resumed build begins at 0."""
        now, state = time.monotonic(), self._state
        then, documents, tokens = self._mark
        if now - then < _RATE_WINDOW or state.stage != "read":
            return
        fresh = (state.documents - documents) / (now - then), (state.tokens - tokens) / (now - then)
        keep = 0.7 if any(self._rates) else 0.0
        self._rates = (
            keep * self._rates[0] + (1 - keep) * fresh[0],
            keep * self._rates[1] + (1 - keep) * fresh[1],
        )
        self._mark = now, state.documents, state.tokens

    def _stage(self) -> str:
        """What is being done."""
        return _STAGES[self._state.stage]

    def _share(self) -> float | None:
        """Share of the input that was read; None where nothing tells."""
        state = self._state
        if state.stage != "read" or not state.input_size or not state.input_done:
            return None
        return min(state.input_done / state.input_size, 1.0)

    def _clock(self) -> str:
        passed, share = time.monotonic() - self._started, self._share()
        if share and share > 0.02:
            left = clock(passed * (1 / share - 1))
            return f"{100 * share:.0f} %  {clock(passed)}, {left} left"
        return clock(passed)

    def _numbers(self) -> str:
        state, (documents, tokens) = self._state, self._rates
        said = [f"{state.documents:,} docs", f"{amount(state.tokens)} tokens"]
        if state.stage == "read" and tokens:
            said = [f"{said[0]}, {amount(documents)}/s", f"{said[1]}, {amount(tokens)}/s"]
        if state.sorting:
            said.append(f"sorting {counted(state.sorting, 'shard')}")
        if state.shards:
            said.append(f"{state.shards:,} done")
        if state.skipped:
            said.append(f"{state.skipped:,} skipped")
        return " · ".join(said)

    def _line(self) -> str:
        return f"{self._stage()}: {self._clock()} · {self._numbers()}"


_STAGES = {"read": "reading", "sort": "sorting", "publish": "publishing"}


class ShardProgress(_Display):
    """Work that goes from shard to shard; called with the name of each before it begins.

    Args:
        work: what is being done, as in "checking".
        total: number of shards.
    """

    def __init__(self, work: str, total: int) -> None:
        super().__init__()
        self._work, self._total = work, total
        self._done, self._name = -1, ""

    def __call__(self, name: str) -> None:
        """Begin with another shard."""
        self._done, self._name = self._done + 1, name
        if self._live is None and (self._done == 0 or self._due()):
            self._say(f"{self._work} {name}, {self._done + 1:,} of {self._total:,}")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(f"{self._work} {self._name}, {max(self._done, 0) + 1:,} of {self._total:,}")
        yield ProgressBar(
            total=self._total or 1,
            completed=max(self._done, 0),
            width=min(options.max_width, 100),
            pulse=self._total < 2,
            animation_time=time.monotonic(),
        )


class Waiting(_Display):
    """One long step of which nothing but its name is known."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self._message = message

    def __enter__(self) -> Self:
        if self._live is None:
            self._say(self._message)
        return super().__enter__()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(f"{self._message}  {clock(time.monotonic() - self._started)}")
