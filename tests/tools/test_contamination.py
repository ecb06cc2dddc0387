"""``gramdex contamination``: files it writes, what it says, and the page in a browser."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from commanding import Command, write_jsonl

import gramdex
from gramdex.tools.contamination.side_index import fingerprint

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ATTACK = '</script><script>document.title="owned"</script><img src=x onerror="document.title=1">'


def invented(seed: int, words: int) -> str:
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(words))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index, a second one, and a benchmark of which example 0 is in the first."""
    folder = tmp_path_factory.mktemp("contamination")
    questions = [f"😀 {invented(n, 30)} & \u202e<b>{n}</b>" for n in range(12)]
    questions[0] = f"{ATTACK} {questions[0]}"
    answers = [invented(100 + n, 20) for n in range(12)]
    texts = [invented(200 + n, 60) for n in range(6)]
    texts[2] += " " + questions[0].upper() + " " + invented(300, 5)
    texts[4] = f"{texts[4]} {questions[1]}\n{answers[1]} <svg onload=alert(1)>"
    gramdex.build(write_jsonl(folder / "corpus.jsonl", texts), folder / "corpus.gdx")
    gramdex.build(write_jsonl(folder / "other.jsonl", texts[:2]), folder / "other.gdx")
    records = [{"question": q, "answer": a} for q, a in zip(questions, answers, strict=True)]
    (folder / "problems.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    return folder


def check(command: Command, data: Path, output: Path, *more: Any) -> Any:
    outcome = command(
        "contamination", data / "corpus.gdx", data / "problems.jsonl", "-o", output, *more
    )
    assert outcome.code == 0, outcome
    return outcome


def test_one_pair(command: Command, data: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    record = check(command, data, output, "--normalize", "all", "--json").json
    (pair,) = record["checked"]
    assert pair["index"]["fingerprint"] == fingerprint(gramdex.open(data / "corpus.gdx"))
    assert pair["benchmark"]["fields"]["name"] == "gsm8k"
    assert pair["dirty_by_any"] == 2
    assert pair["totals"]["both"]["ngrams"] == {
        "dirty": 2,
        "suspicious": 0,
        "clean": 10,
        "short": 0,
    }
    assert pair["totals"]["both"]["windows"]["dirty"] == 1
    assert pair["totals"]["answer"]["ngrams"]["dirty"] == 1
    assert set(record["files"]) == {str(p) for p in output.iterdir() if p.is_file()}
    assert json.loads((output / "report.json").read_text()) == {
        name: value for name, value in record.items() if name != "files"
    }
    lines = (output / "problems.corpus.examples.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["verdict"] for row in rows] == ["dirty", "dirty", *["clean"] * 10]
    assert rows[0]["evidence"]["normalized"]
    assert rows[0]["evidence"]["document"] == 2
    assert rows[0]["evidence"]["metadata"]["fields"]["title"] == "title 2"
    assert rows[1]["measures"]["answer"]["windows"]["share"] == 1.0
    assert rows[2]["evidence"] is None
    drop = (output / "problems.corpus.drop.jsonl").read_text().splitlines()
    assert [(d["document"], d["examples"]) for d in map(json.loads, drop)] == [
        (2, ["0"]),
        (4, ["1"]),
    ]


def test_parquet_has_a_column_for_every_number(
    command: Command, data: Path, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    check(command, data, tmp_path)
    rows = parquet.read_table(tmp_path / "problems.corpus.examples.parquet").to_pylist()
    assert len(rows) == 12
    assert rows[1]["question_windows_share"] == 1.0
    assert rows[1]["both_ngram_share_verdict"] == "dirty"
    assert rows[2]["evidence_count"] is None
    assert json.loads(rows[1]["evidence"])["document"] == 4


def test_the_side_index_is_made_once(command: Command, data: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    options = ("--normalize", "case,whitespace", "--cache", cache)
    check(command, data, tmp_path / "a", *options)
    (side,) = cache.iterdir()
    before = (side / "manifest.json").stat().st_mtime_ns
    check(command, data, tmp_path / "b", *options)
    assert [path.name for path in cache.iterdir()] == [side.name]
    assert (side / "manifest.json").stat().st_mtime_ns == before
    assert "normalized text (case, whitespace)" in (tmp_path / "b" / "report.html").read_text()
    names = ("problems.corpus.examples.jsonl", "problems.corpus.drop.jsonl")
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_terminal(command: Command, data: Path, tmp_path: Path) -> None:
    shown = check(command, data, tmp_path, "--only", "ngrams", "--set", "ngrams.n=6").out
    assert "problems in corpus · 12 examples" in shown
    assert re.search(r"ngrams +1 +1 +1 +0 +11 +0", shown)
    assert "windows" not in shown
    assert "1 document to drop" in shown
    assert str(tmp_path / "report.html") in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_the_command_in_the_report_gives_the_same_report(
    command: Command, data: Path, tmp_path: Path
) -> None:
    import shlex

    record = check(command, data, tmp_path / "a", "--set", "windows.characters=30", "--json").json
    words = shlex.split(record["command"])
    assert words[:2] == ["gramdex", "contamination"]
    again = command(*words[1:], "--json")
    assert again.code == 0
    timeless = [
        [{**pair, "seconds": 0} for pair in each["checked"]] for each in (record, again.json)
    ]
    assert timeless[0] == timeless[1]
    assert unescape((tmp_path / "a" / "report.html").read_text()).count(record["command"]) == 1


def test_a_bulletin(command: Command, data: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.jsonl"
    short.write_text('{"question": "no", "answer": "1"}\n')
    indexes = (data / "corpus.gdx", data / "other.gdx")
    outcome = command(
        "contamination", *indexes, data / "problems.jsonl", short, "-o", tmp_path / "o"
    )
    assert outcome.code == 0, outcome
    assert re.search(r"dirty by any definition +corpus +other", outcome.out)
    assert re.search(r"problems +8.33 % +0 %", outcome.out)
    page = (tmp_path / "o" / "report.html").read_text()
    for name in ("problems.corpus", "problems.other", "short.corpus", "short.other"):
        assert page.count(f"href='{name}.html'") == 2
        assert (tmp_path / "o" / f"{name}.html").is_file()
    report = json.loads((tmp_path / "o" / "report.json").read_text())
    assert [pair["totals"]["both"]["windows"]["short"] for pair in report["checked"]] == [
        0,
        1,
        0,
        1,
    ]


def test_bad_arguments(command: Command, data: Path, tmp_path: Path, numbers: Path) -> None:
    index, problems, out = data / "corpus.gdx", data / "problems.jsonl", tmp_path / "out"
    for arguments, code in [
        ((index,), 2),
        ((problems,), 2),
        ((index, tmp_path / "absent.jsonl"), 1),
        ((tmp_path, problems), 4),
        ((numbers, problems), 2),
        ((index, problems, "--normalize", "colour"), 2),
        ((index, problems, "--set", "ngrams.m=3"), 2),
        ((index, problems, "--only", "nothing"), 2),
        ((index, problems, "--on-error", "ignore"), 2),
        ((index, problems, "--max-count", 0), 2),
        ((index, f"nothing={problems}"), 2),
    ]:
        outcome = command("contamination", *arguments, "-o", out)
        assert outcome.code == code, (arguments, outcome)
        assert outcome.err.count("\n  expected: ") <= 1 <= outcome.err.count("error: ")
    assert not out.exists()
    problems = tmp_path / "some.jsonl"
    problems.write_text('{"question": "a", "answer": "b"}\n{"question": 3}\n')
    assert command("contamination", index, problems, "-o", out).code == 1
    shown = command("contamination", index, problems, "-o", out, "--on-error", "skip")
    assert shown.code == 0
    assert "1 bad record left out" in shown.out


def test_an_empty_corpus(command: Command, data: Path, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    gramdex.build(tmp_path / "none.jsonl", tmp_path / "none.gdx", on_error="skip")
    arguments = (tmp_path / "none.gdx", data / "problems.jsonl", "-o", tmp_path / "out")
    record = command("contamination", *arguments, "--normalize", "all", "--json").json
    assert record["checked"][0]["dirty_by_any"] == 0


def test_the_page_is_whole_and_escapes_everything(
    command: Command, data: Path, tmp_path: Path
) -> None:
    check(command, data, tmp_path, "--normalize", "all")
    page = (tmp_path / "report.html").read_text()
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "default-src 'none'" in page
    assert page.count("<script") == page.count("</script>") == 2
    assert "<img" not in page
    source = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert source is not None
    shown = json.loads(source[1])
    assert shown["examples"][0]["question"][0].startswith(ATTACK)
    assert len(shown["examples"]) == 12
    assert "{{" not in page.replace(source[0], "")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_the_page_in_a_browser(command: Command, data: Path, tmp_path: Path) -> None:
    check(command, data, tmp_path, "--normalize", "all")
    page = tmp_path / "report.html"
    steps = {
        "first": "",
        "by name": click("th[data-key=name] button"),
        "backwards": click("th[data-key=name] button"),
        "found": set_value("search", invented(7, 1).upper()),
        "none": set_value("search", "nowhere"),
        "answers": set_value("search", "") + set_value("part", "answer"),
        "dirty answers": set_value("verdict", "dirty"),
        "clean windows": set_value("definition", "windows") + set_value("verdict", "clean"),
        "opened": set_value("verdict", "dirty") + click(".open"),
    }
    seen, dom = browse(page, steps)
    everything = [str(n) for n in range(12)]
    assert seen["first"][:2] == ["1", "0"]
    assert sorted(seen["first"], key=int) == seen["by name"] == everything
    assert seen["backwards"] == everything[::-1]
    assert (seen["found"], seen["none"]) == (["7"], [])
    assert len(seen["answers"]) == 12
    assert seen["dirty answers"] == seen["opened"] == ["1"]
    assert len(seen["clean windows"]) == 11
    assert "<title>problems in corpus</title>" in dom
    assert "1 of 12 examples" in dom
    assert 'class="detail"' in dom
    marked = [unescape(text) for text in re.findall(r"<mark[^>]*>(.*?)</mark>", dom, re.DOTALL)]
    assert invented(101, 20) in marked
    assert "in document 4 of the corpus" in dom
    assert "&lt;svg onload" in dom


def click(selector: str) -> str:
    return f"document.querySelector('{selector}').click();"


def set_value(control: str, value: str) -> str:
    return (
        f"document.getElementById('{control}').value='{value}';"
        f"document.getElementById('{control}').dispatchEvent(new Event('input'));"
    )


def browse(page: Path, steps: dict[str, str]) -> tuple[dict[str, list[str]], str]:
    """The examples that are listed after each step, in order, and the document after the last."""
    names = "[...document.querySelectorAll('.open')].map((open) => open.textContent)"
    script = "const seen = {};"
    for name, step in steps.items():
        script += f"{step} seen['{name}'] = {names};"
    script += "document.body.dataset.seen = JSON.stringify(seen);"
    text = page.read_text()
    end = text.rindex("</script>")
    copy = page.with_name("browsed.html")
    copy.write_text(text[:end] + script + text[end:])
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    done = subprocess.run(
        [str(BROWSER), *flags, profile, "--dump-dom", copy.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "<main>" not in done.stdout:
        pytest.skip(f"this browser does not run here: {done.stderr[-200:]}")
    seen = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert seen is not None
    return json.loads(unescape(seen[1])), done.stdout
