"""AWS Signature Version 4 for the OTLP endpoints of X-Ray and CloudWatch, without I/O and without
an SDK.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

Rule 1. Signed is what is sent: every header of the request but those that proxies and tracers
        change on the way, the path as it is asked for, and the body after its compression.
Rule 2. Signing sends the session token to the endpoint. So it is done for AWS's own host names, and
        elsewhere only where WRAPKIT_SIGV4 names the signal; never in the clear beyond this machine.
Rule 3. An Authorization header of the user's own (CloudWatch takes bearer tokens too) wins.
"""

import time

from .. import _env
from .._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Optional, Union

    from .._otlp_http import Target
    from ._credentials import Credentials

    Headers = Sequence[tuple[str, str]]

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
SERVICES = ("xray", "logs", "monitoring")
OFF = "off"

_ALGORITHM = "AWS4-HMAC-SHA256"
# The last is the dual-stack name of the same services.
_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# What AWS's own SDKs leave out as well: proxies and tracers rewrite these (the list is botocore's).
_UNSIGNED = frozenset(
    ("baggage", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
     "te", "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent",
     "x-amzn-trace-id")
)  # fmt: skip
_REPLACED = ("authorization", "host", "x-amz-date", "x-amz-security-token")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class SigningScope:
    """The service and the region that a signature is valid for."""

    __slots__ = ("region", "service")

    def __init__(self, *, service: str, region: str) -> None:
        self.service = service
        self.region = region

    def __repr__(self) -> str:
        return f"<SigningScope {self.service} in {self.region}>"


def signing_scope(
    environ: "Mapping[str, str]",
    signal: str,
    target: "Target",
    headers: "Headers" = (),
    variable: str = _env.SIGV4,
) -> "Optional[SigningScope]":
    """How to sign the requests of ``signal`` to ``target``; None for not at all.

    ``headers`` are those that the user set. ``variable`` wins over the host name.
    """
    if any(name.lower() == "authorization" for name, _ in headers):
        return None
    setting = _setting(environ, signal, variable)
    if setting == OFF:
        return None
    scope = _named_scope(environ, setting, variable) if setting else recognised_scope(target.host)
    if scope is not None and not target.tls and target.host not in _LOOPBACK:
        report_once(
            f"sigv4 {signal}",
            f"the {signal} are not signed: the endpoint is not https."
            " hint: AWS's OTLP endpoints are https://SERVICE.REGION.amazonaws.com",
        )
        return None
    return scope


def recognised_scope(host: str) -> "Optional[SigningScope]":
    """The scope of one of AWS's OTLP endpoints: ``xray.REGION.amazonaws.com`` and the like, FIPS
    and VPC endpoints included; None for any other host.
    """
    for suffix in _SUFFIXES:
        if host.endswith(suffix):
            labels = host[: -len(suffix)].split(".")
            if len(labels) == 4 and labels[0].startswith("vpce-") and labels[3] == "vpce":
                labels = labels[1:3]
            if len(labels) == 2:
                return _scope(
                    labels[0][:-5] if labels[0].endswith("-fips") else labels[0], labels[1]
                )
    return None


def _scope(service: str, region: str) -> "Optional[SigningScope]":
    if service not in SERVICES or not _is_region(region):
        return None
    return SigningScope(service=service, region=region)


def _is_region(text: str) -> bool:
    """Whether ``text`` has the shape of ``eu-central-1`` or ``us-gov-west-1``."""
    *words, number = text.split("-")
    return len(words) >= 2 and number.isdigit() and all(word.isalpha() for word in words)


def _setting(environ: "Mapping[str, str]", signal: str, variable: str) -> str:
    """What the variable says about ``signal``: OFF, ``service[/region]``, or nothing."""
    found = ""
    for member in _env.text(environ, variable).lower().split(","):
        name, equals, value = [part.strip() for part in member.partition("=")]
        if name == OFF and not equals:
            found = OFF
        elif equals and name in _env.SIGNALS and value:
            found = value if name == signal else found
        elif member.strip():
            report_once(
                f"env {variable}",
                f"{variable} is neither off nor SIGNAL=SERVICE[/REGION],...;"
                " leaving the malformed part out",
            )
    return found


