"""The one reader of environment variables: every name, its default, and what happens to a value
that makes no sense.

Each reader takes the mapping to read from (``variables()`` in a real process). A malformed value
counts as unset and is reported once by the variable's name: never with its value, which may hold a
credential.
"""

import sys

from ._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Optional

# https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
# .../configuration/sdk-environment-variables/
OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
OTLP_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
OTLP_COMPRESSION = "OTEL_EXPORTER_OTLP_COMPRESSION"
OTLP_TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT"
OTLP_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
OTLP_CERTIFICATE = "OTEL_EXPORTER_OTLP_CERTIFICATE"
OTLP_CLIENT_CERTIFICATE = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
OTLP_CLIENT_KEY = "OTEL_EXPORTER_OTLP_CLIENT_KEY"
METRICS_TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
METRIC_EXPORT_INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
# A convention without a specification; lower case counts, too (_proxy.py).
HTTP_PROXY = "HTTP_PROXY"
HTTPS_PROXY = "HTTPS_PROXY"
NO_PROXY = "NO_PROXY"
OTEL_SERVICE_NAME = "OTEL_SERVICE_NAME"
OTEL_RESOURCE_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
OTEL_SDK_DISABLED = "OTEL_SDK_DISABLED"
PROPAGATORS = "OTEL_PROPAGATORS"
# opentelemetry-python's own, of its instrumentation of libraries.
DISABLED_INSTRUMENTATIONS = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
TRACER_PROVIDER = "OTEL_PYTHON_TRACER_PROVIDER"
SEMCONV_OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
EXCLUDED_URLS = "OTEL_PYTHON_EXCLUDED_URLS"
CAPTURE_ALL_METHODS = "OTEL_PYTHON_INSTRUMENTATION_HTTP_CAPTURE_ALL_METHODS"
CAPTURE_REQUEST_HEADERS = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST"
CAPTURE_RESPONSE_HEADERS = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE"
SANITIZE_HEADERS = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS"
SAMPLER = "OTEL_TRACES_SAMPLER"
SAMPLER_ARGUMENT = "OTEL_TRACES_SAMPLER_ARG"
# opentelemetry-python's own.
ID_GENERATOR = "OTEL_PYTHON_ID_GENERATOR"
# opentelemetry-lambda's own: what an export may take of the invocation.
FLUSH_TIMEOUT = "OTEL_INSTRUMENTATION_AWS_LAMBDA_FLUSH_TIMEOUT"

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Defined runtime
# environment variables"
RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"
INITIALIZATION_TYPE = "AWS_LAMBDA_INITIALIZATION_TYPE"
FUNCTION_NAME = "AWS_LAMBDA_FUNCTION_NAME"
FUNCTION_VERSION = "AWS_LAMBDA_FUNCTION_VERSION"
FUNCTION_MEMORY_MB = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
LOG_STREAM_NAME = "AWS_LAMBDA_LOG_STREAM_NAME"
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
SIGV4 = "WRAPKIT_SIGV4"
# Before the name of a further destination; behind that, what stands behind OTEL_EXPORTER_OTLP_.
DESTINATION = "WRAPKIT_EXPORTER_"
METRICS = "WRAPKIT_METRICS"
LOGS = "WRAPKIT_LOGS"

SIGNALS = ("traces", "metrics", "logs")
MODES = ("internal", "external", "both")

LOG_TYPES = ("function", "extension")

DEFAULT_TIMEOUT_MS = 10_000
DEFAULT_FLUSH_TIMEOUT_MS = 30_000
# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
DEFAULT_METRIC_INTERVAL_MS = 60_000
MAX_METRIC_INTERVAL_MS = 86_400_000
DEFAULT_OTLP_ADDRESS = ("127.0.0.1", 4318)
DEFAULT_SERVICE_NAME = "unknown_service"
# The longest export that a setting may ask for: a function lives 900 s at most.
MAX_TIMEOUT_MS = 900_000

