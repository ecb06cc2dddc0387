"""The oracle: what every query means, in plain Python over lists of lists.

Nothing here is fast or clever. Documents are kept as they are given, so there is no separator
to take care of: a match is a slice of one document, and the end of a document is its length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import nan
from typing import NamedTuple


class Probability(NamedTuple):
    prob: float | None
    context_count: int
    count: int


class Distribution(NamedTuple):
    context_count: int
    tokens: list[int]
    counts: list[int]
    end_count: int
    complete: bool


class InfgramProbability(NamedTuple):
    prob: float | None
    context_count: int
    count: int
    suffix_length: int
    sparse: bool


class InfgramDistribution(NamedTuple):
    context_count: int
    tokens: list[int]
    counts: list[int]
    end_count: int
    complete: bool
    suffix_length: int
    sparse: bool


class Continuations(NamedTuple):
    suffix_length: int
    context_count: int
    tokens: list[int]
    parents: list[int]
    counts: list[int]


class Scores(NamedTuple):
    probs: list[float]
    suffix_lengths: list[int]
    context_counts: list[int]
    counts: list[int]


class Matches(NamedTuple):
    lengths: list[int]
    counts: list[int]


class NaiveIndex:
    """The queries of DESIGN section 8 over ``documents``, each a list of token ids."""

    def __init__(self, documents: Sequence[Sequence[int]]) -> None:
        self._documents = [[int(token) for token in document] for document in documents]
        # Every place in the corpus, in order, and of them those where each token stands.
        self._places = [
            (number, start)
            for number, document in enumerate(self._documents)
            for start in range(len(document))
        ]
        self._places_of: dict[int, list[tuple[int, int]]] = {}
        for number, start in self._places:
            token = self._documents[number][start]
            self._places_of.setdefault(token, []).append((number, start))

    @property
    def document_count(self) -> int:
        return len(self._documents)

    @property
    def token_count(self) -> int:
        return len(self._places)

    def occurrences(self, ids: Iterable[int]) -> list[tuple[int, int]]:
        """Every (document number, start) at which ``ids`` stands; for no ids, every token."""
        pattern = list(ids)
        if not pattern:
            return list(self._places)
        return [
            (number, start)
            for number, start in self._places_of.get(pattern[0], [])
            if self._documents[number][start : start + len(pattern)] == pattern
        ]

    def count(self, ids: Iterable[int]) -> int:
        return len(self.occurrences(ids))

    def count_batch(self, list_of_ids: Iterable[Iterable[int]]) -> list[int]:
        return [self.count(ids) for ids in list_of_ids]

    def documents(self, ids: Iterable[int]) -> list[tuple[int, list[int]]]:
        """(Document number, starts of ``ids`` in it) of the documents that hold ``ids``."""
        starts_of: dict[int, list[int]] = {}
        for number, start in self.occurrences(ids):
            starts_of.setdefault(number, []).append(start)
        return list(starts_of.items())

    def prob(self, context: Iterable[int], token: int) -> Probability:
        context = list(context)
        context_count = self.count(context)
        count = self.count([*context, token])
        prob = count / context_count if context_count else None
        return Probability(prob, context_count, count)

    def ntd(self, context: Iterable[int], limit: int | None = None) -> Distribution:
        context = list(context)
        following: Counter[int] = Counter()
        end_count = 0
        for number, start in self.occurrences(context):
            document = self._documents[number]
            if start + len(context) < len(document):
                following[document[start + len(context)]] += 1
            else:
                end_count += 1
        ranked = sorted(following.items(), key=lambda item: (-item[1], item[0]))
        kept = ranked if limit is None else ranked[:limit]
        return Distribution(
            context_count=sum(following.values()) + end_count,
            tokens=[token for token, _ in kept],
            counts=[count for _, count in kept],
            end_count=end_count,
            complete=len(kept) == len(ranked),
        )

    def longest_suffix(self, context: Iterable[int]) -> list[int]:
        """The longest suffix of ``context`` that occurs, found token by token from its end."""
        context = list(context)
        length, lasts = 0, list(self._places_of.get(context[-1], [])) if context else []
        while lasts:
            # The last ``length`` + 1 tokens occur, each time with the last of them at a place.
            length += 1
            if length == len(context):
                break
            wanted = context[-1 - length]
            lasts = [
                (number, last)
                for number, last in lasts
                if last >= length and self._documents[number][last - length] == wanted
            ]
        return context[len(context) - length :]

    def infgram_prob(self, context: Iterable[int], token: int) -> InfgramProbability:
        suffix = self.longest_suffix(context)
        return InfgramProbability(*self.prob(suffix, token), len(suffix), self._sparse(suffix))

    def infgram_ntd(self, context: Iterable[int], limit: int | None = None) -> InfgramDistribution:
        suffix = self.longest_suffix(context)
        distribution = self.ntd(suffix, limit)
        return InfgramDistribution(*distribution, len(suffix), self._sparse(suffix))

    def continuations(
        self, context: Iterable[int], nodes: int, depth: int | None = None, share: float = 0.0
    ) -> Continuations:
        """Always the best token that may follow a node of the tree, or the suffix, becomes one."""
        suffix = self.longest_suffix(context)
        total = self.count(suffix)
        tree: list[tuple[list[int], int, int]] = []  # path, parent, count
        following = [(-1, [], self.ntd(suffix))]
        while len(tree) < nodes:
            taken = [path for path, _, _ in tree]
            hanging = [
                (-count, len(path) + 1, token, parent, [*path, token])
                for parent, path, ntd in following
                for token, count in zip(ntd.tokens, ntd.counts, strict=True)
                if [*path, token] not in taken and count / total >= share
            ]
            if depth is not None:
                hanging = [each for each in hanging if each[1] <= depth]
            if not hanging:
                break
            less, _, _, parent, path = min(hanging)
            following.append((len(tree), path, self.ntd([*suffix, *path])))
            tree.append((path, parent, -less))
        return Continuations(
            len(suffix),
            total,
            [path[-1] for path, _, _ in tree],
            [parent for _, parent, _ in tree],
            [count for _, _, count in tree],
        )

    def infgram_scores(self, ids: Iterable[int]) -> Scores:
        ids = list(ids)
        answers = [self.infgram_prob(ids[:i], ids[i]) for i in range(len(ids))]
        return Scores(
            probs=[nan if answer.prob is None else answer.prob for answer in answers],
            suffix_lengths=[answer.suffix_length for answer in answers],
            context_counts=[answer.context_count for answer in answers],
            counts=[answer.count for answer in answers],
        )

    def match(self, ids: Iterable[int]) -> Matches:
        ids = list(ids)
        lengths, counts = [], []
        for i in range(len(ids)):
            length, count = self._longest_prefix(ids[i:])
            lengths.append(length)
            counts.append(count)
        return Matches(lengths, counts)

    def _longest_prefix(self, ids: list[int]) -> tuple[int, int]:
        """(Length, number of occurrences) of the longest prefix of ``ids``; (0, 0) for none."""
        length, count = 0, 0
        starts = list(self._places_of.get(ids[0], [])) if ids else []
        while starts:
            # The first ``length`` + 1 tokens occur, at these places.
            length, count = length + 1, len(starts)
            if length == len(ids):
                break
            starts = [
                (number, start)
                for number, start in starts
                if start + length < len(self._documents[number])
                and self._documents[number][start + length] == ids[length]
            ]
        return length, count

    def _sparse(self, context: list[int]) -> bool:
        """Whether exactly one token follows ``context``, and follows it always."""
        distribution = self.ntd(context)
        return len(distribution.tokens) == 1 and distribution.end_count == 0


class NaiveTexts:
    """What a string as a query means: its bytes in ``documents``, the bytes of each as decoded."""

    def __init__(self, documents: Iterable[bytes]) -> None:
        self._documents = [bytes(document) for document in documents]

    def occurrences(self, text: str) -> list[tuple[int, int]]:
        """Every (document number, byte) at which the text stands, overlapping ones too."""
        wanted = text.encode()
        return [
            (number, start)
            for number, document in enumerate(self._documents)
            for start in range(len(document) - len(wanted) + 1)
            if document.startswith(wanted, start)
        ]

    def count(self, text: str) -> int:
        return len(self.occurrences(text))
