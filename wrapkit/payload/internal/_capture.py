"""What went in and what came out of an invocation, as JSON text without secrets: WRAPKIT_CAPTURE.

Loaded only where the user has asked for it.

Rule 1. A secret is known by the name that it stands under, in an object, in a list of
        ``{"name": ..., "value": ...}``, in a query or in JSON within a text; or by what it looks
        like. What stands in its place is ``REDACTED``.
Rule 2. Bounded: levels, members, characters looked through, and bytes of the whole. What is left
        out is marked by ``...``; a text is looked through before it is cut, or half a secret would
        stay.
Rule 3. An expression of the user's that does not compile captures nothing: better nothing than a
        secret.
"""

import json
import re

from .. import _env

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from re import Pattern
    from typing import Any, Optional

PARTS = ("request", "response")
DEFAULT_MAX_BYTES = 4096
# Two of them and an error fit into a datagram.
MAX_BYTES = 16_384
DEFAULT_MAX_DEPTH = 8
MAX_DEPTH = 32
MAX_MEMBERS = 1024
# Of all texts together; a longer one is left out as a whole.
MAX_SEARCHED = 65_536
REDACTED = "REDACTED"
_MORE = "..."

# Names, without regard to case, dash and underscore, that contain one of these.
_PARTS_OF_NAMES = (
    "accesskey",
    "apikey",
    "apitoken",
    "authorization",
    "bearer",
    "connectionstring",
    "cookie",
    "credential",
    "creditcard",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "securitytoken",
    "sessionid",
    "signature",
    "token",
)
# As a whole only: "shipping" is no secret.
_WHOLE_NAMES = frozenset(["auth", "cvv", "jwt", "pin", "pwd", "session", "sig", "ssn"])
# All of them bounded, so that no text of a sender's takes long.
_LOOKS_SECRET = (
    r"eyJ[\w-]{8,512}\.[\w-]{0,8192}\.?[\w-]{0,2048}",  # a JSON web token
    r"(?i:\b(?:bearer|basic|digest)\s{1,4})[\w.~+/=-]{6,8192}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    # Of GitHub, GitLab, Slack, Stripe, npm, Google: a prefix says whose key it is.
    r"\b(?:gh[oprsu]_|github_pat_|glpat-|xox[abeoprs]-|[rs]k_(?:live|test)_|npm_|AIza)[\w-]{16,512}",
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    r"\b(?:\d[ -]?){12,18}\d\b",  # the digits of a card
    r"(?<=//)[^/\s:@]{1,256}:[^/\s@]{1,256}(?=@)",  # user and password in a URL
)
# By what stands in front of it: in JSON, a query, a connection string, an XML element.
_NAMED = r"""(?i:((?:%s)[\w.-]{0,32}["']?\s{0,4}[=:>]\s{0,4}["']?))[^&\s"',;}<]+"""


class _Budget:
    """What is left to be looked at of one payload."""

    __slots__ = ("characters", "members")

    def __init__(self) -> None:
        self.members = MAX_MEMBERS
        self.characters = MAX_SEARCHED

    def takes_member(self) -> bool:
        self.members -= 1
        return self.members >= 0


