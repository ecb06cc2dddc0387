"""What a server is asked under load, and the answers it must give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gramdex.errors import GramdexError
from gramdex.fmindex.index import Index
from gramdex.fmindex.results import InfgramDistribution
from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import read_int64, write_token_batch, write_tokens
from gramdex.rpc.messages.results import read_infgram_distribution
from gramdex.rpc.methods import METHODS

PATTERN, CONTEXT, TEXT, BATCH = 5, 63, 450, 1000
"""Tokens of a pattern, of a context and of a text; patterns of a batch."""

_DRAWN, _BATCHES, _TEXTS = 2000, 10, 20
_COMPARED = 50
_PATIENCE = 60.0


@dataclass(frozen=True)
class ServingCase:
    """One row to measure.

    Attributes:
        label: in words.
        method: that is called.
        requests: as bytes.
        expected: what the index says to a request, and what an answer says, to be compared.
        per_call: queries in a call.
        overload: it is asked more than the server can, too.
    """

    label: str
    method: str
    requests: Sequence[bytes]
    expected: Callable[[int], Any]
    read: Callable[[Any], Any]
    per_call: int = 1
    overload: bool = False

    def compare(self, target: str) -> None:
        """Ask a server some of the requests; GramdexError where an answer is not the index's."""
        import grpc

        method = METHODS[self.method]
        with grpc.insecure_channel(target, [("grpc.max_receive_message_length", -1)]) as channel:
            stub = channel.unary_unary(method.path)
            for number, request in enumerate(self.requests[:_COMPARED]):
                answer = method.response.FromString(stub(request, timeout=_PATIENCE))
                if self.read(answer) != self.expected(number):
                    raise GramdexError(
                        f"{self.label}, request {number}",
                        "an answer that is not the index's own",
                        "the same answer from both",
                    )


def serving_cases(index: Index, held_out: str, seed: int) -> Iterator[ServingCase]:
    """Every row."""
    generator = np.random.default_rng(seed)
    patterns = [_draw(index, generator, PATTERN) for _ in range(_DRAWN)]
    yield _count(index, patterns)
    yield _batch(index, patterns, generator)
    yield _distribution(index, [_draw(index, generator, CONTEXT) for _ in range(_DRAWN)])
    ids = index.encode(held_out).astype(np.int64)
    starts = generator.integers(max(ids.size - TEXT, 1), size=_TEXTS).tolist()
    texts = [ids[start : start + TEXT] for start in starts]
    yield _attribution(index, texts, 0, "")
    yield _attribution(index, texts, 10, ", ten documents a span")


def _count(index: Index, patterns: Sequence[np.ndarray]) -> ServingCase:
    return ServingCase(
        f"count of {PATTERN} tokens",
        "Count",
        [v1.CountRequest(query=_query(ids)).SerializeToString() for ids in patterns],
        lambda i: index.count(patterns[i]),
        lambda answer: answer.count,
        overload=True,
    )


def _batch(
    index: Index, patterns: Sequence[np.ndarray], generator: np.random.Generator
) -> ServingCase:
    chosen = generator.integers(len(patterns), size=(_BATCHES, BATCH))
    batches = [[patterns[i] for i in row] for row in chosen.tolist()]
    requests = [v1.CountBatchRequest(tokens=write_token_batch(batch)) for batch in batches]
    return ServingCase(
        f"{BATCH} counts in a call",
        "CountBatch",
        [request.SerializeToString() for request in requests],
        lambda i: index.count_batch(batches[i]).tolist(),
        lambda answer: read_int64("counts", answer.counts).tolist(),
        per_call=BATCH,
        overload=True,
    )


def _distribution(index: Index, contexts: Sequence[np.ndarray]) -> ServingCase:
    return ServingCase(
        f"∞-gram distribution, {CONTEXT} tokens",
        "InfgramNtd",
        [v1.InfgramNtdRequest(context=_query(ids)).SerializeToString() for ids in contexts],
        lambda i: _said(index.infgram_ntd(contexts[i])),
        lambda answer: _said(read_infgram_distribution(answer)),
    )


def _attribution(
    index: Index, texts: Sequence[np.ndarray], documents: int, more: str
) -> ServingCase:
    return ServingCase(
        f"attribution of {TEXT} tokens{more}",
        "Attribute",
        [
            v1.AttributeRequest(text=_query(text), max_documents=documents).SerializeToString()
            for text in texts
        ],
        lambda i: [
            (span.start, span.end, span.count, [each.document.number for each in span.sources])
            for span in index.attribute(texts[i], max_documents=documents).spans
        ],
        lambda answer: [
            (span.start, span.end, span.count, [each.document.number for each in span.sources])
            for span in answer.spans
        ],
        overload=not documents,
    )


def _draw(index: Index, generator: np.random.Generator, size: int) -> np.ndarray:
    """Tokens of the corpus, inside one document."""
    while True:
        shard = index.shards[int(generator.integers(len(index.shards)))]
        start = int(generator.integers(shard.size))
        document = int(shard.document_of(np.array([start]))[0])
        end = shard.bounds(document)[1]
        if start + size <= end:
            number = index.shards.index(shard)
            around = index.document_at(number, start, size - 1)
            skip = start - shard.bounds(document)[0] - around.start
            return around.ids[skip : skip + size]


def _query(ids: np.ndarray) -> v1.Query:
    return v1.Query(tokens=write_tokens(ids))


def _said(found: InfgramDistribution) -> tuple:
    return found.suffix_length, found.tokens.tolist(), found.counts.tolist()
