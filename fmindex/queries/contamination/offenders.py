"""Documents of the corpus that hold what makes examples dirty."""

from __future__ import annotations

import numpy as np

from gramdex.fmindex.queries.contamination.corpus import NORMALIZED, Corpus
from gramdex.fmindex.queries.contamination.definitions import Hits
from gramdex.fmindex.queries.contamination.matching import Matched
from gramdex.fmindex.queries.contamination.results import Offender
from gramdex.fmindex.queries.patterns import Query


class Offenders:
    """Collects the documents of windows.

    A window that occurs more often than ``most`` times is no evidence against any one document:
    it is counted and not followed.

    Args:
        corpus: whose documents they are.
        most: occurrences of a window that is followed.
    """

    def __init__(self, corpus: Corpus, most: int) -> None:
        self._corpus, self.most = corpus, most
        self._offenders: dict[int, Offender] = {}
        self._documents: dict[tuple[str, bytes | str], list[int]] = {}
        self._unfollowed: set[tuple[str, bytes | str]] = set()

    @property
    def not_followed(self) -> int:
        """Distinct windows that occur too often."""
        return len(self._unfollowed)

    def found(self) -> list[Offender]:
        """The documents, by number."""
        return [self._offenders[number] for number in sorted(self._offenders)]

    def follow(self, example: str, form: str, query: Query, count: int) -> None:
        """Follow a window that makes an example dirty."""
        key = form, query if isinstance(query, str) else np.asarray(query).tobytes()
        if count > self.most:
            self._unfollowed.add(key)
            return
        if key not in self._documents:
            self._documents[key] = self._look_up(form, query)
        shown = query if isinstance(query, str) else self._corpus.index.decode(query)
        for number in self._documents[key]:
            self._blame(self._offenders[number], example, shown, count)

    def _look_up(self, form: str, query: Query) -> list[int]:
        """Numbers of the documents of a window, each with an entry."""
        numbers = []
        for document in self._corpus.documents(form, query, self.most, near=False):
            number = document.number
            numbers.append(number)
            if number not in self._offenders:
                metadata = (
                    self._corpus.metadata(number) if form == NORMALIZED else document.metadata
                )
                self._offenders[number] = Offender(number, metadata)
        return numbers

    @staticmethod
    def _blame(offender: Offender, example: str, window: str, count: int) -> None:
        if example not in offender.examples[-1:]:
            offender.examples.append(example)
        if not offender.window or count < offender.count:
            offender.window, offender.count = window, count


def not_implied(matched: Matched, hits: Hits, counts: np.ndarray, most: int) -> np.ndarray:
    """Which windows may stand where the one before them, which is followed, does not; bool[k].

    Where every occurrence of a window goes on from one of the window before it, its count is that
    of both together, and its documents are known already: of a long copy one window is followed.
    """
    spans, new = hits.spans, np.ones(counts.size, bool)
    fewer = (counts[1:] <= counts[:-1]) & (counts[:-1] <= most)
    touch = (hits.span_texts[1:] == hits.span_texts[:-1]) & (spans[1:, 0] <= spans[:-1, 1])
    together = np.flatnonzero(fewer & touch)
    joined = np.stack([spans[together, 0], spans[together + 1, 1]], axis=1)
    there = matched.found(joined)
    together, joined = together[there], joined[there]
    new[together + 1] = matched.counts(joined) != counts[together + 1]
    return new
