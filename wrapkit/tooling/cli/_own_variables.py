"""What a function gets from the commands that run it, unless its user sets it: variables, ports."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WRAPPER_FILE = "otel-handler"
WRAPPER_VARIABLE = "AWS_LAMBDA_EXEC_WRAPPER"
ENDPOINT_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"
EXTENSION_FILE = "extensions/wrapkit"
# Where the extension takes OTLP: the port that OpenTelemetry's SDKs send to by default.
OTLP_PORTS = {"WRAPKIT_OTLP_ADDRESS": 4318}


def own_variables(layers: Iterable[Path], endpoint: str | None) -> dict[str, str]:
    """The wrapper, where a layer brings one, and the address of the command's own sink."""
    variables = {}
    if any(_holds(layer, WRAPPER_FILE) for layer in layers):
        variables[WRAPPER_VARIABLE] = f"/opt/{WRAPPER_FILE}"
    if endpoint:
        variables[ENDPOINT_VARIABLE] = endpoint
    return variables


def own_ports(layers: Iterable[Path]) -> dict[str, int]:
    """The ports that the layers' extension listens on, by the variable that names another."""
    return OTLP_PORTS if any(_holds(layer, EXTENSION_FILE) for layer in layers) else {}


def _holds(layer: Path, name: str) -> bool:
    try:
        if layer.is_dir():
            return (layer / name).is_file()
        with zipfile.ZipFile(layer) as archive:
            return name in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False  # the emulator refuses the layer, and says why
