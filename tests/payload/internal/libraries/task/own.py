"""A function with OpenTelemetry code of its own, as its event says."""

import asyncio
import os
import threading

from opentelemetry import baggage, context, trace
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

tracer = trace.get_tracer("orders.code", "7", schema_url="https://example.com/schema")
EXPORTED = []
if os.environ.get("OWN_PROVIDER"):
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

    class Exporter(SpanExporter):
        _endpoint = os.environ.get("OWN_ENDPOINT", "")

        def export(self, spans):
            EXPORTED.extend(span.name for span in spans)
            return SpanExportResult.SUCCESS

    provider = TracerProvider(resource=Resource.create({"team": "orders"}))
    provider.add_span_processor(SimpleSpanProcessor(Exporter()))
    trace.set_tracer_provider(provider)


def handler(event, _context):
    return globals()[event["do"]]()


def spans():
    with tracer.start_as_current_span("outer", kind=SpanKind.PRODUCER, attributes={"a": 1}) as span:
        span.set_attributes({"b": [1, 2], "c": True})
        span.add_event("noted", {"d": "e"}, timestamp=1_700_000_000_000_000_000)
        span.update_name("renamed")
        with tracer.start_as_current_span("inner", links=[Link(span.get_span_context(), {"f": 1})]):
            decorated()
    asyncio.run(decorated_coroutine())
    left_open = tracer.start_span("by hand", context=trace.set_span_in_context(span))
    left_open.end()
    left_open.set_attribute("too", "late")
    tracer.start_span("a root", context=context.Context()).end()
    thread = threading.Thread(target=decorated)
    thread.start()
    thread.join()
    return [isinstance(span, trace.Span), isinstance(tracer, trace.Tracer)]


@tracer.start_as_current_span("decorated")
def decorated():
    pass


@tracer.start_as_current_span("decorated coroutine")
async def decorated_coroutine():
    await asyncio.sleep(0)


def errors():
    for record, status in ((True, True), (False, True), (True, False), (False, False)):
        try:
            with tracer.start_as_current_span(
                "fails", record_exception=record, set_status_on_exception=status
            ):
                raise KeyError("id")
        except KeyError:
            pass
    with tracer.start_as_current_span("fine") as span:
        span.set_status(Status(StatusCode.OK))
        span.set_status(Status(StatusCode.ERROR, "too late"))
    with tracer.start_as_current_span("not fine") as span:
        span.set_status(StatusCode.ERROR, "for a reason")


def on_the_invocation():
    span = trace.get_current_span()
    span.set_attribute("order.id", "7")
    span.add_event("priced", {"cents": 450})
    span.update_name("order")
    span.end()
    return [span.is_recording(), f"{span.get_span_context().span_id:016x}"]


def around_libraries():
    import urllib3

    attached = context.attach(baggage.set_baggage("tenant", "a b"))
    with tracer.start_as_current_span("outer"):
        urllib3.PoolManager().request("GET", os.environ["SERVICES_URL"] + "/web/200")
    with tracer.start_as_current_span("quiet"):
        token = context.attach(context.set_value("suppress_instrumentation", True))
        urllib3.PoolManager().request("GET", os.environ["SERVICES_URL"] + "/web/200")
        context.detach(token)
    context.detach(attached)


def processor():
    from opentelemetry.sdk.trace import SpanProcessor

    ended = []

    class Noting(SpanProcessor):
        def on_end(self, span):
            ended.append(span.name)

    trace.get_tracer_provider().add_span_processor(Noting())
    with tracer.start_as_current_span("seen by both"):
        pass
    return ended


def exported():
    with tracer.start_as_current_span("mine") as span:
        span.set_attribute("a", 1)
        span.add_event("noted")
    return EXPORTED


def measures():
    from opentelemetry import metrics
    from opentelemetry.metrics import Observation

    meter = metrics.get_meter("orders.code", "7")
    counter = meter.create_counter("orders", unit="1", description="orders taken")
    counter.add(2, {"kind": "tea"})
    counter.add(3, {"kind": "tea"})
    counter.add(1.5, {"kind": "cup"})
    meter.create_up_down_counter("open").add(-4)
    meter.create_histogram("price", explicit_bucket_boundaries_advisory=[10, 100]).record(50)
    if hasattr(meter, "create_gauge"):
        meter.create_gauge("stock").set(7)
    meter.create_observable_gauge("seen", callbacks=[lambda options: [Observation(1, {"a": "b"})]])
    metrics.get_meter("opentelemetry.instrumentation.flask").create_counter("theirs").add(1)
    return isinstance(metrics.get_meter_provider(), metrics.MeterProvider)


def records():
    from opentelemetry._logs import SeverityNumber, get_logger

    with tracer.start_as_current_span("logging"):
        get_logger("orders.code", "7").emit(
            timestamp=1_700_000_000_000_000_000,
            severity_number=SeverityNumber.WARN,
            severity_text="WARN",
            body="running out of tea",
            attributes={"left": 3},
        )


def sdk_signals():
    import logging

    from opentelemetry._logs import set_logger_provider
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler

    provider = LoggerProvider()
    set_logger_provider(provider)
    logger = logging.getLogger("orders")
    logger.propagate = False
    logger.addHandler(LoggingHandler(logger_provider=provider))
    logger.error("no tea")
