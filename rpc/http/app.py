"""The service over HTTP, as an ASGI application: routes, and what is refused before a call.

=======================  ========================================================================
POST /v1/{Method}        a method of the proto, by its name there; JSON in and out
GET /v1                  the methods there are
GET /healthz, /readyz    the process is alive; its index is open
GET /metrics             what it is told to give out there
GET /                    the page
=======================  ========================================================================

Nothing here may be asked by a page of another site: names and origins are checked, a call needs a
content-type that such a page cannot send without asking first, and nobody is allowed when it asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from gramdex.fmindex.engines.threads import usable_cores
from gramdex.rpc.http.answers import JSON, TEXT, Answer, Send
from gramdex.rpc.http.calls import Calls
from gramdex.rpc.http.json_writing import dump
from gramdex.rpc.http.page_files import PageFile, page_files
from gramdex.rpc.http.refusals import no_such_path, refusal, wrong_verb
from gramdex.rpc.http.requests import LOOPBACK, GoneError, Receive, Request
from gramdex.rpc.methods import INDEX, METHODS
from gramdex.rpc.server.service import Service

App = Callable[[Any, Receive, Send], Awaitable[None]]

WAITING = 64
_METHODS = "/v1/"
OPEN = {name: method for name, method in METHODS.items() if method.service == INDEX}
"""Those for everybody; routers use gRPC."""


def make_app(
    service: Service,
    metrics: Callable[[str], tuple[bytes, str]] | None = None,
    is_ready: Callable[[], bool] | None = None,
    workers: int | None = None,
    waiting: int = WAITING,
    hosts: Collection[str] | None = LOOPBACK,
) -> App:
    """The application.

    Args:
        service: that answers.
        metrics: gives what stands at ``/metrics`` and its content type, told the accept header;
            None where nothing does.
        is_ready: whether calls may come; without it, whether there is an index.
        workers: calls that are answered at a time; without it as many as there are cores.
        waiting: calls that wait for a worker; more are refused at once.
        hosts: names, without ports, that requests may call the server by; None for any, which is
            safe only where not just this machine can reach it anyway. The names of the loopback
            where nothing is said.
    """
    ready = is_ready or (lambda: service.serving.now is not None)
    calls = Calls(service, workers or usable_cores(), waiting)
    return _App(service, calls, metrics, ready, hosts)


class _App:
    def __init__(
        self,
        service: Service,
        calls: Calls,
        metrics: Callable[[str], tuple[bytes, str]] | None,
        is_ready: Callable[[], bool],
        hosts: Collection[str] | None,
    ) -> None:
        self._service, self._calls, self._hosts = service, calls, hosts
        self._metrics, self._is_ready = metrics, is_ready
        self._files = page_files()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            answer = Answer(send, self._service.limits.seconds)
            try:
                await self._answer(Request(scope, receive), answer)
            except (GoneError, TimeoutError):
                pass  # nobody is there, or takes what is sent: there is no one to tell
            except Exception as error:
                if answer.begun:
                    raise
                status, body, headers = refusal(error)
                await answer.whole(status, JSON, dump(body).encode() + b"\n", headers)

    async def _answer(self, request: Request, answer: Answer) -> None:
        request.require_own(self._hosts)
        if request.path.startswith(_METHODS):
            method = OPEN.get(request.path.removeprefix(_METHODS))
            if method is None:
                raise no_such_path(request.path)
            if request.verb != "POST":
                raise wrong_verb(request.verb, "POST")
            await self._calls.answer(method, request, answer)
            return
        fixed = self._fixed(request.path)
        if fixed is None:
            raise no_such_path(request.path)
        if request.verb not in ("GET", "HEAD"):
            raise wrong_verb(request.verb, "GET, HEAD")
        await fixed(request, answer)

    def _fixed(self, path: str) -> Callable[[Request, Answer], Awaitable[None]] | None:
        if path in self._files:
            return self._file
        if path == "/metrics" and self._metrics is None:
            return None
        return {
            "/v1": self._list,
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._measure,
        }.get(path)

    async def _file(self, request: Request, answer: Answer) -> None:
        file: PageFile = self._files[request.path]
        if file.is_known(request.headers.get("if-none-match", "")):
            await answer.begin(304, file.kind, file.headers)
            await answer.more(b"", last=True)
        else:
            await answer.whole(200, file.kind, file.content, file.headers)

    async def _list(self, request: Request, answer: Answer) -> None:
        methods = [
            {
                "name": each.name,
                "path": f"{_METHODS}{each.name}",
                "fields": [field.name for field in each.request.DESCRIPTOR.fields],
                "takes_lines": each.client_streaming,
                "gives_lines": each.server_streaming,
            }
            for each in OPEN.values()
        ]
        body = dump({"service": INDEX, "methods": methods}).encode() + b"\n"
        await answer.whole(200, JSON, body, {})

    async def _health(self, request: Request, answer: Answer) -> None:
        await answer.whole(200, TEXT, b"alive\n", {})

    async def _readiness(self, request: Request, answer: Answer) -> None:
        ready = self._is_ready()
        await answer.whole(200 if ready else 503, TEXT, b"ready\n" if ready else b"not yet\n", {})

    async def _measure(self, request: Request, answer: Answer) -> None:
        self._service.access.check(request.metadata())
        assert self._metrics is not None
        accept = request.headers.get("accept", "")
        body, kind = await asyncio.to_thread(self._metrics, accept)
        await answer.whole(200, kind, body, {})


async def _live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
