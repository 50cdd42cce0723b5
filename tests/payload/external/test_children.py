"""The spans within invocations, told by the hook's own classes to the runner's process."""

from __future__ import annotations

import os
import select
import threading
import time

import pytest

from wrapkit.payload.internal._datagrams import Datagrams
from wrapkit.payload.internal.libraries._library_span import LibrarySpan
from wrapkit.payload.internal.libraries._open_telemetry import InvocationRecord

SCOPE = ("opentelemetry.instrumentation.requests", "1.2", "https://opentelemetry.io/schemas/1.11.0")
ERROR = 2


class _Invocation:
    request_id = "r1"
    response_attributes = None
    record = None


def attributes(pairs):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@pytest.fixture
def hook(scene):
    """The sending side, once the runner listens and an invocation has begun."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    sender = Datagrams({"WRAPKIT_SOCKET": scene.runner.socket_path})
    scene.runner.hook(
        t="start", id="r1", time=time.time_ns(), trace="a" * 32, span="b" * 16, flags=1, cold=False
    )
    yield sender
    sender.close()


def begun(hook, name="GET", **given):
    span = LibrarySpan(SCOPE, name, {"http.method": "GET", "none": None})
    for field, value in given.items():
        setattr(span, field, value)
    hook.span_started(span, "r1")
    return span


def end_invocation(scene, hook):
    hook.end(_Invocation, time.time_ns(), None)
    scene.host.wait_for_next(2)


def exported(scene):
    return {span.name: span for span in scene.sink.spans()}


def test_a_span_arrives_whole(scene, hook):
    """Ids, times, kind, scope, attributes of start and end, status and events."""
    span = begun(hook, trace_state="vendor=1", parent_span_id="b" * 16)
    span.set("http.status_code", 500)
    span.set_error("refused")
    span.record_exception(ValueError("no"))
    hook.span_ended(span, span.start_time_unix_nano + 5)
    end_invocation(scene, hook)

    [request] = scene.sink.delivered()
    scopes = {scope.scope.name: scope for scope in request.resource_spans[0].scope_spans}
    [told] = scopes[SCOPE[0]].spans
    assert (scopes[SCOPE[0]].scope.version, scopes[SCOPE[0]].schema_url) == SCOPE[1:]
    assert (told.trace_id.hex(), told.span_id.hex()) == (span.trace_id, span.span_id)
    assert (told.parent_span_id.hex(), told.trace_state) == ("b" * 16, "vendor=1")
    assert told.end_time_unix_nano == told.start_time_unix_nano + 5
    assert attributes(told.attributes) == {"http.method": "GET", "http.status_code": 500}
    assert (told.status.code, told.status.message) == (ERROR, "refused")
    [event] = told.events
    assert attributes(event.attributes)["exception.type"] == "ValueError"


def test_what_the_function_adds_to_its_invocation(scene, hook):
    """Name, attributes, events and status are the invocation span's."""
    record = InvocationRecord(("a" * 32, "b" * 16, 1, ""))
    record.set("order.id", "7")
    record.later_name = "order"
    record.set_error("late")
    record.record_exception(KeyError("id"))
    invocation = _Invocation()
    invocation.record = record
    hook.end(invocation, time.time_ns(), None)
    scene.host.wait_for_next(2)

    told = exported(scene)["order"]
    assert attributes(told.attributes)["order.id"] == "7"
    assert (told.status.code, told.status.message) == (ERROR, "late")
    assert [event.name for event in told.events] == ["exception"]


def test_a_resource_of_its_own(scene, hook):
    """What a span adds to the resource is told of that span alone."""
    span = begun(hook, resource={"team": "orders"})
    hook.span_ended(span, time.time_ns())
    end_invocation(scene, hook)

    [request] = scene.sink.delivered()
    teams = {
        group.scope_spans[0].spans[0].name: attributes(group.resource.attributes).get("team")
        for group in request.resource_spans
    }
    assert teams == {"GET": "orders", "orders": None}


def test_many_spans(scene, hook, monkeypatch):
    """More than the buffer between the two holds: the hook has the runner read meanwhile."""
    # On a busy machine the runner gets no processor for longer than a function would wait.
    monkeypatch.setattr("wrapkit.payload.internal._span_stream._LAST_WAIT_NS", 10**10)
    for number in range(500):
        hook.span_ended(begun(hook, f"GET {number}"), time.time_ns())
    end_invocation(scene, hook)

    assert len(exported(scene)) == 501


