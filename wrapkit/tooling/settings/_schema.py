"""The table of settings, in the order of the reference and of ``wrapkit init``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._kinds import Choice, Flag, Listing, Mapping, Ratio, Text, Url, Whole

if TYPE_CHECKING:
    from ._kinds import Kind


@dataclass(frozen=True)
class Setting:
    """One thing that can be set.

    Args:
        key: its place in ``wrapkit.toml`` (``traces.exporter``); empty for what belongs to one
            function or is secret, and so has no place in a layer.
        variable: the variable of the function; empty for what concerns the making of a layer only.
        kind: what its value may be.
        default: what holds without it, in Markdown.
        meaning: what it does, in Markdown, one paragraph.
    """

    key: str
    variable: str
    kind: Kind
    default: str
    meaning: str

    @property
    def table(self) -> str:
        """The table of ``wrapkit.toml`` that it stands in."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its name within the table."""
        return self.key.rpartition(".")[2]


@dataclass(frozen=True)
class Section:
    """A group of settings under one heading, with a paragraph about them."""

    title: str
    settings: tuple[Setting, ...]
    about: str = ""


_LONGEST_MS = 900_000
_EXPORTERS = Choice(("otlp", "none"))
_SAMPLERS = (
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
    "always_on",
    "always_off",
    "traceidratio",
)
_PROPAGATORS = ("tracecontext", "baggage", "b3", "b3multi", "xray", "xray-lambda", "none")
_COUNT = Whole(0, 1 << 20, "128")
_NO_FILE = "a PEM file in the function's file system"

LAYER = Section(
    "The layer",
    (
        Setting(
            "layer.language",
            "",
            Choice(("python",)),
            "none: it has to be said, here or as `--lang`",
            "the functions' language",
        ),
        Setting(
            "layer.output",
            "",
            Text('"build/layer"'),
            "none: it has to be said, here or as `--output`",
            "the folder that `wrapkit generate` writes, relative to the file",
        ),
        Setting(
            "layer.mode",
            "WRAPKIT_MODE",
            Choice(("both", "internal", "external")),
            "`both`",
            "who makes and exports the spans. `internal`: the hook, before the response. "
            "`external`: the extension; no code in the function's process. `both`: the hook "
            "records, the extension exports after the response. What the layer was not generated "
            "for it does not hold",
        ),
        Setting(
            "layer.python",
            "",
            Listing(example='["3.12", "3.13"]'),
            "each of Lambda's that this machine has",
            "the Python versions that get byte code",
        ),
    ),
    "What `wrapkit generate` makes; an option of the command wins over the file.",
)

RESOURCE = Section(
    "The service",
    (
        Setting(
            "service.name",
            "OTEL_SERVICE_NAME",
            Text('"orders"'),
            "`service.name` of the resource attributes, else the function's name",
            "`service.name` of all telemetry",
        ),
        Setting(
            "service.attributes",
            "OTEL_RESOURCE_ATTRIBUTES",
            Mapping(),
            "none",
            "resource attributes: `name=value,name=value`, values percent-encoded. The variable "
            "replaces the file's table as a whole",
        ),
    ),
)

SDK = Section(
    "All signals",
    (
        Setting(
            "sdk.disabled", "OTEL_SDK_DISABLED", Flag(), "`false`", "`true` turns everything off"
        ),
        Setting(
            "sdk.propagators",
            "OTEL_PROPAGATORS",
            Listing(_PROPAGATORS, example='["tracecontext", "baggage", "xray-lambda"]'),
            "W3C's headers, else Lambda's X-Ray header, of which `Sampled=0` is no decision",
            "where the [trace of an "
            "invocation](../concepts/architecture.md#which-trace-an-invocation-belongs-to) comes "
            "from: a list of `tracecontext`, `baggage`, `b3`, `b3multi`, `xray` (the "
            "`X-Amzn-Trace-Id` of the request), `xray-lambda` (that, else Lambda's own), or "
            "`none`. Each that finds a context replaces what those before it found, and "
            "`Sampled=0` is a decision, as in opentelemetry-python",
        ),
        Setting(
            "sdk.id-generator",
            "OTEL_PYTHON_ID_GENERATOR",
            Choice(("random", "xray")),
            "`random`",
            "`xray` begins new trace ids with the time, as X-Ray asks",
        ),
    ),
)

