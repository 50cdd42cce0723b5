"""What a function that is a container image needs: it takes no layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._configuration import EXEC_WRAPPER

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINES = """\
# build/layer is what `wrapkit generate --output build/layer` writes.
COPY build/layer/ /opt/
ENV {variables}
# An image that is not based on AWS's has its wrapper in the entry point instead:
# ENTRYPOINT ["{wrapper}", "python", "-m", "awslambdaric"]
"""


def dockerfile_lines(wrapper: str, variables: Mapping[str, str]) -> str:
    """The lines for a Dockerfile; values are quoted as Docker reads them."""
    assigned = {**({EXEC_WRAPPER: wrapper} if wrapper else {}), **variables}
    text = " \\\n    ".join(f"{name}={_quoted(value)}" for name, value in assigned.items())
    return _LINES.format(variables=text, wrapper=wrapper)


def _quoted(value: str) -> str:
    for mark in ("\\", '"', "$"):
        value = value.replace(mark, f"\\{mark}")
    return f'"{value}"'
