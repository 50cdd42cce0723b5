"""``wrapkit template --format cdk``: an Aspect that attaches to every function below a scope."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._request import CodeRequest

_FILE = Path(__file__).parent / "_files" / "wrapkit_aspect.js"


def render(request: CodeRequest) -> dict[str, str]:
    """One module of JavaScript, which TypeScript takes as well."""
    defaults = {
        "layer": request.layer,
        "layerName": request.layer_name,
        "wrapper": request.wrapper,
        "runtimes": list(request.runtimes),
        "variables": dict(request.variables),
        "statements": request.statements,
        "functions": [] if request.functions == ("my-function",) else list(request.functions),
    }
    text = _FILE.read_text(encoding="utf-8")
    return {"wrapkit.js": text.replace("__DEFAULTS__", json.dumps(defaults, indent=2))}