SIGNALS = Section(
    "Signals",
    (
        Setting(
            "traces.exporter",
            "OTEL_TRACES_EXPORTER",
            Choice(("otlp", "console", "otlp,console", "none")),
            "`otlp`",
            "`none` exports no spans; `console` prints each as a line of JSON with the members of "
            "opentelemetry-python's, to the function's log: by the extension, in mode `internal` "
            "by the hook. A list is both",
        ),
        Setting(
            "traces.sampler",
            "OTEL_TRACES_SAMPLER",
            Choice(_SAMPLERS),
            "`parentbased_always_on`",
            "which invocations are exported: `always_on`, `always_off`, `traceidratio`, or one of "
            "them with `parentbased_` in front, which follows the parent's decision where there "
            "is one. What is not sampled is not exported, and counted in metrics all the same",
        ),
        Setting(
            "traces.sampler-argument",
            "OTEL_TRACES_SAMPLER_ARG",
            Ratio(),
            "`1.0`",
            "of the samplers by ratio: which part of the traces, from 0 to 1",
        ),
        Setting(
            "traces.endpoint",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            Url('"https://otlp.example.com/v1/traces"'),
            "the general one with `/v1/traces`",
            "where spans go; used as it is",
        ),
        Setting(
            "metrics.enabled",
            "WRAPKIT_METRICS",
            Flag(),
            "`true` where `OTEL_METRICS_EXPORTER` lists `otlp` or "
            "`OTEL_EXPORTER_OTLP_METRICS_ENDPOINT` is set, else `false`",
            "whether the extension makes [metrics](../concepts/architecture.md#metrics) of its "
            "own. A general endpoint alone does not turn them on: it may take traces only, and "
            "each signal is a request more",
        ),
        Setting(
            "metrics.exporter",
            "OTEL_METRICS_EXPORTER",
            _EXPORTERS,
            "`otlp`",
            "`none` exports no metrics",
        ),
        Setting(
            "metrics.endpoint",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            Url('"https://otlp.example.com/v1/metrics"'),
            "the general one with `/v1/metrics`",
            "where metrics go; used as it is",
        ),
        Setting(
            "metrics.interval-ms",
            "OTEL_METRIC_EXPORT_INTERVAL",
            Whole(1, 86_400_000, "60000"),
            "`60000`",
            "milliseconds between two exports of the extension's metrics, at least",
        ),
        Setting(
            "metrics.temporality",
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            Choice(("delta", "lowmemory", "cumulative")),
            "`delta`",
            "`delta`, `lowmemory` (the same here) or `cumulative`. Not OpenTelemetry's default: "
            "an environment lives so short that sums over its life say little",
        ),
        Setting(
            "logs.export",
            "WRAPKIT_LOGS",
            Listing(("function", "extension"), example='["function"]'),
            "`none`",
            "which [logs](../concepts/architecture.md#logs) the extension exports: `function`, "
            "`extension` or `function,extension`. Off by default: the lines are in CloudWatch "
            "already, and an SDK in the function may export them too",
        ),
        Setting(
            "logs.exporter", "OTEL_LOGS_EXPORTER", _EXPORTERS, "`otlp`", "`none` exports no logs"
        ),
        Setting(
            "logs.endpoint",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            Url('"https://otlp.example.com/v1/logs"'),
            "the general one with `/v1/logs`",
            "where logs go; used as it is",
        ),
    ),
)

LIMITS = Section(
    "Span limits",
    (
        Setting(
            "limits.attribute-count",
            "OTEL_ATTRIBUTE_COUNT_LIMIT",
            _COUNT,
            "`128`",
            "attributes of a span, an event, a link, unless one of the next says otherwise",
        ),
        Setting(
            "limits.attribute-value-length",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            _COUNT,
            "none",
            "characters of an attribute's text",
        ),
        Setting(
            "limits.span-attribute-count",
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            _COUNT,
            "the general one",
            "attributes of a span",
        ),
        Setting(
            "limits.span-attribute-value-length",
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            _COUNT,
            "the general one",
            "characters of a text in a span",
        ),
        Setting(
            "limits.span-event-count",
            "OTEL_SPAN_EVENT_COUNT_LIMIT",
            _COUNT,
            "`128`",
            "events of a span",
        ),
        Setting(
            "limits.span-link-count",
            "OTEL_SPAN_LINK_COUNT_LIMIT",
            _COUNT,
            "`128`",
            "links of a span",
        ),
        Setting(
            "limits.event-attribute-count",
            "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
            _COUNT,
            "the general one",
            "attributes of an event",
        ),
        Setting(
            "limits.link-attribute-count",
            "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
            _COUNT,
            "the general one",
            "attributes of a link",
        ),
    ),
    "Of the spans that wrapkit makes. The first stay, and what is left out is counted in the span.",
)

