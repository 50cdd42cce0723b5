"""Generates the layer folder: wrapper script, hook and extension as the picture of /opt."""

from __future__ import annotations

from ._layer import DEFAULT_MODE, LANGUAGES, MODES, Layer, generate_layer

__all__ = ["DEFAULT_MODE", "LANGUAGES", "MODES", "Layer", "generate_layer"]
