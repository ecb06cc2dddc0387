"""Where in a tokenized text a span may begin and end: at words, and not across sentences."""

from __future__ import annotations

import re

import numpy as np

from gramdex.errors import QueryError
from gramdex.fmindex.tokenizers import Tokenizer

_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Scripts whose words no space parts: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""

_INSIDE_WORD = re.compile(rf"(?<=[^\W{_UNSPACED}])(?=[^\W{_UNSPACED}])")
_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?=\s|$)|(?<=[。！？])|\n+")


def text_borders(
    tokenizer: Tokenizer, ids: np.ndarray, words: bool, sentences: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Borders between tokens, bool[n + 1] each, at which spans may be cut, and sentences end.

    Args:
        tokenizer: that made the ids.
        ids: int64[n].
        words: no span is cut where characters of a word stand on both sides, nor inside a
            character; else anywhere.
        sentences: a sentence ends with . ! ? before white space, with a new line, and at the first
            border after it; else nowhere.

    Raises:
        QueryError: a rule on an index without a tokenizer, or with one whose tokens have no bytes.
    """
    cut, ends = np.ones(ids.size + 1, bool), np.zeros(ids.size + 1, bool)
    if not (words or sentences):
        return cut, ends
    if tokenizer.kind == "none" or not tokenizer.lossless_bytes:
        raise QueryError(
            "words and sentences",
            f"an index of {tokenizer.kind} tokens, whose text is not known",
            "a tokenizer whose tokens have bytes",
            "ask without these rules",
        )
    places, characters, offsets, text = _places(tokenizer, ids)
    if words:
        inside = np.zeros(len(text) + 1, bool)
        inside[[match.start() for match in _INSIDE_WORD.finditer(text)]] = True
        cut = (characters >= 0) & ~inside[np.maximum(characters, 0)]
    if sentences:
        last = np.array([match.end() for match in _SENTENCE_END.finditer(text)], np.int64)
        ends[np.searchsorted(places, offsets[last])] = True
    return cut, ends


def _places(
    tokenizer: Tokenizer, ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Byte and character at each border, byte of each character and of the end, and the text.

    A border inside a character has character -1. Bytes that are no UTF-8 are one character each.
    """
    data = tokenizer.decode_bytes(ids)
    table = tokenizer.token_bytes
    assert table is not None  # there are bytes
    places = np.concatenate([[0], np.cumsum(table.lengths(ids))])
    places = np.maximum(places - (int(places[-1]) - len(data)), 0)  # a leading space it adds
    leads = (np.frombuffer(data + b" ", np.uint8) & 0xC0) != 0x80
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text, leads = data.decode("latin-1"), np.ones(len(data) + 1, bool)
    characters = np.where(leads, np.cumsum(leads) - 1, -1)
    return places, characters[places], np.flatnonzero(leads), text
