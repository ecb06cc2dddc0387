"""The page in a real browser: what it shows, by keyboard, on a narrow screen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browsing import BROWSER, BrowserError, Page
from commanding import write_jsonl
from http_serving import Site, serving

import gramdex
from gramdex.rpc import v1
from gramdex.rpc.server.access import Access
from gramdex.rpc.server.service import Service
from gramdex.rpc.server.serving import Serving

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")

GOLDEN = Path(__file__).parent.parent / "golden" / "v3-bpe"
ATTACK = '<img src=x onerror="document.title=1"><script>document.title="owned"</script>'
PASSAGE = "a sentence that stands in two documents of this corpus"
TEXTS = [
    f"😀 first: {PASSAGE}. {ATTACK}",
    f"second \u202e{PASSAGE}\x1b[31m, and more",
    *(f"page {number} of many, each with the word needle in it" for number in range(23)),
    "unbroken" * 200,
]
SECRET = "a token of sixteen characters"
CONTROL = 2


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    try:
        page = Page(tmp_path_factory.mktemp("profile"))
    except (BrowserError, OSError) as error:
        pytest.skip(f"this browser does not run here: {error}")
    yield page
    page.close()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("page")
    gramdex.build(write_jsonl(folder / "corpus.jsonl", TEXTS), folder / "corpus.gdx")
    return gramdex.open(folder / "corpus.gdx")


@pytest.fixture(scope="module")
def site(index: Any) -> Iterator[Site]:
    with serving(Service(Serving(index))) as site:
        yield site


@pytest.fixture(scope="module")
def bpe() -> Iterator[Site]:
    with serving(Service(Serving(gramdex.open(GOLDEN)))) as site:
        yield site


@pytest.fixture(autouse=True)
def wide(page: Page) -> Iterator[None]:
    page.resize(1280, 900)
    page.complaints.clear()
    yield
    assert page.complaints == []
    assert page.run("document.title") == "Gramdex"


def show(browser: Page, site: Site, tab: str, **asked: str) -> None:
    parts = "&".join(f"{name}={quote(value)}" for name, value in {"tab": tab, **asked}.items())
    browser.open(f"{site.url}/#{parts}")
    settled(browser, tab)


def settled(page: Page, tab: str) -> None:
    panel = f"document.getElementById('{tab}')"
    page.wait(
        f"!{panel}.hidden && !{panel}.classList.contains('busy') && "
        f"({panel}.querySelector('.result').childNodes.length || "
        f"{panel}.querySelector('.error').textContent || "
        f"{panel}.querySelector('.status').textContent)"
    )


def texts(page: Page, selector: str) -> list[str]:
    found: list[str] = page.run(
        f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)"
    )
    return found


def focused(page: Page) -> str:
    name: str = page.run("document.activeElement.id || document.activeElement.className")
    return name


def test_what_is_served_and_counted(page: Page, bpe: Site) -> None:
    index = gramdex.open(GOLDEN)
    show(page, bpe, "count", text="at")
    assert texts(page, "#served") == ["25 tokens · 5 documents · 1 shard · huggingface tokenizer"]
    ids = index.encode("at")
    counts = [str(index.count("at")), str(index.count(ids))]
    assert texts(page, "#count .figure b") == counts
    assert len(texts(page, "#count .tokens li")) == len(ids)


def test_bars_are_the_distribution_and_extend_the_text(page: Page, bpe: Site) -> None:
    index = gramdex.open(GOLDEN)
    show(page, bpe, "next", text="zzz the")
    ids = index.encode("zzz the").tolist()
    after = index.infgram_ntd(ids, 20)
    assert texts(page, "#next button.bar .number:nth-child(3)") == [str(c) for c in after.counts]
    names = [text.replace(" ", "␣") for text in (index.decode([t]) for t in after.tokens)]
    assert texts(page, "#next button.bar .token") == names
    widths = page.run("[...document.querySelectorAll('.bar i')].map((i) => i.style.width)")
    shares = [100 * share for share in after.probs]
    assert [float(width[:-1]) for width in widths] == pytest.approx(shares)
    said = f"After the last {after.suffix_length} tokens of {len(ids)}"
    assert texts(page, "#next .status")[0].startswith(said.replace("last 1 tokens", "last token"))
    page.run("document.querySelector('button.bar').focus()")
    page.press("Enter")
    page.wait("location.hash.includes('ids=')")
    settled(page, "next")
    longer = [*ids, int(after.tokens[0])]
    assert page.run("document.getElementById('text').value") == index.decode(longer)
    assert page.run("new URLSearchParams(location.hash.slice(1)).get('ids')") == ",".join(
        map(str, longer)
    )
    again = index.infgram_ntd(longer, 20)
    assert texts(page, "#next button.bar .number:nth-child(3)") == [str(c) for c in again.counts]


def test_tokens_that_are_parts_of_characters(page: Page, site: Site) -> None:
    show(page, site, "next", text="")
    assert "⟨" in "".join(texts(page, "#next .bar .token")) or texts(page, "#next .bar.rest")
    page.open(f"{site.url}/#tab=next&text=x&ids=240,159,152")
    settled(page, "next")
    assert texts(page, "#next button.bar .token") == ["⟨80⟩"]
    page.run("document.querySelector('button.bar').focus()")
    page.press(" ")
    page.wait("document.getElementById('text').value === '😀'")
    settled(page, "next")


def test_attribution_is_highlighted_and_leads_to_documents(
    page: Page, site: Site, index: Any
) -> None:
    text = f"Nobody wrote “{PASSAGE}” before, nor é."
    found = index.attribute(text)
    show(page, site, "attribution", text=text)
    assert texts(page, "#attribution .text") == [text]
    data = text.encode()
    parts = [data[start:end].decode() for start, end in found.merged]
    assert texts(page, "#attribution .span") == parts
    page.run("document.getElementById('keep-all').focus()")
    page.press("Tab")
    assert "span" in focused(page)
    assert texts(page, "#attribution .span[aria-pressed=true]") == parts[:1]
    span = found.spans[0]
    assert len(texts(page, "#attribution article")) == len(span.sources) == 2
    assert texts(page, "#attribution article mark") == [span.text, span.text]
    shown = "".join(texts(page, "#attribution .excerpt"))
    assert "\\u202e" in shown
    assert "\u202e" not in shown
    assert "\\u001b[31m" in shown
    assert "title: title 0" in "".join(texts(page, "#attribution article .soft"))


def test_search_by_keyboard(page: Page, site: Site, index: Any) -> None:
    show(page, site, "count", text="needle")
    page.run("document.getElementById('tab-count').focus()")
    page.press("End")
    assert focused(page) == "tab-documents"
    page.press("ArrowLeft")
    assert focused(page) == "tab-search"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.run(outline) != "none"
    assert page.run("document.querySelectorAll('[role=tab][tabindex=\"0\"]').length") == 1
    page.press("Tab")
    assert focused(page) == "query"
    page.type("needle AND many")
    page.press("Enter")
    page.wait("document.querySelectorAll('#search article').length === 10")
    found = index.search("needle AND many")
    assert texts(page, "#search .figure b") == [str(found.count)]
    assert (
        f"in {found.document_count} documents, counted exactly" in texts(page, "#search .figure")[0]
    )
    seen = texts(page, "#search .excerpt")
    page.run("[...document.querySelectorAll('#search .pages button')].at(-1).focus()")
    for _ in range(2):
        page.press("Enter")
        page.wait("document.activeElement.id === 'search'")
        seen += texts(page, "#search .excerpt")
        page.run("[...document.querySelectorAll('#search .pages button')].at(-1).focus()")
    assert seen == [document.text for document in index.search("needle AND many", 99).documents]
    assert page.run("[...document.querySelectorAll('#search .pages button')].at(-1).disabled")
    assert page.run("location.hash").endswith("page=3")


def test_documents_and_a_shared_address(page: Page, site: Site, index: Any) -> None:
    show(page, site, "documents", text="needle", page="3")
    documents = index.documents("needle", 10, skip=20)
    assert texts(page, "#documents .excerpt") == [document.text for document in documents]
    assert texts(page, "#documents mark") == ["needle"] * len(documents)
    assert texts(page, "#documents h3")[0] == "title 22"
    show(page, site, "documents", text="nowhere at all")
    assert texts(page, "#documents .status") == ["No document holds this text."]
    show(page, site, "documents", text="<script>")
    assert ATTACK in texts(page, "#documents .excerpt")[0]
    assert page.run("document.querySelectorAll('main img, main script').length") == 0


def test_errors_are_told_where_they_belong(page: Page, site: Site) -> None:
    show(page, site, "search", query="((")
    (said,) = texts(page, "#search .error")
    assert said.startswith("query: ")
    assert page.run("document.querySelector('#search .error').getAttribute('role')") == "alert"
    assert page.run("document.querySelector('#count .error').hidden")
    page.complaints.clear()  # the browser logs the status 400 itself
    page.run("document.getElementById('query').value = 'needle'")
    page.run("document.getElementById('query').focus()")
    page.press("Enter")
    page.wait("document.querySelectorAll('#search article').length === 10")
    assert page.run("document.querySelector('#search .error').hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_screens(page: Page, site: Site, scheme: str) -> None:
    page.resize(360, 700)
    page.scheme(scheme)
    for tab in ("count", "next", "attribution", "search", "documents"):
        show(page, site, tab, text="unbroken" * 20, query="unbroken" * 20)
        assert texts(page, f"#{tab} .error") == [""]
        assert page.run("document.documentElement.scrollWidth") <= 360
        if tab == "attribution":
            page.run("document.querySelector('.span').focus()")
            assert page.run("document.documentElement.scrollWidth") <= 360
    colour = page.run("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(20, 23, 26)") == (scheme == "dark")


def test_a_token_is_asked_for_and_kept_in_the_session(page: Page, index: Any) -> None:
    service = Service(Serving(index), access=Access({"ann": SECRET}))
    with serving(service) as site:
        page.open(f"{site.url}/#tab=count&text=needle")
        page.wait("!document.getElementById('login').hidden")
        assert focused(page) == "token"
        page.type("none of theirs, but long")
        page.press("Enter")
        page.wait("document.getElementById('login-why').textContent.includes('does not know')")
        page.wait("document.activeElement.id === 'token'")
        page.type(SECRET)
        page.press("Enter")
        settled(page, "count")
        assert texts(page, "#count .figure b")[0] == "23"
        page.complaints.clear()  # the browser logs the status 401 itself
        show(page, site, "documents", text="needle")
        assert page.run("document.getElementById('login').hidden")
        assert SECRET not in page.run("location.href")


def test_the_last_question_is_answered(page: Page, index: Any) -> None:
    index = gramdex.open(index.folders[0])
    count = index.count

    def slowly(query: Any) -> int:
        time.sleep(0.5 if isinstance(query, str) and query == "e" else 0)
        return count(query)

    index.count = slowly
    with serving(Service(Serving(index))) as site:
        show(page, site, "count", text="needle")
        page.run(
            "document.getElementById('text').select(); document.getElementById('text').focus()"
        )
        page.type("e")
        page.press("Enter", CONTROL)
        assert page.run("document.getElementById('count').classList.contains('busy')")
        page.type("ach")
        page.press("Enter", CONTROL)
        settled(page, "count")
        time.sleep(0.6)
        assert texts(page, "#count .figure b")[0] == str(count("each")) == "23"


def test_a_part_of_the_corpus_is_told_as_such(page: Page, index: Any) -> None:
    class Partial(Service):
        def _pack(self, message: Any, *of: Any) -> bytes:
            if "coverage" in message.DESCRIPTOR.fields_by_name:
                covered = v1.Coverage(token_count=3, total_token_count=4, missing=["b:1"])
                message.coverage.CopyFrom(covered)
            return super()._pack(message, *of)

    with serving(Partial(Serving(index))) as site:
        for tab in ("count", "next", "attribution", "search", "documents"):
            show(page, site, tab, text=f"in {PASSAGE}", query="needle")
            said = "Of 75.0 % of the corpus alone; missing: b:1."
            assert texts(page, f"#{tab} .status")[0].startswith(said)
            assert said in texts(page, "#served")[0]


def test_an_index_that_is_exchanged(page: Page, index: Any) -> None:
    service = Service(Serving(index))
    with serving(service) as site:
        show(page, site, "count", text="the")
        assert texts(page, "#served")[0].startswith("2,918 tokens")
        service.serving.exchange(gramdex.open(GOLDEN))
        page.run("document.getElementById('text').focus()")
        page.press("Enter", CONTROL)
        settled(page, "count")
        page.press("Enter", CONTROL)
        page.wait("document.getElementById('served').textContent.startsWith('25 tokens')")
        settled(page, "count")
        assert texts(page, "#count .figure b")[0] == str(gramdex.open(GOLDEN).count("the"))


def test_an_index_without_tokenizer(page: Page, tmp_path: Path) -> None:
    import numpy as np

    np.save(tmp_path / "ids.npy", np.tile(np.array([3, 1, 4], np.uint16), 5))
    gramdex.build(tmp_path / "ids.npy", tmp_path / "index", tokenizer=None)
    with serving(Service(Serving(gramdex.open(tmp_path / "index")))) as site:
        show(page, site, "next", text="2 3, 1")
        assert texts(page, "#next .token") == ["token 3", "token 1", "token 4"]
        show(page, site, "documents", text="1 4")
        assert texts(page, "#documents mark")[0] == "1 4 "
        show(page, site, "attribution", text="2 3 1 4 3 1 2")
        assert texts(page, "#attribution .span") == [" 3 1 4 3 1 "]
        show(page, site, "count", text="word")
        assert "no token id" in texts(page, "#count .error")[0]


def test_tokens_that_are_words(page: Page, tmp_path: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    words = ["[UNK]", "a", "cat", "sat", "on", "the", "mat", "play", "##ing", "here"]
    tokenizer = Tokenizer(
        models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    corpus = write_jsonl(
        tmp_path / "corpus.jsonl", ["the cat sat playing on the mat", "a mat here"]
    )
    gramdex.build(corpus, tmp_path / "index", tokenizer=tmp_path / "tokenizer.json")
    with serving(Service(Serving(gramdex.open(tmp_path / "index")))) as site:
        show(page, site, "attribution", text="here the cat sat playing on the cat")
        assert texts(page, "#attribution .text") == ["here the cat sat playing on the cat "]
        assert texts(page, "#attribution .span") == ["the cat sat playing on the "]


def test_a_server_that_gives_no_documents_out(page: Page, index: Any) -> None:
    with serving(Service(Serving(index), serves_documents=False)) as site:
        show(page, site, "search", query="needle")
        assert texts(page, "#search .status") == ["This server gives no documents out."]
        assert texts(page, "#search .figure b") == ["23"]
        show(page, site, "attribution", text=f"so: {PASSAGE}!")
        page.run("document.querySelector('.span').focus()")
        assert "gives no documents out" in texts(page, "#attribution .passage")[0]
        show(page, site, "documents", text="needle")
        assert "none out" in texts(page, "#documents .error")[0]
        page.complaints.clear()  # the browser logs the status 403 itself
