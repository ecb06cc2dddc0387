"""What a reader hands to the build: documents, pieces of large ones, and bad records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gramdex.errors import InputError


@dataclass(frozen=True, slots=True)
class Record:
    """One document, or one piece of a document too large to hold at once.

    Attributes:
        data: text (encodable as UTF-8), or token ids, a 1-D array of an integer dtype.
        metadata: JSON-serializable; always has ``path`` (the path as given) and, where the
            file may hold more than one document, ``document`` (its 0-based number) or ``line``
            (its 1-based line). Fields of the input itself are under ``fields``, which is left
            out when empty. All pieces of one document carry equal metadata.
        source: the place for messages, such as ``"corpus.jsonl.gz:17"``.
        continues: the next record goes on with the same document.
    """

    data: str | np.ndarray
    metadata: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    continues: bool = False


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record, or the rest of a file, that could not be read; reading goes on after it.

    After a record that `continues`, it stands for the rest of that document, which is to be
    dropped.
    """

    error: InputError
