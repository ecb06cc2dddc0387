"""``gramdex search`` and ``attribute``, and documents taken down on the command line."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from building import build_ids
from commanding import Command, write_jsonl

import gramdex
from gramdex.tools.attribution import LEVELS, STYLES, highlighted, text_parts
from gramdex.tools.attribution_page import attribution_page

EVIL = [
    'x <script>alert("1")</script> & \x1b[31m \u202e end of it all',
    "x <img src=x onerror=alert(1)> & end of it all, my friend",
]


def test_search(command: Command, texts: Path) -> None:
    record = command("search", texts, "(mat OR hat) AND cat NEAR/30", "--json").json
    found = gramdex.open(texts).search("(mat OR hat) AND cat NEAR/30")
    assert record["count"] == found.count
    assert (record["exact"], record["document_count"]) == (True, 3)
    assert [d["number"] for d in record["documents"]] == [0, 1, 3]
    window = command("search", texts, "(mat OR hat) AND cat", "--window", 30, "--json").json
    assert window["count"] == record["count"]
    out = command("search", texts, "mat AND again", "--max-documents", 1).out
    assert "«mat» «again»" in out
    assert out.endswith("1 match in 1 document\n")
    assert "0 matches in 0 documents" in command("search", texts, "zebra").out
    drawn = command("search", texts, "cat", "--seed", 1, "--max-documents", 2, "--json").json
    assert len(drawn["documents"]) == 2
    assert "2 documents shown" in command("search", texts, "cat", "--max-documents", 2).out
    assert "the «hat»" in command("search", texts, "hat", "--whole").out


def test_a_search_on_tokens(command: Command, words: Path, numbers: Path) -> None:
    assert command("search", words, "at", "--json").json["count"] == gramdex.open(words).count("at")
    assert "the cat" in command("search", words, '"the cat"', "--encode").out
    assert command("search", numbers, "[1, 2] AND [3]", "--json").json["document_count"] == 1
    assert command("search", words, "a NEAR/2", "--encode", "--window", 3).code == 2


def test_a_search_that_is_none_points_at_the_place(command: Command, texts: Path) -> None:
    outcome = command("search", texts, "a OR b AND c")
    assert outcome.code == 2
    lines = outcome.err.splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip() == "a OR b AND c")
    assert lines[at + 1].index("^") - lines[at].index("a OR") == 7
    assert command("search", texts, "a", "--json", "--window", -1).code == 2


def test_attribute(command: Command, texts: Path) -> None:
    text = "surely the cat sat on the mat again"
    record = command("attribute", texts, text, "--min-length", 10, "--json").json
    found = gramdex.open(texts).attribute(text, min_length=10, context=200)
    assert [s["text"] for s in record["spans"]] == [s.text for s in found.spans]
    assert record["novelty"] == found.novelty.tolist()
    (span,) = record["spans"]
    assert span["text"].strip() == "the cat sat on the mat again"
    assert [d["number"] for d in span["documents"]] == [3]
    out = command("attribute", texts, text, "--min-length", 10).out
    assert "«the cat sat on the mat again»" in out.replace("« ", "«")
    assert "document 3 · " in out
    assert "new n-grams" in out
    everything = command(
        "attribute", texts, "the cat the hat", "--all", "--min-length", 3, "--json"
    )
    assert len(everything.json["spans"]) > 1
    few = command("attribute", texts, "the cat", "--min-length", 3, "--max-count", 1, "--json")
    assert few.json["spans"] == []
    assert "0 spans" in command("attribute", texts, "zzzz").out
    assert command("attribute", texts, "").code == 0


def test_attribute_of_files_and_ids(command: Command, texts: Path, numbers: Path) -> None:
    out = command("attribute", texts, "--file", "-", stdin=b"the cat sat on the mat").out
    assert "100 % of 22 tokens" in out
    record = command("attribute", numbers, "1 2 3 300", "--ids", "--min-length", 1, "--json").json
    assert [(s["start"], s["end"], s["text"]) for s in record["spans"]] == [(0, 3, None)]
    assert "«1 2 3»" in command(
        "attribute", numbers, "1 2 3 300", "--ids", "--min-length", 1
    ).out.replace(" »", "»").replace("« ", "«")
    assert command("attribute", numbers, "1", "--ids", "--sentences").code == 2
    for arguments in ([], ["a", "--file", "b"], ["a", "--keep", 0], ["--file", "no such file"]):
        assert command("attribute", texts, *arguments).code == 2


class _Reader(HTMLParser):
    """What a browser would see: elements, their attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    source = tmp_path / "corpus<b>.jsonl"
    lines = [json.dumps({"text": t, "a<b>": "<i>\x00"}) for t in EVIL]
    source.write_text("\n".join(lines))
    gramdex.build(source, tmp_path / "index")
    return tmp_path / "index"