def test_spans_of_many_threads(scene, hook, monkeypatch):
    """None is lost, and none comes twice, though there is no room for them at once."""
    monkeypatch.setattr("wrapkit.payload.internal._span_stream._LAST_WAIT_NS", 10**10)

    def work(number):
        for one in range(60):
            hook.span_ended(begun(hook, f"{number} {one}"), time.time_ns())

    begun_first = begun(hook, "first")
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hook.span_ended(begun_first, time.time_ns())
    end_invocation(scene, hook)
    scene.host.shut_down("spindown")
    assert scene.runner.wait()[0] == 0

    names = [span.name for span in scene.sink.spans()]
    assert len(names) == len(set(names)) == 8 * 60 + 2


# Of a process with threads, as a worker of pytest is; the child does nothing but send.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_spans_of_a_fork(scene, hook):
    """A child process tells of its spans over the same socket, and of none that its parent has."""
    hook.span_ended(begun(hook, "before"), time.time_ns())
    hook._spans._waiting.append(b"the parent's")
    child = os.fork()
    if child == 0:
        hook.span_ended(begun(hook, "of the child"), time.time_ns())
        os._exit(len(hook._spans._waiting))
    assert os.waitpid(child, 0)[1] == 0
    hook._spans._waiting.clear()
    end_invocation(scene, hook)

    assert exported(scene).keys() == {"before", "of the child", "orders"}


def test_what_is_open_when_the_handler_returns_ends_later(scene, hook):
    """A thread that goes on ends its span within a later invocation."""
    span = begun(hook)
    end_invocation(scene, hook)
    assert list(exported(scene)) == ["orders"]

    scene.host.invoke("r2")
    hook.span_ended(span, time.time_ns())
    scene.invoke_with_hook("r2")
    scene.host.wait_for_next(3)

    assert exported(scene)["GET"].status.code != ERROR


@pytest.mark.parametrize("status", ["timeout", "error"])
def test_what_a_dead_invocation_leaves_open(scene, hook, status):
    """It ends with the invocation, as failed, and is never told twice."""
    done = begun(hook, "done")
    hook.span_ended(done, time.time_ns())
    begun(hook, "open")
    hook.close()  # as the kernel does for a process that dies
    scene.host.report(("platform.runtimeDone", {"requestId": "r1", "status": status}))
    scene.host.wait_for_next(2)
    scene.host.shut_down("timeout")
    assert scene.runner.wait()[0] == 0

    spans = scene.sink.spans()
    assert sorted(span.name for span in spans) == ["done", "open", "orders"]
    by_name = exported(scene)
    assert by_name["done"].status.code != ERROR
    assert by_name["open"].status.code == ERROR
    assert attributes(by_name["open"].attributes)["error.type"] == status
    # The platform's times are in milliseconds.
    late_ns = by_name["open"].end_time_unix_nano - by_name["orders"].end_time_unix_nano
    assert 0 <= late_ns < 1_000_000


def test_what_a_process_that_died_with_an_answer_unread_has_told(scene, hook):
    """The kernel says first that the connection was reset, then gives what was sent before."""
    begun(hook, "first")
    # What the runner answers to the first span, which a hook reads as it wakes it again.
    assert select.select([hook._spans._socket], [], [], 10)[0]
    hook.span_ended(begun(hook, "done"), time.time_ns())
    hook.close()
    scene.host.report(("platform.runtimeDone", {"requestId": "r1", "status": "timeout"}))
    scene.host.wait_for_next(2)
    scene.host.shut_down("timeout")
    assert scene.runner.wait()[0] == 0

    assert sorted(span.name for span in scene.sink.spans()) == ["done", "first", "orders"]


def test_what_a_shutdown_finds_open(scene, hook):
    """SHUTDOWN ends what no invocation has left open, too."""
    begun(hook)
    end_invocation(scene, hook)
    scene.host.shut_down("spindown")
    assert scene.runner.wait()[0] == 0

    assert attributes(exported(scene)["GET"].attributes)["error.type"] == "shutdown"


def test_a_message_that_makes_no_sense(scene, hook):
    """It costs itself and a line, not what comes after it."""
    span = begun(hook)
    for nonsense in (
        {"t": "span", "span": "zz"},
        {"t": "span-end", "span": "0" * 16, "time": 1},
        {"t": "nonsense"},
    ):
        hook._spans.send(nonsense)
    hook.span_ended(span, time.time_ns())
    end_invocation(scene, hook)

    assert "GET" in exported(scene)


def test_a_span_that_no_message_holds(scene, hook, capfd):
    """It is dropped, said once, and counted."""
    hook.span_ended(begun(hook, attributes={"x": "y" * 200_000}), time.time_ns())
    end_invocation(scene, hook)

    assert list(exported(scene)) == ["orders"]
    assert "too large" in capfd.readouterr().err
