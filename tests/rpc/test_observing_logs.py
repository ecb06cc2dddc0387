"""Logs: what is written of calls and events, and what never is."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from observing import serve_index, small_index, watched

import gramdex
from gramdex.errors import CorruptIndexError, QueryError, UsageError
from gramdex.rpc import v1
from gramdex.rpc.methods import METHODS
from gramdex.rpc.observing import logs
from gramdex.rpc.observing.logs import CallLog, log_event, set_up_logs
from gramdex.rpc.server.access import Access
from gramdex.rpc.server.answers import ANSWERS
from gramdex.rpc.server.service import Told

CANARY, CANARY_ID = "xylophoneKestrel", 1_618_033


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> gramdex.Index:
    texts = ("banana", f"a {CANARY} in a corpus", f"another {CANARY}")
    return small_index(tmp_path_factory.mktemp("index"), texts)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    before = logs.LOGGER.handlers[:], logs.LOGGER.level, logs.LOGGER.propagate
    written = io.StringIO()
    set_up_logs("json", written)
    yield written
    logs.LOGGER.handlers[:], logs.LOGGER.level, logs.LOGGER.propagate = before


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_how_a_call_went(index: gramdex.Index, stream: io.StringIO) -> None:
    access = Access({"ann": "0123456789abcdef"})
    with watched(serve_index(index, CallLog("all"), access=access)) as server:
        request = v1.CountRequest(query=v1.Query(text="ana")).SerializeToString()
        stub = server.channel.unary_unary(METHODS["Count"].path)
        answer = stub(request, metadata=[("authorization", "Bearer 0123456789abcdef")])
        with pytest.raises(grpc.RpcError):
            stub(request)
    good, bad = lines(stream)
    assert (good["event"], good["level"], good["method"]) == ("call", "info", "Count")
    assert (good["status"], good["user"]) == ("OK", "ann")
    assert (good["request_bytes"], good["response_bytes"]) == (len(request), len(answer))
    assert good["request_hash"] == Told("Count", request=request).request_hash
    assert 0 < good["milliseconds"] < 30_000
    assert good["time"].endswith("Z")
    assert (bad["status"], bad["error"]) == ("UNAUTHENTICATED", "AccessError")
    assert "0123456789abcdef" not in stream.getvalue()


# ---------------------------------------------------------------- nothing of what was asked


def fill(message: Any, depth: int = 0) -> Any:
    """A message with the canary in every field that can hold it."""
    for field in message.DESCRIPTOR.fields:
        held = [field.name] if field.is_repeated else field.name
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if depth < 6 and not (field.message_type.GetOptions().map_entry):
                place = getattr(message, field.name)
                fill(place.add() if isinstance(held, list) else place, depth + 1)
                if not isinstance(held, list):
                    place.SetInParent()
        elif field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            text: Any = CANARY if field.type == FieldDescriptor.TYPE_STRING else CANARY.encode()
            if isinstance(held, list):
                getattr(message, field.name).append(text)
            else:
                setattr(message, field.name, text)
        elif field.type == FieldDescriptor.TYPE_UINT32 and not isinstance(held, list):
            setattr(message, field.name, 4 if field.name == "width" else CANARY_ID)
    return message


def requests(name: str) -> Iterator[bytes]:
    """Good ones and bad ones, all with the canary."""
    kind = METHODS[name].request
    yield fill(kind()).SerializeToString()
    yield b"\x0a\xff" + CANARY.encode()
    ids = v1.Query(tokens=v1.Tokens(ids=CANARY_ID.to_bytes(4, "little"), width=4))
    for query in (v1.Query(text=CANARY), ids, v1.Query(text=f"{CANARY}: [{CANARY}]")):
        request = kind()
        for field in kind.DESCRIPTOR.fields:
            if field.message_type is v1.Query.DESCRIPTOR:
                place = getattr(request, field.name)
                (place.add() if field.is_repeated else place).CopyFrom(query)
            elif field.message_type is v1.Tokens.DESCRIPTOR:
                getattr(request, field.name).CopyFrom(ids.tokens)
            elif field.name == "cnf":
                request.cnf.query = query.text
            elif field.name in ("text", "query"):
                setattr(request, field.name, query.text)
            elif field.name == "token":
                request.token.text = CANARY
            elif field.name == "requests":
                inner = request.requests.add()
                place = getattr(inner, inner.DESCRIPTOR.fields[0].name)
                place.CopyFrom(query)
            elif field.message_type is v1.Clause.DESCRIPTOR:
                request.clauses.add().phrases.add().CopyFrom(query)
        yield request.SerializeToString()


@pytest.mark.parametrize("form", ["json", "text"])
def test_nothing_of_what_was_asked_is_written(
    index: gramdex.Index, stream: io.StringIO, form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(form, stream)
    ended: set[tuple[str, bool]] = set()
    with watched(serve_index(index, CallLog("all"))) as server:
        made = 0
        for name in METHODS:
            for request in requests(name):
                made += 1
                try:
                    server.call(name, request)
                    ended.add((name, True))
                except grpc.RpcError:
                    ended.add((name, False))
    written = stream.getvalue()
    assert len(written.splitlines()) == made
    assert {name for name, good in ended if not good} >= METHODS.keys() - {"GetTokenizer"}
    assert len({name for name, good in ended if good}) > 15
    said = "".join([written, *capfd.readouterr()]).lower()
    for secret in (CANARY, CANARY.encode().hex(), str(CANARY_ID), f"{CANARY_ID:,}", CANARY[:9]):
        assert secret.lower() not in said


def test_an_unexpected_error_says_where_and_not_what(
    index: gramdex.Index, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(call: Any, request: Any) -> Any:
        raise KeyError(CANARY)

    monkeypatch.setitem(ANSWERS, "Count", broken)
    with watched(serve_index(index, CallLog())) as server, pytest.raises(grpc.RpcError):
        server.count(CANARY)
    (line,) = lines(stream)
    assert (line["level"], line["status"], line["error"]) == ("error", "INTERNAL", "KeyError")
    assert line["trace"][-1].startswith("rpc/test_observing_logs.py:")
    assert line["trace"][-1].endswith(" broken")
    assert CANARY not in stream.getvalue()


@pytest.mark.parametrize(
    ("method", "thing", "field"),
    [
        ("Count", "query: token id 5", "query"),
        ("Count", "query.tokens.width", "query.tokens.width"),
        ("Count", f"query.{CANARY}", "query"),
        ("Count", f"{CANARY}: query", ""),
        ("Count", f"query.text.{CANARY}", "query.text"),
        ("Count", f"query{CANARY}", ""),
        ("ProbBatch", "requests[17].context.tokens", "requests[17].context.tokens"),
        ("ProbBatch", f"requests[{CANARY}]", ""),
        ("Search", "clauses[0].phrases[2]: an empty phrase", "clauses[0].phrases[2]"),
        ("Count", "", ""),
    ],
)
def test_only_the_field_of_an_error_is_written(
    stream: io.StringIO, method: str, thing: str, field: str
) -> None:
    told = Told(method, error=QueryError(thing, CANARY))
    CallLog("all").ended(told, None)
    (line,) = lines(stream)
    assert (line["error"], line.get("field", "")) == ("QueryError", field)
    assert CANARY not in stream.getvalue()


# ---------------------------------------------------------------- which calls


def test_by_default_slow_calls_and_faults(stream: io.StringIO) -> None:
    log = CallLog("errors", slow_seconds=0.5)
    log.ended(Told("Count", 0.1), None)
    log.ended(Told("Count", 0.1, error=QueryError("query", "nothing")), None)
    log.ended(Told("Match", 0.5), None)
    log.ended(Told("Ntd", 0.1, error=CorruptIndexError("tokens.gdx", "cut off")), None)
    log.ended(Told("Find", 0.1, error=MemoryError()), None)
    slow, corrupt, memory = lines(stream)
    assert (slow["method"], slow["level"]) == ("Match", "info")
    assert (corrupt["level"], corrupt["file"]) == ("error", "tokens.gdx")
    assert (memory["level"], memory["status"]) == ("error", "RESOURCE_EXHAUSTED")
    silent = CallLog("none")
    silent.ended(Told("Ntd", 9.0, error=CorruptIndexError("tokens.gdx", "cut off")), None)
    assert len(lines(stream)) == 3
    with pytest.raises(UsageError, match="all or errors or none"):
        CallLog("some")  # type: ignore[arg-type]


def test_a_flood_is_counted(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now[0])
    log = CallLog(flood_seconds=10)
    fault = CorruptIndexError("tokens.gdx", "cut off")
    for _ in range(1000):
        log.ended(Told("Count", error=fault), None)
        log.ended(Told("Find", error=fault), None)
    assert [line["method"] for line in lines(stream)] == ["Count", "Find"]
    now[0] += 11
    log.ended(Told("Count", 0.001), None)
    left_out = lines(stream)[2:]
    assert [(line["event"], line["method"], line["count"]) for line in left_out] == [
        ("calls left out", "Count", 999),
        ("calls left out", "Find", 999),
    ]
    assert left_out[0]["error"] == "CorruptIndexError"
    for _ in range(3):
        log.ended(Told("Count", error=fault), None)
    log.flush()
    assert [(line["event"], line.get("count")) for line in lines(stream)[4:]] == [
        ("call", None),
        ("calls left out", 2),
    ]


def test_floods_that_are_told_apart_are_bounded(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_MOST_FLOODS", 3)
    log = CallLog(slow_seconds=0.0)
    for number in range(100):
        error = QueryError(f"requests[{number}].context", "nothing")
        log.ended(Told("ProbBatch", 1.0, error=error), None)
    log.flush()
    written = lines(stream)
    assert [line["event"] for line in written] == ["call"] * 4 + ["calls left out"]
    assert written[-1]["count"] == 96


# ---------------------------------------------------------------- events


def test_events_in_both_forms(stream: io.StringIO) -> None:
    log_event("reload", path="a b\nc", seconds=1.5)
    (line,) = lines(stream)
    assert {name: line[name] for name in ("level", "event", "path", "seconds")} == {
        "level": "info", "event": "reload", "path": "a b\nc", "seconds": 1.5,
    }  # fmt: skip
    set_up_logs("text", stream)
    log_event("worker died", logging.ERROR, pid=17, path="a b\n\x1b[31mc", where=Path("x"))
    said = stream.getvalue().splitlines()[1]
    assert said.endswith(' error worker died pid=17 path="a b\\n\\u001b[31mc" where="\\"x\\""')
    with pytest.raises(UsageError, match="json or text"):
        set_up_logs("xml")


def test_other_loggers_of_gramdex_go_the_same_way(stream: io.StringIO) -> None:
    logger = logging.getLogger("gramdex.rpc.server.anything")
    try:
        raise KeyError(CANARY)
    except KeyError as error:
        logger.error("a call failed %s", "unexpectedly", exc_info=error)
    (line,) = lines(stream)
    assert (line["event"], line["level"]) == ("a call failed unexpectedly", "error")
    assert (line["error"], len(line["trace"])) == ("KeyError", 1)
    assert CANARY not in stream.getvalue()
