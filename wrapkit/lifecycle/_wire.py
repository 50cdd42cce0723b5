"""The Runtime, Extensions and Telemetry APIs as bytes: paths, header names, bodies, for both sides.

Rule 1. A path, a header name or a field name of the platform stands here and nowhere else.
Rule 2. Requests are made by the party (runner, hook) and read by the host (emulator); answers the
        other way round. Both directions of one exchange stand next to each other.
Rule 3. Importing this module loads nothing else: ``json`` comes with the first function that needs
        it, ``enum`` not at all. The runner's first three requests are written without them, and its
        start-up is on the critical path of Init.

Sources: AWS Lambda developer guide, "Using the Lambda runtime API", "Using the Lambda Extensions
API", "Telemetry API reference".
"""

from ._errors import RemoteLifecycleError
from ._http import Message, request_bytes, response_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

RUNTIME_API = "/2018-06-01"
EXTENSIONS_API = "/2020-01-01/extension"
TELEMETRY_API = "/2022-07-01/telemetry"

REQUEST_ID = "Lambda-Runtime-Aws-Request-Id"
DEADLINE_MS = "Lambda-Runtime-Deadline-Ms"
INVOKED_FUNCTION_ARN = "Lambda-Runtime-Invoked-Function-Arn"
TRACE_ID = "Lambda-Runtime-Trace-Id"
CLIENT_CONTEXT = "Lambda-Runtime-Client-Context"
COGNITO_IDENTITY = "Lambda-Runtime-Cognito-Identity"
TENANT_ID = "Lambda-Runtime-Aws-Tenant-Id"
RESPONSE_MODE = "Lambda-Runtime-Function-Response-Mode"
FUNCTION_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
FUNCTION_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
EXTENSION_NAME = "Lambda-Extension-Name"
EXTENSION_IDENTIFIER = "Lambda-Extension-Identifier"
EXTENSION_EVENT_IDENTIFIER = "Lambda-Extension-Event-Identifier"
EXTENSION_ACCEPT_FEATURE = "Lambda-Extension-Accept-Feature"
EXTENSION_ERROR_TYPE = "Lambda-Extension-Function-Error-Type"

_JSON = ("Content-Type", "application/json")
TRACING_TYPE = "X-Amzn-Trace-Id"


def json_answer(status: int, document: object, headers: "Sequence[tuple[str, str]]" = ()) -> bytes:
    """A response with a JSON body."""
    import json

    body = json.dumps(document, separators=(",", ":")).encode()
    return response_bytes(status, (_JSON, *headers), body)


def accepted_answer() -> bytes:
    """The answer to a report that was taken: 202 and ``{"status": "OK"}``."""
    return response_bytes(202, (_JSON,), b'{"status":"OK"}\n')


def error_answer(status: int, error_type: str, message: str) -> bytes:
    """The platform's error body; clients tell errors apart by ``errorType``, not by the status."""
    return json_answer(status, {"errorMessage": message, "errorType": error_type})


def raise_for_error(message: Message) -> None:
    """Raises ``RemoteLifecycleError`` when the host's answer is not a success (2xx)."""
    status = message.head.status
    if 200 <= status < 300:
        return
    body = _json_object(message.body) or {}
    error_type = body.get("errorType")
    text = body.get("errorMessage")
    raise RemoteLifecycleError(
        error_type if isinstance(error_type, str) else "",
        text if isinstance(text, str) else f"the answer was {status}",
        status=status,
    )


def _json_object(body: bytes) -> "dict[str, Any] | None":
    import json

    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def register_request(
    host: str, name: str, events: "Sequence[str]", *, accept_features: "Sequence[str]" = ()
) -> bytes:
    """The request that registers an extension for ``events`` (``INVOKE``, ``SHUTDOWN``)."""
    headers = [_JSON, (EXTENSION_NAME, name)]
    if accept_features:
        headers.append((EXTENSION_ACCEPT_FEATURE, ", ".join(accept_features)))
    body = '{"events":[' + ",".join(map(_quoted, events)) + "]}"
    return request_bytes("POST", EXTENSIONS_API + "/register", host, headers, body.encode())


