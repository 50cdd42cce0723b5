"""The core's front, its values and its errors."""

import ast
import inspect
import subprocess
import sys

import pytest

from wrapkit import lifecycle as core


def test_every_public_name_is_there_and_listed_once():
    """The list for readers, the imports for type checkers and the table agree."""
    assert len(set(core.__all__)) == len(core.__all__)
    assert set(core.__all__) == set(core._HOMES)
    imported = {
        alias.name
        for node in ast.walk(ast.parse(inspect.getsource(core)))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == set(core.__all__)
    for name in core.__all__:
        assert getattr(core, name) is not None
    assert dir(core) == sorted(core.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Engine'"):
        core.Engine  # noqa: B018


def test_a_name_loads_only_the_module_it_lives_in():
    """An extension's start-up pays for every module."""
    program = (
        "import sys; import wrapkit.lifecycle as core; core.RemoteLifecycleError;"
        "print(*sorted(name for name in sys.modules if name.startswith('wrapkit.lifecycle.')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.split() == ["wrapkit.lifecycle._errors"]


def test_values_are_equal_by_type_and_fields():
    assert core.HookEnd(request_id="r") == core.HookEnd(request_id="r")
    assert core.HookEnd(request_id="r") != core.HookEnd(request_id="s")
    assert core.HookEnd(request_id="r") != core.PlatformRuntimeDone(request_id="r")


def test_a_value_prints_its_fields():
    invoke = core.InvokeEvent(request_id="r1", deadline_ms=5)
    assert repr(invoke) == "InvokeEvent(deadline_ms=5, request_id='r1')"


def test_errors_say_what_and_whose_fault():
    """All of them are caught as ``LifecycleError``."""
    refusal = core.RemoteLifecycleError("Extension.MissingHeader", "not found")
    assert isinstance(refusal, core.LifecycleError)
    assert (refusal.status, str(refusal)) == (403, "Extension.MissingHeader: not found")
    broken = core.HttpError(400, "not HTTP")
    assert isinstance(broken, core.LifecycleError)
    assert str(broken) == "400: not HTTP"
