"""What variables say about exports: which signals, where to, how and how often."""

from . import _env
from ._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Optional

# https://opentelemetry.io/docs/specs/otel/protocol/exporter/
OTLP_HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
OTLP_COMPRESSION = "OTEL_EXPORTER_OTLP_COMPRESSION"
OTLP_TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT"
OTLP_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
OTLP_CERTIFICATE = "OTEL_EXPORTER_OTLP_CERTIFICATE"
OTLP_CLIENT_CERTIFICATE = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
OTLP_CLIENT_KEY = "OTEL_EXPORTER_OTLP_CLIENT_KEY"
METRICS_TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
METRIC_EXPORT_INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
# Before the name of a further destination; behind that, what stands behind OTEL_EXPORTER_OTLP_.
DESTINATION = "WRAPKIT_EXPORTER_"
METRICS = "WRAPKIT_METRICS"
LOG_TYPES = ("function", "extension")
# Where a header's value refers to a secret (external/_secret_reference.py).
SECRET_MARKS = ("${secretsmanager:", "${ssm:")
# opentelemetry-lambda's own: what an export may take of the invocation.
FLUSH_TIMEOUT = "OTEL_INSTRUMENTATION_AWS_LAMBDA_FLUSH_TIMEOUT"
DEFAULT_TIMEOUT_MS = 10_000
DEFAULT_FLUSH_TIMEOUT_MS = 30_000
# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
DEFAULT_METRIC_INTERVAL_MS = 60_000
MAX_METRIC_INTERVAL_MS = 86_400_000
# The longest export that a setting may ask for: a function lives 900 s at most.
MAX_TIMEOUT_MS = 900_000
_EXPORTERS = ("otlp", "console", "none")
_OTLP = "OTEL_EXPORTER_OTLP_"
_ENDPOINT = "_ENDPOINT"
_COMPRESSIONS = ("none", "gzip")
_PROTOCOL = "http/protobuf"


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
        sigv4_variable: str = _env.SIGV4,
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
    if _env.text(environ, names.of(OTLP_PROTOCOL)) not in ("", _PROTOCOL):
        report_once(
            f"env {OTLP_PROTOCOL}", f"{OTLP_PROTOCOL} is not {_PROTOCOL}; using {_PROTOCOL}"
        )
    compression, timeout = names.of(OTLP_COMPRESSION), names.of(OTLP_TIMEOUT)
    return ExportSettings(
        url=url,
        headers=_headers(environ, names.of(OTLP_HEADERS)),
        gzip=_env.choice(environ, compression, _COMPRESSIONS, "none") == "gzip",
        timeout_ms=_env.number(environ, timeout, DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS),
        certificate=_env.text(environ, names.of(OTLP_CERTIFICATE)),
        client_certificate=_env.text(environ, names.of(OTLP_CLIENT_CERTIFICATE)),
        client_key=_env.text(environ, names.of(OTLP_CLIENT_KEY)),
        destination=destination,
        sigv4_variable=names.prefix + "SIGV4" if destination else _env.SIGV4,
    )


def export_variables(signal: str) -> "tuple[str, ...]":
    """The variables that ``export_settings`` may report of the endpoint that SDKs know, too."""
    own = _OTLP + signal.upper() + "_"
    checked = (_env.OTLP_ENDPOINT, OTLP_PROTOCOL, OTLP_HEADERS, OTLP_COMPRESSION, OTLP_TIMEOUT)
    owned = tuple([own + name[len(_OTLP) :] for name in checked])
    return (*checked, *owned, f"OTEL_{signal.upper()}_EXPORTER")


