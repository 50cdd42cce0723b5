"""Gives each record of ``logging`` the ids of the span that it belongs to, by the names that
opentelemetry-python gives them. What formats the record decides whether they are seen.
"""

import logging

from ..._env_resource import resource_attributes, service_name
from .. import quietly
from . import _current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def correlate(environ: "Mapping[str, str]") -> None:
    """Sets the factory of records, around the one that is set."""
    make = logging.getLogRecordFactory()
    service = service_name(environ, resource_attributes(environ))

    def record_factory(*arguments: "Any", **keywords: "Any") -> "Any":
        record = make(*arguments, **keywords)
        quietly(_identify, record, service)
        return record

    logging.setLogRecordFactory(record_factory)


def _identify(record: "Any", service: str) -> None:
    trace_id, span_id, flags, _ = _current.parent() or ("0", "0", 0, "")
    record.otelTraceID = trace_id
    record.otelSpanID = span_id
    record.otelTraceSampled = bool(flags & 1)
    record.otelServiceName = service
