"""A function's errors are told as they are without spans."""

from __future__ import annotations

import sys

import pytest

from tests.payload.internal.test_transparency import OWN

from .conftest import TASK

pytestmark = pytest.mark.slow


@pytest.mark.skipif(sys.version_info < (3, 11), reason="its traceback keeps wrapkit's frame")
@pytest.mark.parametrize("what", ["of_botocore", "of_requests", "of_urllib3"])
def test_an_error_of_a_library(runtimes, layers, packages, served, what):
    """The error payload, its stack included, and the log are those of a bare run."""
    environ = {
        "PYTHONPATH": str(packages("libraries", "boto3", "requests")),
        "SERVICES_URL": served.url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": served.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    runtime = runtimes(OWN)

    bare = runtime.run_bare("errors.handler", [{"do": what}], environ=environ, task=TASK)
    wrapped = runtime.run_wrapped(
        layers("internal"), "errors.handler", [{"do": what}], environ=environ, task=TASK
    )

    assert wrapped.posts == bare.posts
    assert wrapped.results[0]["stackTrace"]
    assert (wrapped.stdout, wrapped.stderr) == (bare.stdout, bare.stderr)
    assert len(served.spans) == 2
