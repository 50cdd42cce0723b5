"""Names of variables that a function cannot be given, which Lambda would say only on the change."""

from __future__ import annotations

import re

from ._configuration import EXEC_WRAPPER
from ._record import RECORD

# Lambda API reference, Environment: the pattern of a key.
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
# Lambda developer guide, "Defined runtime environment variables": the reserved ones.
_RESERVED = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)


def refused_variable(name: str) -> str:
    """Why a variable of this name cannot be attached to a function; empty where it can."""
    if name in _RESERVED:
        return f"{name} is reserved by Lambda, which sets it itself"
    if not _NAME.fullmatch(name):
        return f"{name!r} is no name that Lambda takes: letters, digits and _, a letter first"
    if name in {EXEC_WRAPPER, RECORD}:
        return f"{name} is what attaching itself sets"
    return ""
