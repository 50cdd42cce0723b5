"""What spans of libraries cost, as far as it can be counted: modules."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

# For all libraries, and for each of the two.
SHARED = {
    "_current",
    "_http",
    "_library_span",
    "_propagation",
    "_span_record",
    "_traced",
}
# What the other layers load for the same spans.
HEAVY = ("opentelemetry", "wrapt", "google.protobuf", "importlib_metadata")
OWN = {"_botocore", "_botocore_services", "_requests", "_urllib3"}


@pytest.fixture
def loaded(under_wrapkit):
    """Call with what to import: the modules that wrapkit has added once it is, and after a call."""

    def modules(what, folder):
        run = under_wrapkit({"do": what}, handler="modules.handler", folder=folder)
        assert run.stderr == ""
        return [set(names) for names in run.result]

    return modules


def test_a_function_that_imports_none(loaded, packages):
    """One module, the table of what is watched."""
    [before] = loaded("nothing", packages("libraries", "boto3", "requests"))

    assert wrapkits(before) == set()
    assert not [name for name in before if name.startswith(HEAVY)]


def test_boto3_and_requests(loaded, packages):
    """A module or two for each and what they share; nothing of OpenTelemetry's."""
    before, after = loaded("both", packages("libraries", "boto3", "requests"))

    assert wrapkits(before) == SHARED | OWN
    # The sink's part is loaded with the first span, the same modules for all that follow.
    assert wrapkits(after) == SHARED | OWN
    assert not [name for name in after if name.startswith(HEAVY)]


def wrapkits(names):
    start = "_wrapkit.payload.internal.libraries."
    return {name.removeprefix(start) for name in names if name.startswith(start)}
