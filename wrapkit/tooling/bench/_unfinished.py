"""The starts of a run that is not finished yet, one JSON document a line, so that it can go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .._errors import USAGE, DiagnosticError
from ._machine import unlike
from ._start import Start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SUFFIX = ".unfinished"
# A later run may make more rounds, or fewer; all else has to be the same.
_MAY_DIFFER = ("cold", "precision", "budget_s")


class UnfinishedRun:
    """The file beside the record's, while the record is in the making."""

    def __init__(self, output: Path) -> None:
        self.path = output.with_name(output.name + SUFFIX)

    def begin(self, scenario: Mapping[str, Any], machine: Mapping[str, Any]) -> None:
        """Starts the file anew."""
        self._write([{"scenario": scenario, "machine": machine}], "w")

    def add(self, start: Start) -> None:
        """Keeps a start."""
        self._write([start.as_document()], "a")

    def _write(self, documents: Sequence[Mapping[str, Any]], mode: str) -> None:
        try:
            with self.path.open(mode, encoding="utf-8") as file:
                file.writelines(json.dumps(document) + "\n" for document in documents)
        except OSError as error:
            raise DiagnosticError(
                "output-not-writable", f"{self.path} cannot be written: {error.strerror}"
            ) from error

    def resume(self, scenario: Mapping[str, Any], machine: Mapping[str, Any]) -> list[Start]:
        """The starts made so far.

        Raises `DiagnosticError` (usage) where there are none, or they are of another scenario or
        machine.
        """
        header, *documents = self._documents()
        if not isinstance(header, dict) or not {"scenario", "machine"} <= header.keys():
            raise self._refusal("it is not what an interrupted run leaves")
        differing = [
            name
            for name in scenario
            if name not in _MAY_DIFFER and scenario[name] != header["scenario"].get(name)
        ]
        if differing:
            raise self._refusal(f"it is of another scenario; different are: {', '.join(differing)}")
        other = unlike(header["machine"], machine)
        if other:
            raise self._refusal(f"it is of another machine: {', '.join(other)}")
        return [Start(**document) for document in documents]

    def _documents(self) -> list[Any]:
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise self._refusal(f"{error.strerror}") from error
        # The last line may be one that was being written when the run ended.
        return [_parsed(line) for line in lines if _parsed(line) is not None] or [None]

    def _refusal(self, reason: str) -> DiagnosticError:
        return DiagnosticError(
            "cannot-resume",
            f"cannot go on with {self.path}: {reason}",
            "leave out --resume to start anew",
            USAGE,
        )

    def remove(self) -> None:
        """The record is written: nothing is left to go on with."""
        self.path.unlink(missing_ok=True)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
