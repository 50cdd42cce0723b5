"""What could not be sent is sent by the next life of the environment: two runners, one /tmp."""

from __future__ import annotations

import socket
import urllib.request

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.payload.external.conftest import free_port
from tests.payload.external.host import WAIT_S
from tests.payload.external.sink import Sink


def invoke(scene, name):
    calls = scene.host.next_calls
    scene.invoke_with_hook(name, span=name * 16)
    scene.host.wait_for_next(calls + 1)


def span_ids(sink):
    return sorted(span.span_id.hex()[0] for span in sink.spans())


def live_and_end(scene, names, *, reason="timeout", **how):
    """A life of the environment; what the runner said."""
    scene.start(**how)
    scene.host.wait_for_next(1)
    for name in names:
        invoke(scene, name)
    scene.host.shut_down(reason)
    code, said = scene.runner.wait()
    assert code == 0
    return said


def test_the_next_life_sends_what_this_one_could_not(scene):
    """Nobody listened; the spans are delivered once, beside those of the next life."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    said = live_and_end(scene, "12", OTEL_EXPORTER_OTLP_ENDPOINT=nowhere)
    assert "2 could not be sent and wait in" in said[-1]
    scene.close_life()

    assert live_and_end(scene, "3") == []
    assert span_ids(scene.sink) == ["1", "2", "3"]
    assert [path.name for path in (scene.folder / "wrapkit-spool").iterdir()] == ["lock"]
    scene.close_life()

    live_and_end(scene, "4")
    assert span_ids(scene.sink) == ["4"]


def test_a_request_that_was_cut_off_by_the_end_is_kept(scene):
    """The backend did not answer before the deadline: nobody knows, so it is sent again."""
    sink = Sink()
    sink.hold.clear()
    scene.start(sink=sink)
    scene.host.wait_for_next(1)
    scene.host.invoke("1", timeout_s=0.2)
    scene.host.wait_for_next(2)
    scene.host.shut_down("timeout", budget_ms=600)
    _, said = scene.runner.wait()
    assert "no answer in time" in said[0]
    assert "1 could not be sent" in said[-1]
    sink.hold.set()
    scene.close_life()

    live_and_end(scene, "3")
    assert len(scene.sink.spans()) == 2


def test_more_than_memory_holds_goes_to_the_spool(scene):
    """Ten megabytes while the backend is away: nothing is dropped, all is delivered later."""
    scene.start(sink=Sink(statuses=[503], headers=(("Retry-After", "600"),)))
    scene.host.wait_for_next(1)
    invoke(scene, "1")  # finds out that the backend is away
    for number in range(10):
        post(scene.otlp_port, number)
    assert (scene.folder / "wrapkit-spool").exists()
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert len(said) == 1, said
    names = [span.name for span in scene.sink.spans() if span.name != "orders"]
    assert sorted(names) == [f"span {number}" for number in range(10)]


def post(port, number):
    """One request of a megabyte."""
    data = TracesData()
    span = data.resource_spans.add().scope_spans.add().spans.add(name=f"span {number}")
    span.attributes.add(key="ballast").value.string_value = "x" * 1_000_000
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/traces",
        data.SerializeToString(),
        {"Content-Type": "application/x-protobuf"},
    )
    with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
        assert answer.status == 200


def test_a_folder_of_somebody_else_is_left_alone(scene, tmp_path):
    """A symbolic link in its place: what cannot be kept is counted as dropped."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "wrapkit-spool").symlink_to(tmp_path / "elsewhere")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        said = live_and_end(scene, "12", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)

    assert said[-1] == "wrapkit: 2 requests were dropped"
    assert list((tmp_path / "elsewhere").iterdir()) == []
