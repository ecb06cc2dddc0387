"""Corpora on which indexes go wrong, patterns to ask of them, and hypothesis strategies."""

from __future__ import annotations

import random
from functools import cache
from typing import NamedTuple

from hypothesis import strategies as st


class Corpus(NamedTuple):
    """``vocabulary_size`` is above every id; ids the documents do not use may lie below it."""

    name: str
    documents: list[list[int]]
    vocabulary_size: int

    @property
    def token_count(self) -> int:
        return sum(len(document) for document in self.documents)


# --- words of known structure ---------------------------------------------------------------


def de_bruijn(symbols: int, order: int) -> list[int]:
    """The cyclic word with every string of ``order`` symbols once, by Lyndon words (FKM)."""
    word: list[int] = []
    lyndon = [-1]
    while lyndon:
        lyndon[-1] += 1
        if order % len(lyndon) == 0:
            word += lyndon
        lyndon = [lyndon[i % len(lyndon)] for i in range(order)]
        while lyndon and lyndon[-1] == symbols - 1:
            lyndon.pop()
    return word


def fibonacci_word(length: int) -> list[int]:
    """0 → 01, 1 → 0: the fewest distinct substrings a word without a period can have."""
    shorter, longer = [0], [0, 1]
    while len(longer) < length:
        shorter, longer = longer, longer + shorter
    return longer[:length]


def thue_morse(length: int) -> list[int]:
    """Parity of the ones of i: no overlap, so no string stands three times in a row."""
    return [i.bit_count() % 2 for i in range(length)]


def periodic(period: list[int], length: int) -> list[int]:
    return [period[i % len(period)] for i in range(length)]


def random_word(rng: random.Random, length: int, alphabet: list[int]) -> list[int]:
    return [rng.choice(alphabet) for _ in range(length)]


# --- named corpora --------------------------------------------------------------------------


def _structured() -> list[Corpus]:
    return [
        Corpus("all_equal", [[3] * 97], 8),
        Corpus("all_equal_documents", [[0] * n for n in (1, 2, 3, 5, 8, 13, 2, 1)], 1),
        Corpus("vocabulary_of_one", [[0] * 40], 1),
        Corpus("de_bruijn_2_7", [de_bruijn(2, 7)], 2),
        Corpus("de_bruijn_4_3_cut", [de_bruijn(4, 3)[:31], de_bruijn(4, 3)[31:]], 5),
        Corpus("fibonacci", [fibonacci_word(233)], 2),
        Corpus("fibonacci_reversed", [fibonacci_word(144)[::-1], fibonacci_word(89)], 3),
        Corpus("thue_morse", [thue_morse(256)], 2),
        Corpus("periodic", [periodic([1, 2, 3], 100), periodic([2, 3, 1], 50)], 6),
        Corpus("nearly_periodic", [[*periodic([0, 1], 63), 2, *periodic([0, 1], 62)]], 4),
        Corpus("descending", [list(range(60, 0, -1))], 70),
        Corpus("ascending", [list(range(60))], 60),
    ]


def _documents() -> list[Corpus]:
    return [
        Corpus("empty_corpus", [], 10),
        Corpus("one_empty_document", [[]], 10),
        Corpus("only_empty_documents", [[], [], [], []], 10),
        Corpus("empty_documents_between", [[], [1, 2], [], [], [2, 1, 2], [], [1], [], []], 5),
        Corpus("one_token", [[4]], 5),
        Corpus("one_token_documents", [[1], [2], [1], [3], [1], [2], [1]], 6),
        Corpus("identical_documents", [[5, 6, 5, 7]] * 25, 9),
        Corpus("prefix_documents", [[1, 2, 3, 4, 5][:n] for n in (5, 3, 4, 1, 2, 5, 3)], 7),
        Corpus("suffix_documents", [[1, 2, 3, 4, 5][n:] for n in (0, 3, 1, 4, 2, 0)], 7),
        # The context (1, 2) stands at the end of the last document, of others, and within.
        Corpus("ends_everywhere", [[1, 2], [1, 2, 3], [1, 2, 1, 2], [3, 1, 2, 4], [1, 2]], 6),
        Corpus("border_lookalike", [[7, 8, 9], [1, 2, 3], [9, 1], [3, 9]], 10),
        Corpus("last_document_empty", [[1, 1, 2], [1, 1], []], 3),
    ]


def _random() -> list[Corpus]:
    rng = random.Random(20240611)
    small = [
        random_word(rng, rng.randrange(0, 40), list(range(symbols)))
        for symbols in (2, 2, 3, 3, 5, 5, 8, 8)
    ]
    skewed = [
        [min(int(rng.expovariate(0.35)), 29) for _ in range(rng.randrange(0, 60))]
        for _ in range(20)
    ]
    long_word = random_word(rng, 5000, list(range(1, 200)))
    changed = [*long_word[:2500], 0, *long_word[2501:]]
    return [
        Corpus("small_vocabularies", small, 8),
        Corpus("binary_documents", [random_word(rng, 17, [0, 1]) for _ in range(30)], 2),
        Corpus("skewed", skewed, 32),
        Corpus("long_repeat_in_two_documents", [long_word, changed], 200),
        Corpus("long_repeat_in_one_document", [long_word[:3000] + changed[:3000]], 200),
    ]


