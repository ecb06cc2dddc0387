"""Loading, restoring, ranks, token tables and the two tokenizers without a file."""

import builtins
import pickle
import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gramdex.errors import QueryError, TokenizerError
from gramdex.fmindex.tokenizers import (
    NO_ID,
    ByteTokenizer,
    NoTokenizer,
    TokenBytes,
    Tokenizer,
    byte_order_ranks,
    identity_ranks,
    load_tokenizer,
    restore_tokenizer,
    roundtrips,
)
from gramdex.fmindex.tokenizers import token_bytes as token_bytes_module

TOKEN_LISTS = st.lists(st.none() | st.binary(max_size=4), min_size=1, max_size=40)


class Words(Tokenizer):
    """Ids of a made-up tokenizer, to test what the base class does with odd token bytes."""

    kind = "words"
    tokens: tuple[bytes | None, ...] = (b" a", b"a", None, b"", b"\xc3", b"\xa9", b" ")
    strips = True

    @property
    def strips_leading_space(self):
        return self.strips

    def _read_table(self):
        return TokenBytes.from_tokens(self.tokens)

    def _encode_texts(self, texts):
        if "!" in "".join(texts):
            raise ValueError("no exclamation")
        return [[0] * len(text) for text in texts]


class Panic(BaseException):
    pass


Panic.__name__ = "PanicException"


# ── bytes ────────────────────────────────────────────────────────────────────────────────


@settings(derandomize=True, max_examples=200)
@given(st.lists(st.text(max_size=30), max_size=8))
def test_bytes_round_trip(texts):
    tokenizer = ByteTokenizer()
    ids, offsets = tokenizer.encode_batch(texts)
    assert (ids.dtype, offsets.dtype, len(offsets)) == (np.uint32, np.int64, len(texts) + 1)
    for i, text in enumerate(texts):
        part = ids[offsets[i] : offsets[i + 1]]
        assert part.tolist() == list(text.encode())
        np.testing.assert_array_equal(tokenizer.encode(text), part)
        assert tokenizer.decode_bytes(part) == text.encode()
        assert tokenizer.decode(part) == text
    assert roundtrips(tokenizer, ids, offsets, texts).all()


def test_bytes_vocabulary_fits_eight_bits_with_the_separator():
    tokenizer = load_tokenizer("bytes")
    rank_of_id, id_of_rank = byte_order_ranks(tokenizer.token_bytes)
    assert tokenizer.vocabulary_size == 255
    assert int(rank_of_id.max()) == 255
    np.testing.assert_array_equal(rank_of_id, np.arange(1, 256))
    np.testing.assert_array_equal(id_of_rank[1:], np.arange(255))


def test_cut_characters_decode_to_replacement():
    assert ByteTokenizer().decode(list("é".encode())[1:]) == "\ufffd"


# ── texts and ids that are refused ───────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800", b"a", None])
def test_texts_that_are_not_unicode_are_refused(text):
    with pytest.raises(TokenizerError, match=r"^text: "):
        ByteTokenizer().encode(text)
    with pytest.raises(TokenizerError, match=r"^text 1 of the batch: "):
        ByteTokenizer().encode_batch(["a", text])


def test_one_string_is_no_batch():
    with pytest.raises(TokenizerError, match="one string"):
        ByteTokenizer().encode_batch("abc")


@pytest.mark.parametrize("bad", [255, -1, 1 << 40])
def test_ids_outside_the_vocabulary_are_refused(bad):
    with pytest.raises(QueryError, match=rf"id {bad}; expected ids in \[0, 255\)"):
        ByteTokenizer().decode_bytes([1, bad])
    with pytest.raises(QueryError, match=f"id {bad}"):
        ByteTokenizer().decode([bad])
    with pytest.raises(QueryError):
        _ = ByteTokenizer().token_bytes[bad]


@pytest.mark.parametrize("bad", [[1.0], [[1]], 3, ["a"], [True], [1 << 70]])
def test_ids_that_are_no_flat_integers_are_refused(bad):
    with pytest.raises(QueryError, match="flat sequence of integers"):
        ByteTokenizer().decode_bytes(bad)


def test_a_text_the_library_cannot_encode_is_named():
    with pytest.raises(TokenizerError, match=r"text 2 of the batch, 3 characters: .*no exclam"):
        Words().encode_batch(["a", "b", "c!d", "e"])


