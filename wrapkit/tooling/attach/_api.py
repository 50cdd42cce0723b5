"""Lambda's API, as far as attaching needs it: boto3's client with wrapkit's words for errors."""

from __future__ import annotations

import base64
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .._errors import USAGE, DiagnosticError
from ..layers import parse_description
from ._configuration import FunctionConfiguration, from_answer
from ._layer_version import LayerVersion, layer_of, parse_layer_arn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ._plan import Plan

# A change takes a second or two, one that joins a VPC up to a minute and a half.
SETTLE_TIMEOUT_S = 300
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_LOG_TAIL_LINES = 8
_DOWNLOAD_TIMEOUT_S = 60
# An archive is at most 250 MB unzipped, and zipped hardly ever more.
_MAX_DOWNLOAD_BYTES = 300_000_000


class FunctionChangedError(DiagnosticError):
    """Somebody else changed the function, or is about to: RevisionId or the update in progress."""


@dataclass(frozen=True)
class Invocation:
    """The outcome of an invocation; ``error`` is empty for a success."""

    error: str
    log_tail: str

    @property
    def succeeded(self) -> bool:
        return not self.error


class LambdaApi:
    """The calls, each as this project's values. Throttling is retried by boto3.

    Raises:
        DiagnosticError: what AWS refused, or that it cannot be reached.
    """

    def __init__(self, region: str | None = None, profile: str | None = None) -> None:
        self._session = _session(region, profile)
        self._client = _client(self._session, "lambda")

    @property
    def region(self) -> str:
        return str(self._client.meta.region_name)

    def configuration(self, name: str, version: str = "$LATEST") -> FunctionConfiguration:
        with _explained(f"the function {name}"):
            qualifier = {} if version == "$LATEST" else {"Qualifier": version}
            return from_answer(
                self._client.get_function_configuration(FunctionName=name, **qualifier)
            )

    def settled(self, name: str, version: str = "$LATEST") -> FunctionConfiguration:
        """The configuration once no change of it is under way."""
        give_up_at = time.monotonic() + SETTLE_TIMEOUT_S
        pause_s = _FIRST_PAUSE_S
        while not (function := self.configuration(name, version)).is_settled:
            if time.monotonic() > give_up_at:
                raise DiagnosticError(
                    "not-settled",
                    f"{name} has been changing for {SETTLE_TIMEOUT_S} s:"
                    f" {function.last_update_reason or function.state_reason or function.state}",
                    "look at the function in the console, then run this again",
                )
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        return function

    def update(self, plan: Plan) -> None:
        """Change layers and variables in one call, unless somebody else was faster.

        Raises:
            FunctionChangedError: it is not what the plan was made from any more.
        """
        revision = {"RevisionId": plan.before.revision_id} if plan.before.revision_id else {}
        with _explained(plan.before.name):
            self._client.update_function_configuration(
                FunctionName=plan.before.arn,
                Layers=list(plan.layers),
                Environment={"Variables": plan.variables},
                **revision,
            )

    def functions(self) -> Iterator[FunctionConfiguration]:
        """All functions of the account in this region."""
        with _explained("the list of functions"):
            for page in self._client.get_paginator("list_functions").paginate():
                yield from map(from_answer, page["Functions"])

    def arns_with_tags(self, tags: Sequence[tuple[str, str]]) -> list[str]:
        """The functions that have all of the tags."""
        client = _client(self._session, "resourcegroupstaggingapi")
        filters = [{"Key": key, "Values": [value] if value else []} for key, value in tags]
        with _explained("the functions with these tags"):
            pages = client.get_paginator("get_resources").paginate(
                TagFilters=filters, ResourceTypeFilters=["lambda:function"]
            )
            return [
                item["ResourceARN"] for page in pages for item in page["ResourceTagMappingList"]
            ]

    def publish_version(self, name: str, description: str) -> str:
        """The number of a version with what is in $LATEST, once it can be invoked."""
        with _explained(f"a version of {name}"):
            answer = self._client.publish_version(FunctionName=name, Description=description)
        version = str(answer["Version"])
        self.settled(name, version)
        return version

    def versions(self, name: str) -> list[tuple[str, str]]:
        """The numbers and descriptions of the published versions."""
        with _explained(f"the versions of {name}"):
            paginator = self._client.get_paginator("list_versions_by_function")
            return [
                (version["Version"], version.get("Description") or "")
                for page in paginator.paginate(FunctionName=name)
                for version in page["Versions"]
                if version["Version"] != "$LATEST"
            ]

    def delete_version(self, name: str, version: str) -> None:
        with _explained(f"the version {version} of {name}"):
            self._client.delete_function(FunctionName=name, Qualifier=version)

    def invoke(self, name: str, payload: bytes, version: str = "$LATEST") -> Invocation:
        with _explained(f"the invocation of {name}"):
            answer = self._client.invoke(
                FunctionName=name,
                InvocationType="RequestResponse",
                LogType="Tail",
                Payload=payload,
                **({} if version == "$LATEST" else {"Qualifier": version}),
            )
            body = answer["Payload"].read()
        log = base64.b64decode(answer.get("LogResult") or "").decode("utf-8", "replace")
        tail = "\n".join(log.strip().splitlines()[-_LOG_TAIL_LINES:])
        return Invocation(_error_of(body) if answer.get("FunctionError") else "", tail)

    def layer_version(self, arn: str) -> LayerVersion:
        """What a layer version says about itself; nothing where one may not ask."""
        parts = parse_layer_arn(arn)
        try:
            with _explained(f"the layer {arn}"):
                answer = self._client.get_layer_version(
                    LayerName=layer_of(arn), VersionNumber=int(parts["version"])
                )
        except PermissionDeniedError:
            return LayerVersion(arn)
        return _layer_version(arn, answer)

    def layer_archive(self, arn: str, folder: Path) -> Path:
        """A layer version's archive, downloaded into ``folder``."""
        parts = parse_layer_arn(arn)
        with _explained(f"the layer {arn}"):
            answer = self._client.get_layer_version(
                LayerName=layer_of(arn), VersionNumber=int(parts["version"])
            )
        target = folder / f"{parts['name']}-{parts['version']}.zip"
        return _downloaded(answer["Content"].get("Location", ""), target, arn)

    def function_archive(self, name: str, folder: Path) -> Path:
        """A function's code, downloaded into ``folder``."""
        with _explained(f"the function {name}"):
            answer = self._client.get_function(FunctionName=name)
        location = answer.get("Code", {}).get("Location", "")
        return _downloaded(location, folder / f"{name}.zip", name)

    def denied_actions(self, role: str, needed: Sequence[tuple[str, str]]) -> list[str]:
        """Which actions on which resources IAM would not allow a role."""
        client = _client(self._session, "iam")
        denied = []
        for action, resource in needed:
            with _explained(f"the simulation of {action}"):
                answer = client.simulate_principal_policy(
                    PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
                )
            results = answer["EvaluationResults"]
            denied += [action for each in results if each["EvalDecision"] != "allowed"]
        return denied

    def subnets_without_route(self, subnets: Sequence[str]) -> list[str]:
        """The subnets of a function from which the internet cannot be reached.

        A route through an internet gateway does not count: a function's network interface has no
        public address.
        """
        client = _client(self._session, "ec2")
        with _explained("the route tables"):
            described = client.describe_subnets(SubnetIds=list(subnets))["Subnets"]
            vpcs = sorted({subnet["VpcId"] for subnet in described})
            tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": vpcs}])[
                "RouteTables"
            ]
        return [subnet for subnet in subnets if not has_way_out(subnet, tables)]

    def newest_layer_version(self, name: str) -> tuple[LayerVersion, str] | None:
        """The newest version of a layer of this account, and the base64 of its SHA-256."""
        with _explained(f"the layer {name}"):
            listed = self._client.list_layer_versions(LayerName=name, MaxItems=1)["LayerVersions"]
            if not listed:
                return None
            answer = self._client.get_layer_version(
                LayerName=name, VersionNumber=listed[0]["Version"]
            )
        arn = answer["LayerVersionArn"]
        return _layer_version(arn, answer), answer["Content"].get("CodeSha256", "")

    def publish_layer(
        self,
        name: str,
        archive: bytes,
        description: str,
        runtimes: Sequence[str],
        architectures: Sequence[str],
    ) -> LayerVersion:
        with _explained(f"the layer {name}"):
            answer = self._client.publish_layer_version(
                LayerName=name,
                Description=description,
                Content={"ZipFile": archive},
                CompatibleRuntimes=list(runtimes),
                CompatibleArchitectures=list(architectures),
                LicenseInfo="Apache-2.0",
            )
        return _layer_version(answer["LayerVersionArn"], answer)


