"""The waterfall, as text of a given width."""

from __future__ import annotations

import itertools

import pytest

from wrapkit.tooling.report._bars import TimeWindow, bar_text
from wrapkit.tooling.report._glyphs import ASCII_GLYPHS
from wrapkit.tooling.report._trees import invocation_traces, span_trees
from wrapkit.tooling.report._waterfall import waterfall
from wrapkit.tooling.report._wording import fit, milliseconds, one_line
from wrapkit.tooling.sink import Span, SpanEvent, SpanLink

_ids = itertools.count(1)


def span(name, start_ms, end_ms, parent=None, trace="aa", **fields):
    return Span(
        trace_id=trace,
        span_id=f"{next(_ids):016x}",
        parent_span_id=parent.span_id if isinstance(parent, Span) else parent or "",
        name=name,
        start_time_unix_nano=start_ms * 1_000_000,
        end_time_unix_nano=end_ms * 1_000_000,
        **fields,
    )


def lines_of(spans, width=60):
    return waterfall(span_trees(spans), width=width, glyphs=ASCII_GLYPHS).plain.splitlines()


def test_bars_stand_where_the_spans_were_in_time():
    root = span("orders", 0, 100)
    spans = [root, span("GetItem", 0, 50, root), span("GET", 50, 100, root)]
    first, second, third = lines_of(spans)
    bar = first.count("=")
    assert first.startswith("orders")
    assert second.startswith("|- GetItem")
    assert third.startswith("`- GET")
    assert second.index("=") == first.index("=")
    assert second.count("=") == pytest.approx(third.count("="), abs=1)
    assert third.count("=") == pytest.approx(bar / 2, abs=1)
    assert third.rindex("=") == first.rindex("=")
    assert first.rstrip().endswith("100.0 ms")


def test_the_first_links_of_a_span_are_lines_below_it():
    links = [SpanLink(f"{n:032x}", f"{n:016x}", {"digest": b"\xff"}) for n in range(1, 5)]
    lines = lines_of([span("orders", 0, 100, links=links)], width=90)
    assert [line.strip() for line in lines[1:]] == [
        *(f"link to {n:032x} {n:016x}  digest=ff" for n in (1, 2, 3)),
        "and 1 more link",
    ]


def test_children_come_in_the_order_in_which_they_began_below_their_own_parent():
    root = span("root", 0, 9)
    late, early = span("late", 5, 6, root), span("early", 1, 2, root)
    below = span("below", 5, 6, late)
    lines = lines_of([late, below, early, root])
    assert [line.split("=")[0].rstrip() for line in lines] == [
        "root",
        "|- early",
        "`- late",
        "   `- below",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_asked(width):
    deep = [span("a rather long name of a span " * 3, 0, 10)]
    for _ in range(12):
        deep.append(
            span("below " * 20, 1, 9, deep[-1], attributes={"url.full": "http://x/" + "y" * 300})
        )
    lines = lines_of(deep, width)
    assert len(lines) >= 13
    assert max(map(len, lines)) <= width


def test_an_exception_is_shown_with_the_end_of_its_stack():
    frame = '  File "app.py", line 3, in handler\n    raise X\n'
    stack = f"Traceback (most recent call last):\n{frame}X: no"
    event = SpanEvent(
        "exception",
        0,
        {"exception.type": "X", "exception.message": "no", "exception.stacktrace": stack},
    )
    lines = lines_of([span("f", 0, 1, status_code="ERROR", status_message="no", events=(event,))])
    assert lines[0].endswith("ERROR")
    assert lines[1].strip() == "x X: no"
    assert lines[-2:] == ['       File "app.py", line 3, in handler', "         raise X"]


def test_an_error_without_an_exception_shows_its_message():
    lines = lines_of([span("f", 0, 1, status_code="ERROR", status_message="timed\nout")])
    assert lines[1].strip() == "x timed out"


def test_main_attributes_are_shown_and_the_rest_is_not():
    attributes = {"noise": "x", "http.response.status_code": 404, "http.request.method": "GET"}
    lines = lines_of([span("GET", 0, 1, attributes=attributes)])
    assert lines[1].strip() == "http.request.method=GET  http.response.status_code=404"


def test_control_characters_of_a_span_do_not_reach_the_terminal():
    lines = lines_of([span("a\x1b[2Jb\nc", 0, 1, attributes={"url.full": "\x1b]0;x\x07"})])
    assert "\x1b" not in "".join(lines)
    assert lines[0].startswith("a [2Jb c ")


def test_a_span_without_duration_has_one_cell():
    assert lines_of([span("f", 5, 5)])[0].count("=") == 1


def test_spans_are_sorted_to_their_invocation_by_its_request_id():
    shared = "cc"
    one = span("f", 0, 1, "feed", shared, attributes={"faas.invocation_id": "r1"})
    two = span("f", 2, 3, "feed", shared, attributes={"faas.invocation_id": "r2"})
    below = span("GET", 2, 3, two, shared)
    stray_alone = span("stray", 1, 2, "gone", "dd")
    stray_shared = span("stray", 1, 2, "gone", shared)
    older = span("f", 4, 5, None, "ee", attributes={"faas.execution": "r3"})
    with_older = span("stray", 4, 5, "gone", "ee")
    traces = invocation_traces([below, one, stray_alone, stray_shared, two, older, with_older])
    names = {
        request_id: [[node.span.name for node in tree.walk()] for tree in trees]
        for request_id, trees in traces.by_request_id.items()
    }
    assert names == {"r1": [["f"]], "r2": [["f", "GET"]], "r3": [["f"], ["stray"]]}
    assert [tree.span for tree in traces.others] == [stray_alone, stray_shared]


def test_a_trace_deeper_than_pythons_stack_is_drawn():
    deep = [span("recursion", 0, 9, attributes={"faas.invocation_id": "r1"})]
    for _ in range(3000):
        deep.append(span("recursion", 0, 9, deep[-1]))
    (tree,) = invocation_traces(deep).by_request_id["r1"]
    assert len(waterfall([tree], width=80).plain.splitlines()) == 3002


def test_spans_that_are_their_own_ancestors_are_still_shown():
    itself = Span("aa", "01", "01", "itself", 0, 1)
    left, right = Span("aa", "02", "03", "left", 0, 1), Span("aa", "03", "02", "right", 0, 1)
    below = Span("aa", "04", "03", "below", 0, 1)
    trees = span_trees([itself, left, right, below])
    shown = [node.span.name for tree in trees for node in tree.walk()]
    assert sorted(shown) == ["below", "itself", "left", "right"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 10, "=========="),
        (0, 5, "=====     "),
        (9.9, 10, "         ="),
        (10, 10, "         ="),
        (-5, 2, "==        "),
        (8, 50, "        =="),
    ],
)
def test_a_bar_stays_in_its_window(start, end, expected):
    assert bar_text(TimeWindow(0, 10, 10), start, end, "=") == expected


@pytest.mark.parametrize(
    ("value_ms", "expected"), [(0.4219, "0.42 ms"), (45.12, "45.1 ms"), (12345.6, "12 346 ms")]
)
def test_durations_read_well_at_every_size(value_ms, expected):
    assert milliseconds(value_ms) == expected


def test_a_cut_text_says_so():
    assert fit("abcdefgh", 6) == "abc..."
    assert fit("abc", 6) == "abc"
    assert one_line("  a\tb\r\n c ") == "a b c"
