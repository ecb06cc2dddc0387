"""Calls that came in over HTTP, answered on a pool of threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from gramdex.errors import AccessError, OverloadedError
from gramdex.rpc.http.answers import JSON, LINES, Answer
from gramdex.rpc.http.json_reading import BODY, parse_json, read_message
from gramdex.rpc.http.json_writing import dump, write_json
from gramdex.rpc.http.refusals import refusal, wrong_content
from gramdex.rpc.http.requests import Bodies, GoneError, Request
from gramdex.rpc.methods import Method
from gramdex.rpc.server.service import Service


class Calls:
    """Answers methods of the service.

    Args:
        service: that answers.
        workers: as many pieces of work are done at a time.
        waiting: so many calls wait for them; more are refused at once.
    """

    def __init__(self, service: Service, workers: int, waiting: int) -> None:
        self._service = service
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="gramdex-http")
        self._bodies = Bodies(service.limits)
        self._most = workers + waiting
        self._at_work = 0

    async def answer(self, method: Method, request: Request, answer: Answer) -> None:
        """Read the request, answer it, and watch whether anybody still waits.

        Raises:
            HttpError, GramdexError: the call failed before anything of its answer went out.
            GoneError: nobody waits.
        """
        _require_content(method, request.content_type)
        self._require_room(method)
        request.set_out()
        body = await self._bodies.read(request) if self._is_let_in(request) else bytearray()
        watch = asyncio.ensure_future(request.watch())
        try:
            self._require_room(method)
            self._at_work += 1
            try:
                if method.server_streaming:
                    await self._stream(method, request, body, answer)
                else:
                    await self._one(method, request, body, answer)
            finally:
                self._at_work -= 1
        finally:
            request.give_up()
            watch.cancel()
            self._bodies.release(body)

    def _require_room(self, method: Method) -> None:
        if self._at_work >= self._most:
            found = f"{self._at_work} calls at work and waiting"
            error = OverloadedError("this server", found)
            self._service.tell_refused(method, error)
            raise error

    def _is_let_in(self, request: Request) -> bool:
        """Whether to read what a caller sends; the service says why not."""
        try:
            self._service.access.check(request.metadata())
        except AccessError:
            return False
        return True

    async def _run(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _one(self, method: Method, request: Request, body: bytearray, answer: Answer) -> None:
        def work() -> bytes:
            if not request.is_waiting():  # it had to wait itself, and has left
                raise GoneError
            data = self._service.unary(method, lambda: _message(method, body), request)
            return write_json(method.response.FromString(data)) + b"\n"

        await answer.whole(200, JSON, await self._run(work), {})

    async def _stream(
        self, method: Method, request: Request, body: bytearray, answer: Answer
    ) -> None:
        """A line for each message; for an error between them, a last line."""
        lines = _Lines(self._service, method, request, body)
        try:
            line = await self._run(lines.next)
            await answer.begin(200, LINES, {})
            while line is not None:
                await answer.more(line)
                line = await self._run(lines.next)
        except TimeoutError:
            raise
        except Exception as error:
            if not answer.begun:
                raise
            await answer.more(dump(refusal(error)[1]).encode() + b"\n")
        finally:
            request.give_up()
            with suppress(RuntimeError):  # the pool is closed, and with it the process is ending
                self._pool.submit(lines.close)
        await answer.more(b"", last=True)


class _Lines:
    """The answers of a method, one line at a time; each may be asked for by another thread."""

    def __init__(self, service: Service, method: Method, request: Request, body: bytearray) -> None:
        self._method = method
        self._lock = threading.Lock()
        self._answers = service.streaming(method, _messages(method, request, body), request)

    def next(self) -> bytes | None:
        """The next line; None after the last."""
        with self._lock:
            data = next(self._answers, None)
        if data is None:
            return None
        return write_json(self._method.response.FromString(data)) + b"\n"

    def close(self) -> None:
        """Let go of the call; waits for a line that is being made."""
        with self._lock:
            self._answers.close()  # type: ignore[attr-defined]


def _require_content(method: Method, kind: str) -> None:
    allowed = (JSON, LINES) if method.client_streaming else (JSON,)
    if kind not in allowed:
        raise wrong_content(kind, " or ".join(allowed))


def _message(method: Method, body: bytearray) -> bytes:
    """The message that a body is; of an empty one, the empty message."""
    value = parse_json(bytes(body)) if body.strip() else {}
    return read_message(method.request, value).SerializeToString()


def _messages(method: Method, request: Request, body: bytearray) -> Iterator[bytes]:
    """The messages that a body holds, read when they are wanted."""
    if not method.client_streaming:
        yield _message(method, body)
        return
    for number, value in enumerate(_values(request, body)):
        yield read_message(method.request, value, f"{BODY}[{number}]").SerializeToString()


def _values(request: Request, body: bytearray) -> Iterable[Any]:
    """Of lines, one each; else those of an array, or the only one."""
    if request.content_type == LINES:
        lines = (line for line in bytes(body).split(b"\n") if line.strip())
        return (parse_json(line, f"{BODY}[{number}]") for number, line in enumerate(lines))
    value = parse_json(bytes(body)) if body.strip() else {}
    return value if isinstance(value, list) else [value]
