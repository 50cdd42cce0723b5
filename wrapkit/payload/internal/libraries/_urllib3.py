"""urllib3: ``HTTPConnectionPool.urlopen``, which each request passes.

As opentelemetry-instrumentation-urllib3 does it, without its histograms. A request of botocore's or
of requests' has its span already.
"""

from ..._invocation import wrapkit_version
from . import _current
from ._http import HttpConventions, span_name
from ._library_span import LibrarySpan
from ._propagation import inject
from ._traced import fail, traced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_PARAMETERS = ("self", "method", "url", "body", "headers")
_HEADERS = _PARAMETERS.index("headers")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def instrument(connectionpool: "Any") -> None:
    """Makes a span of each request; ``connectionpool`` is ``urllib3.connectionpool``."""
    pool = connectionpool.HTTPConnectionPool
    pool.urlopen = traced(pool.urlopen, Urllib3())


class Urllib3:
    """One span a request, its retries and redirects included."""

    __slots__ = ("_conventions", "_scope")

    def __init__(self) -> None:
        self._conventions = HttpConventions("URLLIB3")
        name = "opentelemetry.instrumentation.urllib3"
        self._scope = (name, wrapkit_version(), self._conventions.schema_url)

    def begin(self, arguments: "list[Any]", keywords: "dict[str, Any]") -> "Optional[LibrarySpan]":
        """The span of ``urlopen(pool, method, url, body, headers, ...)``."""
        if _current.is_suppressed(http=True):
            return None
        given = {**dict(zip(_PARAMETERS, arguments)), **keywords}
        if "url" not in given:  # the call is about to say so
            return None
        pool, method = given["self"], given["method"].upper()
        url = _url(pool, given["url"])
        if self._conventions.excludes(url):
            return None
        known = self._conventions.method(method)
        # Without headers of its own a request has those of the pool.
        own = given.get("headers")
        headers = (own if own is not None else pool.headers or {}).copy()
        attributes = self._conventions.request(method, known, url)
        attributes.update(self._conventions.request_headers(own))
        span = LibrarySpan(self._scope, span_name(known), attributes)
        inject(span.context, headers.__setitem__)
        if len(arguments) > _HEADERS:
            arguments[_HEADERS] = headers
        else:
            keywords["headers"] = headers
        span.start()
        return span

    def answered(self, span: LibrarySpan, response: "Any") -> None:
        """Status and captured headers of the response."""
        self._conventions.set_status(span, response.status)
        for name, values in self._conventions.response_headers(response.headers).items():
            span.set(name, values)

    def failed(self, span: LibrarySpan, error: Exception) -> None:
        """The error is the span's."""
        fail(span, error)


def _url(pool: "Any", url: str) -> str:
    if not url.startswith("/"):
        return url
    port = pool.port
    shown = f":{port}" if port and port != _DEFAULT_PORTS.get(pool.scheme) else ""
    return f"{pool.scheme}://{pool.host}{shown}{url}"
