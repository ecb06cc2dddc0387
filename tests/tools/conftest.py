"""Small indexes, and the command line to ask them with."""

from __future__ import annotations

from pathlib import Path

import pytest
from benching import RAW, write_tokens
from building import build_ids
from commanding import Command, write_jsonl

import gramdex
from gramdex.tools.bench.corpus import Corpus, Source, load_corpus

TEXTS = [
    "the cat sat on the mat",
    "the [bold]cat[/bold] sat\x1b[31m on \u202ethe hat\n",
    "a dog and the cat; naïve \N{GRINNING FACE} data",
    "the cat sat on the mat again and again and again",
]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Command(monkeypatch, capsys)


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index of bytes."""
    folder = tmp_path_factory.mktemp("texts")
    gramdex.build(write_jsonl(folder / "corpus.jsonl", TEXTS), folder / "index")
    return folder / "index"


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index of ids without a tokenizer."""
    documents = [[1, 2, 3, 1, 2], [1, 2, 4], [300, 7]]
    return build_ids(tmp_path_factory.mktemp("numbers"), documents, 1000)


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Index of the tokens of a tokenizer.json."""
    tokenizers = pytest.importorskip("tokenizers")
    from tokenizers import decoders, models, pre_tokenizers, trainers

    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, show_progress=False, min_frequency=1
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    folder = tmp_path_factory.mktemp("words")
    tokenizer.save(str(folder / "tokenizer.json"))
    corpus = write_jsonl(folder / "corpus.jsonl", TEXTS)
    gramdex.build(corpus, folder / "index", folder / "tokenizer.json")
    return folder / "index"


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of raw ids for benchmarks."""
    return write_tokens(tmp_path_factory.mktemp("data") / "tokens.u16")


@pytest.fixture
def corpus(tokens: Path) -> Corpus:
    """What is in it."""
    return load_corpus(Source([tokens], None, RAW), 10**6)
