"""A CloudFormation or SAM template as text, and where its functions stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._errors import USAGE, DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ruamel.yaml.error import YAMLError

_SAM = "AWS::Serverless-2016-10-31"
_FUNCTION_TYPES = ("AWS::Lambda::Function", "AWS::Serverless::Function")

# Nodes of ruamel.yaml, which its types do not describe.
Node = Any


@dataclass(frozen=True)
class TemplateFunction:
    """A function resource; ``properties`` and ``globals`` are mapping nodes or None."""

    logical_id: str
    type: str
    properties: Node
    globals: Node

    @property
    def is_sam(self) -> bool:
        return self.type.startswith("AWS::Serverless")

    def scalar(self, name: str) -> str:
        """A property's text, in SAM also that of Globals; empty for an intrinsic function."""
        for mapping in (self.properties, self.globals):
            node = child(mapping, name)
            if is_plain_scalar(node):
                return str(node.value)
        return ""


@dataclass(frozen=True)
class Template:
    """A template's text with the nodes that it consists of."""

    path: Path
    text: str
    root: Node

    @property
    def is_sam(self) -> bool:
        transform = child(self.root, "Transform")
        items = getattr(transform, "value", "")
        texts = [items] if isinstance(items, str) else [item.value for item in items]
        return _SAM in texts

    @property
    def resources(self) -> Node:
        return child(self.root, "Resources")

    def functions(self) -> list[TemplateFunction]:
        """The function resources in their order."""
        shared = child(child(self.root, "Globals"), "Function")
        found = []
        for key, resource in pairs(self.resources):
            kind = getattr(child(resource, "Type"), "value", "")
            if kind in _FUNCTION_TYPES:
                properties = child(resource, "Properties")
                of_globals = shared if kind.startswith("AWS::Serverless") else None
                found.append(TemplateFunction(key.value, kind, properties, of_globals))
        return found


def read_template(path: Path) -> Template:
    """Read a template in block style.

    Raises:
        DiagnosticError: it cannot be read, is no YAML, or no template.
    """
    try:
        # No translation of line ends: what is not edited stays as it is.
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, getattr(error, "strerror", None) or str(error)) from error
    return parse_template(path, text)


def parse_template(path: Path, text: str) -> Template:
    """`read_template`, of a text that is at hand."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        root = YAML().compose(text)
    except YAMLError as error:
        raise _not_yaml(path, error) from error
    template = Template(path, text, root)
    if text.lstrip().startswith("{"):
        hint = "convert it to YAML, or use the code that `wrapkit template` writes"
        raise _refused(path, "a template in JSON is not edited in place", hint)
    if not is_block_mapping(template.resources):
        hint = "name a CloudFormation or SAM template"
        raise _refused(path, "it has no mapping of Resources in block style", hint)
    return template


def _not_yaml(path: Path, error: YAMLError) -> DiagnosticError:
    mark = getattr(error, "problem_mark", None)
    place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    what = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return _refused(path, f"not YAML of one document{place}: {what}")


def _refused(path: Path, reason: str, hint: str = "") -> DiagnosticError:
    return DiagnosticError("template-unreadable", f"{path}: {reason}", hint, USAGE)


def pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    """Key and value nodes of a mapping; none of anything else."""
    if is_mapping(node):
        yield from node.value


def child(node: Node, name: str) -> Node:
    """The value node of a key, or None."""
    return next((value for key, value in pairs(node) if key.value == name), None)


def key_node(node: Node, name: str) -> Node:
    """The node of a key itself: where its line begins."""
    return next(key for key, _ in pairs(node) if key.value == name)


def is_mapping(node: Node) -> bool:
    return type(node).__name__ == "MappingNode"


def is_block_mapping(node: Node) -> bool:
    return is_mapping(node) and not node.flow_style and bool(node.value)


def is_sequence(node: Node) -> bool:
    """A list as written, not the argument of an intrinsic function."""
    return type(node).__name__ == "SequenceNode" and not _is_tagged(node)


def is_plain_scalar(node: Node) -> bool:
    return type(node).__name__ == "ScalarNode" and not _is_tagged(node)


def _is_tagged(node: Node) -> bool:
    tag = str(node.tag or "")
    return tag.startswith("!") and tag != "!"


def last_line(node: Node) -> int:
    """The line (from 0) on which a node's own text ends."""
    if type(node).__name__ == "ScalarNode":
        # A block scalar's end is where the next thing begins.
        block = node.style in {"|", ">"}
        return int(max(node.start_mark.line, node.end_mark.line - (1 if block else 0)))
    if node.flow_style or not node.value:
        return int(node.end_mark.line)
    last = node.value[-1]
    return last_line(last[1] if isinstance(last, tuple) else last)
