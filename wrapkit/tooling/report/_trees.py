"""Spans as trees, and which invocation a tree belongs to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..sink import Span

# `faas.execution` was the name before version 1.19 of the semantic conventions; older layers still
# send it.
INVOCATION_ID_KEYS = ("faas.invocation_id", "faas.execution")


@dataclass(frozen=True)
class SpanNode:
    """A span with the spans below it, in the order in which they began."""

    span: Span
    children: list[SpanNode] = field(default_factory=list)

    def walk(self) -> Iterator[SpanNode]:
        """This node and all below it, depth first; traces may be deeper than Python's stack."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children))


@dataclass(frozen=True)
class InvocationTraces:
    """The trees of each invocation by its request id, and those that belong to none."""

    by_request_id: dict[str, list[SpanNode]]
    others: list[SpanNode]


def titled_traces(trees: Iterable[SpanNode]) -> Iterator[tuple[str, list[SpanNode]]]:
    """The trees of each trace under its title, which names the span of others that it continues."""
    traces: dict[str, list[SpanNode]] = {}
    for tree in trees:
        traces.setdefault(tree.span.trace_id, []).append(tree)
    for trace_id, members in traces.items():
        parents = [tree.span.parent_span_id for tree in members if tree.span.parent_span_id]
        continues = f"  continues span {parents[0]}" if parents else ""
        yield f"trace {trace_id}{continues}", members


def span_trees(spans: Iterable[Span]) -> list[SpanNode]:
    """The trees that the spans form; a span whose parent did not come is the root of its own."""
    ordered = sorted(spans, key=lambda span: (span.start_time_unix_nano, -span.end_time_unix_nano))
    nodes = {(span.trace_id, span.span_id): SpanNode(span) for span in ordered}
    roots: list[SpanNode] = []
    for node in nodes.values():
        parent = nodes.get((node.span.trace_id, node.span.parent_span_id))
        (parent.children if parent else roots).append(node)
    return roots + _cut_circles(nodes.values(), roots)


def _cut_circles(nodes: Iterable[SpanNode], roots: Iterable[SpanNode]) -> list[SpanNode]:
    """Roots for the spans that are each other's ancestors: to be shown rather than lost."""
    placed = {id(node) for root in roots for node in root.walk()}
    cut = []
    for node in nodes:
        if id(node) in placed:
            continue
        cut.append(node)
        pending = [node]
        while pending:
            above = pending.pop()
            placed.add(id(above))
            above.children[:] = [child for child in above.children if id(child) not in placed]
            pending.extend(above.children)
    return cut


def invocation_traces(spans: Iterable[Span]) -> InvocationTraces:
    """The trees sorted by the invocation that their spans name.

    A tree without such a span goes to the only invocation of its trace, if there is just one.
    """
    trees = span_trees(spans)
    owners = [_invocation_id(tree) for tree in trees]
    ids_of_trace: dict[str, set[str]] = defaultdict(set)
    for tree, owner in zip(trees, owners, strict=True):
        if owner:
            ids_of_trace[tree.span.trace_id].add(owner)
    traces = InvocationTraces({}, [])
    for tree, owner in zip(trees, owners, strict=True):
        candidates = {owner} if owner else ids_of_trace[tree.span.trace_id]
        if len(candidates) == 1:
            traces.by_request_id.setdefault(next(iter(candidates)), []).append(tree)
        else:
            traces.others.append(tree)
    return traces


def _invocation_id(tree: SpanNode) -> str:
    for node in tree.walk():
        for key in INVOCATION_ID_KEYS:
            value = node.span.attributes.get(key)
            if isinstance(value, str) and value:
                return value
    return ""
