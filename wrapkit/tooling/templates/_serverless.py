"""``wrapkit template --format serverless``: the Serverless Framework's serverless.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._yaml import Tagged, to_yaml

if TYPE_CHECKING:
    from ._request import CodeRequest

_HEADING = """\
wrapkit on every function of the service, through its provider. A function with `layers` of its own
has to name wrapkit's there as well: the framework replaces the provider's list."""
# The framework names the resource of the layer `wrapkit` so.
_LAYER_RESOURCE = "WrapkitLambdaLayer"


def render(request: CodeRequest) -> dict[str, str]:
    """One serverless.yml."""
    layer = request.layer if request.is_arn else Tagged("Ref", _LAYER_RESOURCE)
    provider: dict[str, Any] = {
        "name": "aws",
        "runtime": request.runtime,
        "layers": [layer],
        # The framework resolves `${...}` itself, unless a backslash is in front of it.
        "environment": {
            name: value.replace("${", "\\${") for name, value in request.environment.items()
        },
    }
    if request.statements:
        provider["iam"] = {"role": {"statements": request.statements}}
    service: dict[str, Any] = {"service": "my-service", "provider": provider}
    if not request.is_arn:
        service["layers"] = {"wrapkit": _layer(request)}
    service["functions"] = {name: {"handler": "app.handler"} for name in request.functions}
    return {"serverless.yml": to_yaml(service, _HEADING)}


def _layer(request: CodeRequest) -> dict[str, Any]:
    return {
        "name": request.layer_name,
        "package": {"artifact": request.layer},
        "compatibleRuntimes": list(request.runtimes),
        "retain": True,
    }
