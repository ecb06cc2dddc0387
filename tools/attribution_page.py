"""An attributed text as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from gramdex.tools.attribution import Part, curve_rows, span_text, summary, text_parts
from gramdex.tools.output import counted, percent, visible

if TYPE_CHECKING:
    from gramdex.fmindex.evidence import AttributedSpan, Attribution
    from gramdex.fmindex.results import Document
    from gramdex.fmindex.tokenizers import Tokenizer

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --ink: #1a1a1a; --paper: #fdfdfc; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e6; --paper: #1b1b1d; } }
body { font: 16px/1.6 system-ui, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.text, .excerpt { white-space: pre-wrap; overflow-wrap: anywhere; }
.text { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; }
.text a { color: inherit; text-decoration: none; border-radius: .2rem; }
.l0 { background: #f59e0b99; } .l1 { background: #f59e0b55; } .l2 { background: #f59e0b26; }
.passage:target { outline: 2px solid #f59e0b; outline-offset: .4rem; }
.passage { border-top: 1px solid var(--line); padding: .6rem 0; }
.excerpt { font: 13px/1.5 ui-monospace, monospace; margin: .3rem 0 1rem; }
.excerpt mark { background: #f59e0b77; color: inherit; }
.dim { opacity: .7; font-size: .9rem; } summary { cursor: pointer; }
table { border-collapse: collapse; } td, th { padding: .1rem .8rem .1rem 0; text-align: right; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_WIDTH, _HEIGHT = 560, 160


def attribution_page(
    tokenizer: Tokenizer, result: Attribution, facts: Iterable[tuple[str, str]]
) -> str:
    """The page.

    Args:
        tokenizer: of the index.
        result: what to show.
        facts: names and values shown under the title.
    """
    parts = text_parts(tokenizer, result)
    passages = [part for part in parts if part.level >= 0]
    rows = "".join(f"<div>{_safe(name)}: {_safe(value)}</div>" for name, value in facts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>Attribution</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>Attribution</h1>\n<p>{_safe(summary(result))}</p>\n<div class="dim">{rows}</div>\n'
        f'<h2>Text</h2>\n<div class="text">{_text(parts)}</div>\n'
        '<p class="dim">The stronger the colour, the less probable the words. '
        "Choose a passage to see where it stands.</p>\n"
        f"<h2>Passages</h2>\n{_passages(tokenizer, result, passages)}\n"
        f"<h2>Novelty</h2>\n{_curve(result)}\n</body>\n</html>\n"
    )


def _safe(text: str) -> str:
    """Text of anyone, to stand in HTML; controls and changes of direction are spelled out."""
    return escape(visible(text))


def _text(parts: Sequence[Part]) -> str:
    pieces, number = [], 0
    for part in parts:
        if part.level < 0:
            pieces.append(_safe(part.text))
            continue
        pieces.append(f'<a class="l{part.level}" href="#p{number}">{_safe(part.text)}</a>')
        number += 1
    return "".join(pieces)


def _passages(tokenizer: Tokenizer, result: Attribution, passages: Sequence[Part]) -> str:
    if not passages:
        return "<p>No span of the text stands in the corpus.</p>"
    return "\n".join(
        f'<section class="passage" id="p{number}">'
        + "".join(_span(tokenizer, result, span) for span in part.spans)
        + "</section>"
        for number, part in enumerate(passages)
    )


def _span(tokenizer: Tokenizer, result: Attribution, span: AttributedSpan) -> str:
    said = _safe(span_text(tokenizer, result, span))
    about = (
        f"{counted(span.length, 'token')} · {counted(span.count, 'time')} in the corpus · "
        f"log probability {span.log_probability:.1f}"
    )
    sources = "".join(_source(source.document, source.score) for source in span.sources)
    body = (
        f"<details><summary>{counted(len(span.sources), 'document')}</summary>{sources}</details>"
    )
    return (
        f'<div class="excerpt"><mark>{said}</mark></div><div class="dim">{_safe(about)}</div>'
        + (body if sources else "")
    )


def _source(document: Document, score: float) -> str:
    metadata = [f"{name}: {value}" for name, value in document.metadata.items() if name != "fields"]
    metadata += [f"{name}: {value}" for name, value in document.metadata.get("fields", {}).items()]
    head = " · ".join([f"document {document.number:,}", f"BM25 {score:.2f}", *metadata])
    return f'<div class="dim">{_safe(head)}</div><div class="excerpt">{_excerpt(document)}</div>'


def _excerpt(document: Document) -> str:
    if document.text is None:
        return _safe(" ".join(map(str, document.ids.tolist())))
    pieces, done = [], 0
    for match in document.matches:
        if match.text_start is None or match.text_end is None or match.text_end <= done:
            continue
        start = max(match.text_start, done)
        pieces.append(_safe(document.text[done:start]))
        pieces.append(f"<mark>{_safe(document.text[start : match.text_end])}</mark>")
        done = match.text_end
    return "".join([*pieces, _safe(document.text[done:])])


def _curve(result: Attribution) -> str:
    rows = curve_rows(result)
    if not rows:
        return "<p>The text has no token.</p>"
    cells = "".join(
        f"<tr><td>{n}</td><td>{percent(novelty)}</td><td>{percent(unique)}</td></tr>"
        for n, novelty, unique in rows
    )
    most = min(result.ids.size, 50)
    points = " ".join(
        f"{n * _WIDTH / most:.1f},{(1 - float(result.novelty[n - 1])) * _HEIGHT:.1f}"
        for n in range(1, most + 1)
    )
    return (
        f'<svg viewBox="-4 -4 {_WIDTH + 8} {_HEIGHT + 8}" width="{_WIDTH}" role="img" '
        'aria-label="Share of new n-grams by n">'
        f'<polyline points="0,{_HEIGHT} {_WIDTH},{_HEIGHT}" fill="none" stroke="currentColor"/>'
        f'<polyline points="{points}" fill="none" stroke="#f59e0b" stroke-width="2"/></svg>'
        "<table><tr><th>n</th><th>new n-grams</th><th>tokens in no match of n</th></tr>"
        f"{cells}</table>"
    )
