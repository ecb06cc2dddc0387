"""From records to ranks: batches through the tokenizer, ids through the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gramdex.errors import InputError, QueryError, RecordError, TokenizerError
from gramdex.fmindex.format.vocabulary import Vocabulary
from gramdex.fmindex.tokenizers import Tokenizer, roundtrips
from gramdex.indexer.records import BadRecord, Record

BATCH_CHARACTERS = 1 << 20
BATCH_RECORDS = 1 << 12


class Place(NamedTuple):
    """A record in the input: number of its file, and its number in the file."""

    file: int
    record: int


@dataclass(frozen=True, slots=True)
class Piece:
    """An encoded record.

    Attributes:
        place: where it came from.
        ranks: tokens, in the width of the index.
        metadata, source, continues: as in the record.
        is_text: it was encoded here, so that where a text was cut may show in the tokens.
        exact: the text that the tokens decode to is the text that was read.
    """

    place: Place
    ranks: np.ndarray
    metadata: dict[str, Any]
    source: str
    continues: bool
    is_text: bool = False
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot be indexed.

    Attributes:
        place, error: which one, and why.
        continues: the next record goes on with the same document, which is to be left out whole.
    """

    place: Place
    error: InputError
    continues: bool = False


class Encoder:
    """Encodes records in batches, in order.

    Args:
        tokenizer: for records of text.
        vocabulary: ids to ranks.
    """

    def __init__(self, tokenizer: Tokenizer, vocabulary: Vocabulary) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._dtype = np.dtype(f"<u{vocabulary.width}")

    def encode(
        self, records: Iterable[tuple[Place, Record | BadRecord]]
    ) -> Iterator[Piece | Refused]:
        """Pieces in the order of the records."""
        batch: list[tuple[Place, Record]] = []
        characters = 0
        for place, record in records:
            if isinstance(record, Record) and isinstance(record.data, str):
                batch.append((place, record))
                characters += len(record.data)
                if characters < BATCH_CHARACTERS and len(batch) < BATCH_RECORDS:
                    continue
            yield from self._texts(batch)
            batch, characters = [], 0
            if isinstance(record, BadRecord):
                yield Refused(place, record.error)
            elif not isinstance(record.data, str):
                yield self._ids(place, record, record.data)
        yield from self._texts(batch)

    def _texts(self, batch: list[tuple[Place, Record]]) -> Iterator[Piece | Refused]:
        if not batch:
            return
        texts = [str(record.data) for _, record in batch]
        try:
            ids, offsets = self._tokenizer.encode_batch(texts)
        except TokenizerError as error:
            yield from self._texts_around(error, batch)
            return
        exact = roundtrips(self._tokenizer, ids, offsets, texts)
        ranks = self._vocabulary.to_ranks(ids.astype(np.int64)).astype(self._dtype)
        for i, (place, record) in enumerate(batch):
            yield Piece(
                place,
                ranks[offsets[i] : offsets[i + 1]],
                record.metadata,
                record.source,
                record.continues,
                self._tokenizer.kind != "bytes",
                bool(exact[i]),
            )

    def _texts_around(
        self, error: TokenizerError, batch: list[tuple[Place, Record]]
    ) -> Iterator[Piece | Refused]:
        """Encode one by one what could not be encoded together."""
        if len(batch) > 1:
            for one in batch:
                yield from self._texts([one])
            return
        place, record = batch[0]
        found = f"{error.thing}: {error.found}"
        refusal = RecordError(record.source, found, error.expected, error.remedy)
        yield Refused(place, refusal, record.continues)

    def _ids(self, place: Place, record: Record, ids: np.ndarray) -> Piece | Refused:
        try:
            ranks = self._vocabulary.to_ranks(np.array(ids, np.int64))
        except QueryError as error:
            return Refused(
                place,
                RecordError(
                    record.source,
                    f"{error.thing} is {error.found}",
                    error.expected,
                    "name the --tokenizer it was made with, or --tokenizer none with or without "
                    "--vocabulary-size, or the --separator-id if this id ends documents",
                ),
                record.continues,
            )
        return Piece(
            place, ranks.astype(self._dtype), record.metadata, record.source, record.continues
        )
