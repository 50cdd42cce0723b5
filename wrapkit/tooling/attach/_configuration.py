"""A function's configuration, as far as attaching looks at it or changes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"


@dataclass(frozen=True)
class FunctionConfiguration:
    """What Lambda says of one function's $LATEST.

    ``layers`` are version ARNs in the order in which Lambda extracts them: of two files with one
    path the later layer's wins. ``variables_error`` says why Lambda would not show the variables.
    """

    name: str
    arn: str
    runtime: str
    package_type: str = "Zip"
    architecture: str = "x86_64"
    handler: str = ""
    timeout_s: int = 3
    memory_mb: int = 128
    layers: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    variables_error: str = ""
    revision_id: str = ""
    state: str = "Active"
    state_reason: str = ""
    last_update_status: str = "Successful"
    last_update_reason: str = ""
    snap_start: bool = False
    subnets: tuple[str, ...] = ()
    role: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether the last change has come into force, or failed to."""
        return self.state != "Pending" and self.last_update_status != "InProgress"

    @property
    def is_image(self) -> bool:
        return self.package_type == "Image"

    @property
    def what_attaching_changes(self) -> tuple[tuple[str, ...], dict[str, str]]:
        return self.layers, dict(self.variables)


def from_answer(answer: Mapping[str, Any]) -> FunctionConfiguration:
    """What GetFunctionConfiguration and UpdateFunctionConfiguration answer."""
    environment = answer.get("Environment") or {}
    error = environment.get("Error") or {}
    return FunctionConfiguration(
        name=answer["FunctionName"],
        arn=answer["FunctionArn"],
        runtime=answer.get("Runtime") or "",
        package_type=answer.get("PackageType") or "Zip",
        architecture=(answer.get("Architectures") or ["x86_64"])[0],
        handler=answer.get("Handler") or "",
        timeout_s=answer.get("Timeout") or 3,
        memory_mb=answer.get("MemorySize") or 128,
        layers=tuple(layer["Arn"] for layer in answer.get("Layers") or []),
        variables=environment.get("Variables") or {},
        variables_error=error.get("Message") or error.get("ErrorCode") or "",
        revision_id=answer.get("RevisionId") or "",
        state=answer.get("State") or "Active",
        state_reason=answer.get("StateReason") or "",
        last_update_status=answer.get("LastUpdateStatus") or "Successful",
        last_update_reason=answer.get("LastUpdateStatusReason") or "",
        snap_start=(answer.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions",
        subnets=tuple((answer.get("VpcConfig") or {}).get("SubnetIds") or ()),
        role=answer.get("Role") or "",
    )
