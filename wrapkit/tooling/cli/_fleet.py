"""What attach and detach share: their options, the diff, the question, progress and summary."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from .._errors import RUN_FAILED, USAGE, DiagnosticError
from ..attach import NOT_ATTACHED, Change, Fleet, LambdaApi, Outcome, Plan, change_fleet, diff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..attach import Line

_INTERRUPTED = """\
interrupted: changes that were under way are made, and no other was begun
hint: give the same command again to go on; `wrapkit status` shows what is attached"""


@dataclass(frozen=True)
class Session:
    """Whom to talk to and how: region, profile, and what the answers look like."""

    region: str | None
    profile: str | None
    yes: bool
    dry_run: bool
    as_json: bool


def selection_options(command: Callable[..., int]) -> Callable[..., int]:
    """``FUNCTION...`` and ``--tag``."""
    command = click.option(
        "--tag",
        "tagged",
        multiple=True,
        metavar="KEY[=VALUE]",
        help="All functions that have this tag; repeated, those that have each of them.",
    )(command)
    return click.argument("functions", nargs=-1, metavar="[FUNCTION]...")(command)


def region_options(command: Callable[..., int]) -> Callable[..., int]:
    """``--region`` and ``--profile``."""
    command = click.option(
        "--profile", metavar="NAME", help="The profile of AWS's configuration to use."
    )(command)
    return click.option(
        "--region", metavar="REGION", help="The functions' region.  [default: the profile's]"
    )(command)


def aws_options(command: Callable[..., int]) -> Callable[..., int]:
    """The options of a `Session`, which the command gets as ``session``."""

    @wraps(command)
    def with_session(**arguments: Any) -> int:
        names = Session.__dataclass_fields__
        session = Session(**{name: arguments.pop(name) for name in names})
        return command(session=session, **arguments)

    options = [
        click.option("--yes", "-y", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing."),
        click.option("--json", "as_json", is_flag=True, help="Say what was done as JSON."),
    ]
    decorated: Callable[..., int] = with_session
    for option in reversed(options):
        decorated = option(decorated)
    return region_options(decorated)


def carry_out(
    api: LambdaApi,
    fleet: Fleet,
    session: Session,
    confirmed: Callable[[], Fleet],
    *,
    event: bytes | None = None,
    image_lines: str = "",
) -> int:
    """Show the plans, ask, carry them out, sum up; return the exit code.

    ``confirmed`` gives the plans to carry out once the user has agreed.
    """
    due = any(plan.changes for plan in fleet.plans) or (event is not None and bool(fleet.plans))
    _show_plans(fleet, session, image_lines)
    if session.dry_run or not due:
        changes = [Change(plan.before.name, Outcome.UNCHANGED, plan) for plan in fleet.plans]
        return _sum_up([*fleet.settled, *changes], session, planned_only=session.dry_run)
    ask(f"Change {_counted(sum(plan.changes for plan in fleet.plans), 'function')}?", session)
    changes = list(fleet.settled)
    plans = confirmed().plans
    try:
        with closing(change_fleet(api, plans, event)) as changing:
            for number, change in enumerate(changing, 1):
                changes.append(change)
                _say_progress(change, f"{number}/{len(plans)}")
    except KeyboardInterrupt:
        click.echo(_INTERRUPTED, err=True)
        raise
    return _sum_up(changes, session)


def _show_plans(fleet: Fleet, session: Session, image_lines: str) -> None:
    for plan in fleet.plans:
        # Of a whole account most functions have nothing to change: the summary counts them.
        if plan.changes or len(fleet.plans) == 1 or plan.notes not in {(), NOT_ATTACHED}:
            _show_plan(plan, err=session.as_json)
    for change in fleet.settled:
        if change.outcome is Outcome.SKIPPED:
            click.echo(f"skipped: {change.remark}", err=True)
    images = [change.name for change in fleet.settled if change.outcome is Outcome.IMAGE]
    for name in images:
        click.echo(f"{name} is a container image, which takes no layers", err=True)
    if images and image_lines and not session.as_json:
        click.echo(image_lines)


def _show_plan(plan: Plan, *, err: bool) -> None:
    lines = [str(line) for line in diff(plan)] or ["  nothing to change"]
    click.echo("\n".join([plan.before.name, *lines]), err=err)
    for note in plan.notes:
        click.echo(f"  note: {note}", err=True)


def ask(question: str, session: Session) -> None:
    """Go on after a yes; `DiagnosticError` where there is nobody to ask."""
    if session.yes:
        return
    if not sys.stdin.isatty():
        raise DiagnosticError(
            "nobody-to-ask",
            "nothing was changed: there is nobody to ask here",
            "look at it with --dry-run, and agree with --yes",
            USAGE,
        )
    if not click.confirm(question, err=True):
        raise DiagnosticError("declined", "nothing was changed, as you said")


def _say_progress(change: Change, position: str) -> None:
    if change.outcome is Outcome.UNCHANGED and not change.remark:
        return
    remark = f", {change.remark}" if change.remark else ""
    click.echo(f"[{position}] {change.name}: {change.outcome.value}{remark}", err=True)


def _sum_up(changes: list[Change], session: Session, *, planned_only: bool = False) -> int:
    for change in changes:
        if change.problem:
            click.echo(f"error: {change.problem.message}", err=True)
            if change.problem.hint:
                click.echo(f"hint: {change.problem.hint}", err=True)
    if session.as_json:
        click.echo(json.dumps(_record(changes, planned_only), indent=2))
    else:
        click.echo(_summary(changes, planned_only), err=True)
    return 0 if all(change.succeeded for change in changes) else RUN_FAILED


def _summary(changes: Iterable[Change], planned_only: bool) -> str:
    counts = Counter(_outcome(change, planned_only) for change in changes)
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in sorted(counts)) or "no functions"


def _outcome(change: Change, planned_only: bool) -> str:
    if planned_only and change.plan and change.plan.changes:
        return "to be changed"
    return change.outcome.value


def _record(changes: Iterable[Change], planned_only: bool) -> list[dict[str, object]]:
    return [
        {
            "function": change.name,
            "outcome": _outcome(change, planned_only),
            "changes": [_line_record(line) for line in diff(change.plan)] if change.plan else [],
            "notes": list(change.plan.notes) if change.plan else [],
            "remark": change.remark,
            "error": change.problem.reference if change.problem else "",
            "message": change.problem.message if change.problem else "",
        }
        for change in sorted(changes, key=lambda change: change.name)
    ]


def _line_record(line: Line) -> dict[str, str]:
    return {"change": line.sign.strip(), "what": line.what, "name": line.name}


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
