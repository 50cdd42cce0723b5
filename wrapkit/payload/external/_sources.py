"""Who speaks of invocations while they run: the hook by datagrams, the platform by telemetry.

What they say is collected by ``Invocations``; the spans that come of it wait in the ``SpanBuffer``.
What else the platform tells is for ``PlatformTelemetry``.
"""

import _socket

from ...lifecycle import HookEnd, PlatformRuntimeDone, response_bytes
from .._report import report_once
from .._span import STATUS_ERROR
from ._document import read_json, read_object
from ._invocations import REPORT, RUNTIME_DONE, START
from ._time import unix_nano

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Union

    from ...lifecycle import Head
    from .._span import Span
    from ._children import Children
    from ._invocations import Invocations
    from ._platform import PlatformTelemetry
    from ._spans import SpanBuffer

_DATAGRAM_BYTES = 65_536
# One descriptor at most comes with a datagram.
_DESCRIPTOR_BYTES = 4
# Between two datagrams that found room a hook cannot have lost as many.
_MAX_DROPPED = 1 << 31


class Sources:
    """Reads what comes on the hook's socket and in the platform's batches; ``ended`` is called for
    each word that an invocation is over.

    ``hook_spoke``: whether there has been a hook at all. ``dropped``: the datagrams that it could
    not send.
    """

    __slots__ = (
        "_children",
        "_datagrams",
        "_ended",
        "_invocations",
        "_platform",
        "_spans",
        "dropped",
        "hook_spoke",
    )

    def __init__(
        self,
        datagrams: "Optional[_socket.socket]",
        invocations: "Invocations",
        spans: "SpanBuffer",
        platform: "PlatformTelemetry",
        ended: "Callable[[Union[HookEnd, PlatformRuntimeDone]], None]",
    ) -> None:
        self._datagrams = datagrams
        self._invocations = invocations
        self._spans = spans
        self._platform = platform
        self._ended = ended
        # Loaded when a hook has something to tell: most functions' first call is after Init.
        self._children: Optional[Children] = None
        self.hook_spoke = False
        self.dropped = 0

    # The hook's datagrams

    def read_datagrams(self) -> None:
        """Takes all that wait."""
        while self._datagrams is not None:
            try:
                data, rights, _, _ = self._datagrams.recvmsg(
                    _DATAGRAM_BYTES,
                    _socket.CMSG_SPACE(_DESCRIPTOR_BYTES),
                    _socket.MSG_CMSG_CLOEXEC,
                )
            except OSError:  # BlockingIOError: nothing more waits
                return
            self._adopt(rights)
            try:
                self._take_datagram(read_object(data))
            except ValueError:
                report_once("datagram", "a datagram of the hook cannot be read; leaving it out")

    def _adopt(self, rights: "list[tuple[int, int, bytes]]") -> None:
        from sys import byteorder

        for level, kind, data in rights:
            if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
                if self._children is None:
                    from ._children import Children

                    self._children = Children(self._spans)
                self._children.adopt(int.from_bytes(data[:_DESCRIPTOR_BYTES], byteorder))

    def _take_datagram(self, datagram: "dict[str, Any]") -> None:
        kind, dropped = datagram.get("t"), datagram.get("dropped")
        if isinstance(dropped, int) and 0 < dropped < _MAX_DROPPED:
            self.dropped += dropped
        if kind == "start":
            self.hook_spoke = True
            self._invocations.hook_started(datagram)
        elif kind == "spans":
            if self._children is not None:
                self._children.read()
                self._children.answer()
        elif kind == "end":
            if self._children is not None:
                self._children.read()
                datagram["gathered"] = self._children.gathered(str(datagram.get("id")))
            self._spans.add(self._invocations.hook_ended(datagram))
            self._ended(HookEnd(request_id=str(datagram.get("id", ""))))

    def cut_off(self, span: "Span") -> None:
        """What was open within an invocation that failed without the hook's word failed, too."""
        if self._children is None:
            return
        self._children.read()
        if span.status_code == STATUS_ERROR:
            request_id = str(span.attributes.get("faas.invocation_id"))
            error = {"type": span.attributes.get("error.type"), "message": span.status_message}
            self._children.cut_off(request_id, span.end_time_unix_nano, error)

    def shut_down(self, time_ns: int) -> None:
        """What is open within no invocation is never going to end."""
        if self._children is not None:
            self._children.read()
            self._children.shut_down(time_ns)

    # The platform's telemetry

    def take_telemetry(self, _head: "Head", body: "list[bytes]") -> bytes:
        """The answer to one batch."""
        # The hook's word goes first: it was sent before, over another socket.
        self.read_datagrams()
        try:
            self._take_records(read_json(b"".join(body)))
        except ValueError:
            report_once("telemetry", "a batch of platform telemetry cannot be read")
        return response_bytes(200)

    def _take_records(self, batch: "Any") -> None:
        if not isinstance(batch, list):
            raise ValueError("not an array")
        records = [each for each in batch if isinstance(each, dict)]
        # All of it before the end of an invocation lets an export begin.
        for record in self._platform.in_order(records):
            _take(self._platform.take, record)
        for record in records:
            _take(self._take_record, record)

    def _take_record(self, record: "dict[str, Any]") -> None:
        kind, detail = str(record.get("type")), record.get("record")
        if not isinstance(detail, dict):
            return
        if kind in (START, RUNTIME_DONE, REPORT) and self._invocations.is_news(kind, detail):
            self._take_news(kind, detail, unix_nano(str(record.get("time"))))

    def _take_news(self, kind: str, detail: "dict[str, Any]", time_ns: int) -> None:
        if kind == START:
            self._invocations.platform_started(detail, time_ns)
        else:
            span = self._invocations.platform_ended(detail, time_ns)
            if span is not None:
                self.cut_off(span)
            self._spans.add(span)
            self._ended(PlatformRuntimeDone(request_id=str(detail.get("requestId", ""))))


def _take(take: "Callable[[dict[str, Any]], None]", record: "dict[str, Any]") -> None:
    """Takes a record; one that cannot be read does not keep the rest of its batch from being."""
    try:
        take(record)
    except ValueError:
        report_once("record", "a record of platform telemetry cannot be read; leaving it out")
