"""The function's own AWS credentials, as Lambda hands them to every process of the environment.

Under SnapStart the environment variables would be part of the snapshot and expire with it, so
Lambda names a local endpoint instead, which is asked like a container's:
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html, "Credentials".
"""

from .. import _env
from .._otlp_http import parse_url
from ._document import read_object
from ._time import unix_nano

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

    from .._otlp_http import Target

# Asked for anew this long before they expire: AWS's SDKs begin at 15 minutes and insist at 10.
REFRESH_MS = 10 * 60 * 1000

# Where AWS's SDKs send the authorization token without TLS: this machine, and the addresses of the
# container agents.
_PLAIN_HOSTS = ("localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23")


class Credentials:
    """What a signature is made with. Shows none of it, so that none of it can get into a log."""

    __slots__ = ("access_key_id", "expires_ms", "secret_access_key", "session_token")

    def __init__(
        self,
        *,
        access_key_id: str,
        secret_access_key: str,
        session_token: str = "",
        expires_ms: "Optional[float]" = None,
    ) -> None:
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.session_token = session_token
        self.expires_ms = expires_ms

    def are_fresh(self, now_ms: float) -> bool:
        """Whether they can be used without asking for new ones."""
        return self.expires_ms is None or now_ms < self.expires_ms - REFRESH_MS

    def __repr__(self) -> str:
        return "<Credentials>"


def environment_credentials(environ: "Mapping[str, str]") -> "Optional[Credentials]":
    """Those in AWS_ACCESS_KEY_ID and its companions, which are good for the environment's life;
    None when there are none.
    """
    access_key_id = _env.text(environ, _env.ACCESS_KEY_ID)
    secret_access_key = _env.text(environ, _env.SECRET_ACCESS_KEY)
    if not access_key_id or not secret_access_key:
        return None
    return Credentials(
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        session_token=_env.text(environ, _env.SESSION_TOKEN),
    )


def credentials_request(environ: "Mapping[str, str]") -> "Optional[tuple[Target, bytes]]":
    """Where to ask for credentials, and the request; None when Lambda names no such place.

    ``ValueError`` when the place is not one that may see the authorization token.
    """
    from ...lifecycle import request_bytes

    url = _env.text(environ, _env.CREDENTIALS_URI)
    if not url:
        return None
    target = parse_url(url)
    if not target.tls and target.host not in _PLAIN_HOSTS:
        raise ValueError(f"{_env.CREDENTIALS_URI} is neither https nor on this machine")
    headers = [("Accept", "application/json")]
    token = _env.text(environ, _env.CREDENTIALS_TOKEN)
    if token:
        headers.append(("Authorization", token))
    return target, request_bytes("GET", target.path, target.authority, headers)


def read_credentials(status: int, body: bytes) -> Credentials:
    """The credentials in the answer; ``ValueError`` (which quotes none of it) when it holds
    none.
    """
    if status != 200:
        raise ValueError(f"the credentials' endpoint answered {status}")
    try:
        answer = read_object(body)
    except ValueError:
        raise ValueError("the credentials' endpoint did not answer with a JSON object") from None
    texts = [answer.get(name) for name in ("AccessKeyId", "SecretAccessKey", "Token")]
    access_key_id, secret_access_key, token = [t if isinstance(t, str) else "" for t in texts]
    if not access_key_id or not secret_access_key:
        raise ValueError("the credentials' endpoint answered without credentials")
    return Credentials(
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        session_token=token,
        expires_ms=_expires_ms(answer.get("Expiration")),
    )


def _expires_ms(expiration: object) -> "Optional[float]":
    if expiration is None:
        return None
    try:
        return unix_nano(str(expiration)) / 1_000_000
    except ValueError:
        raise ValueError("the credentials' endpoint answered with an unreadable expiry") from None
