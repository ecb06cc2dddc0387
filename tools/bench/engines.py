"""Both engines over the same tokens, and whether they say the same.

`gramdex.tools.bench.infini_gram` lists how the peer's answers differ in meaning; the functions
named ``same_*`` allow for that and for nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import gramdex
from gramdex.errors import UsageError
from gramdex.fmindex.index import Index
from gramdex.fmindex.results import Distribution, InfgramProbability, MatchingStatistics
from gramdex.tools.bench import infini_gram, timing
from gramdex.tools.bench.corpus import Corpus

if TYPE_CHECKING:
    from infini_gram.engine import InfiniGramEngine

SAMPLED_SUPPORT = 1000
"""The peer's own ``max_support``: distributions of more occurrences are sampled."""

_NO_PREFETCH = {"ds_prefetch_depth": 0, "sa_prefetch_depth": 0, "od_prefetch_depth": 0}


@dataclass(frozen=True)
class Peer:
    """infini-gram, opened twice.

    Attributes:
        engine: at its best on a warm page cache: without prefetching, which is a system call
            (madvise) for every page a search may come to, hundreds in a count. Exact unless a
            call says otherwise.
        delivered: with its own defaults: it prefetches, and samples large distributions.
        end_token: the id it reports for a document's end; the corpus does not use it.
        last_document: of the corpus; tells where its distributions are known to be wrong.
        documents: of the corpus; each has a separator that its empty context counts.
    """

    engine: InfiniGramEngine
    delivered: InfiniGramEngine
    end_token: int
    last_document: Sequence[int]
    documents: int

    def same_probability(
        self, query: tuple, ours: InfgramProbability, theirs: dict[str, Any]
    ) -> bool:
        """∞-gram probability, with the suffix it backed off to."""
        separators = 0 if theirs["suffix_len"] else self.documents
        expected = theirs["suffix_len"], theirs["prompt_cnt"] - separators, theirs["cont_cnt"]
        return (ours.suffix_length, ours.context_count, ours.count) == expected

    def same_distribution(self, query: tuple, ours: Distribution, theirs: dict[str, Any]) -> bool:
        """Distribution after a context; the backed-off one where ``theirs`` names a suffix."""
        (context,) = query
        length = theirs.get("suffix_len", len(context))
        if getattr(ours, "suffix_length", length) != length or theirs["approx"]:
            return False
        suffix = list(context[len(context) - length :])
        counts = {token: of["cont_cnt"] for token, of in theirs["result_by_token_id"].items()}
        ends = counts.pop(self.end_token, 0)
        total = theirs["prompt_cnt"]
        if length == 0:
            total, ends = total - ends, 0
        elif self.last_document[len(self.last_document) - length :] == suffix:
            return ours.context_count == total  # where its distribution can be wrong
        found = dict(zip(ours.tokens.tolist(), ours.counts.tolist(), strict=True))
        return (ours.context_count, found, ours.end_count) == (total, counts, ends)


def same_count(ours: int, theirs: dict[str, Any]) -> bool:
    """Whether both count a pattern, not empty, alike."""
    return ours == theirs["count"]


def same_matches(query: tuple, ours: MatchingStatistics, theirs: dict[str, Any]) -> bool:
    """Whether the longest match from each token on is the same; the peer names where it ends."""
    return (ours.lengths + np.arange(ours.lengths.size)).tolist() == theirs["rs"]


def open_gramdex(corpus: Corpus, held_out: Corpus | None, work: Path, given: Path | None) -> Index:
    """Build an index of the corpus in ``work``, or open the one given.

    Raises:
        UsageError: the given index holds something else.
    """
    if given is None:
        given = work / "gramdex"
        sizes = [c.vocabulary_size for c in (corpus, held_out) if c is not None]
        raw = work / "tokens.raw"
        gramdex.build(
            raw,
            given,
            corpus.tokenizer,
            read=corpus.write_raw(raw),
            on_empty="keep",
            vocabulary_size=None if corpus.tokenizer is not None else max(sizes),
        )
        raw.unlink()
    index = gramdex.open(given)
    found = index.token_count, index.document_count
    expected = int(corpus.ids.size), int(corpus.lengths.size)
    same = found == expected and index.document(found[1] - 1).ids.tolist() == corpus.last_document
    if not same:
        raise UsageError(
            str(given),
            f"{found[0]:,} tokens in {found[1]:,} documents",
            f"the same {expected[0]:,} tokens in {expected[1]:,} documents",
            "leave --index out, or name the tokens that index was built from",
        )
    timing.warm_pages(given)
    return index


def open_peer(corpus: Corpus, work: Path) -> Peer:
    """Build infini-gram's index of the corpus below ``work`` and open it."""
    folder = work / "peer"
    shutil.rmtree(folder, ignore_errors=True)
    infini_gram.write_tokens(corpus.ids, folder, corpus.width, corpus.lengths)
    infini_gram.build(folder, corpus.width, memory_gib=peer_memory(corpus))
    timing.warm_pages(folder)
    end_token = unused_id(corpus)
    best = infini_gram.open_engine(folder, corpus.width, end_token, **_NO_PREFETCH)
    delivered = infini_gram.open_engine(
        folder, corpus.width, end_token, max_support=SAMPLED_SUPPORT
    )
    return Peer(best, delivered, end_token, corpus.last_document, int(corpus.lengths.size))


def peer_memory(corpus: Corpus) -> int:
    """GiB to grant the peer's build so that it sorts all tokens in one round, its fastest way."""
    share = 12 if corpus.width == 1 else 8
    size = (corpus.ids.size + corpus.lengths.size) * corpus.width
    return max(1, -(-size * share // 2**30))


def refuse_wide(corpus: Corpus) -> bool:
    """Whether the peer cannot build this corpus: 32-bit tokens want 2^32 · 8 bytes."""
    return corpus.width == 4


def unused_id(corpus: Corpus) -> int:
    """Largest id below the separator that the corpus does not use."""
    used = np.unique(corpus.ids)
    candidate = infini_gram.default_end_token(corpus.width)
    for token in used[::-1].tolist():
        if token < candidate:
            break
        candidate -= 1
    if candidate < 0:
        raise UsageError(corpus.name, "every id is used", "one that is not", "pass --no-peer")
    return candidate
