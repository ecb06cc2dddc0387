"""``gramdex search``: documents in which several phrases stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from gramdex.tools.arguments import Also, AsJson, Copies, IndexPath, Skip, Takedown, Whole, open_set
from gramdex.tools.commands.documents import document_record, near_tokens, print_document
from gramdex.tools.output import counted, print_json, stdout

if TYPE_CHECKING:
    from gramdex.fmindex.evidence import SearchResult
    from gramdex.fmindex.index import Index


def search(
    index: IndexPath,
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY",
            help='Phrases joined by AND and OR: \'("natural language" OR nlp) AND "suffix array" '
            "NEAR/50'. A phrase is a word, text in quotes, or ids in brackets.",
            show_default=False,
        ),
    ],
    window: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Phrases begin at most N tokens apart, as NEAR/N in the query; without it, "
            "anywhere in a document.",
        ),
    ] = None,
    max_documents: Annotated[
        int, typer.Option(metavar="N", min=0, help="Show at most N documents.")
    ] = 10,
    skip: Skip = 0,
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Show documents drawn at random, the same for N."),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Show N tokens around the first match in each."),
    ] = None,
    whole: Whole = False,
    encode: Annotated[
        bool,
        typer.Option("--encode", metavar="", help="Encode text with the tokenizer of the index."),
    ] = False,
    also: Also = None,
    takedown: Takedown = None,
    copies: Copies = "all",
    as_json: AsJson = False,
) -> None:
    """Find documents by several phrases.

    A match is a place where the clause that occurs least stands, with every other clause in the
    same document or within the window. The count is exact, or says that it is not.
    """
    opened = open_set(index, also, takedown, copies)
    shown = None if whole else near_tokens(opened) if context is None else context
    cnf: Any = query
    if encode:
        cnf, window = _encoded(opened, query, window)
    result = opened.search(cnf, max_documents, window, seed, shown, skip)
    if as_json:
        print_json({"query": query, "window": window} | search_record(result))
        return
    console = stdout()
    for document in result.documents:
        print_document(console, document)
        console.print()
    console.print(Text(_summary(result), "bold"))


def search_record(result: SearchResult) -> dict[str, Any]:
    """Result for JSON."""
    return {
        "count": result.count,
        "exact": result.exact,
        "low": result.low,
        "high": result.high,
        "document_count": result.document_count,
        "anchor": result.anchor,
        "sampled": result.sampled,
        "documents": [document_record(document) for document in result.documents],
    }


def _encoded(index: Index, query: str, window: int | None) -> tuple[list, int | None]:
    """Clauses of a query with its text encoded, and its window."""
    from gramdex.errors import QueryError
    from gramdex.fmindex.queries.query_string import parse_search

    typed = parse_search(query)
    if typed.window is not None and window is not None:
        raise QueryError("--window", "NEAR in the query beside it", "one of them")
    clauses = [
        [index.encode(phrase).tolist() if isinstance(phrase, str) else phrase for phrase in clause]
        for clause in typed.clauses
    ]
    return clauses, window if typed.window is None else typed.window


def _summary(result: SearchResult) -> str:
    matches = counted(result.count, "match", "matches")
    within = ""
    if result.document_count is not None:
        within = f" in {counted(result.document_count, 'document')}"
    if not result.exact:
        bounds = f"{result.low:,} to {result.high:,} with 99 % confidence"
        matches = f"about {matches}: {bounds}, from {result.sampled:,} occurrences drawn"
    shown = len(result.documents)
    if shown == result.document_count:
        return matches + within
    return f"{matches}{within}; {counted(shown, 'document')} shown"
