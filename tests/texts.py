"""Tokenizers of every family, small ones, and indexes of documents cut by them or by hand."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import sentencepiece
from building import ENGINES, shard_budget, token_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import gramdex
from gramdex.indexer.readers import ReadOptions

TRAINING = [
    "the suffix array of the corpus",
    "naïve données, 数据 索引 🙂",
    "index  the\tindex",
] * 20

# The bytes of a are in three tokens, those of é in one and in two; # and ## have no bytes.
HAND_CUT = [
    *("a", "aa", "aaa", "ab", "b", "ba", "bab", " ", " a", "  ", " b", "é", "aé", "🙂", "数"),
    *("<0x61>", "<0xC3>", "<0xA9>", "<0xE6>", "<0x95>", "<0xB0>", "<0x00>", "<0xFF>", "a<0x61>"),
    *("#", "##", "a#"),
]


def hand_cut(folder: Path, strips: bool = False, pieces: Sequence[str] = HAND_CUT) -> Path:
    """A tokenizer.json of these pieces in which # stands for nothing; it can only decode."""
    steps = [decoders.Replace("#", ""), decoders.ByteFallback(), decoders.Fuse()]
    steps += [decoders.Strip(" ", 1, 0)] if strips else []
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, "a"))
    tokenizer.decoder = decoders.Sequence(steps)
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def build_cut(
    folder: Path,
    documents: Sequence[Sequence[int]],
    tokenizer: Path,
    shards: int = 1,
    engine: str = "sa",
) -> gramdex.Index:
    """Index of documents of ids of a tokenizer; "mixed" are two halves, opened in order."""
    parts = {engine: documents}
    if engine == "mixed":
        half = len(documents) // 2
        parts = {"fm, dense": documents[:half], "sa": documents[half:]}
    size, paths = gramdex.load_tokenizer(tokenizer, to_encode=False).vocabulary_size, []
    for name, part in parts.items():
        paths.append(folder / "index" if len(parts) == 1 else folder / f"index {name}")
        gramdex.build(
            token_file(folder, part, size),
            paths[-1],
            tokenizer,
            read=ReadOptions(separator_id=size),
            on_empty="keep",
            on_error="raise" if part else "skip",
            shard_tokens=shard_budget(part, shards),
            **ENGINES[name],
        )
    return gramdex.open(paths)


def build_text(folder: Path, texts: Sequence[str], tokenizer: Any, **options: Any) -> Path:
    """Index of texts."""
    folder.mkdir(exist_ok=True)
    source = folder / "in.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    gramdex.build(source, folder / "index", tokenizer, **({"on_empty": "keep"} | options))
    return folder / "index"


def byte_level(folder: Path) -> Path:
    """Byte-level BPE with a special token, as of GPT-2."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def tiktoken(folder: Path) -> str:
    """A rank file of bytes, pairs and words."""
    tokens = [bytes([byte]) for byte in range(256)]
    tokens += [b"th", b"in", b" t", b"the", b" the", b"ex", b"  ", "é".encode(), b"aa", b"aaaa"]
    lines = [base64.b64encode(token) + b" %d\n" % i for i, token in enumerate(tokens)]
    (folder / "ranks.tiktoken").write_bytes(b"".join(lines))
    return f"tiktoken:cl100k_base:{folder / 'ranks.tiktoken'}"


@cache
def _sentencepiece(kind: str, fallback: bool) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING),
        model_writer=model,
        model_type=kind,
        byte_fallback=fallback,
        vocab_size=320 if fallback else 60,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
    )
    return model.getvalue()


def sentence_piece(folder: Path, kind: str, fallback: bool) -> Path:
    """A model that puts a space before documents; without fallback, with unknown pieces."""
    path = folder / "tokenizer.model"
    path.write_bytes(_sentencepiece(kind, fallback))
    return path


FAMILIES: dict[str, Any] = {
    "bytes": lambda folder: "bytes",
    "byte-level": byte_level,
    "tiktoken": tiktoken,
    "bpe with bytes": lambda folder: sentence_piece(folder, "bpe", True),
    "bpe with unknown": lambda folder: sentence_piece(folder, "bpe", False),
    "unigram with bytes": lambda folder: sentence_piece(folder, "unigram", True),
    "unigram with unknown": lambda folder: sentence_piece(folder, "unigram", False),
}
