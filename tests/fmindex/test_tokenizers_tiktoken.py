"""Tokenizers given by a tiktoken rank file."""

import base64
import os
import pickle
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gramdex.errors import TokenizerError
from gramdex.fmindex.tokenizers import (
    TiktokenTokenizer,
    byte_order_ranks,
    load_tokenizer,
    restore_tokenizer,
    roundtrips,
)
from gramdex.fmindex.tokenizers.tiktoken_encodings import ENCODINGS

tiktoken = pytest.importorskip("tiktoken")
openai_public = pytest.importorskip("tiktoken_ext.openai_public")

# Every pair of these is a token, so that a cut at another place shows in the ids.
ALPHABET = "aAéÉǅʰ '’slLtTrevm19٣½ \t\n\r/.,!\u0301\u00a0数🙂"
TOKENS = [
    *(bytes([value]) for value in range(256)),
    *(letter.encode()[:size] for letter in ALPHABET for size in range(2, 5)),
    b"Te",  # before "'T", which a contraction cuts off
    *((a + b).encode() for a in ALPHABET for b in ALPHABET),
    *(b" the", b"he", b"in", b" t", b"'ll", b"123", b"    "),
]
RANKS = {token: rank for rank, token in enumerate(dict.fromkeys(TOKENS))}
RANK_FILE = b"".join(base64.b64encode(t) + b" %d\n" % r for t, r in RANKS.items())
OPENAI = ["gpt2", "r50k_base", "p50k_base", "cl100k_base", "o200k_base"]
# Folder of published rank files, to compare with the real vocabularies where there are some.
RANK_FOLDER = os.environ.get("GRAMDEX_RANK_FILES", "")

TEXT = """The theinner  don't I'LL we'll 12345 ½ ²³ x²\t\ttab\r\n\r\n  \n   end  \x20
naïve CamelCaseHTTPServer ÉCOLE Ǆǅ عربى עברית हिन्दी 数据，索引。 🙂👩‍👩‍👧 <|endoftext|> <|im_start|>
\u2028\u00a0nbsp\u3000 a/b//c /// {}[]();=== --- \x00\x7f \u0301combining e\u0301 "quotes" 'tis
"""
CASE_TEXT = st.text(st.sampled_from(ALPHABET), max_size=40)


def make(encoding="cl100k_base", data=RANK_FILE, size=None):
    return TiktokenTokenizer({"ranks.tiktoken": data}, {"encoding": encoding}, size)


@pytest.fixture(scope="module", params=sorted(ENCODINGS))
def tokenizer(request):
    return make(request.param)


def reference(name, ranks):
    """tiktoken's own encoding, with its download replaced."""
    with pytest.MonkeyPatch.context() as patch:
        for loader in ("load_tiktoken_bpe", "data_gym_to_mergeable_bpe_ranks"):
            patch.setattr(openai_public, loader, lambda *_, **__: ranks)
        parts = getattr(openai_public, name)()
    parts.pop("explicit_n_vocab", None)
    return tiktoken.Encoding(**parts)


@pytest.mark.parametrize("name", OPENAI)
def test_encodes_as_tiktoken_itself(name):
    ours, theirs = make(name), reference(name, RANKS)

    @settings(derandomize=True, max_examples=150, deadline=None)
    @given(CASE_TEXT | st.text(max_size=40))
    @example(TEXT)
    @example("".join(map("".join, product(ALPHABET, repeat=3))))
    def check(text):
        assert ours.encode(text).tolist() == theirs.encode_ordinary(text)

    check()
    assert ours._published.special_tokens == theirs._special_tokens


def test_round_trips_any_text(tokenizer):
    @settings(derandomize=True, max_examples=60, deadline=None)
    @given(st.lists(CASE_TEXT | st.text(max_size=30), max_size=5))
    @example([TEXT, "", TEXT])
    def check(texts):
        ids, offsets = tokenizer.encode_batch(texts)
        assert (ids.dtype, offsets.dtype) == (np.uint32, np.int64)
        for i, text in enumerate(texts):
            part = ids[offsets[i] : offsets[i + 1]]
            np.testing.assert_array_equal(tokenizer.encode(text), part)
            assert tokenizer.decode(part) == text
        assert roundtrips(tokenizer, ids, offsets, texts).all()

    check()


def test_special_tokens_have_bytes_but_no_text_encodes_to_them(tokenizer):
    table = tokenizer.token_bytes
    for name, token_id in tokenizer._published.special_tokens.items():
        assert table[token_id] == name.encode()
        assert token_id not in tokenizer.encode(f"a{name}b")
    assert tokenizer.vocabulary_size == max(tokenizer._published.special_tokens.values()) + 1
    assert table.has.sum() == len(RANKS) + len(tokenizer._published.special_tokens)


