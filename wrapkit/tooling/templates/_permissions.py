"""The permissions that a function needs to export to AWS's own OTLP endpoints, and no more.

Other backends take a token, and need none. The actions are those of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

# By the first label of the endpoint's host name. X-Ray and CloudWatch know no resources to narrow
# these actions to; of logs it is the group that the endpoint's header names.
_ACTIONS = {
    "xray": "xray:PutTraceSegments",
    "monitoring": "cloudwatch:PutMetricData",
    "logs": "logs:PutLogEvents",
}
_ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
)
_LOGS_HEADERS = ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")


def statements(variables: Mapping[str, str]) -> list[dict[str, Any]]:
    """The statements of an IAM policy for the endpoints among the variables; often none."""
    services = {_service(variables.get(name, "")) for name in _ENDPOINTS} & _ACTIONS.keys()
    return [
        {
            "Effect": "Allow",
            "Action": [_ACTIONS[service]],
            "Resource": _log_group(variables) if service == "logs" else "*",
        }
        for service in sorted(services)
    ]


def _service(endpoint: str) -> str:
    host = urlsplit(endpoint).hostname or ""
    service, _, rest = host.partition(".")
    return service if rest.endswith((".amazonaws.com", ".amazonaws.com.cn")) else ""


def _log_group(variables: Mapping[str, str]) -> str:
    headers = ",".join(variables.get(name, "") for name in _LOGS_HEADERS)
    for item in headers.split(","):
        name, _, value = item.partition("=")
        if name.strip().lower() == "x-aws-log-group":
            return f"arn:*:logs:*:*:log-group:{unquote(value.strip())}:*"
    return "*"
