"""Settings of what is recorded."""

from __future__ import annotations

from ._kinds import Choice, Flag, Listing, Ratio, Text, Url, Whole
from ._setting import Section, Setting

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
            "in: W3C's headers, else Lambda's X-Ray header, of which `Sampled=0` is no decision; "
            "out: `tracecontext,baggage,xray`",
            "where the [trace of an "
            "invocation](../concepts/architecture.md#which-trace-an-invocation-belongs-to) comes "
            "from, and the formats in which a request takes it along: a list of `tracecontext`, "
            "`baggage`, `b3`, `b3multi`, `xray` (the `X-Amzn-Trace-Id` of the request), "
            "`xray-lambda` (that, else Lambda's own), or `none`. Of what came in, each that finds "
            "a context replaces what those before it found, and `Sampled=0` is a decision, as in "
            "opentelemetry-python. Requests to AWS have X-Ray's alone, since that is what its "
            "services pass on",
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


CAPTURE = Section(
    "Payloads",
    (
        Setting(
            "capture.parts",
            "WRAPKIT_CAPTURE",
            Listing(("request", "response"), example='["request", "response"]'),
            "`none`",
            "which payloads become attributes of the span, as JSON: `request` "
            "(`wrapkit.request.payload`, the event), `response` (`wrapkit.response.payload`, the "
            "result), or both",
        ),
        Setting(
            "capture.max-bytes",
            "WRAPKIT_CAPTURE_MAX_BYTES",
            Whole(1, 16_384, "4096"),
            "`4096`",
            "bytes of a payload that are kept, at most 16384",
        ),
        Setting(
            "capture.max-depth",
            "WRAPKIT_CAPTURE_MAX_DEPTH",
            Whole(1, 32, "8"),
            "`8`",
            "levels of objects and lists that are kept, at most 32; JSON within a text counts",
        ),
        Setting(
            "capture.redact-names",
            "WRAPKIT_CAPTURE_REDACT_NAMES",
            Listing(example='["customer", "iban"]'),
            "none",
            "further names whose value is a secret: what contains one of them, without regard to "
            "case, dash and underscore",
        ),
        Setting(
            "capture.redact-pattern",
            "WRAPKIT_CAPTURE_REDACT_PATTERN",
            Text("'[A-Z]{2}\\d{2}[ A-Z0-9]{12,30}'"),
            "none",
            "a regular expression of Python's: what it finds in a text is a secret. One that does "
            "not compile turns the capture off",
        ),
    ),
    "Off by default. What is kept has no secrets as far as they can be told: by the names that "
    "they stand under (`password`, `token`, `authorization`, `cookie` and the like; in JSON "
    "within a text and in queries as well), and by their looks (tokens, keys, digits of cards, "
    "passwords in URLs). `REDACTED` stands in their place.",
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
            "",
            "OTEL_PYTHON_TRACER_PROVIDER",
            Text(),
            "wrapkit's own, until the code sets one",
            "another tracer provider, which OpenTelemetry's API loads by name; wrapkit then "
            "provides none",
        ),
        Setting(
            "libraries.log-correlation",
            "OTEL_PYTHON_LOG_CORRELATION",
            Flag(),
            "`false`",
            "gives each record of `logging` `otelTraceID`, `otelSpanID`, `otelTraceSampled` and "
            "`otelServiceName`: for a formatter of yours, and in Lambda's log lines in JSON",
        ),
        Setting(
            "",
            "OTEL_PYTHON_METER_PROVIDER",
            Text(),
            "wrapkit's own, until the code sets one",
            "the same for the meter provider",
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