_EXPORTERS = ("otlp", "console", "none")
_OTLP = "OTEL_EXPORTER_OTLP_"
# Where a header's value refers to a secret (external/_secret_reference.py).
SECRET_MARKS = ("${secretsmanager:", "${ssm:")
_ENDPOINT = "_ENDPOINT"
_COMPRESSIONS = ("none", "gzip")
_PROTOCOL = "http/protobuf"
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


class FunctionSettings:
    """What Lambda says about the function and its execution environment."""

    __slots__ = ("initialization_type", "log_stream_name", "memory_mb", "name", "region", "version")

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self.name = text(environ, FUNCTION_NAME)
        self.version = text(environ, FUNCTION_VERSION)
        self.region = text(environ, REGION)
        self.log_stream_name = text(environ, LOG_STREAM_NAME)
        self.initialization_type = text(environ, INITIALIZATION_TYPE)
        self.memory_mb = number(environ, FUNCTION_MEMORY_MB, 0, 1_000_000)


class ExportSettings:
    """Where and how one signal is exported; ``headers`` (name, value) are never to be shown."""

    __slots__ = (
        "certificate",
        "client_certificate",
        "client_key",
        "destination",
        "gzip",
        "headers",
        "sigv4_variable",
        "timeout_ms",
        "url",
    )

    def __init__(
        self,
        *,
        url: str,
        headers: "Sequence[tuple[str, str]]" = (),
        gzip: bool = False,
        timeout_ms: int = DEFAULT_TIMEOUT_MS,
        certificate: str = "",
        client_certificate: str = "",
        client_key: str = "",
        destination: str = "",
        sigv4_variable: str = SIGV4,
    ) -> None:
        self.url = url
        self.headers = list(headers)
        self.gzip = gzip
        self.timeout_ms = timeout_ms
        self.certificate = certificate
        self.client_certificate = client_certificate
        self.client_key = client_key
        self.destination = destination
        self.sigv4_variable = sigv4_variable

    def __repr__(self) -> str:
        return f"<ExportSettings {len(self.headers)} headers, {self.timeout_ms} ms>"


def export_settings(
    environ: "Mapping[str, str]", signal: str, destination: str = ""
) -> "Optional[ExportSettings]":
    """The settings of ``signal`` (one of SIGNALS) for ``destination`` (one of ``destinations``);
    None when no endpoint is configured or exporting is turned off.

    The variable of the signal wins over the general one; the general endpoint gets ``/v1/<signal>``
    appended, the signal's own is used as it is.
    """
    if not exports(environ, signal):
        return None
    names = _ExportNames(environ, signal, destination)
    url = _endpoint(environ, signal, names)
    if not url:
        return None
    if text(environ, names.of(OTLP_PROTOCOL)) not in ("", _PROTOCOL):
        report_once(OTLP_PROTOCOL, f"{OTLP_PROTOCOL} is not {_PROTOCOL}; using {_PROTOCOL}")
    compression, timeout = names.of(OTLP_COMPRESSION), names.of(OTLP_TIMEOUT)
    return ExportSettings(
        url=url,
        headers=_headers(environ, names.of(OTLP_HEADERS)),
        gzip=choice(environ, compression, _COMPRESSIONS, "none") == "gzip",
        timeout_ms=number(environ, timeout, DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS),
        certificate=text(environ, names.of(OTLP_CERTIFICATE)),
        client_certificate=text(environ, names.of(OTLP_CLIENT_CERTIFICATE)),
        client_key=text(environ, names.of(OTLP_CLIENT_KEY)),
        destination=destination,
        sigv4_variable=names.prefix + "SIGV4" if destination else SIGV4,
    )


