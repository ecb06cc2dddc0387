"""Damaged and forged files of the FM-index: refused, or answered with errors and wrong numbers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from building import build_ids
from forging import forge

import gramdex
from gramdex.errors import CorruptIndexError, GramdexError, IndexFileError
from gramdex.fmindex.format import sections
from gramdex.kernels.fm import units

FILE = "successors.gdx"
Arrays = dict[str, np.ndarray]
SECTIONS = [
    "sampling_rate", "alphabet", "starts", "code_lengths", "stream", "groups", "directory",
    "sample_counts", "permutation", "shortcut_marks", "shortcut_counts", "shortcuts",
]  # fmt: skip
VOCABULARIES = {"every token": 200, "tokens listed": 200_000}


def documents() -> list[list[int]]:
    generator = np.random.default_rng(21)
    fresh = [generator.integers(0, 30, 60).tolist() for _ in range(40)]
    return [*fresh, *(document[7:50] for document in fresh[::3]), [3] * 700]


@pytest.fixture(scope="module", params=VOCABULARIES)
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One shard of more than a group of chunks' samples; cycles of samples have shortcuts."""
    folder = tmp_path_factory.mktemp("original")
    size = VOCABULARIES[request.param]
    return build_ids(folder, documents(), size, engine="fm", sampling_rate=8)


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "index")
    return tmp_path / "index"


def arrays_of(index: Path) -> dict[str, sections.Section]:
    return sections.SectionFile(index / "shard-00000" / FILE, "successors").sections


def ask_everything(index: gramdex.Index, seed: int) -> int:
    """Every query, on text that is there; how many answered without an error of the tree."""
    generator = np.random.default_rng(seed)
    everything = [document for document in documents() if document]
    document = everything[generator.integers(len(everything))]
    start = int(generator.integers(len(document)))
    text = [*document[start : start + 12], 199, *document[:9]]
    answered = 0
    questions: list[Callable[[], object]] = [
        lambda: index.count(text[:2]),
        lambda: index.count_batch([text[i : i + 3] for i in range(len(text))] * 5),
        lambda: index.ntd([]),
        lambda: index.ntd(document[:1]),
        lambda: index.ntd(document[:2]),
        lambda: index.ntd([3, 3, 3]),
        lambda: index.prob(text[:1], text[1]),
        lambda: index.infgram_ntd(text),
        lambda: index.cursor(text[3:5]).continuations(40),
        lambda: index.cursor(text[3:4]).continuations(),
        lambda: index.cursor().continuations(),
        lambda: index.infgram_prob(text[:2], 1),
        lambda: index.infgram_scores(text),
        lambda: index.match(text),
        lambda: index.documents(document[:1], max_documents=50),
        lambda: index.document(int(generator.integers(index.document_count))),
        lambda: [index.locate(interval) for interval in index.find(document[:1])],
        lambda: index.locate(gramdex.fmindex.results.Interval(0, 0, index.shards[0].size)),
        lambda: index.cursor(text).ntd(),
        lambda: index.cursor(text[:5]).prob(3),
    ]
    for question in questions:
        try:
            question()
            answered += 1
        except GramdexError:
            continue
    return answered


def test_the_original_answers(original: Path) -> None:
    index = gramdex.open(original)
    assert set(arrays_of(original)) == set(SECTIONS)
    assert arrays_of(original)["shortcuts"].count > 1
    assert (arrays_of(original)["alphabet"].count > 0) == (index.vocabulary_size == 200_000)
    assert ask_everything(index, 0) == 20


# --- truncated ------------------------------------------------------------------------------


