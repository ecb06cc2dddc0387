"""A tree of tokens that a model may go on with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class DraftTree:
    """Tokens that may come next, each after the path of tokens to it.

    Attributes:
        tokens: int64[n] ids.
        parents: int64[n], the number of the token before, a smaller one; -1 for a first token.
        scores: float64[n], how likely the path to here and this token are to be what follows:
            the product of the empirical conditional probabilities along it. No greater than
            the parent's.
        counts: int64[n], occurrences the score rests on.
        suffix_length: tokens of the context that these follow in the corpus.
        context_count: occurrences of those.
    """

    tokens: np.ndarray
    parents: np.ndarray
    scores: np.ndarray
    counts: np.ndarray
    suffix_length: int
    context_count: int

    @property
    def depths(self) -> np.ndarray:
        """int64[n], tokens of the path to each, itself included."""
        depths = [0]  # that of the context, at -1 + 1
        for parent in self.parents.tolist():
            depths.append(depths[parent + 1] + 1)
        return np.array(depths[1:], np.int64)

    def paths(self) -> list[list[int]]:
        """The tokens from the context to each leaf, in the order of the leaves."""
        tokens, parents = self.tokens.tolist(), self.parents.tolist()
        paths: list[list[int]] = []
        inner = set(parents)
        for leaf in range(len(tokens)):
            if leaf not in inner:
                path, node = [], leaf
                while node >= 0:
                    path.append(tokens[node])
                    node = parents[node]
                paths.append(path[::-1])
        return paths

    def accepted(self, following: np.ndarray | list[int]) -> int:
        """How many tokens of ``following``, from its first on, are a path from the context."""
        children = {
            (parent, token): node
            for node, (parent, token) in enumerate(
                zip(self.parents.tolist(), self.tokens.tolist(), strict=True)
            )
        }
        node = -1
        for length, token in enumerate(following):
            if (node, int(token)) not in children:
                return length
            node = children[node, int(token)]
        return len(following)

    def check_integrity(self) -> None:
        """Assert what is said above, and that no token follows the same path twice."""
        size = self.tokens.size
        for name in ("tokens", "parents", "counts"):
            array = getattr(self, name)
            assert (array.dtype, array.shape) == (np.int64, (size,)), name
        assert (self.scores.dtype, self.scores.shape) == (np.float64, (size,))
        assert ((self.parents >= -1) & (self.parents < np.arange(size))).all()
        assert ((self.counts >= 1) & (self.tokens >= 0)).all()
        assert ((self.scores > 0) & (self.scores <= 1)).all()
        edges = list(zip(self.parents.tolist(), self.tokens.tolist(), strict=True))
        assert len(set(edges)) == size
        # The children of a token, and no more than all of them, share its occurrences.
        inside = np.zeros(size + 1, np.int64)
        np.add.at(inside, self.parents, self.counts)
        assert inside[-1] <= self.context_count
        assert (inside[:-1] <= self.counts).all()
        of_parents = np.append(self.scores, 1.0)[self.parents]
        assert (self.scores <= of_parents).all()

    def __repr__(self) -> str:
        expected = self.scores.sum()
        return (
            f"DraftTree({self.tokens.size} tokens, {self.depths.max(initial=0)} deep, "
            f"{expected:.2f} expected, after the last {self.suffix_length})"
        )
