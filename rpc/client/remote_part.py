"""``gramdex.fmindex.part.IndexPart`` over a network: an index elsewhere as a part of more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from gramdex.fmindex.part import Cnf, PartSizes, SearchPart, ShardSizes
from gramdex.fmindex.queries.attribution import query_words
from gramdex.fmindex.queries.patterns import Ids, Query
from gramdex.fmindex.results import Document
from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import read_int64, write_int64, write_tokens
from gramdex.rpc.messages.documents import read_document
from gramdex.rpc.messages.part import (
    read_search_part,
    read_table,
    write_cnf,
    write_id_lists,
    write_table,
)
from gramdex.rpc.messages.queries import require_ids, write_query

if TYPE_CHECKING:
    from gramdex.rpc.client.remote_index import RemoteIndex


class RemotePart:
    """What a server says as a part of a larger index; the methods are those of ``IndexPart``.

    Args:
        index: on the server.
    """

    def __init__(self, index: RemoteIndex) -> None:
        self._index = index
        self._ask = index._ask

    def sizes(self) -> PartSizes:
        """What the index holds."""
        info = self._ask("GetInfo", v1.GetInfoRequest())
        return PartSizes(
            generation=info.generation,
            token_count=info.token_count,
            document_count=info.document_count,
            shards=tuple(ShardSizes(s.documents, s.token_count, s.size) for s in info.shards),
            takedown=info.takedown,
            fingerprint=info.tokenizer_fingerprint,
            vocabulary_size=info.vocabulary_size,
        )

    def documents_found(self, query: Query, most: int) -> int:
        """How many documents hold a query; ``most``, if there are more."""
        request = v1.DocumentsFoundRequest(query=write_query(query), most=most)
        return self._ask("DocumentsFound", request).count

    def clause_counts(self, cnf: Cnf, window: int | None) -> np.ndarray:
        """For each clause its count, and tokens of its longest occurrence; int64[clauses, 2]."""
        request = v1.ClauseCountsRequest(cnf=write_cnf(cnf, window))
        return read_table("counts", self._ask("ClauseCounts", request).counts, 2)

    def search(
        self,
        cnf: Cnf,
        window: int | None,
        anchor: int,
        seed: int | None,
        confidence: float,
        most: int,
    ) -> SearchPart:
        """Matches of all clauses, as occurrences of clause number ``anchor``."""
        request = v1.SearchPartRequest(
            cnf=write_cnf(cnf, window), anchor=anchor, seed=seed, confidence=confidence, most=most
        )
        return read_search_part(self._ask("SearchPart", request))

    def search_places(
        self, cnf: Cnf, window: int | None, anchor: int, seed: int | None, ordinals: np.ndarray
    ) -> np.ndarray:
        """Shard and position of the first match in some of the documents, int64[k, 2]."""
        request = v1.SearchPlacesRequest(
            cnf=write_cnf(cnf, window), anchor=anchor, seed=seed, ordinals=write_int64(ordinals)
        )
        return read_table("places", self._ask("SearchPlaces", request).places, 2)

    def search_documents(
        self, cnf: Cnf, places: np.ndarray, length: int, context: int | None
    ) -> list[Document]:
        """Documents at places of the anchor, int64[k, 2], with the phrases of all clauses."""
        request = v1.SearchDocumentsRequest(
            cnf=write_cnf(cnf, None), places=write_table(places), length=length, context=context
        )
        return self._documents("SearchDocuments", request)

    def located(self, queries: Sequence[Ids]) -> np.ndarray:
        """Occurrences of each in the files, int64[k]."""
        request = v1.LocatedRequest(queries=write_id_lists(queries))
        return read_int64("counts", self._ask("Located", request).counts)

    def occurrences(
        self, queries: Sequence[Ids], which: np.ndarray, numbers: np.ndarray
    ) -> np.ndarray:
        """Where some occurrences stand, int64[m, 4]."""
        request = v1.OccurrencesRequest(
            queries=write_id_lists(queries),
            which=write_int64(np.asarray(which)),
            numbers=write_int64(np.asarray(numbers)),
        )
        return read_table("rows", self._ask("Occurrences", request).rows, 4)

    def word_counts(self, places: np.ndarray, text: Ids) -> tuple[np.ndarray, np.ndarray]:
        """How often words of a text stand around places, and how many there are."""
        ids = require_ids(text)
        request = v1.WordCountsRequest(places=write_table(places), text=write_tokens(ids))
        answer = self._ask("WordCounts", request)
        sizes = read_int64("sizes", answer.sizes)
        words = len(query_words(self._index.tokenizer, ids))
        return read_int64("counts", answer.counts).reshape(sizes.size, words), sizes

    def documents_around(
        self, queries: Sequence[Ids], places: np.ndarray, context: int | None
    ) -> list[Document]:
        """Documents at places, with all occurrences of a query in what is shown of each."""
        request = v1.DocumentsAroundRequest(
            queries=write_id_lists(queries), places=write_table(places), context=context
        )
        return self._documents("DocumentsAround", request)

    def _documents(self, name: str, request: Any) -> list[Document]:
        answers = self._index._stream(name, request)
        return list(map(read_document, chain.from_iterable(each.documents for each in answers)))
