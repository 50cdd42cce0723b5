"""What is measured side by side: the bare function, wrapkit's modes, and any other layer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import USAGE, DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BARE = "bare"
MODES = (BARE, "internal", "external", "both")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# A comma is part of a value unless a name follows it: OTEL_RESOURCE_ATTRIBUTES holds lists.
_SETTING_FOLLOWS = re.compile(r",(?=[A-Za-z_][A-Za-z0-9_]*=)")
_FORM = "NAME=LAYER[,VARIABLE=VALUE ...]"


@dataclass(frozen=True)
class Variant:
    """One of the versions of the function that are compared.

    ``mode`` names wrapkit's layer, to be generated for the run; ``layers`` are folders or zip
    files. ``task_root`` and ``handler`` take the place of the function's own.
    """

    name: str
    mode: str | None = None
    layers: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    task_root: Path | None = None
    handler: str | None = None


def mode_variant(mode: str) -> Variant:
    """The variant of one of `MODES`."""
    return Variant(mode, mode=None if mode == BARE else mode)


def parse_variants(texts: Sequence[str]) -> list[Variant]:
    """Variants as `--variant` gives them; a name that comes again adds its layer and variables.

    Raises `DiagnosticError` (usage) for what has not the form, or names a layer that is not there.
    """
    found: dict[str, Variant] = {}
    for text in texts:
        variant = _parse(text)
        before = found.get(variant.name)
        found[variant.name] = _joined(before, variant) if before else variant
    return list(found.values())


def _parse(text: str) -> Variant:
    name, equals, rest = text.partition("=")
    if not equals or not NAME.fullmatch(name):
        raise _unusable(text, f"it is not {_FORM}", "a name has letters, digits, _ and -")
    if name in MODES:
        raise _unusable(text, f"{name} is a variant of wrapkit itself", "choose another name")
    layer, *settings = _SETTING_FOLLOWS.split("," + rest if _starts_setting(rest) else rest)
    environment = dict(setting.split("=", 1) for setting in settings)
    task_root = environment.pop("task", None)
    return Variant(
        name,
        layers=(_existing(text, Path(layer)),) if layer else (),
        environment=environment,
        task_root=_existing(text, Path(task_root)) if task_root else None,
        handler=environment.pop("handler", None),
    )


def _starts_setting(rest: str) -> bool:
    """`NAME=VARIABLE=VALUE`: a variant without a layer. A layer of that name needs `./` before."""
    return re.match(r"[A-Za-z_][A-Za-z0-9_]*=", rest) is not None


def _existing(text: str, path: Path) -> Path:
    if not path.exists():
        raise _unusable(
            text, f"{path} does not exist", f"{_FORM}, where LAYER is a folder or a zip file"
        )
    return path


def _unusable(text: str, reason: str, hint: str) -> DiagnosticError:
    return DiagnosticError("unusable-variant", f"--variant {text}: {reason}", hint, USAGE)


def _joined(first: Variant, second: Variant) -> Variant:
    return Variant(
        first.name,
        layers=first.layers + second.layers,
        environment={**first.environment, **second.environment},
        task_root=second.task_root or first.task_root,
        handler=second.handler or first.handler,
    )
