"""The gateway: every method as over gRPC, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from http_serving import Site, serving
from hypothesis import given, settings
from random_messages import QUICK, messages

import gramdex
from gramdex import decoding
from gramdex.rpc import v1
from gramdex.rpc.http.app import OPEN
from gramdex.rpc.http.json_reading import read_message
from gramdex.rpc.http.json_writing import write_json
from gramdex.rpc.limits import Limits
from gramdex.rpc.methods import Method
from gramdex.rpc.server.access import Access
from gramdex.rpc.server.grpc_server import make_server
from gramdex.rpc.server.service import Service
from gramdex.rpc.server.serving import Serving

GOLDEN = Path(__file__).parent.parent / "golden" / "v3-bpe"
SECRET = "a token of sixteen characters"
EXAMPLES = [
    {"name": "a", "question": ["the cat sat on the mat"], "answer": ["naïve café"]},
    {"name": "b", "question": ["nothing of this"], "answer": [], "join": "\n"},
]

REQUESTS: dict[str, list[Any]] = {
    "GetInfo": [{}],
    "GetTokenizer": [{}],
    "Encode": [{"text": "the café 🙂"}],
    "Decode": [{"tokens": [0, 1, 292]}, {"tokens": [195, 40], "pieces": True}],
    "Count": [{"query": "the cat"}, {"query": [1, 2]}, {"query": ""}, {"query": "🙂"}],
    "CountBatch": [{"queries": ["the", [5], "zzz"]}, {"tokens": [[1, 2], [], [7]]}],
    "Find": [{"query": "at"}, {"query": [5]}, {"query": "zzz"}],
    "Locate": [{"interval": {"shard": 0, "low": 1, "high": 9}}],
    "Prob": [{"context": "the", "token": " cat"}, {"context": [3, 4], "token": 9}],
    "Ntd": [{"context": "the"}, {"context": [], "limit": 2}],
    "InfgramProb": [{"context": "zzz the", "token": " cat"}],
    "InfgramNtd": [{"context": "zzz the", "limit": 1}, {"context": [292]}],
    "InfgramScores": [{"text": "the dog sat"}, {"text": []}],
    "Match": [{"text": "the dog sat on the cat"}],
    "Draft": [{"context": "the", "max_nodes": 4, "min_score": 0.1}],
    "Documents": [{"query": "sat", "max_documents": 2, "context": 1}, {"query": "zzz"}],
    "GetDocument": [{"number": 3}],
    "GetDocumentAt": [{"shard": 0, "position": 1, "context": 2}],
    "Search": [{"query": "cat AND dog"}, {"clauses": [{"phrases": ["cat", [5]]}], "seed": 3}],
    "Attribute": [{"text": "a dog sat on the mat", "min_length": 2, "keep": 1.0, "words": False}],
    "Contamination": [[{"options": {"most_count": 5}, "examples": EXAMPLES}]],
}
REQUESTS |= {
    f"{name}Batch": [{"requests": REQUESTS[name]}]
    for name in list(REQUESTS)
    if f"{name}Batch" in OPEN and f"{name}Batch" not in REQUESTS
}


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(Serving(gramdex.open(GOLDEN)))


@pytest.fixture(scope="module")
def site(service: Service) -> Iterator[Site]:
    with serving(service, metrics=lambda accept: (b"calls 1\n", "text/plain"), workers=2) as site:
        yield site


@pytest.fixture(scope="module")
def channel(service: Service) -> Iterator[grpc.Channel]:
    server = make_server(service, ThreadPoolExecutor(2), 68, {"grpc.so_reuseport": 0})
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    server.stop(None)


def over_grpc(channel: grpc.Channel, method: Method, requests: list[Any]) -> list[Any]:
    messages = [read_message(method.request, each) for each in requests]
    read: dict[str, Any] = {
        "request_serializer": method.request.SerializeToString,
        "response_deserializer": method.response.FromString,
    }
    if method.client_streaming:
        return list(channel.stream_stream(method.path, **read)(iter(messages)))
    if method.server_streaming:
        return list(channel.unary_stream(method.path, **read)(messages[0]))
    return [channel.unary_unary(method.path, **read)(messages[0])]


def test_every_method_is_asked_here() -> None:
    assert REQUESTS.keys() == OPEN.keys()


@pytest.mark.parametrize("name", OPEN)
def test_a_method_says_what_it_says_over_grpc(name: str, site: Site, channel: grpc.Channel) -> None:
    if name.startswith("Draft") and not hasattr(decoding, "draft"):
        pytest.skip("nothing drafts yet")
    method = OPEN[name]
    for request in REQUESTS[name]:
        reply = site.post(name, request)
        assert reply.status == 200, reply.body
        said = reply.lines if method.server_streaming else [reply.json]
        sent = request if method.client_streaming else [request]
        expected = over_grpc(channel, method, sent)
        assert [read_message(method.response, each) for each in said] == expected


def test_answers_are_plain(site: Site) -> None:
    index = gramdex.open(GOLDEN)
    count = site.post("Count", {"query": "the cat"}).json
    assert count == {"count": index.count("the cat"), "generation": str(index.generation)}
    after = index.ntd("the")
    ntd = site.post("Ntd", {"context": "the"}).json
    assert ntd["tokens"] == after.tokens.tolist()
    assert ntd["counts"] == after.counts.tolist()
    found = site.post("GetDocument", {"number": 3}).json["document"]
    assert found["metadata_json"] == index.document(3).metadata
    assert found["text"] == "naïve café 東京 🙂"
    assert "naïve café 東京 🙂".encode() in site.post("GetDocument", {"number": 3}).body
    assert site.post("Prob", {"context": [292, 291], "token": 1}).json.get("prob") is None


def test_examples_come_as_lines_an_array_or_one_request(site: Site) -> None:
    expected = site.post("Contamination", [{"examples": EXAMPLES}]).lines
    lines = "".join(json.dumps({"examples": [each]}) + "\n\n" for each in EXAMPLES).encode()
    as_lines = site.post("Contamination", lines, content_type="application/x-ndjson")
    assert as_lines.lines == expected
    assert site.post("Contamination", {"examples": EXAMPLES}).lines == expected
    assert [len(line["judged"]) for line in expected] == [2, *[0] * (len(expected) - 1)]
    assert "summary" in expected[-1]


@pytest.mark.parametrize(
    ("method", "request_", "thing", "found"),
    [
        ("Count", {"query": [1, True]}, "query[1]", "a boolean"),
        ("Count", {"query": [1, -1]}, "query[1]", "-1"),
        ("Count", {"query": [1 << 40]}, "query[0]", str(1 << 40)),
        ("Count", {"query": {"text": "a"}}, "query", "an object"),
        ("Count", {"query": "\ud800"}, "query", "a lone surrogate at character 0"),
        ("Count", {"query": [1, 293]}, "query: token id 293", None),
        ("Count", {}, "query", "nothing"),
        ("Count", b"", "query", "nothing"),
        ("Count", {"qery": "a"}, "body", 'an unknown field "qery"'),
        ("Count", [], "body", "an array"),
        ("Count", b"{", "body", None),
        ("Count", b"\xff{}", "body", "no UTF-8 from byte 0 on"),
        ("Count", b'{"query": "a", "query": "b"}', "body", '"query" twice in one object'),
        ("Count", b'{"query": [NaN]}', "body", "NaN"),
        ("Count", b'{"query": [' + b"9" * 5_000 + b"]}", "body", None),
        ("Count", b'{"query": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "body", None),
        ("CountBatch", {"tokens": [[1], [2, None]]}, "tokens[1][1]", "null"),
        ("CountBatch", {"tokens": [[1], 2]}, "tokens[1]", "2"),
        ("CountBatch", {"queries": ["a", None]}, "queries[1]", "null"),
        ("Ntd", {"context": "a", "limit": 1.5}, "limit", "1.5"),
        ("Ntd", {"context": "a", "limit": -1}, "limit", "-1"),
        ("Ntd", {"context": "a", "limit": 1 << 64}, "limit", str(1 << 64)),
        ("NtdBatch", {"requests": [{"context": "a"}, {"context": 3}]}, "requests[1].context", "3"),
        ("Prob", {"context": "a", "token": 1.0}, "token", "1.0"),
        ("Search", {"clauses": [{"phrases": ["a", True]}]}, "clauses[0].phrases[1]", "a boolean"),
        ("Search", {"clauses": [{"phrase": []}]}, "clauses[0]", 'an unknown field "phrase"'),
        ("Attribute", {"text": "a", "keep": "much"}, "keep", '"much"'),
        ("Attribute", b'{"text": "a", "keep": 1e999}', "keep", "Infinity"),
        ("Attribute", {"text": "a", "words": 1}, "words", "1"),
        ("Decode", {"tokens": "a"}, "tokens", '"a"'),
        ("Contamination", [{}, {"examples": [{"name": 1}]}], "body[1].examples[0].name", "1"),
    ],
)
def test_what_is_wrong_is_named(
    method: str, request_: Any, thing: str, found: str | None, site: Site
) -> None:
    reply = site.post(method, request_)
    assert (reply.status, reply.error["thing"]) == (400, thing)
    assert reply.error["kind"] == "QueryError"
    if found is not None:
        assert reply.error["found"] == found
    assert site.post("Count", {"query": "the cat"}).json["count"] == 3


def test_definitions_are_objects(site: Site) -> None:
    def check(parameters: Any) -> Any:
        definition = {"name": "coverage", "parameters_json": parameters}
        options = {"definitions": [definition]}
        return site.post("Contamination", {"options": options, "examples": EXAMPLES})

    assert check({}).status == 200
    assert "options.definitions[0].parameters_json" in check([1]).error["thing"]
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    assert check(deep).error["found"] == "nested too deep"


def test_routes(site: Site) -> None:
    methods = site.get("/v1").json["methods"]
    assert [each["name"] for each in methods] == list(OPEN)
    assert site.get("/healthz").body == b"alive\n"
    assert site.get("/readyz").status == 200
    assert site.get("/metrics").body == b"calls 1\n"
    for path in ("/v1/Nothing", "/v1/count", "/nowhere", "/page.html", "/../app.py", "/v1/"):
        assert site.get(path).error["kind"] == "UsageError"
        assert site.get(path).status == 404
    wrong = site.get("/v1/Count")
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
    wrong = site.ask("POST", "/healthz", b"{}")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD")
    head = site.ask("HEAD", "/")
    assert (head.status, head.body) == (200, b"")


def test_files_of_the_page_are_known_again(site: Site) -> None:
    scripts = ("page", "page_asking", "page_elements")
    files = {"/": "html", "/page.css": "css"} | {f"/{name}.js": "javascript" for name in scripts}
    for path, kind in files.items():
        reply = site.get(path)
        assert reply.headers["content-type"] == f"text/{kind}; charset=utf-8"
        again = site.get(path, if_none_match=f'"x", W/{reply.headers["etag"]}')
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == reply.headers["etag"]
        assert site.get(path, if_none_match='"x"').status == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/healthz", "/nowhere", "/metrics"])
def test_headers_that_all_answers_have(path: str, site: Site) -> None:
    headers = site.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_pages_of_others_get_nothing(site: Site) -> None:
    body = {"query": "the"}
    own = f"127.0.0.1:{site.port}"
    assert site.post("Count", body, origin=f"http://{own}").status == 200
    assert site.post("Count", body, sec_fetch_site="same-origin").status == 200
    for origin in ("http://evil.example", "null", f"http://localhost:{site.port}", "//"):
        assert site.post("Count", body, origin=origin).status == 403
    for place in ("cross-site", "same-site"):
        assert site.post("Count", body, sec_fetch_site=place).status == 403
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert site.post("Count", body, content_type=kind).status == 415
    assert site.post("Count", body, content_type="application/x-ndjson").status == 415
    assert site.post("Count", body, content_type="Application/JSON; charset=utf-8").status == 200
    assert site.ask("OPTIONS", "/v1/Count", origin="http://evil.example").status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("LOCALHOST:80", 200), ("127.0.0.1:1", 200), ("[::1]:8080", 200),
        ("evil.example", 403), ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403),
        ("evil@localhost", 403), ("localhost:x", 403), ("localhost/x", 403), ("[::1", 403),
    ],
)  # fmt: skip
def test_names_the_server_may_be_called_by(host: str, status: int, site: Site) -> None:
    assert site.get("/", host=host).status == status


def test_other_names(service: Service) -> None:
    with serving(service, hosts=("corpus.example",)) as site:
        assert site.get("/healthz", host="corpus.example:8443").status == 200
        assert site.get("/healthz").status == 403
    with serving(service, hosts=None) as site:
        assert site.get("/healthz", host="whatever").status == 200


def test_before_it_is_ready() -> None:
    with serving(Service(Serving())) as site:
        assert site.get("/healthz").status == 200
        assert site.get("/readyz").status == 503
        reply = site.post("Count", {"query": "a"})
        assert (reply.status, reply.error["kind"]) == (503, "UnavailableError")
        assert site.get("/metrics").status == 404


def test_tokens() -> None:
    told: list[Any] = []

    class Observer:
        def began(self, method: str, caller: Any) -> None:
            pass

        def ended(self, it: Any, began: None) -> None:
            told.append((it.method, it.user, type(it.error).__name__))

    index = gramdex.open(GOLDEN)
    service = Service(Serving(index), access=Access({"ann": SECRET}), observers=(Observer(),))
    with serving(service, metrics=lambda accept: (b"x 1\n", "text/plain")) as site:
        for method, request in (("Count", {"query": "the"}), ("Search", {"query": "the"})):
            for headers in ({}, {"authorization": "Bearer nobody knows this"}):
                reply = site.post(method, request, **headers)
                assert (reply.status, reply.error["kind"]) == (401, "AccessError")
                assert reply.headers["www-authenticate"] == "Bearer"
            assert site.post(method, request, authorization=f"Bearer {SECRET}").status == 200
        assert site.post("Count", b"{", authorization=f"Bearer {SECRET}").status == 400
        assert site.get("/metrics").status == 401
        assert site.get("/metrics", authorization=f"Bearer {SECRET}").status == 200
        assert site.get("/").status == 200
        assert site.get("/healthz").status == 200
    refused, fine = ("Count", "", "AccessError"), ("Count", "ann", "NoneType")
    assert told[:3] == [refused, refused, fine]
    assert told[-1] == ("Count", "ann", "QueryError")


def test_limits() -> None:
    limits = Limits(request_bytes=1_000, query_bytes=100, documents=5, response_bytes=3_000)
    service = Service(Serving(gramdex.open(GOLDEN)), limits)
    with serving(service) as site:
        assert site.post("Count", {"query": "a" * 100}).status == 200
        assert site.post("Count", {"query": "a" * 101}).error["kind"] == "LimitError"
        assert site.post("Search", {"query": "a", "max_documents": 6}).status == 400
        for headers in ({}, {"content_type": "application/json", "transfer_encoding": "chunked"}):
            reply = site.post("Count", b" " * 1_001, **headers)
            assert (reply.status, reply.error["kind"]) == (413, "LimitError")
            assert reply.error["expected"] == "at most 1,000, the limit request_bytes"
        assert site.post("Count", b" " * 1_000).error["found"] == "nothing"
        lines = site.post("GetTokenizer", {}).lines
        assert "error" not in lines[0]
        assert lines[-1]["error"]["kind"] == "LimitError"
        assert lines[-1]["error"]["status"] == 400


def test_an_error_nobody_expected_tells_its_name_alone() -> None:
    service = Service(Serving(gramdex.open(GOLDEN)))
    service.serving.now.index.count = lambda query: 1 // len([])  # type: ignore[union-attr]
    with serving(service) as site:
        reply = site.post("Count", {"query": "secret words"})
        assert (reply.status, reply.error["found"]) == (500, "ZeroDivisionError")
        assert b"secret" not in reply.body


@pytest.mark.parametrize("name", OPEN)
def test_whatever_is_asked_is_answered_or_refused(name: str, site: Site) -> None:
    if name.startswith("Draft") and not hasattr(decoding, "draft"):
        pytest.skip("nothing drafts yet")

    @given(messages(OPEN[name].request.DESCRIPTOR.name))
    @settings(QUICK, max_examples=15)
    def check(message: Any) -> None:
        reply = site.post(name, write_json(message))
        assert reply.status == 200 or reply.error["kind"].endswith(("QueryError", "LimitError"))

    check()


def test_the_forms_of_numbers() -> None:
    response = read_message(v1.CountResponse, {"count": str(1 << 60), "generation": "7"})
    assert response == v1.CountResponse(count=1 << 60, generation=7)
    assert read_message(v1.NtdRequest, {"limit": 5.0}) == v1.NtdRequest(limit=5)
    assert read_message(v1.NtdRequest, {"limit": None}) == v1.NtdRequest()
