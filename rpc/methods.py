"""The methods of ``gramdex.v1``, read from the compiled proto.

Server, client, gateway, metrics and limits are driven by this table, so a method added to the proto
needs an answer, a way to ask for it, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import Message

from gramdex.rpc import v1

SERVICE = "gramdex.v1.IndexService"


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the service.

    Attributes:
        name: as in the proto, ``CountBatch``.
        path: that calls name it by.
        request, response: classes of its messages.
        client_streaming, server_streaming: there are several of them.
        subject: name of the first field of the request, which errors are about that name none.
    """

    name: str
    path: str
    request: type[Message]
    response: type[Message]
    client_streaming: bool
    server_streaming: bool
    subject: str


def _methods() -> dict[str, Method]:
    service = v1.DESCRIPTOR.services_by_name[SERVICE.rpartition(".")[2]]
    return {
        each.name: Method(
            each.name,
            f"/{SERVICE}/{each.name}",
            getattr(v1, each.input_type.name),
            getattr(v1, each.output_type.name),
            each.client_streaming,
            each.server_streaming,
            each.input_type.fields[0].name if each.input_type.fields else "request",
        )
        for each in service.methods
    }


METHODS: dict[str, Method] = _methods()
"""Every method by its name."""
