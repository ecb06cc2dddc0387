"""What goes out over HTTP: heads, bodies, and the headers that all of them have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[Any], Awaitable[None]]

JSON, LINES, TEXT = "application/json", "application/x-ndjson", "text/plain; charset=utf-8"

_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_PART = 1 << 16
"""Bytes handed over at a time: what is not taken of more than these is not begun."""


class Answer:
    """One answer, sent in parts that must each be taken in time.

    Args:
        send: of ASGI.
        seconds: in which all of a body, or a line of several, has to be taken.

    Attributes:
        begun: its head has gone out.
    """

    def __init__(self, send: Send, seconds: float) -> None:
        self._send, self._seconds = send, seconds
        self.begun = False

    async def whole(self, status: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        """An answer with all of its body; TimeoutError where it is not taken."""
        await self.begin(status, kind, headers | {"content-length": str(len(body))})
        await self.more(body, last=True)

    async def begin(self, status: int, kind: str, headers: dict[str, str]) -> None:
        """The head alone."""
        self.begun = True
        headers = _ALWAYS | {"cache-control": "no-store", "content-type": kind} | headers
        pairs = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def more(self, body: bytes, last: bool = False) -> None:
        """Some more of the body; TimeoutError where it is not taken."""
        async with asyncio.timeout(self._seconds):
            for start in range(0, max(len(body), 1), _PART):
                end = start + _PART
                message = {"type": "http.response.body", "body": body[start:end]}
                await self._send(message | {"more_body": not last or end < len(body)})
