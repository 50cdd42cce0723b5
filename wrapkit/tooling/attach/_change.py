"""Carries a plan out on one function: never over somebody else's change, and never half.

All that is changed is changed in one call, so that whatever interrupts this leaves the function as
it was or attached, with the record that takes it off again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .._errors import DiagnosticError
from ._plan import Plan, as_configuration, plan_detach
from ._session import FunctionChangedError

if TYPE_CHECKING:
    from ._api import Invocation, LambdaApi

# A deployment at the same time takes its turn once or twice; somebody who goes on is left alone.
_MAX_TRIES = 5


class Outcome(Enum):
    """What became of a function."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    IMAGE = "container image"
    SKIPPED = "skipped"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"


@dataclass(frozen=True)
class Change:
    """A function's plan, and how it ended. ``problem`` says why it did not end well."""

    name: str
    outcome: Outcome
    plan: Plan | None = None
    problem: DiagnosticError | None = None
    remark: str = ""

    @property
    def succeeded(self) -> bool:
        return self.problem is None


def carry_out(api: LambdaApi, plan: Plan, event: bytes | None = None) -> Change:
    """Change the function, wait until that is in force, and with ``event`` try it.

    The event is sent before the change and after it. When the function fails afterwards and did
    not before, it is put back.

    Raises:
        DiagnosticError: it could not be changed; it is as it was, or as somebody else made it.
    """
    name = plan.before.name
    if not plan.changes and event is None:
        return Change(name, Outcome.UNCHANGED, plan)
    if not plan.changes:
        # Attached by a command that was interrupted before it could try the function.
        return _verified(api, plan, api.invoke(name, event or b""), None, Outcome.UNCHANGED)
    before = api.invoke(name, event) if event is not None else None
    _update(api, plan)
    after = api.settled(name)
    if after.last_update_status == "Failed":
        raise DiagnosticError(
            "update-failed",
            f"{name}: Lambda took the change but failed to apply it: {after.last_update_reason}",
            "the function runs as it did before; `wrapkit detach` takes the change back",
        )
    if event is None:
        return Change(name, Outcome.CHANGED, plan)
    return _verified(api, plan, api.invoke(name, event), before, Outcome.CHANGED)


def _update(api: LambdaApi, plan: Plan) -> None:
    """RevisionId moves with any change, and once more when a change settles.

    As long as what the plan rests on is as it was, somebody else's change is none of our business.
    """
    for tries_left in reversed(range(_MAX_TRIES)):
        now = api.settled(plan.before.name)
        if now.what_attaching_changes != plan.before.what_attaching_changes:
            break
        try:
            return api.update(Plan(now, plan.layers, plan.variables))
        except FunctionChangedError:
            if not tries_left:
                raise
    raise FunctionChangedError(
        "changed-meanwhile",
        f"{plan.before.name}: its layers or variables were changed by somebody else meanwhile",
        "nothing was changed here; run it again to see what would be done now",
    )


def _verified(
    api: LambdaApi, plan: Plan, after: Invocation, before: Invocation | None, outcome: Outcome
) -> Change:
    if after.succeeded:
        return Change(plan.before.name, outcome, plan, remark="answers the event")
    if before is not None and not before.succeeded:
        remark = f"fails on the event as it did before: {before.error}"
        return Change(plan.before.name, outcome, plan, remark=remark)
    if before is None:
        back = plan_detach(plan.before)
    else:
        back = Plan(as_configuration(plan), *plan.before.what_attaching_changes)
    _update(api, back)
    api.settled(plan.before.name)
    problem = DiagnosticError(
        "verification-failed",
        f"{plan.before.name} failed with wrapkit, and is as it was before: {after.error}",
        f"the end of its log:\n{after.log_tail}" if after.log_tail else "",
    )
    return Change(plan.before.name, Outcome.ROLLED_BACK, plan, problem)