OTLP = Section(
    "OTLP",
    (
        Setting(
            "otlp.endpoint",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            Url(),
            "none: nothing is exported",
            "the backend's base URL; `/v1/traces` and so on is appended",
        ),
        Setting(
            "",
            "OTEL_EXPORTER_OTLP_HEADERS",
            Text(),
            "none",
            "`name=value,name=value`, values percent-encoded: credentials, usually. "
            "`${secretsmanager:NAME#KEY}` and `${ssm:NAME}` in a value (NAME may be an ARN; "
            "without `#KEY` the whole secret) are read by the extension when the first export "
            "needs them: from AWS's parameters-and-secrets extension where that layer is there, "
            "else from the service, with the function's role. They are fetched anew when the "
            "backend answers 401 or 403",
        ),
        Setting(
            "otlp.compression",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
            Choice(("gzip", "none")),
            "`none`",
            "`gzip` or `none`",
        ),
        Setting(
            "otlp.timeout-ms",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            Whole(1, _LONGEST_MS, "10000"),
            "`10000`",
            "milliseconds that an export may take",
        ),
        Setting(
            "otlp.flush-timeout-ms",
            "OTEL_INSTRUMENTATION_AWS_LAMBDA_FLUSH_TIMEOUT",
            Whole(1, _LONGEST_MS, "30000"),
            "`30000`",
            "milliseconds that an export before the response may take (mode `internal`); the time "
            "that is left to the function is a bound in any case",
        ),
        Setting(
            "otlp.protocol",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            Choice(("http/protobuf",)),
            "`http/protobuf`",
            "the only one there is; another is reported and not used",
        ),
        Setting(
            "otlp.certificate",
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            Text('"/var/task/authorities.pem"'),
            "the system's",
            f"{_NO_FILE}: the authorities to trust",
        ),
        Setting(
            "otlp.client-certificate",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
            Text('"/var/task/client.pem"'),
            "none",
            f"{_NO_FILE}: the client's certificate",
        ),
        Setting(
            "otlp.client-key",
            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
            Text('"/var/task/client.key"'),
            "none",
            f"{_NO_FILE}: the client's key",
        ),
        Setting(
            "otlp.sigv4",
            "WRAPKIT_SIGV4",
            Text('"traces=xray/eu-central-1"'),
            "by the endpoint's host name: `xray`, `logs` and `monitoring` of AWS are signed",
            "which exports carry AWS Signature Version 4 of the function's own credentials; "
            "`SIGNAL=SERVICE[/REGION],...` (`traces=xray/eu-central-1`) for other host names, "
            "`off` or `SIGNAL=off` for none. An `Authorization` header of yours turns it off as "
            "well",
        ),
    ),
    "As [OpenTelemetry specifies them]"
    "(https://opentelemetry.io/docs/specs/otel/protocol/exporter/). Where a name has `OTLP_`, the "
    "variable of a signal (`OTEL_EXPORTER_OTLP_TRACES_HEADERS`, `..._METRICS_...`, `..._LOGS_...`) "
    "wins over the general one.",
)

DESTINATIONS = Section(
    "Further destinations",
    (
        Setting(
            "",
            "WRAPKIT_EXPORTER_NAME_ENDPOINT",
            Url(),
            "none",
            "one more backend for the same telemetry, NAME being any word in capitals "
            "(`WRAPKIT_EXPORTER_ARCHIVE_ENDPOINT`); as many as you like, in place of "
            "`OTEL_EXPORTER_OTLP_ENDPOINT` or next to it. `WRAPKIT_EXPORTER_NAME_TRACES_ENDPOINT` "
            "is for one signal",
        ),
        Setting(
            "",
            "WRAPKIT_EXPORTER_NAME_HEADERS",
            Text(),
            "as above",
            "and likewise `..._COMPRESSION`, `..._TIMEOUT`, `..._CERTIFICATE`, "
            "`..._CLIENT_CERTIFICATE` and `..._CLIENT_KEY`: what the variables with "
            "`OTEL_EXPORTER_OTLP` say for the first backend. Nothing is taken over from there",
        ),
        Setting(
            "",
            "WRAPKIT_EXPORTER_NAME_SIGV4",
            Text(),
            "by the endpoint's host name",
            "what `WRAPKIT_SIGV4` says for the first backend",
        ),
    ),
    "Read by the extension, not by the hook of internal mode. Each destination gets everything "
    "once, and is waited for, retried and spooled by itself.",
)

