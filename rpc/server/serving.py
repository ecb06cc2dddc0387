"""The index that is served now, and exchanging it for another while calls go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gramdex.errors import UnavailableError

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index


@dataclass(frozen=True, slots=True)
class Served:
    """An index while it is served.

    Attributes:
        index: that answers.
        generation: tells it from others.
    """

    index: Index
    generation: int

    def require_undamaged(self) -> None:
        """Refuse to answer from files that were found damaged while they were read."""
        self.index.require_undamaged()


class Serving:
    """Holds what is served; a call keeps what it began with.

    Args:
        index: None until there is one.
    """

    def __init__(self, index: Index | None = None) -> None:
        self._lock = threading.Lock()
        self._served: Served | None = None
        if index is not None:
            self.exchange(index)

    @property
    def now(self) -> Served | None:
        """What is served."""
        return self._served

    def exchange(self, index: Index) -> None:
        """Serve another index from the next call on."""
        with self._lock:
            self._served = Served(index, index.generation)

    @contextmanager
    def lease(self) -> Iterator[Served]:
        """What is served now, kept to the end of a call.

        Raises:
            UnavailableError: nothing yet.
        """
        served = self._served
        if served is None:
            raise UnavailableError("this server", "its index is not open yet", "a ready server")
        yield served
