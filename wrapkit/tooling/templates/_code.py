"""Infrastructure as code for many functions, in the format of the tool that deploys them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._errors import USAGE, DiagnosticError
from . import _cdk, _cloudformation, _sam, _serverless, _terraform

if TYPE_CHECKING:
    from ._request import CodeRequest

_RENDERERS = {
    "cloudformation": _cloudformation.render,
    "sam": _sam.render,
    "terraform": _terraform.render,
    "cdk": _cdk.render,
    "serverless": _serverless.render,
}
FORMATS = tuple(_RENDERERS)


def generate_code(format_name: str, request: CodeRequest) -> dict[str, str]:
    """The files, by their paths.

    Raises:
        DiagnosticError: a function's name is none.
    """
    for name in request.functions:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            raise DiagnosticError("not-a-function", f"{name!r} is no name of a function", "", USAGE)
    return _RENDERERS[format_name](request)
