"""Secrets that header values refer to, without I/O: ``${secretsmanager:NAME[#KEY]}`` and
``${ssm:NAME}``.

The notation is that of the OpenTelemetry Collector's Lambda layer, so it may stand in a function's
variables already. NAME may be an ARN; KEY picks a member of a secret that is a JSON object.

Rule 1. AWS's parameters-and-secrets extension is asked first where it runs: it has a cache that all
        of the function shares. Else the service itself.
Rule 2. Nothing that comes back is ever shown: of an answer that is no secret only its status and
        the name of AWS's error.
"""

from .. import _env, _env_export
from .._otlp_http import parse_url
from ._document import read_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Optional

    from .._otlp_http import Target

SECRETS_MANAGER, SSM = "secretsmanager", "ssm"

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
_DEFAULT_EXTENSION_PORT = 2773
_TOKEN_HEADER = "X-Aws-Parameters-Secrets-Token"  # noqa: S105 - the header's name
_OPERATIONS = {
    SECRETS_MANAGER: "secretsmanager.GetSecretValue",
    SSM: "AmazonSSM.GetParameter",
}
# A service's own variable, and the partition's domain: https://docs.aws.amazon.com/sdkref/
# latest/guide/feature-ss-endpoints.html
_ENDPOINT_VARIABLES = {
    SECRETS_MANAGER: _env.SECRETS_MANAGER_ENDPOINT,
    SSM: _env.SSM_ENDPOINT,
}
_CHINA = "cn-"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_MAX_ERROR_CHARACTERS = 60


class SecretReference:
    """Where a secret is: the service, its name or ARN, and the key in it, empty for all of it."""

    __slots__ = ("key", "name", "service", "text")

    def __init__(self, text: str) -> None:
        service, _, rest = text.partition(":")
        self.text = text
        self.service = service
        self.name, _, self.key = rest.partition("#")

    @property
    def place(self) -> "tuple[str, str]":
        """What two references have in common that one answer can serve."""
        return self.service, self.name

    def __repr__(self) -> str:
        return f"<SecretReference {self.service}:{self.name}>"


def references(headers: "Iterable[tuple[str, str]]") -> "list[SecretReference]":
    """Those in the values of ``headers``, in order."""
    return [
        SecretReference(text)
        for _, value in headers
        for text, is_reference in _pieces(value)
        if is_reference
    ]


def resolved(
    headers: "Iterable[tuple[str, str]]", values: "Mapping[str, str]"
) -> "list[tuple[str, str]]":
    """``headers`` with the values of their secrets, by the text of the reference."""
    return [
        (
            name,
            "".join([values[text] if found else text for text, found in _pieces(value)]),
        )
        for name, value in headers
    ]


def _pieces(value: str) -> "list[tuple[str, bool]]":
    """The value in order, as plain texts and (True) as what stands in ``${...}``."""
    pieces, rest = [], value
    while rest:
        starts = [rest.find(mark) for mark in _env_export.SECRET_MARKS if mark in rest]
        start = min(starts, default=-1)
        end = rest.find("}", start)
        if start < 0 or end < 0:
            pieces.append((rest, False))
            break
        pieces.append((rest[:start], False))
        pieces.append((rest[start + 2 : end], True))
        rest = rest[end + 1 :]
    return pieces


# The requests


def extension_target(environ: "Mapping[str, str]") -> "Target":
    """Where AWS's extension listens, if it is there."""
    port = _env.number(environ, _env.SECRETS_EXTENSION_PORT, _DEFAULT_EXTENSION_PORT, 65535)
    return parse_url(f"http://localhost:{port}/")


def extension_request(reference: SecretReference, target: "Target", session_token: str) -> bytes:
    """The question to AWS's extension, which takes the session token for a proof of who asks."""
    from ...lifecycle import request_bytes

    name = "".join([c if c in _UNRESERVED else _escaped(c) for c in reference.name])
    if reference.service == SECRETS_MANAGER:
        path = f"/secretsmanager/get?secretId={name}"
    else:
        path = f"/systemsmanager/parameters/get?name={name}&withDecryption=true"
    return request_bytes("GET", path, target.authority, [(_TOKEN_HEADER, session_token)])


def _escaped(character: str) -> str:
    return "".join([f"%{byte:02X}" for byte in character.encode()])


def service_region(environ: "Mapping[str, str]", reference: SecretReference) -> str:
    """The region of an ARN, else the function's."""
    fields = reference.name.split(":")
    is_arn = fields[0] == "arn" and len(fields) > 4
    return fields[3] if is_arn else _env.text(environ, _env.REGION)


def service_target(environ: "Mapping[str, str]", reference: SecretReference) -> "Target":
    """The service's endpoint: as AWS's variables say, else the region's. ``ValueError``."""
    region = service_region(environ, reference)
    own = _env.text(environ, _ENDPOINT_VARIABLES[reference.service])
    url = own or _env.text(environ, _env.AWS_ENDPOINT)
    if not url and not region:
        raise ValueError(f"neither its name nor {_env.REGION} says in which region it is")
    domain = "amazonaws.com.cn" if region.startswith(_CHINA) else "amazonaws.com"
    target = parse_url(url or f"https://{reference.service}.{region}.{domain}/")
    if not target.tls and target.host not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("its endpoint is neither https nor on this machine")
    return target


def service_question(reference: SecretReference) -> "tuple[list[tuple[str, str]], bytes]":
    """Headers and body of the question to the service, still to be signed."""
    # Without ``json``, which costs 10 ms here; a header's value has no control character but a tab.
    name = reference.name.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    document = f'{{"SecretId":"{name}"}}'
    if reference.service == SSM:
        document = f'{{"Name":"{name}","WithDecryption":true}}'
    headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", _OPERATIONS[reference.service]),
    ]
    return headers, document.encode()


# The answers


def read_secret(service: str, status: int, body: bytes) -> str:
    """The secret in an answer, of the service or of AWS's extension; ``ValueError`` (which quotes
    none of it) when there is none.
    """
    try:
        document = read_object(body)
    except ValueError:
        document = {}
    if status != 200:
        raise ValueError(f"{service} answered {status}{_error_name(document)}")
    found = document.get("SecretString")
    if service == SSM:
        parameter = document.get("Parameter")
        found = parameter.get("Value") if isinstance(parameter, dict) else None
    if not isinstance(found, str):
        raise ValueError(f"{service} answered without a text")
    return found


def _error_name(document: "Mapping[str, object]") -> str:
    name = str(document.get("__type") or "").rpartition("#")[2]
    return f" ({name[:_MAX_ERROR_CHARACTERS]})" if name.isalnum() and name.isascii() else ""


def header_text(reference: SecretReference, secret: str) -> str:
    """What a header gets of a secret; ``ValueError`` where that is not something it can carry."""
    found: Optional[object] = secret
    if reference.key:
        try:
            found = read_object(secret.encode()).get(reference.key)
        except ValueError:
            raise ValueError("it is no JSON object, so that it has no key") from None
    if isinstance(found, bool) or not isinstance(found, (str, int)):
        raise ValueError("it has no text under this key")
    text = str(found).strip()  # a parameter that was put from a file ends in a line break
    if not text or not _env_export.is_field_value(text):
        raise ValueError("it is empty, or no header can carry it")
    return text
