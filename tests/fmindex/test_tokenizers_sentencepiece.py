"""Tokenizers given by a SentencePiece model."""

import io
import pickle
import sys
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers import (
    SentencePieceTokenizer,
    byte_order_ranks,
    load_tokenizer,
    restore_tokenizer,
    roundtrips,
)

sentencepiece = pytest.importorskip("sentencepiece")

CORPUS = ["the suffix array of the corpus", "naïve données, 数据 索引", "index a text of it"] * 20
TEXTS = ["", "the suffix array", " the", "  the  index ", "数据 naïve 🙂", "<s>the</s><sep>"]
MIXED_TEXT = st.text(st.sampled_from("thesufix 数é🙂</s>\n"), max_size=25)
MODELS = [f"{kind}-{bytes_}" for kind, bytes_ in product(["unigram", "bpe"], ["bytes", "unk"])]
PLAIN = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}


@cache
def file(name, **options):
    kind, fallback = name.split("-")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_writer=model,
        model_type=kind,
        byte_fallback=fallback == "bytes",
        vocab_size=320 if fallback == "bytes" else 60,
        hard_vocab_limit=False,
        user_defined_symbols=["<sep>"],
        num_threads=1,
        minloglevel=2,
        **options,
    )
    return model.getvalue()


@cache
def make(name, **options):
    return SentencePieceTokenizer({"tokenizer.model": file(name, **options)})


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


def test_encodes_and_decodes_as_the_library(name):
    ours = make(name)
    theirs = sentencepiece.SentencePieceProcessor(model_proto=file(name))

    @settings(derandomize=True, max_examples=60, deadline=None)
    @given(st.lists(MIXED_TEXT, max_size=4))
    @example(TEXTS)
    def check(texts):
        ids, offsets = ours.encode_batch(texts)
        assert (ids.dtype, offsets.dtype) == (np.uint32, np.int64)
        for i, text in enumerate(texts):
            part = ids[offsets[i] : offsets[i + 1]]
            assert part.tolist() == theirs.encode(text)
            np.testing.assert_array_equal(ours.encode(text), part)
            if theirs.unk_id() not in part:
                assert ours.decode(part) == theirs.decode(part.tolist())

    check()
    assert ours.vocabulary_size == theirs.get_piece_size()


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize("dummy", [True, False])
def test_byte_fallback_without_normalization_round_trips(kind, dummy):
    tokenizer = make(f"{kind}-bytes", add_dummy_prefix=dummy, **PLAIN)

    @settings(derandomize=True, max_examples=60, deadline=None)
    @given(st.lists(MIXED_TEXT | st.text(max_size=25), max_size=4))
    @example(TEXTS)
    def check(texts):
        texts = [text.replace("▁", "_") for text in texts]
        ids, offsets = tokenizer.encode_batch(texts)
        assert roundtrips(tokenizer, ids, offsets, texts).all()

    check()
    assert tokenizer.strips_leading_space is dummy


def test_roundtrips_finds_what_normalization_and_unknowns_lose():
    texts = ["the index", "the  index", "the ☃ index", "数据"]
    for name, expected in (("bpe-bytes", [1, 0, 1, 1]), ("bpe-unk", [1, 0, 0, 1])):
        ids, offsets = make(name).encode_batch(texts)
        assert roundtrips(make(name), ids, offsets, texts).tolist() == expected


def test_token_bytes_by_type_of_piece(name):
    tokenizer = make(name)
    library = sentencepiece.SentencePieceProcessor(model_proto=file(name))
    table = tokenizer.token_bytes
    assert table.has.all()
    for i in range(len(table)):
        piece = library.id_to_piece(i)
        if library.is_control(i) or library.is_unknown(i):
            assert table[i] == b""
        elif library.is_byte(i):
            assert table[i] == bytes([int(piece[1:-1], 16)])
        else:
            assert table[i] == piece.replace("▁", " ").encode()
    rank_of_id, id_of_rank = byte_order_ranks(table)
    tokens = [table[i] for i in id_of_rank[1:].tolist()]
    assert tokens == sorted(tokens)
    np.testing.assert_array_equal(id_of_rank[rank_of_id], np.arange(len(table)))


def test_text_like_a_control_piece_is_ordinary(name):
    library = sentencepiece.SentencePieceProcessor(model_proto=file(name))
    ids = make(name).encode("the<s> a</s>").tolist()
    assert not any(library.is_control(i) for i in ids)


def test_whitespace_as_suffix_strips_no_leading_space():
    tokenizer = make("bpe-bytes", treat_whitespace_as_suffix=True, **PLAIN)
    assert not tokenizer.strips_leading_space
    assert tokenizer.decode(tokenizer.encode(" the")) == " the "


def test_a_model_that_rewrites_its_output_is_left_to_the_library(tmp_path):
    rules = tmp_path / "denormalize.tsv"
    rules.write_text("78\t79\n", "utf-8")
    tokenizer = make("bpe-bytes", denormalization_rule_tsv=str(rules), **PLAIN)
    texts = ["the", "x"]
    ids, offsets = tokenizer.encode_batch(texts)
    assert not tokenizer.lossless_bytes
    assert roundtrips(tokenizer, ids, offsets, texts).tolist() == [True, False]


def test_load_restore_and_pickle(tmp_path, name):
    path = tmp_path / "any.model"
    path.write_bytes(file(name))
    loaded = load_tokenizer(path)
    stored = (loaded.kind, loaded.options, loaded.files, loaded.vocabulary_size)
    for other in (restore_tokenizer(*stored), pickle.loads(pickle.dumps(loaded))):
        assert other.fingerprint == make(name).fingerprint
        np.testing.assert_array_equal(other.encode(TEXTS[1]), make(name).encode(TEXTS[1]))
    altered = bytearray(file(name))
    altered[-1] ^= 1
    changed = SentencePieceTokenizer({"tokenizer.model": bytes(altered)})
    assert changed.fingerprint != loaded.fingerprint


BAD_BYTE_PIECE = b"\x0a\x09\x0a\x05<0xZZ\x18\x06"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"AA== 0\nAQ== 1\n",
        b"\x0a",
        b"\x0a\xff\xff",
        b"\x0a\x05ab",
        b"\x08\x01",
        b"\x0b\x01",
        b"\x80" * 12,
        b"\x0a\x03\x0a\x01\xff",
        b"\x0a\x02\x08\x01",
        BAD_BYTE_PIECE,
    ],
)
def test_files_that_are_no_models_are_refused(tmp_path, data):
    path = tmp_path / "bad.model"
    path.write_bytes(data)
    with pytest.raises(TokenizerError, match=r"bad\.model: "):
        load_tokenizer(path)


def test_every_cut_of_a_model_is_refused_or_shorter():
    whole = file("bpe-unk")
    size = make("bpe-unk").vocabulary_size
    for end in range(0, len(whole), 37):
        tokenizer = SentencePieceTokenizer({"tokenizer.model": whole[:end]}, {}, size)
        try:
            assert len(tokenizer.token_bytes) == size
        except TokenizerError:
            continue


def test_an_index_opens_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    made = make("unigram-bytes")
    restored = restore_tokenizer("sentencepiece", {}, made.files, made.vocabulary_size)
    assert restored.decode(made.encode("the array")) == "the array"
    with pytest.raises(TokenizerError, match=r"pip install gramdex\[sentencepiece\]"):
        restored.encode("a")