def test_a_page_shows_text_as_text(command: Command, evil: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    outcome = command("attribute", evil, *["--file", "-", "--html", page, "--all"],
                      stdin=(EVIL[0] + "<b>" + EVIL[1]).encode())  # fmt: skip
    assert outcome.code == 0
    said = page.read_text(encoding="utf-8")
    seen = _Reader(said)
    allowed = {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "a", "section",
        "mark", "details", "summary", "svg", "polyline", "table", "tr", "th", "td",
    }  # fmt: skip
    assert {tag for tag, _ in seen.tags} <= allowed
    assert not any(name.startswith("on") for _, attributes in seen.tags for name in attributes)
    assert '<script>alert("1")</script>' in seen.text
    assert "\\x1b" in seen.text
    assert not set("\x1b\u202e\x00") & set(said)
    targets = {attributes["id"] for _, attributes in seen.tags if "id" in attributes}
    links = [attributes["href"] for tag, attributes in seen.tags if tag == "a"]
    assert links
    assert {link.removeprefix("#") for link in links} <= targets
    for tag, attributes in seen.tags:
        assert "src" not in attributes, tag
        assert attributes.get("href", "#").startswith("#")
    assert "default-src 'none'" in said


def test_a_page_that_cannot_be_written(command: Command, evil: Path, tmp_path: Path) -> None:
    assert command("attribute", evil, "x", "--html", tmp_path / "no" / "page.html").code == 2


@pytest.mark.parametrize("text", ["", "zzz", "x <"])
def test_pages_of_little(evil: Path, text: str) -> None:
    index = gramdex.open(evil)
    page = attribution_page(index.tokenizer, index.attribute(text, 1), [("a<b>", "<c>")])
    assert "a<b>: <c>" in _Reader(page).text


def test_the_rarest_third_stands_out(texts: Path) -> None:
    index = gramdex.open(texts)
    result = index.attribute("the cat. on the hat. a dog and. naïve. again", 3, keep=None)
    assert len(result.spans) >= 3
    parts = text_parts(index.tokenizer, result)
    assert "".join(part.text for part in parts) == "the cat. on the hat. a dog and. naïve. again"
    assert {part.level for part in parts} <= {-1, *range(LEVELS)}
    rarest = min(result.spans, key=lambda span: span.log_probability)
    assert [part.level for part in parts if rarest in part.spans] == [0]
    assert sum(len(part.spans) for part in parts) == len(result.spans)
    said = highlighted(index.tokenizer, result, colour=True)
    assert said.plain == "the cat. on the hat. a dog and. naïve. again"
    assert {span.style for span in said.spans} <= set(STYLES)
    assert STYLES[0] in {span.style for span in said.spans}


def test_taken_down(command: Command, texts: Path, tmp_path: Path) -> None:
    gone = gramdex.open(texts).document(3).text
    gramdex.build(write_jsonl(tmp_path / "gone.jsonl", [gone]), tmp_path / "gone")
    less = ("--takedown", tmp_path / "gone")
    assert command("count", texts, "again", *less, "--json").json["count"] == 0
    assert command("prob", texts, "mat", " ", *less, "--json").json["context_count"] == 1
    assert command("ntd", texts, "mat", *less, "--json").json["end_count"] == 1
    suffix = command("infgram", texts, "mat again", *less, "--json").json["suffix_length"]
    assert suffix < 9
    assert max(command("match", texts, "mat again", *less, "--json").json["lengths"]) < 9
    assert command("documents", texts, "again", *less, "--json").json["documents"] == []
    assert command("search", texts, "again", *less, "--json").json["count"] == 0
    record = command("attribute", texts, "mat again", "--min-length", 9, *less, "--json").json
    assert record["spans"] == []
    refused = command("documents", texts, "--number", 3, *less)
    assert refused.code == 2
    assert "taken down" in refused.err
    assert command("count", texts, "a", "--copies", "listed").code == 2
    assert command("count", texts, "a", *less, "--copies", "some").code == 2
    both = ("--also", texts, *less)
    assert command("count", texts, "a", *both).code == 2  # two copies, one listed
    record = command("count", texts, "again", *both, "--copies", "listed", "--json").json
    assert record["count"] == gramdex.open(texts).count("again")


def test_a_search_of_two_indexes(command: Command, numbers: Path, tmp_path: Path) -> None:
    other = build_ids(tmp_path, [[5, 6], [1, 2]], 1000)
    record = command("search", numbers, "[1, 2]", "--also", other, "--json").json
    assert (record["count"], record["document_count"]) == (4, 3)
    assert [d["number"] for d in record["documents"]] == [0, 1, 4]
