"""``gramdex.connect``: from where a server is to something that answers."""

from __future__ import annotations

import os
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gramdex.errors import UsageError

if TYPE_CHECKING:
    from gramdex.rpc.client.remote_index import RemoteIndex
    from gramdex.rpc.client.replicas import Replicas
    from gramdex.rpc.client.target import Address
    from gramdex.rpc.client.transport import Connection

TOKEN, CA = "GRAMDEX_TOKEN", "GRAMDEX_CA"
"""Variables of the environment that stand in for ``token`` and ``ca``."""


def connect(
    target: str,
    *,
    token: str | None = None,
    ca: str | os.PathLike[str] | None = None,
    cert: str | os.PathLike[str] | None = None,
    key: str | os.PathLike[str] | None = None,
    timeout: float = 30.0,
    channels: int = 4,
    attempts: int = 6,
) -> RemoteIndex:
    """Connect to a server, or to several of the same index.

    Connections belong to one process: after a fork, connect again.

    Args:
        target: ``host:port``; ``grpcs://host:port`` with TLS, ``grpc://host:port`` without.
            Without either, localhost and loopback addresses are asked without TLS unless
            certificates are given, and all else with it. ``a:1|b:1`` are servers of one index:
            where one is not there or slow, another is asked.
        token: that the server knows; without it that of ``GRAMDEX_TOKEN``, if there is one.
            ``grpc://`` sends it for everybody on the way to read.
        ca: file of the certificates that the server's must come from; without it that of
            ``GRAMDEX_CA``, or those of the system.
        cert: file of a certificate to show the server.
        key: file of its key.
        timeout: seconds of every call to the server.
        channels: connections to each server, at most; one more is opened where all are busy.
        attempts: at a call to a server that cannot be reached, in all, over some seconds.

    Raises:
        UsageError: an argument without meaning, or servers of different indexes.
        UnavailableError: the server cannot be reached.
        AccessError: it does not know the token.
    """
    for name, value in (("channels", channels), ("attempts", attempts)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(name, repr(value), "a whole number from 1 on")
    _require_libraries()
    from gramdex.rpc.client.remote_index import RemoteIndex
    from gramdex.rpc.client.seconds import require_seconds

    seconds = require_seconds(timeout)
    said = _token(os.environ.get(TOKEN, "").strip() if token is None else token)
    files = {"ca": ca, "cert": cert, "key": key}
    transport = _transport(target, said, files, channels, attempts)
    index = RemoteIndex(transport, target, seconds)
    try:
        transport.require_same(time.monotonic() + seconds)
        _ = index.info
    except BaseException:
        index.close()
        raise
    return index


def _transport(
    target: str, token: str, files: dict[str, Any], channels: int, attempts: int
) -> Connection | Replicas:
    from gramdex.rpc.client.replicas import Replicas
    from gramdex.rpc.client.target import read_target
    from gramdex.rpc.client.transport import Connection, Patience

    addresses = read_target(target, any(each is not None for each in files.values()))
    tls, patience = _credentials(addresses, files), Patience(attempts)
    connections = [
        Connection(address, tls if address.tls else None, token, channels, patience)
        for address in addresses
    ]
    return connections[0] if len(connections) == 1 else Replicas(connections, patience)


def _token(token: Any) -> str:
    """What calls can carry; UsageError, which does not show it, where it is something else."""
    if not isinstance(token, str) or not (token.isascii() and token.isprintable()):
        raise UsageError("token", "something that no call can carry", "printable ASCII")
    return token


def _require_libraries() -> None:
    for name in ("grpc", "google.protobuf"):
        try:
            import_module(name)
        except ImportError as error:
            found = f"{name} is not installed"
            expected, remedy = "grpcio and protobuf", "pip install 'gramdex[client]'"
            raise UsageError("gramdex.connect", found, expected, remedy) from error


def _credentials(addresses: tuple[Address, ...], given: dict[str, Any]) -> Any:
    """Credentials of TLS; None where no server is asked with it."""
    import grpc

    if not all(address.tls for address in addresses):
        for name, path in given.items():
            if path is not None:
                found = "a file of TLS beside a server that is asked without"
                raise UsageError(name, found, "grpcs:// in front of every server")
    if not any(address.tls for address in addresses):
        return None
    if (given["cert"] is None) != (given["key"] is None):
        alone = "key" if given["cert"] is None else "cert"
        raise UsageError(alone, "alone", "cert and key together")
    if given["ca"] is None:
        given = given | {"ca": os.environ.get(CA) or None}
    files = {name: _read(name, path) for name, path in given.items()}
    return grpc.ssl_channel_credentials(files["ca"], files["key"], files["cert"])


def _read(name: str, path: Any) -> bytes | None:
    if path is None:
        return None
    try:
        return Path(path).read_bytes()
    except (OSError, TypeError) as error:
        raise UsageError(name, f"{path}: {error}", "a file that can be read") from error
