"""What can be seen before anything is deployed: settings, layer and templates of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wrapkit import __version__

from .._errors import DiagnosticError
from ..attach import EXEC_WRAPPER, WRAPKIT_CHAIN, FunctionConfiguration, LayerVersion
from ..layers import Finding, Severity, describe, inspect_layer, read_picture
from ..settings import FILE_NAME, read_settings
from ..templates import Template, child, is_plain_scalar, is_sequence, pairs, read_template
from ..wrapping import LAMBDA_VERSIONS, find_interpreter
from ._checks import check
from ._facts import Facts, LayerFacts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LAYERS = ("build/wrapkit-layer.zip", "build/layer")
_TEMPLATES = ("template.yaml", "template.yml")
# Said of a function in AWS; a template does not show enough for them.
_NOT_OF_TEMPLATES = {"not-attached", "no-endpoint"}


def check_folder(folder: Path) -> list[Finding]:
    """All findings about a folder."""
    return [
        *_settings(folder),
        *(finding for name in _LAYERS for finding in _layer(folder, folder / name)),
        *(finding for name in _TEMPLATES for finding in _template(folder / name)),
        *_interpreters(),
    ]


def _settings(folder: Path) -> Iterator[Finding]:
    path = folder / FILE_NAME
    if not path.exists():
        yield Finding(Severity.NOTE, "no-settings", f"no {FILE_NAME} here", "wrapkit init")
        return
    try:
        read_settings(path)
    except DiagnosticError as error:
        yield Finding(Severity.ERROR, error.reference, error.message, error.hint)


def _layer(folder: Path, path: Path) -> Iterator[Finding]:
    if not path.exists():
        return
    try:
        picture = read_picture(path)
        described = describe(picture)
    except DiagnosticError as error:
        yield Finding(Severity.ERROR, error.reference, error.message, error.hint)
        return
    yield from inspect_layer(picture).findings
    settings = folder / FILE_NAME
    if described.version != __version__:
        message = f"{path.name} was built by wrapkit {described.version}, and this is {__version__}"
        yield Finding(Severity.WARNING, "layer-outdated", message, "wrapkit layer build")
    elif settings.exists() and settings.stat().st_mtime > path.stat().st_mtime:
        message = f"{path.name} is older than {FILE_NAME}"
        yield Finding(Severity.WARNING, "layer-outdated", message, "wrapkit layer build")


def _template(path: Path) -> Iterator[Finding]:
    if not path.exists():
        return
    try:
        template = read_template(path)
    except DiagnosticError as error:
        yield Finding(Severity.NOTE, error.reference, error.message, error.hint)
        return
    for function in _functions(template):
        # No layer of a template can be seen.
        layers = tuple(LayerFacts(layer, LayerVersion(layer)) for layer in function.layers)
        for finding in check(Facts(function, layers)):
            if finding.reference not in _NOT_OF_TEMPLATES:
                message = f"{path.name}: {function.name}: {finding.message}"
                yield Finding(finding.severity, finding.reference, message, finding.hint)


def _functions(template: Template) -> Iterator[FunctionConfiguration]:
    """What is written out; intrinsic functions are left open."""
    for function in template.functions():
        variables: dict[str, str] = {}
        layers: list[str] = []
        for mapping in (function.globals, function.properties):
            environment = child(child(mapping, "Environment"), "Variables")
            variables |= {
                k.value: str(v.value) for k, v in pairs(environment) if is_plain_scalar(v)
            }
            found = child(mapping, "Layers")
            layers += [str(item.value) for item in found.value] if is_sequence(found) else []
        if not variables.get(EXEC_WRAPPER) and not variables.get(WRAPKIT_CHAIN):
            continue
        yield FunctionConfiguration(
            function.logical_id,
            "",
            function.scalar("Runtime"),
            handler=function.scalar("Handler"),
            layers=tuple(layers),
            variables=variables,
        )


def _interpreters() -> Iterator[Finding]:
    missing = [version for version in LAMBDA_VERSIONS if not find_interpreter(version)]
    if missing:
        yield Finding(
            Severity.NOTE,
            "no-byte-code",
            f"without Python {', '.join(missing)}, layers built here lack its byte code",
            "install it, or leave it out with --python",
        )
