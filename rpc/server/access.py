"""Who may ask: tokens, each with a name."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path

from gramdex.errors import AccessError, UsageError

KEY = "authorization"
_SCHEME = "Bearer "
LEAST_CHARACTERS = 16


class Access:
    """Tokens that are let in; without any, everybody is.

    Only their hashes are kept, and every one is compared in constant time, so neither the memory
    of the process nor the time of an answer tells a token.

    Args:
        tokens: token by the name of who uses it.
    """

    def __init__(self, tokens: dict[str, str] | None = None) -> None:
        self._hashes = [(name, _hash(token)) for name, token in (tokens or {}).items()]

    def check(self, metadata: Iterable[tuple[str, str | bytes]]) -> str:
        """The name of who asks, "" where nobody is asked for a token.

        Raises:
            AccessError: no token, or none of those let in.
        """
        if not self._hashes:
            return ""
        given = next((str(value) for key, value in metadata if key == KEY), None)
        if given is None or not given.startswith(_SCHEME):
            raise AccessError(KEY, "no token", f'metadata "{KEY}" with "{_SCHEME}" and a token')
        hashed, found = _hash(given.removeprefix(_SCHEME)), ""
        for name, known in self._hashes:
            if hmac.compare_digest(hashed, known):
                found = name
        if not found:
            raise AccessError(KEY, "a token this server does not know", "one of its own")
        return found


def read_tokens(text: str, source: str) -> dict[str, str]:
    """Tokens by name from lines ``NAME:TOKEN``; empty ones and those with # in front are left out.

    Raises:
        UsageError: a line is none, a name comes twice, a token is short.
    """
    tokens: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, colon, token = (part.strip() for part in line.partition(":"))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        place = f"{source}:{number}"
        if not colon or not name or not token:
            raise UsageError(place, "no name and token", "NAME:TOKEN")
        if len(token) < LEAST_CHARACTERS:
            expected = f"at least {LEAST_CHARACTERS}"
            raise UsageError(place, f"a token of {len(token)} characters", expected)
        if name in tokens:
            raise UsageError(place, f"{name!r} for the second time", "each name once")
        tokens[name] = token
    if not tokens:
        raise UsageError(source, "no token", "lines NAME:TOKEN")
    return tokens


def read_token_file(path: Path) -> dict[str, str]:
    """Tokens of a file; UsageError where it cannot be read."""
    try:
        return read_tokens(path.read_text(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("--tokens", f"{path}: {error}", "a file that can be read") from error


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
