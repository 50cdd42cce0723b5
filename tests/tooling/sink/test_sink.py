"""The sink against a real HTTP client on a real socket."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.sink import OtlpSink, SpanLink
from wrapkit.tooling.sink._server import MAX_DECOMPRESSED_BYTES

TRACE_ID = bytes(range(16))
SPAN_ID = bytes(range(8))
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def attribute(key, **value):
    return KeyValue(key=key, value=AnyValue(**value))


def trace_request(*span_ids):
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(attribute("service.name", string_value="orders"))
    scope_spans = group.scope_spans.add()
    scope_spans.scope.name = "wrapkit"
    scope_spans.scope.version = "1.2"
    for span_id in span_ids:
        span = scope_spans.spans.add()
        span.trace_id, span.span_id, span.name = TRACE_ID, span_id, "GET /"
        span.kind = WireSpan.SPAN_KIND_CLIENT
        span.start_time_unix_nano, span.end_time_unix_nano = 1_000_000, 3_500_000
        span.attributes.append(attribute("retries", int_value=2))
        values = ArrayValue(values=[AnyValue(string_value="a"), AnyValue(bool_value=True)])
        span.attributes.append(attribute("list", array_value=values))
        span.status.code, span.status.message = 2, "no"
        event = span.events.add(name="exception", time_unix_nano=7)
        event.attributes.append(attribute("exception.type", string_value="ValueError"))
        link = span.links.add(trace_id=TRACE_ID[::-1], span_id=SPAN_ID[::-1])
        link.attributes.append(attribute("digest", bytes_value=b"\xff"))
    return request


def post(sink, path, body, headers=PROTOBUF, method="POST"):
    """Status, content type and body of one exchange; blocking."""
    connection = http.client.HTTPConnection(sink.endpoint.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()
    finally:
        connection.close()


def exchange(*calls):
    """The sink's store and the answers to the calls; a call is what `post` takes after the sink."""

    async def scenario():
        async with OtlpSink() as sink:
            answers = [await asyncio.to_thread(post, sink, *call) for call in calls]
            return sink.store, answers

    return asyncio.run(scenario())


def test_a_protobuf_span_is_kept_with_all_that_it_carries():
    store, answers = exchange(("/v1/traces", trace_request(SPAN_ID).SerializeToString()))
    (span,) = store.spans
    assert answers[0][:2] == (200, "application/x-protobuf")
    ExportTraceServiceResponse.FromString(answers[0][2])
    assert span.trace_id == TRACE_ID.hex()
    assert span.span_id == SPAN_ID.hex()
    assert span.parent_span_id == ""
    assert (span.name, span.kind) == ("GET /", "CLIENT")
    assert (span.status_code, span.status_message) == ("ERROR", "no")
    assert span.duration_ms == 2.5
    assert span.attributes == {"retries": 2, "list": ["a", True]}
    assert span.resource == {"service.name": "orders"}
    assert (span.scope_name, span.scope_version) == ("wrapkit", "1.2")
    assert span.events[0].attributes == {"exception.type": "ValueError"}
    assert span.links == (SpanLink(TRACE_ID[::-1].hex(), SPAN_ID[::-1].hex(), {"digest": b"\xff"}),)


def test_a_json_span_has_hex_ids():
    document = {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": TRACE_ID.hex().upper(),
                                "spanId": SPAN_ID.hex(),
                                "name": "n",
                                "startTimeUnixNano": "1",
                                "endTimeUnixNano": "2",
                                "kind": 2,
                                "unknownField": 1,
                                "links": [{"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex()}],
                            }
                        ]
                    }
                ]
            }
        ]
    }
    headers = {"Content-Type": "application/json; charset=utf-8"}
    store, answers = exchange(("/v1/traces", json.dumps(document), headers))
    assert answers == [(200, "application/json", b"{}")]
    assert store.spans[0].trace_id == TRACE_ID.hex()
    assert store.spans[0].kind == "SERVER"
    assert store.spans[0].links == (SpanLink(TRACE_ID.hex(), SPAN_ID.hex()),)


def test_gzip_is_understood_and_both_sizes_are_kept():
    plain = trace_request(SPAN_ID).SerializeToString()
    packed = gzip.compress(plain)
    store, answers = exchange(("/v1/traces", packed, {**PROTOBUF, "Content-Encoding": "gzip"}))
    assert answers[0][0] == 200
    assert (store.requests[0].wire_bytes, store.requests[0].body_bytes) == (len(packed), len(plain))
    assert store.requests[0].content_encoding == "gzip"
    assert len(store.spans) == 1


def test_a_sink_may_decode_when_the_measured_run_is_over():
    async def scenario():
        async with OtlpSink(decode_on_arrival=False) as sink:
            body = trace_request(SPAN_ID).SerializeToString()
            await asyncio.to_thread(post, sink, "/v1/traces", body)
            assert sink.store.spans == []
            sink.store.decode_pending()
            sink.store.decode_pending()
            return sink.store

    store = asyncio.run(scenario())
    assert [span.span_id for span in store.spans] == [SPAN_ID.hex()]
    assert (len(store.requests), store.duplicate_spans) == (1, [])


