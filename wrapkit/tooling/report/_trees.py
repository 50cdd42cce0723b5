"""Spans as trees, and which invocation a tree belongs to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..sink import Span

# `faas.execution` was the name before version 1.19 of the semantic conventions; older layers still
# send it.
INVOCATION_ID_KEYS = ("faas.invocation_id", "faas.execution")


@dataclass(frozen=True)
class SpanNode:
    """A span with the spans below it, in the order in which they began."""

    span: Span
    children: Sequence[SpanNode] = field(default_factory=tuple)

    def walk(self) -> Iterator[SpanNode]:
        """This node and all below it, depth first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class InvocationTraces:
    """The trees of each invocation by its request id, and those that belong to none."""

    by_request_id: dict[str, list[SpanNode]]
    others: list[SpanNode]


def span_trees(spans: Iterable[Span]) -> list[SpanNode]:
    """The trees that the spans form; a span whose parent did not come is the root of its own."""
    ordered = sorted(spans, key=lambda span: (span.start_time_unix_nano, -span.end_time_unix_nano))
    known = {(span.trace_id, span.span_id) for span in ordered}
    children: dict[tuple[str, str], list[Span]] = defaultdict(list)
    roots: list[Span] = []
    for span in ordered:
        parent = (span.trace_id, span.parent_span_id)
        (children[parent] if parent in known else roots).append(span)
    placed: set[tuple[str, str]] = set()
    trees = [_tree(root, children, placed) for root in roots]
    # Spans that are each other's ancestors hang below no root; show them rather than lose them.
    trees += [
        _tree(span, children, placed)
        for span in ordered
        if (span.trace_id, span.span_id) not in placed
    ]
    return trees


def _tree(
    span: Span, children: dict[tuple[str, str], list[Span]], placed: set[tuple[str, str]]
) -> SpanNode:
    identity = (span.trace_id, span.span_id)
    placed.add(identity)
    below = [
        _tree(child, children, placed)
        for child in children[identity]
        if (child.trace_id, child.span_id) not in placed
    ]
    return SpanNode(span, tuple(below))


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
