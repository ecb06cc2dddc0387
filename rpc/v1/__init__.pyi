from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Tokens(_message.Message):
    __slots__ = ("ids", "width")
    IDS_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    ids: bytes
    width: int
    def __init__(self, ids: _Optional[bytes] = ..., width: _Optional[int] = ...) -> None: ...

class TokenBatch(_message.Message):
    __slots__ = ("tokens", "lengths")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    LENGTHS_FIELD_NUMBER: _ClassVar[int]
    tokens: Tokens
    lengths: bytes
    def __init__(self, tokens: _Optional[_Union[Tokens, _Mapping]] = ..., lengths: _Optional[bytes] = ...) -> None: ...

class Int64Array(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: bytes
    def __init__(self, values: _Optional[bytes] = ...) -> None: ...

class Float64Array(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: bytes
    def __init__(self, values: _Optional[bytes] = ...) -> None: ...

class Query(_message.Message):
    __slots__ = ("tokens", "text")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    tokens: Tokens
    text: str
    def __init__(self, tokens: _Optional[_Union[Tokens, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class Coverage(_message.Message):
    __slots__ = ("token_count", "total_token_count", "missing")
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    token_count: int
    total_token_count: int
    missing: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, token_count: _Optional[int] = ..., total_token_count: _Optional[int] = ..., missing: _Optional[_Iterable[str]] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("kind", "thing", "found", "expected", "remedy")
    KIND_FIELD_NUMBER: _ClassVar[int]
    THING_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    kind: str
    thing: str
    found: str
    expected: str
    remedy: str
    def __init__(self, kind: _Optional[str] = ..., thing: _Optional[str] = ..., found: _Optional[str] = ..., expected: _Optional[str] = ..., remedy: _Optional[str] = ...) -> None: ...

class GetInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetInfoResponse(_message.Message):
    __slots__ = ("version", "token_count", "document_count", "vocabulary_size", "tokenizer_kind", "tokenizer_fingerprint", "shards", "generation", "takedown", "serves_documents", "limits", "coverage", "description")
    class LimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    VOCABULARY_SIZE_FIELD_NUMBER: _ClassVar[int]
    TOKENIZER_KIND_FIELD_NUMBER: _ClassVar[int]
    TOKENIZER_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    TAKEDOWN_FIELD_NUMBER: _ClassVar[int]
    SERVES_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    version: str
    token_count: int
    document_count: int
    vocabulary_size: int
    tokenizer_kind: str
    tokenizer_fingerprint: str
    shards: _containers.RepeatedCompositeFieldContainer[ShardInfo]
    generation: int
    takedown: bool
    serves_documents: bool
    limits: _containers.ScalarMap[str, int]
    coverage: Coverage
    description: str
    def __init__(self, version: _Optional[str] = ..., token_count: _Optional[int] = ..., document_count: _Optional[int] = ..., vocabulary_size: _Optional[int] = ..., tokenizer_kind: _Optional[str] = ..., tokenizer_fingerprint: _Optional[str] = ..., shards: _Optional[_Iterable[_Union[ShardInfo, _Mapping]]] = ..., generation: _Optional[int] = ..., takedown: _Optional[bool] = ..., serves_documents: _Optional[bool] = ..., limits: _Optional[_Mapping[str, int]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., description: _Optional[str] = ...) -> None: ...

class ShardInfo(_message.Message):
    __slots__ = ("name", "engine", "size", "token_count", "documents")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    engine: str
    size: int
    token_count: int
    documents: int
    def __init__(self, name: _Optional[str] = ..., engine: _Optional[str] = ..., size: _Optional[int] = ..., token_count: _Optional[int] = ..., documents: _Optional[int] = ...) -> None: ...

class GetTokenizerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTokenizerResponse(_message.Message):
    __slots__ = ("kind", "fingerprint", "options", "vocabulary_size", "file", "part", "generation")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    VOCABULARY_SIZE_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    kind: str
    fingerprint: str
    options: _containers.ScalarMap[str, str]
    vocabulary_size: int
    file: str
    part: bytes
    generation: int
    def __init__(self, kind: _Optional[str] = ..., fingerprint: _Optional[str] = ..., options: _Optional[_Mapping[str, str]] = ..., vocabulary_size: _Optional[int] = ..., file: _Optional[str] = ..., part: _Optional[bytes] = ..., generation: _Optional[int] = ...) -> None: ...

class EncodeRequest(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class EncodeResponse(_message.Message):
    __slots__ = ("tokens", "generation")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    tokens: Tokens
    generation: int
    def __init__(self, tokens: _Optional[_Union[Tokens, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class DecodeRequest(_message.Message):
    __slots__ = ("tokens", "pieces")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    tokens: Tokens
    pieces: bool
    def __init__(self, tokens: _Optional[_Union[Tokens, _Mapping]] = ..., pieces: _Optional[bool] = ...) -> None: ...

class DecodeResponse(_message.Message):
    __slots__ = ("text", "pieces", "generation")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    text: str
    pieces: _containers.RepeatedScalarFieldContainer[bytes]
    generation: int
    def __init__(self, text: _Optional[str] = ..., pieces: _Optional[_Iterable[bytes]] = ..., generation: _Optional[int] = ...) -> None: ...

class CountRequest(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: Query
    def __init__(self, query: _Optional[_Union[Query, _Mapping]] = ...) -> None: ...

class CountResponse(_message.Message):
    __slots__ = ("count", "coverage", "generation")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    count: int
    coverage: Coverage
    generation: int
    def __init__(self, count: _Optional[int] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class CountBatchRequest(_message.Message):
    __slots__ = ("tokens", "queries")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    tokens: TokenBatch
    queries: _containers.RepeatedCompositeFieldContainer[Query]
    def __init__(self, tokens: _Optional[_Union[TokenBatch, _Mapping]] = ..., queries: _Optional[_Iterable[_Union[Query, _Mapping]]] = ...) -> None: ...

class CountBatchResponse(_message.Message):
    __slots__ = ("counts", "coverage", "generation")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    counts: Int64Array
    coverage: Coverage
    generation: int
    def __init__(self, counts: _Optional[_Union[Int64Array, _Mapping]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class FindRequest(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: Query
    def __init__(self, query: _Optional[_Union[Query, _Mapping]] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("shard", "low", "high")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    shard: int
    low: int
    high: int
    def __init__(self, shard: _Optional[int] = ..., low: _Optional[int] = ..., high: _Optional[int] = ...) -> None: ...

class TextMatches(_message.Message):
    __slots__ = ("shards", "documents", "starts", "ends", "offsets")
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    shards: Int64Array
    documents: Int64Array
    starts: Int64Array
    ends: Int64Array
    offsets: Int64Array
    def __init__(self, shards: _Optional[_Union[Int64Array, _Mapping]] = ..., documents: _Optional[_Union[Int64Array, _Mapping]] = ..., starts: _Optional[_Union[Int64Array, _Mapping]] = ..., ends: _Optional[_Union[Int64Array, _Mapping]] = ..., offsets: _Optional[_Union[Int64Array, _Mapping]] = ...) -> None: ...

class FindResponse(_message.Message):
    __slots__ = ("intervals", "matches", "coverage", "generation")
    INTERVALS_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    intervals: _containers.RepeatedCompositeFieldContainer[Interval]
    matches: TextMatches
    coverage: Coverage
    generation: int
    def __init__(self, intervals: _Optional[_Iterable[_Union[Interval, _Mapping]]] = ..., matches: _Optional[_Union[TextMatches, _Mapping]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class LocateRequest(_message.Message):
    __slots__ = ("interval",)
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    interval: Interval
    def __init__(self, interval: _Optional[_Union[Interval, _Mapping]] = ...) -> None: ...

class LocateResponse(_message.Message):
    __slots__ = ("positions", "coverage", "generation")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    positions: Int64Array
    coverage: Coverage
    generation: int
    def __init__(self, positions: _Optional[_Union[Int64Array, _Mapping]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class TokenChoice(_message.Message):
    __slots__ = ("id", "text")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    id: int
    text: str
    def __init__(self, id: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class ProbRequest(_message.Message):
    __slots__ = ("context", "token")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    context: Query
    token: TokenChoice
    def __init__(self, context: _Optional[_Union[Query, _Mapping]] = ..., token: _Optional[_Union[TokenChoice, _Mapping]] = ...) -> None: ...

class ProbResponse(_message.Message):
    __slots__ = ("prob", "context_count", "count", "coverage", "generation")
    PROB_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    prob: float
    context_count: int
    count: int
    coverage: Coverage
    generation: int
    def __init__(self, prob: _Optional[float] = ..., context_count: _Optional[int] = ..., count: _Optional[int] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class ProbBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ProbRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[ProbRequest, _Mapping]]] = ...) -> None: ...

class ProbBatchResponse(_message.Message):
    __slots__ = ("responses", "coverage", "generation")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[ProbResponse]
    coverage: Coverage
    generation: int
    def __init__(self, responses: _Optional[_Iterable[_Union[ProbResponse, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class NtdRequest(_message.Message):
    __slots__ = ("context", "limit")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    context: Query
    limit: int
    def __init__(self, context: _Optional[_Union[Query, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class NtdResponse(_message.Message):
    __slots__ = ("context_count", "tokens", "counts", "end_count", "complete", "coverage", "generation")
    CONTEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    END_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    context_count: int
    tokens: Tokens
    counts: Int64Array
    end_count: int
    complete: bool
    coverage: Coverage
    generation: int
    def __init__(self, context_count: _Optional[int] = ..., tokens: _Optional[_Union[Tokens, _Mapping]] = ..., counts: _Optional[_Union[Int64Array, _Mapping]] = ..., end_count: _Optional[int] = ..., complete: _Optional[bool] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class NtdBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[NtdRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[NtdRequest, _Mapping]]] = ...) -> None: ...

class NtdBatchResponse(_message.Message):
    __slots__ = ("responses", "coverage", "generation")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[NtdResponse]
    coverage: Coverage
    generation: int
    def __init__(self, responses: _Optional[_Iterable[_Union[NtdResponse, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class InfgramProbRequest(_message.Message):
    __slots__ = ("context", "token")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    context: Query
    token: TokenChoice
    def __init__(self, context: _Optional[_Union[Query, _Mapping]] = ..., token: _Optional[_Union[TokenChoice, _Mapping]] = ...) -> None: ...

class InfgramProbResponse(_message.Message):
    __slots__ = ("prob", "context_count", "count", "suffix_length", "sparse", "coverage", "generation")
    PROB_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SUFFIX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    prob: float
    context_count: int
    count: int
    suffix_length: int
    sparse: bool
    coverage: Coverage
    generation: int
    def __init__(self, prob: _Optional[float] = ..., context_count: _Optional[int] = ..., count: _Optional[int] = ..., suffix_length: _Optional[int] = ..., sparse: _Optional[bool] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class InfgramProbBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[InfgramProbRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[InfgramProbRequest, _Mapping]]] = ...) -> None: ...

class InfgramProbBatchResponse(_message.Message):
    __slots__ = ("responses", "coverage", "generation")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[InfgramProbResponse]
    coverage: Coverage
    generation: int
    def __init__(self, responses: _Optional[_Iterable[_Union[InfgramProbResponse, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class InfgramNtdRequest(_message.Message):
    __slots__ = ("context", "limit")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    context: Query
    limit: int
    def __init__(self, context: _Optional[_Union[Query, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class InfgramNtdResponse(_message.Message):
    __slots__ = ("context_count", "tokens", "counts", "end_count", "complete", "suffix_length", "sparse", "coverage", "generation")
    CONTEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    END_COUNT_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    SUFFIX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    SPARSE_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    context_count: int
    tokens: Tokens
    counts: Int64Array
    end_count: int
    complete: bool
    suffix_length: int
    sparse: bool
    coverage: Coverage
    generation: int
    def __init__(self, context_count: _Optional[int] = ..., tokens: _Optional[_Union[Tokens, _Mapping]] = ..., counts: _Optional[_Union[Int64Array, _Mapping]] = ..., end_count: _Optional[int] = ..., complete: _Optional[bool] = ..., suffix_length: _Optional[int] = ..., sparse: _Optional[bool] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class InfgramNtdBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[InfgramNtdRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[InfgramNtdRequest, _Mapping]]] = ...) -> None: ...

class InfgramNtdBatchResponse(_message.Message):
    __slots__ = ("responses", "coverage", "generation")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[InfgramNtdResponse]
    coverage: Coverage
    generation: int
    def __init__(self, responses: _Optional[_Iterable[_Union[InfgramNtdResponse, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class InfgramScoresRequest(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: Query
    def __init__(self, text: _Optional[_Union[Query, _Mapping]] = ...) -> None: ...

class InfgramScoresResponse(_message.Message):
    __slots__ = ("probs", "suffix_lengths", "context_counts", "counts", "coverage", "generation")
    PROBS_FIELD_NUMBER: _ClassVar[int]
    SUFFIX_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_COUNTS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    probs: Float64Array
    suffix_lengths: Int64Array
    context_counts: Int64Array
    counts: Int64Array
    coverage: Coverage
    generation: int
    def __init__(self, probs: _Optional[_Union[Float64Array, _Mapping]] = ..., suffix_lengths: _Optional[_Union[Int64Array, _Mapping]] = ..., context_counts: _Optional[_Union[Int64Array, _Mapping]] = ..., counts: _Optional[_Union[Int64Array, _Mapping]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class InfgramScoresBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[InfgramScoresRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[InfgramScoresRequest, _Mapping]]] = ...) -> None: ...

class InfgramScoresBatchResponse(_message.Message):
    __slots__ = ("responses", "coverage", "generation")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[InfgramScoresResponse]
    coverage: Coverage
    generation: int
    def __init__(self, responses: _Optional[_Iterable[_Union[InfgramScoresResponse, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class MatchRequest(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: Query
    def __init__(self, text: _Optional[_Union[Query, _Mapping]] = ...) -> None: ...

class MatchResponse(_message.Message):
    __slots__ = ("lengths", "counts", "coverage", "generation")
    LENGTHS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    lengths: Int64Array
    counts: Int64Array
    coverage: Coverage
    generation: int
    def __init__(self, lengths: _Optional[_Union[Int64Array, _Mapping]] = ..., counts: _Optional[_Union[Int64Array, _Mapping]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class MatchBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[MatchRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[MatchRequest, _Mapping]]] = ...) -> None: ...

class MatchBatchResponse(_message.Message):
    __slots__ = ("responses", "coverage", "generation")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[MatchResponse]
    coverage: Coverage
    generation: int
    def __init__(self, responses: _Optional[_Iterable[_Union[MatchResponse, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class DraftRequest(_message.Message):
    __slots__ = ("context", "max_nodes", "max_depth", "min_score")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    MAX_NODES_FIELD_NUMBER: _ClassVar[int]
    MAX_DEPTH_FIELD_NUMBER: _ClassVar[int]
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    context: Query
    max_nodes: int
    max_depth: int
    min_score: float
    def __init__(self, context: _Optional[_Union[Query, _Mapping]] = ..., max_nodes: _Optional[int] = ..., max_depth: _Optional[int] = ..., min_score: _Optional[float] = ...) -> None: ...

class DraftResponse(_message.Message):
    __slots__ = ("tokens", "parents", "scores", "counts", "suffix_length", "context_count", "coverage", "generation")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    SUFFIX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_COUNT_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    tokens: Tokens
    parents: Int64Array
    scores: Float64Array
    counts: Int64Array
    suffix_length: int
    context_count: int
    coverage: Coverage
    generation: int
    def __init__(self, tokens: _Optional[_Union[Tokens, _Mapping]] = ..., parents: _Optional[_Union[Int64Array, _Mapping]] = ..., scores: _Optional[_Union[Float64Array, _Mapping]] = ..., counts: _Optional[_Union[Int64Array, _Mapping]] = ..., suffix_length: _Optional[int] = ..., context_count: _Optional[int] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class DraftBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[DraftRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[DraftRequest, _Mapping]]] = ...) -> None: ...

class DraftBatchResponse(_message.Message):
    __slots__ = ("responses", "coverage", "generation")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[DraftResponse]
    coverage: Coverage
    generation: int
    def __init__(self, responses: _Optional[_Iterable[_Union[DraftResponse, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class Document(_message.Message):
    __slots__ = ("number", "shard", "token_count", "start", "end", "ids", "text", "metadata_json", "matches")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    number: int
    shard: int
    token_count: int
    start: int
    end: int
    ids: Tokens
    text: str
    metadata_json: str
    matches: _containers.RepeatedCompositeFieldContainer[Occurrence]
    def __init__(self, number: _Optional[int] = ..., shard: _Optional[int] = ..., token_count: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., ids: _Optional[_Union[Tokens, _Mapping]] = ..., text: _Optional[str] = ..., metadata_json: _Optional[str] = ..., matches: _Optional[_Iterable[_Union[Occurrence, _Mapping]]] = ...) -> None: ...

class Occurrence(_message.Message):
    __slots__ = ("start", "end", "text_start", "text_end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TEXT_START_FIELD_NUMBER: _ClassVar[int]
    TEXT_END_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    text_start: int
    text_end: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ..., text_start: _Optional[int] = ..., text_end: _Optional[int] = ...) -> None: ...

class DocumentsRequest(_message.Message):
    __slots__ = ("query", "max_documents", "context", "skip")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    MAX_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    query: Query
    max_documents: int
    context: int
    skip: int
    def __init__(self, query: _Optional[_Union[Query, _Mapping]] = ..., max_documents: _Optional[int] = ..., context: _Optional[int] = ..., skip: _Optional[int] = ...) -> None: ...

class DocumentsResponse(_message.Message):
    __slots__ = ("documents", "coverage", "generation")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[Document]
    coverage: Coverage
    generation: int
    def __init__(self, documents: _Optional[_Iterable[_Union[Document, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class GetDocumentRequest(_message.Message):
    __slots__ = ("number", "metadata_only")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    METADATA_ONLY_FIELD_NUMBER: _ClassVar[int]
    number: int
    metadata_only: bool
    def __init__(self, number: _Optional[int] = ..., metadata_only: _Optional[bool] = ...) -> None: ...

class GetDocumentResponse(_message.Message):
    __slots__ = ("document", "coverage", "generation")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    document: Document
    coverage: Coverage
    generation: int
    def __init__(self, document: _Optional[_Union[Document, _Mapping]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class GetDocumentAtRequest(_message.Message):
    __slots__ = ("shard", "position", "context")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    shard: int
    position: int
    context: int
    def __init__(self, shard: _Optional[int] = ..., position: _Optional[int] = ..., context: _Optional[int] = ...) -> None: ...

class GetDocumentAtResponse(_message.Message):
    __slots__ = ("document", "coverage", "generation")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    document: Document
    coverage: Coverage
    generation: int
    def __init__(self, document: _Optional[_Union[Document, _Mapping]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class Clause(_message.Message):
    __slots__ = ("phrases",)
    PHRASES_FIELD_NUMBER: _ClassVar[int]
    phrases: _containers.RepeatedCompositeFieldContainer[Query]
    def __init__(self, phrases: _Optional[_Iterable[_Union[Query, _Mapping]]] = ...) -> None: ...

class SearchRequest(_message.Message):
    __slots__ = ("query", "clauses", "max_documents", "window", "seed", "context", "skip")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    CLAUSES_FIELD_NUMBER: _ClassVar[int]
    MAX_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    query: str
    clauses: _containers.RepeatedCompositeFieldContainer[Clause]
    max_documents: int
    window: int
    seed: int
    context: int
    skip: int
    def __init__(self, query: _Optional[str] = ..., clauses: _Optional[_Iterable[_Union[Clause, _Mapping]]] = ..., max_documents: _Optional[int] = ..., window: _Optional[int] = ..., seed: _Optional[int] = ..., context: _Optional[int] = ..., skip: _Optional[int] = ...) -> None: ...

class SearchSummary(_message.Message):
    __slots__ = ("count", "exact", "low", "high", "document_count", "anchor", "sampled")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    count: int
    exact: bool
    low: int
    high: int
    document_count: int
    anchor: int
    sampled: int
    def __init__(self, count: _Optional[int] = ..., exact: _Optional[bool] = ..., low: _Optional[int] = ..., high: _Optional[int] = ..., document_count: _Optional[int] = ..., anchor: _Optional[int] = ..., sampled: _Optional[int] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("summary", "documents", "coverage", "generation")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    summary: SearchSummary
    documents: _containers.RepeatedCompositeFieldContainer[Document]
    coverage: Coverage
    generation: int
    def __init__(self, summary: _Optional[_Union[SearchSummary, _Mapping]] = ..., documents: _Optional[_Iterable[_Union[Document, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class AttributeRequest(_message.Message):
    __slots__ = ("text", "min_length", "max_count", "keep", "keep_all", "words", "sentences", "max_documents", "context", "whole_documents", "seed")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MIN_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    KEEP_ALL_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    SENTENCES_FIELD_NUMBER: _ClassVar[int]
    MAX_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    WHOLE_DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    text: Query
    min_length: int
    max_count: int
    keep: float
    keep_all: bool
    words: bool
    sentences: bool
    max_documents: int
    context: int
    whole_documents: bool
    seed: int
    def __init__(self, text: _Optional[_Union[Query, _Mapping]] = ..., min_length: _Optional[int] = ..., max_count: _Optional[int] = ..., keep: _Optional[float] = ..., keep_all: _Optional[bool] = ..., words: _Optional[bool] = ..., sentences: _Optional[bool] = ..., max_documents: _Optional[int] = ..., context: _Optional[int] = ..., whole_documents: _Optional[bool] = ..., seed: _Optional[int] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("score", "document")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    score: float
    document: Document
    def __init__(self, score: _Optional[float] = ..., document: _Optional[_Union[Document, _Mapping]] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ("start", "end", "count", "log_probability", "text", "sources")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LOG_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    count: int
    log_probability: float
    text: str
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ..., count: _Optional[int] = ..., log_probability: _Optional[float] = ..., text: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ...) -> None: ...

class AttributeResponse(_message.Message):
    __slots__ = ("ids", "spans", "found", "lengths", "coverage", "generation")
    IDS_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    LENGTHS_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    ids: Tokens
    spans: _containers.RepeatedCompositeFieldContainer[Span]
    found: int
    lengths: Int64Array
    coverage: Coverage
    generation: int
    def __init__(self, ids: _Optional[_Union[Tokens, _Mapping]] = ..., spans: _Optional[_Iterable[_Union[Span, _Mapping]]] = ..., found: _Optional[int] = ..., lengths: _Optional[_Union[Int64Array, _Mapping]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class AttributeBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[AttributeRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[AttributeRequest, _Mapping]]] = ...) -> None: ...

class AttributeBatchResponse(_message.Message):
    __slots__ = ("responses", "coverage", "generation")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    responses: _containers.RepeatedCompositeFieldContainer[AttributeResponse]
    coverage: Coverage
    generation: int
    def __init__(self, responses: _Optional[_Iterable[_Union[AttributeResponse, _Mapping]]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class Example(_message.Message):
    __slots__ = ("name", "question", "answer", "join")
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    JOIN_FIELD_NUMBER: _ClassVar[int]
    name: str
    question: _containers.RepeatedScalarFieldContainer[str]
    answer: _containers.RepeatedScalarFieldContainer[str]
    join: str
    def __init__(self, name: _Optional[str] = ..., question: _Optional[_Iterable[str]] = ..., answer: _Optional[_Iterable[str]] = ..., join: _Optional[str] = ...) -> None: ...

class Definition(_message.Message):
    __slots__ = ("name", "parameters_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    parameters_json: str
    def __init__(self, name: _Optional[str] = ..., parameters_json: _Optional[str] = ...) -> None: ...

class ContaminationOptions(_message.Message):
    __slots__ = ("definitions", "most_count")
    DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    MOST_COUNT_FIELD_NUMBER: _ClassVar[int]
    definitions: _containers.RepeatedCompositeFieldContainer[Definition]
    most_count: int
    def __init__(self, definitions: _Optional[_Iterable[_Union[Definition, _Mapping]]] = ..., most_count: _Optional[int] = ...) -> None: ...

class ContaminationRequest(_message.Message):
    __slots__ = ("options", "examples")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    options: ContaminationOptions
    examples: _containers.RepeatedCompositeFieldContainer[Example]
    def __init__(self, options: _Optional[_Union[ContaminationOptions, _Mapping]] = ..., examples: _Optional[_Iterable[_Union[Example, _Mapping]]] = ...) -> None: ...

class Measure(_message.Message):
    __slots__ = ("definition", "verdict", "found", "total")
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    definition: str
    verdict: str
    found: int
    total: int
    def __init__(self, definition: _Optional[str] = ..., verdict: _Optional[str] = ..., found: _Optional[int] = ..., total: _Optional[int] = ...) -> None: ...

class PartMeasures(_message.Message):
    __slots__ = ("part", "measures")
    PART_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    part: str
    measures: _containers.RepeatedCompositeFieldContainer[Measure]
    def __init__(self, part: _Optional[str] = ..., measures: _Optional[_Iterable[_Union[Measure, _Mapping]]] = ...) -> None: ...

class ExampleSpan(_message.Message):
    __slots__ = ("part", "text", "start", "end")
    PART_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    part: str
    text: int
    start: int
    end: int
    def __init__(self, part: _Optional[str] = ..., text: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("definition", "span", "window", "normalized", "count", "document", "metadata_json", "context", "start", "end")
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    SPAN_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    NORMALIZED_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    definition: str
    span: ExampleSpan
    window: str
    normalized: bool
    count: int
    document: int
    metadata_json: str
    context: str
    start: int
    end: int
    def __init__(self, definition: _Optional[str] = ..., span: _Optional[_Union[ExampleSpan, _Mapping]] = ..., window: _Optional[str] = ..., normalized: _Optional[bool] = ..., count: _Optional[int] = ..., document: _Optional[int] = ..., metadata_json: _Optional[str] = ..., context: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class Judged(_message.Message):
    __slots__ = ("number", "parts", "spans", "evidence")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    number: int
    parts: _containers.RepeatedCompositeFieldContainer[PartMeasures]
    spans: _containers.RepeatedCompositeFieldContainer[ExampleSpan]
    evidence: Evidence
    def __init__(self, number: _Optional[int] = ..., parts: _Optional[_Iterable[_Union[PartMeasures, _Mapping]]] = ..., spans: _Optional[_Iterable[_Union[ExampleSpan, _Mapping]]] = ..., evidence: _Optional[_Union[Evidence, _Mapping]] = ...) -> None: ...

class Offender(_message.Message):
    __slots__ = ("number", "metadata_json", "examples", "window", "count")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    METADATA_JSON_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    number: int
    metadata_json: str
    examples: _containers.RepeatedScalarFieldContainer[str]
    window: str
    count: int
    def __init__(self, number: _Optional[int] = ..., metadata_json: _Optional[str] = ..., examples: _Optional[_Iterable[str]] = ..., window: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class ContaminationSummary(_message.Message):
    __slots__ = ("definitions_json", "unavailable", "not_followed")
    class DefinitionsJsonEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class UnavailableEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DEFINITIONS_JSON_FIELD_NUMBER: _ClassVar[int]
    UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    NOT_FOLLOWED_FIELD_NUMBER: _ClassVar[int]
    definitions_json: _containers.ScalarMap[str, str]
    unavailable: _containers.ScalarMap[str, str]
    not_followed: int
    def __init__(self, definitions_json: _Optional[_Mapping[str, str]] = ..., unavailable: _Optional[_Mapping[str, str]] = ..., not_followed: _Optional[int] = ...) -> None: ...

class ContaminationResponse(_message.Message):
    __slots__ = ("judged", "offenders", "summary", "coverage", "generation")
    JUDGED_FIELD_NUMBER: _ClassVar[int]
    OFFENDERS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    judged: _containers.RepeatedCompositeFieldContainer[Judged]
    offenders: _containers.RepeatedCompositeFieldContainer[Offender]
    summary: ContaminationSummary
    coverage: Coverage
    generation: int
    def __init__(self, judged: _Optional[_Iterable[_Union[Judged, _Mapping]]] = ..., offenders: _Optional[_Iterable[_Union[Offender, _Mapping]]] = ..., summary: _Optional[_Union[ContaminationSummary, _Mapping]] = ..., coverage: _Optional[_Union[Coverage, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class Cnf(_message.Message):
    __slots__ = ("query", "clauses", "window")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    CLAUSES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    query: str
    clauses: _containers.RepeatedCompositeFieldContainer[Clause]
    window: int
    def __init__(self, query: _Optional[str] = ..., clauses: _Optional[_Iterable[_Union[Clause, _Mapping]]] = ..., window: _Optional[int] = ...) -> None: ...

class DocumentsFoundRequest(_message.Message):
    __slots__ = ("query", "most")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    query: Query
    most: int
    def __init__(self, query: _Optional[_Union[Query, _Mapping]] = ..., most: _Optional[int] = ...) -> None: ...

class DocumentsFoundResponse(_message.Message):
    __slots__ = ("count", "generation")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    count: int
    generation: int
    def __init__(self, count: _Optional[int] = ..., generation: _Optional[int] = ...) -> None: ...

class ClauseCountsRequest(_message.Message):
    __slots__ = ("cnf",)
    CNF_FIELD_NUMBER: _ClassVar[int]
    cnf: Cnf
    def __init__(self, cnf: _Optional[_Union[Cnf, _Mapping]] = ...) -> None: ...

class ClauseCountsResponse(_message.Message):
    __slots__ = ("counts", "generation")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    counts: Int64Array
    generation: int
    def __init__(self, counts: _Optional[_Union[Int64Array, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class SearchPartRequest(_message.Message):
    __slots__ = ("cnf", "anchor", "seed", "confidence", "most")
    CNF_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    cnf: Cnf
    anchor: int
    seed: int
    confidence: float
    most: int
    def __init__(self, cnf: _Optional[_Union[Cnf, _Mapping]] = ..., anchor: _Optional[int] = ..., seed: _Optional[int] = ..., confidence: _Optional[float] = ..., most: _Optional[int] = ...) -> None: ...

class SearchPartResponse(_message.Message):
    __slots__ = ("count", "low", "high", "sampled", "total", "documents", "places", "generation")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    count: int
    low: int
    high: int
    sampled: int
    total: int
    documents: int
    places: Int64Array
    generation: int
    def __init__(self, count: _Optional[int] = ..., low: _Optional[int] = ..., high: _Optional[int] = ..., sampled: _Optional[int] = ..., total: _Optional[int] = ..., documents: _Optional[int] = ..., places: _Optional[_Union[Int64Array, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class SearchPlacesRequest(_message.Message):
    __slots__ = ("cnf", "anchor", "seed", "ordinals")
    CNF_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ORDINALS_FIELD_NUMBER: _ClassVar[int]
    cnf: Cnf
    anchor: int
    seed: int
    ordinals: Int64Array
    def __init__(self, cnf: _Optional[_Union[Cnf, _Mapping]] = ..., anchor: _Optional[int] = ..., seed: _Optional[int] = ..., ordinals: _Optional[_Union[Int64Array, _Mapping]] = ...) -> None: ...

class SearchPlacesResponse(_message.Message):
    __slots__ = ("places", "generation")
    PLACES_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    places: Int64Array
    generation: int
    def __init__(self, places: _Optional[_Union[Int64Array, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class SearchDocumentsRequest(_message.Message):
    __slots__ = ("cnf", "places", "length", "context")
    CNF_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    cnf: Cnf
    places: Int64Array
    length: int
    context: int
    def __init__(self, cnf: _Optional[_Union[Cnf, _Mapping]] = ..., places: _Optional[_Union[Int64Array, _Mapping]] = ..., length: _Optional[int] = ..., context: _Optional[int] = ...) -> None: ...

class SearchDocumentsResponse(_message.Message):
    __slots__ = ("documents", "generation")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[Document]
    generation: int
    def __init__(self, documents: _Optional[_Iterable[_Union[Document, _Mapping]]] = ..., generation: _Optional[int] = ...) -> None: ...

class LocatedRequest(_message.Message):
    __slots__ = ("queries",)
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    queries: TokenBatch
    def __init__(self, queries: _Optional[_Union[TokenBatch, _Mapping]] = ...) -> None: ...

class LocatedResponse(_message.Message):
    __slots__ = ("counts", "generation")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    counts: Int64Array
    generation: int
    def __init__(self, counts: _Optional[_Union[Int64Array, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class OccurrencesRequest(_message.Message):
    __slots__ = ("queries", "which", "numbers")
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    WHICH_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    queries: TokenBatch
    which: Int64Array
    numbers: Int64Array
    def __init__(self, queries: _Optional[_Union[TokenBatch, _Mapping]] = ..., which: _Optional[_Union[Int64Array, _Mapping]] = ..., numbers: _Optional[_Union[Int64Array, _Mapping]] = ...) -> None: ...

class OccurrencesResponse(_message.Message):
    __slots__ = ("rows", "generation")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    rows: Int64Array
    generation: int
    def __init__(self, rows: _Optional[_Union[Int64Array, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class WordCountsRequest(_message.Message):
    __slots__ = ("places", "text")
    PLACES_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    places: Int64Array
    text: Tokens
    def __init__(self, places: _Optional[_Union[Int64Array, _Mapping]] = ..., text: _Optional[_Union[Tokens, _Mapping]] = ...) -> None: ...

class WordCountsResponse(_message.Message):
    __slots__ = ("counts", "sizes", "generation")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    counts: Int64Array
    sizes: Int64Array
    generation: int
    def __init__(self, counts: _Optional[_Union[Int64Array, _Mapping]] = ..., sizes: _Optional[_Union[Int64Array, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class DocumentsAroundRequest(_message.Message):
    __slots__ = ("queries", "places", "context")
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    queries: TokenBatch
    places: Int64Array
    context: int
    def __init__(self, queries: _Optional[_Union[TokenBatch, _Mapping]] = ..., places: _Optional[_Union[Int64Array, _Mapping]] = ..., context: _Optional[int] = ...) -> None: ...

class DocumentsAroundResponse(_message.Message):
    __slots__ = ("documents", "generation")
    DOCUMENTS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    documents: _containers.RepeatedCompositeFieldContainer[Document]
    generation: int
    def __init__(self, documents: _Optional[_Iterable[_Union[Document, _Mapping]]] = ..., generation: _Optional[int] = ...) -> None: ...
