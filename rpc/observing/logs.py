"""What a server writes down: one line for each event, for machines or for people.

Of a call there is its method, how it ended, how long it took and how large it was; of what was
asked there is a hash. The text and the ids of a query are never written, and so neither is the
text of an error, which may quote them: of an error there is its kind and the field it is about.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, TextIO

from gramdex.errors import GramdexError, IndexFileError, UsageError
from gramdex.rpc.methods import METHODS
from gramdex.rpc.status import status_of

if TYPE_CHECKING:
    from gramdex.rpc.server.service import Caller, Told

LOGGER = logging.getLogger("gramdex")
Calls = Literal["all", "errors", "none"]
CALLS: tuple[Calls, ...] = ("all", "errors", "none")
_SERVERS_FAULT = frozenset({"INTERNAL", "DATA_LOSS", "UNKNOWN", "UNAVAILABLE"})
_MOST_FLOODS = 1_000
"""Lines that are told apart; what comes beyond them counts as one."""
_OTHERS = ("", "", "", "")
_STEP = re.compile(r"(\w+)((?:\[\d+\])?)(?:\.|$|(?=:))")


def set_up_logs(form: str = "json", stream: TextIO | None = None) -> None:
    """Write what the loggers of gramdex say to a stream, stderr by default; nowhere else.

    Of an exception its kind and the places in the code are written, and not its words.

    Args:
        form: "json" for an object a line, "text" for people.
        stream: written to from any thread.

    Raises:
        UsageError: another form.
    """
    if form not in _FORMATS:
        raise UsageError("--log-format", repr(form), " or ".join(_FORMATS))
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_FORMATS[form]())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False


def log_event(event: str, /, level: int = logging.INFO, **fields: Any) -> None:
    """Write down that something happened to the server.

    Args:
        event: what, in a word: "start", "ready", "reload", "drain", "damage", "worker died".
        level: one of logging's.
        fields: numbers and strings; nothing that a client has sent.
    """
    LOGGER.log(level, event, extra={"fields": fields})


class _Json(logging.Formatter):
    """Time, level, event and fields as an object."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_entry(record), default=str)


class _Text(logging.Formatter):
    """The same for people; what is no plain word is quoted, so a line stays one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = _entry(record)
        first = [entry.pop(name) for name in ("time", "level", "event")]
        return " ".join([*first, *(f"{name}={_plain(value)}" for name, value in entry.items())])


_FORMATS: dict[str, type[logging.Formatter]] = {"json": _Json, "text": _Text}


def _entry(record: logging.LogRecord) -> dict[str, Any]:
    moment, error = datetime.fromtimestamp(record.created, UTC), (record.exc_info or [None] * 2)[1]
    return {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": record.getMessage(),
        **getattr(record, "fields", {}),
        **({} if error is None else {"error": type(error).__name__, "trace": _places(error)}),
    }


def _plain(value: Any) -> str:
    if isinstance(value, list):
        value = " > ".join(map(str, value))
    said = value if isinstance(value, str) else json.dumps(value, default=str)
    return said if re.fullmatch(r"[\w.:/@+-]+", said, re.ASCII) else json.dumps(said)


@dataclass
class _Flood:
    """Lines that say the same: since when, and how many were left out since then."""

    began: float
    left_out: int = 0


class CallLog:
    """An observer that writes down calls.

    Args:
        calls: "all"; "errors" for those that failed by the server's fault, and slow ones; or
            "none".
        slow_seconds: that a call takes at least to be slow.
        flood_seconds: in which lines that say the same - method, status, error - are written once
            and then counted; "all" writes all.
    """

    def __init__(
        self, calls: Calls = "errors", slow_seconds: float = 1.0, flood_seconds: float = 10.0
    ) -> None:
        if calls not in CALLS:
            raise UsageError("--log-calls", repr(calls), " or ".join(CALLS))
        self._calls, self._slow, self._window = calls, slow_seconds, flood_seconds
        self._lock = threading.Lock()
        self._floods: dict[tuple[str, ...], _Flood] = {}
        self._sweep = time.monotonic() + flood_seconds

    def began(self, method: str, caller: Caller | None) -> None:
        """A call has come."""

    def ended(self, told: Told, began: None) -> None:
        """It has ended."""
        status = "OK" if told.error is None else status_of(told.error).name
        fault = status in _SERVERS_FAULT or isinstance(told.error, MemoryError)
        slow = told.seconds >= self._slow
        if self._floods and time.monotonic() > self._sweep:
            self.flush(self._window)
        if self._calls == "none" or (self._calls == "errors" and not fault and not slow):
            return
        fields = _fields(told, status)
        if self._calls == "errors":
            key = (told.method, status, fields.get("error", ""), fields.get("field", ""))
            if not self._is_first(key):
                return
        log_event("call", logging.ERROR if fault else logging.INFO, **fields)

    def _is_first(self, key: tuple[str, ...]) -> bool:
        """Whether nothing like it was written lately."""
        now = time.monotonic()
        with self._lock:
            if key not in self._floods and len(self._floods) >= _MOST_FLOODS:
                key = _OTHERS
            flood = self._floods.get(key)
            if flood is not None:
                flood.left_out += 1
                return False
            self._floods[key] = _Flood(now)
            self._sweep = min(self._sweep, now + self._window)
        return True

    def flush(self, seconds: float = 0.0) -> None:
        """Say how many lines were left out; to be called when the server ends.

        Args:
            seconds: of floods at least so old.
        """
        now = time.monotonic()
        with self._lock:
            over = [key for key, each in self._floods.items() if now - each.began >= seconds]
            ended = [(key, self._floods.pop(key)) for key in over]
            oldest = min((each.began for each in self._floods.values()), default=now)
            self._sweep = oldest + self._window
        for (method, status, error, field), flood in ended:
            if flood.left_out:
                names = {"method": method, "status": status, "error": error, "field": field}
                known: dict[str, Any] = {name: each for name, each in names.items() if each}
                log_event("calls left out", **known, count=flood.left_out)


def _fields(told: Told, status: str) -> dict[str, Any]:
    """What is written of a call."""
    fields: dict[str, Any] = {
        "method": told.method,
        "status": status,
        "milliseconds": round(told.seconds * 1000, 3),
        "request_bytes": told.request_bytes,
        "response_bytes": told.response_bytes,
        "request_hash": told.request_hash,
    }
    if told.user:
        fields["user"] = told.user
    if told.error is not None:
        fields |= _describe(told.method, told.error)
    return fields


def _describe(method: str, error: BaseException) -> dict[str, Any]:
    """The kind of an error and what it is about, in words that no client has chosen."""
    fields: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, UsageError):
        if field := _field(METHODS[method].request.DESCRIPTOR, error.thing):
            fields["field"] = field
    elif isinstance(error, IndexFileError):
        fields["file"] = error.thing
    elif not isinstance(error, GramdexError):
        fields["trace"] = _places(error)
    return fields


def _places(error: BaseException) -> list[str]:
    """Where an error came from, outermost first."""
    return [
        f"{'/'.join(PurePath(each.filename).parts[-2:])}:{each.lineno} {each.name}"
        for each in traceback.extract_tb(error.__traceback__)
    ]


def _field(message: Any, thing: str) -> str:
    """As much of the beginning of a text as is the path of a field of a message."""
    path, at = "", 0
    while message is not None and (step := _STEP.match(thing, at)):
        field = message.fields_by_name.get(step[1])
        if field is None:
            break
        path += ("." if path else "") + step[1] + step[2]
        message, at = field.message_type, step.end()
    return path
