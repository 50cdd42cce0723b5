"""The same function twice: under wrapkit, and under OpenTelemetry's own set-up run in full."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.payload.internal.packages import install
from tests.payload.internal.runtime_api import run_function
from tests.payload.internal.test_transparency import OWN

from .services import services

if TYPE_CHECKING:
    from wrapkit.tooling.sink import Span

# What opentelemetry-lambda's layer for Python is made of, as far as these tests go.
CONTRIB = "0.66b1"
UPSTREAM = (
    "opentelemetry-sdk==1.45.1",
    "opentelemetry-exporter-otlp-proto-http==1.45.1",
    "opentelemetry-propagator-aws-xray==1.0.2",
    *(
        f"opentelemetry-{name}=={CONTRIB}"
        for name in (
            "distro",
            "instrumentation-aws-lambda",
            "instrumentation-botocore",
            "instrumentation-requests",
            "instrumentation-urllib3",
        )
    ),
)
LIBRARIES = ("boto3", "requests")
TASK = Path(__file__).parent / "task"


@dataclass(frozen=True)
class Recorded:
    """What one run left: its spans, the requests that it made, and the function's result."""

    spans: list[Span]
    requests: list[tuple[str, str, dict[str, str], bytes]]
    result: object
    stderr: str

    @property
    def root(self):
        """The invocation's span."""
        [root] = [span for span in self.spans if span.kind == "SERVER"]
        return root

    def by_call(self):
        """The spans below the invocation's, in the order of their start."""
        root = self.root
        below = [span for span in self.spans if span is not root]
        assert {span.trace_id for span in below} <= {root.trace_id}
        return sorted(below, key=lambda span: span.start_time_unix_nano)


@pytest.fixture(scope="session")
def packages(request, runtimes):
    """Call with a name and requirements: the folder that has them, for this Python."""

    def folder(name, *requirements):
        place = request.config.cache.mkdir("packages") / f"{name}-{OWN}"
        install(runtimes(OWN).python, place, *requirements)
        return place

    return folder


@pytest.fixture
def served():
    with services() as server:
        yield server


@pytest.fixture
def under_wrapkit(runtimes, layers, packages, served):
    """Call with an event: the run with wrapkit's layer, whose hook exports by itself."""

    def record(event, *, handler="app.handler", folder=None, layer=None, **environ):
        del served.spans[:], served.requests[:]
        run = runtimes(OWN).run_wrapped(
            layer or layers("internal"),
            handler,
            [event],
            environ=_environ(served, folder or packages("libraries", *LIBRARIES)) | environ,
            task=TASK,
        )
        return _recorded(served, run)

    return record


@pytest.fixture
def under_upstream(runtimes, packages, served):
    """The same with the packages of OpenTelemetry, started as opentelemetry-lambda starts them."""

    def record(event, *, handler="app.handler", folder=None, upstream=None, **environ):
        del served.spans[:], served.requests[:]
        runtime = runtimes(OWN)
        upstream = upstream or packages("upstream", *UPSTREAM)
        # The handler has to be importable before the runtime client is: it is wrapped by name.
        folder = folder or packages("libraries", *LIBRARIES)
        variables = _environ(served, upstream, folder, TASK)
        variables |= {
            **runtime.environ(handler, TASK),
            "OTEL_PROPAGATORS": "tracecontext,baggage,xray",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            **environ,
        }
        # The variable names the folder that opentelemetry-instrument has to find first.
        variables["PATH"] = os.pathsep.join([os.path.dirname(runtime.python), os.defpath])
        command = [runtime.python, str(upstream / "bin/opentelemetry-instrument")]
        return _recorded(served, run_function([*command, *runtime.command], variables, [event]))

    return record


def _environ(served, *folders):
    return {
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "SERVICES_URL": served.url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": served.url,
        "OTEL_SERVICE_NAME": "orders",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _recorded(served, run):
    assert len(run.posts) == 1, run.stderr.decode()
    return Recorded(list(served.spans), list(served.requests), run.results[0], run.stderr.decode())