def test_every_truncation_is_refused(original: Path, copy: Path) -> None:
    content = (original / "shard-00000" / FILE).read_bytes()
    path = copy / "shard-00000" / FILE
    sizes = {0, 1, 63, 64, 4095, 4096, 4097, len(content) // 2, len(content) - 64, len(content) - 1}
    sizes |= {section.offset for section in arrays_of(original).values()}
    for size in sorted(sizes):
        path.write_bytes(content[:size])
        with pytest.raises(IndexFileError, match=FILE):
            gramdex.open(copy)
    path.write_bytes(content + b"\0")
    with pytest.raises(IndexFileError, match=FILE):
        gramdex.open(copy)
    path.unlink()
    with pytest.raises(IndexFileError, match=FILE):
        gramdex.open(copy)


def test_a_flip_of_the_header_page_is_refused(original: Path, copy: Path) -> None:
    path = copy / "shard-00000" / FILE
    content = path.read_bytes()
    for place in [*range(64), *range(64, 64 * (len(SECTIONS) + 1), 7), 4095]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(IndexFileError):
            gramdex.open(copy)


# --- damaged after opening ------------------------------------------------------------------


def some_bytes(generator: np.random.Generator, content: bytes, trial: int) -> bytes:
    """Zeros, ones, noise, or a few bytes changed, more at every trial."""
    if trial < 2 or not content:
        return bytes([255 * (trial % 2)]) * len(content)
    damaged = np.frombuffer(content, np.uint8).copy()
    if trial == 2:
        return generator.bytes(damaged.size)
    places = generator.integers(0, damaged.size, 1 << (trial - 3))
    damaged[places] = generator.integers(0, 256, places.size)
    return damaged.tobytes()


@pytest.mark.parametrize("name", SECTIONS)
def test_damage_under_an_open_index_never_crashes(copy: Path, name: str) -> None:
    """The file is overwritten where it is mapped: what opening checked is not so any more."""
    path, section = copy / "shard-00000" / FILE, arrays_of(copy)[name]
    content = path.read_bytes()[section.offset : section.offset + section.size]
    generator = np.random.default_rng(22)
    for trial in range(12):
        index = gramdex.open(copy)
        with path.open("r+b") as file:
            file.seek(section.offset)
            file.write(some_bytes(generator, content, trial))
        ask_everything(index, trial)
        with path.open("r+b") as file:
            file.seek(section.offset)
            file.write(content)
    assert ask_everything(gramdex.open(copy), 1) == 20


# --- forged ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SECTIONS)
def test_damage_with_right_checksums_never_crashes(
    original: Path, tmp_path: Path, name: str
) -> None:
    generator = np.random.default_rng(23)
    for trial in range(10):
        path = tmp_path / str(trial)
        shutil.copytree(original, path)

        def change(arrays: Arrays, trial: int = trial) -> None:
            damaged = some_bytes(generator, arrays[name].tobytes(), trial)
            arrays[name] = np.frombuffer(damaged, arrays[name].dtype)

        forge(path, FILE, change)
        try:
            index = gramdex.open(path)
        except CorruptIndexError:
            continue
        ask_everything(index, trial)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_of_another_shape_is_refused(original: Path, tmp_path: Path, name: str) -> None:
    """Left out, of another dtype, and of another length."""
    dtype = arrays_of(original)[name].dtype
    other = np.uint16 if dtype.itemsize == 1 else np.uint8
    changes: dict[str, Callable[[Arrays], object]] = {
        "missing": lambda arrays: arrays.pop(name),
        "dtype": lambda arrays: arrays.update({name: arrays[name].astype(other)}),
        "empty": lambda arrays: arrays.update({name: arrays[name][:0]}),
        "shorter": lambda arrays: arrays.update({name: arrays[name][:-1]}),
        "longer": lambda arrays: arrays.update({name: np.append(arrays[name], arrays[name][-1:])}),
        "too long": lambda arrays: arrays.update({name: np.ones(5000, dtype)}),
    }
    if name == "alphabet" and not arrays_of(original)[name].count:
        for same in ("empty", "shorter", "longer"):
            changes.pop(same)
    if name == "stream":  # of whatever length, but not too short for one chunk
        for allowed in ("shorter", "longer"):
            forged = tmp_path / allowed
            shutil.copytree(original, forged)
            forge(forged, FILE, changes.pop(allowed))
            ask_everything(gramdex.open(forged), 3)
        changes["too long"] = lambda a: a.update(stream=a["stream"][: units.MOST_CHUNK_BYTES])
    for what, change in changes.items():
        path = tmp_path / what.replace(" ", "-")
        shutil.copytree(original, path)
        forge(path, FILE, change)
        with pytest.raises(CorruptIndexError):
            gramdex.open(path)


def put(name: str, place: int, value: int) -> Callable[[Arrays], object]:
    def change(arrays: Arrays) -> None:
        arrays[name][place] = value

    return change


def swap(name: str, first: int, second: int) -> Callable[[Arrays], object]:
    def change(arrays: Arrays) -> None:
        arrays[name][[first, second]] = arrays[name][[second, first]]

    return change


def no_code(arrays: Arrays) -> None:
    lengths = arrays["code_lengths"]
    lengths[np.flatnonzero(lengths)[0]] += 1


def too_full(arrays: Arrays) -> None:
    lengths = arrays["code_lengths"]
    lengths[np.flatnonzero(lengths == 0)[0]] = 1


def too_long(arrays: Arrays) -> None:
    lengths = arrays["code_lengths"]
    lengths[np.argmax(lengths)] = units.CODE_BITS + 1


FORGED: dict[str, tuple[Callable[[Arrays], object], str]] = {
    "no rate": (put("sampling_rate", 0, 0), r"sampling rates \[0\]"),
    "rate of 3": (put("sampling_rate", 0, 3), "sections of lengths"),
    "rate of 16": (put("sampling_rate", 0, 16), "sections of lengths"),
    "rate of 2^31": (put("sampling_rate", 0, 1 << 31), r"sampling rates \[2147483648\]"),
    "codes too few": (no_code, "no code"),
    "codes too many": (too_full, "no code"),
    "codes too long": (too_long, "no code"),
    "lists in another order": (swap("starts", 2, 3), "not side by side"),
    "a list before the first": (put("starts", 0, 1), "not side by side"),
    "lists past the end": (put("starts", -1, 1 << 31), "not side by side"),
    "no separator": (put("starts", 1, 0), "no separator"),
    "more shortcuts": (put("shortcut_counts", -1, 1 << 31), "sections of lengths"),
}
LISTED: dict[str, tuple[Callable[[Arrays], object], str]] = {
    "tokens in another order": (swap("alphabet", 2, 3), "not side by side"),
    "a token twice": (put("alphabet", 1, 0), "not side by side"),
    "a token past the last": (put("alphabet", -1, 300_000), "tokens up to 300000"),
    "no separator among the tokens": (lambda arrays: arrays["alphabet"].__iadd__(1), "tokens up"),
}


@pytest.mark.parametrize("name", [*FORGED, *LISTED])
def test_forged_tables_are_refused_on_open(copy: Path, name: str) -> None:
    if name in LISTED and not arrays_of(copy)["alphabet"].count:
        pytest.skip("all tokens have a list")
    change, said = (FORGED | LISTED)[name]
    forge(copy, FILE, change)
    with pytest.raises(CorruptIndexError, match=said):
        gramdex.open(copy)
