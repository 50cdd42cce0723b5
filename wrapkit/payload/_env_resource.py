"""What variables say about the resource: the function, and the user's own attributes."""

from . import _env

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

OTEL_SERVICE_NAME = "OTEL_SERVICE_NAME"
OTEL_RESOURCE_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
FUNCTION_NAME = "AWS_LAMBDA_FUNCTION_NAME"
FUNCTION_VERSION = "AWS_LAMBDA_FUNCTION_VERSION"
FUNCTION_MEMORY_MB = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
LOG_STREAM_NAME = "AWS_LAMBDA_LOG_STREAM_NAME"
DEFAULT_SERVICE_NAME = "unknown_service"


class FunctionSettings:
    """What Lambda says about the function and its execution environment."""

    __slots__ = ("initialization_type", "log_stream_name", "memory_mb", "name", "region", "version")

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self.name = _env.text(environ, FUNCTION_NAME)
        self.version = _env.text(environ, FUNCTION_VERSION)
        self.region = _env.text(environ, _env.REGION)
        self.log_stream_name = _env.text(environ, LOG_STREAM_NAME)
        self.initialization_type = _env.text(environ, _env.INITIALIZATION_TYPE)
        self.memory_mb = _env.number(environ, FUNCTION_MEMORY_MB, 0, 1_000_000)


def resource_attributes(environ: "Mapping[str, str]") -> "dict[str, str]":
    """OTEL_RESOURCE_ATTRIBUTES as a dict; empty when any part of it is malformed, as its
    specification asks.
    """
    attributes = {}
    for member in _env.text(environ, OTEL_RESOURCE_ATTRIBUTES).split(","):
        if not member.strip():
            continue
        name, value = _env.pair(member)
        if not name or value is None:
            _env.malformed(OTEL_RESOURCE_ATTRIBUTES, "not a list of name=value", "nothing of it")
            return {}
        attributes[name] = value
    return attributes


def service_name(environ: "Mapping[str, str]", attributes: "Mapping[str, str]") -> str:
    """OTEL_SERVICE_NAME, else the resource attributes' ``service.name``, else the function's
    name.
    """
    return (
        _env.text(environ, OTEL_SERVICE_NAME)
        or attributes.get("service.name", "")
        or _env.text(environ, FUNCTION_NAME)
        or DEFAULT_SERVICE_NAME
    )