def destinations(environ: "Mapping[str, str]") -> "list[str]":
    """Where telemetry may go, always in the same order: empty for OTEL_EXPORTER_OTLP_ENDPOINT's,
    and each NAME for which there is a WRAPKIT_EXPORTER_NAME_ENDPOINT, or one of a signal.
    """
    found = {""}
    for variable in environ:
        if variable.startswith(DESTINATION) and variable.endswith(_ENDPOINT):
            name = variable[len(DESTINATION) : -len(_ENDPOINT)]
            for signal in SIGNALS:
                own = "_" + signal.upper()
                name = name[: -len(own)] if name.endswith(own) else name
            found.add(name)
    return sorted(found)


class _ExportNames:
    """The variables of one signal's export to one destination, from those of the specification."""

    __slots__ = ("_environ", "_signal", "prefix")

    def __init__(self, environ: "Mapping[str, str]", signal: str, destination: str) -> None:
        self._environ = environ
        self._signal = signal.upper() + "_"
        self.prefix = f"{DESTINATION}{destination}_" if destination else _OTLP

    def of(self, name: str) -> str:
        """The variable that decides: the signal's own where it is set, else the general one."""
        own = self.own(name)
        return own if text(self._environ, own) else self.general(name)

    def own(self, name: str) -> str:
        """The variable of the signal."""
        return self.prefix + self._signal + name[len(_OTLP) :]

    def general(self, name: str) -> str:
        """The variable for all signals."""
        return self.prefix + name[len(_OTLP) :]


def exports(environ: "Mapping[str, str]", signal: str) -> bool:
    """Whether ``signal`` is to go out by OTLP: OTEL_SDK_DISABLED and OTEL_<SIGNAL>_EXPORTER."""
    return "otlp" in exporters(environ, signal)


def exporters(environ: "Mapping[str, str]", signal: str) -> "tuple[str, ...]":
    """Which of ``otlp`` and ``console`` the user wants for ``signal``: as a list, by default otlp;
    none of them where the SDK is disabled. opentelemetry-python's names of the OTLP exporters are
    understood as well.
    """
    if flag(environ, OTEL_SDK_DISABLED):
        return ()
    name = f"OTEL_{signal.upper()}_EXPORTER"
    listed = words(environ, name)
    wanted = ["otlp" if word.startswith("otlp_proto_") else word for word in listed or ("otlp",)]
    if "none" in wanted:
        return ()
    unknown = [word for word in wanted if word not in _EXPORTERS]
    if unknown:
        malformed(name, "not of " + ", ".join(_EXPORTERS), "otlp")
        return ("otlp",)
    return tuple(wanted)


def words(environ: "Mapping[str, str]", name: str) -> "tuple[str, ...]":
    """The variable as a list of words, in lower case, separated by commas."""
    listed = [word.strip() for word in text(environ, name).lower().split(",")]
    return tuple([word for word in listed if word])


def flush_timeout_ms(environ: "Mapping[str, str]") -> int:
    """What an export before the response may take of the invocation, at most."""
    return number(environ, FLUSH_TIMEOUT, DEFAULT_FLUSH_TIMEOUT_MS, MAX_TIMEOUT_MS)


def places_invocations(environ: "Mapping[str, str]") -> bool:
    """Whether the user has said anything about propagators, sampler or ids."""
    return any(text(environ, name) for name in (PROPAGATORS, SAMPLER, ID_GENERATOR))


def makes_metrics(environ: "Mapping[str, str]") -> bool:
    """Whether the extension makes metrics of its own: as WRAPKIT_METRICS says, else where the user
    has named metrics for export. A general endpoint alone may well be one that takes traces only.
    """
    if not exports(environ, "metrics"):
        return False
    if text(environ, METRICS):
        return flag(environ, METRICS)
    named = "otlp" in words(environ, "OTEL_METRICS_EXPORTER")
    return named or any(
        text(environ, _ExportNames(environ, "metrics", destination).own(OTLP_ENDPOINT))
        for destination in destinations(environ)
    )


