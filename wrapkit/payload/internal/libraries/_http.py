"""What a span of an HTTP client says, in the conventions that OTEL_SEMCONV_STABILITY_OPT_IN names.

The old conventions (1.11, the default), the stable ones (``http``), or both (``http/dup``), as
opentelemetry-python's HTTP clients write them.
"""

from ... import _env

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Optional

    from ._library_span import LibrarySpan

_METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
OTHER = "_OTHER"
# Query parameters whose value is a signature or a key.
_SECRET_PARAMETERS = ("AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature")
_SCHEMAS = "https://opentelemetry.io/schemas/"


class HttpConventions:
    """How one HTTP client is described; ``library`` is its name in OTEL_PYTHON_*_EXCLUDED_URLS."""

    __slots__ = (
        "_all_methods",
        "_excluded",
        "_request_headers",
        "_response_headers",
        "_sensitive",
        "new",
        "old",
        "schema_url",
    )

    def __init__(self, library: str) -> None:
        environ = _env.variables()
        opt_in = [name.strip() for name in _env.text(environ, _env.SEMCONV_OPT_IN).split(",")]
        self.new = "http" in opt_in or "http/dup" in opt_in
        self.old = not self.new or "http/dup" in opt_in
        self.schema_url = _SCHEMAS + ("1.21.0" if self.new else "1.11.0")
        own = _env.EXCLUDED_URLS.replace("_EXCLUDED", f"_{library}_EXCLUDED")
        urls = environ.get(own, environ.get(_env.EXCLUDED_URLS, ""))
        self._excluded = _pattern(urls)
        self._all_methods = bool(environ.get(_env.CAPTURE_ALL_METHODS))
        self._request_headers = _pattern(environ.get(_env.CAPTURE_REQUEST_HEADERS, ""), folded=True)
        self._response_headers = _pattern(
            environ.get(_env.CAPTURE_RESPONSE_HEADERS, ""), folded=True
        )
        self._sensitive = _pattern(environ.get(_env.SANITIZE_HEADERS, ""), folded=True)

    def excludes(self, url: str) -> bool:
        """Whether requests to ``url`` have no span."""
        return self._excluded is not None and bool(self._excluded.search(url))

    def method(self, method: str) -> str:
        """The method, ``_OTHER`` for one that no standard knows."""
        method = method.upper()
        return method if method in _METHODS or self._all_methods else OTHER

    def request(self, method: str, known: str, url: str) -> "dict[str, Any]":
        """The attributes of a request by ``method``, which is ``known`` to the conventions as."""
        attributes: dict[str, Any] = {}
        if method != known and self.new:
            attributes["http.request.method_original"] = method
        if self.old:
            attributes["http.method"] = known
        if self.new:
            attributes["http.request.method"] = known
        if self.old and url:
            attributes["http.url"] = url
        if self.new and url:
            attributes["url.full"] = url
        return attributes

    def request_headers(self, headers: "Any") -> "dict[str, list[str]]":
        """The attributes of the request's headers that are to be captured."""
        return self._captured(headers, self._request_headers, "http.request.header.")

    def response_headers(self, headers: "Any") -> "dict[str, list[str]]":
        """The same, of the response."""
        return self._captured(headers, self._response_headers, "http.response.header.")

    def _captured(self, headers: "Any", wanted: "Any", prefix: str) -> "dict[str, list[str]]":
        if not headers or wanted is None:
            return {}
        return {
            prefix + name.lower().replace("-", "_"): self._shown(name, value)
            for name, value in headers.items()
            if wanted.fullmatch(name)
        }

    def _shown(self, name: str, value: "Any") -> "list[str]":
        values: Iterable[str] = [value] if isinstance(value, str) else value
        hidden = self._sensitive is not None and self._sensitive.search(name)
        return ["[REDACTED]" if hidden else each for each in values]

    def set_status(self, span: "LibrarySpan", status: "Any") -> None:
        """What the response's status says: from 400 on the request has failed for the client."""
        try:
            code = int(status)
        except ValueError:
            code = -1
        if code < 0:
            if self.new:
                span.set("error.type", str(status))
            span.set_error(f"Non-integer HTTP status: {status}")
            return
        if self.old:
            span.set("http.status_code", code)
        if self.new:
            span.set("http.response.status_code", code)
        if code < 100 or code >= 400:
            if self.new:
                span.set("error.type", str(status))
            span.set_error("")


def _pattern(listed: str, *, folded: bool = False) -> "Optional[Any]":
    """One pattern for a list of them; None for an empty list."""
    if not listed:
        return None
    import re

    alternatives = "|".join([each.strip() for each in listed.split(",")])
    return re.compile(alternatives, re.IGNORECASE if folded else 0)


def redacted(url: str) -> str:
    """``url`` without user, password, and the signatures that its parameters may hold."""
    if "@" not in url and not any(name in url for name in _SECRET_PARAMETERS):
        return url
    from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

    try:
        parts = urlsplit(url)
        netloc = parts.netloc
        if parts.scheme and "@" in netloc:
            netloc = "REDACTED:REDACTED@" + netloc.rpartition("@")[2]
        query = parts.query
        parameters = parse_qs(query)
        secret = [name for name in _SECRET_PARAMETERS if name in parameters]
        if secret:
            parameters.update({name: ["REDACTED"] for name in secret})
            query = urlencode(parameters, doseq=True)
        return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))
    except ValueError:  # not a URL
        return url


def span_name(method: str) -> str:
    """The name of a request's span."""
    return "HTTP" if method == OTHER else method
