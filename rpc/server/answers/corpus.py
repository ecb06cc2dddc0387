"""What is served, and its tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

import gramdex
from gramdex.errors import QueryError
from gramdex.fmindex.engines.stopping import stop_here
from gramdex.rpc import v1
from gramdex.rpc.messages.arrays import count_tokens, read_tokens, write_tokens
from gramdex.rpc.server.call import Answer, Call

if TYPE_CHECKING:
    from gramdex.fmindex.tokenizers import Tokenizer

_PART = 1 << 20


def get_info(call: Call, request: v1.GetInfoRequest) -> v1.GetInfoResponse:
    """Sizes, tokenizer, shards and limits."""
    if hasattr(call.index, "begun"):  # of a router, whose members may change meanwhile
        return call.index.begun(lambda view: _info(call, view))
    return _info(call, call.index)


def _info(call: Call, index: Any) -> v1.GetInfoResponse:
    return v1.GetInfoResponse(
        version=gramdex.__version__,
        token_count=index.token_count,
        document_count=index.document_count,
        vocabulary_size=index.vocabulary_size,
        tokenizer_kind=index.tokenizer.kind,
        tokenizer_fingerprint=index.tokenizer.fingerprint,
        shards=[
            v1.ShardInfo(
                name=getattr(shard, "name", ""),  # of a router, a member knows
                engine=shard.manifest.engine if hasattr(shard, "manifest") else "",
                size=shard.size,
                token_count=shard.token_count,
                documents=shard.documents,
            )
            for shard in index.shards
        ],
        takedown=index.takedown is not None,
        serves_documents=call.serves_documents,
        limits=dict(call.limits),
    )


def get_tokenizer(call: Call, request: v1.GetTokenizerRequest) -> Iterator[v1.GetTokenizerResponse]:
    """The files of the tokenizer, in parts, each with what they are of."""
    tokenizer = call.index.tokenizer
    head = v1.GetTokenizerResponse(
        kind=tokenizer.kind,
        fingerprint=tokenizer.fingerprint,
        options=tokenizer.options,
        vocabulary_size=call.index.vocabulary_size,
    )
    yield head
    for name, content in tokenizer.files.items():
        for start in range(0, len(content), _PART):
            yield v1.GetTokenizerResponse(file=name, part=content[start : start + _PART])


def encode(call: Call, request: v1.EncodeRequest) -> v1.EncodeResponse:
    """Ids of a text."""
    call.text("text", request.text, "text")
    return v1.EncodeResponse(tokens=write_tokens(call.index.encode(request.text)))


def decode(call: Call, request: v1.DecodeRequest) -> v1.DecodeResponse:
    """Text of ids."""
    call.limits.check("text_tokens", "tokens", count_tokens(request.tokens))
    ids, size = read_tokens("tokens", request.tokens), call.index.vocabulary_size
    if ids.size and ids.max() >= size:
        wrong = int(ids[np.argmax(ids >= size)])
        raise QueryError(f"tokens: token id {wrong}", "not in the vocabulary", f"ids below {size}")
    pieces = _pieces(call.index.tokenizer, ids) if request.pieces else ()
    return v1.DecodeResponse(text=call.index.decode(ids), pieces=pieces)


def _pieces(tokenizer: Tokenizer, ids: np.ndarray) -> Iterator[bytes]:
    for number in ids.tolist():
        stop_here()
        yield tokenizer.decode_bytes([number], at_start=False)


ANSWERS: dict[str, Answer] = {
    "GetInfo": get_info,
    "GetTokenizer": get_tokenizer,
    "Encode": encode,
    "Decode": decode,
}
