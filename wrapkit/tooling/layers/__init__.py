"""Layers: the zip archive that Lambda takes, and what is in anybody's."""

from __future__ import annotations

from ._build import BuiltLayer, LayerRequest, build_layers, measure
from ._description import LayerDescription, describe, parse_description
from ._finding import Finding, Severity
from ._inspection import Inspection, inspect_layer
from ._limits import (
    MAX_DIRECT_UPLOAD_BYTES,
    MAX_LAYERS,
    MAX_UNZIPPED_BYTES,
    Part,
    megabytes,
)
from ._native import DAMAGED, find_native_files
from ._picture import Picture, read_picture

__all__ = [
    "DAMAGED",
    "MAX_DIRECT_UPLOAD_BYTES",
    "MAX_LAYERS",
    "MAX_UNZIPPED_BYTES",
    "BuiltLayer",
    "Finding",
    "Inspection",
    "LayerDescription",
    "LayerRequest",
    "Part",
    "Picture",
    "Severity",
    "build_layers",
    "describe",
    "find_native_files",
    "inspect_layer",
    "measure",
    "megabytes",
    "parse_description",
    "read_picture",
]
