"""Puts wrapkit onto functions, and takes it off again exactly as it was put on."""

from __future__ import annotations

from ._api import LambdaApi
from ._change import Change, Outcome
from ._configuration import EXEC_WRAPPER, FunctionConfiguration
from ._diff import Line, diff
from ._fleet import Fleet, change_fleet, plan_fleet
from ._image import dockerfile_lines
from ._layer_version import LayerVersion
from ._plan import (
    NOT_ATTACHED,
    WRAPKIT_CHAIN,
    Attachment,
    Plan,
    attached_record,
    drift,
    is_local_endpoint,
    is_our_wrapper,
    plan_attach,
    plan_detach,
    variables_bytes,
)
from ._publishing import check_layer_argument, find_layer
from ._selection import Selection, select_functions
from ._session import explained
from ._status import FunctionStatus, function_status, matching_functions
from ._variable_name import refused_variable

__all__ = [
    "EXEC_WRAPPER",
    "NOT_ATTACHED",
    "WRAPKIT_CHAIN",
    "Attachment",
    "Change",
    "Fleet",
    "FunctionConfiguration",
    "FunctionStatus",
    "LambdaApi",
    "LayerVersion",
    "Line",
    "Outcome",
    "Plan",
    "Selection",
    "attached_record",
    "change_fleet",
    "check_layer_argument",
    "diff",
    "dockerfile_lines",
    "drift",
    "explained",
    "find_layer",
    "function_status",
    "is_local_endpoint",
    "is_our_wrapper",
    "matching_functions",
    "plan_attach",
    "plan_detach",
    "plan_fleet",
    "refused_variable",
    "select_functions",
    "variables_bytes",
]
