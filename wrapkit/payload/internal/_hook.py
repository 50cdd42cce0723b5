"""Sees each invocation through the runtime client's own steps, and reports its start and its end.

Rule 1. The handler is not wrapped: no frame of wrapkit is ever on its stack, so its tracebacks and
        with them the error payloads, its warnings and its recursion limit are those of a bare run.
Rule 2. The steps that are watched: ``wait_next_invocation`` gives the request, the marshaller's
        ``unmarshal_request`` the event, ``make_error`` the exception while it is being handled,
        ``post_invocation_result`` and ``post_invocation_error`` the outcome, marshalling included.
Rule 3. What leaves the loop otherwise (``SystemExit``, ``KeyboardInterrupt``) passes ``escaped``.
Rule 4. An event that the client cannot read never starts; its invocation starts with its end.
Rule 5. Who else in this process follows invocations (the libraries' spans) is told of the start
        behind the sink, and of the end in front of it: what it adds goes along in the same export.
Rule 6. What the host refuses to take (413) has failed, whatever the handler returned. A sink that
        is told before the response is posted waits for the host's word where that is likely.
"""

import os
import sys
import time

from .._env import CAPTURE, INITIALIZATION_TYPE, places_invocations, text
from .._invocation import new_span_id, trace_context
from . import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Optional, Protocol

    from .._invocation import Place, TraceContext
    from ._capture import Capture
    from ._trigger import Link, Trigger
    from .libraries._library_span import LibrarySpan
    from .libraries._span_record import SpanRecord

    class Sink(Protocol):
        """Where invocations go: over the socket to the runner, or straight to the backend.

        ``before_response`` says whether ``end`` is called before the response is posted, or after.
        """

        before_response: bool

        def start(self, invocation: "Invocation") -> None: ...
        def end(
            self, invocation: "Invocation", time_ns: int, error: "Optional[dict[str, str]]"
        ) -> None: ...
        def span_started(self, span: "LibrarySpan", request_id: str) -> None: ...
        def span_ended(self, span: "LibrarySpan", time_ns: int) -> None: ...
        def close(self) -> None: ...

    class Follower(Protocol):
        """Who else is told of invocations: of the end always before the response is posted."""

        def start(self, invocation: "Invocation") -> None: ...
        def end(
            self, invocation: "Invocation", time_ns: int, error: "Optional[dict[str, str]]"
        ) -> None: ...
        def posted(self) -> None: ...
        def close(self) -> None: ...


# The hook of this process, once there is one: where its libraries find the current invocation.
installed: "Optional[Hook]" = None

# AWS keeps what is provisioned warm, so its first invocation is no cold start
# (https://opentelemetry.io/docs/specs/semconv/registry/attributes/faas/#faas-coldstart).
_PROVISIONED = "provisioned-concurrency"

# The largest response that Lambda takes: 6 MB and some room for what it adds (the message of its
# Function.ResponseSizeTooLarge).
MAX_RESPONSE_BYTES = 6_291_556


# docs/faas/faas-spans.md: what none of the other values fits.
_NO_TRIGGER: "dict[str, Any]" = {"faas.trigger": "other"}


class Invocation:
    """One invocation that has begun: its place in a trace, and what the runtime knows of it."""

    __slots__ = (
        "attributes",
        "cold_start",
        "context",
        "record",
        "request",
        "response_attributes",
        "span_id",
        "start_time_unix_nano",
        "trigger",
    )

    def __init__(
        self,
        request: "Any",
        context: "TraceContext",
        cold_start: bool,
        trigger: "Optional[Trigger]" = None,
    ) -> None:
        self.request = request
        self.context = context
        self.cold_start = cold_start
        self.trigger = trigger
        # What the event tells, and what the handler's result adds to it.
        self.attributes = dict(trigger.attributes if trigger else _NO_TRIGGER)
        self.response_attributes: dict[str, Any] = {}
        # What the function's own OpenTelemetry code has added.
        self.record: Optional[SpanRecord] = None
        self.span_id = new_span_id()
        self.start_time_unix_nano = time.time_ns()

    @property
    def request_id(self) -> str:
        """The request id, as the runtime API gave it."""
        return str(self.request.invoke_id)

    @property
    def links(self) -> "list[Link]":
        """Where its messages come from: distinct (trace id, span id, flags, tracestate)."""
        return self.trigger.links if self.trigger else []

    @property
    def carrier(self) -> "Optional[dict[str, str]]":
        """The headers that came with the event, names in lower case; None where it has none."""
        return self.trigger.carrier if self.trigger else None

    def __repr__(self) -> str:
        return f"<Invocation {self.request_id} {self.context!r}>"


