"""What a caller asks for, read from the head and the body of its HTTP request."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._refusal import (
    MAX_EVENT_BYTES,
    MAX_REQUEST_BYTES,
    invalid_content,
    invalid_parameter,
    too_large,
)
from ._trace_header import complete_trace_header

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REQUEST_RESPONSE, EVENT, DRY_RUN = "RequestResponse", "Event", "DryRun"


@dataclass(frozen=True)
class InvokeRequest:
    """One invocation to be made; a retry of an event is made with the same."""

    request_id: str
    payload: bytes
    trace_header: str
    client_context: str | None
    tenant_id: str | None
    invoked_function_arn: str
    on_piece: Callable[[bytes], None] | None = None


@dataclass(frozen=True)
class InvokeOptions:
    """How the caller wants to be answered."""

    invocation_type: str
    has_log_tail: bool

    @property
    def max_bytes(self) -> int:
        """The limit of the payload."""
        return MAX_EVENT_BYTES if self.invocation_type == EVENT else MAX_REQUEST_BYTES


def read_options(headers: Mapping[str, str], *, allowed_types: tuple[str, ...]) -> InvokeOptions:
    """Reads X-Amz-Invocation-Type and X-Amz-Log-Type; raises ``InvokeRefusedError``."""
    invocation_type = headers.get("x-amz-invocation-type", REQUEST_RESPONSE)
    if invocation_type not in allowed_types:
        raise invalid_parameter(
            f"Unsupported InvocationType {invocation_type}: one of {', '.join(allowed_types)}"
        )
    log_type = headers.get("x-amz-log-type", "None")
    if log_type not in ("None", "Tail"):
        raise invalid_parameter(f"Unsupported LogType {log_type}: None or Tail")
    return InvokeOptions(invocation_type, log_type == "Tail")


def read_request(
    headers: Mapping[str, str],
    body: bytes,
    received_bytes: int,
    *,
    request_id: str,
    options: InvokeOptions,
    invoked_function_arn: str,
    on_piece: Callable[[bytes], None] | None = None,
) -> InvokeRequest:
    """Reads the payload and what comes with it; raises ``InvokeRefusedError``."""
    if received_bytes > options.max_bytes:
        raise too_large(received_bytes, options.invocation_type, options.max_bytes)
    return InvokeRequest(
        request_id=request_id,
        payload=_read_payload(body),
        trace_header=complete_trace_header(headers.get("x-amzn-trace-id", "")),
        client_context=_read_client_context(headers.get("x-amz-client-context", "")),
        tenant_id=headers.get("x-amz-tenant-id") or None,
        invoked_function_arn=invoked_function_arn,
        on_piece=on_piece,
    )


def _read_payload(body: bytes) -> bytes:
    if not body.strip():
        return b"{}"  # what a function gets from a caller that sends nothing
    try:
        json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise invalid_content(str(error)) from error
    return body


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"Unrecognized token '{constant}'")


def _read_client_context(text: str) -> str | None:
    """The JSON for the runtime, in ASCII and on one line, since it travels in a header."""
    if not text:
        return None
    try:
        document = json.loads(base64.b64decode(text, validate=True))
    except ValueError:  # binascii's and json's own
        document = None
    if not isinstance(document, dict):
        raise invalid_content("Client context must be a valid Base64-encoded JSON object.")
    return json.dumps(document, separators=(",", ":"))
