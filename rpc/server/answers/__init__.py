"""What each method answers: a function of the call and the request, by the name of the method.

A function of a method that streams gives its messages one by one. To add a method: the proto, a
function here, and a method of ``rpc/client/remote_index.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gramdex.errors import UsageError
from gramdex.rpc.methods import METHODS
from gramdex.rpc.server.answers import corpus, counting, documents, evidence, part, predicting
from gramdex.rpc.server.call import Answer, Call

ANSWERS: dict[str, Answer] = {
    **corpus.ANSWERS,
    **counting.ANSWERS,
    **predicting.ANSWERS,
    **documents.ANSWERS,
    **evidence.ANSWERS,
    **part.ANSWERS,
}


def _batch_of(name: str) -> Answer:
    """The batch of a method: each request answered in turn, and the deadline looked at between."""
    single, response = ANSWERS[name], METHODS[f"{name}Batch"].response

    def answer(call: Call, request: Any) -> Any:
        call.limits.check("batch", "requests", len(request.requests))
        call.limits.check("batch_tokens", "requests", request.ByteSize())
        return response(responses=list(_each(call, request.requests, single)))

    return answer


def _each(call: Call, requests: Any, single: Answer) -> Iterator[Any]:
    for number, request in enumerate(requests):
        call.stop_here()
        try:
            yield single(call, request)
        except UsageError as error:
            thing = f"requests[{number}].{error.thing}"
            raise type(error)(thing, error.found, error.expected, error.remedy) from error


for _name in METHODS:
    _single = _name.removesuffix("Batch")
    if _name != _single and _name not in ANSWERS:
        ANSWERS[_name] = _batch_of(_single)

assert ANSWERS.keys() == METHODS.keys()