def read_register_request(message: Message) -> "tuple[str, tuple[str, ...], tuple[str, ...]]":
    """The extension's name, the events it asks for, and the features that it accepts.

    The content type does not matter, ``events`` may be missing, and a non-empty
    ``configurationKeys`` is refused, as in AWS's emulator. Raises
    ``RemoteLifecycleError`` with the platform's error type.
    """
    name = message.head.headers.get(EXTENSION_NAME.lower(), "")
    if not name:
        raise RemoteLifecycleError(
            "Extension.InvalidExtensionName", "Empty extension name", status=403
        )
    body = _json_object(message.body)
    if body is None:
        raise _invalid_format("the body is not a JSON object")
    if body.get("configurationKeys"):
        raise _invalid_format("configurationKeys are deprecated; use environment variables instead")
    events = body.get("events") or []
    if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
        raise _invalid_format("events is not a list of strings")
    features = message.head.headers.get(EXTENSION_ACCEPT_FEATURE.lower(), "")
    return name, tuple(events), tuple(part.strip() for part in features.split(",") if part.strip())


def _invalid_format(reason: str) -> RemoteLifecycleError:
    return RemoteLifecycleError("InvalidRequestFormat", reason, status=403)


def register_answer(
    identifier: str,
    *,
    function_name: str,
    function_version: str,
    handler: str,
    account_id: "str | None" = None,
) -> bytes:
    """The answer to a registration; ``account_id`` only where that feature was accepted."""
    document = {
        "functionName": function_name,
        "functionVersion": function_version,
        "handler": handler,
    }
    if account_id is not None:
        document["accountId"] = account_id
    return json_answer(200, document, ((EXTENSION_IDENTIFIER, identifier),))


def read_register_answer(message: Message) -> "tuple[str, dict[str, Any]]":
    """The identifier and the function's facts; raises ``RemoteLifecycleError``."""
    raise_for_error(message)
    return registered_identifier(message), _json_object(message.body) or {}


def registered_identifier(message: Message) -> str:
    """The identifier alone, without reading the body, so that ``json`` need not be loaded yet."""
    if message.head.status != 200:
        raise_for_error(message)
    identifier = message.head.headers.get(EXTENSION_IDENTIFIER.lower(), "")
    if not identifier:
        raise RemoteLifecycleError("", "the registration gave no identifier", status=200)
    return identifier


def next_event_request(host: str, identifier: str) -> bytes:
    """The request for the next event; no timeout, since the environment may be frozen meanwhile."""
    headers = ((EXTENSION_IDENTIFIER, identifier),)
    return request_bytes("GET", EXTENSIONS_API + "/event/next", host, headers)


def invoke_event_answer(
    event_identifier: str,
    *,
    request_id: str,
    deadline_ms: int,
    invoked_function_arn: str,
    trace_header: "str | None",
) -> bytes:
    """The INVOKE event; ``tracing`` is left out when the invocation has no trace header."""
    document: dict[str, Any] = {
        "eventType": "INVOKE",
        "deadlineMs": deadline_ms,
        "requestId": request_id,
        "invokedFunctionArn": invoked_function_arn,
    }
    if trace_header:
        document["tracing"] = {"type": TRACING_TYPE, "value": trace_header}
    return json_answer(200, document, ((EXTENSION_EVENT_IDENTIFIER, event_identifier),))


