"""Spans of the libraries that a function calls, from the moment at which it imports them.

Rule 1. A function that imports none of them pays for this module and a dictionary's look-up an
        import, and for nothing else.
Rule 2. What a library's span says is what OpenTelemetry's own instrumentation of it says: name,
        kind, status, attributes, events, scope, and what is put into outgoing requests. The rules
        of each are in its module; tests compare them, call by call.
Rule 3. What fails in here costs a line and the span, never the call.
"""

import sys

from ..._env import (
    DISABLED_INSTRUMENTATIONS,
    LOG_CORRELATION,
    METER_PROVIDER,
    flag,
    text,
    variables,
)
from .._on_import import ImportHook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def watch(environ: "Mapping[str, str]") -> None:
    """Has each library that is wanted instrumented when the function imports it."""
    disabled = [name.strip() for name in text(environ, DISABLED_INSTRUMENTATIONS).split(",")]
    watched: dict[str, Callable[[Any], None]] = {
        "opentelemetry.trace": _open_telemetry,
        "opentelemetry.propagate": _propagate,
        "opentelemetry.metrics": _metrics,
        "opentelemetry._logs": _logs,
    }
    if "*" not in disabled:
        for module, (name, load) in TABLE.items():
            if name not in disabled:
                watched[module] = load
        watched.update(_of_the_layer(disabled))
        if "logging" not in disabled and flag(environ, LOG_CORRELATION):
            from ._log_correlation import correlate

            correlate(environ)
    ImportHook(watched).install()


def _of_the_layer(disabled: "list[str]") -> "Mapping[str, Callable[[Any], None]]":
    """OpenTelemetry's instrumentors, where the layer was generated with some."""
    root = sys.modules[__name__.partition(".")[0]]
    names = getattr(root, "INSTRUMENTATION", ())
    if not names:
        return {}
    from ._upstream import LayerFinder, watched

    LayerFinder(root.__path__[0].rpartition("/")[0] + "/python").install()
    return watched(names, disabled)


def _open_telemetry(module: "Any") -> None:
    from ._open_telemetry import connect

    connect(module)


def _propagate(module: "Any") -> None:
    from ._text_map import extend

    extend(module)


def _metrics(module: "Any") -> None:
    from ._api_metrics import connect

    if not text(variables(), METER_PROVIDER):
        connect(module, sys.modules["opentelemetry.metrics._internal"])


def _logs(module: "Any") -> None:
    from ._api_logs import connect

    connect(module, sys.modules["opentelemetry._logs._internal"])


def _botocore_client(module: "Any") -> None:
    from ._botocore import instrument_client

    instrument_client(module)


def _botocore_endpoint(module: "Any") -> None:
    from ._botocore import instrument_endpoint

    instrument_endpoint(module)


def _requests(module: "Any") -> None:
    from ._requests import instrument

    instrument(module)


def _urllib3(module: "Any") -> None:
    from ._urllib3 import instrument

    instrument(module)


# The module that has what is instrumented: the name of the instrumentation, as OpenTelemetry has
# it, and what instruments the module.
TABLE: "dict[str, tuple[str, Callable[[Any], None]]]" = {
    "botocore.client": ("botocore", _botocore_client),
    "botocore.endpoint": ("botocore", _botocore_endpoint),
    "requests.sessions": ("requests", _requests),
    "urllib3.connectionpool": ("urllib3", _urllib3),
}
