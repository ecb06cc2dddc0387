"""What came in over HTTP: its headers, its body, and whether its sender still waits."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

from gramdex.errors import DeadlineError, LimitError, OverloadedError
from gramdex.rpc.http.refusals import HttpError, foreign, wrong_header
from gramdex.rpc.limits import Limits

Receive = Callable[[], Awaitable[Any]]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
TIMEOUT = "x-timeout-seconds"

_BODIES = 8
"""Of the largest bodies there may be, so many are held at a time."""


class GoneError(Exception):
    """The connection was closed before the request had come."""


class Request:
    """A request, and who asks by it.

    Args:
        scope: of ASGI.
        receive: of ASGI.

    Attributes:
        verb: of HTTP.
        path: decoded.
        headers: by name in lower case; of those that come twice, the first.
    """

    def __init__(self, scope: Any, receive: Receive) -> None:
        self.verb: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            self.headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
        self.receive = receive
        self._gone = False
        self._end: float | None = None

    @property
    def content_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def metadata(self) -> Iterable[tuple[str, str | bytes]]:
        """Names and values."""
        return self.headers.items()

    def is_waiting(self) -> bool:
        """Whether the connection is there, and nobody has given up."""
        return not self._gone

    def seconds_left(self) -> float | None:
        """Until the time of the header ``x-timeout-seconds`` is over."""
        return None if self._end is None else self._end - time.monotonic()

    def set_out(self) -> None:
        """Begin to count the time the sender gives.

        Raises:
            HttpError: the header is no time.
        """
        text = self.headers.get(TIMEOUT)
        if text is None:
            return
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            raise wrong_header(TIMEOUT, text, "seconds, more than 0")
        self._end = time.monotonic() + seconds

    def give_up(self) -> None:
        """Nobody waits for the answer any more."""
        self._gone = True

    async def watch(self) -> None:
        """Notice when the connection is closed; once the body has been read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.give_up()

    def require_own(self, hosts: Collection[str] | None) -> None:
        """Refuse what a page of another site may have had a browser ask.

        Such a page can reach a server on this machine, by its address or by a name of its own
        that leads there. It cannot change the headers in which its browser says so.

        Args:
            hosts: names the server may be called by; None for any.

        Raises:
            HttpError: a name that is none of these, or another origin.
        """
        host = self.headers.get("host", "")
        name = _host_name(host)
        if hosts is not None and name not in hosts:
            expected = f"one of {', '.join(sorted(hosts))}"
            remedy = "use one of these, or name this one when starting the server"
            raise foreign("host", host, expected, remedy)
        origin = self.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise foreign("origin", origin, f"this server, {host[:80]}", "use the page it serves")
        site = self.headers.get("sec-fetch-site", "none")
        if self.verb == "POST" and site not in ("none", "same-origin"):
            raise foreign("sec-fetch-site", site, "same-origin", "use the page it serves")


def _host_name(host: str) -> str | None:
    """The name in a Host header, without port and brackets."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None


class Bodies:
    """Reads bodies, and bounds what all that are held take together.

    Args:
        limits: ``request_bytes`` of each, in ``seconds``.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0

    async def read(self, request: Request) -> bytearray:
        """The body; ``release`` when it is no longer held.

        Raises:
            HttpError: too large, too many, or too slow.
        """
        stated = request.headers.get("content-length", "0")
        self._check(int(stated) if stated.isascii() and stated.isdigit() else 0)
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._read(request, body)
        except TimeoutError:
            self.release(body)
            found, expected = f"{len(body):,} bytes", f"all of it in {self._limits.seconds} seconds"
            raise HttpError(
                408, DeadlineError("body", found, expected), connection="close"
            ) from None
        except BaseException:
            self.release(body)
            raise
        return body

    def release(self, body: bytearray) -> None:
        """It is not held any more."""
        self._held -= len(body)

    async def _read(self, request: Request, body: bytearray) -> None:
        more = True
        while more:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                request.give_up()
                raise GoneError
            part = message.get("body", b"")
            self._check(len(body) + len(part))
            self._held += len(part)
            body += part
            more = message.get("more_body", False)
            if self._held > _BODIES * self._limits.request_bytes:
                found = f"{self._held:,} bytes of requests that are being read"
                raise OverloadedError("this server", found)

    def _check(self, size: int) -> None:
        most = self._limits.request_bytes
        if size > most:
            found, expected = f"{size:,} bytes", f"at most {most:,}, the limit request_bytes"
            raise HttpError(413, LimitError("body", found, expected))
