"""Generates the layer folder: wrapper script, hook and extension as the picture of /opt."""

from __future__ import annotations

from ._interpreters import LAMBDA_VERSIONS, find_interpreter
from ._layer import DEFAULT_MODE, EXEC_WRAPPERS, LANGUAGES, MODES, Layer, generate_layer

__all__ = [
    "DEFAULT_MODE",
    "EXEC_WRAPPERS",
    "LAMBDA_VERSIONS",
    "LANGUAGES",
    "MODES",
    "Layer",
    "find_interpreter",
    "generate_layer",
]
