"""The layer to attach: a version that exists, or an archive that is published first."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import USAGE, DiagnosticError
from ..layers import MAX_DIRECT_UPLOAD_BYTES, Picture, describe, find_native_files, read_picture
from ..wrapping import LAMBDA_VERSIONS
from ._layer_version import LayerVersion, parse_layer_arn

if TYPE_CHECKING:
    from ._api import LambdaApi

# What a plan shows in place of the version that would be published.
UNPUBLISHED_VERSION = "(new)"


def is_arn(text: str) -> bool:
    return text.startswith("arn:")


def find_layer(api: LambdaApi, text: str, name: str | None, *, publish: bool) -> LayerVersion:
    """The layer version that an ARN names, or that an archive is or becomes.

    An archive whose bytes are those of the newest version is not published again, so that an
    interrupted command can be repeated. Without ``publish`` nothing is published, and a version
    that would be has `UNPUBLISHED_VERSION` in its ARN.
    """
    if is_arn(text):
        return api.layer_version(text)
    return _of_archive(api, Path(text), name, publish=publish)


def check_layer_argument(text: str, region: str) -> None:
    """`DiagnosticError` before any call, where the argument alone shows that it is wrong."""
    if not is_arn(text):
        return
    of_layer = parse_layer_arn(text)["region"]
    if of_layer != region:
        raise DiagnosticError(
            "other-region",
            f"the layer is in {of_layer}, and the functions are in {region}",
            "Lambda takes layers of its own region only: publish it there",
            USAGE,
        )


def _of_archive(api: LambdaApi, path: Path, name: str | None, *, publish: bool) -> LayerVersion:
    if not path.exists():
        raise DiagnosticError(
            "no-layer",
            f"there is no layer at {path}",
            "write it with `wrapkit layer build`, or name an archive or an ARN with --layer",
            USAGE,
        )
    picture = read_picture(path)
    description = describe(picture)
    name = name or f"wrapkit-{description.language}"
    archive = path.read_bytes()
    newest = api.newest_layer_version(name)
    if newest and newest[1] == base64.b64encode(hashlib.sha256(archive).digest()).decode():
        return newest[0]
    _check_upload(path, archive)
    # All of the language's: without byte code it starts slower, and works.
    runtimes = [f"{description.language}{version}" for version in LAMBDA_VERSIONS]
    if publish:
        return api.publish_layer(name, archive, str(description), runtimes, _architectures(picture))
    arn = f"arn:aws:lambda:{api.region}:ACCOUNT:layer:{name}:{UNPUBLISHED_VERSION}"
    if newest:
        arn = newest[0].arn.rpartition(":")[0] + f":{UNPUBLISHED_VERSION}"
    return LayerVersion(
        arn,
        tuple(runtimes),
        tuple(_architectures(picture)),
        description.wrapper,
        description.byte_code,
    )


def _check_upload(path: Path, archive: bytes) -> None:
    if len(archive) > MAX_DIRECT_UPLOAD_BYTES:
        raise DiagnosticError(
            "too-large-to-upload",
            f"{path} is larger than the 50 MB that Lambda takes directly",
            "build it with --compress, or publish it from S3 and name its ARN with --layer",
        )


def _architectures(picture: Picture) -> list[str]:
    """Those of its native files; a layer without any serves both."""
    return sorted({file.architecture for file in find_native_files(picture)}) or ["arm64", "x86_64"]
