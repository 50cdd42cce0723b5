"""Python packages of a layer, and their clashes with those of a function."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._picture import Picture

_DIST_INFO = re.compile(r"(?P<where>.*?)(?P<name>[^/]+?)-(?P<version>[^/-]+)\.dist-info/METADATA")
# What Python's runtimes put on sys.path of a layer; the function's own folder comes before it.
_ON_SYS_PATH = re.compile(r"python/(lib/python3\.\d+/site-packages/)?")


@dataclass(frozen=True)
class Package:
    """An installed distribution; ``is_importable`` if the function finds it on its own sys.path."""

    name: str
    version: str
    where: str
    is_importable: bool


def find_packages(picture: Picture) -> list[Package]:
    """The distributions that left their metadata, by name."""
    found = [match for file in picture.files if (match := _DIST_INFO.fullmatch(file.path))]
    packages = [
        Package(
            _normalised(match["name"]),
            match["version"],
            match["where"].rstrip("/"),
            bool(_ON_SYS_PATH.fullmatch(match["where"])),
        )
        for match in found
    ]
    return sorted(packages, key=lambda package: (package.name, package.where))


def _normalised(name: str) -> str:
    """As PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def check_packages(packages: list[Package], of_function: list[Package]) -> Iterator[Finding]:
    """Where function and layer have the same package in two versions: the function's is used."""
    versions = {package.name: package.version for package in of_function}
    for package in packages:
        version = versions.get(package.name)
        if package.is_importable and version and version != package.version:
            yield Finding(
                Severity.WARNING,
                "package-clash",
                f"{package.name} {package.version} is in the layer, {version} in the function:"
                " the layer's other packages get the function's version",
                "pin one version in both, or leave it out of the function",
            )
