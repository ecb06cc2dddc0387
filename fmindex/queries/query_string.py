r"""Boolean queries as a person types them.

::

    query   = clause { "AND" clause } [ "NEAR/" number ]
    clause  = phrase | "(" phrase { "OR" phrase } ")"
    phrase  = word | '"' text '"' | "[" id { "," id } "]"

A query that is one clause needs no parentheses. AND, OR and NEAR are operators in capitals only;
a word is what holds no space, quote, bracket or parenthesis; in quotes, \" and \\ stand for a
quote and a backslash. NEAR/50 is a window of 50 tokens over all clauses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from gramdex.errors import QueryError

TypedPhrase: TypeAlias = "str | list[int]"

_TOKEN = re.compile(
    r'(?P<space>\s+)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<ids>\[[^\]]*\])|(?P<open>\()|(?P<close>\))'
    r'|(?P<word>[^\s"()\[\]]+)',
    re.DOTALL,
)
_UNFINISHED = {'"': "a quote that is not closed", "[": "a bracket that is not closed"}
_NAMES = {"open": "(", "close": ")", "end": "the end"}
_PHRASE = "a word, a phrase in quotes, or ids in brackets"
_SHOWN, _DIGITS = 60, 18


class _Piece(NamedTuple):
    kind: str
    value: TypedPhrase
    place: int


@dataclass(frozen=True)
class TypedSearch:
    """A query that was read.

    Attributes:
        clauses: AND of ORs of phrases.
        window: tokens of NEAR; None without it.
    """

    clauses: list[list[TypedPhrase]]
    window: int | None


def parse_search(text: str) -> TypedSearch:
    """Read a query.

    Raises:
        QueryError: it is none; the message shows the place.
    """
    return _Parser(text).query()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


class _Parser:
    """Reads from left to right, one piece ahead."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces = self._split()
        self._next = 0

    def query(self) -> TypedSearch:
        if self._ahead.kind == "end":
            raise self._wrong("nothing", _PHRASE)
        clauses = [self._clause()]
        if self._ahead.kind == "or":
            clauses[0] += self._alternatives()
            if self._ahead.kind == "and":
                raise self._wrong(
                    "AND after OR", "parentheses around what OR joins: (a OR b) AND c"
                )
        while self._ahead.kind == "and":
            self._take()
            clauses.append(self._clause())
            if self._ahead.kind == "or":
                raise self._wrong(
                    "OR after AND", "parentheses around what OR joins: a AND (b OR c)"
                )
        window = None
        if self._ahead.kind == "near":
            window = self._window()
        if self._ahead.kind != "end":
            raise self._wrong(self._said(), "AND, OR, NEAR/number or the end")
        return TypedSearch(clauses, window)

    def _clause(self) -> list[TypedPhrase]:
        if self._ahead.kind != "open":
            return [self._phrase()]
        self._take()
        phrases = [self._phrase(), *self._alternatives()]
        if self._ahead.kind == "and":
            raise self._wrong("AND inside parentheses", "OR or )", "write it as an AND of ORs")
        if self._ahead.kind != "close":
            raise self._wrong(self._said(), "OR or )")
        self._take()
        return phrases

    def _alternatives(self) -> list[TypedPhrase]:
        phrases = []
        while self._ahead.kind == "or":
            self._take()
            phrases.append(self._phrase())
        return phrases

    def _phrase(self) -> TypedPhrase:
        if self._ahead.kind != "phrase":
            raise self._wrong(self._said(), _PHRASE)
        return self._take().value

    def _window(self) -> int:
        piece = self._take()
        number = str(piece.value).partition("/")[2]
        if not _is_number(number):
            said = str(piece.value)[:_SHOWN]
            raise self._wrong(said, "NEAR/ and a number of tokens: NEAR/50", piece=piece)
        return int(number)

    @property
    def _ahead(self) -> _Piece:
        return self._pieces[self._next]

    def _take(self) -> _Piece:
        self._next += 1
        return self._pieces[self._next - 1]

    def _said(self) -> str:
        piece = self._ahead
        return _NAMES.get(piece.kind) or str(piece.value)[:_SHOWN]

    def _split(self) -> list[_Piece]:
        pieces, place = [], 0
        while place < len(self._text):
            match = _TOKEN.match(self._text, place)
            if match is None:
                found = _UNFINISHED.get(self._text[place], self._text[place])
                raise self._wrong(found, "the other end of it", piece=_Piece("", "", place))
            if match.lastgroup != "space":
                pieces.append(self._piece(str(match.lastgroup), match.group(), place))
            place = match.end()
        return [*pieces, _Piece("end", "", len(self._text))]

    def _piece(self, kind: str, text: str, place: int) -> _Piece:
        if kind == "quoted":
            value = re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
            return self._filled(_Piece("phrase", value, place))
        if kind == "ids":
            words = text[1:-1].replace(",", " ").split()
            for word in words:
                if not _is_number(word):
                    at = _Piece("ids", "", place + text.index(word))
                    raise self._wrong(
                        f"{word[:_SHOWN]!r} among ids", "token ids: [12, 5, 9]", piece=at
                    )
            return self._filled(_Piece("phrase", [int(word) for word in words], place))
        if kind == "word":
            operator = text.lower() if text in ("AND", "OR") else ""
            operator = operator or ("near" if text.partition("/")[0] == "NEAR" else "phrase")
            return _Piece(operator, text, place)
        return _Piece(kind, text, place)

    def _filled(self, piece: _Piece) -> _Piece:
        if not piece.value:
            raise self._wrong("an empty phrase", _PHRASE, piece=piece)
        return piece

    def _wrong(
        self, found: str, expected: str, remedy: str = "", piece: _Piece | None = None
    ) -> QueryError:
        place = (piece or self._ahead).place
        start = max(0, place - _SHOWN)
        line = self._text[start : place + _SHOWN]
        line = "".join(c if c.isprintable() else " " for c in line)
        drawn = f"    {line}\n    {' ' * (place - start)}^ character {place + 1}"
        return QueryError(f"search query\n{drawn}", found, expected, remedy)
