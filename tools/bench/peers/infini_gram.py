"""The PyPI package infini-gram as a peer: builds of 8 and 16-bit tokens, and every query it has.

`gramdex.tools.bench.peers.infini_gram_index` lists how its answers differ in meaning; the
functions named ``same_*`` allow for that and for nothing else.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gramdex.errors import UsageError
from gramdex.fmindex.results import Distribution, InfgramProbability, MatchingStatistics
from gramdex.tools.bench.corpus import Corpus
from gramdex.tools.bench.peers import infini_gram_index as files
from gramdex.tools.bench.peers.interface import Asked, Builder, Engine, Opened, Same, Way
from gramdex.tools.bench.timing import Usage, warm_pages
from gramdex.tools.doctor import installed_version

if TYPE_CHECKING:
    from infini_gram.engine import InfiniGramEngine

BEST, SAMPLED, DELIVERED = "infini-gram", "… sampled", "… as delivered"

SAMPLED_SUPPORT = 1000
"""The peer's own ``max_support``: distributions of more occurrences are sampled."""

MOST_NEXT_TOKENS = 4000

_NO_PREFETCH = {"ds_prefetch_depth": 0, "sa_prefetch_depth": 0, "od_prefetch_depth": 0}


class InfiniGram(Engine):
    """The established engine for these queries."""

    name = BEST
    cannot: ClassVar[Mapping[str, str]] = {
        "sort": "it sorts only inside its build, parts that it merges on disk"
    }
    notes: ClassVar[Mapping[str, str]] = {
        "build": "infini-gram gets its token and offset files written before, and memory enough "
        "to sort in one round; it leaves syncing to the system. A passage of n tokens that "
        "stands in the corpus twice takes its merge about n²/2 comparisons, so one long copy can "
        "outweigh all the rest: measure with --max-document too."
    }
    cold_ways = (BEST, DELIVERED)

    def version(self) -> str:
        """Of the package."""
        return installed_version("infini-gram") or ""

    def missing(self) -> str:
        """Its engine runs on Linux only."""
        return "" if files.available() else "not installed (pip install infini-gram)"

    def refuses(self, work: str, corpus: Corpus) -> str:
        """32-bit tokens want 2^32 · 8 bytes."""
        wide = "it takes 2^32 · 8 bytes of memory for 32-bit tokens"
        return super().refuses(work, corpus) or (wide if corpus.width == 4 else "")

    def builder(self, corpus: Corpus, work: Path) -> Builder:
        """Of its sorting step."""
        return _InfiniGramBuilder(corpus, work / "infini-gram")

    def open(self, corpus: Corpus, folder: Path) -> Opened:
        """Twice: at its best, and as delivered."""
        warm_pages(folder)
        end_token = unused_id(corpus)
        best = files.open_engine(folder, corpus.width, end_token, **_NO_PREFETCH)
        delivered = files.open_engine(folder, corpus.width, end_token, max_support=SAMPLED_SUPPORT)
        same = Sameness(end_token, corpus.last_document, int(corpus.lengths.size))
        return OpenInfiniGram(best, delivered, same)

    def open_cold(self, folder: Path, width: int, way: str) -> Callable[[], Mapping[str, Asked]]:
        """Without prefetching, or as delivered, which is made for this."""
        import infini_gram.engine  # noqa: F401 - its code is loaded before the clock starts

        options = {"max_support": SAMPLED_SUPPORT} if way == DELIVERED else _NO_PREFETCH

        def opening() -> Mapping[str, Asked]:
            engine: Any = files.open_engine(folder, width, **options)
            return {
                "count": lambda ids: engine.count(ids)["count"],
                "infgram_ntd": lambda ids: engine.infgram_ntd(ids)["prompt_cnt"],
            }

        return opening


