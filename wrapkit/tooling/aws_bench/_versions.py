"""Versions that are published for one cold start each, and that nothing is left of.

A version that was never invoked has no execution environment: its first invocation is a cold
start. Lambda publishes a version only when something has changed, so each has a variable of its
own. $LATEST is changed for it and put back at the end; the versions and aliases that a user calls
stay as they are. The first version holds what $LATEST was, so that even a run that was killed can
be undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import DiagnosticError
from ..attach import FunctionConfiguration, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..attach import LambdaApi

VARIABLE = "WRAPKIT_BENCH"
DESCRIPTION = "wrapkit bench"
ORIGINAL = "original"


def leftovers(api: LambdaApi, name: str) -> dict[str, str]:
    """Versions that a run has left, or has not deleted yet, with their descriptions."""
    return {
        version: description
        for version, description in api.versions(name)
        if description.startswith(DESCRIPTION)
    }


def remove_leftovers(api: LambdaApi, name: str) -> list[str]:
    """Undoes what a run that was killed has left; returns the deleted versions' numbers."""
    found = leftovers(api, name)
    current = api.settled(name)
    if VARIABLE in current.variables:
        kept = [version for version, text in found.items() if ORIGINAL in text.split()]
        before = api.configuration(name, kept[0]) if kept else current
        api.update(Plan(current, before.layers, _without_mark(before.variables)))
        api.settled(name)
    for version in found:
        api.delete_version(name, version)
    return list(found)


def _without_mark(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in variables.items() if name != VARIABLE}


class Versions:
    """The versions of one run.

    Raises:
        DiagnosticError: somebody else changes the function meanwhile; theirs stays.
    """

    def __init__(self, api: LambdaApi, original: FunctionConfiguration, run: str) -> None:
        self._api, self._original, self._run = api, original, run
        self._name = original.name
        self._ours = original.what_attaching_changes
        self._count = 0

    def keep_original(self) -> None:
        """Publishes the function as it is."""
        self.publish(ORIGINAL, self._original.layers, self._original.variables)

    def publish(self, variant: str, layers: tuple[str, ...], variables: Mapping[str, str]) -> str:
        """A new version of the function with these layers and variables."""
        self._count += 1
        marked = {**variables, VARIABLE: f"{self._run}-{self._count}"}
        self._change(layers, marked)
        description = f"{DESCRIPTION} {self._run} {variant} {self._count}"
        return self._api.publish_version(self._name, description)

    def delete(self, version: str) -> None:
        """The version is done with."""
        self._api.delete_version(self._name, version)

    def _change(self, layers: tuple[str, ...], variables: dict[str, str]) -> None:
        current = self._api.settled(self._name)
        self._check_ours(current)
        self._api.update(Plan(current, layers, variables))
        self._ours = (layers, variables)
        self._api.settled(self._name)

    def _check_ours(self, current: FunctionConfiguration) -> None:
        if current.what_attaching_changes != self._ours:
            raise DiagnosticError(
                "changed-meanwhile",
                f"{self._name}: its layers or variables were changed by somebody else meanwhile",
                "their change stays; run this again when nobody deploys",
            )

    def close(self) -> None:
        """Deletes what was published and puts $LATEST back; a failure does not keep it from the
        rest, and is raised at the end.
        """
        failures = []
        try:
            self._put_back()
        except DiagnosticError as failure:
            failures.append(failure)
        # Asked for rather than remembered: a call may have been cut off between AWS and here.
        for version in self._left(failures):
            try:
                self._api.delete_version(self._name, version)
            except DiagnosticError as failure:  # noqa: PERF203 - the others are deleted all the same
                failures.append(failure)
        if failures:
            raise failures[0]

    def _put_back(self) -> None:
        if self._ours != self._original.what_attaching_changes:
            self._change(self._original.layers, dict(self._original.variables))

    def _left(self, failures: list[DiagnosticError]) -> list[str]:
        try:
            return list(leftovers(self._api, self._name))
        except DiagnosticError as failure:
            failures.append(failure)
            return []
