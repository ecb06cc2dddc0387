"""The methods of ``gramdex.v1``, read from the compiled proto.

Server, client, gateway, metrics and limits are driven by this table, so a method added to the proto
needs an answer, a way to ask for it, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import Message

from gramdex.rpc import v1

INDEX, PART = "gramdex.v1.IndexService", "gramdex.v1.PartService"
"""The service for everybody, and the one for routers."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a service.

    Attributes:
        name: as in the proto, ``CountBatch``; no two methods have the same.
        service: its service.
        request, response: classes of its messages.
        client_streaming, server_streaming: there are several of them.
        subject: name of the first field of the request, which errors are about that name none.
    """

    name: str
    service: str
    request: type[Message]
    response: type[Message]
    client_streaming: bool
    server_streaming: bool
    subject: str

    @property
    def path(self) -> str:
        """What calls name it by."""
        return f"/{self.service}/{self.name}"


def _methods(service: str) -> dict[str, Method]:
    return {
        each.name: Method(
            each.name,
            service,
            getattr(v1, each.input_type.name),
            getattr(v1, each.output_type.name),
            each.client_streaming,
            each.server_streaming,
            each.input_type.fields[0].name if each.input_type.fields else "request",
        )
        for each in v1.DESCRIPTOR.services_by_name[service.rpartition(".")[2]].methods
    }


METHODS: dict[str, Method] = _methods(INDEX) | _methods(PART)
"""Every method by its name."""
