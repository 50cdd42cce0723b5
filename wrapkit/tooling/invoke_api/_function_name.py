"""The function that a caller names: by name, partial ARN or ARN, with or without a qualifier."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from ._refusal import InvokeRefusedError, invalid_parameter

# Lambda API reference, Invoke, FunctionName: its three forms and its lengths.
_NAME = re.compile(
    r"(?:(?:arn:aws[a-zA-Z-]*:lambda:[a-z]{2,4}(?:-[a-z]+)+-\d:)?\d{12}:function:)?"
    r"(?P<name>[a-zA-Z0-9_.-]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?"
)
_QUALIFIER = re.compile(r"\$LATEST|[a-zA-Z0-9_-]{1,128}")
_MAX_LENGTH = 256
_MAX_NAME_LENGTH = 64


class FunctionName(NamedTuple):
    """A name and a qualifier (a version, an alias, or empty).

    Whatever region and account an ARN says, the function is the one that is served here: a test
    that names production's is to run unchanged.
    """

    name: str
    qualifier: str


def read_function_name(segment: str, qualifier: str) -> FunctionName:
    """Reads a path's segment, and the query's qualifier ("" for none); raises
    ``InvokeRefusedError``.
    """
    text = unquote(segment)
    found = _NAME.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if found is None or len(found["name"]) > _MAX_NAME_LENGTH:
        raise _invalid("functionName", text, _NAME.pattern)
    if qualifier and _QUALIFIER.fullmatch(qualifier) is None:
        raise _invalid("qualifier", qualifier, _QUALIFIER.pattern)
    own = found["qualifier"] or ""
    if own and qualifier and own != qualifier:
        raise invalid_parameter(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    return FunctionName(found["name"], own or qualifier)


def _invalid(member: str, value: str, pattern: str) -> InvokeRefusedError:
    return InvokeRefusedError(
        400,
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern}",
    )
