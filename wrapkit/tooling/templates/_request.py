"""What infrastructure as code is to attach, and to what."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from ._permissions import statements

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the templates themselves have besides the functions.
_OWN_IDS = ("WrapkitLayer", "WrapkitPolicy", "CodeBucket", "LayerKey")


@dataclass(frozen=True)
class CodeRequest:
    """What the code is to attach.

    ``layer`` is the ARN of a layer version or the path of an archive. ``functions`` are names; each
    gets a function to fill in. ``built_in`` are the variables that the layer carries.
    """

    functions: tuple[str, ...] = ("my-function",)
    layer: str = "build/wrapkit-layer.zip"
    layer_name: str = "wrapkit-python"
    wrapper: str = "/opt/otel-handler"
    runtime: str = "python3.13"
    runtimes: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    built_in: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_arn(self) -> bool:
        return self.layer.startswith("arn:")

    @property
    def environment(self) -> dict[str, str]:
        """All variables that a function is to have."""
        wrapper = {"AWS_LAMBDA_EXEC_WRAPPER": self.wrapper} if self.wrapper else {}
        return {**wrapper, **self.variables}

    @property
    def logical_ids(self) -> dict[str, str]:
        """A resource's ID for each function: `a-b` and `a_b` are two functions, `AB` and `AB2`.

        No function takes an ID of the template's own, nor of another's role.
        """
        taken = set(_OWN_IDS)
        ids: dict[str, str] = {}
        for name in dict.fromkeys(self.functions):
            base = _logical_id(name)
            candidates = (base if number == 1 else f"{base}{number}" for number in count(1))
            ids[name] = next(each for each in candidates if not taken & {each, f"{each}Role"})
            taken |= {ids[name], f"{ids[name]}Role"}
        return ids

    @property
    def statements(self) -> list[dict[str, Any]]:
        """What its exporter has to be allowed."""
        return statements({**self.built_in, **self.variables})


def _logical_id(name: str) -> str:
    """A function's name as CloudFormation's identifiers allow it: `MyFunction`."""
    words = re.split(r"[-_]+", name)
    identifier = "".join(word[:1].upper() + word[1:] for word in words)
    return identifier if identifier[:1].isalpha() else f"Function{identifier}"
