"""A trace as a waterfall: a line with a bar for each span, and below it what it was about."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from ._bars import TimeWindow, bar_text
from ._glyphs import UNICODE_GLYPHS, Glyphs
from ._wording import attribute_text, counted, fit, milliseconds, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..sink import Span, SpanEvent, SpanLink
    from ._trees import SpanNode

# What tells most about a span, most telling first; current and former names of the semantic
# conventions.
MAIN_ATTRIBUTES = (
    "faas.coldstart",
    "faas.invocation_id",
    "http.request.method",
    "http.method",
    "url.full",
    "http.url",
    "http.response.status_code",
    "http.status_code",
    "rpc.service",
    "rpc.method",
    "db.system.name",
    "db.system",
    "db.operation.name",
    "db.operation",
    "db.statement",
    "db.query.text",
    "aws.dynamodb.table_names",
    "aws.request_id",
    "messaging.system",
    "messaging.destination.name",
    "error.type",
)
ATTRIBUTE_LINES = 2
# A batch of messages has a link to the sender of each.
LINK_LINES = 3
# Deeper spans keep the indent of this depth, or no room would be left for their names.
CELLS_PER_DRAWN_DEPTH = 12
STACK_LINES = 6
DURATION_CELLS = 11
STATUS_CELLS = 6


def waterfall(trees: Sequence[SpanNode], *, width: int, glyphs: Glyphs = UNICODE_GLYPHS) -> Text:
    """The trees of one trace, aligned in time, in lines of at most `width` cells."""
    spans = [node.span for tree in trees for node in tree.walk()]
    max_depth = width // CELLS_PER_DRAWN_DEPTH
    rows = [row for tree in trees for row in _rows(tree, glyphs, max_depth)]
    label_cells = _label_cells(rows, width)
    window = TimeWindow(
        min(span.start_time_unix_nano for span in spans),
        max(span.end_time_unix_nano for span in spans),
        max(4, width - label_cells - DURATION_CELLS - STATUS_CELLS),
    )
    lines: list[Text] = []
    for row in rows:
        lines.append(_span_line(row, label_cells, window, glyphs))
        lines.extend(_detail_lines(row, width, glyphs))
    return Text("\n").join(lines)


@dataclass(frozen=True)
class Row:
    """A span with what is drawn left of its name, and left of the lines below it."""

    span: Span
    indent: str
    indent_below: str


def _rows(tree: SpanNode, glyphs: Glyphs, max_depth: int) -> Iterator[Row]:
    pending = [(tree, "", "", 0)]
    while pending:
        node, own, below, depth = pending.pop()
        yield Row(node.span, own, below + (glyphs.trunk if node.children else "   "))
        for child in reversed(node.children):
            if depth == max_depth:
                pending.append((child, own, below, depth))
                continue
            is_last = child is node.children[-1]
            branch = glyphs.last_branch if is_last else glyphs.branch
            trunk = "   " if is_last else glyphs.trunk
            pending.append((child, below + branch, below + trunk, depth + 1))


def _label_cells(rows: Iterable[Row], width: int) -> int:
    longest = max(len(row.indent) + len(one_line(row.span.name)) for row in rows)
    return max(12, min(longest + 1, width * 2 // 5))


def _span_line(row: Row, label_cells: int, window: TimeWindow, glyphs: Glyphs) -> Text:
    span = row.span
    is_error = span.status_code == "ERROR"
    name = fit(one_line(span.name), max(1, label_cells - 1 - len(row.indent)))
    line = Text(row.indent, style="dim", end="")
    line.append(name, style="bold")
    line.append(" " * max(1, label_cells - line.cell_len))
    bar = bar_text(window, span.start_time_unix_nano, span.end_time_unix_nano, glyphs.bar)
    line.append(bar, style="red" if is_error else "cyan")
    line.append(milliseconds(span.duration_ms).rjust(DURATION_CELLS))
    if is_error:
        line.append(" ERROR", style="bold red")
    return line


def _detail_lines(row: Row, width: int, glyphs: Glyphs) -> Iterator[Text]:
    room = max(20, width - len(row.indent_below))
    for text in _attribute_lines(row.span, room):
        yield _below(row, text, "dim")
    for text in _link_lines(row.span):
        yield _below(row, fit(text, room), "dim")
    exceptions = [event for event in row.span.events if event.name == "exception"]
    if row.span.status_code == "ERROR" and not exceptions and row.span.status_message:
        yield from _failure_lines(row, one_line(row.span.status_message), room, glyphs)
    for event in exceptions:
        yield from _failure_lines(row, _exception_title(event), room, glyphs)
        for text in _stack_lines(event):
            yield _below(row, "  " + fit(text, room - 2), "dim")


def _failure_lines(row: Row, message: str, room: int, glyphs: Glyphs) -> Iterator[Text]:
    for text in textwrap.wrap(
        f"{glyphs.failed} {message}", room, max_lines=3, subsequent_indent="  "
    ):
        yield _below(row, text, "red")


def _below(row: Row, text: str, style: str) -> Text:
    line = Text(row.indent_below, style="dim", end="")
    line.append(text, style=style)
    return line


def _attribute_lines(span: Span, room: int) -> list[str]:
    words = [
        fit(f"{key}={attribute_text(span.attributes[key])}", room)
        for key in MAIN_ATTRIBUTES
        if key in span.attributes
    ]
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 2 + len(word) <= room:
            lines[-1] += "  " + word
        else:
            lines.append(word)
    return lines[:ATTRIBUTE_LINES]


def _link_lines(span: Span) -> list[str]:
    """The first links, and how many there are beyond them."""
    lines = [_link_text(link) for link in span.links[:LINK_LINES]]
    left_out = len(span.links) - len(lines)
    return [*lines, f"and {counted(left_out, 'more link')}"] if left_out else lines


def _link_text(link: SpanLink) -> str:
    words = [f"{one_line(key)}={attribute_text(value)}" for key, value in link.attributes.items()]
    return "  ".join([f"link to {link.trace_id} {link.span_id}", *words])


def _exception_title(event: SpanEvent) -> str:
    kind = attribute_text(event.attributes.get("exception.type") or "exception")
    message = attribute_text(event.attributes.get("exception.message") or "")
    return one_line(f"{kind}: {message}" if message else kind)


def _stack_lines(event: SpanEvent) -> list[str]:
    """The innermost lines of the stack, without a last one that only repeats the title."""
    stack = str(event.attributes.get("exception.stacktrace") or "").rstrip().splitlines()
    if stack and one_line(stack[-1]) == _exception_title(event):
        stack.pop()
    lines = textwrap.dedent("\n".join(stack)).splitlines()
    return [one_line(line, keep_indent=True) for line in lines[-STACK_LINES:]]
