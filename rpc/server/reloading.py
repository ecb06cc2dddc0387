"""Serving a newly published index without dropping a call.

A publisher replaces the manifest of an index, or turns a link to another folder. Both are seen by
looking at what the paths lead to. The new index is opened, asked, and only then exchanged; a
broken one, or one of another tokenizer, leaves the old one serving.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from gramdex.errors import GramdexError, TokenizerError
from gramdex.fmindex.format.manifest import MANIFEST
from gramdex.rpc.server.serving import Serving

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

_LONGEST_PAUSE = 60.0

_log = logging.getLogger(__name__)

Identity: TypeAlias = "tuple[Any, ...]"
"""Of what paths lead to; other files have another."""


def identity_of(paths: Sequence[str]) -> Identity:
    """Where paths lead, and which manifest lies there; None in place of one that does not."""
    return tuple((os.path.realpath(path), _stat(Path(path) / MANIFEST)) for path in paths)


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


class Reloader:
    """Looks for a new index, in a thread of its own.

    Args:
        serving: where it is exchanged.
        paths: that are looked at.
        identity: of what is served, taken before it was opened.
        make: opens what the paths lead to, and asks it once.
        seconds: between looks.
        tell: called with None after an exchange, with the error after one that failed.
        beside: looks for something else, as often.
    """

    def __init__(
        self,
        serving: Serving,
        paths: Sequence[str],
        identity: Identity,
        make: Callable[[], Index],
        seconds: float,
        tell: Callable[[Exception | None], None],
        beside: Callable[[], None] | None = None,
    ) -> None:
        self._serving, self._paths, self._make, self._tell = serving, paths, make, tell
        self._beside = beside or (lambda: None)
        self._served = self._tried = identity
        self._seconds, self._pause, self._again = seconds, seconds, 0.0
        self._wake, self._forced, self._ended = threading.Event(), False, False
        self._thread = threading.Thread(target=self._run, name="reloading", daemon=True)
        self._thread.start()

    def look_now(self) -> None:
        """Open what the paths lead to even if it looks the same; returns at once."""
        self._forced = True
        self._wake.set()

    def close(self) -> None:
        """Look no more; an index that is being opened is not waited for."""
        self._ended = True
        self._wake.set()

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait(self._seconds)
            self._wake.clear()
            try:
                self._look()
            except Exception:  # it must not end the looking
                _log.exception("looking for a new index failed")

    def _look(self) -> None:
        forced, self._forced = self._forced, False
        self._beside()
        identity = identity_of(self._paths)
        if not self._ended and (forced or self._is_due(identity)):
            self._exchange(identity)

    def _is_due(self, identity: Identity) -> bool:
        """Whether something new is there, or it is time to try again what failed."""
        if identity == self._served:
            return False
        return identity != self._tried or time.monotonic() >= self._again

    def _exchange(self, identity: Identity) -> None:
        started, first = time.monotonic(), identity != self._tried
        self._tried = identity
        try:
            index = self._make()
            self._require_same_tokens(index)
        except Exception as error:
            self._failed(error, first)
            return
        if self._ended:
            return
        self._serving.exchange(index)
        self._served, self._pause = identity, self._seconds
        _log.info("now serving %r, opened in %.1f s", index, time.monotonic() - started)
        self._tell(None)

    def _failed(self, error: Exception, first: bool) -> None:
        """The files may still be on their way, so it is tried again, less and less often."""
        self._pause = self._seconds if first else min(2 * self._pause, _LONGEST_PAUSE)
        self._again = time.monotonic() + self._pause
        unexpected = None if isinstance(error, GramdexError) else error
        said = "the new index is not served, the old one stays: %s"
        _log.error(said, error, exc_info=unexpected)
        self._tell(error)

    def _require_same_tokens(self, index: Index) -> None:
        now = self._serving.now
        if now is None:
            return
        before, after = (
            (each.tokenizer.fingerprint, each.vocabulary_size) for each in (now.index, index)
        )
        if before != after:
            raise TokenizerError(
                ", ".join(self._paths),
                f"tokenizer {after[0]} with {after[1]:,} ids",
                f"{before[0]} with {before[1]:,} ids, as clients have been told",
                "start another server for it",
            )
