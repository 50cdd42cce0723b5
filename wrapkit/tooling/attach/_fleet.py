"""Many functions at once: side by side, and one failure does not stop the rest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from .._errors import DiagnosticError
from ._change import Change, Outcome, carry_out
from ._plan import ForeignRuntimeError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from ._api import LambdaApi
    from ._configuration import FunctionConfiguration
    from ._plan import Plan
    from ._selection import Selected

_Item = TypeVar("_Item")

# Lambda takes 15 changing calls a second for a whole account and region; each of ours waits for its
# change, so a few at a time are as fast as it goes.
_SIDE_BY_SIDE = 6


@dataclass(frozen=True)
class Fleet:
    """What is planned: the plans, and the functions that there can be none for."""

    plans: list[Plan]
    settled: list[Change]


def plan_fleet(
    api: LambdaApi, selected: Selected, make_plan: Callable[[FunctionConfiguration], Plan]
) -> Fleet:
    """Look at each function and plan for it; nothing is changed.

    Of those that were found rather than named, the ones of foreign runtimes are skipped.
    """

    def planned(name: str) -> Plan | Change:
        function = api.settled(name)
        if function.is_image:
            return Change(function.name, Outcome.IMAGE)
        try:
            return make_plan(function)
        except ForeignRuntimeError as error:
            if name in selected.named:
                raise
            return Change(function.name, Outcome.SKIPPED, remark=error.message)

    results = list(_side_by_side(selected.names, planned, _itself))
    return Fleet(
        sorted((r for r in results if not isinstance(r, Change)), key=lambda p: p.before.name),
        [r for r in results if isinstance(r, Change)],
    )


def change_fleet(
    api: LambdaApi, plans: Sequence[Plan], event: bytes | None = None
) -> Generator[Change]:
    """Carry the plans out; each change is given as it ends. Closed, it begins no other."""

    def changed(plan: Plan) -> Change:
        return carry_out(api, plan, event)

    return _side_by_side(plans, changed, lambda plan: plan.before.name)


def _itself(name: str) -> str:
    return name


_Result = TypeVar("_Result")


def _side_by_side(
    items: Sequence[_Item], work: Callable[[_Item], _Result], name_of: Callable[[_Item], str]
) -> Generator[_Result | Change]:
    def attempt(item: _Item) -> _Result | Change:
        try:
            return work(item)
        except DiagnosticError as error:
            return Change(name_of(item), Outcome.FAILED, problem=error)

    pool = ThreadPoolExecutor(_SIDE_BY_SIDE)
    try:
        futures = [pool.submit(attempt, item) for item in items]
        for future in as_completed(futures):
            yield future.result()
    finally:
        # After Ctrl-C what has begun is brought to its end, and nothing else is begun.
        pool.shutdown(cancel_futures=True)