def test_library_panics_become_errors_and_interrupts_do_not(monkeypatch):
    monkeypatch.setattr(Words, "_encode_texts", lambda *_: (_ for _ in ()).throw(Panic("stack")))
    with pytest.raises(TokenizerError, match="stack"):
        Words().encode("a")
    monkeypatch.setattr(Words, "_load_library", lambda *_: (_ for _ in ()).throw(Panic("stack")))
    with pytest.raises(TokenizerError, match="refuses the file"):
        Words().prepare()
    for name in ("KeyboardInterrupt", "MemoryError"):
        error = getattr(builtins, name)
        monkeypatch.setattr(Words, "_encode_texts", lambda *_, e=error: (_ for _ in ()).throw(e))
        with pytest.raises(error):
            Words().encode("a")


# ── token tables and decoding ────────────────────────────────────────────────────────────


@settings(derandomize=True, max_examples=100)
@given(TOKEN_LISTS, st.data())
def test_gather_concatenates(tokens, data):
    table = TokenBytes.from_tokens(tokens)
    ids = data.draw(st.lists(st.integers(0, len(tokens) - 1), max_size=30))
    assert table.gather(ids).tobytes() == b"".join(tokens[i] or b"" for i in ids)
    assert table.tolist() == [token or b"" for token in tokens]
    assert [table[i] for i in range(len(table))] == table.tolist()
    assert table.has.tolist() == [token is not None for token in tokens]


def test_gather_over_several_chunks(monkeypatch):
    monkeypatch.setattr(token_bytes_module, "_CHUNK", 4)
    table = TokenBytes.from_tokens([b"", b"a", b"bc", b"def"])
    ids = np.random.default_rng(5).integers(0, 4, 103)
    assert table.gather(ids).tobytes() == b"".join(table[i] for i in ids.tolist())
    assert table.gather([0] * 9).tobytes() == b""


def test_from_ids_leaves_holes_and_refuses_absurd_ids():
    table = TokenBytes.from_ids({3: b"x", 0: b""}, "file")
    assert table.has.tolist() == [True, False, False, True]
    assert repr(table) == "TokenBytes(4 ids, 2 tokens, 1 bytes)"
    for tokens in ({}, {-1: b"a"}, {1 << 24: b"a"}):
        with pytest.raises(TokenizerError, match=r"^file: "):
            TokenBytes.from_ids(tokens, "file")


@pytest.mark.parametrize(
    ("ids", "at_start", "expected"),
    [
        ([0, 0], True, b"a a"),
        ([0, 0], False, b" a a"),
        ([6, 6, 1], True, b" a"),
        ([1, 0], True, b"a a"),
        ([2, 3, 0], True, b"a"),
        ([], True, b""),
    ],
)
def test_the_dummy_prefix_is_stripped_only_at_a_start(ids, at_start, expected):
    assert Words().decode_bytes(ids, at_start=at_start) == expected
    assert Words().decode(ids, at_start=at_start) == expected.decode()


# ── ranks ────────────────────────────────────────────────────────────────────────────────


@settings(derandomize=True, max_examples=200)
@given(TOKEN_LISTS)
def test_ranks_are_in_byte_order_and_bijective(tokens):
    rank_of_id, id_of_rank = byte_order_ranks(TokenBytes.from_tokens(tokens))
    present = [i for i, token in enumerate(tokens) if token is not None]
    assert (rank_of_id.dtype, id_of_rank.dtype) == (np.uint32, np.uint32)
    assert len(rank_of_id) == len(tokens)
    assert id_of_rank[0] == NO_ID
    assert id_of_rank[1:].tolist() == sorted(present, key=lambda i: (tokens[i], i))
    assert rank_of_id[id_of_rank[1:]].tolist() == list(range(1, len(present) + 1))
    assert np.flatnonzero(rank_of_id).tolist() == present


def test_identity_ranks():
    rank_of_id, id_of_rank = identity_ranks(3)
    assert rank_of_id.tolist() == [1, 2, 3]
    assert id_of_rank.tolist() == [NO_ID, 0, 1, 2]


# ── round trips ──────────────────────────────────────────────────────────────────────────


