"""The permissions that a function needs to export, and no more.

Backends with a token need none. AWS's own OTLP endpoints need the actions of
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html, and
header values that are kept in Secrets Manager or Parameter Store need to be read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# By the first label of the endpoint's host name. X-Ray and CloudWatch know no resources to narrow
# these actions to; of logs it is the group that the endpoint's header names.
_ACTIONS = {
    "logs": "logs:PutLogEvents",
    "monitoring": "cloudwatch:PutMetricData",
    "xray": "xray:PutTraceSegments",
}
_BACKEND = r"(?:OTEL_EXPORTER_OTLP|WRAPKIT_EXPORTER_[A-Z0-9_]+?)(?:_TRACES|_METRICS|_LOGS)?"
_ENDPOINT = re.compile(rf"{_BACKEND}_ENDPOINT")
_HEADERS = re.compile(rf"{_BACKEND}_HEADERS")
_SECRET = re.compile(r"\$\{(?P<service>secretsmanager|ssm):(?P<name>[^#}]+)(?:#[^}]*)?\}")
_CHINA = ".amazonaws.com.cn"


def statements(variables: Mapping[str, str]) -> list[dict[str, Any]]:
    """The statements of an IAM policy for the backends among the variables; often none."""
    needed = {*_for_endpoints(variables), *_for_secrets(variables)}
    return [
        {"Effect": "Allow", "Action": [action], "Resource": resource}
        for action, resource in sorted(needed)
    ]


def _for_endpoints(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, endpoint in variables.items():
        host = _host(endpoint) if _ENDPOINT.fullmatch(name) else ""
        service, _, domain = host.partition(".")
        if service in _ACTIONS and domain.endswith((".amazonaws.com", _CHINA)):
            of_logs = service == "logs"
            yield _ACTIONS[service], _log_group(variables, host) if of_logs else "*"


def _host(endpoint: str) -> str:
    try:
        return urlsplit(endpoint).hostname or ""
    except ValueError:
        return ""


def _log_group(variables: Mapping[str, str], host: str) -> str:
    partition = "aws-cn" if host.endswith(_CHINA) else "aws"
    for header, value in _headers(variables):
        if header.lower() == "x-aws-log-group":
            return f"arn:{partition}:logs:*:*:log-group:{value}:*"
    return "*"


def _for_secrets(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for _, value in _headers(variables):
        for match in _SECRET.finditer(value):
            name = match["name"]
            is_arn = name.startswith("arn:")
            if match["service"] == "ssm":
                of_name = f"arn:aws:ssm:*:*:parameter/{name.lstrip('/')}"
                yield "ssm:GetParameter", name if is_arn else of_name
            else:
                # Secrets Manager puts six characters of its own behind a secret's name.
                of_name = f"arn:aws:secretsmanager:*:*:secret:{name}-??????"
                yield "secretsmanager:GetSecretValue", name if is_arn else of_name


def _headers(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in filter(_HEADERS.fullmatch, variables):
        for item in variables[name].split(","):
            header, _, value = item.partition("=")
            yield header.strip(), unquote(value.strip())
