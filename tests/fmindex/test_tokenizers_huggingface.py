"""Tokenizers given by a tokenizer.json."""

import json
import pickle
import random
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers import (
    HuggingFaceTokenizer,
    byte_order_ranks,
    load_tokenizer,
    restore_tokenizer,
    roundtrips,
)
from gramdex.fmindex.tokenizers.huggingface_file import byte_of_character, read_decoder

tokenizers = pytest.importorskip("tokenizers")
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers  # noqa: E402

CORPUS = ["the suffix array of the corpus", "naïve données, 数据 索引", "index the index"] * 3
SPECIAL = ["<unk>", "<s>", "<|endoftext|>"]
TEXTS = ["", "the suffix array", " the", "  the  index ", "数据 naïve 🙂", "<|endoftext|>the<s>"]
MIXED_TEXT = st.text(st.sampled_from("thesufix ▁数é🙂<s>\n"), max_size=25) | st.text(max_size=20)


def byte_level(add_prefix_space=False):
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def metaspace(scheme="always"):
    """Metaspace with byte fallback: pieces, a decoder Sequence of both."""
    merges = [("▁", "t"), ("h", "e"), ("▁t", "he"), ("▁", "▁"), ("i", "n"), ("in", "d")]
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"theindsufx"]
    pieces += [a + b for a, b in merges]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = tokenizers.Tokenizer(
        models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(prepend_scheme=scheme)]
    )
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def llama():
    """The same pieces the way Llama writes them: a normalizer, Replace, Fuse and Strip."""
    tokenizer = metaspace()
    tokenizer.pre_tokenizer = None
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


