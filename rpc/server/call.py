"""One call while it is answered: what is asked, and how far it may go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gramdex.fmindex.index import DOCUMENTS
from gramdex.rpc import v1
from gramdex.rpc.limits import Limits
from gramdex.rpc.messages.arrays import count_tokens
from gramdex.rpc.messages.queries import read_cnf, read_query

if TYPE_CHECKING:
    from gramdex.fmindex.index import Index


@dataclass(frozen=True, slots=True)
class Call:
    """What an answer is made from.

    Attributes:
        index: that is asked; the same through the whole call, whatever is loaded meanwhile.
        limits: of the server.
        serves_documents: texts of the corpus may be given out.
        stop_here: raises where nobody waits any more; called between pieces of work.
    """

    index: Index
    limits: Limits
    serves_documents: bool
    stop_here: Callable[[], None]

    def query(self, field: str, query: v1.Query, kind: str = "query") -> np.ndarray | str:
        """Ids or a text that is no longer than the limit.

        Args:
            field: its path in the request.
            query: the field.
            kind: "query" or "text": which limits hold.

        Raises:
            QueryError: neither is there, or the ids are none.
            LimitError: it is longer.
        """
        if query.HasField("tokens"):
            self.limits.check(f"{kind}_tokens", f"{field}.tokens", count_tokens(query.tokens))
        else:
            self.text(f"{field}.text", query.text, kind)
        return read_query(field, query)

    def most_documents(self, request: Any) -> int:
        """How many are asked for, by ``max_documents`` of the request; LimitError if too many."""
        if not request.HasField("max_documents"):
            return min(DOCUMENTS, self.limits.documents)
        self.limits.check("documents", "max_documents", request.max_documents)
        return request.max_documents

    def clauses(self, field: str, clauses: Sequence[v1.Clause]) -> None:
        """Refuse clauses or phrases that are too many, or a phrase that is too long; LimitError."""
        self.limits.check("clauses", field, len(clauses))
        self.limits.check("phrases", field, sum(len(clause.phrases) for clause in clauses))
        for number, clause in enumerate(clauses):
            for place, phrase in enumerate(clause.phrases):
                self.query(f"{field}[{number}].phrases[{place}]", phrase)

    def cnf(self, path: str, message: v1.Cnf | v1.SearchRequest) -> Any:
        """What is searched for, as ``read_cnf``; LimitError where it is more than the limits."""
        self.text(f"{path}query", message.query, "query")
        self.clauses(f"{path}clauses", message.clauses)
        return read_cnf(path, message)

    def text(self, field: str, text: str, kind: str) -> None:
        """Refuse a text that is longer than the limit; LimitError."""
        if 4 * len(text) > getattr(self.limits, f"{kind}_bytes"):
            self.limits.check(f"{kind}_bytes", field, len(text.encode()))


Answer = Callable[[Call, Any], Any]
"""From a request, or several, to a response, or an iterator of several."""
