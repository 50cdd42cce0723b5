"""Telemetry for several backends: each gets all of it once, whatever becomes of the others."""

from __future__ import annotations

import pytest

from tests.payload.external.conftest import free_port
from tests.payload.external.sink import Sink
from wrapkit.payload import _env_export


@pytest.fixture
def archive():
    made = Sink()
    yield made
    made.close()


def invoke(scene, count=1):
    for _ in range(count):
        calls = scene.host.next_calls
        scene.invoke_with_hook(f"r{calls}", span=f"{calls:016x}")
        scene.host.wait_for_next(calls + 1)


def begin(scene, **how):
    scene.start(**how)
    scene.host.wait_for_next(1)


def ids(sink):
    return sorted(int(span.span_id.hex(), 16) for span in sink.spans())


def test_each_backend_gets_every_span_with_its_own_headers(scene, archive):
    """A credential of the one is none of the other's business."""
    begin(
        scene,
        OTEL_EXPORTER_OTLP_HEADERS="x-key=first",
        WRAPKIT_EXPORTER_ARCHIVE_ENDPOINT=archive.endpoint,
        WRAPKIT_EXPORTER_ARCHIVE_HEADERS="x-other=second",
        WRAPKIT_EXPORTER_ARCHIVE_COMPRESSION="gzip",
    )
    invoke(scene, 2)

    assert ids(scene.sink) == ids(archive) == [1, 2]
    first, second = scene.sink.requests[0][1], archive.requests[0][1]
    assert (first["x-key"], first["x-other"]) == ("first", None)
    assert (second["x-key"], second["x-other"]) == (None, "second")
    assert (first["Content-Encoding"], second["Content-Encoding"]) == (None, "gzip")


def test_a_destination_alone_is_enough(scene, archive):
    """And the endpoint of a signal is used as it is."""
    begin(
        scene,
        OTEL_EXPORTER_OTLP_ENDPOINT=None,
        WRAPKIT_EXPORTER_ARCHIVE_TRACES_ENDPOINT=f"{archive.endpoint}/v1/traces?tenant=1",
    )
    invoke(scene)

    assert [path for path, *_ in archive.requests] == ["/v1/traces?tenant=1"]


def test_two_destinations_at_one_host_do_not_wait_for_each_other(scene):
    """Two tenants of one gateway: it throttles the first, and takes from the second."""
    sink = Sink(statuses=[429])
    begin(
        scene,
        sink=sink,
        WRAPKIT_EXPORTER_ARCHIVE_ENDPOINT=sink.endpoint,
        WRAPKIT_EXPORTER_ARCHIVE_HEADERS="x-tenant=archive",
    )
    invoke(scene)

    assert [span.span_id.hex() for span in scene.sink.spans()] == [f"{1:016x}"]
    assert len(scene.sink.requests) == 2
    assert len({headers["x-tenant"] for _, headers, *_ in scene.sink.requests}) == 2


def test_a_dead_backend_takes_nothing_from_the_other_one(scene, archive):
    """What it missed waits for it alone, into the environment's next life."""
    port = free_port()
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "WRAPKIT_EXPORTER_ARCHIVE_ENDPOINT": archive.endpoint,
    }
    begin(scene, **settings)
    invoke(scene, 3)
    scene.host.shut_down("timeout")
    code, said = scene.runner.wait()
    assert code == 0
    assert f"http://127.0.0.1:{port} cannot be used" in said[0]
    assert "3 could not be sent" in said[-1]
    assert ids(archive) == [1, 2, 3]
    scene.close_life()

    back = Sink(port=port)
    begin(scene, **settings)
    scene.host.shut_down()

    assert scene.runner.wait() == (0, [])
    assert ids(back) == [1, 2, 3]
    assert ids(archive) == [1, 2, 3]
    back.close()


def test_a_backend_that_hangs_does_not_hold_up_the_other_one(scene, archive):
    """Each has a connection of its own, and an invocation waits for the slow one once."""
    archive.hold.clear()
    begin(scene, WRAPKIT_EXPORTER_ARCHIVE_ENDPOINT=archive.endpoint)
    invoke(scene, 3)

    assert ids(scene.sink) == [1, 2, 3]
    assert len(archive.requests) == 1
    archive.hold.set()
    scene.host.shut_down()
    assert scene.runner.wait() == (0, [])
    assert ids(archive) == [1, 2, 3]


def test_destinations_are_found_by_their_endpoints():
    """Always in the same order, since the spool counts on it; the first is OpenTelemetry's."""
    environ = {
        "WRAPKIT_EXPORTER_B_ENDPOINT": "x",
        "WRAPKIT_EXPORTER_A_TRACES_ENDPOINT": "x",
        "WRAPKIT_EXPORTER_A_LOGS_ENDPOINT": "x",
        "WRAPKIT_EXPORTER_C_HEADERS": "x",
        "WRAPKIT_EXPORTER_ENDPOINT": "x",
    }

    assert _env_export.destinations(environ) == ["", "A", "B"]
