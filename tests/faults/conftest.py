"""The runner's process, its scripted host and its sink, as tests/payload/external has them."""

from tests.payload.external.conftest import layer, scene

__all__ = ["layer", "scene"]
