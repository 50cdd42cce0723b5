"""OTLP over HTTP as both exporters speak it: the target of a URL, the request, and what an answer
means.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from . import _env_export
from ._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ._env_export import ExportSettings

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

# What became of an export.
DELIVERED = "delivered"
RETRYABLE = "retryable"
REFUSED = "refused"

# https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
_RETRYABLE_STATUSES = (429, 502, 503, 504)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Target:
    """Where a URL points: ``host`` and ``port`` to connect to, ``authority`` for the Host field,
    ``path`` to ask for.
    """

    __slots__ = ("authority", "host", "path", "port", "tls")

    def __init__(self, *, host: str, port: int, authority: str, path: str, tls: bool) -> None:
        self.host = host
        self.port = port
        self.authority = authority
        self.path = path
        self.tls = tls

    @property
    def connection_key(self) -> "tuple[str, int, bool]":
        """What two targets have in common when one connection can serve both."""
        return self.host, self.port, self.tls

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}"

    def __repr__(self) -> str:
        return f"<Target {self}>"


def parse_url(url: str) -> Target:
    """The target of an ``http://`` or ``https://`` URL; ``ValueError`` (without the URL) when it is
    none.

    A user and password in the URL are refused: credentials belong into OTEL_EXPORTER_OTLP_HEADERS.
    """
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    authority, slash, path = rest.partition("#")[0].partition("/")
    authority, question, query = authority.partition("?")
    if not separator or scheme not in _DEFAULT_PORTS or not authority or "@" in authority:
        raise ValueError("not an http:// or https:// URL with a host and without a user")
    target = "/" + path if slash else "/" + question + query
    if not (authority + target).isascii() or any(c <= " " for c in authority + target):
        raise ValueError("the URL holds a character that must be percent-encoded")
    host, port = _host_and_port(authority, _DEFAULT_PORTS[scheme])
    return Target(host=host, port=port, authority=authority, path=target, tls=scheme == "https")


def _host_and_port(authority: str, default_port: int) -> "tuple[str, int]":
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):  # "[::1]" has colons and no port
        return authority.strip("[]").lower(), default_port
    if not port.isdigit() or not 0 < int(port[:6]) < 65536:
        raise ValueError("the port in the URL is not a number from 1 to 65535")
    return host.strip("[]").lower(), int(port)


def export_request(
    target: Target,
    settings: "ExportSettings",
    body: bytes,
    *,
    content_type: str = PROTOBUF,
    user_agent: str = "wrapkit",
) -> bytes:
    """The POST that carries ``body``; compressed when the settings ask for it."""
    from ..lifecycle import request_bytes

    headers = headers_of(settings, _plain(settings.headers), content_type, user_agent)
    if settings.gzip:
        body = compressed([body])
    return request_bytes("POST", target.path, target.authority, headers, body)


def _plain(headers: "Sequence[tuple[str, str]]") -> "list[tuple[str, str]]":
    """Those that say what they are: before a response nobody waits for a secret."""
    plain = [header for header in headers if not _env_export.refers_to_secret(header[1])]
    if len(plain) < len(headers):
        said = "a header refers to a secret, which only the extension reads; leaving it out"
        report_once("secret", said)
    return plain


def headers_of(
    settings: "ExportSettings",
    own: "Sequence[tuple[str, str]]",
    content_type: str,
    user_agent: str,
) -> "list[tuple[str, str]]":
    """What goes out with an export but Host and Content-Length; the user's ``own`` headers win."""
    headers = [("Content-Type", content_type), ("User-Agent", user_agent)]
    if settings.gzip:
        headers.append(("Content-Encoding", "gzip"))
    given = {name.lower() for name, _ in own}
    return [header for header in headers if header[0].lower() not in given] + list(own)


def compressed(parts: "Iterable[bytes]") -> bytes:
    """A body in the gzip format; ``zlib`` directly, since ``gzip`` costs 3 ms to import."""
    import zlib

    # 16 + 15: a gzip header instead of zlib's. Level 1 gets most of it: protobuf spans repeat their
    # keys literally.
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([compressor.compress(part) for part in parts]) + compressor.flush()


def outcome(status: int) -> str:
    """DELIVERED, RETRYABLE or REFUSED, by the status of an answer."""
    if 200 <= status < 300:
        return DELIVERED
    return RETRYABLE if status in _RETRYABLE_STATUSES else REFUSED