EXTENSION = Section(
    "The extension",
    (
        Setting(
            "extension.flush",
            "WRAPKIT_FLUSH",
            Text('"adaptive"'),
            "`adaptive`",
            "when the extension exports. `adaptive`: by the rate of invocations, as seldom as "
            "possible while no span gets older than about 10 s; a function that is invoked seldom "
            "exports after each response. `end`: after each response, always. `periodic` or "
            "`periodic,MILLISECONDS` (10000): beside the function, when a period has passed. "
            "SHUTDOWN exports what is left",
        ),
        Setting(
            "extension.otlp-address",
            "WRAPKIT_OTLP_ADDRESS",
            Text('"127.0.0.1:4318"'),
            "`127.0.0.1:4318`",
            "where the extension takes OTLP/HTTP from any SDK: `host:port` or `port`",
        ),
        Setting(
            "",
            "WRAPKIT_SOCKET",
            Text(),
            "`$TMPDIR/wrapkit.sock`, else `/tmp/wrapkit.sock`",
            "the Unix datagram socket from hook to extension",
        ),
        Setting(
            "",
            "WRAPKIT_PYTHON",
            Text(),
            "`/var/lang/bin/python3`, else `python3` on `PATH`",
            "the interpreter that runs the extension",
        ),
    ),
)

LIBRARIES = Section(
    "Spans of libraries",
    (
        Setting(
            "libraries.disabled",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
            Listing(example='["urllib3"]'),
            "none",
            "instrumentations that are left out, by the names that opentelemetry-python gives "
            "them; `*` for all",
        ),
        Setting(
            "libraries.propagators",
            "OTEL_PROPAGATORS",
            Listing(
                ("tracecontext", "baggage", "xray", "xray-lambda", "b3", "b3multi"),
                example='["tracecontext", "baggage"]',
            ),
            "`tracecontext,baggage,xray`",
            "the formats in which a request takes its trace context along; `none` for no header. "
            "Requests to AWS have X-Ray's alone, since that is what its services pass on",
        ),
        Setting(
            "",
            "OTEL_PYTHON_TRACER_PROVIDER",
            Text(),
            "wrapkit's own, until the code sets one",
            "another tracer provider, which OpenTelemetry's API loads by name; wrapkit then "
            "provides none",
        ),
        Setting(
            "libraries.semantic-conventions",
            "OTEL_SEMCONV_STABILITY_OPT_IN",
            Listing(("http", "http/dup"), example='["http"]'),
            "the conventions of before 1.23",
            "`http`: the stable attributes of HTTP; `http/dup`: both",
        ),
        Setting(
            "libraries.excluded-urls",
            "OTEL_PYTHON_EXCLUDED_URLS",
            Listing(example='["/health$"]'),
            "none",
            "patterns of URLs whose requests have no span. `OTEL_PYTHON_REQUESTS_EXCLUDED_URLS` "
            "and `OTEL_PYTHON_URLLIB3_EXCLUDED_URLS` win for their library",
        ),
        Setting(
            "libraries.request-headers",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST",
            Listing(example='["x-tenant"]'),
            "none",
            "patterns of header names of outgoing requests that become attributes",
        ),
        Setting(
            "libraries.response-headers",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE",
            Listing(example='["content-type"]'),
            "none",
            "the same, of their responses",
        ),
        Setting(
            "libraries.hidden-headers",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS",
            Listing(example='["authorization"]'),
            "none",
            "patterns of header names whose value becomes `[REDACTED]`",
        ),
        Setting(
            "libraries.all-methods",
            "OTEL_PYTHON_INSTRUMENTATION_HTTP_CAPTURE_ALL_METHODS",
            Flag(),
            "`false`",
            "with any value, HTTP methods that no standard knows are said as they are; else "
            "`_OTHER`",
        ),
    ),
    "As opentelemetry-python's instrumentation reads them.",
)

PROXIES = Section(
    "Proxies",
    (
        Setting(
            "",
            "HTTPS_PROXY",
            Text(),
            "none",
            "the proxy for `https` endpoints: `http://[user:password@]host[:port]`. The "
            "lower-case name wins. This machine is never asked through a proxy. Read by the "
            "extension, not by the hook of internal mode",
        ),
        Setting("", "HTTP_PROXY", Text(), "none", "the same, for `http` endpoints"),
        Setting(
            "",
            "NO_PROXY",
            Text(),
            "none",
            "what goes directly: `*`, or a list of hosts, domains with all below them, and IPv4 "
            "networks, each with a port or without",
        ),
    ),
)

SECTIONS = (
    LAYER,
    RESOURCE,
    SDK,
    SIGNALS,
    LIMITS,
    OTLP,
    DESTINATIONS,
    EXTENSION,
    LIBRARIES,
    PROXIES,
)
SETTINGS = tuple(setting for section in SECTIONS for setting in section.settings)
