"""The pytest plugin: the fixture ``lambda_environment``, and the log of a failed test's Lambda.

pytest imports this at every start, wherever wrapkit is installed: what costs time is imported by
the first test that uses the fixture.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from .emulator import LambdaEnvironment

_ENVIRONMENTS = pytest.StashKey[list["LambdaEnvironment"]]()


@pytest.fixture
def lambda_environment(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Makes Lambda's execution environments for a test, and ends them with it.

    ``lambda_environment(layers=["build/layer"], timeout_ms=1000)``: the arguments are those of
    ``wrapkit.tooling.emulator.Function``, paths as text too, and of ``LambdaEnvironment``. Without
    a ``task_root`` the function returns its event.
    """
    from .emulator import Function, LambdaEnvironment, echo_task_root

    opened = request.node.stash.setdefault(_ENVIRONMENTS, [])

    def make(
        *,
        played: Any = None,
        clock: Any = None,
        isolation: Any = "auto",
        limit_s: float = 60.0,
        **settings: Any,
    ) -> LambdaEnvironment:
        settings["task_root"] = Path(settings.get("task_root") or echo_task_root())
        settings.setdefault("handler", "app.handler")
        settings["layers"] = tuple(Path(layer) for layer in settings.get("layers", ()))
        if "python" in settings:
            settings["python"] = Path(settings["python"])
        environment = LambdaEnvironment(
            Function(**settings), played=played, clock=clock, isolation=isolation, limit_s=limit_s
        )
        opened.append(environment)
        return environment

    yield make
    for environment in opened:
        environment.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Shows the log of each environment below the failure of its test."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    if report.when == "call" and report.failed:
        for environment in item.stash.get(_ENVIRONMENTS, []):
            title = f"Log of the Lambda function {environment.function.name}"
            report.sections.append((title, "\n".join(environment.log)))
