"""Calls as spans of OpenTelemetry, for whoever has it installed.

Where spans go is for who runs the server to say, by OpenTelemetry's own means: its SDK, an exporter
and ``OTEL_…`` in the environment, or ``opentelemetry-instrument gramdex serve``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

import gramdex
from gramdex.rpc.methods import METHODS
from gramdex.rpc.status import status_of

if TYPE_CHECKING:
    from gramdex.rpc.server.service import Caller, Told

_SERVERS_FAULT = frozenset(
    ["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"]
)
"""Statuses that OpenTelemetry calls errors of a server, not of who asks."""


class Tracing:
    """An observer that makes a span of every call, inside that of the client if it names one.

    A span says how a call ended and how large it was, and nothing of what was asked. It is not
    made the current one: calls may go from thread to thread.

    Raises:
        ImportError: ``opentelemetry`` is not installed.
    """

    def __init__(self) -> None:
        from opentelemetry import propagate, trace

        self._extract, self._trace = propagate.extract, trace
        self._tracer = trace.get_tracer("gramdex", gramdex.__version__)
        self._attributes = {
            name: {"rpc.system": "grpc", "rpc.service": method.service, "rpc.method": name}
            for name, method in METHODS.items()
        }

    def began(self, method: str, caller: Caller | None) -> Any:
        """A call has come."""
        known = () if caller is None else caller.metadata()
        carrier = {key: value for key, value in known if isinstance(value, str)}
        return self._tracer.start_span(
            METHODS[method].path.lstrip("/"),
            context=self._extract(carrier),
            kind=self._trace.SpanKind.SERVER,
            attributes=self._attributes[method],
        )

    def ended(self, told: Told, began: Any) -> None:
        """It has ended."""
        if began.is_recording():
            self._describe(told, began)
        began.end()

    def _describe(self, told: Told, span: Any) -> None:
        status = grpc.StatusCode.OK if told.error is None else status_of(told.error)
        span.set_attribute("rpc.grpc.status_code", status.value[0])
        span.set_attribute("gramdex.request_bytes", told.request_bytes)
        span.set_attribute("gramdex.response_bytes", told.response_bytes)
        span.set_attribute("gramdex.request_hash", told.request_hash)
        if told.user:
            span.set_attribute("enduser.id", told.user)
        if told.error is not None:
            span.set_attribute("error.type", type(told.error).__name__)
        if status.name in _SERVERS_FAULT:
            span.set_status(self._trace.StatusCode.ERROR)


def tracing() -> tuple[Tracing, ...]:
    """The observer, or none where ``opentelemetry`` is not installed."""
    try:
        return (Tracing(),)
    except ImportError:
        return ()
