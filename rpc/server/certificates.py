"""Certificates of the server, read again when their files change."""

from __future__ import annotations

import logging
import ssl
import threading
from pathlib import Path

import grpc

from gramdex.errors import UsageError

_log = logging.getLogger(__name__)


class Certificates:
    """Key, certificate and, where clients must show theirs, the authority that signs them.

    Args:
        certificate, key: PEM files.
        authority: PEM file, or None where clients show nothing.

    Raises:
        UsageError: they cannot be read, or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path, authority: Path | None) -> None:
        self._certificate, self._key, self._authority = certificate, key, authority
        self._lock = threading.Lock()
        self._context = self.require()
        self._seen = self._look()
        self._tried = self._seen
        self._made = self._given = self._configuration()

    def require(self) -> ssl.SSLContext:
        """A context with these files as they are now; UsageError where they are no good."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._load_into(context)
        if self._authority is not None:
            try:
                context.load_verify_locations(self._authority)
            except (OSError, ValueError) as error:
                raise _unusable("--client-ca", self._authority, error) from error
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def renewing_context(self) -> ssl.SSLContext:
        """A context that shows the certificate of the time, and trusts the authority of now."""

        def renew(connection: ssl.SSLObject, name: str, first: ssl.SSLContext) -> None:
            connection.context = self._context

        context = self.require()
        context.sni_callback = renew  # called without a name too; loading into it is not atomic
        return context

    def _load_into(self, context: ssl.SSLContext) -> None:
        def refuse() -> str:
            raise ValueError("the key has a password")

        for option, path in (("--tls-cert", self._certificate), ("--tls-key", self._key)):
            try:
                path.read_bytes()
            except OSError as error:
                raise _unusable(option, path, error) from error
        try:
            context.load_cert_chain(self._certificate, self._key, refuse)
        except (OSError, ValueError) as error:
            raise _unusable("--tls-cert", self._certificate, error) from error

    def credentials(self) -> grpc.ServerCredentials:
        """For gRPC, which asks again at every connection."""
        return grpc.dynamic_ssl_server_credentials(
            self._given, self._renewed, self._authority is not None
        )

    def look(self) -> None:
        """Take the files if they have changed; bad ones are said once and not taken."""
        with self._lock:
            try:
                seen = self._look()
                if seen in (self._seen, self._tried):
                    return
                self._tried = seen
                self._context, self._made = self.require(), self._configuration()
            except (UsageError, OSError) as error:
                _log.error("certificates are not exchanged, the old ones stay: %s", error)
                return
            self._seen = seen
        _log.info("certificates exchanged")

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        authority = None if self._authority is None else self._authority.read_bytes()
        pair = self._key.read_bytes(), self._certificate.read_bytes()
        return grpc.ssl_server_certificate_configuration([pair], authority)

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """What gRPC is to take from this connection on; None for what it has."""
        self.look()
        if self._made is self._given:
            return None
        self._given = self._made
        return self._given

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        paths = [self._certificate, self._key, *([self._authority] if self._authority else [])]
        found = [path.stat() for path in paths]
        return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in found)


def _unusable(option: str, path: Path, error: Exception) -> UsageError:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UsageError(option, f"{path}: {said}", "a PEM certificate and its key, without password")