def word_piece():
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=90, special_tokens=["[UNK]", "[SEP]"], show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def unigram():
    pieces = [("<unk>", 0.0), ("</s>", 0.0), ("▁", -2.0), ("▁the", -1.0)]
    pieces += [(character, -3.0) for character in "theindsufx数é</>"]
    tokenizer = tokenizers.Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<unk>", "</s>", "<extra>"])
    tokenizer.add_tokens(["<new>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer


MAKERS = {
    "byte_level": byte_level,
    "byte_level_prefix": lambda: byte_level(True),
    "metaspace": metaspace,
    "metaspace_never": lambda: metaspace("never"),
    "llama": llama,
    "word_piece": word_piece,
    "unigram": unigram,
}


@cache
def file(name):
    return MAKERS[name]().to_str().encode()


@cache
def make(name):
    return HuggingFaceTokenizer({"tokenizer.json": file(name)})


@pytest.fixture(params=sorted(MAKERS))
def name(request):
    return request.param


def changed(name, **parts):
    return HuggingFaceTokenizer(
        {"tokenizer.json": json.dumps(json.loads(file(name)) | parts).encode()}
    )


# ── encoding ─────────────────────────────────────────────────────────────────────────────


def test_encodes_as_the_library_and_batch_as_single(name):
    ours = make(name)
    theirs = tokenizers.Tokenizer.from_buffer(file(name))
    theirs.encode_special_tokens = True

    @settings(derandomize=True, max_examples=40, deadline=None)
    @given(st.lists(MIXED_TEXT, max_size=4))
    @example(TEXTS)
    def check(texts):
        ids, offsets = ours.encode_batch(texts)
        assert (ids.dtype, offsets.dtype) == (np.uint32, np.int64)
        for i, text in enumerate(texts):
            part = ids[offsets[i] : offsets[i + 1]]
            assert part.tolist() == theirs.encode(text, add_special_tokens=False).ids
            np.testing.assert_array_equal(ours.encode(text), part)

    check()


@pytest.mark.parametrize("name", ["byte_level", "metaspace", "llama", "word_piece", "unigram"])
def test_text_like_a_special_token_is_ordinary(name):
    tokenizer = make(name)
    special = {entry["id"] for entry in json.loads(file(name))["added_tokens"]}
    spelled = {"word_piece": "[SEP]", "unigram": "the</s>"}.get(name, "a<|endoftext|><s>")
    assert not (special - {0}) & set(tokenizer.encode(spelled).tolist())


def test_unigram_keeps_the_ids_of_its_added_tokens():
    tokenizer = make("unigram")
    table = tokenizer.token_bytes
    for content in (b"</s>", b"<extra>", b"<new>"):
        assert content in table.tolist()
    assert [table[i] for i in tokenizer.encode("the<new></s>").tolist()] == [
        *(b" the", b"<new>", b" ", b"<", b"/", b"s", b">")
    ]
    without_decoder = changed("unigram", decoder=None)
    assert without_decoder.decode([3, 1]) == "▁the </s>"


def test_truncation_padding_and_dropout_are_off():
    library = byte_level()
    library.enable_truncation(2)
    library.enable_padding(length=50)
    library.model.dropout = 0.9
    tokenizer = HuggingFaceTokenizer({"tokenizer.json": library.to_str().encode()})
    expected = make("byte_level").encode(TEXTS[1])
    for _ in range(5):
        np.testing.assert_array_equal(tokenizer.encode(TEXTS[1]), expected)


# ── decoding ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["byte_level", "metaspace_never", "llama"])
def test_byte_complete_tokenizers_round_trip(name):
    tokenizer = make(name)

    @settings(derandomize=True, max_examples=80, deadline=None)
    @given(st.lists(st.text(max_size=25), max_size=4))
    @example(TEXTS)
    def check(texts):
        # These decoders turn U+2581 into a space: such text cannot come back.
        texts = [text.replace("▁", "_") for text in texts]
        ids, offsets = tokenizer.encode_batch(texts)
        assert roundtrips(tokenizer, ids, offsets, texts).all()
        for i, text in enumerate(texts):
            assert tokenizer.decode(ids[offsets[i] : offsets[i + 1]]) == text

    assert tokenizer.lossless_bytes
    check()


@pytest.mark.parametrize("name", ["metaspace", "byte_level_prefix"])
def test_a_prefix_only_where_there_is_no_space_loses_leading_spaces(name):
    tokenizer = make(name)
    texts = ["the index", " the index", "\nthe", ""]
    ids, offsets = tokenizer.encode_batch(texts)
    assert tokenizer.strips_leading_space
    assert roundtrips(tokenizer, ids, offsets, texts).tolist() == [True, False, True, True]


def test_decodes_as_the_library(name):
    ours = make(name)
    theirs = tokenizers.Tokenizer.from_buffer(file(name))
    order = random.Random(3)
    for text in [*TEXTS, *CORPUS]:
        ids = ours.encode(text)
        expected = theirs.decode(ids.tolist(), skip_special_tokens=False)
        if name == "byte_level_prefix":
            expected = expected.removeprefix(" ")
        if not (name in ("metaspace", "unigram") and text.startswith(" ")):
            assert ours.decode(ids) == expected
    for _ in range(200):
        ids = [order.randrange(3, ours.vocabulary_size) for _ in range(6)]
        ours_text, theirs_text = ours.decode(ids), theirs.decode(ids, skip_special_tokens=False)
        if "\ufffd" not in theirs_text:
            assert ours_text.lstrip(" ") == theirs_text.lstrip(" ")


def test_word_piece_is_left_to_the_library():
    tokenizer = make("word_piece")
    texts = ["the suffix array", "The  suffix", "the index"]
    ids, offsets = tokenizer.encode_batch(texts)
    assert not tokenizer.lossless_bytes
    assert tokenizer.decode_bytes(ids[: offsets[1]]) == b"the suffix array"
    assert roundtrips(tokenizer, ids, offsets, texts).tolist() == [True, False, True]
    assert b"##" in b"".join(tokenizer.token_bytes.tolist())


def test_added_tokens_are_their_content_and_holes_are_empty():
    added = json.loads(file("byte_level"))["added_tokens"]
    extra = {**added[0], "id": 500, "content": "é<new>", "special": False}
    tokenizer = changed("byte_level", added_tokens=[*added, extra])
    table = tokenizer.token_bytes
    assert tokenizer.vocabulary_size == 501
    assert table[500] == "é<new>".encode()
    assert [table.has[499], table[499]] == [False, b""]
    assert byte_order_ranks(table)[0][499] == 0
    assert [table[i].decode() for i in range(3)] == SPECIAL


def test_byte_table_is_a_bijection_as_in_the_library():
    assert sorted(byte_of_character()) == sorted(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(byte_of_character().values()) == list(range(256))


UNDERSTOOD = [
    decoders.ByteLevel(),
    decoders.Metaspace(),
    decoders.Sequence([decoders.Replace("</w>", " "), decoders.Fuse()]),
    decoders.Sequence([decoders.Fuse(), decoders.Replace("▁", " ")]),
    decoders.Sequence([decoders.Sequence([decoders.ByteFallback()]), decoders.Metaspace()]),
]
NOT_UNDERSTOOD = [
    decoders.WordPiece(),
    decoders.BPEDecoder(),
    decoders.CTC(),
    decoders.Sequence([]),
    decoders.Strip(" ", 1, 0),
    decoders.Sequence([decoders.Fuse(), decoders.Strip(" ", 1, 1)]),
    decoders.Sequence([decoders.Fuse(), decoders.Strip(" ", 2, 0)]),
    decoders.Sequence([decoders.Fuse(), decoders.Strip("_", 1, 0)]),
    decoders.Sequence([decoders.Fuse(), decoders.Replace("</w>", " ")]),
    decoders.Sequence([decoders.Fuse(), decoders.ByteLevel()]),
    decoders.Sequence([decoders.Fuse(), decoders.Metaspace()]),
    decoders.Sequence([decoders.Fuse(), decoders.ByteFallback()]),
    decoders.Sequence([decoders.ByteLevel(), decoders.Replace("a", "b")]),
    decoders.Sequence([decoders.ByteFallback(), decoders.ByteLevel()]),
    decoders.Replace(tokenizers.Regex("a+"), "b"),
]


@pytest.mark.parametrize("decoder", UNDERSTOOD + NOT_UNDERSTOOD, ids=repr)
def test_which_decoders_are_understood(decoder):
    library = tokenizers.Tokenizer(models.BPE())
    library.decoder = decoder
    spec = json.loads(library.to_str())["decoder"]
    assert (read_decoder(spec) is not None) == (decoder in UNDERSTOOD)
    assert read_decoder(None) is None


# ── identity and errors ──────────────────────────────────────────────────────────────────


def test_load_restore_and_pickle(tmp_path, name):
    (tmp_path / "tokenizer.json").write_bytes(file(name))
    loaded = load_tokenizer(tmp_path)
    stored = (loaded.kind, loaded.options, loaded.files, loaded.vocabulary_size)
    others = [load_tokenizer(str(tmp_path / "tokenizer.json")), restore_tokenizer(*stored)]
    for other in [*others, pickle.loads(pickle.dumps(loaded))]:
        assert other.fingerprint == make(name).fingerprint
        np.testing.assert_array_equal(other.encode(TEXTS[1]), make(name).encode(TEXTS[1]))
    one_byte_more = HuggingFaceTokenizer({"tokenizer.json": file(name) + b"\n"})
    assert one_byte_more.fingerprint != loaded.fingerprint
    rank_of_id, id_of_rank = byte_order_ranks(loaded.token_bytes)
    tokens = [loaded.token_bytes[i] for i in id_of_rank[1:].tolist()]
    assert tokens == sorted(tokens)
    np.testing.assert_array_equal(id_of_rank[rank_of_id], np.arange(loaded.vocabulary_size))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"model": {"vocab": 3}}',
        b'{"model": {"vocab": {"a": "b"}}}',
        b'{"model": {"vocab": {"a": -1}}}',
        b'{"model": {"vocab": {"a": 99999999}}}',
        b'{"model": {"vocab": {"\\ud800": 0}}}',
        b'{"model": {"vocab": [["a"]]}}',
        b'{"model": {"vocab": {"a": 0}}, "decoder": {}}',
        b'{"model": {"vocab": {"a": 0}}, "added_tokens": [{}]}',
        b'{"model": {"vocab": {"a": 0}, "type": "Morse"}}',
        b"[" * 100_000,
    ],
)
def test_damaged_files_are_refused(tmp_path, data):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(data)
    with pytest.raises(TokenizerError, match=r"tokenizer\.json: "):
        load_tokenizer(path)


def test_an_index_opens_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    made = make("byte_level")
    restored = restore_tokenizer("huggingface", {}, made.files, made.vocabulary_size)
    assert restored.decode(made.encode("the array")) == "the array"
    with pytest.raises(TokenizerError, match=r"pip install gramdex\[huggingface\]"):
        restored.encode("a")
