"""Where a server is, as a person writes it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from gramdex.errors import UsageError

_SCHEMES = {"grpc": False, "grpcs": True}
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]@?#]+):([0-9]{1,5})")
_EXPECTED = "host:port, grpc://host:port or grpcs://host:port, several joined by |"


@dataclass(frozen=True, slots=True)
class Address:
    """One server.

    Attributes:
        name: ``host:port``, an IPv6 host in brackets.
        tls: the connection is encrypted, and the server shows a certificate.
    """

    name: str
    tls: bool

    @property
    def loopback(self) -> bool:
        """Whether it is this machine by its name."""
        return _is_loopback(self.name.rpartition(":")[0])

    def __str__(self) -> str:
        return f"{'grpcs' if self.tls else 'grpc'}://{self.name}"


def read_target(target: str, tls_given: bool) -> tuple[Address, ...]:
    """Servers of one index.

    ``grpc://`` is not encrypted, ``grpcs://`` is. Without either, what leaves the machine is
    encrypted, and what does not, ``localhost`` and loopback addresses, is where certificates are
    given. A scheme in front of the first holds for all that have none.

    Args:
        target: as ``gramdex.connect`` takes it.
        tls_given: certificates are given.

    Raises:
        UsageError: it is no target, or names a server twice.
    """
    if not isinstance(target, str):
        raise UsageError("target", f"a {type(target).__name__}", _EXPECTED)
    addresses: list[Address] = []
    scheme: str | None = None
    for number, part in enumerate(target.split("|")):
        given, slashes, rest = part.strip().rpartition("://")
        match = _ADDRESS.fullmatch(rest)
        known = given in _SCHEMES if slashes else True
        if match is None or not known or not 0 < int(match[2]) < 1 << 16:
            raise UsageError("target", repr(target), _EXPECTED)
        if slashes and not number:
            scheme = given
        named = given if slashes else scheme
        tls = tls_given or not _is_loopback(match[1]) if named is None else _SCHEMES[named]
        addresses.append(Address(rest, tls))
    if len(set(addresses)) < len(addresses):
        raise UsageError("target", repr(target), "each server once")
    return tuple(addresses)


def is_server(target: object) -> bool:
    """Whether a person means a server, where a folder may stand too."""
    return isinstance(target, str) and target.startswith(("grpc://", "grpcs://"))


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
