"""What a call may ask for; every limit has a name, and is told with what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields

from gramdex.errors import LimitError, UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a server; ``docs/OPERATING.md`` says what to set them by.

    Attributes:
        query_tokens, query_bytes: of a query or a context, as ids and as a text.
        text_tokens, text_bytes: of a text that is scored or matched token by token.
        batch: queries of one call.
        batch_tokens: ids, or bytes of text, of all of them.
        clauses, phrases: of a search, phrases those of all clauses.
        documents: of one call, those that are skipped included.
        nodes: of a draft tree.
        examples, example_bytes: of a contamination check.
        request_bytes: of a message that comes in.
        response_bytes: of all messages of an answer.
        located: positions that are looked up for one call.
        extracted: tokens of documents that are read for one call.
        seconds: of one call.
    """

    query_tokens: int = 65_536
    query_bytes: int = 1 << 20
    text_tokens: int = 1 << 20
    text_bytes: int = 4 << 20
    batch: int = 65_536
    batch_tokens: int = 4 << 20
    clauses: int = 64
    phrases: int = 256
    documents: int = 1_000
    nodes: int = 1_024
    examples: int = 100_000
    example_bytes: int = 256 << 20
    request_bytes: int = 32 << 20
    response_bytes: int = 64 << 20
    located: int = 1 << 24
    extracted: int = 1 << 26
    seconds: int = 30

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise UsageError(f"limit {each.name}", repr(value), "a whole number from 1 on")

    def check(self, name: str, field: str, found: int) -> None:
        """Refuse what is more than a limit.

        Raises:
            LimitError: names the field, what was found, and the limit.
        """
        most = getattr(self, name)
        if found > most:
            raise LimitError(f"{field}", f"{found:,}", f"at most {most:,}, the limit {name}")

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Names and values."""
        return iter(asdict(self).items())


def read_limits(settings: list[str]) -> Limits:
    """Limits as they are typed: ``documents=50``.

    Raises:
        UsageError: there is no such limit, or no number.
    """
    known = {each.name for each in fields(Limits)}
    values: dict[str, int] = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in known:
            expected = f"NAME=N, NAME one of {', '.join(sorted(known))}"
            raise UsageError("--limit", repr(setting), expected)
        try:
            values[name] = int(value)
        except ValueError as error:
            raise UsageError("--limit", repr(setting), "NAME=N, N a whole number") from error
    return Limits(**values)
