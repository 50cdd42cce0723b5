"""``wrapkit layer``: a group of two commands."""

from __future__ import annotations

from ._groups import LazyGroup

layer = LazyGroup(
    "layer",
    summaries={
        "build": "Write a layer as a zip archive, the same bytes from the same inputs.",
        "publish": "Publish an archive, and print the ARN of its version.",
        "inspect": "Explain what a layer puts into /opt, and what is wrong with it.",
    },
    prefix="_layer_",
    help="Build layers as zip archives, and explain those of anybody.",
)
