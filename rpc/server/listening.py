"""Where the server listens: ports, and what gRPC is told about connections."""

from __future__ import annotations

import resource
import socket
from typing import Any

import grpc

from gramdex.errors import UsageError
from gramdex.rpc.server.settings import Settings

_SLACK = 1 << 20
"""Bytes that a message may have above its limit, so that it is refused in words."""


def reserve(option: str, host: str, port: int, shared: bool = False) -> socket.socket:
    """A socket that is bound, and does not listen.

    Args:
        option: that names the port.
        host: name or address; of several addresses the first.
        port: 0 for a free one.
        shared: other sockets of this user may be bound to the port beside it.

    Raises:
        UsageError: the port is taken, or the host is none of this machine.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind)
    except OSError as error:
        raise UsageError("--host", f"{host}: {error.strerror}", "an address of this machine") from (
            error
        )
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        place = f"{address_of(host, port)}: {error.strerror}"
        remedy = "choose another, or end what listens there"
        raise UsageError(option, place, "a port that is free", remedy) from error
    return bound


def reserve_shared(option: str, host: str, port: int) -> socket.socket:
    """A port that nobody else has, kept for processes that will share it.

    Raises:
        UsageError: as ``reserve``.
    """
    with reserve(option, host, port) as alone:
        found = alone.getsockname()[1]
        _try_listening(alone, option, address_of(host, found))
    return reserve(option, host, found, shared=True)


def listen(
    server: grpc.Server, option: str, host: str, port: int, credentials: Any, shared: bool
) -> int:
    """Have a server listen; the port it got.

    Raises:
        UsageError: the port is taken.
    """
    if not shared:  # asked first, because gRPC says it at length
        with reserve(option, host, port) as alone:
            _try_listening(alone, option, address_of(host, port))
    try:
        if credentials is None:
            return server.add_insecure_port(address_of(host, port))
        return server.add_secure_port(address_of(host, port), credentials)
    except RuntimeError as error:
        expected = "a port that is free"
        raise UsageError(option, f"{address_of(host, port)}: {error}", expected) from error


def _try_listening(bound: socket.socket, option: str, place: str) -> None:
    try:
        bound.listen(1)
    except OSError as error:
        raise UsageError(option, f"{place}: {error.strerror}", "a port that is free") from error


def address_of(host: str, port: int) -> str:
    """Host and port as one; IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def options_of(settings: Settings) -> dict[str, Any]:
    """What gRPC is told about connections.

    One that nothing is heard of is asked after a minute and given up twenty seconds later, so those
    that are half open go; handshakes have ten seconds. Old ones are ended at leisure, which spreads
    clients over processes that were started again. Each has more streams than there are places, so
    that calls too many are refused here and do not wait at the client.
    """
    most = settings.pool_threads + settings.pool_queue
    return {
        "grpc.so_reuseport": int(settings.processes > 1),
        "grpc.max_receive_message_length": settings.limits.request_bytes + _SLACK,
        "grpc.max_send_message_length": -1,  # held by the limit response_bytes
        "grpc.max_concurrent_streams": max(4 * most, 256),
        "grpc.max_metadata_size": 16 << 10,
        "grpc.server_handshake_timeout_ms": 10_000,
        "grpc.keepalive_time_ms": 60_000,
        "grpc.keepalive_timeout_ms": 20_000,
        "grpc.http2.ping_timeout_ms": 20_000,  # without it the one before has no effect
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.min_ping_interval_without_data_ms": 5_000,
        "grpc.http2.max_ping_strikes": 4,
        "grpc.max_connection_idle_ms": 30 * 60_000,
        "grpc.max_connection_age_ms": 60 * 60_000,
        "grpc.max_connection_age_grace_ms": 1_000 * settings.limits.seconds,
    }


def allow_connections() -> None:
    """Raise the number of files this process may have open to the most the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
