"""The index that is served now, and exchanging it for another while calls go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gramdex.errors import IndexFileError, UnavailableError

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index


@dataclass(frozen=True, slots=True)
class Served:
    """An index while it is served.

    Attributes:
        index: that answers.
    """

    index: Index

    @property
    def generation(self) -> int:
        """Tells it from others; of a router, what its last answer to this thread came from."""
        return self.index.generation

    @property
    def is_routed(self) -> bool:
        """Whether servers answer, which look at their files themselves, and not files here."""
        return hasattr(self.index, "partial")

    def require_undamaged(self) -> None:
        """Refuse to answer from files that were found damaged while they were read."""
        self.index.require_undamaged()


class Serving:
    """Holds what is served; a call keeps what it began with.

    What is exchanged is closed when the last call that began with it ends: nothing else refers to
    it, and its files are unmapped with it.

    Args:
        index: None until there is one.
        tell_damage: called when the index that is served is found damaged, once for each.
    """

    def __init__(
        self,
        index: Index | None = None,
        tell_damage: Callable[[IndexFileError], None] | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._served: Served | None = None
        self._damaged: Served | None = None
        self._tell_damage = tell_damage
        if index is not None:
            self.exchange(index)

    @property
    def now(self) -> Served | None:
        """What is served."""
        return self._served

    @property
    def is_damaged(self) -> bool:
        """What is served has been found damaged."""
        return self._damaged is not None and self._damaged is self._served

    def exchange(self, index: Index) -> None:
        """Serve another index from the next call on."""
        with self._lock:
            self._served = Served(index)
            self._damaged = None

    @contextmanager
    def lease(self) -> Iterator[Served]:
        """What is served now, kept to the end of a call.

        Raises:
            UnavailableError: nothing yet.
        """
        served = self._served
        if served is None:
            raise UnavailableError("this server", "its index is not open yet", "a ready server")
        try:
            yield served
        except IndexFileError as error:
            self._found_damaged(served, error)
            raise

    def _found_damaged(self, served: Served, error: IndexFileError) -> None:
        with self._lock:
            if served is not self._served or self.is_damaged or served.is_routed:
                return
            self._damaged = served
        if self._tell_damage is not None:
            self._tell_damage(error)
