"""Layers: the zip archive that Lambda takes, and what is in anybody's."""

from __future__ import annotations

from ._build import BuiltLayer, LayerRequest, build_layers
from ._finding import Finding, Severity
from ._inspection import Inspection, inspect_layer
from ._limits import MAX_DIRECT_UPLOAD_BYTES, MAX_LAYERS, megabytes
from ._native import find_native_files
from ._picture import Picture, read_picture

__all__ = [
    "MAX_DIRECT_UPLOAD_BYTES",
    "MAX_LAYERS",
    "BuiltLayer",
    "Finding",
    "Inspection",
    "LayerRequest",
    "Picture",
    "Severity",
    "build_layers",
    "find_native_files",
    "inspect_layer",
    "megabytes",
    "read_picture",
]
