"""What an invocation looks like in every mode: the trace it belongs to, its span's and its
resource's attributes.

docs/concepts/architecture.md, "Which trace an invocation belongs to" and "The invocation span", are
the contract.
"""

import sys
from posix import urandom  # the runner has not loaded os when it loads this module

from ._span import (
    FLAG_HAS_IS_REMOTE,
    FLAG_IS_REMOTE,
    FLAG_SAMPLED,
    KIND_SERVER,
    STATUS_ERROR,
    Span,
    SpanEvent,
    SpanLink,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Callable, Optional

    Place = Callable[[Any, Optional[str]], "TraceContext"]

_HEX = frozenset("0123456789abcdef")
# https://www.w3.org/TR/trace-context/#tracestate-header-field-values
_MAX_TRACE_STATE_MEMBERS = 32
# An ARN of a function has seven fields; an alias or a version is the eighth.
_ARN_FIELDS = 7
_ARN_ACCOUNT = 4


class TraceContext:
    """The place of an invocation in a trace: ``parent_span_id`` is empty for a root, ``flags`` the
    W3C trace flags.
    """

    __slots__ = ("flags", "parent_span_id", "trace_id", "trace_state")

    def __init__(
        self,
        *,
        trace_id: str,
        parent_span_id: str = "",
        flags: int = FLAG_SAMPLED,
        trace_state: str = "",
    ) -> None:
        self.trace_id = trace_id
        self.parent_span_id = parent_span_id
        self.flags = flags
        self.trace_state = trace_state

    def __repr__(self) -> str:
        return f"<TraceContext {self.trace_id}-{self.parent_span_id or 'root'}-{self.flags:02x}>"


def trace_context(headers: "Any" = None, x_ray_header: "Optional[str]" = None) -> TraceContext:
    """The trace context of an invocation: the event's W3C headers, else X-Ray's header, else a new
    trace.

    ``headers`` may be anything that was found under ``headers`` in the event.
    """
    context = None
    if isinstance(headers, dict):
        context = _w3c_context(headers)
    return context or parse_x_ray_header(x_ray_header) or TraceContext(trace_id=new_trace_id())


def _w3c_context(headers: "dict[Any, Any]") -> "Optional[TraceContext]":
    found = {
        key.lower(): value
        for key, value in headers.items()
        # 10 and 11 characters: most headers are not even folded to lower case
        if isinstance(key, str) and len(key) in (10, 11) and isinstance(value, str)
    }
    context = parse_traceparent(found.get("traceparent"))
    if context is not None:
        context.trace_state = parse_tracestate(found.get("tracestate"))
    return context


def parse_traceparent(value: "Optional[str]") -> "Optional[TraceContext]":
    """The context that a W3C ``traceparent`` holds, None when it is not valid by the specification.

    A version above 00 may bring more fields, which are ignored; of its flags only "sampled" is
    known.
    """
    fields = (value or "").strip(" \t").split("-")
    if len(fields) < 4 or not _is_hex(fields[0], 2) or fields[0] == "ff":
        return None
    version, trace_id, span_id, flags = fields[:4]
    if version == "00" and len(fields) != 4:
        return None
    if not (_is_id(trace_id, 32) and _is_id(span_id, 16) and _is_hex(flags, 2)):
        return None
    return TraceContext(
        trace_id=trace_id,
        parent_span_id=span_id,
        flags=int(flags, 16) if version == "00" else int(flags, 16) & FLAG_SAMPLED,
    )


def parse_tracestate(value: "Optional[str]") -> str:
    """The W3C ``tracestate`` when it is one that may be passed on, else an empty string."""
    members = [member.strip(" \t") for member in (value or "").split(",")]
    members = [member for member in members if member]
    if len(members) > _MAX_TRACE_STATE_MEMBERS:
        return ""
    for member in members:
        if not 0 < member.find("=") < len(member) - 1 or not member.isascii():
            return ""
        if not member.isprintable():
            return ""
    return ",".join(members)


def parse_x_ray_header(value: "Optional[str]") -> "Optional[TraceContext]":
    """The context that ``Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=<0|1>`` holds, None when
    it is not valid.

    ``Sampled=0`` is what Lambda sends when X-Ray is not active, so it is no decision against the
    span.
    """
    root = parent = ""
    for field in (value or "").split(";"):
        name, _, text = field.strip().partition("=")
        if name == "Root":
            root = text.lower()
        elif name == "Parent":
            parent = text.lower()
    trace_id = root[2:10] + root[11:]
    if root[:2] != "1-" or root[10:11] != "-" or not _is_id(trace_id, 32):
        return None
    return TraceContext(trace_id=trace_id, parent_span_id=parent if _is_id(parent, 16) else "")


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and _HEX.issuperset(text)


def _is_id(text: str, length: int) -> bool:
    return _is_hex(text, length) and text.strip("0") != ""


def new_trace_id() -> str:
    """A random trace id, never all zeros."""
    return _random_id(16)


def new_span_id() -> str:
    """A random span id, never all zeros."""
    return _random_id(8)


def _random_id(length_bytes: int) -> str:
    while True:
        data = urandom(length_bytes)
        if any(data):
            return data.hex()


def invocation_attributes(
    *, request_id: str, cold_start: bool, invoked_function_arn: str = ""
) -> "dict[str, Any]":
    """The attributes of an invocation's span (semantic conventions for FaaS and AWS Lambda)."""
    attributes: dict[str, Any] = {"faas.invocation_id": request_id, "faas.coldstart": cold_start}
    if invoked_function_arn:
        attributes["cloud.resource_id"] = unqualified_arn(invoked_function_arn)
        attributes["aws.lambda.invoked_arn"] = invoked_function_arn
    return attributes


def unqualified_arn(arn: str) -> str:
    """The function's ARN without the alias or version that it was invoked by."""
    return ":".join(arn.split(":")[:_ARN_FIELDS])


def account_id(arn: str) -> str:
    """The account in an ARN, empty when there is none."""
    fields = arn.split(":")
    return fields[_ARN_ACCOUNT] if len(fields) >= _ARN_FIELDS else ""


def invocation_span(
    context: TraceContext,
    *,
    span_id: str,
    name: str,
    start_time_unix_nano: int,
    end_time_unix_nano: int,
    attributes: "dict[str, Any]",
    links: "Iterable[tuple[str, str, int, str]]" = (),
    error: "Optional[Mapping[str, Any]]" = None,
) -> Span:
    """The span of one invocation; ``links`` are ``(trace_id, span_id, flags, tracestate)``,
    ``error`` is ``{"type", "message", "stack"}`` of what went wrong, all optional.
    """
    remote = FLAG_HAS_IS_REMOTE | FLAG_IS_REMOTE if context.parent_span_id else FLAG_HAS_IS_REMOTE
    span = Span(
        trace_id=context.trace_id,
        span_id=span_id,
        parent_span_id=context.parent_span_id,
        trace_state=context.trace_state,
        flags=context.flags & 0xFF | remote,
        name=name,
        kind=KIND_SERVER,
        start_time_unix_nano=start_time_unix_nano,
        # A clock that was set back within the invocation must not make a span that ends before it
        # starts.
        end_time_unix_nano=max(start_time_unix_nano, end_time_unix_nano),
        attributes=attributes,
        links=[remote_link(*link) for link in links],
    )
    if error is not None:
        set_error(span, error)
    elif "error.type" in attributes:  # a response that says so, as 5xx does
        span.status_code = STATUS_ERROR
    return span


def remote_link(trace_id: str, span_id: str, flags: int, trace_state: str) -> SpanLink:
    """A link to a span of somebody else's."""
    return SpanLink(
        trace_id=trace_id,
        span_id=span_id,
        trace_state=trace_state,
        flags=flags & 0xFF | FLAG_HAS_IS_REMOTE | FLAG_IS_REMOTE,
    )


def set_error(span: Span, error: "Mapping[str, Any]") -> None:
    """Marks ``span`` as failed: status, ``error.type``, and an ``exception`` event where there is a
    stack.
    """
    error_type = str(error.get("type") or "_OTHER")
    message = str(error.get("message") or "")
    span.status_code = STATUS_ERROR
    span.status_message = message
    span.attributes["error.type"] = error_type
    exception = {"exception.type": error_type, "exception.message": message}
    if error.get("stack"):
        exception["exception.stacktrace"] = str(error["stack"])
    span.events.append(
        SpanEvent(name="exception", time_unix_nano=span.end_time_unix_nano, attributes=exception)
    )


def wrapkit_version() -> str:
    """wrapkit's version, from the package that this is part of, under whatever name it was
    copied.
    """
    return str(getattr(sys.modules[__name__.partition(".")[0]], "__version__", ""))


def resource_attributes(
    environ: "Mapping[str, str]", *, account: str = "", instance: str = ""
) -> "dict[str, Any]":
    """The attributes of the resource: what Lambda says about the function, the user's own above
    them.
    """
    from . import _env_resource

    function = _env_resource.FunctionSettings(environ)
    known = {
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": function.region,
        "cloud.account.id": account,
        "faas.name": function.name,
        "faas.version": function.version,
        "faas.instance": function.log_stream_name or instance,
        "faas.max_memory": function.memory_mb * 1024 * 1024,
        "telemetry.sdk.language": "python",
        "telemetry.distro.name": "wrapkit",
        "telemetry.distro.version": wrapkit_version(),
    }
    own = _env_resource.resource_attributes(environ)
    attributes = {key: value for key, value in known.items() if value}
    attributes.update(own)
    attributes["service.name"] = _env_resource.service_name(environ, own)
    return attributes
