"""What is served: opened, and asked once so that the first caller does not wait."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gramdex
from gramdex.errors import RefusedError, UsageError
from gramdex.rpc.server.settings import Settings

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index

_CONTEXT = 8
"""Tokens of the phrase that is asked for."""


def open_served(settings: Settings) -> Index:
    """The index that settings name; the only place where it is made.

    Links are followed first, so what is opened is one index even if a link turns meanwhile.

    Raises:
        What ``gramdex.open`` raises.
    """
    if settings.shards:
        raise UsageError("--shards", "no router in this version", "folders of indexes")
    indexes = [Path(each).resolve() for each in settings.indexes]
    takedown = [Path(each).resolve() for each in settings.takedown]
    return gramdex.open(indexes, settings.threads_per_query, takedown or None, settings.copies)


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