class Hook:
    """Follows one invocation at a time, as the runtime client handles them."""

    __slots__ = (
        "_capture",
        "_cold_start",
        "_ending",
        "_error",
        "_followers",
        "_invocation",
        "_place",
        "_process_id",
        "_request",
        "_sink",
    )

    def __init__(
        self,
        sink: "Sink",
        *,
        cold_start: bool,
        place: "Place" = trace_context,
        capture: "Optional[Capture]" = None,
    ) -> None:
        self._sink = sink
        self._place = place
        self._capture = capture
        self._followers: list[Follower] = []
        self._cold_start = cold_start
        self._request: Any = None
        self._invocation: Optional[Invocation] = None
        self._error: Optional[dict[str, str]] = None
        self._ending: Optional[tuple[Invocation, int, Optional[dict[str, str]]]] = None
        self._process_id = 0

    @property
    def sink(self) -> "Sink":
        """Where invocations go, and what happened within them."""
        return self._sink

    @property
    def current(self) -> "Optional[Invocation]":
        """The invocation whose handler runs, in a fork of it as well; None between invocations."""
        return self._invocation

    def follow(self, follower: "Follower") -> None:
        """Has ``follower`` told of each invocation, too; of what it fails in a line is said."""
        self._followers.append(follower)

    def received(self, request: "Any") -> None:
        """The runtime client holds a new request."""
        self._request = request
        self._invocation = None
        self._error = None

    def started(self, event: "Any") -> None:
        """The handler is about to be called with ``event``."""
        if self._request is None:
            return
        trigger = _trigger(event)
        header = getattr(self._request, "x_amzn_trace_id", None)
        context = self._place(trigger.carrier if trigger else None, header)
        invocation = Invocation(self._request, context, self._cold_start, trigger)
        self._cold_start = False
        self._process_id = os.getpid()
        self._invocation = invocation
        if self._capture is not None:
            quietly(_capture_event, self._capture, invocation, event)
        quietly(self._sink.start, invocation)
        for follower in self._followers:
            quietly(follower.start, invocation)

    @property
    def reads_result(self) -> bool:
        """Whether what the handler returns says anything about its invocation."""
        if self._invocation is None:
            return False
        return self._invocation.trigger is not None or self._capture is not None

    def returned(self, result: "Any") -> None:
        """The handler has returned ``result``."""
        invocation = self._invocation
        if invocation is not None and invocation.trigger is not None:
            from ._triggers import response_attributes

            invocation.response_attributes = response_attributes(invocation.trigger, result)
        if invocation is not None and self._capture is not None:
            invocation.response_attributes.update(self._capture.response(result))

    def failed(self, message: str, error_type: str) -> None:
        """The runtime client describes the exception that it is handling."""
        if self._request is not None:
            from ._errors import describe

            self._error = describe(sys.exc_info()[1], message, error_type)

    def ended(self, failed: bool, body: "Any" = b"") -> None:
        """The outcome is about to be posted, ``body`` with it."""
        time_ns = time.time_ns()
        if self._invocation is None:
            self.started(None)
        invocation, error = self._invocation, self._error
        self._request = self._invocation = self._error = None
        if invocation is not None:
            error = (error or {}) if failed else None
            self._ending = (invocation, time_ns, error)
            for follower in reversed(self._followers):
                quietly(follower.end, invocation, time_ns, error)
            if self._sink.before_response and not is_too_large(body):
                self._tell_end()

    def refused(self, error: Exception, body: "Any") -> None:
        """The outcome could not be posted."""
        if self._ending is None or self._ending[2] is not None:
            return  # told already, or what the handler raised says more
        from ._errors import describe, too_large

        if is_too_large(body):
            told = too_large(MAX_RESPONSE_BYTES)
        else:
            told = describe(error, str(error), type(error).__name__)
        self._ending = (*self._ending[:2], told)

    def posted(self) -> None:
        """The outcome has been posted, or could not be."""
        for follower in reversed(self._followers):
            quietly(follower.posted)
        self._tell_end()

    def _tell_end(self) -> None:
        ending, self._ending = self._ending, None
        if ending is not None:
            self._sink.end(*ending)

    def escaped(self, error: BaseException) -> None:
        """What ends the process leaves the runtime client's loop."""
        # A child that the handler forked leaves this way too, and its parent's invocation goes on.
        if self._invocation is not None and self._process_id == os.getpid():
            quietly(self._ended_by, error)

    def close(self) -> None:
        """The process ends: an open socket would be warned of, where such warnings are on."""
        for follower in reversed(self._followers):
            quietly(follower.close)
        self._sink.close()

    def _ended_by(self, error: BaseException) -> None:
        from ._errors import describe

        self._error = describe(error, str(error), type(error).__name__)
        self.ended(failed=True)
        self.posted()


