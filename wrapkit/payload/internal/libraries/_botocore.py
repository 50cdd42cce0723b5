"""botocore, and with it boto3: ``BaseClient._make_api_call``, which each operation passes, and
``Endpoint.prepare_request``, where the request that is sent gets its header.

As opentelemetry-instrumentation-botocore does it. What a service adds is in ``_botocore_services``.
"""

from ..._invocation import wrapkit_version
from .. import quietly
from . import _current
from ._botocore_services import SERVICES, Call, Service
from ._library_span import LibrarySpan
from ._propagation import X_RAY_HEADER, x_ray
from ._traced import traced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_SCOPE = "opentelemetry.instrumentation.botocore"
_PARAMETERS = ("self", "operation_name", "api_params")
_SCHEMA_URL = "https://opentelemetry.io/schemas/1.11.0"


def instrument_client(client: "Any") -> None:
    """Makes a span of each operation; ``client`` is ``botocore.client``."""
    base = client.BaseClient
    base._make_api_call = traced(base._make_api_call, Botocore(client.ClientError))


def instrument_endpoint(endpoint: "Any") -> None:
    """Puts X-Ray's header into each request, a retry's as well; ``endpoint`` is its module."""
    prepare_request = endpoint.Endpoint.prepare_request

    def prepare(self: "Any", request: "Any", *arguments: "Any", **keywords: "Any") -> "Any":
        quietly(_inject, request)
        return prepare_request(self, request, *arguments, **keywords)

    endpoint.Endpoint.prepare_request = prepare


def _inject(request: "Any") -> None:
    context = _current.parent()
    if context is not None and X_RAY_HEADER not in request.headers:
        x_ray(context, request.headers.__setitem__)


class Botocore:
    """One span an operation, its retries included."""

    __slots__ = ("_client_error", "_scopes")

    def __init__(self, client_error: "Any") -> None:
        self._client_error = client_error
        self._scopes: dict[str, tuple[str, str, str]] = {}

    def begin(
        self, arguments: "list[Any]", keywords: "dict[str, Any]"
    ) -> "Optional[OperationSpan]":
        """The span of ``_make_api_call(client, operation_name, api_params)``."""
        if _current.is_suppressed():
            return None
        given = {**dict(zip(_PARAMETERS, arguments)), **keywords}
        call = Call(given["self"], given["operation_name"], given.get("api_params") or {})
        service = SERVICES.get(call.service, Service)(call)
        attributes = {
            "rpc.system": "aws-api",
            "rpc.service": call.service_id,
            "rpc.method": call.operation,
            "cloud.region": call.region,
            **call.endpoint.attributes,
        }
        quietly(service.describe, attributes)
        span = OperationSpan(self._scope(call.service), call, service, attributes)
        quietly(service.before, span)
        span.start()
        return span

    def answered(self, span: "OperationSpan", result: "Any") -> None:
        """What the response says."""
        _set_response(span, result)
        quietly(span.service.succeeded, span, result)

    def failed(self, span: "OperationSpan", error: Exception) -> None:
        """The same of the response of an error; only its status tells whether it is one."""
        span.record_exception(error)
        if not isinstance(error, self._client_error):
            span.set_error(str(error))
            return
        result = getattr(error, "response", None) or {}
        _set_response(span, result)
        status = result.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if isinstance(status, int) and not 100 <= status < 400:
            span.set_error(str(error))
        else:
            quietly(span.service.succeeded, span, result)

    def _scope(self, service: str) -> "tuple[str, str, str]":
        """The scope: a service that says more than others has its own."""
        scope = self._scopes.get(service)
        if scope is None:
            name = f"{_SCOPE}.{service}" if service in SERVICES else _SCOPE
            scope = self._scopes[service] = (name, wrapkit_version(), _SCHEMA_URL)
        return scope


class OperationSpan(LibrarySpan):
    """The span of one operation, and the service that it is of."""

    __slots__ = ("service",)

    def __init__(
        self,
        scope: "tuple[str, str, str]",
        call: Call,
        service: Service,
        attributes: "dict[str, Any]",
    ) -> None:
        super().__init__(scope, call.span_name, attributes, kind=call.kind)
        self.service = service


def _set_response(span: LibrarySpan, result: "Any") -> None:
    metadata = result.get("ResponseMetadata") if result is not None else None
    if metadata is None:
        return
    request_id, headers = metadata.get("RequestId"), metadata.get("HTTPHeaders")
    if request_id is None and headers is not None:
        request_id = headers.get("x-amz-request-id") or headers.get("x-amz-id-2")
    span.set("aws.request_id", request_id or None)
    span.set("retry_attempts", metadata.get("RetryAttempts"))
    span.set("http.status_code", metadata.get("HTTPStatusCode"))
