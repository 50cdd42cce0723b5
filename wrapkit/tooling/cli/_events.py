"""Events from files and from standard input, checked before anything is started."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from .._errors import USAGE, DiagnosticError

STDIN = "-"


@dataclass(frozen=True)
class Event:
    """One event: its JSON bytes, and the name that it is shown under."""

    name: str
    payload: bytes


def read_event(source: str) -> Event:
    """The event in a file, or on standard input for `-`; raises `DiagnosticError`."""
    name = "standard input" if source == STDIN else source
    try:
        payload = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
    except OSError as error:
        raise DiagnosticError(
            "event-unreadable",
            f"the event {source} cannot be read: {error.strerror}",
            "--event takes JSON files, or - for standard input",
            USAGE,
        ) from error
    _check_json(name, payload)
    return Event(name, payload)


def _check_json(name: str, payload: bytes) -> None:
    try:
        json.loads(payload.decode(), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _not_json(f"{name}:{error.lineno}:{error.colno}", error.msg) from error
    except UnicodeDecodeError as error:
        line = payload.count(b"\n", 0, error.start) + 1
        raise _not_json(f"{name}:{line}", f"byte {error.start} is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise _not_json(name, str(error)) from error


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is Python's, not JSON's")


def _not_json(place: str, reason: str) -> DiagnosticError:
    return DiagnosticError(
        "event-not-json",
        f"{place}: the event is not JSON: {reason}",
        "an event is one JSON value, as Lambda's Invoke takes it",
        USAGE,
    )