def test_metrics_and_logs_are_kept_too():
    metrics = ExportMetricsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m", unit="ms")
    metric.sum.data_points.add(as_int=3)
    logs = ExportLogsServiceRequest()
    record = logs.resource_logs.add().scope_logs.add().log_records.add(severity_text="WARN")
    record.body.string_value = "careful"
    record.observed_time_unix_nano = 9
    store, answers = exchange(
        ("/v1/metrics", metrics.SerializeToString()), ("/v1/logs", logs.SerializeToString())
    )
    assert [status for status, _, _ in answers] == [200, 200]
    assert (store.metrics[0].name, store.metrics[0].kind) == ("m", "sum")
    assert store.metrics[0].data_points == ({"asInt": "3"},)
    assert (store.log_records[0].body, store.log_records[0].time_unix_nano) == ("careful", 9)


def test_a_span_that_comes_twice_is_a_duplicate():
    body = trace_request(SPAN_ID, SPAN_ID[::-1]).SerializeToString()
    store, _ = exchange(("/v1/traces", body), ("/v1/traces", body))
    assert len(store.spans) == 2
    assert [span.span_id for span in store.duplicate_spans] == [SPAN_ID.hex(), SPAN_ID[::-1].hex()]


@pytest.mark.parametrize(
    ("path", "body", "headers", "method", "status"),
    [
        ("/v1/nope", b"", PROTOBUF, "POST", 404),
        ("/v1/traces", b"", PROTOBUF, "GET", 405),
        ("/v1/traces", b"", {"Content-Type": "text/plain"}, "POST", 415),
        ("/v1/traces", b"\xff\xff", PROTOBUF, "POST", 400),
        ("/v1/traces", b"{", {"Content-Type": "application/json"}, "POST", 400),
        ("/v1/traces", b'{"traceId": "zz"}', {"Content-Type": "application/json"}, "POST", 400),
        ("/v1/traces", b"[]", {"Content-Type": "application/json"}, "POST", 400),
        ("/v1/traces", b"x", {**PROTOBUF, "Content-Encoding": "gzip"}, "POST", 400),
        (
            "/v1/traces",
            gzip.compress(b"x" * 99, mtime=0)[:20],
            {**PROTOBUF, "Content-Encoding": "gzip"},
            "POST",
            400,
        ),
        ("/v1/traces", b"x", {**PROTOBUF, "Content-Encoding": "br"}, "POST", 415),
    ],
)
def test_what_is_not_otlp_is_refused_and_nothing_is_kept(path, body, headers, method, status):
    store, answers = exchange((path, body, headers, method))
    assert answers[0][0] == status
    assert (store.spans, store.requests) == ([], [])


def test_a_small_body_that_grows_without_bound_is_refused():
    bomb = gzip.compress(bytes(MAX_DECOMPRESSED_BYTES + 1))
    _, answers = exchange(("/v1/traces", bomb, {**PROTOBUF, "Content-Encoding": "gzip"}))
    assert answers[0][0] == 413


def test_two_requests_share_one_connection():
    def twice(sink):
        host = sink.endpoint.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=10)
        try:
            for span_id in (SPAN_ID, SPAN_ID[::-1]):
                connection.request(
                    "POST", "/v1/traces", trace_request(span_id).SerializeToString(), PROTOBUF
                )
                assert connection.getresponse().read() == b""
                assert connection.sock is not None
        finally:
            connection.close()

    async def scenario():
        async with OtlpSink() as sink:
            await asyncio.to_thread(twice, sink)
            return len(sink.store.spans)

    assert asyncio.run(scenario()) == 2


def test_a_client_that_stays_connected_does_not_keep_the_sink_open():
    async def scenario():
        async with OtlpSink() as sink:
            host, port = sink.endpoint.removeprefix("http://").split(":")
            _reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST /v1/traces HTTP/1.1\r\nContent-")
            await writer.drain()
        writer.close()

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_waiting_for_spans_ends_when_they_have_come_or_in_time():
    async def scenario():
        async with OtlpSink() as sink:
            body = trace_request(SPAN_ID).SerializeToString()
            waiting = asyncio.ensure_future(sink.store.wait_for_spans(1, timeout_s=10))
            await asyncio.to_thread(post, sink, "/v1/traces", body)
            assert len(await waiting) == 1
            with pytest.raises(TimeoutError):
                await sink.store.wait_for_spans(2, timeout_s=0.01)

    asyncio.run(scenario())


def test_a_port_that_is_taken_is_said_with_a_hint():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        async def scenario():
            async with OtlpSink(port=port):
                pytest.fail("the sink took a port that was taken")

        with pytest.raises(DiagnosticError, match=str(port)) as caught:
            asyncio.run(scenario())
    assert caught.value.hint
