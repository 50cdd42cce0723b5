"""The runner's own spans on their way to the outbox."""

from .. import _invocation
from .._limits import SpanLimits
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

    __slots__ = (
        "_account_id",
        "_environ",
        "_limits",
        "_outbox",
        "_prints",
        "_spans",
        "_wanted",
        "instance",
    )

    def __init__(
        self, environ: "Mapping[str, str]", outbox: "Outbox", wanted: bool, *, prints: bool = False
    ) -> None:
        self._environ = environ
        self._limits = SpanLimits(environ)
        self._prints = prints
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
        if span is None or not span.sampled:
            return
        self._limits.apply(span)
        if self._prints:
            self._print(span)
        if not self._wanted:
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

    def _print(self, span: "Span") -> None:
        from .._console import print_span

        arn = str(span.attributes.get("cloud.resource_id", ""))
        print_span(span, self.resource(_invocation.account_id(arn)))

    def resource(self, account_id: str) -> "dict[str, Any]":
        """The attributes of the resource that all of the runner's own telemetry is of."""
        return _invocation.resource_attributes(
            self._environ, account=account_id, instance=self.instance
        )