def metric_interval_ms(environ: "Mapping[str, str]") -> int:
    """How often metrics go out at most."""
    name, default = METRIC_EXPORT_INTERVAL, DEFAULT_METRIC_INTERVAL_MS
    return number(environ, name, default, MAX_METRIC_INTERVAL_MS)


def cumulative_metrics(environ: "Mapping[str, str]") -> bool:
    """Whether metrics count from the start of the environment; else from one export to the next."""
    allowed = ("delta", "lowmemory", "cumulative")
    return choice(environ, METRICS_TEMPORALITY, allowed, "delta") == "cumulative"


def log_types(environ: "Mapping[str, str]") -> "tuple[str, ...]":
    """Which logs the extension exports: of LOG_TYPES, those that WRAPKIT_LOGS lists; none without
    it, since an SDK in the function may export the same lines.
    """
    value = text(environ, LOGS).lower()
    if value in ("", "none") or not any(
        export_settings(environ, "logs", destination) for destination in destinations(environ)
    ):
        return ()
    listed = [kind.strip() for kind in value.split(",")]
    if any(kind not in LOG_TYPES for kind in listed):
        malformed(LOGS, "neither none nor a list of " + ", ".join(LOG_TYPES), "none")
        return ()
    return tuple(kind for kind in LOG_TYPES if kind in listed)


def _endpoint(environ: "Mapping[str, str]", signal: str, names: _ExportNames) -> str:
    own = text(environ, names.own(OTLP_ENDPOINT))
    general = text(environ, names.general(OTLP_ENDPOINT))
    url = own or (general.rstrip("/") + "/v1/" + signal if general else "")
    if url and not url.lower().startswith(("http://", "https://")):
        malformed(names.of(OTLP_ENDPOINT), "not an http:// or https:// URL", "no endpoint")
        return ""
    return url


def _headers(environ: "Mapping[str, str]", variable: str) -> "list[tuple[str, str]]":
    """The header list of a variable, in the format of W3C Baggage without metadata; a malformed
    member is left out.
    """
    headers = []
    for member in text(environ, variable).split(","):
        if not member.strip():
            continue
        name, value = _pair(member)
        if not _is_token(name) or value is None or not is_field_value(value):
            report_once(f"env {variable}", f"{variable} has a malformed member; leaving it out")
            continue
        headers.append((name, value))
    return headers


def refers_to_secret(value: str) -> bool:
    """Whether a header's value is to be completed by a secret."""
    return any(mark in value for mark in SECRET_MARKS)


def _is_token(name: str) -> bool:
    # RFC 9110, 5.6.2
    return (
        bool(name) and name.isascii() and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name)
    )


def is_field_value(value: str) -> bool:
    """Whether a header can carry ``value``."""
    # A line break would let the value add headers of its own; latin-1 is all that the head can
    # carry.
    return not any((c < " " and c != "\t") or c == "\x7f" or c > "\xff" for c in value)


def _pair(member: str) -> "tuple[str, Optional[str]]":
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


def resource_attributes(environ: "Mapping[str, str]") -> "dict[str, str]":
    """OTEL_RESOURCE_ATTRIBUTES as a dict; empty when any part of it is malformed, as its
    specification asks.
    """
    attributes = {}
    for member in text(environ, OTEL_RESOURCE_ATTRIBUTES).split(","):
        if not member.strip():
            continue
        name, value = _pair(member)
        if not name or value is None:
            malformed(OTEL_RESOURCE_ATTRIBUTES, "not a list of name=value", "nothing of it")
            return {}
        attributes[name] = value
    return attributes


def service_name(environ: "Mapping[str, str]", attributes: "Mapping[str, str]") -> str:
    """OTEL_SERVICE_NAME, else the resource attributes' ``service.name``, else the function's
    name.
    """
    return (
        text(environ, OTEL_SERVICE_NAME)
        or attributes.get("service.name", "")
        or text(environ, FUNCTION_NAME)
        or DEFAULT_SERVICE_NAME
    )


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
