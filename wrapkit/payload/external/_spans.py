"""The runner's own spans on their way to the outbox."""

from .. import _invocation
from .._otlp import encode_traces
from .._otlp_http import PROTOBUF
from ._outbox import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Optional

    from .._span import Span
    from ._outbox import Outbox

# As many as OpenTelemetry's batch processor puts into one request.
_MAX_SPANS = 512


class SpanBuffer:
    """Collects finished spans and encodes them in one go: the resource is written once for all."""

    __slots__ = ("_account_id", "_environ", "_outbox", "_spans", "_wanted", "instance")

    def __init__(self, environ: "Mapping[str, str]", outbox: "Outbox", wanted: bool) -> None:
        self._environ = environ
        self._outbox = outbox
        self._wanted = wanted
        self._spans: list[Span] = []
        self._account_id = ""
        # The name of the log stream, which Lambda does not give to extensions in the environment.
        self.instance = ""

    def __bool__(self) -> bool:
        return bool(self._spans)

    def add(self, span: "Optional[Span]") -> None:
        """Keeps a span that is to be exported: there is an endpoint, and the trace is sampled."""
        if span is None or not self._wanted or not span.sampled:
            return
        self._spans.append(span)
        if len(self._spans) >= _MAX_SPANS:
            self.encode(self._account_id)

    def encode(self, account_id: str) -> None:
        """Moves what has been collected to the outbox, as one request body."""
        self._account_id = account_id
        spans, self._spans = self._spans, []
        if not spans:
            return
        body = encode_traces(
            self.resource(account_id), spans, scope_version=_invocation.wrapkit_version()
        )
        self._outbox.add(Batch(signal="traces", content_type=PROTOBUF, body=body))

    def resource(self, account_id: str) -> "dict[str, Any]":
        """The attributes of the resource that all of the runner's own telemetry is of."""
        return _invocation.resource_attributes(
            self._environ, account=account_id, instance=self.instance
        )
