"""What is asked: ids or a text, one token, and the numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.queries.patterns import Query, as_ids
from gramdex.fmindex.tokenizers.base import check_text
from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import read_tokens, write_tokens

_MOST_ID = (1 << 32) - 1


def write_query(query: Query) -> v1.Query:
    """Ids or a string.

    Raises:
        QueryError: neither, or an id that no vocabulary has.
        TokenizerError: a string that is no text.
    """
    if isinstance(query, str):
        return v1.Query(text=require_text("query", query))
    return v1.Query(tokens=write_tokens(require_ids(query)))


def require_ids(query: Any) -> np.ndarray:
    """The ids of a query as an int64 array.

    Raises:
        QueryError: they are none, or cannot be sent.
    """
    ids = as_ids(query)
    if ids.size and (ids.min() < 0 or ids.max() > _MOST_ID):
        wrong = ids.min() if ids.min() < 0 else ids.max()
        raise QueryError(
            f"token id {wrong}",
            "not in the vocabulary of this index",
            "ids from 0 on",
            "check which tokenizer the ids come from; separators cannot be queried",
        )
    return ids


def require_text(thing: str, text: str) -> str:
    """A string that can be sent.

    Raises:
        TokenizerError: it holds half a surrogate pair, which no text has.
    """
    check_text(text, thing)
    return text


def read_query(field: str, query: v1.Query) -> np.ndarray | str:
    """Ids, int64, or a string.

    Raises:
        QueryError: neither is there, or the ids are none.
    """
    form = query.WhichOneof("form")
    if form == "tokens":
        return read_tokens(f"{field}.tokens", query.tokens)
    if form == "text":
        return query.text
    raise QueryError(field, "nothing", "tokens or a text")


def write_token(token: int | str) -> v1.TokenChoice:
    """One token, or a string that is encoded as one.

    Raises:
        QueryError: no vocabulary has it.
        TokenizerError: a string that is no text.
    """
    if isinstance(token, str):
        return v1.TokenChoice(text=require_text("token", token))
    return v1.TokenChoice(id=int(require_ids([token])[0]))


def read_token(field: str, token: v1.TokenChoice) -> int | str:
    """One token, or a string that is encoded as one; QueryError where there is none."""
    form = token.WhichOneof("form")
    if form is None:
        raise QueryError(field, "nothing", "an id or a text")
    return getattr(token, form)


def optional(message: Any, name: str, default: Any = None) -> Any:
    """An optional field, or what stands for its absence."""
    return getattr(message, name) if message.HasField(name) else default


def write_clauses(clauses: Sequence[Any]) -> list[v1.Clause]:
    """Clauses of a search, each a list of phrases or one string."""
    return [
        v1.Clause(phrases=[write_query(p) for p in ([each] if isinstance(each, str) else each)])
        for each in clauses
    ]


def read_clauses(field: str, clauses: Sequence[v1.Clause]) -> list[list[np.ndarray | str]]:
    """Clauses of a search; QueryError where a phrase is none."""
    return [
        [
            read_query(f"{field}[{number}].phrases[{place}]", phrase)
            for place, phrase in enumerate(clause.phrases)
        ]
        for number, clause in enumerate(clauses)
    ]


def read_cnf(path: str, message: v1.Cnf | v1.SearchRequest) -> Any:
    """What is searched for, typed or as clauses, as ``Index.search`` takes it.

    Args:
        path: in front of the names of the fields: "" or that of the message with a dot.
        message: that has them.

    Raises:
        QueryError: both or neither is there, or a phrase is none.
    """
    if bool(message.query) == bool(message.clauses):
        found = "both query and clauses" if message.query else "neither query nor clauses"
        raise QueryError(f"{path}query", found, "one of them")
    return message.query or read_clauses(f"{path}clauses", message.clauses)
