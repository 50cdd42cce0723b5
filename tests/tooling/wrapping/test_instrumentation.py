"""Which of OpenTelemetry's instrumentors a layer may have."""

from __future__ import annotations

import pytest

from wrapkit.payload.internal.libraries._upstream import INSTRUMENTORS
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.wrapping._instrumentation import INSTRUMENTATION, chosen


def test_what_can_be_put_in_can_be_loaded():
    """The table of the layer's making and that of the hook have the same names."""
    loadable = {entry[0] for entries in INSTRUMENTORS.values() for entry in entries}

    assert set(INSTRUMENTATION) == loadable


def test_all_of_them():
    """`all` is each that there is, however else it is named."""
    assert chosen(("redis", "all")) == tuple(INSTRUMENTATION)
    assert chosen(("redis", "flask", "redis")) == ("flask", "redis")
    assert chosen(()) == ()


def test_an_unknown_one():
    """The user is told which there are, and that some need not be named."""
    with pytest.raises(DiagnosticError) as caught:
        chosen(("flask", "botocore"))

    assert "'botocore'" in str(caught.value)
    assert "botocore, requests and urllib3 are in every layer" in str(caught.value.hint)
