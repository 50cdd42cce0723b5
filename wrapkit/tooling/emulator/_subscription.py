"""A subscription to the Telemetry API, or to the older Logs API: what may be asked for.

Sources: AWS Lambda developer guide, "Telemetry API reference" and "Using the Lambda Logs API".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wrapkit.lifecycle import RemoteLifecycleError

if TYPE_CHECKING:
    from collections.abc import Sequence

TELEMETRY, LOGS = "Telemetry", "Logs"
_SCHEMA_VERSIONS = {
    TELEMETRY: ("2025-01-29", "2022-12-13", "2022-07-01"),
    LOGS: ("2021-03-18", "2020-08-15"),
}
# Developer guide, "Lambda Managed Instances runtimes": the current schema only.
MANAGED_SCHEMAS = ("2025-01-29",)
_DEFAULT_SCHEMA_VERSION = {TELEMETRY: None, LOGS: "2020-08-15"}
_ERROR_TYPES = {TELEMETRY: "ValidationError", LOGS: "Logs.ValidationError"}
_TYPES = ("platform", "function", "extension")
# Field: default, least, most. The guide says 10000 items by default, the reference 1000.
_BUFFERING = {
    "maxItems": (10_000, 1000, 10_000),
    "maxBytes": (262_144, 262_144, 1_048_576),
    "timeoutMs": (1000, 25, 30_000),
}
# sandbox.localdomain is the documented name; the emulator never delivers elsewhere than to the
# loopback.
_HOSTS = ("sandbox.localdomain", "sandbox", "localhost", "127.0.0.1")
_RESERVED_PORT = 9001


@dataclass(frozen=True)
class Subscription:
    """What a subscriber asked for; ``path`` is None for a TCP destination."""

    api: str
    schema_version: str
    types: tuple[str, ...]
    port: int
    path: str | None
    max_items: int
    max_bytes: int
    timeout_ms: int


def read_subscription(
    body: bytes, api: str = TELEMETRY, *, is_managed: bool = False
) -> Subscription:
    """The subscription in a request's body; ``RemoteLifecycleError`` 400 ``ValidationError`` names
    all its faults.
    """
    try:
        return _read(body, api, MANAGED_SCHEMAS if is_managed else _SCHEMA_VERSIONS[api])
    except ValueError as error:
        raise RemoteLifecycleError(_ERROR_TYPES[api], str(error), 400) from error


def _read(body: bytes, api: str, schema_versions: Sequence[str]) -> Subscription:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ValueError("the body is not JSON") from error
    if not isinstance(document, dict):
        raise ValueError("the body is not a JSON object")
    faults: list[str] = []
    schema_version = document.get("schemaVersion", _DEFAULT_SCHEMA_VERSION[api])
    if schema_version not in schema_versions:
        faults.append(f"schemaVersion should be one of {', '.join(schema_versions)}")
    types = _types(document.get("types"), faults)
    port, path = _destination(document.get("destination"), faults)
    buffering = _buffering(document.get("buffering") or {}, faults)
    if faults:
        raise ValueError("; ".join(faults))
    return Subscription(api, str(schema_version), types, port, path, *buffering)


def _types(value: Any, faults: list[str]) -> tuple[str, ...]:
    if value is not None and not isinstance(value, list):
        faults.append("types should be a list")
        return ()
    if not value:
        faults.append("types should not be empty")
        return ()
    unknown = [name for name in value if name not in _TYPES]
    if unknown:
        faults.append(f"types should be among {', '.join(_TYPES)}")
        return ()
    return tuple(dict.fromkeys(value))


def _destination(value: Any, faults: list[str]) -> tuple[int, str | None]:
    if not isinstance(value, dict) or value.get("protocol") not in ("HTTP", "TCP"):
        faults.append("destination.protocol should be HTTP or TCP")
        return 0, None
    if value["protocol"] == "TCP":
        return _port(value.get("port"), faults), None
    uri = value.get("URI")
    try:
        parts = urlsplit(uri if isinstance(uri, str) else "")
        port = parts.port
    except ValueError:
        faults.append("URI port is not a number")
        return 0, None
    if parts.scheme != "http" or parts.hostname not in _HOSTS:
        faults.append("URI should be http://sandbox.localdomain with a port")
    if port is None:
        faults.append("URI port is not provided")
        return 0, None
    return _port(port, faults), parts._replace(scheme="", netloc="").geturl() or "/"


def _port(value: Any, faults: list[str]) -> int:
    if value is None:
        faults.append("port is not provided")
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
        faults.append("port should be a number between 1 and 65535")
        return 0
    if value == _RESERVED_PORT:
        faults.append(f"port {_RESERVED_PORT} is reserved")
    return value


def _buffering(value: Any, faults: list[str]) -> list[int]:
    if not isinstance(value, dict):
        faults.append("buffering should be an object")
        return [default for default, _, _ in _BUFFERING.values()]
    numbers = []
    for name, (default, least, most) in _BUFFERING.items():
        number = value.get(name, default)
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            faults.append(f"buffering.{name} should be between {least} and {most}")
            number = default
        numbers.append(number)
    return numbers