def is_too_large(body: "Any") -> bool:
    """Whether Lambda refuses a body (bytes or text) for its size; cheap where it is small."""
    size = len(body)
    if isinstance(body, str) and size <= MAX_RESPONSE_BYTES < 4 * size:
        size = len(body.encode("utf-8", "replace"))
    return size > MAX_RESPONSE_BYTES


# Of an event without any of these keys nothing is told, and nothing is loaded to look at it.
_TELLING_KEYS = frozenset(
    (
        "Records",
        "StateMachine",
        "awslogs",
        "clickType",
        "detail-type",
        "eventSource",
        "headers",
        "info",
        "multiValueHeaders",
        "requestContext",
        "sessionIdentifier",
        "triggerSource",
    )
)


def _trigger(event: "Any") -> "Optional[Trigger]":
    """What invoked the function, None where the event does not tell."""
    if isinstance(event, dict):
        if event.keys().isdisjoint(_TELLING_KEYS):
            return None
    elif not isinstance(event, list):
        return None
    from ._triggers import recognise

    return recognise(event)


def _capture_event(capture: "Capture", invocation: Invocation, event: "Any") -> None:
    invocation.attributes.update(capture.request(event))


def install(bootstrap: "Any", mode: str, environ: "Mapping[str, str]") -> "Optional[Hook]":
    """Patches the runtime client; the hook, or None where there is nothing to export to."""
    global installed  # noqa: PLW0603 - a process has one runtime client, and so one hook
    sink = _sink(mode, environ)
    if sink is None:
        return None
    cold_start = text(environ, INITIALIZATION_TYPE) != _PROVISIONED
    hook = Hook(
        sink, cold_start=cold_start, place=_place(mode, environ), capture=_chosen_capture(environ)
    )
    from ._patches import patch

    patch(bootstrap, hook)
    installed = hook
    return hook


def _chosen_capture(environ: "Mapping[str, str]") -> "Optional[Capture]":
    if text(environ, CAPTURE).lower() in ("", "none"):
        return None
    from ._capture import Capture

    return Capture(environ)


def _place(mode: str, environ: "Mapping[str, str]") -> "Place":
    if not places_invocations(environ):
        return trace_context
    from .._placement import VARIABLES, choose_place

    if mode == "both":
        from .._report import leave_to_the_extension

        leave_to_the_extension(VARIABLES)
    return choose_place(environ)


def _sink(mode: str, environ: "Mapping[str, str]") -> "Optional[Sink]":
    if mode == "internal":
        from ._direct import direct_export

        return direct_export(environ)
    from ._datagrams import Datagrams

    return Datagrams(environ)
