"""Errors as status codes, and back: one table, both directions.

A failed call ends with a status and the text of the error, and carries its four phrases in the
trailing metadata, from which a client raises the same error again.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf.message import DecodeError

from gramdex import errors
from gramdex.errors import GramdexError
from gramdex.rpc import v1

ERROR_KEY = "gramdex-error-bin"

_STATUS: dict[type[GramdexError], grpc.StatusCode] = {
    GramdexError: grpc.StatusCode.INTERNAL,
    errors.UsageError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.WorkLimitError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.TokenizerError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.IndexFileError: grpc.StatusCode.DATA_LOSS,
    errors.ServiceError: grpc.StatusCode.INTERNAL,
    errors.UnavailableError: grpc.StatusCode.UNAVAILABLE,
    errors.OverloadedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlineError: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.CancelledError: grpc.StatusCode.CANCELLED,
    errors.AccessError: grpc.StatusCode.UNAUTHENTICATED,
    errors.RefusedError: grpc.StatusCode.PERMISSION_DENIED,
}
"""The status of an error is that of the nearest class above it."""

_HTTP = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}

# What a server that has no words for it means; of the statuses gRPC itself gives.
_PLAIN: dict[grpc.StatusCode, type[GramdexError]] = {
    status: kind for kind, status in reversed(_STATUS.items())
} | {
    grpc.StatusCode.INTERNAL: errors.ServiceError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.OverloadedError,
    grpc.StatusCode.CANCELLED: errors.UnavailableError,  # by a server that ends: never begun
    grpc.StatusCode.UNIMPLEMENTED: errors.RefusedError,
}


def status_of(error: BaseException) -> grpc.StatusCode:
    """The status a call ends with."""
    if isinstance(error, MemoryError):
        return grpc.StatusCode.RESOURCE_EXHAUSTED
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return grpc.StatusCode.INTERNAL


def http_status_of(error: BaseException) -> int:
    """The same for HTTP."""
    return _HTTP.get(status_of(error), 500)


def write_error(error: GramdexError) -> v1.Error:
    """The phrases of an error."""
    return v1.Error(
        kind=type(error).__name__,
        thing=error.thing,
        found=error.found,
        expected=error.expected,
        remedy=error.remedy,
    )


def error_metadata(error: GramdexError) -> tuple[tuple[str, bytes], ...]:
    """The phrases of an error as trailing metadata, long ones cut."""
    message = write_error(error)
    for name in ("thing", "found", "expected", "remedy"):
        setattr(message, name, getattr(message, name)[:_MOST])
    return ((ERROR_KEY, message.SerializeToString()),)


_MOST = 500
"""Characters of a phrase: the metadata of a call has 8 KiB in all."""


def read_error(
    target: str, status: grpc.StatusCode, details: str, trailing: Iterable[tuple[str, str | bytes]]
) -> GramdexError:
    """The error that a failed call to a server means."""
    for key, value in trailing:
        if key == ERROR_KEY and isinstance(value, bytes):
            try:
                message = v1.Error.FromString(value)
            except DecodeError:
                break
            kind = getattr(errors, message.kind, None)
            if isinstance(kind, type) and issubclass(kind, GramdexError):
                return kind(message.thing, message.found, message.expected, message.remedy)
    kind = _PLAIN.get(status, errors.ServiceError)
    return kind(target, f"{status.name}: {details}" if details else status.name)