def _named_scope(
    environ: "Mapping[str, str]", setting: str, variable: str
) -> "Optional[SigningScope]":
    service, _, region = setting.partition("/")
    region = region or _env.text(environ, _env.REGION)
    if service and region:
        return SigningScope(service=service, region=region)
    report_once(
        f"env {variable} region",
        f"{variable} names no region, and neither does {_env.REGION}; not signing",
    )
    return None


def signed_headers(
    *,
    method: str,
    target: "Target",
    headers: "Headers",
    body: "Union[bytes, Iterable[bytes]]",
    credentials: "Credentials",
    scope: SigningScope,
    unix_s: float,
) -> "list[tuple[str, str]]":
    """``headers`` with X-Amz-Date, X-Amz-Security-Token and Authorization: all that is to be sent
    but Host and Content-Length.

    ``body`` is what goes out, compressed, in one piece or several. AWS accepts the signature for
    five minutes.
    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(unix_s))
    sent = [header for header in headers if header[0].lower() not in _REPLACED]
    sent.append(("X-Amz-Date", moment))
    if credentials.session_token:
        sent.append(("X-Amz-Security-Token", credentials.session_token))
    signed = _canonical_headers([("host", target.authority), *sent])
    names = ";".join([name for name, _ in signed])
    request = _canonical_request(method, target.path, signed, names, body)
    day_scope = f"{moment[:8]}/{scope.region}/{scope.service}/aws4_request"
    to_sign = f"{_ALGORITHM}\n{moment}\n{day_scope}\n{_sha256(request.encode())}"
    signature = _signature(credentials.secret_access_key, day_scope, to_sign)
    credential = f"{credentials.access_key_id}/{day_scope}"
    value = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return [*sent, ("Authorization", value)]


def _canonical_request(
    method: str,
    path_and_query: str,
    signed: "Headers",
    names: str,
    body: "Union[bytes, Iterable[bytes]]",
) -> str:
    path, _, query = path_and_query.partition("?")
    lines = [method, _canonical_path(path), _canonical_query(query)]
    lines += [f"{name}:{value}" for name, value in signed]
    return "\n".join([*lines, "", names, _sha256(body)])


def _canonical_headers(headers: "Iterable[tuple[str, str]]") -> "list[tuple[str, str]]":
    """Lower-case names in order, values with their runs of spaces made one, repeated fields
    joined.
    """
    values: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower() not in _UNSIGNED:
            values.setdefault(name.lower(), []).append(" ".join(value.split()))
    return [(name, ",".join(values[name])) for name in sorted(values)]


def _canonical_path(path: str) -> str:
    """Without empty and dot segments, and encoded once more than it is sent: every service but S3
    asks for it.
    """
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    end = "/" if segments and path.endswith("/") else ""
    return _percent_encoded("/" + "/".join(segments) + end, b"/")


def _canonical_query(query: str) -> str:
    """Names and values encoded the one way that AWS knows, in the order of the encoded names."""
    pairs = []
    for member in query.split("&") if query else ():
        name, _, value = member.partition("=")
        pairs.append((_reencoded(name), _reencoded(value)))
    return "&".join([f"{name}={value}" for name, value in sorted(pairs)])


def _reencoded(text: str) -> str:
    decoded = _env.percent_decoded(text)
    return _percent_encoded(text if decoded is None else decoded)


def _percent_encoded(text: str, safe: bytes = b"") -> str:
    return "".join(
        [chr(b) if b in _UNRESERVED or b in safe else f"%{b:02X}" for b in text.encode()]
    )


def _sha256(data: "Union[bytes, Iterable[bytes]]") -> str:
    # 5 ms to import, most of it OpenSSL, which the endpoint's https loads anyway.
    import hashlib

    digest = hashlib.sha256()
    for part in [data] if isinstance(data, bytes) else data:
        digest.update(part)
    return digest.hexdigest()


def _signature(secret_access_key: str, day_scope: str, to_sign: str) -> str:
    import hmac

    key = b"AWS4" + secret_access_key.encode()
    for part in day_scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()
