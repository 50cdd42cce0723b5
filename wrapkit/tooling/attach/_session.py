"""boto3's sessions and clients, and AWS's refusals in wrapkit's words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .._errors import USAGE, DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Iterator


_UNREACHABLE_HINT = (
    "check --region for a mistyped name, the network, and where they are set HTTPS_PROXY and"
    " AWS_ENDPOINT_URL"
)


class FunctionChangedError(DiagnosticError):
    """Somebody else changed the function, or is about to: RevisionId or the update in progress."""


class PermissionDeniedError(DiagnosticError):
    """The caller's identity may not do this."""


def open_session(region: str | None, profile: str | None) -> Any:
    # Here, since loading boto3 takes most of a second and most commands do without.
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.Session(region_name=region, profile_name=profile)
    except BotoCoreError as error:
        raise _not_reached(error) from error


def open_client(session: Any, service: str) -> Any:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    retries = {"mode": "adaptive", "total_max_attempts": 10}
    try:
        return session.client(service, config=Config(retries=retries, user_agent_extra="wrapkit"))
    except (BotoCoreError, ValueError) as error:
        raise _not_reached(error) from error


@contextmanager
def explained(what: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _refused(what, error.response.get("Error", {})) from error
    except BotoCoreError as error:
        raise _not_reached(error) from error


def _refused(what: str, error: dict[str, str]) -> DiagnosticError:
    code = error.get("Code", "unknown")
    message = f"{what}: AWS answers {code}: {error.get('Message', '')}".rstrip(": .")
    if code in {"PreconditionFailedException", "ResourceConflictException"}:
        return FunctionChangedError("changed-meanwhile", message, "run it again")
    if code in {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}:
        hint = "docs/guides/attach-to-functions.md lists the permissions that are needed"
        return PermissionDeniedError("permission-denied", message, hint)
    if code == "ResourceNotFoundException":
        return DiagnosticError("not-found", message, "check the name, --region and --profile")
    return DiagnosticError("aws-refused", message)


def _not_reached(error: Exception) -> DiagnosticError:
    hints = {
        "NoRegionError": "name one with --region, or set AWS_REGION",
        "NoCredentialsError": "sign in with `aws configure sso`, or name a --profile",
        "EndpointConnectionError": _UNREACHABLE_HINT,
        "ConnectTimeoutError": _UNREACHABLE_HINT,
        "ProfileNotFound": "`aws configure list-profiles` shows those that there are",
    }
    kind = type(error).__name__
    usage = kind in {"NoRegionError", "ProfileNotFound"}
    return DiagnosticError(
        "aws-not-reached", str(error).rstrip("."), hints.get(kind, ""), *([USAGE] if usage else [])
    )