def shutdown_event_answer(event_identifier: str, *, reason: str, deadline_ms: int) -> bytes:
    """The SHUTDOWN event; the reason in lower case, as on the wire."""
    document = {"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms}
    return json_answer(200, document, ((EXTENSION_EVENT_IDENTIFIER, event_identifier),))


def read_next_event(message: Message) -> "dict[str, Any]":
    """The event as the platform wrote it; an unreadable body is an event without a type.

    Raises ``RemoteLifecycleError`` when the host refused.
    """
    raise_for_error(message)
    return _json_object(message.body) or {}


def extension_error_request(
    host: str, identifier: str, error_type: str, reason: str, *, during_init: bool
) -> bytes:
    """The request that reports the extension's own failure, in Init or later."""
    import json

    path = EXTENSIONS_API + ("/init/error" if during_init else "/exit/error")
    headers = (_JSON, (EXTENSION_IDENTIFIER, identifier), (EXTENSION_ERROR_TYPE, error_type))
    body = {"errorMessage": reason, "errorType": error_type, "stackTrace": []}
    return request_bytes("POST", path, host, headers, json.dumps(body).encode())


def telemetry_request(
    host: str,
    identifier: str,
    uri: str,
    types: "Sequence[str]",
    *,
    schema_version: str,
    max_items: int = 1000,
    max_bytes: int = 256 * 1024,
    timeout_ms: int = 25,
) -> bytes:
    """The request that subscribes to the Telemetry API, delivered to ``uri`` over HTTP.

    1000 items are valid under both the guide (1000 to 10000) and the reference; 256 KiB and 25 ms
    are the platform's minima.
    """
    body = (
        f'{{"schemaVersion":"{schema_version}",'
        f'"types":[{",".join(map(_quoted, types))}],'
        f'"buffering":{{"maxItems":{max_items},"maxBytes":{max_bytes},"timeoutMs":{timeout_ms}}},'
        f'"destination":{{"protocol":"HTTP","URI":"{uri}"}}}}'
    )
    headers = (_JSON, (EXTENSION_IDENTIFIER, identifier))
    return request_bytes("PUT", TELEMETRY_API, host, headers, body.encode())


def _quoted(word: str) -> str:
    return f'"{word}"'


def invocation_answer(
    payload: bytes,
    *,
    request_id: str,
    deadline_ms: int,
    invoked_function_arn: str,
    trace_header: "str | None" = None,
    client_context: "str | None" = None,
    cognito_identity: "str | None" = None,
    tenant_id: "str | None" = None,
    content_type: str = "application/json",
) -> bytes:
    """The answer to the runtime's ``invocation/next``; headers without a value are left out."""
    headers = [
        ("Content-Type", content_type),
        (REQUEST_ID, request_id),
        (DEADLINE_MS, str(deadline_ms)),
        (INVOKED_FUNCTION_ARN, invoked_function_arn),
    ]
    optional = (
        (TRACE_ID, trace_header),
        (CLIENT_CONTEXT, client_context),
        (COGNITO_IDENTITY, cognito_identity),
        (TENANT_ID, tenant_id),
    )
    headers.extend((name, value) for name, value in optional if value)
    return response_bytes(200, headers, payload)


def metadata_answer(availability_zone_id: str) -> bytes:
    """The answer of the metadata endpoint; it stays true for the environment's whole life."""
    headers = (("Cache-Control", "private, max-age=43200, immutable"),)
    return json_answer(200, {"AvailabilityZoneID": availability_zone_id}, headers)


def restore_answer() -> bytes:
    """The answer to the runtime's ``restore/next``: the snapshot has been restored."""
    return response_bytes(200, (_JSON,))


def credentials_answer(
    access_key_id: str, secret_access_key: str, token: str, expiration: str
) -> bytes:
    """The function's credentials, where they may not be in a snapshot; ISO 8601 expiration."""
    document = {
        "AccessKeyId": access_key_id,
        "SecretAccessKey": secret_access_key,
        "Token": token,
        "Expiration": expiration,
    }
    return json_answer(200, document)


def without_error_cause(body: bytes) -> bytes:
    """An error's body as the caller gets it, when its content type says that a cause is in it."""
    import json

    document = _json_object(body)
    if document is None:
        return body
    document.pop("errorCause", None)
    return json.dumps(document).encode()
