"""Settings, certificates and the page's server: what is refused, and what is let in."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from serving import Asker, answering, build_texts, status_of, wait_until

from gramdex.errors import UsageError
from gramdex.rpc.limits import Limits
from gramdex.rpc.server.certificates import Certificates
from gramdex.rpc.server.settings import Settings, find_tokens, is_open_to_others

DAY = datetime.timedelta(days=1)
PEM = Path("some.pem")


class Authority:
    """Signs certificates of 127.0.0.1."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self.name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.path = self._write(f"{name}.pem", self._sign(self.name, self._key, True))

    def _sign(self, subject: x509.Name, key: Any, authority: bool) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        )
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str) -> tuple[Path, Path]:
        """A new certificate and its key, in files of that name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        form = serialization.PrivateFormat.PKCS8
        private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        certificate = self._write(f"{name}.crt", self._sign(subject, key, False))
        return certificate, self._write(f"{name}.key", private)

    def _write(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return path


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_texts(tmp_path_factory.mktemp("protected"), ["a cat and a cat"])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def trusting(authority: Authority, own: tuple[Path, Path] | None = None) -> Any:
    certificate, key = (path.read_bytes() for path in own) if own else (None, None)
    return grpc.ssl_channel_credentials(authority.path.read_bytes(), key, certificate)


@pytest.mark.parametrize(
    ("options", "thing"),
    [
        ({"indexes": ()}, "gramdex serve"),
        ({"shards": ("a:1",)}, "gramdex serve"),
        ({"indexes": (), "shards": ("a:1",), "takedown": ("b",)}, "--takedown"),
        ({"copies": "listed"}, "--copies"),
        ({"port": 70_000}, "--port"),
        ({"port": 65_535, "health_port": 65_536}, "--health-port"),
        ({"http_port": -1}, "--http-port"),
        ({"port": 70, "health_port": 70}, "--health-port"),
        ({"port": 70, "http_port": 70}, "--http-port"),
        ({"port": 70, "http_port": 71}, "--http-port"),
        ({"threads": 0}, "--threads"),
        ({"queue": -1}, "--queue"),
        ({"processes": 0}, "--processes"),
        ({"threads_per_query": 0}, "--threads-per-query"),
        ({"grace": float("nan")}, "--grace"),
        ({"reload_seconds": 0}, "--reload-seconds"),
        ({"log_calls": "some"}, "--log-calls"),
        ({"tls_cert": PEM}, "--tls-cert"),
        ({"tls_key": PEM}, "--tls-key"),
        ({"client_ca": PEM}, "--client-ca"),
        ({"host": "0.0.0.0"}, "--host"),
        ({"host": "::"}, "--host"),
        ({"host": "example.org"}, "--host"),
        ({"host": "0.0.0.0", "tokens": {"a": "b"}}, "--host"),
        ({"host": "0.0.0.0", "tls_cert": PEM, "tls_key": PEM}, "--host"),
    ],
)
def test_settings_without_meaning_or_protection(options: dict[str, Any], thing: str) -> None:
    with pytest.raises(UsageError) as raised:
        Settings(**({"indexes": ("index",)} | options))
    assert raised.value.thing == thing


@pytest.mark.parametrize(
    "options",
    [
        {"host": "127.0.0.7"},
        {"host": "::1"},
        {"host": "localhost"},
        {"host": "0.0.0.0", "insecure": True},
        {"host": "0.0.0.0", "tls_cert": PEM, "tls_key": PEM, "tokens": {"a": "b"}},
        {"host": "0.0.0.0", "tls_cert": PEM, "tls_key": PEM, "client_ca": PEM},
    ],
)
def test_settings_that_are_protected(options: dict[str, Any]) -> None:
    settings = Settings(("index",), **options)
    assert settings.health_address_port == 7078
    assert settings.protection


def test_tokens_are_nowhere_in_what_settings_say() -> None:
    assert "secret" not in repr(Settings(("index",), tokens={"a": "secret" * 4}))


def test_tokens_come_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tokens"
    file.write_text("# of the file\nfile: 0123456789abcdef\n")
    monkeypatch.delenv("GRAMDEX_TOKENS", raising=False)
    assert find_tokens(None) == {}
    monkeypatch.setenv("GRAMDEX_TOKENS", "one:0123456789abcdef\ntwo:0123456789abcdeg")
    assert list(find_tokens(None)) == ["one", "two"]
    assert list(find_tokens(file)) == ["file"]
    monkeypatch.setenv("GRAMDEX_TOKENS", "")
    with pytest.raises(UsageError, match="GRAMDEX_TOKENS"):
        find_tokens(None)
    file.chmod(0o640)
    assert is_open_to_others(file)
    file.chmod(0o600)
    assert not is_open_to_others(file)


def test_the_limits_document_says_what_they_are() -> None:
    text = (Path(__file__).parents[2] / "docs" / "OPERATING.md").read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    table = {row[1].strip(" `"): row[2].strip() for row in rows}
    for name, value in Limits():
        assert table[name] == f"{value:,}", name


def test_certificates_that_are_none(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue("server")
    _, other = authority.issue("other")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("garbage")
    wrong: list[tuple[Path, Path, Path | None]] = [
        (certificate, other, None),
        (garbage, key, None),
        (certificate, garbage, None),
        (tmp_path / "missing", key, None),
        (certificate, tmp_path / "missing", None),
        (certificate, key, garbage),
        (certificate, key, tmp_path / "missing"),
    ]
    for files in wrong:
        with pytest.raises(UsageError, match="PEM"):
            Certificates(*files)


def test_tls_and_renewing_it(index: Path, authority: Authority) -> None:
    certificate, key = authority.issue("server")
    with answering(index, tls_cert=certificate, tls_key=key) as (_, port, _told):
        shown = ssl.get_server_certificate(("127.0.0.1", port))
        with Asker(port, trusting(authority)) as before:
            assert before.count("cat") == 2
            key.write_text("on its way")  # the old pair goes on
            assert ssl.get_server_certificate(("127.0.0.1", port)) == shown
            authority.issue("server")
            assert ssl.get_server_certificate(("127.0.0.1", port)) != shown
            assert before.count("cat") == 2
        with Asker(port, trusting(authority)) as ask:
            assert ask.count("cat") == 2
        with Asker(port) as plain:
            assert status_of(lambda: plain.count("cat")) == "UNAVAILABLE"


def test_clients_must_show_a_certificate_of_the_authority(
    index: Path, authority: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.issue("server")
    (tmp_path / "strangers").mkdir()
    stranger = Authority(tmp_path / "strangers", "stranger").issue("client")
    options = {"tls_cert": certificate, "tls_key": key, "client_ca": authority.path}
    with answering(index, **options) as (_, port, _told):
        with Asker(port, trusting(authority, authority.issue("client"))) as ask:
            assert ask.count("cat") == 2
        for own in (None, stranger):
            with Asker(port, trusting(authority, own)) as ask:
                assert status_of(lambda: ask.count("cat")) == "UNAVAILABLE"


def test_http_beside_grpc(index: Path) -> None:
    host = "127.0.0.2"
    with answering(index, host=host, http_port=0) as (part, port, _), Asker(port, host=host) as ask:
        assert part._http is not None
        (http_port,) = part._http.ports
        address = f"http://{host}:{http_port}"
        assert urllib.request.urlopen(f"{address}/readyz", timeout=60).read() == b"ready\n"
        assert ask.count("cat") == 2
        metrics = urllib.request.urlopen(f"{address}/metrics", timeout=60).read().decode()
        assert 'gramdex_calls_total{code="OK",method="Count"} 1.0' in metrics
        assert part.drain()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((host, http_port))


def test_http_has_the_same_certificates(index: Path, authority: Authority) -> None:
    certificate, key = authority.issue("server")
    options = {"tls_cert": certificate, "tls_key": key, "client_ca": authority.path}
    options["reload_seconds"] = 0.02
    with answering(index, http_port=0, **options) as (part, _port, _):
        http = part._http
        assert http is not None
        address = f"https://127.0.0.1:{http.ports[0]}/healthz"
        context = ssl.create_default_context(cafile=str(authority.path))
        with pytest.raises(OSError, match=r"(?i)certificate|reset|eof|closed"):
            urllib.request.urlopen(address, timeout=60, context=context).read()
        client = authority.issue("client")
        context.load_cert_chain(*client)
        assert urllib.request.urlopen(address, timeout=60, context=context).read() == b"alive\n"

        def shown() -> bytes | None:
            plain = socket.create_connection(("127.0.0.1", http.ports[0]))
            with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped:
                return wrapped.getpeercert(binary_form=True)

        before = shown()
        authority.issue("server")
        wait_until(lambda: shown() != before)
        assert urllib.request.urlopen(address, timeout=60, context=context).read() == b"alive\n"
