"""What there is to know about a function, gathered by calls; the checks make none."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .._errors import DiagnosticError
from ..attach import EXEC_WRAPPER, FunctionConfiguration, LambdaApi, LayerVersion
from ..layers import Finding, Inspection, Picture, Severity, inspect_layer, read_picture
from ..templates import statements
from ._surroundings import concrete, denied_actions, subnets_without_route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack

# Where a layer of wrapkit keeps the settings that were built into it.
_BUILT_IN = "wrapkit/_wrapkit/__init__.py"


@dataclass(frozen=True)
class LayerFacts:
    """A layer of the function; ``picture`` is None where its archive could not be had."""

    arn: str
    version: LayerVersion
    picture: Picture | None = None
    inspection: Inspection | None = None


@dataclass(frozen=True)
class Facts:
    """A function with its layers. ``gaps`` say what could not be looked at, and so is not known."""

    function: FunctionConfiguration
    layers: tuple[LayerFacts, ...] = ()
    built_in: Mapping[str, str] = field(default_factory=dict)
    denied_actions: tuple[str, ...] = ()
    subnets_without_route: tuple[str, ...] = ()
    gaps: tuple[Finding, ...] = ()

    @property
    def variables(self) -> dict[str, str]:
        """What the hook and the extension go by: the function's own variables win."""
        return {**self.built_in, **self.function.variables}

    @property
    def wrapper(self) -> str:
        return self.function.variables.get(EXEC_WRAPPER, "")

    def file(self, path: str) -> bool | None:
        """Whether a file of /opt is executable, None where no layer has it."""
        relative = path.removeprefix("/opt/")
        found = [
            file
            for layer in self.layers
            if layer.picture
            for file in layer.picture.files
            if file.path == relative
        ]
        return found[-1].is_executable if found else None

    @property
    def all_layers_seen(self) -> bool:
        return all(layer.picture is not None for layer in self.layers)


def gather(api: LambdaApi, name: str, keep: ExitStack) -> Facts:
    """Ask AWS; the archives stay as long as ``keep``.

    Raises:
        DiagnosticError: there is no such function, or it may not be looked at.
    """
    function = api.configuration(name)
    folder = Path(keep.enter_context(TemporaryDirectory(prefix="wrapkit-doctor-")))
    gaps: list[Finding] = []
    layers = tuple(_layer(api, arn, folder, gaps) for arn in function.layers)
    built_in = _built_in(layers)
    variables = {**built_in, **function.variables}
    return Facts(
        function,
        layers,
        built_in,
        _denied(api, function, variables, gaps),
        _without_route(api, function, gaps),
        tuple(gaps),
    )


def _gap(error: DiagnosticError) -> Finding:
    return Finding(Severity.NOTE, "not-looked-at", f"not looked at: {error.message}", error.hint)


def _layer(api: LambdaApi, arn: str, folder: Path, gaps: list[Finding]) -> LayerFacts:
    try:
        version = api.layer_version(arn)
        picture = read_picture(api.layer_archive(arn, folder))
    except DiagnosticError as error:
        gaps.append(_gap(error))
        return LayerFacts(arn, LayerVersion(arn))
    return LayerFacts(arn, version, picture, inspect_layer(picture))


def _built_in(layers: tuple[LayerFacts, ...]) -> dict[str, str]:
    for layer in layers:
        for file in layer.picture.files if layer.picture else ():
            if file.path == _BUILT_IN:
                return dict(_defaults(file.read().decode("utf-8", "replace")))
    return {}


def _defaults(source: str) -> Iterator[tuple[str, str]]:
    """The mapping DEFAULTS of a generated module, which is read and never run."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DEFAULTS":
            yield from ast.literal_eval(node.value).items()


def _denied(
    api: LambdaApi,
    function: FunctionConfiguration,
    variables: Mapping[str, str],
    gaps: list[Finding],
) -> tuple[str, ...]:
    needed = [
        (each["Action"][0], concrete(each["Resource"], function.arn))
        for each in statements(variables)
    ]
    if not needed or not function.role:
        return ()
    try:
        return tuple(denied_actions(api, function.role, needed))
    except DiagnosticError as error:
        gaps.append(_gap(error))
        return ()


def _without_route(
    api: LambdaApi, function: FunctionConfiguration, gaps: list[Finding]
) -> tuple[str, ...]:
    if not function.subnets:
        return ()
    try:
        return tuple(subnets_without_route(api, function.subnets))
    except DiagnosticError as error:
        gaps.append(_gap(error))
        return ()
