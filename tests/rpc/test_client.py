"""A remote index answers field by field as a local one, to good queries and bad ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from building import build_ids
from hypothesis import given, settings
from hypothesis import strategies as st
from remote import Server, outcome, plain
from texts import build_text, byte_level

import gramdex
from gramdex.decoding import draft
from gramdex.errors import (
    GramdexError,
    LimitError,
    QueryError,
    ServiceError,
    TokenizerError,
    UsageError,
)
from gramdex.fmindex.batches import Batches
from gramdex.fmindex.queries.contamination.corpus import NormalizedIndex
from gramdex.fmindex.queries.contamination.definitions import DEFINITIONS
from gramdex.fmindex.queries.contamination.normalization import Normalization
from gramdex.fmindex.results import Interval
from gramdex.rpc.client import documents
from gramdex.rpc.client.partial import QUERIES
from gramdex.rpc.client.remote_index import RemoteIndex
from gramdex.rpc.coverage import Coverage, Partial, common_coverage
from gramdex.rpc.limits import Limits
from gramdex.tools.contamination.side_index import normalized_index

TEXTS = [
    "the suffix array of the corpus, and the suffix tree of the corpus. It is an index.",
    " the index of the naïve données, 数据 索引 🙂🙂",
    "aaaaaaaa aaa aaaa the cat sat on the mat again and again",
    "",
    "the cat sat on the mat. The dog did not; the cat sat on the mat again and again and again",
    "\x00the\x00 a\x00 <|endoftext|> the index",
]
IDS = [[1, 2, 3, 1, 2], [], [1, 2, 4, 1, 2], [300, 7], [7] * 9]


@dataclass
class Pair:
    local: gramdex.Index
    remote: RemoteIndex
    server: Server


def _open(name: str, folder: Path) -> gramdex.Index:
    if name == "ids":
        return gramdex.open(build_ids(folder, IDS, 1000, shard_tokens=10))
    if name == "taken down":
        index = build_text(folder / "all", TEXTS, "bytes")
        return gramdex.open(index, takedown=build_text(folder / "taken", TEXTS[2:3], "bytes"))
    kind, engine = name.split()
    tokenizer = "bytes" if kind == "bytes" else byte_level(folder)
    return gramdex.open(
        build_text(folder / "index", TEXTS, tokenizer, engine=engine, shard_tokens=100)
    )


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Pair]]:
    """A local and a remote index by name, made when first asked for."""
    made: dict[str, Pair] = {}

    def get(name: str) -> Pair:
        if name not in made:
            local = _open(name, tmp_path_factory.mktemp(name.replace(" ", "-")))
            server = Server(local)
            made[name] = Pair(local, gramdex.connect(server.name), server)
        return made[name]

    yield get
    for pair in made.values():
        pair.remote.close()
        pair.server.stop()


NAMES = ["bytes sa", "bytes fm", "bpe sa", "bpe fm", "ids", "taken down"]


@pytest.fixture(params=NAMES)
def pair(request: pytest.FixtureRequest, pairs: Callable[[str], Pair]) -> Pair:
    return pairs(request.param)


def _ids(pair: Pair, text: str) -> list[int]:
    kind = pair.local.tokenizer.kind
    return [1, 2] if kind == "none" else pair.local.encode(text).tolist()


def _same(pair: Pair, method: str, *arguments: Any, **options: Any) -> Any:
    """Ask both; the answers are the same, or the errors are of one class and one thing."""
    asked = [
        lambda index=index: getattr(index, method)(*arguments, **options)
        for index in (pair.local, pair.remote)
    ]
    local, remote = map(outcome, asked)
    assert remote == local, (method, arguments, options)
    return local


GOOD: list[Any] = ["the", "the cat", "é", "🙂", "a", "aaa", "no such thing", " ", "\x00", ""]


def _queries(pair: Pair) -> list[Any]:
    """Queries of every form, good and bad."""
    of_text = [_ids(pair, text) for text in ("the cat", "the suffix", "again", "index of the n")]
    arrays = [np.array(of_text[0]).astype(dtype) for dtype in ("u1", "u2", "i8", ">u4")]
    bad = [
        *([-1], [10**6], [1 << 32], [1 << 63], [1 << 70], [1.5], [None], [[1, 2]], 5, None, {}),
        *([True], ["a"], b"the", np.array(1), np.ones((2, 2), int), [float("nan")]),
        *(np.array([1.0]), np.array(["x"]), object(), [pair.local.vocabulary_size]),
    ]
    bad += [] if pair.local.tokenizer.kind == "none" else ["\ud800"]
    return [*GOOD, [], (), np.empty(0, int), *of_text, *arrays, *bad]


ONE_QUERY = ("count", "find", "ntd", "infgram_ntd", "infgram_scores", "match", "documents")


@pytest.mark.parametrize("method", ONE_QUERY)
def test_every_query_of_every_form(pair: Pair, method: str) -> None:
    good = 0
    for query in _queries(pair):
        good += not isinstance(_same(pair, method, query), str)
    assert good >= 4


@pytest.mark.parametrize("method", ["prob", "infgram_prob"])
def test_probabilities(pair: Pair, method: str) -> None:
    queries, first = _queries(pair), _ids(pair, "the cat")[-1]
    for query in queries:
        _same(pair, method, query, first)
    for token in (0, 7, "t", "the", "", "the cat", -1, 10**6, 1 << 40, None, 1.5, [1], True):
        _same(pair, method, _ids(pair, "the"), token)
    assert pair.remote.prob([], first).prob == pair.local.prob([], first).prob
    assert outcome(lambda: pair.remote.prob([first] * 50, first))[1]["prob"] == ("NoneType", None)


def test_limits_of_distributions(pair: Pair) -> None:
    context = _ids(pair, "the")[:1]
    for method in ("ntd", "infgram_ntd"):
        for limit in (1, 2, 10**9, 1 << 63, 1 << 70, 0, -1, 1.5, True, "1"):
            _same(pair, method, context, limit)


def test_batches(pair: Pair) -> None:
    """Of good queries in every form of a batch; of a bad one the error that it has alone."""
    ids = [_ids(pair, text) for text in ("the cat", "again", "the", "the suffix")]
    token = ids[0][-1]
    rows = np.array([each[:1] * 2 for each in ids])
    forms: list[Any] = [ids, list(map(tuple, ids)), list(map(np.array, ids)), rows, [], [[]]]
    forms += [[*ids, []], iter, np.empty((0, 3), int), "the", [[1], [-1]], [[1], [10**6]]]
    forms += [[*ids, "the"], ["the", "é", *ids, ""], ["the"], [[1], [1.5]], np.ones(3, int), 5]
    for form in forms:
        queries = [1, 2] if form is iter else form
        if not isinstance(queries, int):  # a local index raises TypeError
            _same(pair, "count_batch", queries)
        for method in ("ntd_batch", "infgram_ntd_batch", "infgram_scores_batch", "match_batch"):
            _same(pair, method, queries)
        _same(pair, "prob_batch", queries, [token] * 4)
        _same(pair, "infgram_prob_batch", queries, [token] * len(ids))
    assert outcome(lambda: pair.remote.count_batch(5)) == "QueryError"
    assert pair.remote.count_batch(ids).tolist() == [pair.local.count(each) for each in ids]
    _same(pair, "ntd_batch", ids, 1)
    _same(pair, "ntd_batch", ids, 0)
    _same(pair, "prob_batch", ids, ["t"])


def test_count_flat(pair: Pair) -> None:
    ids, offsets = np.array([1, 2, 1, 2, 7], np.int64), np.array([0, 2, 2, 5])
    expected = pair.local.count_flat(ids.copy(), offsets)
    assert plain(pair.remote.count_flat(ids.copy(), offsets)) == plain(expected)
    assert pair.remote.count_flat(ids[:0], offsets[:1]).size == 0


def test_find_and_locate(pair: Pair) -> None:
    if pair.local.takedown is not None:
        assert _same(pair, "find", [1]) == "QueryError"
        assert _same(pair, "locate", Interval(0, 0, 1)) == "QueryError"
        return
    for interval in pair.local.find(_ids(pair, "the")[:1]):
        assert _same(pair, "locate", interval)[0] == "int64"
    size = pair.local.shards[0].size
    numbers = [(0, 0, 0), (0, 2, 1), (0, 0, size + 1), (99, 0, 1), (-1, 0, 0), (0, 1 << 70, 0)]
    for shard, low, high in [*numbers, ("0", 0, 1), (0, 0.5, 1), (0, 0, True)]:
        _same(pair, "locate", Interval(shard, low, high))  # type: ignore[arg-type]


def test_documents(pair: Pair) -> None:
    query = _ids(pair, "the")[:1]
    assert pair.remote.documents(query), "there is something to compare"
    for options in (
        *({"max_documents": 1}, {"max_documents": 0}, {"context": 0}, {"context": 3}),
        *({"skip": 1}, {"skip": 99}, {"context": 1 << 70}, {"max_documents": -1}),
        *({"skip": -1}, {"context": 1.5}, {"max_documents": None}, {"skip": None}),
    ):
        _same(pair, "documents", query, **options)
        if pair.local.tokenizer.kind != "none":
            _same(pair, "documents", "the", **options)
    for number in (*range(8), -1, 1 << 62, 1 << 70, "1", None):
        _same(pair, "document", number)
    for place in ((0, 0), (0, 5, 2), (0, 5, 1 << 70), (0, 10**6), (9, 0), (-1, 0), (0, -1)):
        _same(pair, "document_at", *place)


def test_metadata_comes_back_as_it_was(pairs: Callable[[str], Pair]) -> None:
    pair = pairs("bytes sa")
    document = pair.remote.document(0)
    assert document.metadata == pair.local.document(0).metadata
    assert document.metadata
    assert document.ids.dtype == np.int64


def test_search(pair: Pair) -> None:
    ids = _ids(pair, "the")[:1]
    searches: list[Any] = [
        *("the AND cat", '("the cat" OR index) AND the', "the NEAR/3", "", " ", "("),
        *([["the"]], [["the", "cat"], ["mat"]], ["the", "mat"], [[ids]], [[ids], [ids]]),
        *([], [[]], [[1, 2]], 5, None, [5], [[None]], [[[-1]]], [[[10**6]]], [[""]]),
    ]
    searches += [] if pair.local.tokenizer.kind == "none" else ["\ud800", [["\ud800"]]]
    answered = [_same(pair, "search", each) for each in searches]
    assert any(not isinstance(each, str) for each in answered)
    for options in (
        *({"window": 2}, {"window": 0}, {"window": -1}, {"window": 1 << 70}, {"seed": 3}),
        *({"seed": -1}, {"context": 2}, {"skip": 1}, {"max_documents": 1}, {"max_documents": -1}),
    ):
        _same(pair, "search", [[ids], [ids]], **options)
    assert outcome(lambda: pair.remote.search([[ids]], seed=1 << 63)) == "QueryError"


ATTRIBUTIONS: list[dict[str, Any]] = [
    *({}, {"min_length": 2}, {"max_count": 1}, {"keep": None}, {"keep": 1}, {"keep": 0.5}),
    *({"words": False}, {"words": True}, {"sentences": True}, {"max_documents": 0}, {"seed": 9}),
    *({"context": None}, {"context": 0}, {"min_length": 0}, {"keep": 0}, {"keep": float("nan")}),
    *({"keep": "x"}, {"max_documents": -1}, {"seed": -1}, {"min_length": 1 << 70}),
]


def test_attribution(pair: Pair) -> None:
    text = "the cat sat on the mat again. Nobody wrote the suffix array of the corpus"
    given = _ids(pair, text)
    for changed in ATTRIBUTIONS:
        options = {"min_length": 2, "keep": None} | changed
        _same(pair, "attribute", given, **options)
        _same(pair, "attribute", text, **options)
        _same(pair, "attribute_batch", [given, text, []], **options)
    for query in _queries(pair):
        _same(pair, "attribute", query, min_length=1)
    _same(pair, "attribute_batch", "the")


EXAMPLES: list[Any] = [
    "the cat sat on the mat again and again and again",
    ("what is the suffix array of the corpus, and the suffix tree of the corpus?", "an index"),
    "nothing like it was ever written anywhere in that form",
    ("", "the"),
    "naïve données, 数据 索引 🙂🙂 the index of the naïve données",
]


def test_contamination(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_EXAMPLE_BYTES", 500)
    for examples in (EXAMPLES, EXAMPLES[:1], EXAMPLES * 30, [], [5], [("a", 5)]):
        _same(pair, "contamination", examples)
    one = DEFINITIONS[:1]
    for options in ({"most_count": 1}, {"most_count": -1}, {"definitions": one}):
        _same(pair, "contamination", EXAMPLES, **options)
    _same(pair, "contamination", EXAMPLES, definitions=[])
    with pytest.raises(UsageError):
        pair.remote.contamination(["\ud800"])


def test_contamination_beside_normalized_text(pairs: Callable[[str], Pair], tmp_path: Path) -> None:
    for name in ("bytes sa", "bpe fm"):
        pair, normalization = pairs(name), Normalization()
        side = normalized_index(pair.local, normalization, tmp_path / name.replace(" ", "-"))
        assert isinstance(side, NormalizedIndex)
        found = _same(pair, "contamination", EXAMPLES, normalized=side)
        assert not isinstance(found, str)


def test_what_is_known_of_the_index(pair: Pair) -> None:
    local, remote = pair.local, pair.remote
    for name in ("token_count", "document_count", "vocabulary_size", "generation"):
        assert getattr(remote, name) == getattr(local, name)
    assert (remote.takedown is None) == (local.takedown is None)
    assert [
        (each.name, each.engine, each.size, each.token_count, each.documents)
        for each in remote.shards
    ] == [
        (each.name, each.manifest.engine, each.size, each.token_count, each.documents)
        for each in local.shards
    ]
    assert remote.shards[0].read_metadata(0) == local.shards[0].read_metadata(0)
    assert pair.server.name in repr(remote)
    with pytest.raises(UsageError, match="verify"):
        remote.verify()


def test_tokenizers(pair: Pair) -> None:
    local, remote = pair.local, pair.remote
    for text in ["the cat", "", "🙂 é", "\ud800", 5, None]:
        _same(pair, "encode", text)
    ids = _ids(pair, "naïve 🙂 the")
    bad = [] if local.tokenizer.kind == "none" else [[10**6], [-1], [1 << 40]]
    for some in [ids, [], np.array(ids, np.uint16), *bad]:
        _same(pair, "decode", some)
    assert remote.tokenizer.fingerprint == local.tokenizer.fingerprint
    assert remote.tokenizer is remote.with_timeout(5).tokenizer
    assert remote.tokenizer.kind == local.tokenizer.kind
    assert plain(dict(remote.tokenizer.options)) == plain(dict(local.tokenizer.options))
    if local.tokenizer.kind != "none":
        assert remote.tokenizer.encode("the cat").tolist() == _ids(pair, "the cat")
    remote.require_tokenizer(local.tokenizer)
    with pytest.raises(TokenizerError, match="another fingerprint"):
        remote.require_tokenizer("another fingerprint")


def test_errors_name_what_the_local_ones_name(pair: Pair) -> None:
    """The same thing, after the field of the request it came in."""
    asked: list[tuple[str, tuple[Any, ...]]] = [
        *(("count", ([10**6],)), ("match", ([3, 10**6],)), ("ntd", ([1], 0)), ("document", (99,))),
        *(("prob", ([1], 10**6)), ("count", ([1, -5],)), ("count_batch", ([[1], [1 << 40]],))),
        *(("documents", ([1], -1)), ("locate", (Interval(0, 5, 1),)), ("search", ("(",))),
        *(("attribute", ([1], -1)), ("contamination", ([5],)), ("match_batch", ([[1], [-7]],))),
    ]
    for method, arguments in asked:
        errors = []
        for index in (pair.local, pair.remote):
            with pytest.raises(QueryError) as raised:
                getattr(index, method)(*arguments)
            errors.append(raised.value)
        assert errors[1].thing.endswith(errors[0].thing), (method, arguments)
        assert type(errors[1]) is type(errors[0])


@pytest.mark.parametrize("name", ["bytes sa", "bpe fm", "ids"])
def test_random_queries(name: str, pairs: Callable[[str], Pair]) -> None:
    pair = pairs(name)
    vocabulary = sorted({token for i in range(5) for token in pair.local.document(i).ids.tolist()})
    tokens = st.lists(st.sampled_from(vocabulary), max_size=6)
    texts = st.text("the catsnximdé🙂 ", max_size=5)
    queries = tokens if name == "ids" else tokens | texts

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(st.lists(queries, min_size=1, max_size=8), st.sampled_from(vocabulary))
    def ask(batch: list[Any], token: int) -> None:
        for method in ("count_batch", "match_batch", "infgram_ntd_batch", "infgram_scores_batch"):
            _same(pair, method, batch)
        _same(pair, "infgram_prob_batch", batch, [token] * len(batch))
        _same(pair, "count", batch[0])
        _same(pair, "find", batch[0])
        _same(pair, "infgram_prob", batch[0], token)

    ask()


@pytest.mark.parametrize("name", NAMES)
def test_cursors_step_as_local_ones(name: str, pairs: Callable[[str], Pair]) -> None:
    pair = pairs(name)
    stream = _ids(pair, "the cat sat on a suffix array of the corpus")
    cursors = [pair.local.cursor(), pair.remote.cursor()]
    steps: list[Any] = [[], stream[:3], stream[3:4], stream[4:], "the", [10**6], stream[:1] * 9]
    for step in steps:
        for ask in (
            lambda each, step=step: each.extend(step),
            lambda each: (each.suffix_length, each.count),
            lambda each: each.prob(stream[0]),
            lambda each: each.ntd(3),
            lambda each: each.ntd(0),
            lambda each: [x if x.count else x.shard for x in each.find()],
            lambda each: each.copy().prob(stream[1]),
        ):
            local, remote = (outcome(lambda each=each, ask=ask: ask(each)) for each in cursors)
            assert remote == local, step
    copies = [each.copy() for each in cursors]
    for cursor in copies:
        cursor.extend(stream[:2])
    assert plain(copies[0].ntd()) == plain(copies[1].ntd())
    assert plain(cursors[0].ntd()) == plain(cursors[1].ntd())
    assert repr(cursors[0]) == repr(cursors[1])


def test_both_have_the_same_batches() -> None:
    names = [name for name in vars(Batches) if name.endswith("_batch")]
    assert len(names) == 7
    public = {name for name in dir(gramdex.Index) if not name.startswith("_")}
    files = {"plain_engine", "require_undamaged"}
    assert public - files <= {name for name in dir(RemoteIndex) if not name.startswith("_")}
    assert set(names) | {"count_batch"} <= set(dir(RemoteIndex))


# --- limits and splitting ---------------------------------------------------------------------


@pytest.fixture
def narrow(pairs: Callable[[str], Pair]) -> Iterator[Pair]:
    """A server with limits that everything goes over."""
    local = pairs("bytes sa").local
    limits = Limits(batch=7, batch_tokens=200, query_tokens=50, query_bytes=50, documents=3)
    with Server(local, limits=limits) as server, gramdex.connect(server.name) as remote:
        yield Pair(local, remote, server)


def test_batches_are_split_and_put_together(narrow: Pair) -> None:
    local = narrow.local
    text = local.document(4).ids.tolist()
    queries = [text[start : start + size] for start in range(40) for size in (1, 3, 30)]
    expected = [local.count(query) for query in queries]
    assert narrow.remote.count_batch(queries).tolist() == expected
    assert narrow.server.service.calls.count("CountBatch") >= len(queries) // 7
    mixed = ["the", *queries[:20], "cat", *queries[20:]]
    assert narrow.remote.count_batch(mixed).tolist() == local.count_batch(mixed).tolist()
    tokens = [text[i] for i in range(len(queries) % 80, 80)][:40]
    contexts = queries[: len(tokens)]
    for method in ("prob_batch", "infgram_prob_batch"):
        assert _same(narrow, method, contexts, tokens)[1]
    for method in ("ntd_batch", "infgram_ntd_batch", "match_batch", "infgram_scores_batch"):
        assert len(_same(narrow, method, queries)[1]) == len(queries)


def test_a_query_over_a_limit_is_refused_by_its_name(narrow: Pair) -> None:
    for ask in (
        lambda: narrow.remote.count([1] * 51),
        lambda: narrow.remote.count("a" * 51),
        lambda: narrow.remote.count_batch([[1]] * 20 + [[1] * 51]),
        lambda: narrow.remote.match_batch([[1]] * 20 + [[1] * 250]),
        lambda: narrow.remote.ntd([1] * 51),
    ):
        with pytest.raises(LimitError, match=r"query_tokens|query_bytes|batch_tokens"):
            ask()
    with pytest.raises(LimitError, match="the limit documents"):
        narrow.remote.documents("the", max_documents=4)


def test_parts_fit_the_messages_a_server_takes(pairs: Callable[[str], Pair]) -> None:
    local = pairs("bytes sa").local
    limits = Limits(request_bytes=2_000)
    with Server(local, limits=limits) as server, gramdex.connect(server.name) as remote:
        sizes: list[int] = []
        unary = server.service.unary

        def note(method: Any, data: bytes, caller: Any) -> bytes:
            sizes.append(len(data))
            return unary(method, data, caller)

        server.service.unary = note  # type: ignore[method-assign]
        queries = [[116, 104, 101][: i % 4] for i in range(1_000)]
        expected = local.count_batch(queries).tolist()
        assert remote.count_batch(queries).tolist() == expected
        assert remote.count_batch([*queries, "the"]).tolist() == [*expected, local.count("the")]
        assert len(remote.match_batch(queries)) == 1_000
        assert max(sizes) <= 2_000
        assert len(sizes) > 10


def test_errors_of_parts_are_numbered_through_the_batch(narrow: Pair) -> None:
    queries: list[Any] = [[1]] * 30
    for position in (0, 6, 7, 23, 29):
        wrong = [*queries[:position], [999], *queries[position + 1 :]]
        with pytest.raises(QueryError, match=rf"requests\[{position}\].*token id 999"):
            narrow.remote.match_batch(wrong)
        with pytest.raises(LimitError, match=rf"queries\[{position}\]"):
            narrow.remote.count_batch([*["a"] * position, "a" * 51, *["a"] * 10])


def test_answers_too_long_for_one_call_come_in_several(pairs: Callable[[str], Pair]) -> None:
    local = pairs("bytes sa").local
    limits = Limits(response_bytes=1 << 10)
    with Server(local, limits=limits) as server, gramdex.connect(server.name) as remote:
        texts = [local.document(0).ids] * 11
        with pytest.raises(LimitError, match="response_bytes"):
            remote.infgram_scores_batch(texts)
        short = [text[:20] for text in texts]
        assert plain(remote.infgram_scores_batch(short)) == plain(local.infgram_scores_batch(short))
        assert server.service.calls.count("InfgramScoresBatch") > 2


# --- another index is served meanwhile --------------------------------------------------------


def test_a_batch_is_of_one_index(pairs: Callable[[str], Pair], tmp_path: Path) -> None:
    """Another index is loaded between two parts: all are asked again."""
    local, limits = pairs("bytes sa").local, Limits(batch=5)
    other = gramdex.open(build_text(tmp_path, ["the the the"], "bytes"))
    queries = [[116]] * 40
    with Server(local, limits=limits) as server, gramdex.connect(server.name) as remote:
        remote.count([116])
        calls = server.service.calls

        def exchange(method: str) -> None:
            if calls.count("CountBatch") == 4:
                server.service.serving.exchange(other)

        server.service.before = exchange
        counts = remote.count_batch(queries)
        assert set(counts.tolist()) == {other.count([116])}
        assert (remote.generation, remote.token_count) == (other.generation, other.token_count)
        assert remote.document_count == 1


def test_an_index_that_never_stays_is_an_error(
    pairs: Callable[[str], Pair], tmp_path: Path
) -> None:
    both = [pairs("bytes sa").local, gramdex.open(build_text(tmp_path, ["the"], "bytes"))]
    with Server(both[0], limits=Limits(batch=5)) as server, gramdex.connect(server.name) as remote:
        calls = server.service.calls
        server.service.before = lambda _: server.service.serving.exchange(both[len(calls) % 2])
        with pytest.raises(ServiceError, match="another index in every attempt"):
            remote.count_batch([[116]] * 40)


def test_a_cursor_notices_another_index(pairs: Callable[[str], Pair], tmp_path: Path) -> None:
    local = pairs("bytes sa").local
    other = gramdex.open(build_text(tmp_path, ["the the the"], "bytes"))
    with Server(local) as server, gramdex.connect(server.name) as remote:
        cursor = remote.cursor("the")
        server.service.serving.exchange(other)
        for ask in (cursor.ntd, lambda: cursor.extend("x"), cursor.find):
            with pytest.raises(ServiceError, match="make another cursor"):
                ask()
        assert cursor.suffix_length == 3
        again = remote.cursor("the")
        assert plain(again.ntd()) == plain(other.cursor("the").ntd())
        assert remote.cursor().count == other.token_count


def test_intervals_of_another_index_are_refused(
    pairs: Callable[[str], Pair], tmp_path: Path
) -> None:
    local = pairs("bytes sa").local
    other = gramdex.open(build_text(tmp_path, ["the the the"], "bytes"))
    with Server(local) as server, gramdex.connect(server.name) as remote:
        (interval, *_) = remote.find([116])
        assert remote.locate(interval).tolist() == local.locate(interval).tolist()
        server.service.serving.exchange(other)
        with pytest.raises(ServiceError, match="find it again"):
            remote.locate(Interval(0, 0, 1))
        (interval,) = remote.find([116])
        assert remote.locate(interval).tolist() == other.locate(interval).tolist()
        assert f"{local.token_count:,} tokens" in repr(remote), "a repr asks nobody"
        assert remote.token_count == other.token_count


def test_another_tokenizer_is_fetched(pairs: Callable[[str], Pair]) -> None:
    first, second = pairs("bytes sa").local, pairs("bpe sa").local
    with Server(first) as server, gramdex.connect(server.name) as remote:
        assert remote.tokenizer.kind == "bytes"
        server.service.serving.exchange(second)
        assert remote.count([]) == second.token_count
        assert remote.tokenizer.fingerprint == second.tokenizer.fingerprint
        assert remote.vocabulary_size == second.vocabulary_size


# --- views ------------------------------------------------------------------------------------


def test_partial_answers_of_one_server_are_complete(pair: Pair) -> None:
    partial, total = pair.remote.partial(), pair.local.token_count
    token = _ids(pair, "the")[0]
    asked: dict[str, tuple[Any, ...]] = {
        **{name: ([token],) for name in ("count", "ntd", "infgram_ntd", "infgram_scores")},
        **{name: ([token],) for name in ("match", "documents", "attribute")},
        **{name: ([[token]],) for name in ("count_batch", "ntd_batch", "infgram_ntd_batch")},
        **{name: ([[token]],) for name in ("infgram_scores_batch", "match_batch")},
        **{name: ([token], token) for name in ("prob", "infgram_prob")},
        **{name: ([[token]], [token]) for name in ("prob_batch", "infgram_prob_batch")},
        "count_flat": (np.array([token]), np.array([0, 1])),
        "attribute_batch": ([[token]],),
        "document": (0,),
        "document_at": (0, 0),
        "metadata": (0,),
        "search": ([[[token]]],),
    }
    asked |= {"contamination": (EXAMPLES,)} if pair.local.tokenizer.kind != "none" else {}
    asked |= {"find": ([token],)} if pair.local.takedown is None else {}
    for name, arguments in asked.items():
        found = getattr(partial, name)(*arguments)
        assert isinstance(found, Partial)
        assert plain(found.answer) == plain(getattr(pair.local, name)(*arguments))
        assert found.coverage == Coverage(total, total)
        assert found.coverage.complete
    assert (
        set(asked) | {"contamination", "draft", "draft_batch", "locate", "find"}
        == set(QUERIES)
        == set(dir(partial))
    )
    assert partial.count_batch([]).coverage.complete
    with pytest.raises(AttributeError, match="tokenizer"):
        _ = partial.tokenizer
    with pytest.raises(QueryError):
        partial.count([-1])


def test_partial_is_asked_for_in_the_metadata(pairs: Callable[[str], Pair]) -> None:
    local, seen = pairs("bytes sa").local, []

    class Noting(Server):
        pass

    with Noting(local) as server, gramdex.connect(server.name) as remote:
        unary = server.service.unary

        def note(method: Any, data: bytes, caller: Any) -> bytes:
            seen.append(dict(caller.metadata()).get("gramdex-partial"))
            return unary(method, data, caller)

        server.service.unary = note  # type: ignore[method-assign]
        remote.count("the")
        remote.partial().count("the")
        remote.partial().count_batch([[1]])
        remote.count("the")
    assert seen == [None, "1", "1", None]


def test_coverage_of_several_calls() -> None:
    all_of_it, a, b = Coverage(10, 10), Coverage(7, 10, ("a",)), Coverage(6, 10, ("b",))
    assert common_coverage([all_of_it]) == all_of_it
    assert common_coverage([all_of_it, a, a]) == a
    assert common_coverage([a, b]) == Coverage(3, 10, ("a", "b"))
    both = Coverage(4, 10, ("a", "b"))
    assert common_coverage([a, both]) == both
    assert (a.share, a.complete, Coverage(0, 0).share) == (0.7, False, 1.0)
    assert repr(a) == "Coverage(70.00% of 10 tokens, without a)"


@pytest.mark.parametrize("kind", ["bytes sa", "bpe fm"])
def test_draft_trees(pairs: Callable[[str], Pair], kind: str) -> None:
    pair = pairs(kind)
    first = pair.local.ntd([]).tokens[:3].tolist()
    contexts = [first[:1], first, []]
    for options in ({}, {"max_nodes": 5, "max_depth": 2}, {"min_score": 0.3}, {"max_nodes": 0}):
        expected = [draft(pair.local, context, **options) for context in contexts]
        assert plain([pair.remote.draft(each, **options) for each in contexts]) == plain(expected)
        assert plain(pair.remote.draft_batch(contexts, **options)) == plain(expected)
        assert plain(draft(pair.remote, first, **options)) == plain(expected[1])
    for wrong in ({"max_nodes": -1}, {"max_depth": -1}, {"min_score": 2}, {"min_score": "x"}):
        with pytest.raises(QueryError, match=next(iter(wrong))):
            pair.remote.draft([1], **wrong)
    with pytest.raises(GramdexError, match="nodes"):
        pair.remote.draft([1], max_nodes=10**6)
