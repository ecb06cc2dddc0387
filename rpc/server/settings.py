"""What a server is told when it is started, checked before anything else is done."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gramdex.errors import UsageError
from gramdex.fmindex.engines.threads import usable_cores
from gramdex.rpc.limits import Limits
from gramdex.rpc.observing.logs import CALLS, Calls
from gramdex.rpc.server.access import read_token_file, read_tokens

TOKENS_VARIABLE = "GRAMDEX_TOKENS"
MOST_PORT = 65_535


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Attributes:
        indexes: folders that are opened as one index.
        shards: servers that are asked in place of folders, replicas of a shard joined by "|".
        takedown, copies: as ``gramdex.open`` takes them.
        host, port: where gRPC listens; port 0 takes a free one.
        health_port: of the health service; None for the one after ``port``, 0 for a free one.
        http_port: of page, JSON and metrics; None for none.
        threads: calls at work at a time, in each process; None for two a core, four at least, over
            all processes.
        queue: calls that may wait for a thread; None for eight a thread.
        processes: that share the port.
        threads_per_query: that share the work of one large query.
        tls_cert, tls_key: PEM files of the server.
        client_ca: PEM file; clients must show a certificate that it has signed.
        tokens: token by name; callers must bring one.
        insecure: other machines may ask although nothing is encrypted or nobody is checked.
        serves_documents: texts of the corpus are given out.
        limits: of a call.
        reload_seconds: between looks for a newly published index.
        grace: seconds that running calls are given at the end.
        log_calls: what is said of each call: "none", "errors" or "all".
        log_format: "json", an object a line, or "text".
    """

    indexes: tuple[str, ...] = ()
    shards: tuple[str, ...] = ()
    takedown: tuple[str, ...] = ()
    copies: str = "all"
    host: str = "127.0.0.1"
    port: int = 7077
    health_port: int | None = None
    http_port: int | None = None
    threads: int | None = None
    queue: int | None = None
    processes: int = 1
    threads_per_query: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    insecure: bool = False
    serves_documents: bool = True
    limits: Limits = field(default_factory=Limits)
    reload_seconds: float = 2.0
    grace: float = 30.0
    log_calls: Calls = "errors"
    log_format: str = "json"

    def __post_init__(self) -> None:
        if bool(self.indexes) == bool(self.shards):
            found = "both INDEX and --shards" if self.indexes else "neither INDEX nor --shards"
            raise UsageError("gramdex serve", found, "one of them")
        if self.shards and self.takedown:
            remedy = "give --takedown to the servers of the shards"
            raise UsageError("--takedown", "beside --shards", "beside INDEX", remedy)
        if self.copies != "all" and not self.takedown:
            raise UsageError("--copies", "no --takedown beside it", "both", "leave it out")
        for name, port in (("port", self.port), ("health-port", self.health_port)):
            _check_port(name, port)
        _check_port("http-port", self.http_port)
        self._check_ports_differ()
        for name in ("threads", "processes", "threads_per_query"):
            _check_least(name, getattr(self, name), 1)
        _check_least("queue", self.queue, 0)
        _check_least("grace", self.grace, 0)
        _check_least("reload_seconds", self.reload_seconds, 0.01)
        if self.log_calls not in CALLS:
            raise UsageError("--log-calls", repr(self.log_calls), "none, errors or all")
        if self.log_format not in ("json", "text"):
            raise UsageError("--log-format", repr(self.log_format), "json or text")
        self._check_protection()

    def _check_ports_differ(self) -> None:
        """Sockets that share a port with other processes would share it with each other as well."""
        taken = {self.port: "--port"}
        others = ("--health-port", self.health_address_port), ("--http-port", self.http_port)
        for option, port in others:
            if port and port in taken:
                found = f"{port}, which {taken[port]} takes"
                raise UsageError(option, found, "a port of its own", "choose another")
            taken[port or 0] = option

    def _check_protection(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            given = "--tls-cert" if self.tls_key is None else "--tls-key"
            raise UsageError(given, "alone", "--tls-cert and --tls-key together")
        if self.client_ca is not None and self.tls_cert is None:
            raise UsageError("--client-ca", "no --tls-cert", "certificates of both sides")
        checked = bool(self.tokens) or self.client_ca is not None
        if self.is_loopback or self.insecure or (self.tls_cert is not None and checked):
            return
        found = "no TLS" if self.tls_cert is None else "nobody is asked who they are"
        raise UsageError(
            "--host",
            f"{self.host} can be reached from other machines, and {found}",
            "--tls-cert and --tls-key, and with them --tokens or --client-ca",
            "give them, or --insecure if the network is yours alone",
        )

    @property
    def is_loopback(self) -> bool:
        """Only this machine reaches the host."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def pool_threads(self) -> int:
        """Calls at work at a time in one process."""
        return self.threads or max(1, max(4, 2 * usable_cores()) // self.processes)

    @property
    def pool_queue(self) -> int:
        """Calls that may wait in one process."""
        return 8 * self.pool_threads if self.queue is None else self.queue

    @property
    def health_address_port(self) -> int:
        """Port to ask for; 0 for a free one."""
        if self.health_port is not None:
            return self.health_port
        return self.port + 1 if self.port else 0

    @property
    def protection(self) -> str:
        """How it is protected, in words."""
        parts = ["TLS" if self.tls_cert else "not encrypted"]
        if self.client_ca is not None:
            parts.append("client certificates")
        if self.tokens:
            parts.append(f"tokens of {', '.join(sorted(self.tokens))}")
        if self.client_ca is None and not self.tokens:
            parts.append("this machine only" if self.is_loopback else "open to everybody")
        return ", ".join(parts)


def find_tokens(file: Path | None) -> dict[str, str]:
    """Tokens of a file, or else of the environment; none where neither is given.

    Raises:
        UsageError: they cannot be read.
    """
    if file is not None:
        return read_token_file(file)
    text = os.environ.get(TOKENS_VARIABLE)
    return {} if text is None else read_tokens(text, TOKENS_VARIABLE)


def is_open_to_others(file: Path) -> bool:
    """Whether users other than its owner may read a file."""
    return bool(file.stat().st_mode & 0o077)


def _check_port(name: str, port: int | None) -> None:
    if port is not None and not 0 <= port <= MOST_PORT:
        raise UsageError(f"--{name}", str(port), f"a port from 0 to {MOST_PORT:,}")


def _check_least(name: str, number: float | None, least: float) -> None:
    if number is not None and not number >= least:  # not NaN either
        option = "--" + name.replace("_", "-")
        raise UsageError(option, str(number), f"{least} or more")
