"""What is served: opened, and asked once so that the first caller does not wait."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import gramdex
from gramdex.errors import DeadlineError, RefusedError, UnavailableError, UsageError
from gramdex.rpc.client.connecting import connect
from gramdex.rpc.router import RoutedIndex
from gramdex.rpc.server.settings import Settings

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index
    from gramdex.rpc.client.remote_index import RemoteIndex

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0
_CONTEXT = 8
"""Tokens of the phrase that is asked for."""


def open_served(settings: Settings) -> Index:
    """The index that settings name; the only place where it is made.

    Links are followed first, so what is opened is one index even if a link turns meanwhile.

    Raises:
        What ``gramdex.open`` raises.
    """
    if settings.shards:
        return cast("Index", _open_router(settings.shards))
    indexes = [Path(each).resolve() for each in settings.indexes]
    takedown = [Path(each).resolve() for each in settings.takedown]
    return gramdex.open(indexes, settings.threads_per_query, takedown or None, settings.copies)


def _open_router(shards: Sequence[str]) -> RoutedIndex:
    """Servers as one index; those that are not there yet are waited for."""
    while True:
        members: list[RemoteIndex] = []
        try:
            members += map(connect, shards)
            return RoutedIndex(members, shards)
        except (UnavailableError, DeadlineError) as error:
            for member in members:
                member.close()
            _log.warning("waiting for all shards: %s", error)
            time.sleep(_PAUSE_SECONDS)


def warm(index: Index) -> None:
    """Compile every kernel, and ask one question of each kind.

    Raises:
        IndexFileError: an answer shows that the index is damaged.
    """
    gramdex.warmup()
    ids = _phrase(index)
    for ask in _questions(index, ids):
        with suppress(UsageError, RefusedError):  # not every index answers every question
            ask()
    index.require_undamaged()


def _phrase(index: Index) -> list[int]:
    """Ids that occur one after the other, each the most frequent after those before it."""
    ids: list[int] = []
    while len(ids) < _CONTEXT:
        following = index.ntd(ids, limit=1).tokens
        if not len(following):
            break
        ids.append(int(following[0]))
    return ids


def _questions(index: Index, ids: list[int]) -> list[Callable[[], Any]]:
    if not ids:
        return [lambda: index.count(ids)]

    def text() -> str:
        return index.decode(ids)

    return [
        lambda: index.count_batch([ids, ids[:1]]),
        lambda: [index.locate(each) for each in index.find(ids)],
        lambda: index.prob(ids[:-1], ids[-1]),
        lambda: index.infgram_prob(ids[:-1], ids[-1]),
        lambda: index.infgram_ntd(ids, limit=1),
        lambda: index.infgram_scores(ids),
        lambda: index.match(ids),
        lambda: index.documents(ids, 1, context=_CONTEXT),
        lambda: index.search([[ids]], 1, context=_CONTEXT),
        lambda: index.attribute(ids, max_documents=1),
        lambda: index.count(text()),
        lambda: index.encode(text()),
        lambda: index.contamination([text()]),
    ]
