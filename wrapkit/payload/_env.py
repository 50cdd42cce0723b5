"""The one reader of environment variables, and what happens to a value that makes no sense.

What the hook needs at Init stands here; ``_env_export`` and ``_env_resource`` read the rest, by the
readers here.

Each reader takes the mapping to read from (``variables()`` in a real process). A malformed value
counts as unset and is reported once by the variable's name: never with its value, which may hold a
credential.
"""

import sys

from ._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
# A convention without a specification; lower case counts, too (_proxy.py).
HTTP_PROXY = "HTTP_PROXY"
HTTPS_PROXY = "HTTPS_PROXY"
NO_PROXY = "NO_PROXY"
OTEL_SDK_DISABLED = "OTEL_SDK_DISABLED"
PROPAGATORS = "OTEL_PROPAGATORS"
SAMPLER = "OTEL_TRACES_SAMPLER"
SAMPLER_ARGUMENT = "OTEL_TRACES_SAMPLER_ARG"
# opentelemetry-python's own.
ID_GENERATOR = "OTEL_PYTHON_ID_GENERATOR"
# Its own, too, of its instrumentation of libraries.
DISABLED_INSTRUMENTATIONS = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
TRACER_PROVIDER = "OTEL_PYTHON_TRACER_PROVIDER"
LOG_CORRELATION = "OTEL_PYTHON_LOG_CORRELATION"
METER_PROVIDER = "OTEL_PYTHON_METER_PROVIDER"
SEMCONV_OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
EXCLUDED_URLS = "OTEL_PYTHON_EXCLUDED_URLS"
CAPTURE_ALL_METHODS = "OTEL_PYTHON_INSTRUMENTATION_HTTP_CAPTURE_ALL_METHODS"
CAPTURE_REQUEST_HEADERS = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST"
CAPTURE_RESPONSE_HEADERS = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE"
SANITIZE_HEADERS = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS"

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Defined runtime
# environment variables"
RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"
INITIALIZATION_TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"
REGION = "AWS_REGION"
TRACE_ID = "_X_AMZN_TRACE_ID"
ACCESS_KEY_ID = "AWS_ACCESS_KEY_ID"
SECRET_ACCESS_KEY = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the variable's name
SESSION_TOKEN = "AWS_SESSION_TOKEN"  # noqa: S105
# In their place under SnapStart: where to ask for them.
CREDENTIALS_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
CREDENTIALS_TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"  # noqa: S105

# AWS's parameters-and-secrets extension, and the endpoints that AWS's SDKs would use.
SECRETS_EXTENSION_PORT = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"
AWS_ENDPOINT = "AWS_ENDPOINT_URL"
SECRETS_MANAGER_ENDPOINT = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
SSM_ENDPOINT = "AWS_ENDPOINT_URL_SSM"

# wrapkit's own; each is described in docs/concepts/architecture.md.
SOCKET = "WRAPKIT_SOCKET"
OTLP_ADDRESS = "WRAPKIT_OTLP_ADDRESS"
MODE = "WRAPKIT_MODE"
FLUSH = "WRAPKIT_FLUSH"
LOGS = "WRAPKIT_LOGS"
SIGV4 = "WRAPKIT_SIGV4"
CAPTURE = "WRAPKIT_CAPTURE"
CAPTURE_MAX_BYTES = "WRAPKIT_CAPTURE_MAX_BYTES"
CAPTURE_MAX_DEPTH = "WRAPKIT_CAPTURE_MAX_DEPTH"
CAPTURE_REDACT_NAMES = "WRAPKIT_CAPTURE_REDACT_NAMES"
CAPTURE_REDACT_PATTERN = "WRAPKIT_CAPTURE_REDACT_PATTERN"

SIGNALS = ("traces", "metrics", "logs")
MODES = ("internal", "external", "both")

DEFAULT_OTLP_ADDRESS = ("127.0.0.1", 4318)
_TEMPORARY_FOLDER = "/tmp"  # noqa: S108 - the only folder that a function may write to


def variables() -> "Mapping[str, str]":
    """The process's environment, and below it what the layer was generated with."""
    known = _generated()
    for name, value in _environment().items():
        if value.strip() or name not in known:
            known[name] = value
    return known


def _generated() -> "dict[str, str]":
    return dict(getattr(sys.modules[__name__.partition(".")[0]], "DEFAULTS", {}))


