"""``wrapkit template --format sam``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._yaml import Tagged, to_yaml

if TYPE_CHECKING:
    from ._request import CodeRequest

_HEADING = """\
wrapkit on every function of this template, through Globals. Fill in what is yours, or take Globals,
the layer and the policy over into your own; `wrapkit attach --template` does that for you."""


def render(request: CodeRequest) -> dict[str, str]:
    """One template, whose Globals attach to whatever functions it has."""
    layer = request.layer if request.is_arn else Tagged("Ref", "WrapkitLayer")
    resources: dict[str, Any] = {}
    if not request.is_arn:
        resources["WrapkitLayer"] = _layer(request)
    for name, logical_id in request.logical_ids.items():
        resources[logical_id] = _function(request, name)
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {
            "Function": {
                "Runtime": request.runtime,
                "Layers": [layer],
                "Environment": {"Variables": request.environment},
            }
        },
        "Resources": resources,
    }
    return {"template.yaml": to_yaml(template, _HEADING)}


def _layer(request: CodeRequest) -> dict[str, Any]:
    properties = {
        "LayerName": request.layer_name,
        "ContentUri": request.layer,
        "CompatibleRuntimes": list(request.runtimes),
        "RetentionPolicy": "Retain",
    }
    return {"Type": "AWS::Serverless::LayerVersion", "Properties": properties}


def _function(request: CodeRequest, name: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "FunctionName": name,
        "CodeUri": f"{name}/",
        "Handler": "app.handler",
    }
    if request.statements:
        # Policies have no place in Globals.
        properties["Policies"] = [{"Version": "2012-10-17", "Statement": request.statements}]
    return {"Type": "AWS::Serverless::Function", "Properties": properties}
