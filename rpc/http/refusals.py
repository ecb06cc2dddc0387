"""Errors as HTTP tells them: a status, and an object of the error's phrases."""

from __future__ import annotations

from typing import Any

from gramdex.errors import GramdexError, RefusedError, ServiceError, UsageError
from gramdex.rpc.status import http_status_of


class HttpError(Exception):
    """A request that is refused before it is a call.

    Args:
        status: of HTTP.
        error: that it is told with.
        headers: that go with it.
    """

    def __init__(self, status: int, error: GramdexError, **headers: str) -> None:
        super().__init__(status, str(error))
        self.status, self.error, self.headers = status, error, headers


def no_such_path(path: str) -> HttpError:
    """404."""
    expected = "one of those that GET /v1 lists, or the page at /"
    return HttpError(404, UsageError(f"path {path[:80]!r}", "nothing is there", expected))


def wrong_verb(verb: str, allowed: str) -> HttpError:
    """405."""
    return HttpError(
        405, UsageError(f"method {verb[:20]}", "not taken here", allowed), allow=allowed
    )


def wrong_content(found: str, expected: str) -> HttpError:
    """415."""
    remedy = "send it with this content-type"
    return HttpError(415, UsageError("content-type", repr(found[:80]), expected, remedy))


def wrong_header(name: str, found: str, expected: str) -> HttpError:
    """400."""
    return HttpError(400, UsageError(name, repr(found[:80]), expected))


def foreign(name: str, found: str, expected: str, remedy: str) -> HttpError:
    """403: a page of somebody else's may be asking through the reader's browser."""
    return HttpError(403, RefusedError(name, repr(found[:80]), expected, remedy))


def refusal(error: BaseException) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers that tell an error; of one nobody expected, its name alone."""
    status, headers = 0, {}
    if isinstance(error, HttpError):
        status, headers, told = error.status, error.headers, error.error
    elif isinstance(error, GramdexError):
        told = error
    else:
        told = ServiceError("the call", type(error).__name__)
    status = status or http_status_of(error)
    if status == 401:
        headers = {"www-authenticate": "Bearer"}
    phrases = {name: getattr(told, name) for name in ("thing", "found", "expected", "remedy")}
    return status, {"error": {"kind": type(told).__name__, **phrases, "status": status}}, headers