def _environment() -> "Mapping[str, str]":
    """The process's own, without loading ``os`` where nothing has (``python -I -S`` has not)."""
    if "os" in sys.modules:
        import os

        return os.environ
    from posix import environ

    return {_decoded(name): _decoded(value) for name, value in environ.items()}


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def text(environ: "Mapping[str, str]", name: str) -> str:
    """The variable's value without surrounding space; empty when it is unset (OpenTelemetry: empty
    is unset).
    """
    return environ.get(name, "").strip()


def number(environ: "Mapping[str, str]", name: str, default: int, maximum: int) -> int:
    """The variable as a positive integer up to ``maximum``, else ``default``."""
    value = text(environ, name)
    if not value:
        return default
    if value.isascii() and value.isdigit() and 0 < int(value[:18]) <= maximum:
        return int(value)
    malformed(name, f"not a whole number from 1 to {maximum}", str(default))
    return default


def flag(environ: "Mapping[str, str]", name: str) -> bool:
    """Whether the variable says ``true``, in any case; all else is false, as OpenTelemetry
    specifies for booleans.
    """
    value = text(environ, name).lower()
    if value not in ("", "true", "false"):
        malformed(name, "neither true nor false", "false")
    return value == "true"


def choice(
    environ: "Mapping[str, str]", name: str, allowed: "tuple[str, ...]", default: str
) -> str:
    """The variable's value where it is one of ``allowed`` (in any case), else ``default``."""
    value = text(environ, name).lower()
    if not value or value in allowed:
        return value or default
    malformed(name, "not one of " + ", ".join(allowed), default or "nothing")
    return default


def mode(environ: "Mapping[str, str]") -> str:
    """Who makes and exports the spans, one of MODES: what the layer is for, unless said."""
    return choice(environ, MODE, MODES, _generated().get(MODE, "both"))


def malformed(name: str, problem: str, default: str) -> None:
    """Says once that a variable makes no sense."""
    report_once(f"env {name}", f"{name} is {problem}; using {default}")


def words(environ: "Mapping[str, str]", name: str) -> "tuple[str, ...]":
    """The variable as a list of words, in lower case, separated by commas."""
    listed = [word.strip() for word in text(environ, name).lower().split(",")]
    return tuple([word for word in listed if word])


def places_invocations(environ: "Mapping[str, str]") -> bool:
    """Whether the user has said anything about propagators, sampler or ids."""
    return any(text(environ, name) for name in (PROPAGATORS, SAMPLER, ID_GENERATOR))


def pair(member: str) -> "tuple[str, Optional[str]]":
    """Name and percent-decoded value of ``name=value``; the value is None where the member is
    malformed.
    """
    name, equals, value = member.partition("=")
    return name.strip(), percent_decoded(value.strip()) if equals else None


def percent_decoded(value: str) -> "Optional[str]":
    """``value`` with its ``%XX`` sequences as UTF-8; None when one is broken. ``urllib`` costs 5 ms
    to import.
    """
    if "%" not in value:
        return value
    first, *rest = value.split("%")
    try:
        data = first.encode() + b"".join(
            [bytes.fromhex(part[:2]) + part[2:].encode() for part in map(_checked, rest)]
        )
        return data.decode("utf-8")
    except ValueError:
        return None


def _checked(part: str) -> str:
    if len(part) < 2 or not part[:2].isalnum():  # bytes.fromhex would pass over spaces
        raise ValueError
    return part


def temporary_folder(environ: "Mapping[str, str]") -> str:
    """The folder that a function may write to, without a slash at its end."""
    return text(environ, "TMPDIR").rstrip("/") or _TEMPORARY_FOLDER


def socket_path(environ: "Mapping[str, str]") -> str:
    """The Unix datagram socket between hook and runner."""
    return text(environ, SOCKET) or temporary_folder(environ) + "/wrapkit.sock"


def otlp_address(environ: "Mapping[str, str]") -> "tuple[str, int]":
    """Host and port of the runner's OTLP/HTTP listener, from ``host:port`` or ``port``."""
    value = text(environ, OTLP_ADDRESS)
    host, _, port = value.rpartition(":")
    if not value:
        return DEFAULT_OTLP_ADDRESS
    if port.isascii() and port.isdigit() and 0 <= int(port[:6]) <= 65535:
        return host.strip("[]") or DEFAULT_OTLP_ADDRESS[0], int(port)
    malformed(OTLP_ADDRESS, "not host:port", DEFAULT_OTLP_ADDRESS[0] + ":4318")
    return DEFAULT_OTLP_ADDRESS
