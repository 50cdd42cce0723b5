"""OpenTelemetry's own instrumentors out of the layer, loaded when their library is."""

from __future__ import annotations

import pytest

from tests.payload.internal.test_transparency import OWN
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.wrapping import generate_layer

from .conftest import CONTRIB, UPSTREAM
from .test_equality import PARENT, told_requests, told_spans

pytestmark = pytest.mark.slow

NAMES = (
    "django",
    "flask",
    "grpc_aio_client",
    "grpc_client",
    "httpx",
    "jinja2",
    "mysql",
    "sqlalchemy",
)
COMPARED = ("flask", "httpx", "jinja2", "sqlalchemy")
LIBRARIES = ("flask", "httpx", "jinja2", "sqlalchemy<2.1")
EVENT = {"do": "several", "headers": {"traceparent": PARENT}}


@pytest.fixture(scope="session")
def layer(tmp_path_factory):
    """A layer with a few instrumentors."""
    folder = tmp_path_factory.mktemp("layer") / "with-packages"
    try:
        generate_layer("python", folder, mode="internal", versions=(OWN,), instrumentation=NAMES)
    except DiagnosticError as error:
        pytest.skip(str(error))  # no package index, as elsewhere in these tests
    return folder


@pytest.fixture
def libraries(packages):
    return packages("web", *LIBRARIES)


def test_spans_equal_upstreams(under_wrapkit, under_upstream, packages, libraries, layer):
    """Span by span, for templates, a database, an HTTP client and a web framework; no SDK."""
    upstream = packages(
        "upstream-web",
        *(each for each in UPSTREAM if "instrumentation" not in each or "lambda" in each),
        *(f"opentelemetry-instrumentation-{name}=={CONTRIB}" for name in COMPARED),
    )

    ours = under_wrapkit(EVENT, handler="others.handler", folder=libraries, layer=layer)
    theirs = under_upstream(EVENT, handler="others.handler", folder=libraries, upstream=upstream)

    assert ours.stderr == ""
    assert ours.result == []
    expected = told_spans(theirs)
    assert [told["name"] for told in told_spans(ours)] == [told["name"] for told in expected]
    for span, other in zip(told_spans(ours), expected, strict=True):
        assert span == other
    assert told_requests(ours) == told_requests(theirs)
    assert len(expected) >= 8


def test_a_library_that_brings_its_own_packages(under_wrapkit, packages, layer):
    """The function's versions win, and what is only in the layer is found behind all else."""
    own = packages("own-wrapt", "wrapt==1.16.0", "flask", "jinja2")

    recorded = under_wrapkit({"do": "versions"}, handler="others.handler", folder=own, layer=layer)

    assert recorded.result == [f"{own}/wrapt/__init__.py", "1.16.0", False]


def test_a_backport_that_finds_packages(under_wrapkit, packages, layer):
    """It puts its finder behind the layer's, whose packages are the last all the same."""
    own = packages("own-old-api", "opentelemetry-api==1.20.0", "wrapt==1.16.0")

    recorded = under_wrapkit(
        {"do": "versions_behind_the_backport"}, handler="others.handler", folder=own, layer=layer
    )

    assert recorded.result == ["1.16.0", "1.20.0", f"{own}/opentelemetry/context/__init__.py"]


def test_a_library_of_another_version(under_wrapkit, packages, layer):
    """What the instrumentor was not made for is left alone, with one line; the others go on."""
    newer = packages("newer", "flask", "jinja2", "sqlalchemy>=2.1")

    recorded = under_wrapkit(
        {"do": "of_another_version"}, handler="others.handler", folder=newer, layer=layer
    )

    assert recorded.stderr.startswith("wrapkit: sqlalchemy 2.")
    assert recorded.stderr.endswith(" is not instrumented: it is too new\n")
    assert recorded.stderr.count("\n") == 1
    assert {span.name for span in recorded.by_call()} >= {"GET /orders/<number>", "jinja2.render"}


def test_a_propagator_that_the_api_refuses(under_wrapkit, libraries, layer):
    """No instrumentor loads then, which is one line, not one for each library."""
    recorded = under_wrapkit(
        {"do": "of_another_version"},
        handler="others.handler",
        folder=libraries,
        layer=layer,
        OTEL_PROPAGATORS="bogus",
    )

    assert recorded.stderr.startswith("wrapkit: OTEL_PROPAGATORS is not of ")
    assert recorded.stderr.count("\n") == 1


def test_modules_within_packages(under_wrapkit, packages, layer):
    """Some instrumentors look for a module in its package, which is not complete by then."""
    folder = packages("within", "django", "grpcio", "mysql-connector-python")

    recorded = under_wrapkit(
        {"do": "within_packages"}, handler="others.handler", folder=folder, layer=layer
    )

    assert recorded.stderr == ""
    assert recorded.result == [
        "DjangoInstrumentor",
        "GrpcAioInstrumentorClient",
        "GrpcInstrumentorClient",
        "MySQLInstrumentor",
    ]


def test_instrumentations_that_are_disabled(under_wrapkit, libraries, layer):
    """Nothing of OpenTelemetry's is loaded for a library that is left out."""
    recorded = under_wrapkit(
        {"do": "unwanted"},
        handler="others.handler",
        folder=libraries,
        layer=layer,
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="flask,jinja2",
    )

    assert recorded.result == ["function", "function", []]
