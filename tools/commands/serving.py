"""``gramdex serve`` and ``gramdex health``: a server, and whether it is ready."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.text import Text

from gramdex.errors import UsageError
from gramdex.tools.arguments import AsJson, Copies, Takedown
from gramdex.tools.output import counted, facts, print_json, show, stdout, warn

if TYPE_CHECKING:
    from gramdex.rpc.server.running import Started
    from gramdex.rpc.server.settings import Settings


def serve(
    indexes: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="INDEX", help="Folders of indexes, served as one.", show_default=False
        ),
    ] = None,
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="For gRPC; 0: any free one.")] = 7077,
    health_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", help="For the health service; 0: any free one. Without it, PORT + 1."
        ),
    ] = None,
    http_port: Annotated[
        int | None,
        typer.Option(metavar="PORT", help="Serve the page, JSON and /metrics here; 0: any."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Calls at work at a time, in each process. Without it, two a core, four at least, "
            "shared among processes.",
        ),
    ] = None,
    queue: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Calls that may wait in each process; more are refused. Without it, 8 a thread.",
        ),
    ] = None,
    processes: Annotated[
        int, typer.Option(metavar="N", help="Processes that share the port and the page cache.")
    ] = 1,
    threads_per_query: Annotated[
        int, typer.Option(metavar="N", help="Threads that share the work of one large query.")
    ] = 1,
    takedown: Takedown = None,
    copies: Copies = "all",
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate of the server, PEM.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, PEM.")] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Clients must show a certificate this one has signed."),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Callers must bring one of these tokens, a line NAME:TOKEN each. Without it, "
            "those in the environment variable GRAMDEX_TOKENS, if it is set.",
        ),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure", metavar="", help="Let other machines ask, unencrypted or unknown."
        ),
    ] = False,
    no_documents: Annotated[
        bool, typer.Option("--no-documents", metavar="", help="Give out no text of the corpus.")
    ] = False,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=N", help="Another limit of a call; again for more."),
    ] = None,
    reload_seconds: Annotated[
        float, typer.Option(metavar="S", help="Look for a newly published index every S seconds.")
    ] = 2.0,
    grace: Annotated[
        float, typer.Option(metavar="S", help="At the end, give running calls S seconds.")
    ] = 30.0,
    log_calls: Annotated[
        str, typer.Option(metavar="WHICH", help="Log calls: none, errors or all.")
    ] = "errors",
    log_format: Annotated[
        str, typer.Option(metavar="FORM", help="Of lines on stderr: json or text.")
    ] = "json",
    shards: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT,…",
            help="Answer from these servers, one a shard, as one index; replicas joined by |.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer over the network until SIGTERM or Ctrl-C.

    Only this machine can ask unless --host says otherwise, which takes TLS and tokens or client
    certificates. SIGHUP opens the index anew. A second signal ends it at once.
    """
    from gramdex.rpc.limits import read_limits
    from gramdex.rpc.server.settings import Settings, find_tokens

    settings = Settings(
        indexes=tuple(map(str, indexes or ())),
        shards=tuple(each.strip() for each in shards.split(",")) if shards else (),
        takedown=tuple(map(str, takedown or ())),
        copies=copies,
        host=host,
        port=port,
        health_port=health_port,
        http_port=http_port,
        threads=threads,
        queue=queue,
        processes=processes,
        threads_per_query=threads_per_query,
        tls_cert=tls_cert,
        tls_key=tls_key,
        client_ca=client_ca,
        tokens=find_tokens(tokens),
        insecure=insecure,
        serves_documents=not no_documents,
        limits=read_limits(limit or []),
        reload_seconds=reload_seconds,
        grace=grace,
        log_calls=cast(Any, log_calls),  # checked there
        log_format=log_format,
    )
    raise typer.Exit(_run(settings, tokens, as_json))


def health(
    target: Annotated[
        str, typer.Argument(metavar="HOST:PORT", help="Of the health service of a server.")
    ] = "127.0.0.1:7078",
    seconds: Annotated[float, typer.Option(metavar="S", help="Wait so long for the answer.")] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Ask a server whether it is ready.

    Ends with exit code 0 where it is, 1 where it is not or does not answer.
    """
    _require_libraries()
    from gramdex.rpc.server.health import ask_health

    ready = ask_health(target, seconds)
    if as_json:
        print_json({"target": target, "ready": ready})
    else:
        stdout().print(f"{target} is {'ready' if ready else 'not ready'}")
    raise typer.Exit(0 if ready else 1)


def _run(settings: Settings, tokens: Path | None, as_json: bool) -> int:
    _require_libraries()
    from gramdex.rpc.server.running import serve as run

    _warn_of(settings, tokens)
    return run(settings, lambda started: _announce(started, settings, as_json))


def _require_libraries() -> None:
    for name in ("grpc", "grpc_health", "grpc_reflection"):
        if find_spec(name) is None:
            remedy = "pip install 'gramdex[serve]'"
            raise UsageError("gramdex serve", f"no package {name}", "gRPC", remedy)


def _warn_of(settings: Settings, tokens: Path | None) -> None:
    from gramdex.rpc.server.settings import is_open_to_others

    for file in (tokens, settings.tls_key):
        if file is not None and file.exists() and is_open_to_others(file):
            warn(f"{file} can be read by other users; chmod 600 keeps it to its owner")
    if settings.insecure and not settings.is_loopback:
        warn(f"{settings.host} can be reached from other machines: {settings.protection}")


def _announce(started: Started, settings: Settings, as_json: bool) -> None:
    if as_json:
        record: dict[str, Any] = {"ready": True, **asdict(started)}
        print_json(record)
        stdout().file.flush()
        return
    host = f"[{started.host}]" if ":" in started.host else started.host
    scheme = "https" if settings.tls_cert else "http"
    rows = [
        ("serving", ", ".join(settings.indexes or settings.shards)),
        ("gRPC", f"{host}:{started.port}"),
        ("health", f"{host}:{started.health_port}"),
    ]
    if started.http_port is not None:
        rows.append(("page", f"{scheme}://{host}:{started.http_port}"))
    rows.append(("protected", settings.protection))
    calls = counted(settings.pool_threads, "call")
    each = f", in each of {started.processes} processes" if started.processes > 1 else ""
    rows.append(("at a time", f"{calls}, and {settings.pool_queue} waiting{each}"))
    rows.append(("process", f"{started.pid}; Ctrl-C ends it"))
    show(Text("ready", "bold green"))
    show(facts(rows))
