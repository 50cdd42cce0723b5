"""What the report of a service says of the traces that come."""

from __future__ import annotations

import io

from wrapkit.tooling.report import ServeReport
from wrapkit.tooling.sink import Span


def test_a_trace_of_the_caller_is_named_with_the_span_that_it_continues():
    stream = io.StringIO()
    attributes = {"faas.invocation_id": "r-1"}

    ServeReport(stream).traces(
        [
            Span("a" * 32, "1" * 16, "c" * 16, "mine", 0, 1_000_000, attributes=attributes),
            Span("b" * 32, "2" * 16, "", "init", 0, 1_000_000),
        ]
    )

    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines[:2] == ["Trace of r-1", f"  trace {'a' * 32}  continues span {'c' * 16}"]
    assert f"  trace {'b' * 32}" in lines
