"""Truncates the files of open indexes and asks everything; run as a program, which must not die.

``truncating.py FOLDER WORK [TAKEDOWN]`` goes through every file of an index at many sizes: each
answer is what it was before, or CorruptIndexError. ``--while-asked`` truncates while threads ask.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import gramdex
from gramdex.errors import CorruptIndexError
from gramdex.fmindex.format.mappings import guard_mappings

PAGE = 4096


def plain(answer: Any) -> Any:
    """An answer as what can be compared."""
    if isinstance(answer, np.ndarray):
        return answer.tolist()
    if isinstance(answer, (list, tuple)):
        return [plain(part) for part in answer]
    fields = getattr(answer, "__dataclass_fields__", None)
    if fields:
        return [plain(getattr(answer, name)) for name in fields]
    return answer


def questions(index: gramdex.Index, text: list[int]) -> list[Callable[[], Any]]:
    """Everything an index answers; ``text`` holds ids that occur and some that do not."""
    parts = [text[i : i + 3] for i in range(0, len(text) - 3, 3)]
    questions: list[Callable[[], Any]] = [
        lambda: [index.count(part) for part in parts],
        lambda: index.count_batch(parts * 20),
        lambda: index.ntd([]),
        lambda: [index.ntd(text[i : i + n]) for i in range(0, len(text), 7) for n in (1, 2, 3)],
        lambda: [index.prob(text[i : i + 1], text[i + 1]) for i in range(len(text) - 1)],
        lambda: [index.infgram_ntd(text[:i]) for i in range(1, len(text), 5)],
        lambda: [index.infgram_prob(text[:i], text[i]) for i in range(1, len(text), 5)],
        lambda: np.nan_to_num(index.infgram_scores(text).probs, nan=-1),
        lambda: index.match(text),
        lambda: index.cursor(text).ntd(),
        lambda: index.documents(text[:1], 50),
        lambda: index.documents(text[2:4], 5, context=4),
        lambda: [index.document(d) for d in range(0, index.document_count, 9) if d > 20],
        lambda: index.search([[text[:1]], [text[5:6]]], 20, window=9),
        lambda: index.search([[text[:1], text[3:4]], [text[5:7]]], 20, seed=1),
        lambda: index.attribute(text, min_length=2, max_documents=3),
    ]
    if index.takedown is None:
        found = index.find(text[:1])
        questions.append(lambda: [index.locate(interval) for interval in index.find(text[:1])])
        questions.append(lambda: index.document_at(0, int(index.locate(found[0])[0])))
    if index.tokenizer.kind != "none":
        strings = ["line", "e 1", " small corpus, abc", "nowhere at all"]
        questions.append(lambda: index.count_batch(strings))
        questions.append(lambda: [index.find(string) for string in strings])
        questions.append(lambda: index.documents("corpus", 3))
        questions.append(lambda: index.search("line AND (abc OR small) NEAR/9"))
        questions.append(lambda: index.contamination(["line 3 of the small corpus"]).judged)
    return questions


def text_of(index: gramdex.Index) -> list[int]:
    """Some of the first and last documents, and what is not there."""
    some = [index.document(number).ids.tolist() for number in (30, index.document_count - 1)]
    return [*some[0][:40], 5, 5, 5, *some[1][-20:]]


def ask(index: gramdex.Index, question: Callable[[], Any]) -> Any:
    """The answer, or None where a file is damaged."""
    try:
        with index.files.reading():
            return plain(question())
    except CorruptIndexError as error:
        if any(str(path) in str(error) for path in index.files.damaged()):
            return None
        raise


def sizes_of(size: int) -> list[int]:
    """Sizes to cut a file to: everywhere in its head and end, pages and parts of them."""
    pages = range(PAGE, size, max(PAGE, size // 6 // PAGE * PAGE))
    sizes = {0, 1, 63, PAGE - 1, *pages, *(page + 8 for page in pages)}
    sizes |= {page + 2000 for page in pages} | {size - 1, size - 64, size - 200, size // 2}
    return sorted(s for s in sizes if 0 <= s < size)


def truncate_everything(source: Path, work: Path, takedown: Path | None) -> None:
    whole = gramdex.open(source, takedown=takedown)
    text = text_of(whole)
    expected = [ask(whole, question) for question in questions(whole, text)]
    assert None not in expected
    refused = answered = 0
    for path in sorted(source.rglob("*.gdx")):
        if path.parent.name == "tokenizer":
            continue  # read when the index is opened
        for size in sizes_of(path.stat().st_size):
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(source, work)
            index = gramdex.open(work, threads=2, takedown=takedown)
            asked = questions(index, text)
            os.truncate(work / path.relative_to(source), size)
            with ThreadPoolExecutor(3) as pool:
                answers = list(pool.map(partial(ask, index), asked))
            for number, (answer, right) in enumerate(zip(answers, expected, strict=True)):
                assert answer in (None, right), f"question {number}, {path.name} cut to {size}"
            refused += answers.count(None)
            answered += len(answers) - answers.count(None)
            assert any(path.name == damaged.name for damaged in index.files.damaged()) or (
                not any(path.read_bytes()[size:])
            ), f"{path.name} cut to {size} is not known to be damaged"
    print(refused, answered)


def truncate_while_asked(source: Path, work: Path) -> None:
    """Threads ask without end while a file loses a page after the other."""
    whole = gramdex.open(source)
    text = text_of(whole)
    expected = [ask(whole, question) for question in questions(whole, text)]
    for path in sorted(source.glob("shard-*/*.gdx")):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(source, work)
        index = gramdex.open(work)
        asked = list(zip(questions(index, text), expected, strict=True))
        wrong: list[int] = []
        begun = threading.Barrier(4, timeout=60)

        def turn(
            index: gramdex.Index = index,
            asked: list = asked,
            wrong: list[int] = wrong,
            begun: threading.Barrier = begun,
        ) -> None:
            begun.wait()
            for number, (question, right) in enumerate(asked * 3):
                if ask(index, question) not in (None, right):
                    wrong.append(number)

        threads = [threading.Thread(target=turn) for _ in range(3)]
        for thread in threads:
            thread.start()
        begun.wait()
        for size in range(path.stat().st_size - 1, 0, -PAGE):
            os.truncate(work / path.relative_to(source), size)
        for thread in threads:
            thread.join()
        assert not wrong, f"questions {wrong} of {path.name}"
        assert index.files.damaged()


def main() -> None:
    assert guard_mappings()
    arguments = sys.argv[1:]
    if arguments[0] == "--while-asked":
        truncate_while_asked(*map(Path, arguments[1:]))
    else:
        source, work, *takedown = map(Path, arguments)
        truncate_everything(source, work, takedown[0] if takedown else None)


if __name__ == "__main__":
    main()