class Capture:
    """Turns events and results into text, as the variables say."""

    __slots__ = ("_depth", "_max_bytes", "_names", "_parts", "_patterns")

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self._parts = _parts(environ)
        self._max_bytes = _env.number(environ, _env.CAPTURE_MAX_BYTES, DEFAULT_MAX_BYTES, MAX_BYTES)
        self._depth = _env.number(environ, _env.CAPTURE_MAX_DEPTH, DEFAULT_MAX_DEPTH, MAX_DEPTH)
        self._names = tuple(map(_plain, _env.words(environ, _env.CAPTURE_REDACT_NAMES)))
        # In a text a name may be written with dash or underscore at any place.
        named = ["[-_]?".join(name) for name in (*_PARTS_OF_NAMES, *map(re.escape, self._names))]
        # Azure's signature of a URL, too short a name to look for anywhere but in a query.
        named.append("(?<=[?&])sig")
        self._patterns = [
            re.compile(_NAMED % "|".join(named)),
            re.compile("|".join(_LOOKS_SECRET)),
        ]
        own = _own_pattern(environ)
        if own is not None:
            self._patterns.append(own)

    def request(self, event: "Any") -> "dict[str, str]":
        """The attribute with the event; none where it is not asked for."""
        return self._attribute("request", event)

    def response(self, result: "Any") -> "dict[str, str]":
        """The attribute with the handler's result."""
        return self._attribute("response", result)

    def _attribute(self, part: str, value: "Any") -> "dict[str, str]":
        if part not in self._parts:
            return {}
        cleaned = self._clean(value, self._depth, _Budget())
        text = json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))
        data = text.encode("utf-8", "replace")
        if len(data) > self._max_bytes:
            data = data[: max(0, self._max_bytes - len(_MORE))]
            text = data.decode("utf-8", "ignore") + _MORE
        return {f"wrapkit.{part}.payload": text}

    def _clean(self, value: "Any", depth: int, budget: "_Budget") -> "Any":
        if isinstance(value, str):
            return self._clean_text(value, depth, budget)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if not isinstance(value, (dict, list, tuple)):
            return f"<{type(value).__name__}>"  # its repr may be anything
        if depth == 0:
            return _MORE
        if isinstance(value, dict):
            return self._clean_object(value, depth, budget)
        kept = []
        for item in value:
            if not budget.takes_member():
                kept.append(_MORE)
                break
            kept.append(self._clean(item, depth - 1, budget))
        return kept

    def _clean_object(
        self, value: "dict[Any, Any]", depth: int, budget: "_Budget"
    ) -> "dict[str, Any]":
        # As CloudFormation, DynamoDB, EC2 and many others write what has a name.
        named = value.get("name") or value.get("Name") or value.get("key") or value.get("Key")
        kept: dict[str, Any] = {}
        for name, item in value.items():
            if not budget.takes_member():
                kept[_MORE] = _MORE
                break
            shown = self._clean_text(str(name), 0, budget)
            is_value = isinstance(name, str) and name.lower() == "value"
            if self._is_secret(name) or (is_value and self._is_secret(named)):
                kept[shown] = REDACTED
            elif _is_encoded(name, value):
                kept[shown] = "<base64>"
            else:
                kept[shown] = self._clean(item, depth - 1, budget)
        return kept

    def _clean_text(self, text: str, depth: int, budget: "_Budget") -> str:
        if len(text) > budget.characters:
            # What is behind the border could be the other half of a secret.
            return _MORE
        budget.characters -= len(text)
        if depth and text[:1] in {"{", "["}:
            try:
                inner = json.loads(text)
            except (ValueError, RecursionError):
                pass
            else:
                cleaned = self._clean(inner, depth - 1, budget)
                return json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))
        for pattern in self._patterns:
            text = pattern.sub(_redacted, text)
        return text if len(text) <= self._max_bytes else text[: self._max_bytes] + _MORE

    def _is_secret(self, name: "Any") -> bool:
        if not isinstance(name, str):
            return False
        plain = _plain(name)
        if plain in _WHOLE_NAMES or any(part in plain for part in _PARTS_OF_NAMES):
            return True
        return any(own in plain for own in self._names)


def _redacted(match: "Any") -> str:
    """Of what is named, the name stays: the first group of the one pattern that has one."""
    return (match[1] if match.re.pattern.startswith("(?i:((?:") else "") + REDACTED


def _is_encoded(name: "Any", value: "dict[Any, Any]") -> bool:
    """Whether what stands under ``name`` is base64, which hides from patterns what is in it."""
    if name == "body":
        return value.get("isBase64Encoded") is True
    if name == "data":  # Kinesis
        return "partitionKey" in value
    return name in {"key", "value"} and "offset" in value and "topic" in value  # Kafka


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _parts(environ: "Mapping[str, str]") -> "tuple[str, ...]":
    listed = _env.words(environ, _env.CAPTURE)
    if any(part not in (*PARTS, "none") for part in listed):
        _env.malformed(_env.CAPTURE, "not of request, response, none", "none")
        return ()
    if _env.text(environ, _env.CAPTURE_REDACT_PATTERN) and _own_pattern(environ) is None:
        _env.malformed(_env.CAPTURE_REDACT_PATTERN, "no regular expression", "no capture at all")
        return ()
    return () if "none" in listed else listed


def _own_pattern(environ: "Mapping[str, str]") -> "Optional[Pattern[str]]":
    expression = _env.text(environ, _env.CAPTURE_REDACT_PATTERN)
    try:
        return re.compile(expression) if expression else None
    except (re.error, RecursionError, OverflowError):
        return None
