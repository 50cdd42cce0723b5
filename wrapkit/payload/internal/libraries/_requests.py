"""requests: ``Session.send``, which each request and each redirect passes.

As opentelemetry-instrumentation-requests does it, without its histograms.
"""

from ..._invocation import wrapkit_version
from . import _current
from ._http import HttpConventions, redacted, span_name
from ._library_span import LibrarySpan
from ._propagation import inject
from ._traced import fail, traced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

# What the user agents of synthetic traffic contain, and its type.
_SYNTHETIC = (("alwayson", "test"), ("googlebot", "bot"), ("bingbot", "bot"))


def instrument(sessions: "Any") -> None:
    """Makes a span of each request; ``sessions`` is ``requests.sessions``."""
    sessions.Session.send = traced(sessions.Session.send, Requests())


class Requests:
    """One span a request."""

    __slots__ = ("_conventions", "_scope")

    def __init__(self) -> None:
        self._conventions = HttpConventions("REQUESTS")
        name = "opentelemetry.instrumentation.requests"
        self._scope = (name, wrapkit_version(), self._conventions.schema_url)

    def begin(self, arguments: "list[Any]", keywords: "dict[str, Any]") -> "Optional[LibrarySpan]":
        """The span of ``Session.send(session, request)``."""
        request = arguments[1] if len(arguments) > 1 else keywords["request"]
        if self._conventions.excludes(request.url) or _current.is_suppressed(http=True):
            return None
        if request.headers is None:
            request.headers = {}
        method = request.method.strip()
        known = self._conventions.method(method)
        attributes = self._conventions.request(method, known, redacted(request.url))
        attributes.update(_user_agent(request.headers.get("User-Agent")))
        attributes.update(self._conventions.request_headers(request.headers))
        if self._conventions.new:
            attributes.update(_server(redacted(request.url), self._conventions.old))
        span = LibrarySpan(self._scope, span_name(known), attributes)
        inject(span.context, request.headers.__setitem__)
        span.start()
        return span

    def answered(self, span: LibrarySpan, response: "Any") -> None:
        """Status, protocol and captured headers of the response."""
        if not hasattr(response, "status_code"):
            return
        self._conventions.set_status(span, response.status_code)
        version = getattr(response.raw, "version", None)
        if version and self._conventions.new:
            text = "1.1" if version == 11 else "1.0"
            span.set("network.protocol.version", text)
            span.set("http.flavor", text if self._conventions.old else None)
        for name, values in self._conventions.response_headers(response.headers).items():
            span.set(name, values)

    def failed(self, span: LibrarySpan, error: Exception) -> None:
        """The same of the response that an error may hold, and the error."""
        response = getattr(error, "response", None)
        if response is not None:
            self.answered(span, response)
        if self._conventions.new:
            span.set("error.type", type(error).__qualname__)
        fail(span, error)


def _user_agent(value: "Any") -> "dict[str, str]":
    if isinstance(value, (bytes, bytearray)):
        value = value.decode("latin-1")
    if not value:
        return {}
    folded = str(value).lower()
    attributes = {}
    for part, kind in _SYNTHETIC:
        if part in folded:
            attributes["user_agent.synthetic.type"] = kind
            break
    attributes["user_agent.original"] = str(value)
    return attributes


def _server(url: str, old: bool) -> "dict[str, Any]":
    """Where a request goes, which the old conventions leave out unless both are wanted."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return {}
    attributes: dict[str, Any] = {}
    if host:
        attributes["server.address"] = attributes["network.peer.address"] = host
    if port:
        attributes["server.port"] = attributes["network.peer.port"] = port
    if old:
        attributes.update({"http.host": host, "net.peer.port": port})
    return attributes