def test_qwen_special_tokens_follow_their_ranks():
    assert ENCODINGS["qwen"].special_tokens["<|extra_204|>"] == 151850
    assert ENCODINGS["qwen3_5"].special_tokens["<|vision_end|>"] == 248054
    assert max(ENCODINGS["qwen3_5"].special_tokens.values()) == 248076


def test_digits_and_marks_are_cut_as_published():
    mark = "\u0301".encode()
    assert make("qwen").encode("19").tolist() == [RANKS[b"1"], RANKS[b"9"]]
    assert make("cl100k_base").encode("19").tolist() == [RANKS[b"19"]]
    assert make("qwen").encode("a\u0301").tolist() == [RANKS[b"a"], RANKS[mark]]
    assert make("qwen3_5").encode("a\u0301").tolist() == [RANKS[b"a" + mark]]


def test_load_implies_the_encoding_from_the_file_name(tmp_path):
    path = tmp_path / "cl100k_base.tiktoken"
    path.write_bytes(RANK_FILE)
    named = load_tokenizer(f"tiktoken:cl100k_base:{path}")
    for spec in (path, str(path)):
        tokenizer = load_tokenizer(spec)
        assert tokenizer.options == {"encoding": "cl100k_base"}
        assert tokenizer.fingerprint == named.fingerprint == make().fingerprint
    other = load_tokenizer(f"tiktoken:qwen:{path}")
    assert other.fingerprint != named.fingerprint
    assert make(data=RANK_FILE.replace(b" 260\n", b" 9999\n")).fingerprint != named.fingerprint


def test_restore_and_pickle(tokenizer):
    stored = (tokenizer.kind, tokenizer.options, tokenizer.files, tokenizer.vocabulary_size)
    expected = tokenizer.encode(TEXT)
    for other in (restore_tokenizer(*stored), pickle.loads(pickle.dumps(tokenizer))):
        assert other.fingerprint == tokenizer.fingerprint
        np.testing.assert_array_equal(other.encode(TEXT), expected)


def test_an_index_opens_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    restored = restore_tokenizer("tiktoken", {"encoding": "gpt2"}, make().files, 50257)
    assert restored.decode([RANKS[b" the"], RANKS[b"in"]]) == " thein"
    with pytest.raises(TokenizerError, match=r"pip install gramdex\[tiktoken\]"):
        restored.encode("a")


def test_unknown_encodings_list_the_known_ones(tmp_path):
    path = tmp_path / "mine.tiktoken"
    path.write_bytes(RANK_FILE)
    with pytest.raises(TokenizerError, match="unknown encoding 'mine'; expected one of gpt2, r50k"):
        load_tokenizer(path)


@pytest.mark.parametrize(
    "line",
    [
        b"AA",
        b"A? 3",
        b"AA== x",
        b"AA== -1",
        b"AA== 9999",
        b"AA== 0",
        b"QUJD 5",
        b"QQ== 1 2",
        b"= 9999",
    ],
)
def test_malformed_lines_are_named(tmp_path, line):
    path = tmp_path / "gpt2.tiktoken"
    lines = RANK_FILE.split(b"\n")
    path.write_bytes(b"\n".join([*lines[:100], b"", line, *lines[100:]]))
    with pytest.raises(TokenizerError, match=r"gpt2\.tiktoken:102: "):
        load_tokenizer(path)


def test_incomplete_and_foreign_rank_files_are_refused():
    with pytest.raises(TokenizerError, match="no token for byte 0x00"):
        make(data=RANK_FILE.split(b"\n", 1)[1]).prepare()
    taken = RANK_FILE + base64.b64encode(b"zz") + b" 50256\n"
    with pytest.raises(TokenizerError, match=r"a rank 50256, which gpt2 has for <\|endoftext"):
        make("gpt2", taken).prepare()


@pytest.mark.parametrize("name", [n for n in OPENAI if n != "gpt2"])
def test_real_vocabularies(name):
    path = Path(RANK_FOLDER) / f"{name}.tiktoken"
    if not RANK_FOLDER or not path.exists():
        pytest.skip("no rank files: set GRAMDEX_RANK_FILES")
    ours = load_tokenizer(path)
    theirs = reference(name, ours._ranks)
    source = Path(__file__).read_text("utf-8")
    texts = [TEXT, source, *source.splitlines(keepends=True), TEXT.swapcase()]
    ids, offsets = ours.encode_batch(texts)
    for i, text in enumerate(texts):
        part = ids[offsets[i] : offsets[i + 1]]
        assert part.tolist() == theirs.encode_ordinary(text)
        assert ours.decode_bytes(part) == theirs.decode_bytes(part.tolist())
    assert roundtrips(ours, ids, offsets, texts).all()
    assert ours.vocabulary_size == theirs.n_vocab
    rank_of_id, id_of_rank = byte_order_ranks(ours.token_bytes)
    in_order = [ours.token_bytes[i] for i in id_of_rank[1:].tolist()]
    assert in_order == sorted(in_order)
    assert len(id_of_rank) == 1 + int((rank_of_id > 0).sum())
