"""Settings of where telemetry goes, and when."""

from __future__ import annotations

from ._kinds import Choice, Text, Url, Whole
from ._setting import Section, Setting

_LONGEST_MS = 900_000
_NO_FILE = "a PEM file in the function's file system"


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
            "the only one there is; another is reported and not used. The wrapper sets it for the "
            "function's own SDK where it is unset",
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
