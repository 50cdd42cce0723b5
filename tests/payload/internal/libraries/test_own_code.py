"""The function's own OpenTelemetry code: its spans are the invocation's children."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

API = ("opentelemetry-api==1.45.1",)
# An older one, as functions have it: the function's version is used.
OLD_API = ("opentelemetry-api==1.27.0",)
# One that loads its runtime context at the first use, as all before 1.25 do.
LAZY_API = ("opentelemetry-api==1.20.0",)
SDK = ("opentelemetry-sdk==1.45.1",)


@pytest.fixture
def own(under_wrapkit, packages):
    """Call with what to do and requirements: the run, and its spans by name."""

    def run(what, *requirements, **environ):
        folder = packages("-".join(requirements).replace("==", "-"), *requirements, "urllib3")
        recorded = under_wrapkit({"do": what}, handler="own.handler", folder=folder, **environ)
        assert recorded.stderr == ""
        return recorded, {span.name: span for span in recorded.spans}

    return run


@pytest.mark.parametrize("requirements", [API, OLD_API, LAZY_API, SDK], ids=str)
def test_spans_without_a_provider(own, requirements):
    """Names, kinds, attributes, events, links, decorators, coroutines, threads, and a root."""
    recorded, spans = own("spans", *requirements)

    assert recorded.result == [True, True]
    root = recorded.root
    outer, inner = spans["renamed"], spans["inner"]
    assert (outer.kind, outer.attributes) == ("PRODUCER", {"a": 1, "b": [1, 2], "c": True})
    assert (outer.scope_name, outer.scope_version) == ("orders.code", "7")
    [event] = outer.events
    assert (event.name, event.time_unix_nano, event.attributes) == (
        "noted",
        1_700_000_000_000_000_000,
        {"d": "e"},
    )
    assert (outer.parent_span_id, inner.parent_span_id) == (root.span_id, outer.span_id)
    assert spans["decorated coroutine"].parent_span_id == root.span_id
    assert spans["by hand"].parent_span_id == outer.span_id
    assert "too" not in spans["by hand"].attributes
    assert spans["a root"].trace_id != root.trace_id
    parents = [span.parent_span_id for span in recorded.spans if span.name == "decorated"]
    assert parents == [inner.span_id, root.span_id]


def test_errors(own):
    """Exceptions are recorded and set the status unless told not to; OK is final."""
    recorded, spans = own("errors", *API)

    failed = [
        (span.status_code, span.status_message, [event.name for event in span.events])
        for span in recorded.spans
        if span.name == "fails"
    ]
    assert failed == [
        ("ERROR", "KeyError: 'id'", ["exception"]),
        ("ERROR", "KeyError: 'id'", []),
        ("UNSET", "", ["exception"]),
        ("UNSET", "", []),
    ]
    assert (spans["fine"].status_code, spans["fine"].status_message) == ("OK", "")
    assert (spans["not fine"].status_code, spans["not fine"].status_message) == (
        "ERROR",
        "for a reason",
    )


def test_what_the_code_adds_to_the_invocation(own):
    """The current span of a handler is the invocation's; ending it is not the function's."""
    recorded, _ = own("on_the_invocation", *API)

    root = recorded.root
    assert recorded.result == [True, root.span_id]
    assert root.name == "order"
    assert root.attributes["order.id"] == "7"
    assert [(event.name, event.attributes) for event in root.events] == [("priced", {"cents": 450})]


def test_libraries_within_own_spans(own):
    """A library's span is the child of the code's, baggage goes along, suppression is heeded."""
    recorded, spans = own("around_libraries", *API)

    assert spans["GET"].parent_span_id == spans["outer"].span_id
    assert [span.name for span in recorded.spans].count("GET") == 1
    first, second = (headers for _, _, headers, _ in recorded.requests)
    assert first["baggage"] == "tenant=a+b"
    assert spans["GET"].span_id in first["traceparent"]
    assert "traceparent" not in second


def test_what_only_an_sdk_has(own):
    """A span processor that is added to the provider that was there sees the spans, too."""
    recorded, spans = own("processor", *SDK)

    assert recorded.result == ["seen by both"]
    assert spans["seen by both"].parent_span_id == recorded.root.span_id


def test_a_provider_of_its_own(own):
    """Its exporter goes on, wrapkit is told as well, and the spans have their parent."""
    recorded, spans = own("exported", *SDK, OWN_PROVIDER="yes")

    assert recorded.result == ["mine"]
    mine = spans["mine"]
    assert (mine.parent_span_id, mine.attributes) == (recorded.root.span_id, {"a": 1})
    assert [event.name for event in mine.events] == ["noted"]
    assert mine.scope_name == "orders.code"
    assert (mine.resource["team"], mine.resource["faas.name"]) == ("orders", "orders")
    assert "team" not in recorded.root.resource


def test_a_provider_that_exports_to_the_same_place(own, served):
    """No span comes twice."""
    recorded, spans = own(
        "exported", *SDK, OWN_PROVIDER="yes", OWN_ENDPOINT=served.url + "/v1/traces"
    )

    assert recorded.result == ["mine"]
    assert "mine" not in spans


@pytest.mark.parametrize("requirements", [API, SDK], ids=str)
def test_metrics(own, served, requirements):
    """Counters and histograms as deltas, the rest as it is; instrumentations' own are not made."""
    recorded, _ = own("measures", *requirements)

    assert recorded.result is True
    told = {metric.name: metric for metric in served.signals}
    assert told.keys() == {"orders", "open", "price", "stock", "seen"}
    orders = {
        point["attributes"][0]["value"]["stringValue"]: point.get("asInt", point.get("asDouble"))
        for point in told["orders"].data_points
    }
    assert orders == {"tea": "5", "cup": 1.5}
    assert (told["orders"].unit, told["orders"].kind) == ("1", "sum")
    assert told["open"].data_points[0]["asInt"] == "-4"
    [price] = told["price"].data_points
    assert (price["count"], price["bucketCounts"], price["sum"]) == ("1", ["0", "1", "0"], 50)
    assert told["stock"].data_points[0]["asInt"] == "7"
    assert told["seen"].data_points[0]["asInt"] == "1"
    assert told["stock"].resource["faas.name"] == "orders"
    assert told["stock"].scope_name == "orders.code"


def test_metrics_that_are_not_wanted(own, served):
    """Nothing is exported of a signal that is turned off."""
    own("measures", *API, OTEL_METRICS_EXPORTER="none")

    assert served.signals == []


@pytest.mark.parametrize("requirements", [API, SDK], ids=str)
def test_logs(own, served, requirements):
    """A record of the logs bridge has its span, severity, body and attributes."""
    _, spans = own("records", *requirements)

    [record] = served.signals
    assert (record.body, record.severity_text) == ("running out of tea", "WARN")
    assert record.time_unix_nano == 1_700_000_000_000_000_000
    assert record.span_id == spans["logging"].span_id
    assert record.attributes == {"left": 3}
    assert record.scope_name == "orders.code"


def test_a_logger_provider_of_its_own(own, served):
    """What goes through the SDK's handler for the logging module comes as well, in its trace."""
    recorded, _ = own("sdk_signals", *SDK)

    [record] = served.signals
    assert (record.body, record.severity_text) == ("no tea", "ERROR")
    assert record.trace_id == recorded.root.trace_id
