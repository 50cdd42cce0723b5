"""``wrapkit template --format cloudformation``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._yaml import Tagged, to_yaml

if TYPE_CHECKING:
    from ._request import CodeRequest

_HEADING = """\
wrapkit on functions of AWS Lambda. Fill in what is yours, or take the Layers, the Environment and
the policy over into your own template; `wrapkit attach --template` does that for you."""
_ASSUMED = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
_BASIC = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def render(request: CodeRequest) -> dict[str, str]:
    """One template: the layer, a policy, and a role and a function for each name."""
    resources: dict[str, Any] = {}
    if not request.is_arn:
        resources["WrapkitLayer"] = _layer(request)
    if request.statements:
        resources["WrapkitPolicy"] = _policy(request)
    for name, logical_id in request.logical_ids.items():
        resources[f"{logical_id}Role"] = _role(request)
        resources[logical_id] = _function(request, name, f"{logical_id}Role")
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": _parameters(request),
        "Resources": resources,
    }
    return {"template.yaml": to_yaml(template, _HEADING)}


def _parameters(request: CodeRequest) -> dict[str, Any]:
    parameters = {"CodeBucket": "The S3 bucket of the functions' code, NAME.zip for each"}
    if not request.is_arn:
        parameters["LayerKey"] = f"The S3 key of {request.layer} in the same bucket"
    return {
        name: {"Type": "String", "Description": description}
        for name, description in parameters.items()
    }


def _layer(request: CodeRequest) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::LayerVersion",
        # A version that functions run with outlives the one that follows it.
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "LayerName": request.layer_name,
            "CompatibleRuntimes": list(request.runtimes),
            "Content": {
                "S3Bucket": Tagged("Ref", "CodeBucket"),
                "S3Key": Tagged("Ref", "LayerKey"),
            },
        },
    }


def _policy(request: CodeRequest) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": request.statements}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}


def _role(request: CodeRequest) -> dict[str, Any]:
    policies = [Tagged("Sub", _BASIC)]
    if request.statements:
        policies.append(Tagged("Ref", "WrapkitPolicy"))
    properties = {"AssumeRolePolicyDocument": _ASSUMED, "ManagedPolicyArns": policies}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _function(request: CodeRequest, name: str, role: str) -> dict[str, Any]:
    layer = request.layer if request.is_arn else Tagged("Ref", "WrapkitLayer")
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": name,
            "Runtime": request.runtime,
            "Handler": "app.handler",
            "Code": {"S3Bucket": Tagged("Ref", "CodeBucket"), "S3Key": f"{name}.zip"},
            "Role": Tagged("GetAtt", f"{role}.Arn"),
            "Layers": [layer],
            "Environment": {"Variables": request.environment},
        },
    }
