"""Which proxy a request goes through: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as curl and Go read
them. There is no standard; https://about.gitlab.com/blog/we-need-to-talk-no-proxy/ compares them.

Rule 1. The lower-case name wins, as in curl. A variable that is set and empty means no proxy.
Rule 2. This machine is never asked for through a proxy (as in Go), whatever the variables say.
Rule 3. A member of NO_PROXY is ``*``, a host or a domain with all below it (a leading dot makes no
        difference), or an IPv4 network (``10.0.0.0/8``); each but the first may end in a port.
"""

from .. import _env
from .._otlp_http import parse_url
from .._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

    from .._otlp_http import Target

_LOOPBACK = ("localhost", "::1")


class Proxy:
    """Where to connect to instead, and the headers that are for the proxy."""

    __slots__ = ("headers", "host", "port")

    def __init__(self, *, host: str, port: int, headers: "list[tuple[str, str]]") -> None:
        self.host = host
        self.port = port
        self.headers = headers

    def __str__(self) -> str:
        return f"the proxy {self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"<Proxy {self.host}:{self.port}>"


def proxy_for(environ: "Mapping[str, str]", target: "Target") -> "Optional[Proxy]":
    """The proxy for requests to ``target``; None for the direct way."""
    name = _env.HTTPS_PROXY if target.tls else _env.HTTP_PROXY
    url = _either_case(environ, name)
    if not url or _is_loopback(target.host) or _is_excepted(environ, target):
        return None
    try:
        return _parsed(url)
    except ValueError as error:
        report_once(f"env {name}", f"{name} is no proxy that can be used ({error}); going directly")
        return None


def _either_case(environ: "Mapping[str, str]", name: str) -> str:
    lower = name.lower()
    return _env.text(environ, lower if lower in environ else name)


def _parsed(url: str) -> Proxy:
    """``http://[user[:password]@]host[:port]``, the scheme being optional; ``ValueError``."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "http", url
    if scheme.lower() != "http":
        raise ValueError("it is not http://")
    user, at, place = rest.rpartition("@")
    target = parse_url("http://" + place)
    return Proxy(host=target.host, port=target.port, headers=_authorization(user) if at else [])


def _authorization(user: str) -> "list[tuple[str, str]]":
    from binascii import b2a_base64

    decoded = _env.percent_decoded(user)
    if decoded is None:
        raise ValueError("its user is not percent-encoded")
    if ":" not in decoded:
        decoded += ":"
    value = b2a_base64(decoded.encode(), newline=False).decode()
    return [("Proxy-Authorization", f"Basic {value}")]


def _is_loopback(host: str) -> bool:
    return host in _LOOPBACK or (host.startswith("127.") and _ipv4(host) is not None)


def _is_excepted(environ: "Mapping[str, str]", target: "Target") -> bool:
    members = _either_case(environ, _env.NO_PROXY).lower().replace(",", " ").split()
    return any(_matches(member, target) for member in members)


def _matches(member: str, target: "Target") -> bool:
    if member == "*":
        return True
    name, colon, port = member.rpartition(":")
    if colon and port.isdigit() and (":" not in name or name.endswith("]")):
        if int(port[:6]) != target.port:
            return False
        member = name
    network, slash, bits = member.partition("/")
    if slash:
        return _is_within(target.host, network, bits)
    domain = member.strip("[]").lstrip(".")
    return bool(domain) and (target.host == domain or target.host.endswith("." + domain))


def _is_within(host: str, network: str, bits: str) -> bool:
    address, base = _ipv4(host), _ipv4(network)
    if address is None or base is None or not bits.isdigit() or int(bits[:3]) > 32:
        return False
    shift = 32 - int(bits)
    return address >> shift == base >> shift


def _ipv4(text: str) -> "Optional[int]":
    parts = text.split(".")
    if len(parts) != 4 or not all(p.isascii() and p.isdigit() and len(p) < 4 for p in parts):
        return None
    numbers = [int(part) for part in parts]
    return int.from_bytes(bytes(numbers), "big") if max(numbers) < 256 else None
