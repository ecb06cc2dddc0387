"""Reading a server's metrics over HTTP."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gramdex.errors import AccessError, ServiceError, UnavailableError, UsageError

if TYPE_CHECKING:
    from gramdex.rpc.observing.reading import Reading

_TIMEOUT = 5.0
_MOST = 32 << 20
"""Bytes of an answer; a server of gramdex tells a hundredth of it."""


class Scraper:
    """One server.

    Args:
        target: ``http://host:port``, with or without the scheme and the path.
        token: "" where none is asked for. It goes nowhere else: redirections are not followed,
            and proxies not used.

    Raises:
        UsageError: the target is none, or ``prometheus_client`` is not installed.
    """

    def __init__(self, target: str, token: str = "") -> None:
        if find_spec("prometheus_client") is None:
            remedy = "pip install 'gramdex[serve]'"
            raise UsageError("gramdex top", "prometheus_client is not installed", remedy=remedy)
        self._address = address_of(target)
        self._request = urllib.request.Request(self._address, headers={"Accept": "text/plain"})
        if token:
            self._request.add_header("Authorization", f"Bearer {token}")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Straight())

    def read(self) -> Reading:
        """The numbers of now.

        Raises:
            UnavailableError: it does not answer, or not now.
            AccessError: it wants another token.
            ServiceError: what answers tells no metrics of gramdex.
        """
        from gramdex.rpc.observing.reading import read_metrics

        try:
            with self._opener.open(self._request, timeout=_TIMEOUT) as answer:
                content = answer.read(_MOST)
        except urllib.error.HTTPError as error:
            raise self._refusal(error.code) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            said = getattr(reason, "strerror", None) or str(reason) or type(error).__name__
            raise UnavailableError(self._address, said.lower()) from error
        return read_metrics(content.decode(errors="replace"))

    def _refusal(self, code: int) -> ServiceError:
        if code in (401, 403):
            found = f"HTTP status {code}: it does not take the token, or there is none"
            return AccessError(self._address, found, remedy="set GRAMDEX_TOKEN")
        if code >= 500:
            return UnavailableError(self._address, f"HTTP status {code}")
        expected = "the address of a server's metrics"
        return ServiceError(self._address, f"HTTP status {code}", expected, "check host and port")


class _Straight(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


def address_of(target: str) -> str:
    """The whole address of a server's metrics; UsageError where it can be none."""
    whole = target if "://" in target else f"http://{target}"
    try:
        parts = urlsplit(whole)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
        known = known and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if not known or any(not " " < letter < "\x7f" for letter in whole):
        raise UsageError("TARGET", repr(target), "http://host:port")
    return whole if parts.path.strip("/") else whole.rstrip("/") + "/metrics"
