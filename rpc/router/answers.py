"""Every query of ``Index``, answered from members."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, overload

import numpy as np

from gramdex.decoding import DraftTree
from gramdex.errors import QueryError
from gramdex.fmindex.evidence import Attribution, SearchResult
from gramdex.fmindex.index import CONTEXT, DOCUMENTS
from gramdex.fmindex.part import Cnf, ShardSizes
from gramdex.fmindex.queries.attribution import KEEP, SourceOptions, SpanOptions, attribute
from gramdex.fmindex.queries.contamination.judging import contamination
from gramdex.fmindex.queries.contamination.results import Contamination
from gramdex.fmindex.queries.continuations import NODES
from gramdex.fmindex.queries.documents import no_such_document
from gramdex.fmindex.queries.patterns import Ids, Query, as_ids, as_interval, as_number
from gramdex.fmindex.queries.probabilities import infgram_probability
from gramdex.fmindex.queries.search import Shown
from gramdex.fmindex.results import (
    Distribution,
    Document,
    InfgramDistribution,
    InfgramProbability,
    InfgramScores,
    Interval,
    MatchingStatistics,
    Probability,
    TextMatches,
)
from gramdex.fmindex.takedown import refuse_ranks
from gramdex.fmindex.tokenized import Tokenized
from gramdex.rpc.router import merging
from gramdex.rpc.router.batches import RoutedBatches
from gramdex.rpc.router.drafting import draft
from gramdex.rpc.router.evidence import RoutedPlaces, renumbered, search
from gramdex.rpc.router.members import Asking, Member

T = TypeVar("T")
D = TypeVar("D", bound=Distribution)
P = ParamSpec("P")
A = TypeVar("A", bound="Answers")


def query(method: Callable[Concatenate[A, P], T]) -> Callable[Concatenate[A, P], T]:
    """One query: begun again as a whole where a member changes, or is lost and may be left out."""

    @wraps(method)
    def whole(self: A, *arguments: P.args, **options: P.kwargs) -> T:
        return self.begun(lambda view: method(view, *arguments, **options))

    return whole


class Answers(RoutedBatches, Tokenized, ABC):
    """Queries over members: arguments, results and errors are those of ``Index``.

    Methods that are a ``query`` get a ``View`` as self, and ask its members.

    Attributes:
        asking: of a view, the members that take part.
        part: of a view, where spans stand in these.
    """

    asking: Asking
    part: RoutedPlaces

    @property
    @abstractmethod
    def everyone(self) -> tuple[Member, ...]:
        """All members, those that cannot be reached included."""

    @abstractmethod
    def begun(self: A, query: Callable[[A], T]) -> T:
        """What a query answers over a view of the members."""

    @property
    def token_count(self) -> int:
        """Tokens of the corpus, separators not counted."""
        return sum(member.sizes.token_count for member in self.everyone)

    @property
    def document_count(self) -> int:
        """Documents of the corpus."""
        return sum(member.sizes.document_count for member in self.everyone)

    @property
    def vocabulary_size(self) -> int:
        """Ids are in [0, vocabulary_size)."""
        return self.everyone[0].sizes.vocabulary_size

    @property
    def shards(self) -> tuple[ShardSizes, ...]:
        """Sizes of the shards of all members, in order."""
        return tuple(shard for member in self.everyone for shard in member.sizes.shards)

    @property
    def takedown(self) -> tuple[str, ...] | None:
        """Names of the members with documents that are taken down; None for none."""
        return tuple(member.name for member in self.everyone if member.sizes.takedown) or None

    @query
    def count(self, query: Query) -> int:
        """As ``Index.count``."""
        return sum(self.asking.all(lambda index: index.count(query)))

    def count_batch(self, queries: Sequence[Query] | np.ndarray) -> np.ndarray:
        """As ``Index.count_batch``."""
        if not isinstance(queries, (str, np.ndarray)):
            queries = list(queries)  # an iterator can be read once, and a query begun again
            if not queries:
                return np.empty(0, np.int64)
        return self.begun(
            lambda view: np.sum(view.asking.all(lambda index: index.count_batch(queries)), axis=0)
        )

    @query
    def count_flat(self, ids: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """As ``Index.count_flat``."""
        if len(offsets) < 2:  # nothing to ask, and no answer to tell that members are the same
            return np.empty(0, np.int64)
        return np.sum(self.asking.all(lambda i: i.count_flat(ids.copy(), offsets)), axis=0)

    @overload
    def find(self, query: Ids) -> list[Interval]: ...
    @overload
    def find(self, query: str) -> TextMatches: ...
    def find(self, query: Query) -> list[Interval] | TextMatches:
        """As ``Index.find``."""
        return self.begun(lambda view: view._find(query))

    def _find(self, query: Query) -> list[Interval] | TextMatches:
        members, parts = self.asking.members, self.asking.all(lambda index: index.find(query))
        if isinstance(query, str):
            return merging.merge_text_matches(members, parts)
        return [
            replace(interval, shard=interval.shard + member.first_shard)
            for member, part in zip(members, parts, strict=True)
            for interval in part
        ]

    @query
    def locate(self, interval: Interval) -> np.ndarray:
        """As ``Index.locate``."""
        if self.takedown is not None:
            raise refuse_ranks()
        try:
            shard, low, high = as_interval(interval, [shard.size for shard in self.shards])
        except QueryError:
            self._confirm()
            raise
        member = self._owner_of_shard(shard)
        inside = Interval(shard - member.first_shard, low, high)
        return self.asking.one(member, lambda index: index.locate(inside))

    @query
    def prob(self, context: Query, token: int | str) -> Probability:
        """As ``Index.prob``."""
        return merging.merge_probabilities(self.asking.all(lambda i: i.prob(context, token)))

    @query
    def ntd(self, context: Query, limit: int | None = None) -> Distribution:
        """As ``Index.ntd``; where a part is cut by ``limit``, it is asked again without."""
        limit = None if limit is None else as_number("limit", limit, 1)
        parts = self.asking.all(lambda index: index.ntd(context, limit))
        return self._merge_ntd(context, parts, limit)

    def _merge_ntd(
        self, context: Query, parts: list[Distribution], limit: int | None
    ) -> Distribution:
        parts = self._completed(list(self.asking.members), parts, lambda i: i.ntd(context))
        return merging.merge_distributions(parts, self.vocabulary_size, limit)

    @query
    def infgram_prob(self, context: Query, token: int | str) -> InfgramProbability:
        """As ``Index.infgram_prob``."""
        parts = self.asking.all(lambda index: index.infgram_prob(context, token))
        return self._merge_infgram_prob(context, parts)

    def _merge_infgram_prob(
        self, context: Query, parts: list[InfgramProbability]
    ) -> InfgramProbability:
        longest = max(part.suffix_length for part in parts)
        used = [
            (member, part)
            for member, part in zip(self.asking.members, parts, strict=True)
            if part.suffix_length == longest and part.context_count
        ]
        count, total = (sum(getattr(p, n) for _, p in used) for n in ("count", "context_count"))
        sparse = bool(used) and all(part.sparse for _, part in used)
        if sparse and count == 0 and len(used) > 1:  # by one token each, perhaps not the same
            said = self.asking.each([(m, lambda i: i.infgram_ntd(context, 2)) for m, _ in used])
            sparse = len({int(part.tokens[0]) for part in said}) == 1
        return infgram_probability(count, total, longest, sparse and count in (0, total))

    @query
    def infgram_ntd(self, context: Query, limit: int | None = None) -> InfgramDistribution:
        """As ``Index.infgram_ntd``; parts that are cut by ``limit`` are asked again without."""
        limit = None if limit is None else as_number("limit", limit, 1)
        parts = self.asking.all(lambda index: index.infgram_ntd(context, limit))
        return self._merge_infgram_ntd(context, parts, limit)

    def _merge_infgram_ntd(
        self, context: Query, parts: list[InfgramDistribution], limit: int | None
    ) -> InfgramDistribution:
        longest = max(part.suffix_length for part in parts)
        both = zip(self.asking.members, parts, strict=True)
        used = [(member, part) for member, part in both if part.suffix_length == longest]
        members, parts = [member for member, _ in used], [part for _, part in used]
        parts = self._completed(members, parts, lambda index: index.infgram_ntd(context))
        merged = merging.merge_distributions(parts, self.vocabulary_size, limit)
        sparse = merged.complete and merged.tokens.size == 1 and not merged.end_count
        return InfgramDistribution(
            merged.context_count,
            merged.tokens,
            merged.counts,
            merged.end_count,
            merged.complete,
            longest,
            sparse,
        )

    @query
    def infgram_scores(self, text: Query) -> InfgramScores:
        """As ``Index.infgram_scores``."""
        return merging.merge_scores(self.asking.all(lambda index: index.infgram_scores(text)))

    @query
    def match(self, text: Query) -> MatchingStatistics:
        """As ``Index.match``."""
        return merging.merge_matches(self.asking.all(lambda index: index.match(text)))

    @query
    def draft(
        self,
        context: Query,
        max_nodes: int = NODES,
        max_depth: int | None = None,
        min_score: float = 0.0,
    ) -> DraftTree:
        """As ``gramdex.decoding.draft``; a round for every node."""
        ids = as_ids(self.encode(context) if isinstance(context, str) else context)
        return draft(self, ids, max_nodes, max_depth, min_score)

    @query
    def documents(
        self,
        query: Query,
        max_documents: int = DOCUMENTS,
        context: int | None = None,
        skip: int = 0,
    ) -> list[Document]:
        """As ``Index.documents``; members first say how many of the page they hold."""
        skip, most = as_number("skip", skip), as_number("max_documents", max_documents)
        context = None if context is None else as_number("context", context)
        found = self.asking.all(lambda index: index.part.documents_found(query, skip + most))
        calls = [
            (member, _page(query, most, context, skip))
            for member, (skip, most) in zip(
                self.asking.members, merging.pages(found, skip, most), strict=True
            )
            if most
        ]
        answers = zip((member for member, _ in calls), self.asking.each(calls), strict=True)
        return [renumbered(member, document) for member, some in answers for document in some]

    @query
    def search(
        self,
        cnf: Cnf,
        max_documents: int = DOCUMENTS,
        window: int | None = None,
        seed: int | None = None,
        context: int | None = None,
        skip: int = 0,
    ) -> SearchResult:
        """As ``Index.search``; exact also where members need no sample and one index would."""
        seed = None if seed is None else as_number("seed", seed)
        context = None if context is None else as_number("context", context)
        most, skip = as_number("max_documents", max_documents), as_number("skip", skip)
        return search(self.asking, cnf, window, Shown(most, skip, seed, context))

    @query
    def attribute(
        self,
        text: Query,
        min_length: int | None = None,
        max_count: int | None = None,
        keep: float | None = KEEP,
        words: bool | None = None,
        sentences: bool = False,
        max_documents: int = DOCUMENTS,
        context: int | None = CONTEXT,
        seed: int = 0,
    ) -> Attribution:
        """As ``Index.attribute``."""
        sources = SourceOptions(
            as_number("max_documents", max_documents),
            as_number("seed", seed),
            None if context is None else as_number("context", context),
        )
        spans = SpanOptions(min_length, max_count, keep, words, sentences)
        ids = as_ids(self.encode(text) if isinstance(text, str) else text)
        return attribute(self, ids, spans, sources)

    @query
    def document(self, number: int) -> Document:
        """As ``Index.document``."""
        number = as_number("document", number)
        member, local = self._owner_of_document(number)
        return renumbered(member, self._one(member, lambda index: index.document(local)))

    @query
    def metadata(self, number: int) -> dict[str, Any]:
        """As ``Index.metadata``."""
        number = as_number("document", number)
        member, local = self._owner_of_document(number)
        return self._one(member, lambda index: index.metadata(local))

    @query
    def document_at(self, shard: int, position: int, context: int | None = None) -> Document:
        """As ``Index.document_at``."""
        context = None if context is None else as_number("context", context)
        shard, position = as_number("shard", shard), as_number("position", position)
        if shard >= len(self.shards):
            self._confirm()
            raise QueryError(f"position {position} of shard {shard}", "no such position")
        member = self._owner_of_shard(shard)
        local = shard - member.first_shard
        found = self._one(member, lambda index: index.document_at(local, position, context))
        return renumbered(member, found)

    def contamination(self, examples: Iterable[Any], **options: Any) -> Contamination:
        """As ``Index.contamination``; all that is asked for it is of one state of the members."""
        given, side = list(examples), options.get("normalized")
        if side is None or not isinstance(side.index, Answers):
            return self.begun(lambda view: contamination(cast(Any, view), given, **options))

        def both(view: Any, other: Any) -> Contamination:
            changed = options | {"normalized": replace(side, index=other)}
            return contamination(view, given, **changed)

        return self.begun(lambda view: side.index.begun(lambda other: both(view, other)))

    def _completed(
        self, members: list[Member], parts: list[D], call: Callable[[Any], D]
    ) -> list[D]:
        """Distributions, with those that a limit cut asked for again."""
        cut = [i for i, part in enumerate(parts) if not part.complete]
        again = self.asking.each([(members[i], call) for i in cut])
        return [dict(zip(cut, again, strict=True)).get(i, part) for i, part in enumerate(parts)]

    def _owner_of_document(self, number: int) -> tuple[Member, int]:
        """The member that holds a document, and the number it has there."""
        for member in self.everyone:
            if number < member.first_document + member.documents:
                return member, number - member.first_document
        self._confirm()
        raise no_such_document(number, sum(member.documents for member in self.everyone))

    def _owner_of_shard(self, shard: int) -> Member:
        return next(m for m in self.everyone if shard < m.first_shard + len(m.sizes.shards))

    def _confirm(self) -> None:
        """Begin again if sizes are not those of now; refusing a number does not ask members."""
        self.asking.all(lambda index: index.count(()))

    def _one(self, member: Member, call: Callable[[Any], T]) -> T:
        """Ask one member; what it refuses by its own numbers is refused by those of all."""
        first = {"document": member.first_document, "shard": member.first_shard}
        try:
            return self.asking.one(member, call)
        except QueryError as error:
            thing = re.sub(
                r"\b(document|shard) (\d+)",
                lambda found: f"{found[1]} {int(found[2]) + first[found[1]]}",
                error.thing,
            )
            raise QueryError(thing, error.found, error.expected, error.remedy) from None


def _page(query: Query, most: int, context: int | None, skip: int) -> Callable[[Any], list]:
    return lambda index: index.documents(query, most, context, skip)
