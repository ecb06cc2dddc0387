"""Make the index of the current format version: python tests/golden/make.py

Run once for each released version of the format; indexes of older versions are never made again.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import gramdex
from gramdex.fmindex.engines import continuations
from gramdex.fmindex.format.manifest import VERSION

TEXTS = [
    "the cat sat on the mat",
    "the cat sat on the dog",
    "",
    "naïve café 東京 🙂",
    "a dog sat on the mat and the cat",
]


def train(folder: Path) -> Path:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXTS * 5, trainer)
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def main() -> None:
    home = Path(__file__).resolve().parent
    # Small enough that a few sentences have nodes of one token and of several.
    continuations.LIMITS = continuations.Limits(2, 3, 2, 1)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        source = Path("corpus.jsonl")  # relative, so that metadata hold no path of a machine
        records = ({"text": text, "n": i} for i, text in enumerate(TEXTS))
        source.write_text("".join(json.dumps(record) + "\n" for record in records))
        bpe = train(Path())
        for name, tokenizer, engine in (
            ("bytes", "bytes", "sa"),
            ("bpe", bpe, "sa"),
            ("fm-bytes", "bytes", "fm"),
            ("fm-bpe", bpe, "fm"),
        ):
            gramdex.build(
                source,
                home / f"v{VERSION}-{name}",
                tokenizer,
                engine=engine,
                sampling_rate=8,
                shard_tokens=60,
                on_empty="keep",
                workers=1,
            )


if __name__ == "__main__":
    sys.exit(main())
