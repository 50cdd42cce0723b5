"""Lambda's API, as far as attaching needs it: boto3's client with wrapkit's words for errors."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .._errors import DiagnosticError
from ..layers import parse_description
from ._configuration import FunctionConfiguration, from_answer
from ._layer_version import LayerVersion, layer_of, parse_layer_arn
from ._session import PermissionDeniedError, explained, open_client, open_session

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
        self._session = open_session(region, profile)
        self._client = open_client(self._session, "lambda")

    @property
    def region(self) -> str:
        return str(self._client.meta.region_name)

    def client(self, service: str) -> Any:
        """boto3's client of another service, with the same region and credentials."""
        return open_client(self._session, service)

    def configuration(self, name: str, version: str = "$LATEST") -> FunctionConfiguration:
        with explained(f"the function {name}"):
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
        with explained(plan.before.name):
            self._client.update_function_configuration(
                FunctionName=plan.before.arn,
                Layers=list(plan.layers),
                Environment={"Variables": plan.variables},
                **revision,
            )

    def functions(self) -> Iterator[FunctionConfiguration]:
        """All functions of the account in this region."""
        with explained("the list of functions"):
            for page in self._client.get_paginator("list_functions").paginate():
                yield from map(from_answer, page["Functions"])

    def arns_with_tags(self, tags: Sequence[tuple[str, str]]) -> list[str]:
        """The functions that have all of the tags."""
        client = self.client("resourcegroupstaggingapi")
        filters = [{"Key": key, "Values": [value] if value else []} for key, value in tags]
        with explained("the functions with these tags"):
            pages = client.get_paginator("get_resources").paginate(
                TagFilters=filters, ResourceTypeFilters=["lambda:function"]
            )
            return [
                item["ResourceARN"] for page in pages for item in page["ResourceTagMappingList"]
            ]

    def publish_version(self, name: str, description: str) -> str:
        """The number of a version with what is in $LATEST, once it can be invoked."""
        with explained(f"a version of {name}"):
            answer = self._client.publish_version(FunctionName=name, Description=description)
        version = str(answer["Version"])
        self.settled(name, version)
        return version

    def versions(self, name: str) -> list[tuple[str, str]]:
        """The numbers and descriptions of the published versions."""
        with explained(f"the versions of {name}"):
            paginator = self._client.get_paginator("list_versions_by_function")
            return [
                (version["Version"], version.get("Description") or "")
                for page in paginator.paginate(FunctionName=name)
                for version in page["Versions"]
                if version["Version"] != "$LATEST"
            ]

    def delete_version(self, name: str, version: str) -> None:
        with explained(f"the version {version} of {name}"):
            self._client.delete_function(FunctionName=name, Qualifier=version)

    def invoke(self, name: str, payload: bytes, version: str = "$LATEST") -> Invocation:
        with explained(f"the invocation of {name}"):
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
            with explained(f"the layer {arn}"):
                answer = self._client.get_layer_version(
                    LayerName=layer_of(arn), VersionNumber=int(parts["version"])
                )
        except PermissionDeniedError:
            return LayerVersion(arn)
        return _layer_version(arn, answer)

    def layer_archive(self, arn: str, folder: Path) -> Path:
        """A layer version's archive, downloaded into ``folder``."""
        parts = parse_layer_arn(arn)
        with explained(f"the layer {arn}"):
            answer = self._client.get_layer_version(
                LayerName=layer_of(arn), VersionNumber=int(parts["version"])
            )
        target = folder / f"{parts['name']}-{parts['version']}.zip"
        return _downloaded(answer["Content"].get("Location", ""), target, arn)

    def function_archive(self, name: str, folder: Path) -> Path:
        """A function's code, downloaded into ``folder``."""
        with explained(f"the function {name}"):
            answer = self._client.get_function(FunctionName=name)
        location = answer.get("Code", {}).get("Location", "")
        return _downloaded(location, folder / f"{name}.zip", name)

    def newest_layer_version(self, name: str) -> tuple[LayerVersion, str] | None:
        """The newest version of a layer of this account, and the base64 of its SHA-256."""
        with explained(f"the layer {name}"):
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
        with explained(f"the layer {name}"):
            answer = self._client.publish_layer_version(
                LayerName=name,
                Description=description,
                Content={"ZipFile": archive},
                CompatibleRuntimes=list(runtimes),
                CompatibleArchitectures=list(architectures),
                LicenseInfo="Apache-2.0",
            )
        return _layer_version(answer["LayerVersionArn"], answer)


def _error_of(body: bytes) -> str:
    try:
        error = json.loads(body)
        return f"{error.get('errorType', 'error')}: {error.get('errorMessage', '')}".rstrip(": ")
    except (ValueError, AttributeError):
        return body.decode("utf-8", "replace")[:200] or "error"


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
