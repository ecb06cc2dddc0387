"""Parts of the HTML report, each a string of markup."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from gramdex.fmindex.queries.contamination.results import PARTS, VERDICTS
from gramdex.tools.contamination.records import Checked, dirty_by_any
from gramdex.tools.output import counted, percent, visible

_SAID = {"dirty": "dirty", "suspicious": "suspicious", "clean": "clean", "short": "too short"}
_SHOWN = 200
_LENGTHS = (8, 16, 32, 64, 128)


def escaped(text: object) -> str:
    """Text as markup that shows it; control characters are spelled out."""
    return html.escape(visible(str(text)), quote=True)


def lead(checked: Checked) -> str:
    """The finding in a sentence."""
    judged, dirty = checked.result.judged, dirty_by_any(checked)
    said = (
        f"{dirty:,} of {counted(len(judged), 'example')} ({percent(dirty / len(judged))}) "
        "are dirty by at least one definition, question and answer together."
    )
    return f"<p class=lead>{escaped(said)}</p>"


def facts(checked: Checked) -> str:
    """What was compared with what."""
    benchmark, index = checked.benchmark, checked.index
    rows = [
        ("benchmark", f"{benchmark.path}, {counted(len(benchmark.examples), 'example')}"),
        ("field map", benchmark.fields.name),
        ("index", index["path"]),
        ("fingerprint", index["fingerprint"]),
        ("corpus", f"{index['document_count']:,} documents, {index['token_count']:,} tokens"),
        ("tokenizer", index["tokenizer"]),
        ("normalization", _normalization(index)),
    ]
    if benchmark.skipped:
        left = f"{benchmark.skipped:,} bad records, first {benchmark.first_skipped}"
        rows.append(("left out", left))
    rows += [(f"{name}: not applied", why) for name, why in checked.result.unavailable.items()]
    return _list(rows)


def bars(checked: Checked) -> str:
    """A bar per definition and part."""
    head = "".join(f"<th scope=col>{part}</th>" for part in PARTS)
    by_part = {part: checked.result.totals(part) for part in PARTS}
    body = ""
    for name in checked.result.definitions:
        cells = "".join(f"<td data-label={part}>{_bar(by_part[part][name])}</td>" for part in PARTS)
        body += f"<tr><th scope=row>{escaped(name)}</th>{cells}</tr>"
    legend = "".join(
        f"<span><span class='verdict {verdict}'>{said}</span></span>"
        for verdict, said in _SAID.items()
    )
    return (
        f"<div class=legend>{legend}</div><div class=scroll tabindex=0><table class=cards>"
        f"<thead><tr><th scope=col>definition</th>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def histogram(checked: Checked) -> str:
    """How many examples have a longest match of how many tokens."""
    described = checked.result.definitions.get("longest")
    if described is None:
        return "<p class=lead>The definition “longest” was not applied.</p>"
    least = int(described["parameters"]["least"])
    found = [
        max(each.measures[part]["longest"].found for part in ("question", "answer"))
        for each in checked.result.judged
    ]
    edges = [least, *(length for length in _LENGTHS if length > least)]
    bins = [(f"below {least}", sum(length < least for length in found))]
    for low, high in zip(edges, [*edges[1:], None], strict=True):
        name = f"{low} or more" if high is None else f"{low} to {high - 1}"
        bins.append((name, sum(low <= n and (high is None or n < high) for n in found)))
    most = max(number for _, number in bins)
    lines = "".join(
        f"<span>{name}</span><span class=track><i class={'some' if number else 'none'} "
        f'style="width:{100 * number / most:.2f}%"></i></span><span>{number:,}</span>'
        for name, number in bins
    )
    return (
        "<p class=lead>Tokens of the longest match of question or answer, and how many examples "
        f"have one of that length.</p><div class=histogram>{lines}</div>"
    )


def examples_table(names: Sequence[str]) -> str:
    """Controls and an empty table; the script fills it."""
    heads = [("name", "example"), ("verdict", "verdict"), *((name, name) for name in names)]
    cells = "".join(
        f"<th scope=col data-key={escaped(key)}{' class=number' if key in names else ''}>"
        f"<button type=button>{escaped(said)}</button></th>"
        for key, said in [*heads, ("count", "count")]
    )
    options = "".join(f"<option value={escaped(name)}>{escaped(name)}</option>" for name in names)
    verdicts = "".join(f"<option value={name}>{said}</option>" for name, said in _SAID.items())
    parts = "".join(f"<option value={p}>{p}</option>" for p in reversed(PARTS))
    return (
        "<noscript><p>Examples are drawn by a script in this page; they are in the JSON lines "
        "beside it as well.</p></noscript><div class=controls>"
        "<label class=wide>find in names and texts<input id=search type=search></label>"
        f"<label>judge<select id=part>{parts}</select></label>"
        "<label>by<select id=definition><option value=''>the worst of all</option>"
        f"{options}</select></label>"
        f"<label>verdict<select id=verdict><option value=''>every</option>{verdicts}</select>"
        "</label></div><p class=lead id=status role=status></p><div class=scroll>"
        f"<table class=cards id=examples><thead><tr>{cells}</tr></thead><tbody></tbody></table>"
        "</div><button class=more id=more type=button hidden>Show 100 more</button>"
    )


def offenders(checked: Checked, file: str) -> str:
    """The first documents to drop, and where the rest are."""
    found = checked.result.offenders
    said = (
        f"{counted(len(found), 'document')} of the corpus {'holds' if len(found) == 1 else 'hold'} "
    )
    said += "a window for which an example is dirty."
    if checked.result.not_followed:
        said += (
            f" {counted(checked.result.not_followed, 'window')} stand in too many documents to "
            "blame one; documents that hold nothing else are not here."
        )
    rows = "".join(
        f"<tr><th scope=row>{each.number:,}</th><td class=mono data-label=metadata>"
        f"{escaped(json.dumps(each.metadata, ensure_ascii=False))}</td>"
        f"<td data-label=examples>{escaped(_some(each.examples))}</td>"
        f"<td data-label='rarest window'>{escaped(each.window[:200])}</td></tr>"
        for each in found[:_SHOWN]
    )
    link = f"<a href='{escaped(quote(file))}'>{escaped(file)}</a>"
    text = f"<p class=lead>{escaped(said)} All of them are in {link}.</p>"
    if not found:
        return text
    return (
        f"{text}<div class=scroll tabindex=0><table class=cards><thead><tr><th scope=col>document"
        "</th><th scope=col>metadata</th><th scope=col>examples</th><th scope=col>rarest window"
        f"</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def definitions(checked: Checked) -> str:
    """What every definition means, with its parameters."""
    rows = ""
    for name, each in checked.result.definitions.items():
        parameters = ", ".join(f"{key}={value}" for key, value in each["parameters"].items())
        rows += (
            f"<tr><th scope=row>{escaped(name)}</th>"
            f"<td data-label=rule>{escaped(each['rule'])}</td>"
            f"<td data-label='looks at'>{escaped(each['looks_at'])}</td>"
            f"<td class=mono data-label=parameters>{escaped(parameters)}</td>"
            f"<td data-label=source>{escaped(each['source'])}</td></tr>"
        )
    heads = ("definition", "rule", "looks at", "parameters", "source")
    head = "".join(f"<th scope=col>{name}</th>" for name in heads)
    return (
        f"<div class=scroll tabindex=0><table class=cards><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div><p class=lead>{escaped(_tokens(checked))}</p>"
    )


def bulletin_matrix(checked: Sequence[Checked]) -> str:
    """Benchmark by corpus: the share that any definition calls dirty."""
    indexes = list(dict.fromkeys(each.index["path"] for each in checked))
    names = {each.index["path"]: each.index["name"] for each in checked}
    head = "".join(f"<th scope=col class=number>{escaped(names[path])}</th>" for path in indexes)
    by_benchmark: dict[str, list[Checked]] = {}
    for each in checked:
        by_benchmark.setdefault(each.benchmark.path, []).append(each)
    rows = ""
    for pairs in by_benchmark.values():
        cells = "".join(
            f"<td class=number data-label='{escaped(each.index['name'])}'>"
            f"<a href='{escaped(quote(each.name))}.html'>"
            f"{_share(dirty_by_any(each), len(each.result.judged))}</a></td>"
            for each in pairs
        )
        rows += f"<tr><th scope=row>{escaped(pairs[0].benchmark.name)}</th>{cells}</tr>"
    return (
        "<div class=scroll tabindex=0><table class=cards><thead><tr><th scope=col>benchmark</th>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def bulletin(checked: Sequence[Checked]) -> str:
    """Benchmark by corpus, for each definition."""
    names = list(dict.fromkeys(name for each in checked for name in each.result.definitions))
    heads = ("benchmark", "corpus", "examples", "any", *names)
    head = "".join(
        f"<th scope=col{' class=number' if i > 1 else ''}>{escaped(name)}</th>"
        for i, name in enumerate(heads)
    )
    rows = "".join(_bulletin_row(each, names) for each in checked)
    return (
        f"<div class=scroll tabindex=0><table class=cards><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def repeat(command: str, checked: Sequence[Checked]) -> str:
    """The command and the indexes it was given, to have the same again."""
    indexes = {each.index["path"]: each.index["fingerprint"] for each in checked}
    rows = _list([(f"index {path}", fingerprint) for path, fingerprint in indexes.items()])
    return f"<h2>To repeat this</h2><pre>{escaped(command)}</pre>{rows}"


def _bulletin_row(checked: Checked, names: Sequence[str]) -> str:
    judged, totals = checked.result.judged, checked.result.totals()
    dirty = {name: totals[name]["dirty"] for name in names if name in totals}
    any_ = dirty_by_any(checked)
    link = escaped(quote(f"{checked.name}.html"))
    cells = "".join(
        f"<td class=number data-label={escaped(name)}>{_share(dirty.get(name), len(judged))}</td>"
        for name in names
    )
    return (
        f"<tr><th scope=row><a href='{link}'>{escaped(checked.benchmark.name)}</a></th>"
        f"<td data-label=corpus>{escaped(checked.index['name'])}</td>"
        f"<td class=number data-label=examples>{len(judged):,}</td>"
        f"<td class=number data-label=any>{_share(any_, len(judged))}</td>{cells}</tr>"
    )


def _share(dirty: int | None, total: int) -> str:
    if dirty is None:
        return "–"
    kind = "dirty" if dirty else "clean"
    return f"<span class='verdict {kind}'>{escaped(percent(dirty / total))}</span>"


def _bar(counter: dict[str, int]) -> str:
    total = max(sum(counter.values()), 1)
    pieces = "".join(
        f'<i class="{verdict}{" some" if counter[verdict] else ""}" '
        f'style="width:{100 * counter[verdict] / total:.3f}%"></i>'
        for verdict in VERDICTS
    )
    figures = " · ".join(
        f"<b class={verdict}>{counter[verdict]:,}</b> {_SAID[verdict]}"
        for verdict in VERDICTS
        if counter[verdict]
    )
    return f"<div class=bar aria-hidden=true>{pieces}</div><div class=figures>{figures}</div>"


def _list(rows: Iterable[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(value)}</dd>" for name, value in rows)
    return f"<dl>{items}</dl>"


def _normalization(index: dict[str, str]) -> str:
    if index["side_index"] is None:
        return "none: n-grams were looked for verbatim (--normalize all makes an index for them)"
    return f"{index['normalization']}, in the side index {index['side_index']}"


def _tokens(checked: Checked) -> str:
    if checked.index["tokenizer"] == "bytes":
        return "Tokens are words and punctuation marks: the index is one of bytes."
    return "Tokens are those of the index."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
