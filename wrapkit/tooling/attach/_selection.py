"""Which functions are meant: names, ARNs, patterns and tags."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from .._errors import USAGE, DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._api import LambdaApi

_ARN = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?:\d{12}:)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>[A-Za-z0-9$_-]+))?"
)
_WILDCARDS = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Selection:
    """What was asked for; ``tags`` (key, value) have all to be there, an empty value is any."""

    patterns: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Selected:
    """Names of functions, each once: those that were named, and those that a pattern or tag found.

    Whoever names a function means it; a pattern finds what happens to be called like it.
    """

    named: tuple[str, ...] = ()
    found: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.named + self.found


def select_functions(api: LambdaApi, selection: Selection) -> Selected:
    """Those named in their order, and those found in alphabetical order.

    Raises:
        DiagnosticError: nothing was asked for, a pattern matches nothing, or a name is none.
    """
    if not selection.patterns and not selection.tags:
        raise DiagnosticError(
            "no-function",
            "no function is named",
            "name functions, patterns like 'orders-*', or tags with --tag KEY=VALUE",
            USAGE,
        )
    names = [_name(p, api.region) for p in selection.patterns if not _WILDCARDS.search(p)]
    globs = [pattern for pattern in selection.patterns if _WILDCARDS.search(pattern)]
    found = _matching(api, globs) if globs else []
    if selection.tags:
        found += sorted(_name(arn, api.region) for arn in api.arns_with_tags(selection.tags))
        _check_found(found, "no function has these tags")
    return Selected(
        tuple(dict.fromkeys(names)), tuple(n for n in dict.fromkeys(found) if n not in names)
    )


def _matching(api: LambdaApi, globs: Sequence[str]) -> list[str]:
    names = sorted(function.name for function in api.functions())
    found = []
    for glob in globs:
        matching = [name for name in names if fnmatchcase(name, glob)]
        _check_found(matching, f"no function in {api.region} matches {glob!r}")
        found += matching
    return found


def _check_found(found: Sequence[str], message: str) -> None:
    if not found:
        raise DiagnosticError("no-such-function", message, "check --region and --profile")


def _name(text: str, region: str) -> str:
    match = _ARN.fullmatch(text)
    if not match:
        raise DiagnosticError(
            "not-a-function", f"{text!r} is neither the name nor the ARN of a function", "", USAGE
        )
    if match["region"] and match["region"] != region:
        raise DiagnosticError(
            "other-region",
            f"{text} is in {match['region']}, and this is {region}",
            f"run it with --region {match['region']}",
            USAGE,
        )
    if match["qualifier"] and match["qualifier"] != "$LATEST":
        raise DiagnosticError(
            "qualified-function",
            f"{text} names a version or an alias, and versions cannot be changed",
            "name the function itself, then publish a version and move the alias",
            USAGE,
        )
    return match["name"]