def destinations(environ: "Mapping[str, str]") -> "list[str]":
    """Where telemetry may go, always in the same order: empty for OTEL_EXPORTER_OTLP_ENDPOINT's,
    and each NAME for which there is a WRAPKIT_EXPORTER_NAME_ENDPOINT, or one of a signal.
    """
    found = {""}
    for variable in environ:
        if variable.startswith(DESTINATION) and variable.endswith(_ENDPOINT):
            name = variable[len(DESTINATION) : -len(_ENDPOINT)]
            for signal in _env.SIGNALS:
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
        return own if _env.text(self._environ, own) else self.general(name)

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
    if _env.flag(environ, _env.OTEL_SDK_DISABLED):
        return ()
    name = f"OTEL_{signal.upper()}_EXPORTER"
    listed = _env.words(environ, name)
    wanted = ["otlp" if word.startswith("otlp_proto_") else word for word in listed or ("otlp",)]
    if "none" in wanted:
        return ()
    unknown = [word for word in wanted if word not in _EXPORTERS]
    if unknown:
        _env.malformed(name, "not of " + ", ".join(_EXPORTERS), "otlp")
        return ("otlp",)
    return tuple(wanted)


def flush_timeout_ms(environ: "Mapping[str, str]") -> int:
    """What an export before the response may take of the invocation, at most."""
    return _env.number(environ, FLUSH_TIMEOUT, DEFAULT_FLUSH_TIMEOUT_MS, MAX_TIMEOUT_MS)


def makes_metrics(environ: "Mapping[str, str]") -> bool:
    """Whether the extension makes metrics of its own: as WRAPKIT_METRICS says, else where the user
    has named metrics for export. A general endpoint alone may well be one that takes traces only.
    """
    if not exports(environ, "metrics"):
        return False
    if _env.text(environ, METRICS):
        return _env.flag(environ, METRICS)
    named = "otlp" in _env.words(environ, "OTEL_METRICS_EXPORTER")
    return named or any(
        _env.text(environ, _ExportNames(environ, "metrics", destination).own(_env.OTLP_ENDPOINT))
        for destination in destinations(environ)
    )


def metric_interval_ms(environ: "Mapping[str, str]") -> int:
    """How often metrics go out at most."""
    name, default = METRIC_EXPORT_INTERVAL, DEFAULT_METRIC_INTERVAL_MS
    return _env.number(environ, name, default, MAX_METRIC_INTERVAL_MS)


def cumulative_metrics(environ: "Mapping[str, str]") -> bool:
    """Whether metrics count from the start of the environment; else from one export to the next."""
    allowed = ("delta", "lowmemory", "cumulative")
    return _env.choice(environ, METRICS_TEMPORALITY, allowed, "delta") == "cumulative"


def log_types(environ: "Mapping[str, str]") -> "tuple[str, ...]":
    """Which logs the extension exports: of LOG_TYPES, those that WRAPKIT_LOGS lists; none without
    it, since an SDK in the function may export the same lines.
    """
    value = _env.text(environ, _env.LOGS).lower()
    if value in ("", "none") or not any(
        export_settings(environ, "logs", destination) for destination in destinations(environ)
    ):
        return ()
    listed = [kind.strip() for kind in value.split(",")]
    if any(kind not in LOG_TYPES for kind in listed):
        _env.malformed(_env.LOGS, "neither none nor a list of " + ", ".join(LOG_TYPES), "none")
        return ()
    return tuple(kind for kind in LOG_TYPES if kind in listed)


def _endpoint(environ: "Mapping[str, str]", signal: str, names: _ExportNames) -> str:
    own = _env.text(environ, names.own(_env.OTLP_ENDPOINT))
    general = _env.text(environ, names.general(_env.OTLP_ENDPOINT))
    url = own or (general.rstrip("/") + "/v1/" + signal if general else "")
    if url and not url.lower().startswith(("http://", "https://")):
        _env.malformed(
            names.of(_env.OTLP_ENDPOINT), "not an http:// or https:// URL", "no endpoint"
        )
        return ""
    return url


def _headers(environ: "Mapping[str, str]", variable: str) -> "list[tuple[str, str]]":
    """The header list of a variable, in the format of W3C Baggage without metadata; a malformed
    member is left out.
    """
    headers = []
    for member in _env.text(environ, variable).split(","):
        if not member.strip():
            continue
        name, value = _env.pair(member)
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