class PermissionDeniedError(DiagnosticError):
    """The caller's identity may not do this."""


def _session(region: str | None, profile: str | None) -> Any:
    # Here, since loading boto3 takes most of a second and most commands do without.
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.Session(region_name=region, profile_name=profile)
    except BotoCoreError as error:
        raise _not_reached(error) from error


def _client(session: Any, service: str) -> Any:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    retries = {"mode": "adaptive", "total_max_attempts": 10}
    try:
        return session.client(service, config=Config(retries=retries, user_agent_extra="wrapkit"))
    except (BotoCoreError, ValueError) as error:
        raise _not_reached(error) from error


@contextmanager
def _explained(what: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _refused(what, error.response.get("Error", {})) from error
    except BotoCoreError as error:
        raise _not_reached(error) from error


def _refused(what: str, error: dict[str, str]) -> DiagnosticError:
    code = error.get("Code", "unknown")
    message = f"{what}: AWS answers {code}: {error.get('Message', '')}".rstrip(": .")
    if code in {"PreconditionFailedException", "ResourceConflictException"}:
        return FunctionChangedError("changed-meanwhile", message, "run it again")
    if code in {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}:
        hint = "docs/guides/attach-to-functions.md lists the permissions that are needed"
        return PermissionDeniedError("permission-denied", message, hint)
    if code == "ResourceNotFoundException":
        return DiagnosticError("not-found", message, "check the name, --region and --profile")
    return DiagnosticError("aws-refused", message)


def _not_reached(error: Exception) -> DiagnosticError:
    hints = {
        "NoRegionError": "name one with --region, or set AWS_REGION",
        "NoCredentialsError": "sign in with `aws configure sso`, or name a --profile",
        "ProfileNotFound": "`aws configure list-profiles` shows those that there are",
    }
    kind = type(error).__name__
    usage = kind in {"NoRegionError", "ProfileNotFound"}
    return DiagnosticError(
        "aws-not-reached", str(error).rstrip("."), hints.get(kind, ""), *([USAGE] if usage else [])
    )


def _error_of(body: bytes) -> str:
    try:
        error = json.loads(body)
        return f"{error.get('errorType', 'error')}: {error.get('errorMessage', '')}".rstrip(": ")
    except (ValueError, AttributeError):
        return body.decode("utf-8", "replace")[:200] or "error"


def has_way_out(subnet: str, tables: Sequence[dict[str, Any]]) -> bool:
    """Whether the route table of a subnet, its own or else the main one, leads to the internet."""

    def is_of(table: dict[str, Any], key: str, value: object) -> bool:
        return any(each.get(key) == value for each in table.get("Associations", []))

    own = [table for table in tables if is_of(table, "SubnetId", subnet)]
    table = (own or [table for table in tables if is_of(table, "Main", True)] or [{}])[0]
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0"
        and not str(route.get("GatewayId") or "").startswith("igw-")
        and route.get("State", "active") == "active"
        for route in table.get("Routes", [])
    )


def _downloaded(location: str, target: Path, what: str) -> Path:
    # Here, since it takes a third of the time that `wrapkit attach --help` takes.
    import urllib.request

    try:
        with urllib.request.urlopen(location, timeout=_DOWNLOAD_TIMEOUT_S) as answer:
            target.write_bytes(answer.read(_MAX_DOWNLOAD_BYTES))
    except (OSError, ValueError) as error:
        raise DiagnosticError(
            "not-downloaded", f"{what}: its archive cannot be downloaded: {error}"
        ) from error
    return target


def _layer_version(arn: str, answer: dict[str, Any]) -> LayerVersion:
    version = LayerVersion(
        arn,
        tuple(answer.get("CompatibleRuntimes") or ()),
        tuple(answer.get("CompatibleArchitectures") or ()),
    )
    description = parse_description(answer.get("Description") or "")
    if description is None:
        return version
    return replace(version, wrapper=description.wrapper, byte_code=description.byte_code)
