"""Which endpoint of the execution environment's API a request means."""

from enum import Enum

from ._errors import HttpError
from ._wire import RUNTIME_API

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._http import Head


class Endpoint(Enum):
    """What a request to the API asks for; the value is its method and path."""

    PING = "GET /2018-06-01/ping"
    RUNTIME_NEXT = "GET /2018-06-01/runtime/invocation/next"
    RUNTIME_RESPONSE = "POST /2018-06-01/runtime/invocation/{request_id}/response"
    RUNTIME_ERROR = "POST /2018-06-01/runtime/invocation/{request_id}/error"
    RUNTIME_INIT_ERROR = "POST /2018-06-01/runtime/init/error"
    RUNTIME_RESTORE_NEXT = "GET /2018-06-01/runtime/restore/next"
    RUNTIME_RESTORE_ERROR = "POST /2018-06-01/runtime/restore/error"
    EXTENSION_REGISTER = "POST /2020-01-01/extension/register"
    EXTENSION_NEXT = "GET /2020-01-01/extension/event/next"
    EXTENSION_INIT_ERROR = "POST /2020-01-01/extension/init/error"
    EXTENSION_EXIT_ERROR = "POST /2020-01-01/extension/exit/error"
    LOGS_SUBSCRIBE = "PUT /2020-08-15/logs"
    TELEMETRY_SUBSCRIBE = "PUT /2022-07-01/telemetry"
    CREDENTIALS = "GET /2021-04-23/credentials"
    METADATA = "GET /2026-01-15/metadata/execution-environment"


_BY_PATH = {
    path: (method, endpoint)
    for endpoint in Endpoint
    for method, path in (endpoint.value.split(" "),)
}
_INVOCATION = RUNTIME_API + "/runtime/invocation/"


def route(head: "Head") -> "tuple[Endpoint, str]":
    """The endpoint that a request means, and the request id in its path (empty without one).

    Raises ``HttpError``: 404 for an unknown path, 405 for a known one with another method, as
    AWS's emulator answers.
    """
    path = head.target.partition("?")[0]
    known = _BY_PATH.get(path)
    request_id = ""
    if known is None and path.startswith(_INVOCATION):
        request_id, _, verb = path[len(_INVOCATION) :].partition("/")
        known = _BY_PATH.get(f"{_INVOCATION}{{request_id}}/{verb}") if request_id else None
    if known is None:
        raise HttpError(404, f"no such path: {path}")
    method, endpoint = known
    if method != head.method:
        raise HttpError(405, f"{path} takes {method}, not {head.method}")
    return endpoint, request_id