@settings(derandomize=True, max_examples=200)
@given(
    st.lists(st.lists(st.integers(0, 6), max_size=4), max_size=6),
    st.data(),
    st.booleans(),
)
def test_roundtrips_judges_each_document(documents, data, strips):
    tokenizer = Words()
    tokenizer.strips = strips
    decoded = [tokenizer.decode_bytes(ids) for ids in documents]
    texts = [
        data.draw(st.sampled_from([d.decode("utf-8", "ignore"), "a", " a", ""])) for d in decoded
    ]
    ids = np.array(list(chain.from_iterable(documents)), np.uint32)
    offsets = np.cumsum([0, *map(len, documents)])
    expected = [d == t.encode() for d, t in zip(decoded, texts, strict=True)]
    assert roundtrips(tokenizer, ids, offsets, texts).tolist() == expected


def test_roundtrips_sees_text_that_moved_over_a_border():
    ids = ByteTokenizer().encode("abcd")
    assert roundtrips(ByteTokenizer(), ids, np.array([0, 1, 4]), ["ab", "cd"]).tolist() == [0, 0]


def test_roundtrips_wants_matching_offsets():
    with pytest.raises(TokenizerError, match="3 offsets for 1 texts"):
        roundtrips(ByteTokenizer(), np.zeros(2, np.uint32), np.array([0, 1, 2]), ["ab"])


# ── no tokenizer ─────────────────────────────────────────────────────────────────────────


def test_no_tokenizer_has_a_range_and_no_text():
    tokenizer = NoTokenizer(1000)
    assert (tokenizer.kind, tokenizer.vocabulary_size) == ("none", 1000)
    assert (tokenizer.token_bytes, tokenizer.files) == (None, {})
    assert tokenizer.fingerprint != NoTokenizer(1001).fingerprint
    tokenizer.prepare()
    for use in (tokenizer.decode, tokenizer.decode_bytes):
        with pytest.raises(TokenizerError, match="cannot decode ids"):
            use([1])
    for refused in (lambda: tokenizer.encode("a"), lambda: tokenizer.encode_batch(["a"])):
        with pytest.raises(TokenizerError, match="cannot encode text"):
            refused()
    with pytest.raises(TokenizerError, match="at least 1"):
        NoTokenizer(0)


# ── specs, restoring, identity ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("tokenizer", [ByteTokenizer(), NoTokenizer(77)])
def test_restore_and_pickle_give_the_same_tokenizer(tokenizer):
    stored = (tokenizer.kind, tokenizer.options, tokenizer.files, tokenizer.vocabulary_size)
    for other in (restore_tokenizer(*stored), pickle.loads(pickle.dumps(tokenizer))):
        assert type(other) is type(tokenizer)
        assert other.fingerprint == tokenizer.fingerprint
        assert other.vocabulary_size == tokenizer.vocabulary_size


def test_fingerprint_is_the_same_on_every_machine():
    assert ByteTokenizer().fingerprint == "040dddcc2af08bb03e96c084c902dad3"


def test_a_tokenizer_is_its_own_spec():
    tokenizer = ByteTokenizer()
    assert load_tokenizer(tokenizer) is tokenizer


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("gpt2", "'gpt2'; expected \"bytes\""),
        ("missing.json", "missing.json: No such file"),
        ("missing.tiktoken", "missing.tiktoken: No such file"),
        ("missing.model", "missing.model: No such file"),
        ("tiktoken:gpt2:missing", "missing: No such file"),
        ("tiktoken:gpt2", "expected"),
        (7, "a int"),
        (b"bytes", "a bytes"),
    ],
)
def test_unknown_specs_are_refused_with_the_known_forms(tmp_path, monkeypatch, spec, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TokenizerError) as caught:
        load_tokenizer(spec)
    assert message in str(caught.value)
    assert "tiktoken:NAME:PATH" in str(caught.value)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(TokenizerError, match=r"tokenizer\.json: No such file"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("morse", "kind 'morse'; expected one of bytes, hug"), ("tiktoken", r"a file ranks\.tik")],
)
def test_restore_refuses_unknown_kinds_and_missing_files(kind, message):
    with pytest.raises(TokenizerError, match=message):
        restore_tokenizer(kind, {}, {"other": b""}, 10)


def test_restored_file_of_another_size_is_refused():
    with pytest.raises(TokenizerError, match="255 ids; expected 254 ids"):
        _ = restore_tokenizer("bytes", {}, {}, 254).token_bytes


def test_importing_loads_no_tokenizer_library(tmp_path):
    code = (
        "import sys, gramdex.fmindex.tokenizers as t; t.load_tokenizer('bytes').encode('a');"
        "sys.exit(any(m in sys.modules for m in ('tokenizers', 'tiktoken', 'sentencepiece')))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert ran.returncode == 0
