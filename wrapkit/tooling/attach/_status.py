"""Which functions have wrapkit, in what version, and what is no longer as it was attached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._errors import DiagnosticError
from ._layer_version import is_our_layer
from ._plan import attached_record, drift
from ._selection import Selection, select_functions

if TYPE_CHECKING:
    from ._api import LambdaApi
    from ._configuration import FunctionConfiguration


@dataclass(frozen=True)
class FunctionStatus:
    """A function's state: ``attached``, ``by other means`` (no record), or ``bare``."""

    name: str
    runtime: str
    state: str
    version: str = ""
    layer: str = ""
    drift: tuple[str, ...] = ()


def function_status(function: FunctionConfiguration) -> FunctionStatus:
    """The status by the function's configuration alone."""
    try:
        record = attached_record(function)
    except DiagnosticError as error:
        problem = (error.message,)
        return FunctionStatus(function.name, function.runtime, "attached", drift=problem)
    if record is not None:
        return FunctionStatus(
            function.name,
            function.runtime,
            "attached",
            record.version,
            record.layer,
            drift(function, record),
        )
    ours = [layer for layer in function.layers if is_our_layer(layer)]
    state = "by other means" if ours else "bare"
    return FunctionStatus(function.name, function.runtime, state, layer=ours[0] if ours else "")


def matching_functions(api: LambdaApi, selection: Selection) -> list[FunctionConfiguration]:
    """The functions that are meant, all of them without a selection, by name."""
    if not selection.patterns and not selection.tags:
        return sorted(api.functions(), key=lambda function: function.name)
    return [api.configuration(name) for name in select_functions(api, selection).names]