class _InfiniGramBuilder(Builder):
    def __init__(self, corpus: Corpus, folder: Path) -> None:
        self.folder, self.width = folder, corpus.width
        shutil.rmtree(folder, ignore_errors=True)
        files.write_tokens(corpus.ids, folder, corpus.width, corpus.lengths)
        # An eighth (a twelfth) of the memory granted is what it sorts in one round, its fastest.
        share = 12 if corpus.width == 1 else 8
        size = (corpus.ids.size + corpus.lengths.size) * corpus.width
        self.memory = max(1, -(-size * share // 2**30))

    def run(self, cache: Path | None = None) -> Usage:
        (self.folder / "table.0").unlink(missing_ok=True)
        return files.build(self.folder, self.width, memory_gib=self.memory)


@dataclass(frozen=True)
class Sameness:
    """Whether an answer of gramdex's and one of infini-gram's say the same.

    Attributes:
        end_token: the id it reports for a document's end; the corpus does not use it.
        last_document: of the corpus; tells where its distributions are known to be wrong.
        documents: of the corpus; each has a separator that its empty context counts.
    """

    end_token: int
    last_document: Sequence[int]
    documents: int

    def probability(self, query: tuple, ours: InfgramProbability, theirs: dict[str, Any]) -> bool:
        """∞-gram probability, with the suffix it backed off to."""
        separators = 0 if theirs["suffix_len"] else self.documents
        expected = theirs["suffix_len"], theirs["prompt_cnt"] - separators, theirs["cont_cnt"]
        return (ours.suffix_length, ours.context_count, ours.count) == expected

    def distribution(self, query: tuple, ours: Distribution, theirs: dict[str, Any]) -> bool:
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


def _same_matches(query: tuple, ours: MatchingStatistics, theirs: dict[str, Any]) -> bool:
    """Whether the longest match from each token on is the same; the peer names where it ends."""
    return (ours.lengths + np.arange(ours.lengths.size)).tolist() == theirs["rs"]


@dataclass(frozen=True)
class OpenInfiniGram(Opened):
    """infini-gram, opened twice.

    Attributes:
        engine: at its best on a warm page cache: without prefetching, which is a system call
            (madvise) for every page a search may come to, hundreds in a count. Exact unless a
            call says otherwise.
        delivered: with its own defaults: it prefetches, and samples large distributions.
        same: whether answers agree.
    """

    engine: InfiniGramEngine
    delivered: InfiniGramEngine
    same: Sameness

    def count(self, queries: Sequence[tuple]) -> list[Way]:
        """Occurrences."""
        return self._ways("count", lambda query, ours, theirs: same_count(ours, theirs))

    def count_batch(self, queries: Sequence[tuple]) -> list[Way]:
        """It has no batches: pattern by pattern."""
        count = self.engine.count
        lists = [(np.asarray(patterns).tolist(),) for (patterns,) in queries]
        return [
            Way(
                BEST,
                lambda patterns: [count(pattern) for pattern in patterns],
                lists,
                lambda query, ours, theirs: all(map(same_count, ours.tolist(), theirs)),
            )
        ]

    def infgram_prob(self, queries: Sequence[tuple]) -> list[Way]:
        """∞-gram probability."""
        return self._ways("infgram_prob", self.same.probability)

    def infgram_ntd(self, queries: Sequence[tuple]) -> list[Way]:
        """∞-gram distribution."""
        return self._sampling_ways("infgram_ntd", queries)

    def ntd(self, queries: Sequence[tuple]) -> list[Way]:
        """Distribution after a context."""
        return self._sampling_ways("ntd", queries)

    def match(self, queries: Sequence[tuple]) -> list[Way]:
        """Its creativity gives the lengths."""
        return self._ways("creativity", _same_matches)

    def documents(self, queries: Sequence[tuple]) -> list[Way]:
        """Its search_docs takes the number of tokens shown in all."""
        theirs = [(ids, most, 2 * around + len(ids)) for ids, most, around in queries]
        same: Same = lambda query, ours, found: bool(ours) == bool(found["cnt"])  # noqa: E731
        return self._ways("search_docs", same, theirs)

    def _ways(self, method: str, same: Same, queries: Sequence[tuple] | None = None) -> list[Way]:
        """At its best, and as delivered."""
        return [
            Way(BEST, getattr(self.engine, method), queries, same),
            Way(DELIVERED, getattr(self.delivered, method), queries, same),
        ]

    def _sampling_ways(self, method: str, queries: Sequence[tuple]) -> list[Way]:
        """Exact, with its default of sampling, and as delivered."""
        exact, delivered = getattr(self.engine, method), getattr(self.delivered, method)
        return [
            Way(BEST, exact, None, self.same.distribution, _few_next_tokens),
            Way(SAMPLED, exact, [(context, SAMPLED_SUPPORT) for (context,) in queries]),
            Way(DELIVERED, delivered),
        ]


def _few_next_tokens(answer: Distribution) -> bool:
    """Exact, it has up to two threads per next token at a time, and runs out of them."""
    return answer.tokens.size <= MOST_NEXT_TOKENS


def unused_id(corpus: Corpus) -> int:
    """Largest id below the separator that the corpus does not use."""
    used = np.unique(corpus.ids)
    candidate = files.default_end_token(corpus.width)
    for token in used[::-1].tolist():
        if token < candidate:
            break
        candidate -= 1
    if candidate < 0:
        raise UsageError(corpus.name, "every id is used", "one that is not", "pass --no-peer")
    return candidate