def _wide() -> list[Corpus]:
    rng = random.Random(20240612)
    corpora = []
    # One below, at and above each width's limit: the reserved id needs a place of its own.
    for size in (255, 256, 257, 65535, 65536, 65537, 2**20, 2**24):
        alphabet = [0, 1, size // 2, size - 2, size - 1]
        documents = [random_word(rng, length, alphabet) for length in (30, 1, 0, 45, 12)]
        corpora.append(Corpus(f"vocabulary_{size}", [*documents, [size - 1]], size))
    sparse = sorted(rng.sample(range(2**20), 40))
    documents = [random_word(rng, rng.randrange(0, 50), sparse) for _ in range(12)]
    corpora.append(Corpus("sparse_ids", documents, 2**20))
    # Ids whose order differs when their little-endian bytes are compared.
    swapped = [1, 255, 256, 257, 511, 512, 65280]
    documents = [random_word(rng, 40, swapped) for _ in range(4)]
    corpora.append(Corpus("byte_order", documents, 65535))
    return corpora


@cache
def named_corpora() -> tuple[Corpus, ...]:
    """Every named corpus, always the same; none is to be changed."""
    return (*_structured(), *_documents(), *_random(), *_wide())


def by_name(name: str) -> Corpus:
    return next(corpus for corpus in named_corpora() if corpus.name == name)


# --- patterns to ask for --------------------------------------------------------------------


def _substring(rng: random.Random, documents: list[list[int]]) -> list[int]:
    document = rng.choice(documents)
    start = rng.randrange(len(document))
    # Short and long in equal parts: half of them stop within eight tokens.
    longest = len(document) - start
    length = rng.randint(1, min(longest, 8)) if rng.random() < 0.5 else rng.randint(1, longest)
    return document[start : start + length]


def _across(rng: random.Random, documents: list[list[int]]) -> list[int]:
    number = rng.randrange(len(documents) - 1)
    left, right = documents[number], documents[number + 1]
    return left[-rng.randint(1, 4) :] + right[: rng.randint(1, 4)]


def query_patterns(corpus: Corpus, seed: int = 0, count: int = 12) -> list[list[int]]:
    """Patterns that tell right from wrong on ``corpus``; ``count`` of each random kind.

    Substrings; substrings with one token changed; whole documents, with a token more before
    or after; the end of one document followed by the start of the next; a pattern longer than
    any document; tokens that are absent, alone and within; and the empty pattern.
    Every id is below the corpus' vocabulary size.
    """
    rng = random.Random(f"{seed}:{corpus.name}")
    size = corpus.vocabulary_size
    filled = [document for document in corpus.documents if document]
    used = {token for document in filled for token in document}
    absent = sorted({0, size - 1, *(rng.randrange(size) for _ in range(8))} - used)
    patterns: list[list[int]] = [[], *([token] for token in sorted(used)[:20])]
    patterns += [[token] for token in absent[:4]]
    for _ in range(count if filled else 0):
        patterns.append(_substring(rng, filled))
        changed = list(_substring(rng, filled))
        changed[rng.randrange(len(changed))] = rng.choice([*sorted(used), *absent])
        patterns.append(changed)
        if len(filled) > 1:
            patterns.append(_across(rng, filled))
    for document in filled[:2] + filled[-2:]:
        token = rng.choice(document)
        patterns += [document, document[-3:], [*document, token], [token, *document]]
    if filled:
        patterns.append(max(filled, key=len) * 2 + filled[0])
        patterns += [[*filled[0][:2], token, *filled[-1][-2:]] for token in absent[:2]]
    else:
        patterns += [[0, 0], [0] * 20]
    return [list(pattern) for pattern in dict.fromkeys(map(tuple, patterns))]


# --- hypothesis -----------------------------------------------------------------------------


@st.composite
def corpora(draw: st.DrawFn, max_documents: int = 6, max_length: int = 24) -> tuple:
    """(Documents, vocabulary size): few symbols, repeated and cut documents, empty ones."""
    symbols = draw(st.integers(1, 5))
    spread = draw(st.sampled_from([1, 1, 1, 60, 300, 20_000, 250_000]))
    token = st.integers(0, symbols - 1).map(lambda number: number * spread)
    fresh = st.lists(token, max_size=max_length)
    documents: list[list[int]] = []
    for _ in range(draw(st.integers(0, max_documents))):
        if documents and draw(st.booleans()):
            source = draw(st.sampled_from(documents))
            start = draw(st.integers(0, len(source)))
            stop = draw(st.integers(start, len(source)))
            documents.append(source[start:stop] * draw(st.integers(1, 2)))
        else:
            documents.append(draw(fresh))
    return documents, (symbols - 1) * spread + 1 + draw(st.integers(0, 2))


def patterns(documents: list[list[int]], vocabulary_size: int) -> st.SearchStrategy[list[int]]:
    """Patterns for a drawn corpus: mostly strings that nearly occur in it."""
    used = sorted({token for document in documents for token in document})
    known = st.sampled_from(used) if used else st.nothing()
    token = known | st.integers(0, vocabulary_size - 1)
    # Documents in one string, borders forgotten: its substrings match and cross borders.
    joined = [token for document in documents for token in document]
    bounds = st.tuples(st.integers(0, len(joined)), st.integers(0, 12))
    substring = bounds.map(lambda bound: joined[bound[0] : bound[0] + bound[1]])
    spliced = st.tuples(substring, st.lists(token, max_size=1), substring).map(
        lambda parts: [token for part in parts for token in part]
    )
    return st.one_of(substring, spliced, st.lists(token, max_size=12))
