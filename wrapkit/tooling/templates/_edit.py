"""Puts wrapkit onto the functions of a CloudFormation or SAM template, in place."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from .._errors import USAGE, DiagnosticError
from ..attach import EXEC_WRAPPER, WRAPKIT_CHAIN, is_our_wrapper
from ..layers import MAX_LAYERS
from ._permissions import statements
from ._template import (
    Node,
    Template,
    TemplateFunction,
    child,
    is_block_mapping,
    is_mapping,
    is_plain_scalar,
    is_sequence,
    key_node,
    last_line,
    pairs,
    parse_template,
    read_template,
)
from ._text import Edit, apply_edits, take_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LAYER_RESOURCE = "WrapkitLayer"
POLICY_RESOURCE = "WrapkitPolicy"


@dataclass(frozen=True)
class TemplateAttachment:
    """What to attach: the ARN of a layer version, or for SAM the path of an archive.

    ``built_in`` are the variables that the layer carries; they count for what has to be allowed.
    """

    layer: str
    wrapper: str = "/opt/otel-handler"
    language: str = "python"
    variables: Mapping[str, str] = field(default_factory=dict)
    built_in: Mapping[str, str] = field(default_factory=dict)
    chain: bool = True

    @property
    def is_arn(self) -> bool:
        return self.layer.startswith("arn:")


@dataclass(frozen=True)
class EditedTemplate:
    """The text before and after; ``notes`` say what was left out and why."""

    path: Path
    before: str
    after: str
    functions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def detach_template(path: Path) -> EditedTemplate:
    """The template as it was before wrapkit edited it."""
    template = read_template(path)
    return EditedTemplate(path, template.text, take_back(template.text))


def attach_template(
    path: Path, attachment: TemplateAttachment, patterns: tuple[str, ...] = ()
) -> EditedTemplate:
    """Attach to all functions of the language, or to those whose logical ID matches a pattern.

    What an earlier call added is taken back first, so that calling twice changes nothing.

    Raises:
        DiagnosticError: it is no template, nothing matches, or a function cannot be edited.
    """
    before = read_template(path).text
    template = parse_template(path, take_back(before))
    functions, notes = _chosen(template, attachment, patterns)
    if not template.is_sam and not attachment.is_arn:
        raise DiagnosticError(
            "layer-not-published",
            "a CloudFormation template names the layer by its ARN",
            "publish it with `wrapkit layer publish`, and name the ARN with --layer",
            USAGE,
        )
    edits = [edit for function in functions for edit in _Function(function, attachment).edits()]
    resources, more_notes = _resources(template, functions, attachment)
    if resources:
        edits.append(Edit(last_line(template.resources) + 1, tuple(resources)))
    after = apply_edits(template.text, edits)
    # That the result is a template is a promise that is cheap to keep.
    parse_template(path, after)
    names = tuple(function.logical_id for function in functions)
    return EditedTemplate(path, before, after, names, (*notes, *more_notes))


def _chosen(
    template: Template, attachment: TemplateAttachment, patterns: tuple[str, ...]
) -> tuple[list[TemplateFunction], list[str]]:
    functions = template.functions()
    for pattern in patterns:
        if not any(fnmatchcase(function.logical_id, pattern) for function in functions):
            names = ", ".join(function.logical_id for function in functions) or "none"
            raise DiagnosticError(
                "no-such-function",
                f"{template.path} has no function {pattern!r}",
                f"its functions: {names}",
                USAGE,
            )
    chosen, notes = [], []
    for function in functions:
        named = any(fnmatchcase(function.logical_id, pattern) for pattern in patterns)
        runtime = function.scalar("Runtime")
        if patterns and not named:
            continue
        if runtime.startswith(attachment.language):
            chosen.append(function)
        else:
            kind = runtime or "a container image, or of a runtime that is not written out"
            notes.append(f"{function.logical_id} is left as it is: {kind}")
    if not chosen:
        raise DiagnosticError(
            "nothing-to-attach",
            f"{template.path} has no function of {attachment.language} to attach to",
            "\n".join(notes),
        )
    return chosen, notes


class _Function:
    """The edits of one function."""

    def __init__(self, function: TemplateFunction, attachment: TemplateAttachment) -> None:
        self._function = function
        self._attachment = attachment
        self._properties = function.properties
        if not is_block_mapping(self._properties):
            raise self._refused("Properties", "no mapping in block style")
        first = self._properties.value[0][0]
        self._at, self._indent = first.start_mark.line, " " * first.start_mark.column

    def edits(self) -> Iterator[Edit]:
        yield self._layers()
        yield from self._environment()

    def _refused(self, where: str, reason: str) -> DiagnosticError:
        return DiagnosticError(
            "template-not-editable",
            f"{self._function.logical_id}: {where} is {reason}",
            "write it out in block style, or leave it out by naming the other functions",
        )

    def _layers(self) -> Edit:
        layer = self._attachment.layer if self._attachment.is_arn else f"!Ref {LAYER_RESOURCE}"
        there = child(self._properties, "Layers")
        shared = child(self._function.globals, "Layers")
        count = sum(len(node.value) for node in (there, shared) if is_sequence(node))
        if count >= MAX_LAYERS:
            raise self._refused("Layers", f"full: Lambda takes {MAX_LAYERS}")
        if there is None:
            return Edit(self._at, (f"{self._indent}Layers:", f"{self._indent}  - {layer}"))
        if not is_sequence(there) or not there.value:
            raise self._refused("Layers", "no list that could be added to")
        if there.flow_style:
            return self._extended_flow(there, layer)
        dash = " " * self._column_of_dash(there)
        return Edit(last_line(there) + 1, (f"{dash}- {layer}",))

    def _extended_flow(self, there: Node, layer: str) -> Edit:
        """`Layers: [!Ref Mine]` on one line."""
        if there.start_mark.line != there.end_mark.line:
            raise self._refused("Layers", "a list in brackets over several lines")
        line = _line(there)
        end = there.end_mark.column - 1
        text = line[:end].rstrip() + f", {layer}" + line[end:]
        return Edit(there.start_mark.line, (text,), replaces=True)

    @staticmethod
    def _column_of_dash(sequence: Node) -> int:
        line = _line(sequence)
        return len(line) - len(line.lstrip())

    def _environment(self) -> Iterator[Edit]:
        environment = child(self._properties, "Environment")
        variables = child(environment, "Variables")
        wanted = dict(self._wanted(variables))
        if environment is None:
            lines = [f"{self._indent}Environment:", f"{self._indent}  Variables:"]
            lines += [f"{self._indent}    {name}: {value}" for name, value in wanted.items()]
            yield Edit(self._at, tuple(lines))
            return
        if is_mapping(variables) and (variables.flow_style or not variables.value):
            yield self._extended_braces(variables, wanted)
            return
        if not is_block_mapping(variables):
            raise self._refused("Environment", "no mapping of variables that is written out")
        first = variables.value[0][0]
        indent = " " * first.start_mark.column
        for name in [name for name in wanted if child(variables, name) is not None]:
            key = key_node(variables, name)
            text = f"{indent}{name}: {wanted.pop(name)}"
            yield Edit(key.start_mark.line, (text,), replaces=True)
        lines = [f"{indent}{name}: {value}" for name, value in wanted.items()]
        if lines:
            yield Edit(first.start_mark.line, tuple(lines))

    def _extended_braces(self, variables: Node, wanted: dict[str, str]) -> Edit:
        """`Variables: {A: b}` on one line."""
        if variables.start_mark.line != variables.end_mark.line:
            raise self._refused("Variables", "a mapping in braces over several lines")
        if any(child(variables, name) is not None for name in wanted):
            raise self._refused("Variables", "a mapping in braces with an exec wrapper in it")
        line, start = _line(variables), variables.start_mark.column + 1
        added = ", ".join(f"{name}: {value}" for name, value in wanted.items())
        comma = ", " if variables.value else ""
        text = line[:start] + added + comma + line[start:].lstrip()
        return Edit(variables.start_mark.line, (text,), replaces=True)

    def _wanted(self, variables: Node) -> Iterator[tuple[str, str]]:
        """Names, and values as YAML."""
        shared = child(child(self._function.globals, "Environment"), "Variables")
        there = child(variables, EXEC_WRAPPER) or child(shared, EXEC_WRAPPER)
        if self._attachment.wrapper and not (is_plain_scalar(there) and _is_ours(there)):
            if there is not None and self._attachment.chain:
                yield WRAPKIT_CHAIN, self._chained(there, child(variables, WRAPKIT_CHAIN))
            yield EXEC_WRAPPER, self._attachment.wrapper
        for name, value in self._attachment.variables.items():
            if child(variables, name) is None and child(shared, name) is None:
                yield name, json.dumps(value)

    def _chained(self, wrapper: Node, chain: Node) -> str:
        if chain is None:
            return self._source(wrapper)
        if not (is_plain_scalar(wrapper) and is_plain_scalar(chain)):
            raise self._refused(WRAPKIT_CHAIN, "not written out")
        return f"{wrapper.value}:{chain.value}"

    def _source(self, node: Node) -> str:
        """A value as it is written, an intrinsic function included."""
        if last_line(node) != node.start_mark.line or not hasattr(node, "style"):
            raise self._refused(EXEC_WRAPPER, "written over several lines")
        line = _line(node)
        return line[node.start_mark.column : node.end_mark.column]


def _is_ours(node: Node) -> bool:
    return is_our_wrapper(str(node.value))


def _line(node: Node) -> str:
    """The line on which a node begins."""
    return str(node.start_mark.buffer.splitlines()[node.start_mark.line])


def _resources(
    template: Template, functions: list[TemplateFunction], attachment: TemplateAttachment
) -> tuple[list[str], list[str]]:
    """The lines of the resources that the functions need, and what cannot be done for them."""
    resources: dict[str, Any] = {}
    notes: list[str] = []
    if not attachment.is_arn:
        resources[LAYER_RESOURCE] = {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {
                "LayerName": f"wrapkit-{attachment.language}",
                "ContentUri": attachment.layer,
                "RetentionPolicy": "Retain",
            },
        }
    allowed = statements({**attachment.built_in, **attachment.variables})
    if allowed:
        roles = [_role(function, notes) for function in functions]
        resources[POLICY_RESOURCE] = {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "wrapkit-export",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed},
                "Roles": [{"Ref": role} for role in dict.fromkeys(filter(None, roles))],
            },
        }
        if not resources[POLICY_RESOURCE]["Properties"]["Roles"]:
            del resources[POLICY_RESOURCE]
    first = template.resources.value[0][0]
    return _yaml_lines(resources, " " * first.start_mark.column), notes


def _role(function: TemplateFunction, notes: list[str]) -> str:
    """The logical ID of a function's role; SAM makes one where none is named."""
    role = child(function.properties, "Role")
    if role is None and function.is_sam and child(function.globals, "Role") is None:
        return f"{function.logical_id}Role"
    if role is not None and str(role.tag) == "!GetAtt" and isinstance(role.value, str):
        return role.value.partition(".")[0]
    for key, value in pairs(role):
        if key.value == "Fn::GetAtt" and is_sequence(value):
            return str(value.value[0].value)
    notes.append(
        f"{function.logical_id}: its role is not in this template; allow it what {POLICY_RESOURCE}"
        " allows the others"
    )
    return ""


def _yaml_lines(content: dict[str, Any], indent: str) -> list[str]:
    """As lines of block style, without comments and with quotes where JSON has them."""
    lines: list[str] = []
    for key, value in content.items():
        if isinstance(value, dict) and set(value) != {"Ref"}:
            lines += [f"{indent}{key}:", *_yaml_lines(value, indent + "  ")]
        elif isinstance(value, list):
            lines += [f"{indent}{key}:", *(f"{indent}  - {_flow(item)}" for item in value)]
        else:
            lines.append(f"{indent}{key}: {_flow(value)}")
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"Ref"}:
        return f"!Ref {value['Ref']}"
    return json.dumps(value)
