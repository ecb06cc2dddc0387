"""An index on a server, asked as one here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

import numpy as np

from gramdex.errors import TokenizerError, UsageError
from gramdex.fmindex.queries.patterns import Ids, Query
from gramdex.fmindex.tokenized import require_fingerprint
from gramdex.fmindex.tokenizers import Tokenizer, restore_tokenizer
from gramdex.fmindex.tokenizers.base import check_text
from gramdex.rpc import v1
from gramdex.rpc.client.counting import Counting
from gramdex.rpc.client.cursor import RemoteCursor
from gramdex.rpc.client.documents import Documents
from gramdex.rpc.client.partial import PartialIndex
from gramdex.rpc.client.remote_part import RemotePart
from gramdex.rpc.client.seconds import require_seconds
from gramdex.rpc.messages.arrays import read_tokens, write_tokens
from gramdex.rpc.messages.queries import require_ids


@dataclass(frozen=True, slots=True)
class RemoteShard:
    """A shard of an index on a server.

    Attributes:
        name: of its folder.
        engine: that answers.
        size: tokens, separators included.
        token_count: tokens.
        documents: their number.
        read_metadata: of a document by its number in the shard; it is asked for.
    """

    name: str
    engine: str
    size: int
    token_count: int
    documents: int
    read_metadata: Callable[[int], dict[str, Any]] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class RemoteTakedown:
    """Stands for the documents that a server ignores; which they are it does not say."""


class RemoteIndex(Documents, Counting):
    """A corpus on a server; made by ``gramdex.connect``.

    It has the methods of ``Index``, with the same arguments, results and errors; what a server
    adds to them is a LimitError for a query that is larger than it takes, and the ServiceErrors.
    Batches are sent in as many calls as it takes. Calls may come from several threads.

    What is served may be exchanged meanwhile: each answer is of one index, the numbers below are
    of the one that answered last, and ``generation`` tells whether it is still the same.
    """

    @property
    def token_count(self) -> int:
        """Tokens of the corpus, separators not counted."""
        return self._info.token_count

    @property
    def document_count(self) -> int:
        """Documents of the corpus."""
        return self._info.document_count

    @property
    def vocabulary_size(self) -> int:
        """Ids are in [0, vocabulary_size)."""
        return self._info.vocabulary_size

    @property
    def generation(self) -> int:
        """Of the newest answer to this thread; another index has another."""
        return self._known.generation

    @property
    def info(self) -> v1.GetInfoResponse:
        """All that the server says of itself."""
        return self._info

    @property
    def target(self) -> str:
        """Where the index is, as it was given to ``gramdex.connect``."""
        return self._target

    @property
    def takedown(self) -> RemoteTakedown | None:
        """Not None where some documents are taken down."""
        return RemoteTakedown() if self._info.takedown else None

    @property
    def shards(self) -> tuple[RemoteShard, ...]:
        """The shards, in order."""
        shards, first = [], 0
        for each in self._info.shards:
            shards.append(
                RemoteShard(
                    each.name,
                    each.engine,
                    each.size,
                    each.token_count,
                    each.documents,
                    partial(self._metadata_of, first),
                )
            )
            first += each.documents
        return tuple(shards)

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer the corpus was encoded with; fetched when it is first asked for."""
        with self._known.lock:
            known, fingerprint = self._known.tokenizers, self._info.tokenizer_fingerprint
            if fingerprint not in known:
                tokenizer = self._fetch_tokenizer()
                known[tokenizer.fingerprint] = tokenizer
                fingerprint = tokenizer.fingerprint
            return known[fingerprint]

    def require_tokenizer(self, tokenizer: Tokenizer | str) -> None:
        """See ``Index.require_tokenizer``."""
        info = self._info  # it need not be fetched for this
        require_fingerprint(tokenizer, info.tokenizer_kind, info.tokenizer_fingerprint)

    @property
    def part(self) -> RemotePart:
        """What this index answers as a part of a larger one; see ``Index.part``."""
        return RemotePart(self)

    def encode(self, text: str) -> np.ndarray:
        """Ids of a text with the tokenizer of the index, uint32; the server encodes."""
        check_text(text, "text")
        answer = self._ask("Encode", v1.EncodeRequest(text=text))
        return read_tokens("tokens", answer.tokens).astype(np.uint32)

    def decode(self, ids: Ids) -> str:
        """Text of ids; the server decodes."""
        request = v1.DecodeRequest(tokens=write_tokens(require_ids(ids)))
        return self._ask("Decode", request).text

    def cursor(self, tokens: Query = ()) -> RemoteCursor:
        """See ``Index.cursor``; every step is a call."""
        cursor = RemoteCursor(self)
        cursor.extend(tokens)
        return cursor

    def verify(self) -> NoReturn:
        """Refuse: an index is verified where its files are; UsageError."""
        found = "an index on a server"
        raise UsageError("verify", found, "its folder", "run gramdex verify where its files are")

    def with_timeout(self, seconds: float) -> RemoteIndex:
        """The same, with so many seconds for every call to the server."""
        return self._view(_timeout=require_seconds(seconds))

    def pinned(self) -> RemoteIndex:
        """The same, of one server alone where there are several of the index.

        Raises:
            UnavailableError: none of them can be reached.
        """
        return self._view(_transport=self._transport.pinned())

    def partial(self) -> PartialIndex:
        """The same, answering with ``Partial`` where some of a corpus may be missing."""
        return PartialIndex(self)

    def close(self) -> None:
        """Give up the connections, of all views; calls under way end with CancelledError."""
        self._transport.close()

    def __enter__(self) -> RemoteIndex:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _metadata_of(self, first: int, number: int) -> dict[str, Any]:
        return self.metadata(first + number)

    def _fetch_tokenizer(self) -> Tokenizer:
        messages = list(self._stream("GetTokenizer", v1.GetTokenizerRequest()))
        head, files = messages[0], dict[str, bytearray]()
        for message in messages[1:]:
            files.setdefault(message.file, bytearray()).extend(message.part)
        content = {name: bytes(parts) for name, parts in files.items()}
        options = dict(head.options)
        tokenizer = restore_tokenizer(head.kind, options, content, head.vocabulary_size)
        if tokenizer.fingerprint != head.fingerprint:
            found = f"a tokenizer of fingerprint {tokenizer.fingerprint}"
            raise TokenizerError(self._target, found, head.fingerprint, "connect again")
        return tokenizer

    def __repr__(self) -> str:
        info = self._known.info or self._info  # as it was, without asking
        return (
            f"RemoteIndex({self._target}: {info.document_count:,} documents, "
            f"{info.token_count:,} tokens, {len(info.shards)} shards, {info.tokenizer_kind})"
        )
