"""The function's credentials, and who may read what is not in its variables."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._function import Function

# No real account: what a function calls on loopback needs some credentials to sign with.
_EMULATED = {
    "AWS_ACCESS_KEY_ID": "AKIAWRAPKITEMULATED0",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_SESSION_TOKEN": "not-a-token",
}


@dataclass(frozen=True)
class Tokens:
    """What a process shows to read the metadata, or the credentials of a snapshot."""

    metadata: str = field(default_factory=secrets.token_urlsafe)
    credentials: str = field(default_factory=secrets.token_urlsafe)


def credentials_of(function: Function) -> dict[str, str]:
    """The three variables; the user's own keys come without our session token."""
    if "AWS_ACCESS_KEY_ID" not in function.environment:
        return dict(_EMULATED)
    return {name: function.environment.get(name, "") for name in _EMULATED}
